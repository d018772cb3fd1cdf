//! A basis set of first-order multiplets: enough to have spectra that look like a brain's, not for
//! measured data, in which strong coupling and the sequence's timing shape every multiplet.
//!
//! Chemical shifts after Govindaraju et al. 2000
//! (<https://doi.org/10.1002/1099-1492(200005)13:3%3C129::AID-NBM619%3E3.0.CO;2-V>), splittings to first
//! order and without evolution during the echo.

use std::f64::consts::PI;

use ndarray::Array2;
use num_complex::Complex64;

use crate::acquisition::hz_from_ppm;
use crate::basis::BasisSet;

/// Echo time that the set is labelled with (s).
pub const TE_S: f64 = 0.03;
/// Width of every line (FWHM, Hz).
const LINE_HZ: f64 = 0.5;

/// A multiplet: place (ppm), protons, and the couplings that split it (Hz, number of partners).
type Multiplet = (f64, f64, &'static [(f64, u32)]);

/// Metabolite, typical amplitude in the brain (mmol/kg), multiplets.
const METABOLITES: [(&str, f64, &[Multiplet]); 14] = [
    (
        "Asp",
        2.0,
        &[(3.89, 1.0, &[(3.6, 1), (9.1, 1)]), (2.80, 1.0, &[(17.4, 1), (3.6, 1)]), (2.65, 1.0, &[(17.4, 1), (9.1, 1)])],
    ),
    ("Cr", 4.5, &[(3.027, 3.0, &[]), (3.913, 2.0, &[])]),
    ("PCr", 3.5, &[(3.029, 3.0, &[]), (3.930, 2.0, &[])]),
    ("GABA", 1.2, &[(3.013, 2.0, &[(7.2, 2)]), (1.889, 2.0, &[(7.3, 4)]), (2.284, 2.0, &[(7.3, 2)])]),
    ("Gln", 3.0, &[(3.753, 1.0, &[(6.2, 2)]), (2.12, 2.0, &[(7.0, 3)]), (2.444, 2.0, &[(7.5, 2)])]),
    ("Glu", 9.0, &[(3.743, 1.0, &[(6.0, 2)]), (2.08, 2.0, &[(7.0, 3)]), (2.346, 2.0, &[(7.4, 2)])]),
    ("GPC", 1.2, &[(3.212, 9.0, &[]), (3.66, 4.0, &[(6.0, 1)]), (4.31, 2.0, &[])]),
    ("PCh", 0.5, &[(3.208, 9.0, &[]), (3.64, 2.0, &[(4.5, 2)]), (4.28, 2.0, &[])]),
    ("GSH", 1.5, &[(3.77, 3.0, &[]), (2.95, 2.0, &[(7.0, 1)]), (2.16, 2.0, &[(7.0, 3)]), (2.55, 2.0, &[(7.5, 2)])]),
    (
        "Ins",
        6.5,
        &[
            (3.522, 2.0, &[(10.0, 1), (2.9, 1)]),
            (3.614, 2.0, &[(9.8, 2)]),
            (3.269, 1.0, &[(9.4, 2)]),
            (4.054, 1.0, &[(2.9, 2)]),
        ],
    ),
    ("Lac", 0.7, &[(1.314, 3.0, &[(6.9, 1)]), (4.097, 1.0, &[(6.9, 3)])]),
    ("NAA", 12.0, &[(2.008, 3.0, &[]), (2.673, 1.0, &[(15.6, 1), (3.9, 1)]), (2.486, 1.0, &[(15.6, 1), (9.8, 1)])]),
    ("NAAG", 1.5, &[(2.042, 3.0, &[]), (2.18, 2.0, &[(7.5, 2)]), (2.72, 1.0, &[(15.9, 1)]), (2.52, 1.0, &[(15.9, 1)])]),
    ("Scyllo", 0.35, &[(3.34, 6.0, &[])]),
];

/// Typical amplitude of a member of the set (mmol/kg); 0 for others.
pub fn typical_amplitude(name: &str) -> f64 {
    METABOLITES.iter().find(|m| m.0 == name).map_or(0.0, |m| m.1)
}

/// The set on a grid; amplitude 1 gives one unit of signal per proton.
pub fn basis_set(f0_mhz: f64, dwell_s: f64, n_points: usize) -> BasisSet {
    let mut fids = Array2::default((METABOLITES.len(), n_points));
    for (row, (_, _, multiplets)) in METABOLITES.iter().enumerate() {
        let lines: Vec<(f64, f64)> = multiplets.iter().flat_map(|m| lines(m, f0_mhz)).collect();
        for n in 0..n_points {
            let t = n as f64 * dwell_s;
            let decay = (-PI * LINE_HZ * t).exp();
            fids[(row, n)] =
                lines.iter().map(|&(hz, size)| Complex64::from_polar(size * decay, 2.0 * PI * hz * t)).sum();
        }
    }
    BasisSet {
        id: "first-order multiplets".into(),
        metabolites: METABOLITES.iter().map(|m| m.0.to_owned()).collect(),
        fids,
        dwell_s,
        f0_mhz,
        te_s: Some(TE_S),
        sequence: Some("simulated".into()),
        linewidth_hz: Some(LINE_HZ),
        sha256: String::new(),
        remarks: Vec::new(),
    }
}

/// Frequencies (Hz) and sizes (protons) of the lines of a multiplet: every coupling partner splits each
/// line in two halves.
fn lines(&(ppm, protons, couplings): &Multiplet, f0_mhz: f64) -> Vec<(f64, f64)> {
    let mut lines = vec![(hz_from_ppm(ppm, f0_mhz), protons)];
    for &(j_hz, partners) in couplings {
        for _ in 0..partners {
            lines = lines
                .iter()
                .flat_map(|&(hz, size)| [(hz - j_hz / 2.0, size / 2.0), (hz + j_hz / 2.0, size / 2.0)])
                .collect();
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_triplet_is_one_to_two_to_one() {
        let mut lines = lines(&(2.0, 4.0, &[(7.0, 2)]), 123.2);
        lines.sort_by(|a, b| a.0.total_cmp(&b.0));
        assert_eq!(lines.len(), 4);
        assert!((lines[0].1 - 1.0).abs() < 1e-12 && (lines[1].0 - lines[2].0).abs() < 1e-9);
        assert!((lines.iter().map(|l| l.1).sum::<f64>() - 4.0).abs() < 1e-12);
    }
}
