//! One step of empirical Bayes: what is shared by many spectra, from what each says about its own deviations.
//!
//! Each spectrum's deviations z from the shared values have the prior N(0, P⁻¹) and, once fitted, the posterior N(ẑ, C).
//! The marginal likelihood of a common offset δ is Gaussian with precision Σ(P − P·C·P) and mean the solution of
//! Σ(P − P·C·P)·δ = Σ P·ẑ: a Newton step that undoes the shrinkage, where the plain mean of ẑ would take many passes
//! (random-effects model; Lindley & Smith 1972, <https://doi.org/10.1111/j.2517-6161.1972.tb00885.x>). The spreads follow
//! by MacKay's fixed point s² = Σẑ² / Σ(1 − C/s²) (1992, <https://doi.org/10.1162/neco.1992.4.3.415>).

use faer::linalg::solvers::Solve;
use faer::{Mat, Side};

use crate::fit::evidence::{Evidence, N_SHARED};
use crate::learned::Shared;

/// Pseudo-spectra with which a spread's first value counts.
const PRIOR_COUNT: f64 = 2.0;
/// Standard deviations, between published patterns, of a peak's relative area, place (ppm) and relative width.
const TEXTBOOK_SD: [f64; 3] = [0.5, 0.03, 0.4];
/// Largest change of one pass, in the same units.
const LARGEST_STEP: [f64; 3] = [0.6, 0.02, 0.3];
/// Change of a Gaussian line's width by an extra Lorentzian one, where that is small (Olivero & Longbothum 1977).
const GAUSS_FROM_LORENTZ: f64 = 0.5346;
/// Peaks with this deviation from the pattern belong to a spectrum that went wrong.
const ABSURD_AREA: f64 = 8.0;
/// Smallest spreads: of areas between groups and within one, of places (ppm), of relative widths, of the common width (Hz),
/// of the lineshape.
const SMALLEST: [f64; 6] = [0.05, 0.05, 0.002, 0.03, 0.2, 0.01];
/// The largest: learning tightens priors, it does not loosen them (areas of a corpus with skewed lines ran away).
const LARGEST: [f64; 6] = [0.3, 0.3, 0.02, 0.2, 3.0, 1.0];

/// What a step found.
pub(super) struct Step {
    /// The shared values after it.
    pub(super) shared: Shared,
    /// Standard errors of each peak's relative area, place (ppm) and relative width.
    pub(super) errors: Vec<[f64; 3]>,
    /// Standard error of the common Lorentzian width (Hz).
    pub(super) lorentz_error_hz: f64,
    /// Largest change of any peak in units of its standard error.
    pub(super) largest_change: f64,
    /// Spectra that took part.
    pub(super) n_spectra: usize,
}

/// One spectrum's evidence in the units of the step: relative areas, ppm, relative widths.
struct Scaled {
    z: Vec<f64>,
    c: Vec<f64>,
    common: [(f64, f64); N_SHARED],
}

fn scaled(evidence: &Evidence, f0_mhz: f64, shared: &Shared) -> Option<Scaled> {
    let n = shared.peaks.len();
    let unit = |i: usize| match i / n {
        0 => 1.0,
        // A positive shift in Hz lies towards lower ppm.
        1 => -1.0 / f0_mhz,
        _ => GAUSS_FROM_LORENTZ / shared.width_hz(i % n, f0_mhz),
    };
    let z: Vec<f64> = evidence.deviation.iter().enumerate().map(|(i, v)| v * unit(i)).collect();
    let m = z.len();
    let c = evidence.covariance.iter().enumerate().map(|(ij, v)| v * unit(ij / m) * unit(ij % m)).collect();
    let sane = m == 3 * n && z.iter().all(|v| v.is_finite()) && z[..n].iter().all(|v| v.abs() < ABSURD_AREA);
    sane.then_some(Scaled { z, c, common: evidence.common })
}

/// The prior precision P of deviations, in the units of the step.
fn precision(shared: &Shared) -> Mat<f64> {
    let n = shared.peaks.len();
    let mut p = Mat::zeros(3 * n, 3 * n);
    for (rows, sd) in [(shared.between_groups(), shared.group_sd), (shared.within_groups(), shared.peak_sd)] {
        for row in rows {
            for i in 0..n {
                for j in 0..n {
                    p[(i, j)] += row[i] * row[j] / (sd * sd);
                }
            }
        }
    }
    for i in 0..n {
        p[(n + i, n + i)] = 1.0 / shared.shift_sd_ppm.powi(2);
        p[(2 * n + i, 2 * n + i)] = 1.0 / (GAUSS_FROM_LORENTZ * shared.width_sd).powi(2);
    }
    p
}

/// The shared values moved to where the spectra, with their frequencies (MHz), put them; `textbook` is where they
/// began. `None` where no spectrum says anything.
pub(super) fn update(shared: &Shared, textbook: &Shared, spectra: &[(f64, Evidence)]) -> Option<Step> {
    let all: Vec<Scaled> = spectra.iter().filter_map(|(f0_mhz, e)| scaled(e, *f0_mhz, shared)).collect();
    if all.is_empty() {
        return None;
    }
    let n = shared.peaks.len();
    let p = precision(shared);
    let mut a = Mat::<f64>::zeros(3 * n, 3 * n);
    let mut b = Mat::<f64>::zeros(3 * n, 1);
    for s in &all {
        let c = Mat::from_fn(3 * n, 3 * n, |i, j| s.c[i * 3 * n + j]);
        a += &p - &p * &c * &p;
        b += &p * Mat::from_fn(3 * n, 1, |i, _| s.z[i]);
    }
    let mut a = without_negative(&a)?;
    for i in 0..3 * n {
        let weight = TEXTBOOK_SD[i / n].powi(-2);
        a[(i, i)] += weight;
        b[(i, 0)] -= weight * shared.beyond(textbook)[i];
    }
    let factor = a.llt(Side::Lower).ok()?;
    let step = factor.solve(&b);
    let inverse = factor.solve(Mat::<f64>::identity(3 * n, 3 * n));
    let mut largest_change: f64 = 0.0;
    let mut moved = vec![0.0; 3 * n];
    for i in 0..3 * n {
        largest_change = largest_change.max(step[(i, 0)].abs() / inverse[(i, i)].sqrt());
        moved[i] = step[(i, 0)].clamp(-LARGEST_STEP[i / n], LARGEST_STEP[i / n]);
    }
    let mut next = shared.moved(&moved);
    spreads(&mut next, shared, &all, &moved);
    let lorentz_error_hz = common(&mut next, shared, textbook, &all);
    let errors = (0..n).map(|k| [0, 1, 2].map(|q| inverse[(q * n + k, q * n + k)].sqrt())).collect();
    Some(Step { shared: next, errors, lorentz_error_hz, largest_change, n_spectra: all.len() })
}

/// Information cannot be negative. Where the data say nothing it comes out a little below zero: a fit freezes the scale
/// of its soft rows a few iterations before its end.
fn without_negative(a: &Mat<f64>) -> Option<Mat<f64>> {
    let n = a.nrows();
    // Precisions of very different units would bury the small ones: scale to a unit diagonal first.
    let unit: Vec<f64> = (0..n).map(|i| a[(i, i)].abs().sqrt().max(f64::MIN_POSITIVE)).collect();
    let eigen = Mat::from_fn(n, n, |i, j| a[(i, j)] / (unit[i] * unit[j])).self_adjoint_eigen(Side::Lower).ok()?;
    let (u, values) = (eigen.U(), eigen.S().column_vector());
    Some(Mat::from_fn(n, n, |i, j| {
        let kept: f64 = (0..n).map(|k| u[(i, k)] * values[k].max(0.0) * u[(j, k)]).sum();
        kept * unit[i] * unit[j]
    }))
}

/// The spreads around the new values.
fn spreads(next: &mut Shared, shared: &Shared, all: &[Scaled], moved: &[f64]) {
    let n = shared.peaks.len();
    let unit_rows = |from: usize| -> Vec<Vec<f64>> {
        (0..n).map(|k| (0..3 * n).map(|i| f64::from(u8::from(i == from + k))).collect()).collect()
    };
    let padded = |rows: Vec<Vec<f64>>| -> Vec<Vec<f64>> {
        rows.into_iter()
            .map(|mut r| {
                r.resize(3 * n, 0.0);
                r
            })
            .collect()
    };
    let groups = shared.n_groups();
    let width_sd = GAUSS_FROM_LORENTZ * shared.width_sd;
    let classes = [
        (padded(shared.between_groups()), groups - 1, shared.group_sd),
        (padded(shared.within_groups()), n - groups, shared.peak_sd),
        (unit_rows(n), n, shared.shift_sd_ppm),
        (unit_rows(2 * n), n, width_sd),
    ];
    let found = classes.map(|(rows, rank, sd)| {
        if rank == 0 {
            return sd;
        }
        let (mut squares, mut determined) = (PRIOR_COUNT * sd * sd, PRIOR_COUNT);
        for s in all {
            let mut variance = 0.0;
            for row in &rows {
                let used: Vec<(usize, f64)> = row.iter().copied().enumerate().filter(|(_, w)| *w != 0.0).collect();
                squares += used.iter().map(|&(i, w)| w * (s.z[i] - moved[i])).sum::<f64>().powi(2);
                variance += used
                    .iter()
                    .flat_map(|&(i, wi)| used.iter().map(move |&(j, wj)| (i, j, wi * wj)))
                    .map(|(i, j, w)| w * s.c[i * 3 * n + j])
                    .sum::<f64>();
            }
            determined += (rank as f64 - variance / (sd * sd)).max(0.0);
        }
        (squares / determined).sqrt()
    });
    next.group_sd = found[0].clamp(SMALLEST[0], LARGEST[0]);
    next.peak_sd = found[1].clamp(SMALLEST[1], LARGEST[1]);
    next.shift_sd_ppm = found[2].clamp(SMALLEST[2], LARGEST[2]);
    next.width_sd = (found[3] / GAUSS_FROM_LORENTZ).clamp(SMALLEST[3], LARGEST[3]);
}

/// Mean and spread of what all components share; returns the standard error of the mean Lorentzian width (Hz).
fn common(next: &mut Shared, shared: &Shared, textbook: &Shared, all: &[Scaled]) -> f64 {
    let [mean, sd] = shared.lorentz_prior_hz;
    let [first, first_sd] = textbook.lorentz_prior_hz;
    // The textbook counts as one spectrum.
    let (mut a, mut b) = (first_sd.powi(-2), (first - mean) * first_sd.powi(-2));
    for s in all {
        a += sd.powi(-2) - s.common[0].1 * sd.powi(-4);
        b += (s.common[0].0 - mean) * sd.powi(-2);
    }
    let new = (mean + b / a).clamp(0.0, 10.0);
    let (mut squares, mut determined) = (PRIOR_COUNT * first_sd.powi(2), PRIOR_COUNT);
    for s in all {
        squares += (s.common[0].0 - new).powi(2);
        determined += (1.0 - s.common[0].1 / (sd * sd)).max(0.0);
    }
    for (which, sd) in next.lineshape_sd.iter_mut().enumerate().filter(|(_, sd)| **sd > 0.0) {
        let (mut squares, mut determined) = (PRIOR_COUNT * *sd * *sd, PRIOR_COUNT);
        for (value, variance) in all.iter().map(|s| s.common[1 + which]) {
            squares += value * value;
            determined += (1.0 - variance / (*sd * *sd)).max(0.0);
        }
        *sd = (squares / determined).sqrt().clamp(SMALLEST[5], LARGEST[5]);
    }
    next.lorentz_prior_hz = [new, (squares / determined).sqrt().clamp(SMALLEST[4], LARGEST[4])];
    a.powf(-0.5)
}
