//! Words of the column `error_code`.

use super::entry::{Entry, Kind, Thresholds};
use crate::fit::FitState;

/// All error codes.
pub(super) fn entries(thresholds: &Thresholds) -> Vec<Entry> {
    let mut all = of_the_search();
    all.extend(of_files(thresholds));
    all.extend(of_formats());
    all.extend(of_contents());
    all.extend(of_headers(thresholds));
    all.extend(of_water());
    all.extend(of_samples(thresholds));
    all.extend(of_basis_sets(thresholds));
    all.extend(of_fits());
    all.extend(of_conversion());
    all
}

fn entry(code: &'static str, threshold: impl Into<String>, meaning: &'static str, remedy: &'static str) -> Entry {
    Entry { code, kind: Kind::ErrorCode, threshold: threshold.into(), meaning, remedy }
}

fn of_the_search() -> Vec<Entry> {
    vec![
        entry(
            "water_reference",
            "the file's name says that it is a water reference, and no spectrum claims it (`skipped`)",
            "The file was left out.",
            "Nothing, if it is a reference. List it in a manifest to analyse it as a spectrum.",
        ),
        entry(
            "ambiguous_water_reference",
            "several files could be the water reference",
            "requant never guesses between references.",
            "Name one in the column `water_path` of a manifest, or write `none` there.",
        ),
        entry(
            "missing_water_reference",
            "a manifest or a sidecar names a water reference that is not there or cannot be it: the spectrum itself, a file that \
             has this spectrum as its own reference in turn, or (sidecars) another subject's",
            "The spectrum was not fitted, as its concentrations would be missing or wrong without notice. The message says which.",
            "Correct the path, or write `none`.",
        ),
        entry(
            "same_scan",
            "the same scan is there in another format under one stem, and is read from that (`skipped`)",
            "Of one scan in several formats that is taken which is nearest to what the scanner measured: twix, P-file, DATA/LIST, \
             Bruker, Varian, DICOM, RDA, SDAT, NIfTI-MRS, then text; last what states no dwell time or frequency. Two files are \
             one scan if they lie in one folder, have one stem, no header contradicts the other, and samples or the height of \
             water agree. The message names the file that was taken.",
            "Nothing. To analyse this file as well, or in the place of the other, list it in a manifest.",
        ),
        entry(
            "packed_archive",
            "an archive (zip, tar, 7z, rar, or a file packed by bzip2, xz or Zstandard)",
            "Archives are not looked into: spectra may be in it.",
            "Unpack it where it lies, or move it away if it holds no spectra. Files packed by gzip are read as they are.",
        ),
        entry(
            "bad_series",
            "files of one series that hold a transient each cannot be put together",
            "Instance numbers occur more than once, a header differs from the first file's, or one of them is far stronger than \
             the others (a water reference?).",
            "Take copies and what does not belong there away, or list the files in a manifest to analyse each alone.",
        ),
        entry(
            "manifest_line",
            "a line of the manifest has no usable value",
            "The message names line and column.",
            "Correct the line.",
        ),
    ]
}

fn of_files(t: &Thresholds) -> Vec<Entry> {
    let gib = t.max_file_bytes >> 30;
    vec![
        entry(
            "unreadable_file",
            format!(
                "the file, or one that belongs to it, is gone, cannot be opened or read, is none (a FIFO, a device, a \
                 folder) or is larger than {gib} GiB"
            ),
            "It was found and not read: permissions, disk or network, a link that leads nowhere, or a file that was taken \
             away after the search.",
            "Read the message; mend it and try again.",
        ),
        entry(
            "empty_file",
            "the file has no bytes",
            "Copying or exporting it was broken off.",
            "Copy or export it again.",
        ),
    ]
}

fn of_formats() -> Vec<Entry> {
    vec![
        entry(
            "unknown_format",
            "the bytes are of no known format",
            "The file is no spectrum, or of a format that requant does not read.",
            "See [formats](formats.md); convert it with spec2nii.",
        ),
        entry(
            "missing_companion",
            "the second file of a pair is missing (SDAT/SPAR, DATA/LIST)",
            "Header or samples are missing.",
            "Put both files into one folder, with one name.",
        ),
        entry(
            "bad_file",
            "an LCModel RAW, jMRUI text or plain-text file does not follow its format",
            "The message names line and fault.",
            "Export the file again.",
        ),
        entry(
            "bad_header",
            "a header entry is missing or impossible",
            "The message names the entry.",
            "Export the file again.",
        ),
        entry(
            "truncated",
            "the file ends before one transient is complete",
            "There is nothing to average. (Files with some complete transients are fitted and get the flag `truncated`.)",
            "Copy or export the file again.",
        ),
        entry(
            "too_large_for_memory",
            "one voxel of the file takes more than `--memory` leaves beside the program itself",
            "The file was not read: its samples, transients and results would not fit. Its neighbours are not concerned.",
            "Run the file again with the `--memory` that the message names, on a machine that has as much.",
        ),
    ]
}

fn of_contents() -> Vec<Entry> {
    vec![
        entry(
            "unsupported",
            "the file is valid and holds what the reader does not handle",
            "As a rule: spectroscopic imaging or several arrayed parameters in a vendor's raw format.",
            "Convert it to NIfTI-MRS (spec2nii), or export it in another form.",
        ),
        entry(
            "signs_unknown",
            "steps of `DIM_ISIS` have no stated signs and are not 2, 4 or 8; or a sequence named ISIS has no such dimension; or the steps of `DIM_PHASE_CYCLE` cancel one another",
            "The voxel's signal is in the sum with signs or turned phases alone: a plain mean would hold everything else.",
            "State the signs in the dimension's header (`\"dim_5_header\": {\"Signs\": [1, -1]}`), or combine the steps before.",
        ),
        entry(
            "unknown_revision",
            "a GE P-file of a revision whose layout is not known",
            "The header cannot be located.",
            "Convert it with the vendor's tools or spec2nii.",
        ),
        entry(
            "not_spectroscopy",
            "the file is an image, a segmentation or a report",
            "It looks like a spectrum by its name only.",
            "Leave it out.",
        ),
    ]
}

fn of_headers(t: &Thresholds) -> Vec<Entry> {
    let bounds: Vec<String> =
        t.header_bounds.iter().map(|(name, least, most)| format!("`{name}` {least} to {most}")).collect();
    vec![
        entry(
            "missing_field",
            "dwell time or spectrometer frequency is unknown",
            "The format does not hold it (LCModel RAW, plain text), and nothing else states it.",
            "Give `--dwell-s` and `--f0-mhz`, the manifest's columns, or an LCModel control file beside the data.",
        ),
        entry(
            "implausible_field",
            format!(
                "a number of the header is outside what scanners have ({}), `f0_mhz` is a field in tesla, or times contradict \
                 one another (`te_s` and `tr_s`, `te1_s` and `te_s`)",
                bounds.join(", ")
            ),
            "A unit is wrong, as a rule: an echo time in milliseconds, a frequency in Hz, a bandwidth in place of the dwell \
             time. A basis set simulated for an echo time of 35 s would give numbers that look right.",
            "The message names the units in which the value would be right. Write it in the manifest's column of that name \
             (`te_s` = 0.035), or give `--te-s`, `--dwell-s` …, which stand for values that cannot be right.",
        ),
        entry(
            "too_many_points",
            format!("an FID of more than {} points", t.max_points),
            "Several FIDs stand in one, or the header is wrong: in vivo an FID has 512 to 16,384 points.",
            "Export the file again; cut the tail of the FID.",
        ),
        entry("nucleus", "the nucleus is not ¹H", "Only ¹H is quantified.", "Leave the file out."),
        entry(
            "not_prepared",
            "`prepare = \"none\"`, and the file holds several coils or transients",
            "Data were said to be prepared and are not.",
            "Leave `prepare` out of the configuration.",
        ),
        entry(
            "cannot_tell_edit_order",
            "the file holds transients of several edit conditions, nothing states their order, and the data do not tell it with \
             a probability of 0.99",
            "Averaged all together they would give a wrong spectrum.",
            "Fill in `edit_order` in a manifest (as `in_turn on off`), or `n_conditions` = 1 if the scan is not edited.",
        ),
        entry(
            "edit_conditions_missing",
            "the sequence's or the file's name says that the scan is edited, and the file holds one spectrum, or transients with NAA \
             as tall in all of them",
            "It may be one condition or a difference: numbers of one are wrong for the other.",
            "Fill in `edit_order` in a manifest with what the file holds (`on`, `off`, `diff`, `sum`), or `n_conditions` = 1 if \
             it is not edited.",
        ),
        entry(
            "no_dynamic_part",
            "`--dynamics` asks for more transients than the file has, or for events in which none was measured",
            "The file has no time course of this kind.",
            "Ask for fewer transients, or correct the events.",
        ),
    ]
}

fn of_water() -> Vec<Entry> {
    vec![
        entry(
            "water_implausible_field",
            "a number in the header of the water reference is outside the bounds of `implausible_field`",
            "Its echo and repetition time scale concentrations.",
            "Correct it in that file, state the measurement's own in the manifest, or write `none` in the manifest's \
             `water_path`.",
        ),
        entry(
            "water_mismatch",
            "the grids of water reference and data have different extents and lie not in one place, or the reference's voxels lie half \
             a voxel or more from the data's",
            "The reference is of another acquisition. A grid that is stored along other axes, or from the other end, is paired voxel \
             by voxel where both files say where theirs are.",
            "Give a reference of the same grid.",
        ),
        entry(
            "water_*",
            "the water reference failed; `*` is its own error code (`water_truncated`, `water_io`, …)",
            "The spectrum was not fitted, as its concentrations would be missing without notice.",
            "See the code after `water_`; or write `none` in the manifest's `water_path`.",
        ),
    ]
}

fn of_samples(t: &Thresholds) -> Vec<Entry> {
    vec![
        entry(
            "not_finite",
            "a sample of every transient, or of every coil, is NaN or infinite",
            "The export failed. Single transients and coils of that kind are left out (flags `broken_transients`, \
             `broken_coils`); nothing is replaced.",
            "Export the file again.",
        ),
        entry(
            "one_part_missing",
            "the real or the imaginary part of every stored sample is exactly zero",
            "Half of the signal is missing: the file was made from one part of the samples or from magnitudes. Every amplitude and \
             concentration would come out as half of what it is.",
            "Export the file again, with complex samples.",
        ),
        entry(
            FitState::NoSignal.as_str(),
            format!(
                "fewer than {} samples before a zero-filled tail, no signal common to the coils, or no signal at all",
                t.min_points
            ),
            "There is nothing to fit.",
            "Check the acquisition and its export.",
        ),
    ]
}

fn of_basis_sets(t: &Thresholds) -> Vec<Entry> {
    vec![
        entry(
            "basis",
            "the basis set that a manifest names cannot be read",
            "The message names file and fault.",
            "Correct the path, or look at it with `requant basis show`.",
        ),
        entry(
            "basis_header",
            "no basis set was given, and the header does not say enough to simulate one",
            "Sequence or echo time is unknown, or the sequence cannot be simulated (editing, GE or vendor names).",
            "Give `--sequence`, `--te-s` (STEAM: `--tm-s`) or the manifest's columns; or give `--basis`.",
        ),
        entry(
            "basis_field",
            format!("frequencies of basis set and data differ by {} % or more", 100.0 * t.basis_field),
            "At another field the multiplets have other shapes.",
            "Give a basis set for this field.",
        ),
        entry(
            "model",
            "method and basis set cannot make a model for this spectrum",
            "As a rule: no point of the spectrum lies in the window, or no component is left.",
            "Read the message; check window and basis set.",
        ),
    ]
}

fn of_fits() -> Vec<Entry> {
    vec![
        entry(
            "not_a_difference",
            "a method for edited differences (`gannet`) met another spectrum",
            "`on`, `off`, `sum` and unedited spectra are not fitted by it.",
            "Nothing. For a difference that is alone in its file see [edited data](../guide/edited.md).",
        ),
        entry(
            FitState::Singular.as_str(),
            "the normal equations cannot be solved",
            "Basis set and spectrum do not determine the parameters.",
            "Look for two equal members in the basis set, or for an empty spectrum.",
        ),
        entry(
            "internal",
            "the engine returned nothing",
            "This is a fault of requant.",
            "Report it with the file's header.",
        ),
    ]
}

/// Of `requant convert` over a folder or a manifest; no row of a run has them.
fn of_conversion() -> Vec<Entry> {
    vec![
        entry(
            "bids_labels",
            "no subject is known, or its label in letters and digits is another's (`requant convert --bids`)",
            "The file was not converted: two people must not become one.",
            "Fill in `subject` in a manifest, or give `--site-from` with `{subject}`.",
        ),
        entry(
            "not_written",
            "the system refuses to write a converted file, or its name cannot be a file's everywhere",
            "The file was not converted.",
            "What the message says: room, rights, or another name.",
        ),
    ]
}
