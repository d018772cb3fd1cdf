//! Basis sets of edited differences (ON − OFF).

use super::usual_ratios::BIG3_PARTS;
use crate::basis::BasisSet;

/// What is edited.
const EDITED: &[&str] = &["GABA", "GSH", "Lac", "Asp", "Glu", "Gln"];
/// Part of NAA's first sample below which that of a creatine or choline is what a subtraction left of it. Their singlets
/// are in phase at any echo time; in sets of undivided spectra it is more than a half.
const CANCELLED: f64 = 0.2;

/// Whether a basis set is one of edited differences (ON − OFF): it has metabolites, and of creatine and choline nothing, or
/// what their subtraction leaves.
pub(crate) fn is_of_differences(basis: &BasisSet) -> bool {
    let tallest = |names: &[&str]| -> f64 {
        let members = (0..basis.metabolites.len()).filter(|&k| names.contains(&basis.metabolites[k].as_str()));
        members.map(|k| basis.fids[(k, 0)].norm()).fold(0.0, f64::max)
    };
    let [creatine, naa, choline] = BIG3_PARTS.map(tallest);
    let edited = tallest(EDITED).max(naa);
    edited > 0.0 && creatine.max(choline) < CANCELLED * edited
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_of_differences_has_neither_creatine_nor_choline() {
        let set = |members: &[(&str, f64)]| BasisSet {
            id: "made".to_owned(),
            metabolites: members.iter().map(|(name, _)| (*name).to_owned()).collect(),
            fids: ndarray::Array2::from_shape_fn((members.len(), 2), |(k, _)| members[k].1.into()),
            dwell_s: 5e-4,
            f0_mhz: 127.7,
            te_s: Some(0.068),
            sequence: None,
            linewidth_hz: None,
            singlet_fwhm_hz: None,
            fwhmba_ppm: None,
            sha256: String::new(),
            remarks: Vec::new(),
        };
        for (members, is) in [
            (&[("GABA", 2.0), ("NAA", -3.0), ("Glx", 1.0)][..], true),
            (&[("GABA", 2.0), ("NAA", -3.0), ("Cr", 0.01), ("GPC", 0.02)], true),
            (&[("GSH", 2.0)], true),
            (&[("GABA", 2.0), ("NAA", 6.0), ("Cr", 5.0), ("GPC", 9.0)], false),
            (&[("GABA", 2.0), ("NAA", 6.0), ("PCr", 5.0)], false),
            (&[("GABA", 2.0), ("NAA", 6.0), ("PCh", 9.0)], false),
            (&[("MM09", 2.0)], false),
        ] {
            assert_eq!(is_of_differences(&set(members)), is, "{members:?}");
        }
    }
}
