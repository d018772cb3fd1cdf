//! Shared by the contract tests: where the real data lie, and a small analytic basis set.
#![allow(
    dead_code,
    missing_docs,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "test support"
)]

pub mod dicom_objects;
pub mod fid_a;
pub mod kill;
pub mod mat;
pub mod results;
pub mod rows;
pub mod score;
pub mod small_files;
pub mod source;
pub mod vendor_forms;

use std::collections::BTreeMap;
use std::f64::consts::PI;
use std::path::{Path, PathBuf};

use ndarray::Array2;
use num_complex::Complex64;
use requant::acquisition::hz_from_ppm;
use requant::basis::BasisSet;

/// The folder of real spectra: `../shared/data` beside the project, or REQUANT_TEST_DATA.
///
/// Panics where it is missing: a test that needs it must not pass without it. Run
/// `cargo nextest run -E 'not test(/real_/)'` where there are no data.
pub fn data() -> PathBuf {
    let path = std::env::var_os("REQUANT_TEST_DATA")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/data"), PathBuf::from);
    assert!(
        path.is_dir(),
        "no test data at {}: set REQUANT_TEST_DATA, or leave tests named real_* out",
        path.display()
    );
    path
}

pub const F0_MHZ: f64 = 123.2;
pub const DWELL_S: f64 = 2.5e-4;
pub const N_POINTS: usize = 2048;

/// Lines (ppm, protons) of a basis set that has the brain's main features and nothing more.
const LINES: [(&str, &[(f64, f64)]); 8] = [
    ("NAA", &[(2.008, 3.0), (2.49, 1.0), (2.67, 1.0)]),
    ("Cr", &[(3.027, 3.0), (3.913, 2.0)]),
    ("PCr", &[(3.029, 3.0), (3.930, 2.0)]),
    ("GPC", &[(3.212, 9.0), (3.66, 4.0)]),
    ("Glu", &[(2.34, 1.1), (2.36, 0.9), (2.08, 2.0), (3.74, 1.0)]),
    ("Ins", &[(3.52, 2.0), (3.61, 2.0), (3.27, 1.0), (4.05, 1.0)]),
    ("GABA", &[(1.89, 2.0), (2.28, 2.0), (3.01, 2.0)]),
    ("Lac", &[(1.30, 1.5), (1.34, 1.5), (4.10, 1.0)]),
];

/// An analytic basis set: singlets of 1 Hz.
pub fn basis() -> BasisSet {
    let mut fids = Array2::default((LINES.len(), N_POINTS));
    for (row, (_, lines)) in LINES.iter().enumerate() {
        for n in 0..N_POINTS {
            let t = n as f64 * DWELL_S;
            fids[(row, n)] = lines
                .iter()
                .map(|&(ppm, protons)| {
                    Complex64::from_polar(protons * (-PI * t).exp(), 2.0 * PI * hz_from_ppm(ppm, F0_MHZ) * t)
                })
                .sum();
        }
    }
    BasisSet {
        id: "analytic".into(),
        metabolites: LINES.iter().map(|(n, _)| (*n).to_owned()).collect(),
        fids,
        dwell_s: DWELL_S,
        f0_mhz: F0_MHZ,
        te_s: Some(0.03),
        sequence: Some("press".into()),
        linewidth_hz: Some(1.0),
        fwhmba_ppm: None,
        singlet_fwhm_hz: None,
        sha256: "0".repeat(64),
        remarks: Vec::new(),
    }
}

/// Amplitudes of a healthy brain for [`basis`], in its order.
pub const AMPLITUDES: [f64; 8] = [12.0, 4.5, 3.5, 1.5, 9.0, 6.0, 1.2, 0.6];

/// Standard normal numbers from a linear congruential generator (Knuth's MMIX) and Box–Muller: the same
/// on every machine.
pub struct Normal(pub u64);

impl Normal {
    pub fn uniform(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 11) as f64 + 0.5) / (1_u64 << 53) as f64
    }
    pub fn next(&mut self) -> f64 {
        (-2.0 * self.uniform().ln()).sqrt() * (2.0 * PI * self.uniform()).cos()
    }
}

/// What a synthetic spectrum is made with.
#[derive(Clone, Copy)]
pub struct Nuisance {
    pub shift_hz: f64,
    pub phi0_rad: f64,
    pub lorentz_hz: f64,
    pub gauss_hz: f64,
    pub noise_sd: f64,
    pub seed: u64,
}

impl Default for Nuisance {
    fn default() -> Self {
        Self { shift_hz: 2.0, phi0_rad: 0.4, lorentz_hz: 2.0, gauss_hz: 5.0, noise_sd: 0.5, seed: 1 }
    }
}

/// A spectrum of [`basis`] with [`AMPLITUDES`].
pub fn spectrum(n: Nuisance) -> Vec<Complex64> {
    let basis = basis();
    let mut normal = Normal(n.seed);
    (0..N_POINTS)
        .map(|i| {
            let t = i as f64 * DWELL_S;
            let decay = -PI * n.lorentz_hz * t - (PI * n.gauss_hz * t).powi(2) / (4.0 * std::f64::consts::LN_2);
            let common = Complex64::from_polar(decay.exp(), n.phi0_rad + 2.0 * PI * n.shift_hz * t);
            let clean: Complex64 = AMPLITUDES.iter().enumerate().map(|(k, a)| basis.fids[(k, i)] * *a).sum();
            clean * common + Complex64::new(normal.next(), normal.next()) * n.noise_sd
        })
        .collect()
}

/// The tables' bytes by name.
pub fn tables(out: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let all: BTreeMap<_, _> = walkdir::WalkDir::new(out)
        .into_iter()
        .map(Result::unwrap)
        .filter(|e| e.path().extension().is_some_and(|x| x == "parquet"))
        .map(|e| (e.path().strip_prefix(out).unwrap().to_owned(), std::fs::read(e.path()).unwrap()))
        .collect();
    assert!(all.len() >= 2, "{out:?}: {:?}", all.keys());
    all
}
