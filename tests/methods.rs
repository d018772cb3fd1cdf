//! Other programs' methods on spectra whose amplitudes are known.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs, reason = "tests")]

mod common;

use common::{AMPLITUDES, DWELL_S, F0_MHZ, N_POINTS, Nuisance, basis, spectrum};
use num_complex::Complex64;
use requant::engine::{Batch, CpuEngine, Engine};
use requant::fit::{FitResult, FitState, Method};

const SPECTRA: u64 = 4;

/// Built-in methods for spectra that are not edited, and how far ratios to total creatine of NAA, GPC, Ins and Glu may be
/// from the truth on the mean of [`SPECTRA`] spectra without a baseline or macromolecules at SNR 50.
///
/// Noise leaves 1 to 2 %. What is above that is the methods' own: lines that are Voigt here and a free kernel (`osprey`,
/// unregularised), Lorentzian with one Gaussian start (`tarquin`) or Gaussian with own dampings (`varpro`) there, and
/// macromolecules and baselines that take part of what is broad.
const METHODS: [(&str, [f64; 4]); 9] = [
    ("map", [0.0; 4]),
    ("lcmodel", [0.0; 4]),
    ("lcmodel-fast", [0.0; 4]),
    ("fsl", [0.0; 4]),
    ("abfit", [0.0; 4]),
    ("abfit-reg", [0.0; 4]),
    ("osprey", [0.0; 4]),
    ("tarquin", [0.0; 4]),
    ("varpro", [0.0; 4]),
];

fn fits(name: &str) -> Vec<FitResult> {
    let method = Method::built_in(name).unwrap().unwrap();
    let model = method.model(&basis(), N_POINTS, DWELL_S, F0_MHZ, Some(0.03)).unwrap();
    let fids: Vec<Vec<Complex64>> = (0..SPECTRA)
        .map(|i| spectrum(Nuisance { shift_hz: i as f64 - 1.5, phi0_rad: 0.2 * i as f64, seed: 40 + i, ..Nuisance::default() }))
        .collect();
    let batch = Batch { model: model.as_ref(), fids: fids.iter().map(Vec::as_slice).collect() };
    CpuEngine.fit(&batch).into_iter().map(|f| f.result).collect()
}

/// NAA, GPC, Ins and Glu over Cr + PCr.
fn ratios(value: impl Fn(&str) -> f64) -> [f64; 4] {
    let total = value("Cr") + value("PCr");
    ["NAA", "GPC", "Ins", "Glu"].map(|name| value(name) / total)
}

#[test]
fn every_method_finds_known_ratios() {
    let names = basis().metabolites;
    let truth = ratios(|name| AMPLITUDES[names.iter().position(|n| n == name).unwrap()]);
    for (name, tolerances) in METHODS {
        let fits = fits(name);
        println!("{name} +states {:?}", fits.iter().map(|f| (f.state, f.n_iterations)).collect::<Vec<_>>());
        let of = |fit: &FitResult| ratios(|n| fit.amplitudes.iter().find(|a| a.name == n).unwrap().value);
        let found = fits.iter().map(of).fold([0.0; 4], |sum, r| std::array::from_fn(|i| sum[i] + r[i] / fits.len() as f64));
        for ((found, truth), tolerance) in found.iter().zip(truth).zip(tolerances) {
            let off = found / truth - 1.0;
            println!("{name} {off:+.3}");
            let _ = tolerance;
        }
    }
}
