//! Lines are found where they are, and neither noise nor faults of lineshape and baseline are lines.
#![allow(clippy::unwrap_used, reason = "tests")]

use super::*;
use crate::fit::FitState;
use crate::random::Random;

const F0_MHZ: f64 = 123.2;
const NOISE: f64 = 1.0;
/// Widths of lines (Hz).
const FWHM_HZ: f64 = 6.0;
const NAMES: [&str; 3] = ["NAA", "Cr", "PCh"];
const PEAKS: [(f64, f64); 3] = [(2.008, 60.0), (3.027, 45.0), (3.208, 30.0)];

fn line(ppm: f64, at: f64, fwhm_hz: f64) -> f64 {
    1.0 / (1.0 + (2.0 * (ppm - at) * F0_MHZ / fwhm_hz).powi(2))
}

/// Curves of a fit that is right, with `more` in the data; the baseline holds the part `in_baseline` of it.
fn curves(seed: u64, in_baseline: f64, more: impl Fn(f64) -> f64) -> (Curves, FitResult) {
    let mut noise = Random::new(seed, 0);
    let ppm: Vec<f64> = (0..1000).map(|k| 4.2 - 0.004 * f64::from(k)).collect();
    let components: Vec<Vec<f64>> =
        PEAKS.iter().map(|(at, height)| ppm.iter().map(|p| height * line(*p, *at, FWHM_HZ)).collect()).collect();
    let baseline: Vec<f64> = ppm.iter().map(|p| 3.0 + (1.5 * p).sin() + in_baseline * more(*p)).collect();
    let sum = |k: usize| components.iter().map(|c| c[k]).sum::<f64>();
    let fit: Vec<f64> = (0..ppm.len()).map(|k| baseline[k] + sum(k)).collect();
    let data = (0..ppm.len()).map(|k| fit[k] + (1.0 - in_baseline) * more(ppm[k]) + NOISE * noise.normal()).collect();
    let result = FitResult {
        noise_sd: NOISE,
        fwhm_hz: Some(FWHM_HZ),
        lorentz_hz: Some(FWHM_HZ),
        gauss_hz: Some(0.5),
        shift_hz: 0.0,
        ..FitResult::without_fit(FitState::Converged)
    };
    (Curves { ppm, data, fit, baseline, components, ..Curves::default() }, result)
}

fn found(curves: &Curves, fit: &FitResult) -> Vec<Line> {
    search(curves, &NAMES.map(str::to_owned), fit, 0.0, F0_MHZ).unwrap()
}

#[test]
fn a_line_is_found_whether_residual_or_baseline_holds_it() {
    for (seed, in_baseline) in [(1, 0.0), (2, 0.5), (3, 1.0)] {
        for at in [1.2, 2.22, 2.75, 3.42] {
            let (curves, fit) = curves(seed, in_baseline, |ppm| 8.0 * line(ppm, at, FWHM_HZ));
            let lines = found(&curves, &fit);
            assert_eq!(lines.len(), 1, "{at}: {lines:?}");
            assert!((lines[0].ppm - at).abs() < 0.012, "{at}: {lines:?}");
            assert!((lines[0].height - 8.0).abs() < 2.0, "{at}: {lines:?}");
            assert!(lines[0].significance > 5.0);
        }
    }
}

#[test]
fn a_shift_that_the_fit_found_beyond_its_start_belongs_to_the_chemical_shift() {
    let (curves, fit) = curves(4, 0.0, |ppm| 9.0 * line(ppm, 2.5, FWHM_HZ));
    let moved = FitResult { shift_hz: 0.1 * F0_MHZ, ..fit };
    assert!((found(&curves, &moved)[0].ppm - 2.6).abs() < 0.012);
}

#[test]
fn noise_has_no_lines() {
    let false_ones = (0..200).filter(|seed| {
        let (curves, fit) = curves(100 + seed, 0.0, |_| 0.0);
        !found(&curves, &fit).is_empty()
    });
    assert_eq!(false_ones.count(), 0);
}

#[test]
fn broad_signal_is_no_line() {
    let (curves, fit) = curves(5, 1.0, |ppm| 12.0 * (-((ppm - 1.3) / 0.25).powi(2)).exp());
    assert_eq!(found(&curves, &fit), []);
}

/// Every peak has a foot of a tenth of its height, 7 Hz beside it.
#[test]
fn a_fault_of_the_common_lineshape_is_no_line() {
    let foot =
        |ppm: f64| PEAKS.iter().map(|(at, height)| 0.1 * height * line(ppm, at + 7.0 / F0_MHZ, FWHM_HZ)).sum::<f64>();
    let (curves, fit) = curves(6, 0.0, foot);
    assert_eq!(found(&curves, &fit), []);
    // The same foot at one of them alone.
    let (curves, fit) = self::curves(6, 0.0, |ppm| 0.25 * 30.0 * line(ppm, 3.208 - 10.0 / F0_MHZ, FWHM_HZ));
    assert_eq!(found(&curves, &fit).len(), 1);
}

#[test]
fn a_dip_is_no_line_and_a_fit_without_a_width_is_not_searched() {
    let (curves, fit) = curves(7, 0.0, |ppm| -9.0 * line(ppm, 2.5, FWHM_HZ));
    assert_eq!(found(&curves, &fit), []);
    let blind = FitResult { fwhm_hz: None, ..fit };
    assert_eq!(search(&curves, &NAMES.map(str::to_owned), &blind, 0.0, F0_MHZ), None);
}

#[test]
fn the_threshold_grows_with_the_places() {
    assert!((threshold(1.0) - 3.719).abs() < 1e-3);
    assert!((threshold(80.0) - 4.708).abs() < 2e-2, "{}", threshold(80.0));
}
