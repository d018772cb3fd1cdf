//! Words of the column `qc_flags`: those of the fit, which this room raises, and those of reading and preparation.

use super::super::coefficients::FLAG_ABOVE_PERCENT;
use super::super::{
    BASELINE_NEAR_LIMIT, BROAD_PPM, FEWEST_EFFECTIVE_DRAWS, JUDGED, LITTLE_ADDED_HZ, LOW_SNR, MISFIT, MOST_RHAT,
    PLAUSIBLE_TNAA_TO_TCR, SHIFT_NEAR_LIMIT, flag,
};
use super::entry::{Entry, Thresholds, flag_entry as entry};
use super::water;
use crate::basis::singlets::MISPLACED_PPM;
use crate::fit::prior::STRAINED_SD;
use crate::fit::strangers::thresholds::{FALSE_ALARMS, LEAST_HEIGHT, LEAST_SHARE};

/// All flags.
pub(super) fn entries(thresholds: &Thresholds) -> Vec<Entry> {
    let mut all = of_the_fit(thresholds);
    all.extend(of_doubt());
    all.extend(of_what_the_model_lacks());
    all.extend(of_the_basis_set());
    all.extend(of_what_was_assumed_of_the_basis_set());
    all.extend(of_reading());
    all.extend(water::of_the_coils());
    all.extend(water::of_water(thresholds));
    all.extend(of_transients(thresholds));
    all.extend(of_edit_conditions(thresholds));
    all.extend(water::of_the_reference(thresholds));
    all.extend(water::of_its_header(thresholds));
    all.extend(water::of_its_measurement(thresholds));
    all.extend(water::of_its_conditions(thresholds));
    all.extend(water::of_tissue(thresholds));
    all
}

fn of_the_fit(t: &Thresholds) -> Vec<Entry> {
    vec![
        entry(
            flag::NOT_CONVERGED,
            "`state` is `max_iterations`".to_owned(),
            "The fit stopped before it reached the minimum.",
            "Look at the fit; raise `max_iterations` in a copy of the method, or exclude the spectrum.",
        ),
        entry(
            flag::NOISE_UNKNOWN,
            format!(
                "the noise of the FID's second half is less than {1} of the first half's, by {0} standard deviations or more, or \
                 there is none above the rounding of numbers",
                t.noise_falls.0, t.noise_falls.1
            ),
            "The data were apodised or filtered before they were stored, or they were simulated without noise. `noise_sd`, `snr`, \
             `sd_noise`, `crlb_percent` and what else is told in units of the noise are null; σ of the fit comes from the residual, \
             so `sd_posterior` is there. `warnings` says which of both.",
            "Export the data again without apodisation, filter and zero-filling. Add noise to simulated spectra.",
        ),
        entry(
            flag::MISFIT,
            format!("`residual_sd_over_noise_sd` > {MISFIT}"),
            "The residual is far larger than the noise: the model does not describe the spectrum. Usual causes are lipid or \
             water signal, a wrong basis set, or very high SNR, where small faults of any model show.",
            "Look at the residual. A peak at one chemical shift names the missing component; a pattern under all peaks points to \
             the lineshape or the basis set.",
        ),
        entry(
            flag::LOW_SNR,
            format!("`snr` < {LOW_SNR}"),
            "The tallest peak hardly stands above the noise. Amplitudes are uncertain; their errors say how much.",
            "Use the spectrum only in analyses that weight by the errors, or exclude it.",
        ),
        entry(
            flag::BROAD_LINES,
            format!("`fwhm_hz` > {BROAD_PPM} ppm × `f0_mhz`"),
            "Lines are so broad that neighbouring peaks merge. The usual cause is poor shimming.",
            "Exclude the spectrum, or use sums (tNAA, tCr, tCho, Glx) only. Öz et al. 2014 give this limit.",
        ),
    ]
}

fn of_doubt() -> Vec<Entry> {
    let [low, high] = PLAUSIBLE_TNAA_TO_TCR;
    vec![
        entry(
            flag::SHIFT_AT_LIMIT,
            format!("`shift_hz` is beyond {SHIFT_NEAR_LIMIT} × the largest shift that the method searches"),
            "The frequency reference may be wrong: the true shift may lie outside the search.",
            "Draw the fit. If the peaks are not under the model, raise `start.max_shift_ppm` in a copy of the method.",
        ),
        entry(
            flag::FIT_DOUBTFUL,
            format!("`expected_error_percent` > {FLAG_ABOVE_PERCENT:.1}"),
            "By the fit's own figures a major metabolite (tNAA, tCr, tCho, Glx, Ins) is likely to be off by more than 15 %, whatever \
             the errors say: the baseline is as narrow as lines, the residual has structure, priors are strained, or noise \
             leaves much open. Calibrated on spectra with known truth.",
            "Draw the fit. Look for a peak that no component has, lines of another shape than the fit's, a metabolite that the basis \
             set lacks, lipids or water. Where nothing can be mended, exclude the spectrum.",
        ),
        entry(
            flag::BASELINE_FLEXIBLE,
            format!(
                "`baseline_ed` ≥ {BASELINE_NEAR_LIMIT} × the method's limit, of methods without `expected_error_percent`"
            ),
            "The baseline is as flexible as the method allows. It may hold lipid or water signal, or a part of broad metabolites.",
            "Draw the fit. Compare results with a lower limit: `--vary baseline.max_ed_per_ppm=2,4,8`.",
        ),
        entry(
            flag::NOT_MIXED,
            format!(
                "`sampled_rhat` > {MOST_RHAT} or `sampled_ess` < {FEWEST_EFFECTIVE_DRAWS}, of any of {}, where the posterior is sampled",
                JUDGED.join(", ")
            ),
            "The chains disagree, or are too short: mean, standard deviation and quantiles of the columns `sampled_…` are not those of \
             the posterior. Amplitudes and `sd_posterior` do not hang on the chains; but a posterior with several modes is a usual cause, \
             and then the amplitude is one of them.",
            "Look at the fit. Raise `sampling.warmup` and `sampling.draws` in a copy of the method. For figures that are published \
             Vehtari et al. 2021 ask R̂ < 1.01 and 100 effective draws a chain.",
        ),
        entry(
            flag::PRIOR_STRAINED,
            format!(
                "a prior is off by more than {STRAINED_SD} of its own standard deviations; `strained_priors` names it"
            ),
            "Data and prior contradict one another. A ratio between amplitudes is not the usual one, which may be the finding, \
             and the prior pulls it back; or width, shift or phase are not what the method expects.",
            "Read `prior_pull_sd` of the metabolites. Where a ratio is strained fit without: `--vary priors.ratios=none`. Where a \
             width, shift or phase is, look at the fit.",
        ),
        entry(
            flag::IMPLAUSIBLE_TNAA_TCR,
            format!("tNAA/tCr outside {low:.1} to {high:.1}"),
            "Such a ratio does not occur in healthy brain. The fit failed, the spectrum is not of brain, it was not \
             water-suppressed, or metabolites were nulled. Large tumours do this, too.",
            "Look at the spectrum. Exclude it, unless the tissue explains the ratio.",
        ),
    ]
}

fn of_the_basis_set() -> Vec<Entry> {
    vec![
        entry(
            flag::BASIS_LINES_BROAD,
            format!(
                "the fit adds less than {LITTLE_ADDED_HZ} Hz (`lorentz_hz` and `gauss_hz` together) to the basis set's lines, and \
                 `basis_fwhm_hz` is larger or unknown"
            ),
            "The lines of the basis set are as broad as the data's or broader. A fit can only broaden them, so amplitudes come \
             out wrong, up to twofold.",
            "Take a basis set with narrower lines (1 Hz), or leave out --basis, so that one is simulated. If `basis_fwhm_hz` is \
             small, the fit itself went astray: draw it.",
        ),
        entry(
            "basis_mismatch",
            "the basis set states another echo time (by 3 ms or more), sequence or field (by 5 % or more) than the data".to_owned(),
            "Coupled metabolites look different there. Glutamate of spectra of TE 30 ms came out four tenths too low with a set of TE \
             45 ms, glutamate and glutamine of TE 35 ms a tenth too high with one of 30 ms. The warning says what differs.",
            "Take a basis set of the data's own protocol, or leave out --basis, so that one is simulated. Correct the header (manifest, \
             --te-s, --sequence) if it is what is wrong.",
        ),
        entry(
            "basis_te_unknown",
            "a basis set was given, and it states no echo time, or the data do not".to_owned(),
            "Nothing says whether set and data belong together: with a set of another echo time glutamate is wrong by tenths of \
             itself (`basis_mismatch`), and nothing else shows it.",
            "State what is missing: --te-s or a manifest for the data; for the set `requant basis convert` with --te-s. Or leave out \
             --basis, so that one is simulated.",
        ),
        entry(
            "basis_lacks_major",
            "no member of the basis set stands for NAA, Cr, Cho, Ins or Glu (edited differences excepted)".to_owned(),
            "Every spectrum of brain has these. The signal of the one that is missing goes into other metabolites and the \
             baseline; a warning names it, and members whose names are unknown.",
            "Add the member, or rename it to what the fit knows (`requant basis show`). Exclude the rows, unless the metabolite \
             is known to be absent.",
        ),
        entry(
            "basis_singlets_disagree",
            format!("a singlet of the basis set lies more than {MISPLACED_PPM} ppm from where the others say that it belongs"),
            "Members of the basis set come from different sources, or its frequency is wrong in a way that one factor does not \
             explain. The fit cannot move them so far.",
            "Make the members anew, with one frequency and one reference. The warning says which lie where.",
        )
    ]
}

fn of_what_was_assumed_of_the_basis_set() -> Vec<Entry> {
    vec![
        entry(
            "te1_assumed",
            "a basis set of PRESS or MEGA-PRESS was simulated, and neither header, manifest, configuration nor --te1-s states its first echo"
                .to_owned(),
            "What the vendor's product usually has was taken (`basis_te1_s`; with ideal pulses TE/2). Every millisecond beside the \
             right one changes glutamate by 2 %, glutamine by 1 %; singlets stay right.",
            "State it: `--te1-s`, the manifest's column `te1_s`, `te1_s` in the configuration, or `FirstEchoTime` (s) in a NIfTI-MRS \
             header or sidecar; scanners' headers do not tell. Or give the site's own basis set.",
        ),
        entry(
            "edit_pulse_assumed",
            "a basis set of an edited sequence was simulated, and no recipe states its editing pulses".to_owned(),
            "A sinc under a Gaussian was taken, 14 ms long (20 ms from TE 75 ms on), where the file says that it stands. GABA of a \
             difference changes by a few percent from one usual pulse to another, alike in all spectra of a site.",
            "State the pulse in a recipe (`role = \"edit\"`), or give the site's own basis set.",
        ),
        entry(
            "basis_pulse_unknown",
            "a basis set was simulated, and neither the vendor nor a setting tells its slice-selective pulses, or the vendor's \
             are longer than the echo"
                .to_owned(),
            "A pulse between those of GE, Philips and Siemens was taken (`basis_pulse`), or ideal ones where the echo is too short or the field above 3 T. \
             Against each vendor's own that costs up to 5 % of glutamate, inositol and choline in PRESS; ideal pulses cost up to 17 %. \
             STEAM has ideal pulses (up to 3 % of glutamate, 4 % of inositol), sLASER GOIA-WURST ones (1 % of glutamate, 2 % of GABA).",
            "State `pulses`: `--pulses`, the manifest's column, or the configuration: GE, Philips, Siemens, or `ideal` for \
             simulated data. Or give the site's own basis set.",
        ),
    ]
}

fn of_what_the_model_lacks() -> Vec<Entry> {
    vec![entry(
        flag::UNMODELLED_PEAK,
        format!(
            "a line of the fitted width in residual and baseline, beside what a stiff baseline and faults of the lineshape \
                 explain, that noise shows in one of {:.0} spectra; taller than {:.1} % of the tallest metabolite peak and {:.0} % of \
                 its neighbours; not explained by an added substance",
            1.0 / FALSE_ALARMS,
            100.0 * LEAST_HEIGHT,
            100.0 * LEAST_SHARE
        ),
        "The spectrum has a peak that the basis set lacks (`unmodelled_peaks_ppm`), and none of the substances that the \
             program knows explains it. Where `added_components` has it as `unknown`, the metabolites are fitted beside it; \
             otherwise it went into the baseline or into metabolites near it, and these may be wrong.",
        "Find out what lies at that chemical shift (a drug, its solvent, food, an artefact) and add it to the basis set. Draw \
             the fit; leave out metabolites near the peak.",
    )]
}

fn of_reading() -> Vec<Entry> {
    vec![
        entry(
            "untested_format",
            "the file's format or version was written from its description only".to_owned(),
            "No measured file of this kind was at hand when the reader was written.",
            "Check one spectrum with `requant inspect`: NAA must lie at 2.01 ppm. Then report it, so that the flag can go.",
        ),
        entry(
            "incomplete_series",
            "the numbers of a series' files have gaps".to_owned(),
            "The transients of the spectrum lie in several files, and some of them are not there: it has fewer transients than \
             were measured.",
            "Copy the missing files (`warnings` names their numbers), or take it as it is.",
        ),
        entry(
            "truncated",
            "the file ends early, and at least one transient is complete".to_owned(),
            "Only the complete transients were used.",
            "Copy the file again. If it was stopped on the scanner, compare `n_transients` with the protocol.",
        ),
    ]
}

fn of_transients(t: &Thresholds) -> Vec<Entry> {
    vec![
        entry(
            "many_transients_rejected",
            format!("more than 1 in {} transients were rejected", t.rejected_one_in),
            "Much of the measurement was spoiled, by motion as a rule. Amplitudes stay right, the noise is higher.",
            "Look at the transients: `requant inspect FILE --plot FILE.svg`.",
        ),
        entry(
            "broken_transients",
            "a transient of the measurement or of its water reference holds NaN, infinity or nothing but zeros"
                .to_owned(),
            "It was left out, of edited data in all conditions; amplitudes stay right. The export failed in places.",
            "Export the file again if `n_kept` is much less than `n_transients`.",
        ),
        entry(
            "water_among_transients",
            "among the transients are some whose water is five times that of most and a hundred times the metabolites of \
             the others"
                .to_owned(),
            "They are readouts of a water reference and were left out of the mean; they were not taken as the reference.",
            "Give them as a reference of their own (`water_path`) for values scaled by water.",
        ),
        entry(
            "broken_coils",
            "a receive coil holds NaN or infinity in more than half of the transients".to_owned(),
            "It was left out, of the water reference as well. The export failed, or the coil was not connected.",
            "Nothing, if few coils of many are left out and `snr` is usual; else export the file again.",
        ),
        entry(
            "transients_not_aligned",
            format!("the signal of a transient is less than {} times its noise", t.aligned_from),
            "Frequency and phase of single transients cannot be found, so they were averaged as they are. Lines may be broader.",
            "Nothing, if `fwhm_hz` is usual. A wider `align_band_ppm` may find more signal.",
        ),
    ]
}

fn of_edit_conditions(t: &Thresholds) -> Vec<Entry> {
    vec![
        entry(
            "subspectra_not_aligned",
            format!(
                "choline and creatine are lost in the noise, or no shift within {} Hz aligns the conditions",
                t.conditions_apart_hz
            ),
            "Edit conditions were combined without alignment. Differences may hold residues of choline and creatine.",
            "Look at 3.2 ppm of the difference: a residue of choline says that alignment was needed.",
        ),
        entry(
            "edit_order_unknown",
            "neither labels, nor pulse frequencies, nor NAA say which condition is ON".to_owned(),
            "Only what is sure was made: the sum, and of four conditions perhaps one of the differences.",
            "Fill in `edit_order` in a manifest (as `on off`), or write the labels into the file (NIfTI-MRS: `EditCondition`).",
        ),
        entry(
            "edit_order_contradicted",
            "NAA is taller in what is called ON or has the pulse for GABA (1.9 ppm) than in the others, or no lower there \
             although the file states that pulse; or it comes and goes in another order than a manifest states; or more than \
             one in twenty transients of the conditions have NAA as the others have it"
                .to_owned(),
            "Labels or the stated order are probably wrong, or a transient is missing on the way: the difference has the wrong \
             sign, or conditions were mixed up, and little is left in it. `warnings` says what the data show.",
            "Fill in `edit_order` in a manifest (as `off on`), or leave it out: without it the data are asked.",
        ),
        entry(
            "transients_differ_in_turn",
            "NAA is missing from every other transient, from whole blocks or from half of them: in at least four circles of \
             conditions, or less than 0.3 of it is left; or a row is the difference of two others. Creatine and choline are \
             the same; neither file nor manifest says that the scan is edited"
                .to_owned(),
            "Probably a scan with spectral editing under another name (MEGA-PRESS). All transients were averaged: NAA is too \
             small, and there is no difference.",
            "Fill in `edit_order` in a manifest (as `in_turn on off`), or name the file so (`MEGA`).",
        ),
    ]
}
