//! Where a spectrum lies and how it is phased, before any fit: correlation with landmarks, and steepness of the real part.

use std::f64::consts::{LN_2, PI};

use num_complex::Complex64;

use super::super::grid::Grid;
use super::super::model::Model;
use crate::acquisition::CARRIER_PPM;

/// Landmarks (ppm): tNAA, tCr, tCho. The later ones go where water seems to distort the correlation.
const LANDMARKS_PPM: [f64; 3] = [2.01, 3.03, 3.22];
const FEWEST_LANDMARKS: usize = 2;
/// Standard deviations (ppm) of the smoothing for the correlation and for the phases (SDSMOO).
const SMOOTHING_PPM: f64 = 0.02;
const PHASE_SMOOTHING_PPM: f64 = 0.03;
/// Local baseline of the power spectrum: this many points on either side, from this many widths on.
const BASELINE_POINTS: i64 = 10;
const BASELINE_WIDTHS: f64 = 1.5;
/// Phases tried for steepness, and its power.
const PHASES_TRIED: [usize; 2] = [36, 21];
const STEEPNESS_POWER: i32 = 6;
/// Largest first-order phase that is tried (°/ppm).
pub(super) const MAX_PHI1_DEG: f64 = 30.0;

/// Limits of the start.
#[derive(Debug, Clone, Copy)]
pub(in super::super) struct Limits {
    pub(in super::super) max_shift_ppm: [f64; 2],
    pub(in super::super) fwhm_ppm: f64,
    pub(in super::super) max_fwhm_ppm: f64,
}

fn smoothed(fid: &[Complex64], grid: &Grid, sd_ppm: f64) -> Vec<Complex64> {
    let rate = 2.0 * PI * sd_ppm * grid.f0_mhz * grid.dwell_s;
    fid.iter().enumerate().map(|(n, z)| z * (-0.5 * (rate * n as f64).powi(2)).exp()).collect()
}

/// Shift (bins) of best correlation of the power spectrum with the landmarks, and the range to search around it.
pub(super) fn landmarks(grid: &Grid, fid: &[Complex64], limits: Limits) -> (i64, [i64; 2]) {
    let mut scratch = grid.scratch();
    let power: Vec<f64> =
        grid.spectrum(&smoothed(fid, grid, SMOOTHING_PPM), &mut scratch).iter().map(|z| z.norm_sqr()).collect();
    let n = power.len() as i64;
    let at = |v: &[f64], k: i64| v[k.rem_euclid(n) as usize];
    let from = ((BASELINE_WIDTHS * limits.fwhm_ppm / grid.bin_ppm()).round() as i64).max(1);
    let flat: Vec<f64> = (0..n)
        .map(|k| {
            let sum: f64 = (from..from + BASELINE_POINTS).map(|d| at(&power, k + d) + at(&power, k - d)).sum();
            (at(&power, k) - sum / (2 * BASELINE_POINTS) as f64).max(0.0)
        })
        .collect();
    let bins = |ppm: f64| (ppm / grid.bin_ppm()).round() as i64;
    let places: Vec<i64> = LANDMARKS_PPM.iter().map(|ppm| bins(CARRIER_PPM - ppm)).collect();
    let (lowest, highest) = (bins(-limits.max_shift_ppm[0]), bins(limits.max_shift_ppm[1]));
    let mut used = places.len();
    loop {
        let correlation = |shift: i64| places[..used].iter().map(|p| at(&flat, p + shift)).sum::<f64>();
        let (mut top, mut tallest, mut least) = (lowest, f64::NEG_INFINITY, f64::INFINITY);
        for shift in lowest..=highest {
            let c = correlation(shift);
            least = least.min(c);
            if c >= tallest {
                (tallest, top) = (c, shift);
            }
        }
        if top == lowest && used > FEWEST_LANDMARKS {
            used -= 1;
            continue;
        }
        let half = 0.5 * (tallest - least);
        let reach = grid.n_points as i64 / 2;
        let right = (1..=reach).find(|d| correlation(top + d) - least <= half).unwrap_or(reach);
        let left = (1..=reach).find(|d| correlation(top - d) - least <= half).unwrap_or(reach);
        let apart = (right + left) as f64 * grid.bin_ppm();
        let fwhm = (apart * apart - 8.0 * LN_2 * SMOOTHING_PPM * SMOOTHING_PPM).max(0.0).sqrt();
        let around = bins(0.5 * fwhm);
        return (top, [lowest.max(top - around), highest.min(top + around)]);
    }
}

/// φ0 and φ1 (°, °/ppm) that make the smoothed real part least steep.
pub(super) fn steepest(model: &Model, fid: &[Complex64]) -> [f64; 2] {
    let grid = &model.start_grid;
    let mut scratch = grid.scratch();
    let mut window = vec![Complex64::default(); grid.n_observed];
    grid.observe(&smoothed(fid, grid, PHASE_SMOOTHING_PPM), &mut scratch, &mut window);
    let pivot = model.settings.phase.pivot_ppm;
    let [n0, n1] = PHASES_TRIED;
    let mut best = (f64::INFINITY, [0.0; 2], 0.0);
    let mut turned = window.clone();
    for j in 0..n1 {
        // LCModel turns the data forwards; the sign is ours further down.
        let phi1 = -MAX_PHI1_DEG + 2.0 * MAX_PHI1_DEG * j as f64 / (n1 - 1) as f64;
        for ((t, z), ppm) in turned.iter_mut().zip(&window).zip(&grid.ppm) {
            *t = z * Complex64::cis((phi1 * (ppm - pivot)).to_radians());
        }
        for i in 0..n0 {
            let phi0 = 180.0 * i as f64 / n0 as f64;
            let (sin, cos) = phi0.to_radians().sin_cos();
            let mut before = turned[0].re * cos - turned[0].im * sin;
            let (mut steepness, mut sum) = (0.0, 0.0);
            for z in &turned[1..] {
                let now = z.re * cos - z.im * sin;
                steepness += (now - before).powi(STEEPNESS_POWER);
                sum += now;
                before = now;
            }
            if steepness <= best.0 {
                best = (steepness, [phi0, phi1], sum);
            }
        }
    }
    let [phi0, phi1] = best.1;
    [-if best.2 < 0.0 { phi0 - 180.0 } else { phi0 }, -phi1]
}
