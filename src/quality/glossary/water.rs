//! Words of the column `qc_flags` about the water reference and what is scaled with it.

use super::super::{concentrations, flag};
use super::entry::{Entry, Thresholds, flag_entry as entry};

pub(super) fn of_the_coils() -> Vec<Entry> {
    vec![entry(
        "coil_weights_contradicted",
        "creatine and choline have less than 0.7 times the signal-to-noise ratio with the coils' weights of the water \
         reference than with those of the data themselves"
            .to_owned(),
        "The coils of the reference do not fit those of the data: another session, another coil, or channels in another order. \
         The data were combined by their own weights, the reference by its own. Ratios are right; concentrations are if only \
         the order differs, and else may be wrong.",
        "Name the reference of the same session in a manifest (`water_path`), or export both files again in the same way.",
    )]
}

pub(super) fn of_water(t: &Thresholds) -> Vec<Entry> {
    vec![
        entry(
            "no_water_reference",
            "neither the file itself nor another one is known to hold a water reference".to_owned(),
            "No eddy-current correction and no concentrations; ratios are not touched.",
            "Name the reference in a manifest (`water_path`), if there is one.",
        ),
        entry(
            "water_not_suppressed",
            format!("the header says so, or water is more than {} times as tall as the metabolites", t.unsuppressed),
            "The file is a scan without water suppression, perhaps the reference of another one that was not found to be its \
             pair. Metabolites of such scans are disturbed by sidebands of water.",
            "Name the file as `water_path` of its spectrum in a manifest, and leave it out as a spectrum.",
        ),
        entry(
            "water_reference_unusable",
            "the reference does not decay from a clear maximum".to_owned(),
            "Its amplitude cannot be measured: no eddy-current correction, no concentrations.",
            "Look at the reference with `requant inspect`; name another one in a manifest.",
        ),
        entry(
            "water_reference_suppressed",
            format!("the reference is less than {} times as tall as the data", t.water_over_data),
            "The reference looks water-suppressed, or the data are not. It was not used: no concentrations.",
            "Name the unsuppressed reference in a manifest, or write `none` there.",
        ),
        entry(
            "water_reference_weak",
            format!(
                "the line of the reference is less than {} times as tall as the tallest metabolite (less at long echo times)",
                t.reference_over_metabolites
            ),
            "In brain water is 1500 times as tall. Perhaps its suppression was left on for the reference: then concentrations are \
             too high by as much as was suppressed.",
            "Look whether concentrations are what they are elsewhere. Name the unsuppressed reference in a manifest, or write \
             `none` there.",
        ),
        entry(
            "water_removal_failed",
            format!(
                "residual water is more than {} times as tall as the metabolites (of methods that compare samples, `tarquin` and \
                 `varpro`: stands above noise and tails), and HSVD does not describe it",
                t.water_over_metabolites
            ),
            "Residual water was left in; its tail may lie under the metabolites.",
            "Look at the baseline near 4 ppm. Move the window's upper end to 4.0 ppm, or exclude the spectrum.",
        ),
    ]
}

/// Faults of the reference and of its transients.
pub(super) fn of_the_reference(t: &Thresholds) -> Vec<Entry> {
    vec![
        entry(
            "water_reference_clipped",
            "real or imaginary part of a transient of the reference stays at its largest value, and leaves it with a kink"
                .to_owned(),
            "The receiver was overdriven: the amplitude is too small, and metabolites would come out up to several times too \
             large. No concentrations. Where other transients are whole they alone are taken, without this flag.",
            "Measure the reference with less gain. Name another one in a manifest (`water_path`), if there is one.",
        ),
        entry(
            "water_reference_misfit",
            format!("`water_residual` > {}", t.water_misfit),
            "The decay of the reference is no line of water: it is spoiled, saturated, beats, or is another measurement. No \
             concentrations.",
            "Look at the reference with `requant inspect`; name another one in a manifest.",
        ),
        entry(
            "water_transients_rejected",
            format!("more than 1 in {} transients of the water reference were left out", t.rejected_one_in),
            "They were lost, spoiled or cut off. The amplitude is that of the others.",
            "Nothing, if `conc_lcmodel_mmol_per_kg` of tCr is usual. Look at the reference with `requant inspect`.",
        ),
        entry(
            "water_transients_differ",
            format!("sizes of the reference's transients differ by more than {} % (standard deviation)", 100.0 * t.water_unlike),
            "Too few transients to tell which of them are right, or the signal changed all along. `water_amplitude_sd` holds it.",
            "Look at the reference. Exclude the concentrations, not the ratios.",
        ),
        entry(
            "water_gain_differs",
            format!(
                "`water_noise_ratio` > {}, for equal averages on the scanner where both files state them",
                t.gain_differs
            ),
            "The reference has much less noise than a transient of the spectrum. Its receiver gain was lower, or one of both is a \
             sum of transients and not their mean: then its amplitude is too small, and concentrations are too high by as much \
             as the noise ratio. A reference of more averages, which its file does not state, has less noise as well and is right.",
            "Look up the receiver gain of both measurements. If they differ, measure with one gain, or divide concentrations by \
             the ratio of the gains, which `water_noise_ratio` estimates. Ratios of metabolites are not touched by it.",
        ),
    ]
}

/// What headers say against the reference.
pub(super) fn of_its_header(t: &Thresholds) -> Vec<Entry> {
    vec![
        entry(
            "water_reference_coils",
            "the water reference has another number of coils than the data".to_owned(),
            "The reference was not used: no eddy-current correction, no concentrations.",
            "Name the matching reference in a manifest (`water_path`).",
        ),
        entry(
            "eddy_not_corrected",
            format!("dwell times of reference and data differ by {} % or more", 100.0 * t.water_dwell),
            "The reference scales the amplitudes, and its phase was not used.",
            "Nothing, if lines look undistorted. Otherwise give a reference of the same bandwidth.",
        ),
        entry(
            "water_reference_nucleus",
            "the water reference was measured with another nucleus than the data".to_owned(),
            "The reference was not used: no eddy-current correction, no concentrations. The row's warning names both nuclei.",
            "Name the matching reference in a manifest (`water_path`).",
        ),
        entry(
            "water_reference_frequency",
            format!(
                "spectrometer frequencies of the water reference and of the data differ by more than {} %",
                100.0 * t.water_f0
            ),
            "They were measured at two fields, so the reference is another scan's. It was not used: no eddy-current correction, \
             no concentrations. The row's warning has both frequencies.",
            "Name the matching reference in a manifest (`water_path`).",
        ),
    ]
}

/// How the reference was measured otherwise.
pub(super) fn of_its_measurement(t: &Thresholds) -> Vec<Entry> {
    vec![
        entry(
            "water_te_differs",
            format!("`water_te_s` is not `te_s`, by more than {} %", 100.0 * t.times_differ),
            "The reference has another echo time than the measurement. Concentrations that know of relaxation take the \
             reference's own; a fixed attenuation belongs to one echo time.",
            "Check that it is the right reference. Compare such rows with others only where water's relaxation is corrected.",
        ),
        entry(
            "water_tr_differs",
            format!("`water_tr_s` is not `tr_s`, by more than {} %", 100.0 * t.times_differ),
            "The reference has another repetition time than the measurement; see `water_te_differs`.",
            "As there. References of one transient are fully relaxed, whatever their header says.",
        ),
        entry(
            "water_flip_angle_differs",
            format!(
                "the header of the reference states another flip angle than that of the measurement, by more than {} %",
                100.0 * t.times_differ
            ),
            "Signal goes with the sine of the flip angle, and saturation with its cosine: concentrations in water's units are off by the \
             ratio of both, as both are taken as excited alike.",
            "Check that it is the right reference, and which of the two numbers is right. Ratios to creatine are not touched.",
        ),
        entry(
            "water_other_voxel",
            format!(
                "both files say where their voxel is: centres are more than {} of the shortest edge apart, volumes differ by \
                 more than {} %, or single voxels share less than {} % of the smaller one",
                t.water_voxel.0,
                100.0 * t.water_voxel.1,
                100.0 * t.water_voxel.2
            ),
            "The reference was measured in another voxel, and was used. Its amount of water and what the coils receive there are \
             not the spectrum's, so concentrations may be wrong by both. The row's warning says how far and how large.",
            "Check that it is the right reference; name another one in a manifest (`water_path`), or write `none` there. A scan \
             that measures water in a larger voxel on purpose needs the ratio of the volumes.",
        ),
    ]
}

/// Of a reference that holds several conditions.
pub(super) fn of_its_conditions(t: &Thresholds) -> Vec<Entry> {
    vec![entry(
        "water_conditions",
        format!(
            "the water reference holds several conditions, and none has the spectrum's echo and repetition time within {} %, or \
                 nothing says which is the spectrum's",
            100.0 * t.times_differ
        ),
        "Water of another echo time would scale concentrations wrongly: none is scaled by it. Eddy currents and coils take the first \
             condition.",
        "Write the condition that belongs to the spectrum to a file of its own and name that in a manifest (`water_path`).",
    )]
}

pub(super) fn of_tissue(t: &Thresholds) -> Vec<Entry> {
    vec![
        entry(
            flag::IMPLAUSIBLE_CONCENTRATION,
            concentrations::in_words(),
            "No tissue of brain holds that. The water reference is not what it seems (suppressed, summed instead of averaged, of \
             another gain or echo time), or the fit went astray. Outside brain tissue, as in fluid, all are low.",
            "Look at `water_amplitude`, `water_noise_ratio` and the reference. Ratios are not touched by it.",
        ),
        entry(
            "lipids",
            format!("`lipid_index` > {}", t.lipids),
            "Lipids are taller than NAA: the voxel touches scalp or marrow, or the tissue holds them. Lactate, alanine and the \
             macromolecules near 1.3 ppm are disturbed, NAA where the tails reach it. Scans with nulled metabolites have it, too.",
            "Do not use metabolites below 1.8 ppm. Look at the fit before you use others.",
        ),
    ]
}
