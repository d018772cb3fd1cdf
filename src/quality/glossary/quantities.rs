//! Flags that say why concentrations are not there, or stand on little.

use super::entry::{Entry, Kind};
use crate::quantify::MOST_CSF;

fn entry(code: &'static str, threshold: impl Into<String>, meaning: &'static str, remedy: &'static str) -> Entry {
    Entry { code, kind: Kind::Flag, threshold: threshold.into(), meaning, remedy }
}

pub(super) fn entries() -> Vec<Entry> {
    vec![
        entry(
            "no_relaxation_times",
            "tissue is given, and `field_t` is unknown or outside 1.35 to 1.65, 2.7 to 3.2 and 6.5 to 7.5 T",
            "There are no relaxation times for this field, and those of another are not taken. `conc_molal_mmol_per_kg`, \
             `conc_molar_mmol_per_l` and `conc_alpha_iu` are null.",
            "Use `conc_lcmodel_mmol_per_kg`, `conc_csf_mmol_per_kg` or ratios. Where the frequency is not known, give it \
             (`f0_mhz` of a manifest).",
        ),
        entry(
            "te_or_tr_unknown",
            "tissue is given, and `te_s` or `tr_s` is null",
            "What relaxation leaves of the metabolites cannot be told. `conc_molal_mmol_per_kg`, `conc_molar_mmol_per_l` and \
             `conc_alpha_iu` are null.",
            "Give `te_s` and `tr_s` in a manifest or with `--te-s` and `--tr-s`.",
        ),
        entry(
            "water_te_or_tr_unknown",
            "there is a water reference, and its `water_te_s` is null; or tissue is given, and `water_te_s` or `water_tr_s` is null",
            "What relaxation leaves of the water cannot be told. `conc_lcmodel_mmol_per_kg` takes LCModel's 0.7, which belongs to \
             30 ms: at 144 ms it would be 4 times too high. The quantities that correct for relaxation are null.",
            "Look the reference's times up in the protocol, and fix the attenuation: `water_attenuation` of `[water_scaling]`. A \
             file of the reference with a header states them.",
        ),
        entry(
            "inversion_recovery",
            "tissue is given, and the header's inversion time or the name of the sequence says that magnetisation was inverted first",
            "The corrections for relaxation are for sequences without an inversion. `conc_molal_mmol_per_kg`, \
             `conc_molar_mmol_per_l` and `conc_alpha_iu` are null.",
            "Correct for the inversion yourself, from `conc_lcmodel_mmol_per_kg`.",
        ),
        entry(
            "mixing_time_unknown",
            "tissue is given, the sequence is a stimulated echo by its name, and `tm_s` is null",
            "A stimulated echo loses signal during its mixing time, and that is not known. `conc_molal_mmol_per_kg`, \
             `conc_molar_mmol_per_l` and `conc_alpha_iu` are null.",
            "Give `tm_s` in a manifest or with `--tm-s`.",
        ),
        entry(
            "voxel_mostly_csf",
            format!("`f_csf` > {MOST_CSF}, or the tissue's shares are no numbers"),
            "Hardly any tissue is in the voxel. What is divided by its share is null.",
            "Look where the voxel lies, and whether it is this subject's image.",
        ),
    ]
}
