//! Combining receive coils: whitened singular value decomposition (Rodgers and Robson, MRM 63:881, 2010).
//!
//! The sensitivities are the direction in which the whitened coils vary together, over all points of all transients of
//! the water reference or, without one, of the data. Transients need no common phase or frequency for it. Combined data
//! have the scale of the coils' root sum of squares and the phase of the strongest coil, for water and metabolites alike.

use ndarray::{ArrayView3, Axis};
use num_complex::Complex64;

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

impl Weights {
    /// Weights from `signal` (`[transient, coil, point]`, the water reference or the data themselves), whitened by the noise
    /// at the end of `data`.
    ///
    /// `None` if there is nothing to weigh: no samples, or coils without noise and signal.
    pub fn new(signal: ArrayView3<'_, Complex64>, data: ArrayView3<'_, Complex64>) -> Option<Self> {
        let coils = signal.len_of(Axis(1));
        let covariance = noise_covariance(data)?;
        let lower = cholesky(&covariance, coils)?;
        let transients = signal.len_of(Axis(0));
        let points = signal.len_of(Axis(2)).min(SIGNAL_POINTS);
        let step = (transients * points).div_ceil(MOST_SIGNAL_SAMPLES).max(1);
        let mut together = vec![Complex64::default(); coils * coils];
        let mut sample = vec![Complex64::default(); coils];
        let mut n = 0;
        for transient in signal.axis_iter(Axis(0)) {
            for point in (0..points).step_by(step) {
                sample.iter_mut().zip(transient.column(point)).for_each(|(s, z)| *s = *z);
                solve_lower(&lower, &mut sample);
                add_outer(&mut together, &sample);
                n += 1;
            }
        }
        let (direction, largest) = dominant(&together, coils)?;
        let trace: f64 = (0..coils).map(|i| together[i * coils + i].re).sum();
        // Whitened noise of variance 1 adds n to every direction.
        let signal_trace = (trace - (n * coils) as f64).max(f64::MIN_POSITIVE);
        let quality = ((largest - n as f64) / signal_trace).clamp(0.0, 1.0);
        // Sensitivities s = L·u; weights Ψ⁻¹s = L⁻ᴴ·u, for which wᴴs = 1.
        let sensitivities: Vec<Complex64> =
            (0..coils).map(|i| (0..=i).map(|j| lower[i * coils + j] * direction[j]).sum()).collect();
        let norm = sensitivities.iter().map(|s| s.norm_sqr()).sum::<f64>().sqrt();
        let strongest = sensitivities.iter().max_by(|a, b| a.norm().total_cmp(&b.norm()))?;
        let scale = Complex64::from_polar(norm, strongest.arg());
        let mut weights = direction;
        solve_upper(&lower, &mut weights);
        let factors: Vec<Complex64> = weights.iter().map(|w| w.conj() * scale).collect();
        factors.iter().all(|f| f.re.is_finite() && f.im.is_finite()).then_some(Self { factors, quality })
    }

    /// One transient `[coil, point]`, combined.
    pub fn combine(&self, transient: ndarray::ArrayView2<'_, Complex64>) -> Vec<Complex64> {
        let mut combined = vec![Complex64::default(); transient.len_of(Axis(1))];
        for (factor, coil) in self.factors.iter().zip(transient.rows()) {
            combined.iter_mut().zip(coil).for_each(|(sum, z)| *sum += factor * z);
        }
        combined
    }
}

/// Covariance between coils from the ends of the transients, row by row. Differences of neighbouring points take away
/// what is left of the water on resonance; their covariance is twice the noise's.
fn noise_covariance(data: ArrayView3<'_, Complex64>) -> Option<Vec<Complex64>> {
    let (transients, coils, points) = data.dim();
    let from = points - ((points as f64 * NOISE_PART) as usize).min(points.saturating_sub(1));
    let step = (transients * (points - from)).div_ceil(MOST_NOISE_SAMPLES).max(1);
    let mut covariance = vec![Complex64::default(); coils * coils];
    let mut sample = vec![Complex64::default(); coils];
    let mut n = 0_usize;
    for transient in data.axis_iter(Axis(0)) {
        for point in (from.max(1)..points).step_by(step) {
            let (here, before) = (transient.column(point), transient.column(point - 1));
            sample.iter_mut().zip(here.iter().zip(before)).for_each(|(s, (a, b))| *s = a - b);
            add_outer(&mut covariance, &sample);
            n += 1;
        }
    }
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

fn add_outer(sum: &mut [Complex64], sample: &[Complex64]) {
    let n = sample.len();
    for (row, a) in sum.chunks_exact_mut(n).zip(sample) {
        row.iter_mut().zip(sample).for_each(|(s, b)| *s += a * b.conj());
    }
}

/// Lower triangle L with L·Lᴴ = A, row by row.
fn cholesky(a: &[Complex64], n: usize) -> Option<Vec<Complex64>> {
    let mut lower = vec![Complex64::default(); n * n];
    for i in 0..n {
        for j in 0..=i {
            let sum: Complex64 = (0..j).map(|k| lower[i * n + k] * lower[j * n + k].conj()).sum();
            let rest = a[i * n + j] - sum;
            lower[i * n + j] = if i == j {
                if rest.re.is_nan() || rest.re <= 0.0 {
                    return None;
                }
                Complex64::new(rest.re.sqrt(), 0.0)
            } else {
                rest / lower[j * n + j]
            };
        }
    }
    Some(lower)
}

/// x ← L⁻¹x.
fn solve_lower(lower: &[Complex64], x: &mut [Complex64]) {
    let n = x.len();
    for i in 0..n {
        let sum: Complex64 = (0..i).map(|j| lower[i * n + j] * x[j]).sum();
        x[i] = (x[i] - sum) / lower[i * n + i];
    }
}

/// x ← L⁻ᴴx.
fn solve_upper(lower: &[Complex64], x: &mut [Complex64]) {
    let n = x.len();
    for i in (0..n).rev() {
        let sum: Complex64 = (i + 1..n).map(|j| lower[j * n + i].conj() * x[j]).sum();
        x[i] = (x[i] - sum) / lower[i * n + i];
    }
}

/// The eigenvector of the largest eigenvalue of a positive Hermitian matrix, and that value, by power iteration.
fn dominant(a: &[Complex64], n: usize) -> Option<(Vec<Complex64>, f64)> {
    const ITERATIONS: usize = 1000;
    // Begins at the coil with the most signal.
    let start = (0..n).max_by(|&i, &j| a[i * n + i].re.total_cmp(&a[j * n + j].re))?;
    let mut x: Vec<Complex64> = (0..n).map(|i| a[i * n + start]).collect();
    let mut value = 0.0;
    for _ in 0..ITERATIONS {
        let norm = x.iter().map(|z| z.norm_sqr()).sum::<f64>().sqrt();
        if !(norm.is_finite() && norm > 0.0) {
            return None;
        }
        x.iter_mut().for_each(|z| *z /= norm);
        let next: Vec<Complex64> =
            a.chunks_exact(n).map(|row| row.iter().zip(&x).map(|(m, z)| m * z).sum::<Complex64>()).collect();
        let new = x.iter().zip(&next).map(|(a, b)| (a.conj() * b).re).sum::<f64>();
        let is_done = (new - value).abs() <= 1e-14 * new.abs();
        value = new;
        if is_done {
            return Some((x, value));
        }
        x = next;
    }
    let norm = x.iter().map(|z| z.norm_sqr()).sum::<f64>().sqrt();
    Some((x.iter().map(|z| z / norm).collect(), value))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use ndarray::Array3;

    use super::*;

    /// Numbers from a linear congruential generator, nearly normal (sum of twelve).
    struct Normal(u64);

    impl Normal {
        fn next(&mut self) -> f64 {
            (0..12)
                .map(|_| {
                    self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                    (self.0 >> 11) as f64 / (1_u64 << 53) as f64
                })
                .sum::<f64>()
                - 6.0
        }

        fn complex(&mut self) -> Complex64 {
            Complex64::new(self.next(), self.next())
        }
    }

    const COILS: usize = 8;

    /// Coils' sensitivities, and a mixing that makes their noise correlated and unequal.
    fn coils(normal: &mut Normal) -> (Vec<Complex64>, Vec<Complex64>) {
        let sensitivities = (0..COILS).map(|_| normal.complex()).collect();
        let mixing =
            (0..COILS * COILS)
                .map(|k| {
                    if k % (COILS + 1) == 0 {
                        Complex64::new(1.0 + (k % 3) as f64, 0.0)
                    } else {
                        0.2 * normal.complex()
                    }
                })
                .collect();
        (sensitivities, mixing)
    }

    fn measured(
        normal: &mut Normal,
        sensitivities: &[Complex64],
        mixing: &[Complex64],
        transients: usize,
        signal: impl Fn(usize, usize) -> Complex64,
    ) -> Array3<Complex64> {
        let mut data = Array3::default((transients, COILS, 1024));
        for t in 0..transients {
            for p in 0..1024 {
                let white: Vec<Complex64> = (0..COILS).map(|_| normal.complex()).collect();
                for c in 0..COILS {
                    let noise: Complex64 = (0..COILS).map(|k| mixing[c * COILS + k] * white[k]).sum();
                    data[(t, c, p)] = sensitivities[c] * signal(t, p) + noise;
                }
            }
        }
        data
    }

    /// Signal-to-noise ratio of the best linear combination: √(sᴴΨ⁻¹s) for a unit signal.
    fn ideal(sensitivities: &[Complex64], mixing: &[Complex64]) -> f64 {
        let mut covariance = vec![Complex64::default(); COILS * COILS];
        for k in 0..COILS {
            let column: Vec<Complex64> = (0..COILS).map(|c| mixing[c * COILS + k]).collect();
            add_outer(&mut covariance, &column);
        }
        let lower = cholesky(&covariance, COILS).unwrap();
        let mut x = sensitivities.to_vec();
        solve_lower(&lower, &mut x);
        // Each of the two parts of the white noise has variance 1.
        x.iter().map(|z| z.norm_sqr()).sum::<f64>().sqrt() / std::f64::consts::SQRT_2
    }

    #[test]
    fn water_weights_reach_the_ideal_signal_to_noise_ratio_and_keep_the_scale() {
        let mut normal = Normal(7);
        let (s, mixing) = coils(&mut normal);
        let decay = |p: usize| Complex64::from_polar((-(p as f64) / 150.0).exp(), 0.3 * p as f64);
        let water = measured(&mut normal, &s, &mixing, 2, |_, p| 500.0 * decay(p));
        let data = measured(&mut normal, &s, &mixing, 16, |_, p| 2.0 * decay(p));
        let weights = Weights::new(water.view(), data.view()).unwrap();
        assert!(weights.quality > 0.999, "{}", weights.quality);
        let response: Complex64 = weights.factors.iter().zip(&s).map(|(f, s)| f * s).sum();
        let noise: f64 = (0..COILS)
            .map(|k| (0..COILS).map(|c| weights.factors[c] * mixing[c * COILS + k]).sum::<Complex64>().norm_sqr())
            .sum();
        let snr = response.norm() / (2.0 * noise).sqrt();
        assert!(snr > 0.995 * ideal(&s, &mixing), "{snr} of {}", ideal(&s, &mixing));
        // The scale is that of the root sum of squares, the same for water and metabolites.
        let norm = s.iter().map(|s| s.norm_sqr()).sum::<f64>().sqrt();
        assert!((response.norm() / norm - 1.0).abs() < 0.005, "{} {norm}", response.norm());
        let mean = |d: &Array3<Complex64>| -> f64 {
            let all: Vec<f64> = d
                .axis_iter(Axis(0))
                .map(|t| {
                    weights.combine(t)[..50]
                        .iter()
                        .zip(0..)
                        .map(|(z, p)| (z * decay(p).conj()).re / decay(p).norm_sqr())
                        .sum::<f64>()
                })
                .collect();
            all.iter().sum::<f64>() / all.len() as f64
        };
        assert!((mean(&data) / mean(&water) * 250.0 - 1.0).abs() < 0.2);
    }

    #[test]
    fn without_water_drifting_transients_give_the_weights() {
        let mut normal = Normal(3);
        let (s, mixing) = coils(&mut normal);
        let signal = |t: usize, p: usize| {
            Complex64::from_polar(20.0 * (-(p as f64) / 200.0).exp(), t as f64 + (0.2 + 0.003 * t as f64) * p as f64)
        };
        let data = measured(&mut normal, &s, &mixing, 32, signal);
        let weights = Weights::new(data.view(), data.view()).unwrap();
        let response: Complex64 = weights.factors.iter().zip(&s).map(|(f, s)| f * s).sum();
        let noise: f64 = (0..COILS)
            .map(|k| (0..COILS).map(|c| weights.factors[c] * mixing[c * COILS + k]).sum::<Complex64>().norm_sqr())
            .sum();
        let loss = 1.0 - response.norm() / (2.0 * noise).sqrt() / ideal(&s, &mixing);
        assert!(loss < 0.005, "{loss}");
    }

    #[test]
    fn dead_coils_and_empty_data_do_no_harm() {
        let mut normal = Normal(5);
        let (mut s, mixing) = coils(&mut normal);
        s[3] = Complex64::default();
        let mut data =
            measured(&mut normal, &s, &mixing, 4, |_, p| Complex64::new(300.0 * (-(p as f64) / 200.0).exp(), 0.0));
        data.index_axis_mut(Axis(1), 3).fill(Complex64::default());
        let weights = Weights::new(data.view(), data.view()).unwrap();
        let combined = weights.combine(data.index_axis(Axis(0), 0));
        assert!(combined.iter().all(|z| z.re.is_finite()) && combined[0].norm() > 100.0);
        let nothing = Array3::<Complex64>::default((2, 4, 128));
        assert_eq!(Weights::new(nothing.view(), nothing.view()), None);
    }
}
