//! Combining receive coils: whitened singular value decomposition (Rodgers and Robson, MRM 63:881, 2010), or from the
//! first point, with or without the noise's covariance ([`CoilMethod`]).
//!
//! By default the sensitivities are the direction in which the whitened coils vary together, over all points of all
//! transients of the water reference or, without one, of the data. Transients need no common phase or frequency for it.
//! Combined data have the scale of the coils' root sum of squares and the phase of the strongest coil, for water and
//! metabolites alike.

use faer::linalg::matmul::matmul;
use faer::linalg::triangular_solve::{solve_lower_triangular_in_place, solve_upper_triangular_in_place};
use faer::{Accum, Mat, MatMut, MatRef, Par, Side};
use ndarray::{Array2, Axis};
use num_complex::Complex64;
use rayon::prelude::*;

use super::settings::CoilMethod;
use crate::acquisition::Series;

/// Weights of the coils.
#[derive(Debug, Clone, PartialEq)]
pub struct Weights {
    /// Factor of each coil's samples.
    factors: Vec<Complex64>,
    /// Share of the whitened signal that one source explains, from 0 (noise) to 1.
    pub quality: f64,
}

/// Noise samples beyond which a covariance gets no better.
const MOST_NOISE_SAMPLES: usize = 1 << 15;
/// Samples from which the sensitivities are taken; they carry the signal's beginning.
const MOST_SIGNAL_SAMPLES: usize = 1 << 14;
/// Points of each transient among them.
const SIGNAL_POINTS: usize = 512;
/// Part of each transient, at its end, that is taken for noise.
const NOISE_PART: f64 = 0.25;
/// The covariance is estimated in full from so many samples a coil, else only its diagonal.
const SAMPLES_PER_COIL: usize = 10;

/// The noise of the coils, from the ends of the transients: lower triangle L with L·Lᴴ = covariance.
pub(super) struct Noise(Mat<Complex64>);

impl Noise {
    /// `None` where the coils hold none.
    pub(super) fn of(data: Series<'_>) -> Option<Self> {
        factor(&noise_covariance(data)?, data.dim().1).map(Self)
    }

    /// The combination of the coils that has the most energy over its noise in `together`, Σ z·zᴴ over samples of all coils.
    pub(super) fn best(&self, together: &[Complex64], coils: usize) -> Option<Vec<Complex64>> {
        // L⁻¹·A·L⁻ᴴ: whitening the columns of A (its rows, conjugated), then those of the adjoint of what came of it.
        let mut whitened: Vec<Complex64> = together.iter().map(Complex64::conj).collect();
        whiten(&self.0, &mut whitened);
        let transposed = |i: usize| whitened[i % coils * coils + i / coils].conj();
        let mut columns: Vec<Complex64> = (0..coils * coils).map(transposed).collect();
        whiten(&self.0, &mut columns);
        let rows: Vec<Complex64> = columns.iter().map(Complex64::conj).collect();
        let (mut along, _) = dominant(&rows, coils)?;
        let column = MatMut::from_column_major_slice_mut(&mut along, coils, 1);
        solve_upper_triangular_in_place(self.0.adjoint(), column, Par::Seq);
        Some(along)
    }
}

impl Weights {
    /// Weights from `signal` (the water reference or the data themselves) and the noise at the end of `data`.
    ///
    /// `None` if there is nothing to weigh: no samples, or coils without noise and signal.
    pub fn new(method: CoilMethod, signal: Series<'_>, data: Series<'_>) -> Option<Self> {
        Self::within(method, signal, &Noise::of(data)?)
    }

    /// The same where the noise is known.
    pub(super) fn within(method: CoilMethod, signal: Series<'_>, noise: &Noise) -> Option<Self> {
        let (transients, coils, points) = signal.dim();
        let lower = &noise.0;
        let points = points.min(SIGNAL_POINTS);
        let step = (transients * points).div_ceil(MOST_SIGNAL_SAMPLES).max(1);
        let beginning = |transient: usize| {
            let fids: Vec<_> = (0..coils).map(|coil| signal.points(transient, coil, 0..points)).collect();
            (0..points).step_by(step).flat_map(|n| fids.iter().map(move |fid| fid[n]).collect::<Vec<_>>()).collect()
        };
        let mut samples = side_by_side(transients, points.div_ceil(step) * coils, beginning);
        whiten(lower, &mut samples);
        let n = samples.len() / coils;
        let together = outer_products(&samples, coils);
        let (direction, energy) = match method {
            CoilMethod::Svd => dominant(&together, coils)?,
            CoilMethod::Gls | CoilMethod::FirstPoint => {
                let mut direction = first_point(signal)?;
                whiten(lower, &mut direction);
                normalise(&mut direction)?;
                let energy = energy_along(&together, &direction);
                (direction, energy)
            }
        };
        let trace: f64 = (0..coils).map(|i| together[i * coils + i].re).sum();
        // Whitened noise of variance 1 adds n to every direction.
        let signal_trace = (trace - (n * coils) as f64).max(f64::MIN_POSITIVE);
        let quality = ((energy - n as f64) / signal_trace).clamp(0.0, 1.0);
        // Sensitivities s = L·u; weights Ψ⁻¹s = L⁻ᴴ·u, for which wᴴs = 1.
        let sensitivities: Vec<Complex64> =
            (0..coils).map(|i| (0..=i).map(|j| lower[(i, j)] * direction[j]).sum()).collect();
        let norm = sensitivities.iter().map(|s| s.norm_sqr()).sum::<f64>().sqrt();
        let strongest = sensitivities.iter().max_by(|a, b| a.norm().total_cmp(&b.norm()))?;
        let scale = Complex64::from_polar(norm, strongest.arg());
        let weights = if method == CoilMethod::FirstPoint {
            sensitivities.iter().map(|s| s / (norm * norm)).collect()
        } else {
            let mut weights = direction;
            let columns = MatMut::from_column_major_slice_mut(&mut weights, coils, 1);
            solve_upper_triangular_in_place(lower.adjoint(), columns, Par::Seq);
            weights
        };
        let factors: Vec<Complex64> = weights.iter().map(|w| w.conj() * scale).collect();
        factors.iter().all(|f| f.re.is_finite() && f.im.is_finite()).then_some(Self { factors, quality })
    }

    /// What the coils are combined along: the factors, conjugated.
    pub(super) fn along(&self) -> Vec<Complex64> {
        self.factors.iter().map(Complex64::conj).collect()
    }

    /// One transient of all coils, combined: one coil's samples at a time.
    pub fn combine(&self, series: Series<'_>, transient: usize) -> Vec<Complex64> {
        let mut combined = vec![Complex64::default(); series.dim().2];
        for (coil, factor) in self.factors.iter().enumerate() {
            let fid = series.fid(transient, coil);
            combined.iter_mut().zip(&fid).for_each(|(sum, z)| *sum += factor * z);
        }
        combined
    }
}

/// `of_each` samples of all transients, one after the other, however many threads read them.
pub(super) fn side_by_side(
    transients: usize,
    of_each: usize,
    of_one: impl Fn(usize) -> Vec<Complex64> + Send + Sync,
) -> Vec<Complex64> {
    let mut samples = vec![Complex64::default(); transients * of_each];
    let own = samples.par_chunks_exact_mut(of_each.max(1)).enumerate();
    own.for_each(|(transient, own)| own.copy_from_slice(&of_one(transient)));
    samples
}

/// Covariance between coils from the ends of the transients, row by row. Differences of neighbouring points take away
/// what is left of the water on resonance; their covariance is twice the noise's.
fn noise_covariance(data: Series<'_>) -> Option<Vec<Complex64>> {
    let (transients, coils, points) = data.dim();
    let from = points - ((points as f64 * NOISE_PART) as usize).min(points.saturating_sub(1));
    let step = (transients * (points - from)).div_ceil(MOST_NOISE_SAMPLES).max(1);
    let from = from.max(1);
    let end = |transient: usize| {
        let fids: Vec<_> = (0..coils).map(|coil| data.points(transient, coil, from - 1..points)).collect();
        let difference = |n: usize| fids.iter().map(move |fid| fid[n + 1] - fid[n]).collect::<Vec<_>>();
        (0..points.saturating_sub(from)).step_by(step).flat_map(difference).collect()
    };
    let samples = side_by_side(transients, points.saturating_sub(from).div_ceil(step) * coils, end);
    let n = samples.len() / coils.max(1);
    let mut covariance = outer_products(&samples, coils);
    let is_full = n >= SAMPLES_PER_COIL * coils;
    let mean = (0..coils).map(|i| covariance[i * coils + i].re).sum::<f64>() / coils.max(1) as f64;
    if n == 0 || !(mean.is_finite() && mean > 0.0) {
        return None;
    }
    for i in 0..coils {
        for j in 0..coils {
            let element = &mut covariance[i * coils + j];
            if i != j && !is_full {
                *element = Complex64::default();
            }
            *element /= 2.0 * n as f64;
        }
        // A dead coil has no noise: it must not get all the weight.
        let floor = 1e-6 * mean / (2.0 * n as f64);
        covariance[i * coils + i].re = covariance[i * coils + i].re.max(floor);
    }
    Some(covariance)
}

/// Σ z·zᴴ over samples of all coils, row by row.
pub(super) fn outer_products(samples: &[Complex64], coils: usize) -> Vec<Complex64> {
    let mut sum = vec![Complex64::default(); coils * coils];
    let n = samples.len() / coils.max(1);
    let columns = MatRef::from_column_major_slice(&samples[..coils * n], coils, n);
    let rows = MatMut::from_row_major_slice_mut(&mut sum, coils, coils);
    // By one thread: the order of a sum does not depend on how many there are.
    matmul(rows, Accum::Replace, columns, columns.adjoint(), Complex64::new(1.0, 0.0), Par::Seq);
    sum
}

/// Mean over transients of each coil's first sample.
fn first_point(signal: Series<'_>) -> Option<Vec<Complex64>> {
    let (transients, coils, points) = signal.dim();
    if points == 0 {
        return None;
    }
    let all = (0..transients).flat_map(|transient| (0..coils).map(move |coil| (transient, coil)));
    let first = all.map(|(transient, coil)| signal.points(transient, coil, 0..1)[0]).collect();
    Some(Array2::from_shape_vec((transients, coils), first).ok()?.mean_axis(Axis(0))?.to_vec())
}

fn normalise(x: &mut [Complex64]) -> Option<()> {
    let norm = x.iter().map(|z| z.norm_sqr()).sum::<f64>().sqrt();
    if !(norm.is_finite() && norm > 0.0) {
        return None;
    }
    x.iter_mut().for_each(|z| *z /= norm);
    Some(())
}

/// xᴴ·A·x of a Hermitian matrix.
pub(super) fn energy_along(a: &[Complex64], x: &[Complex64]) -> f64 {
    let row = |row: &[Complex64]| row.iter().zip(x).map(|(m, z)| m * z).sum::<Complex64>();
    a.chunks_exact(x.len()).zip(x).map(|(r, z)| (z.conj() * row(r)).re).sum()
}

/// Lower triangle L with L·Lᴴ = A, for the rows of a Hermitian A; `None` where it is not positive definite.
fn factor(a: &[Complex64], n: usize) -> Option<Mat<Complex64>> {
    let factor = MatRef::from_row_major_slice(a, n, n).llt(Side::Lower).ok()?;
    Some(factor.L().to_owned())
}

/// x ← L⁻¹x for every sample x of all coils.
fn whiten(lower: &Mat<Complex64>, samples: &mut [Complex64]) {
    let (coils, n) = (lower.nrows(), samples.len() / lower.nrows().max(1));
    let columns = MatMut::from_column_major_slice_mut(&mut samples[..coils * n], coils, n);
    solve_lower_triangular_in_place(lower.as_ref(), columns, Par::Seq);
}

/// The eigenvector of the largest eigenvalue of a Hermitian matrix with these rows, and that value.
fn dominant(a: &[Complex64], n: usize) -> Option<(Vec<Complex64>, f64)> {
    let eigen = MatRef::from_row_major_slice(a, n, n).self_adjoint_eigen(Side::Lower).ok()?;
    // In rising order.
    let value = eigen.S().column_vector().iter().last()?.re;
    let vector: Vec<Complex64> = eigen.U().col(n - 1).iter().copied().collect();
    (value.is_finite() && value > 0.0).then_some((vector, value))
}

#[cfg(test)]
#[path = "coils_tests.rs"]
mod tests;
