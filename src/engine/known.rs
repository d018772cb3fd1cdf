//! Spectra that are known: what a device is tried on before it is used, and what tests of the fit take.

use std::f64::consts::{PI, TAU};

use ndarray::Array2;
use num_complex::Complex64;

use crate::acquisition::hz_from_ppm;
use crate::basis::BasisSet;

/// Frequency (MHz), dwell time (s) and samples of the known spectra: those of a clinical 3 T protocol, so that the
/// stages run at their usual size.
pub(super) const F0_MHZ: f64 = 123.2;
pub(super) const DWELL_S: f64 = 5e-4;
pub(super) const N_POINTS: usize = 1024;
/// Lines of a known metabolite: shift (ppm) and protons.
type Lines = &'static [(f64, f64)];

/// Metabolites of the known spectra with their amplitudes.
const KNOWN: [(&str, f64, Lines); 8] = [
    ("NAA", 10.0, &[(2.01, 3.0), (2.49, 1.0), (2.67, 1.0)]),
    ("Cr", 5.0, &[(3.03, 3.0), (3.91, 2.0)]),
    ("PCr", 3.0, &[(3.03, 3.0), (3.93, 2.0)]),
    ("GPC", 1.5, &[(3.21, 9.0), (3.67, 4.0), (4.31, 2.0)]),
    ("Ins", 6.0, &[(3.52, 2.0), (3.61, 2.0), (3.27, 1.0), (4.05, 1.0)]),
    ("Glu", 9.0, &[(2.34, 2.0), (2.08, 2.0), (3.74, 1.0)]),
    ("Gln", 3.0, &[(2.45, 2.0), (2.12, 2.0), (3.75, 1.0)]),
    ("Lac", 0.6, &[(1.29, 1.5), (1.35, 1.5), (4.1, 1.0)]),
];

/// A basis set of Lorentzian lines and spectra of it with noise, phases and widths of their own.
pub(crate) fn known_spectra(n_spectra: usize) -> (BasisSet, Vec<Vec<Complex64>>) {
    let line =
        |ppm: f64, width_hz: f64, t: f64| Complex64::new(-PI * width_hz * t, TAU * hz_from_ppm(ppm, F0_MHZ) * t).exp();
    let time = |n: usize| n as f64 * DWELL_S;
    let fids = Array2::from_shape_fn((KNOWN.len(), N_POINTS), |(k, n)| {
        KNOWN[k].2.iter().map(|&(ppm, protons)| protons * line(ppm, 1.0, time(n))).sum()
    });
    let spectra = (0..n_spectra).map(|s| {
        let phase = 0.3 * s as f64 - 0.4;
        let mut noise = Noise(1 + s as u32);
        (0..N_POINTS)
            .map(|n| {
                let t = time(n);
                let shape = Complex64::new(-(2.0 + s as f64) * t - (12.0 * t).powi(2), phase + TAU * 1.5 * t).exp();
                let clean: Complex64 = (0..KNOWN.len()).map(|k| fids[(k, n)] * KNOWN[k].1).sum();
                clean * shape + Complex64::new(noise.next(), noise.next())
            })
            .collect()
    });
    let spectra = spectra.collect();
    let basis = BasisSet {
        id: "self-test".to_owned(),
        metabolites: KNOWN.iter().map(|k| k.0.to_owned()).collect(),
        fids,
        dwell_s: DWELL_S,
        f0_mhz: F0_MHZ,
        te_s: None,
        sequence: None,
        linewidth_hz: Some(1.0),
        fwhmba_ppm: None,
        singlet_fwhm_hz: None,
        sha256: String::new(),
        remarks: Vec::new(),
    };
    (basis, spectra)
}

/// Noise that is the same everywhere: a linear congruential generator (Numerical Recipes), four uniforms a
/// number.
struct Noise(u32);

impl Noise {
    fn next(&mut self) -> f64 {
        let mut sum = -2.0;
        for _ in 0..4 {
            self.0 = self.0.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            sum += f64::from(self.0) / f64::from(u32::MAX);
        }
        2.0 * sum
    }
}
