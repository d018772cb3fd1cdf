//! A corpus whose every number is known, and its files as anybody reads them.
#![allow(dead_code, reason = "each test program takes what it needs")]

use std::f64::consts::{LN_2, PI};
use std::fs;
use std::path::Path;

use ndarray::Array5;
use num_complex::Complex64;
use requant::acquisition::{Acquisition, Facts, hz_from_ppm};
use requant::formats::nifti_mrs;

use super::{AMPLITUDES, DWELL_S, F0_MHZ, N_POINTS, Normal, basis};

pub(crate) const TE_S: f64 = 0.03;
pub(crate) const TR_S: f64 = 2.0;
/// Signal of the water reference at t = 0, its echo and repetition time.
pub(crate) const WATER: f64 = 20_000.0;
/// Width of its line.
pub(crate) const WATER_HZ: f64 = 6.0;
pub(crate) const WATER_TE_S: f64 = 0.028;
pub(crate) const WATER_TR_S: f64 = 9.0;

/// One file as it lies on disk.
pub(crate) struct Source {
    pub(crate) bytes: Vec<u8>,
    /// Header extension.
    pub(crate) meta: serde_json::Value,
    pub(crate) dwell_s: f64,
    /// Samples of each condition.
    pub(crate) fids: Vec<Vec<Complex64>>,
}

impl Source {
    /// Reads a NIfTI-2 file of 128-bit complex samples, by the published layout.
    pub(crate) fn read(path: &Path) -> Self {
        let bytes = fs::read(path).unwrap();
        let int = |at: usize| i64::from_le_bytes(bytes[at..at + 8].try_into().unwrap()) as usize;
        let float = |at: usize| f64::from_le_bytes(bytes[at..at + 8].try_into().unwrap());
        assert_eq!(i16::from_le_bytes(bytes[12..14].try_into().unwrap()), 1792, "complex128");
        let (n_points, data) = (int(16 + 8 * 4), int(168));
        let conditions = (5..=7).map(|i| int(16 + 8 * i).max(1)).product::<usize>();
        let text = String::from_utf8_lossy(&bytes[552..data]).trim_end_matches('\0').to_owned();
        let sample = |n: usize| Complex64::new(float(data + 16 * n), float(data + 16 * n + 8));
        let fids = (0..conditions).map(|c| (c * n_points..(c + 1) * n_points).map(sample).collect()).collect();
        Self { meta: serde_json::from_str(&text).unwrap(), dwell_s: float(136), fids, bytes }
    }

    pub(crate) fn f0_mhz(&self) -> f64 {
        self.meta["SpectrometerFrequency"][0].as_f64().unwrap()
    }
}

/// Real part of e^{−i·phase} times the transform of `fid` (first sample counted half) at the bins of `ppm`, zero-filled
/// twofold.
pub(crate) fn spectrum_at(
    fid: &[Complex64],
    dwell_s: f64,
    f0_mhz: f64,
    ppm: &[f64],
    phase: impl Fn(f64) -> f64,
) -> Vec<f64> {
    let n = 2.0 * fid.len() as f64;
    ppm.iter()
        .map(|&ppm| {
            let bin = (hz_from_ppm(ppm, f0_mhz) * n * dwell_s).round();
            let step = Complex64::cis(-2.0 * PI * bin / n);
            let mut turn = Complex64::new(1.0, 0.0);
            let mut sum = -0.5 * fid[0];
            for (k, z) in fid.iter().enumerate() {
                // Products of many factors lose digits: begun anew now and then.
                if k % 64 == 0 {
                    turn = Complex64::cis(-2.0 * PI * (bin * k as f64 / n).fract());
                }
                sum += z * turn;
                turn *= step;
            }
            (sum * Complex64::cis(-phase(ppm))).re
        })
        .collect()
}

/// What one simulated spectrum is made with.
#[derive(Clone, Copy)]
pub(crate) struct Made {
    pub(crate) naa: f64,
    pub(crate) shift_hz: f64,
    pub(crate) gauss_hz: f64,
    pub(crate) noise_sd: f64,
    /// Amplitude of a line that no basis set has.
    pub(crate) artefact: f64,
    pub(crate) seed: u64,
}

pub(crate) const GOOD: Made = Made { naa: 1.0, shift_hz: 2.0, gauss_hz: 5.0, noise_sd: 0.4, artefact: 0.0, seed: 1 };

fn decay(lorentz_hz: f64, gauss_hz: f64, t: f64) -> f64 {
    (-PI * lorentz_hz * t - (PI * gauss_hz * t).powi(2) / (4.0 * LN_2)).exp()
}

fn line(ppm: f64, area: f64, [lorentz_hz, gauss_hz]: [f64; 2], t: f64) -> Complex64 {
    Complex64::from_polar(area * decay(lorentz_hz, gauss_hz, t), 2.0 * PI * hz_from_ppm(ppm, F0_MHZ) * t)
}

fn acquisition(samples: Array5<Complex64>, te_s: f64, tr_s: f64) -> Acquisition {
    let facts = Facts {
        dwell_s: Some(DWELL_S),
        f0_mhz: Some(F0_MHZ),
        nucleus: Some("1H".into()),
        te_s: Some(te_s),
        tr_s: Some(tr_s),
        sequence: Some("PRESS".into()),
        vendor: Some("Acme".into()),
        ..Facts::default()
    };
    Acquisition { facts, ..Acquisition::from_samples(nifti_mrs::NAME, samples) }
}

/// A spectrum of the analytic basis set over a broad hump.
pub(crate) fn brain(made: Made) -> Acquisition {
    let (set, mut normal) = (basis(), Normal(made.seed));
    let samples = Array5::from_shape_fn((1, 1, 1, 1, N_POINTS), |(.., n)| {
        let t = n as f64 * DWELL_S;
        let amplitude = |k: usize| AMPLITUDES[k] * if k == 0 { made.naa } else { 1.0 };
        let narrow: Complex64 = (0..AMPLITUDES.len()).map(|k| set.fids[(k, n)] * amplitude(k)).sum();
        let hump = line(1.4, 60.0, [0.0, 40.0], t) + line(0.9, 50.0, [0.0, 35.0], t);
        let artefact = line(3.35, made.artefact, [2.0, 0.0], t);
        let common = Complex64::from_polar(decay(2.0, made.gauss_hz, t), 0.4 + 2.0 * PI * made.shift_hz * t);
        (narrow + hump + artefact) * common + Complex64::new(normal.next(), normal.next()) * made.noise_sd
    });
    acquisition(samples, TE_S, TR_S)
}

/// Its water reference: one line in phase.
pub(crate) fn water() -> Acquisition {
    let samples =
        Array5::from_shape_fn((1, 1, 1, 1, N_POINTS), |(.., n)| line(4.65, WATER, [WATER_HZ, 0.0], n as f64 * DWELL_S));
    acquisition(samples, WATER_TE_S, WATER_TR_S)
}

/// ON and OFF of an edited spectrum: GABA+ and Glx stand in their difference, NAA upside down.
pub(crate) fn mega() -> Acquisition {
    let (set, mut normal) = (basis(), Normal(7));
    let samples = Array5::from_shape_fn((1, 2, 1, 1, N_POINTS), |(_, condition, .., n)| {
        let t = n as f64 * DWELL_S;
        let is_on = condition == 0;
        let kept = (0..AMPLITUDES.len()).filter(|&k| !(is_on && k == 0));
        let narrow: Complex64 = kept.map(|k| set.fids[(k, n)] * AMPLITUDES[k]).sum();
        let edited = line(3.01, 9.0, [0.0, 18.0], t) + line(3.71, 6.0, [0.0, 8.0], t) + line(3.78, 6.0, [0.0, 8.0], t);
        let common = Complex64::from_polar(decay(3.0, 0.0, t), 0.7 + 2.0 * PI * 1.7 * t);
        let noise = Complex64::new(normal.next(), normal.next()) * 0.1;
        (narrow + if is_on { edited } else { Complex64::default() }) * common + noise
    });
    Acquisition { condition_labels: vec!["ON".into(), "OFF".into()], ..acquisition(samples, 0.068, TR_S) }
}

/// Writes `data` to `path`.
pub(crate) fn write(path: &Path, data: &Acquisition) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, nifti_mrs::encode(data)).unwrap();
}
