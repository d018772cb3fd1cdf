//! A known fit that a device must get right before it is used: some drivers end long loops early or get
//! functions wrong, without a word.

use std::f64::consts::{PI, TAU};

use ndarray::Array2;
use num_complex::Complex64;

use super::error::GpuError;
use crate::acquisition::hz_from_ppm;
use crate::basis::BasisSet;
use crate::engine::{Batch, CpuEngine, Engine, EngineKind, Fitted};
use crate::fit::map::Settings;
use crate::fit::{FitState, Method};

/// Largest difference that a device may have (standard deviations): far more than f32 makes, far less than any
/// fault does.
const TOLERANCE_SD: f64 = 0.1;
/// Spectra of the test.
const N_SPECTRA: usize = 4;

/// What a device made of the known fit.
#[derive(Debug, Clone)]
pub struct SelfTest {
    /// Largest difference of an amplitude from the native engine's (standard deviations).
    pub worst_sd: f64,
    /// Spectra that did not end as they do on the native engine.
    pub n_other_states: usize,
    /// Spectra that the device did not do.
    pub n_not_done: usize,
}

impl SelfTest {
    /// Fits a few simulated spectra on both engines.
    ///
    /// # Errors
    /// [`GpuError::Device`] if the known problem cannot be built (it always can).
    pub fn run(engine: &dyn Engine) -> Result<Self, GpuError> {
        let fail = |reason: String| GpuError::Device { reason };
        let (basis, fids) = known_spectra(N_SPECTRA);
        let settings = Settings::map().map_err(|e| fail(e.to_string()))?;
        let method = Method::from(settings);
        let model = method.model(&basis, N_POINTS, DWELL_S, F0_MHZ, None).map_err(|e| fail(e.to_string()))?;
        let batch = || Batch { model: &model, fids: fids.iter().map(Vec::as_slice).collect() };
        Ok(Self::compare(&CpuEngine.fit(&batch()), &engine.fit(&batch())))
    }

    fn compare(native: &[Fitted], device: &[Fitted]) -> Self {
        let mut test = Self { worst_sd: 0.0, n_other_states: 0, n_not_done: native.len().abs_diff(device.len()) };
        for (a, b) in native.iter().zip(device) {
            test.n_other_states += usize::from(a.result.state != b.result.state);
            test.n_not_done += usize::from(b.engine != EngineKind::Gpu || b.result.state == FitState::Singular);
            for (x, y) in a.result.amplitudes.iter().zip(&b.result.amplitudes) {
                let difference = ((x.value - y.value) / x.sd_posterior).abs();
                // NaN counts as the worst there is.
                test.worst_sd = if difference <= test.worst_sd { test.worst_sd } else { difference };
            }
        }
        test
    }

    /// What is wrong; `None` if nothing is.
    pub fn fault(&self) -> Option<String> {
        if self.n_not_done > 0 {
            return Some(format!("{} known spectra could not be fitted", self.n_not_done));
        }
        if self.n_other_states > 0 {
            return Some(format!("{} known spectra ended in another state", self.n_other_states));
        }
        (self.worst_sd.is_nan() || self.worst_sd > TOLERANCE_SD).then(|| {
            format!("a known amplitude is off by {:.3} standard deviations (at most {TOLERANCE_SD})", self.worst_sd)
        })
    }
}

/// Frequency (MHz), dwell time (s) and samples of the known spectra: those of a clinical 3 T protocol, so that the
/// stages run at their usual size.
const F0_MHZ: f64 = 123.2;
const DWELL_S: f64 = 5e-4;
const N_POINTS: usize = 1024;

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
