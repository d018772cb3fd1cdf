//! The decay of the water reference: the magnitude of a Voigt line.
//!
//! The magnitude is the reference without its phase, that is, after correction of eddy currents by itself. It is fitted with
//! a·exp(−b·t − c·t²), b and c ≥ 0, by least squares over all samples that stand above their noise.

use num_complex::Complex64;

use crate::signal::noise::noise_sd;

/// Samples at the start that are left out: the first one is attenuated in some exports (0.57 of its
/// true size in every Philips SDAT reference seen), the next ones by the receiver's filter.
const SKIPPED_S: f64 = 0.001;
/// The same, at least.
const LEAST_SKIPPED: usize = 3;
/// Fewest samples that tell a decay.
const FEWEST: usize = 8;
/// Magnitude over the noise of a part of a sample below which the noise is most of it.
const ABOVE_NOISE: f64 = 5.0;
/// Steps of the fit.
const MOST_STEPS: usize = 200;
/// Relative change of the sum of squares at which it ends.
const DONE: f64 = 1e-15;
/// Damping of the first step, and where no step helps any more.
const DAMPING: (f64, f64) = (1e-3, 1e12);

/// What the fit found.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Voigt {
    /// Magnitude at t = 0, in the data's units.
    pub amplitude: f64,
    /// Its standard deviation. The residual of a real line is no noise but a shape that is not Voigt's: its samples hang
    /// together, which counts.
    pub amplitude_sd: f64,
    /// Root mean square of the residual over that of the samples.
    pub residual: f64,
}

type Vector = [f64; 3];
type Matrix = [[f64; 3]; 3];

/// The decay of `reference`; `None` where it does not decay from a clear maximum.
pub fn fit(reference: &[Complex64], dwell_s: f64) -> Option<Voigt> {
    let skipped = ((SKIPPED_S / dwell_s).ceil() as usize).max(LEAST_SKIPPED);
    let noise = ABOVE_NOISE * noise_sd(reference).unwrap_or(0.0);
    let above = reference.iter().map(|z| z.norm()).skip(skipped).take_while(|m| *m > noise && m.is_finite());
    let samples: Vec<f64> = above.collect();
    let top = samples.iter().copied().fold(0.0, f64::max);
    if samples.len() < FEWEST {
        return None;
    }
    // In units of the tallest sample and of the time that is fitted.
    let last = (skipped + samples.len() - 1) as f64;
    let points: Vec<(f64, f64)> =
        samples.iter().enumerate().map(|(i, m)| ((skipped + i) as f64 / last, m / top)).collect();
    let half = points.iter().position(|(_, m)| *m < 0.5).map_or(1.0, |i| points[i].0);
    let mut free = [true; 3];
    let mut found = least_squares(&points, [1.0, std::f64::consts::LN_2 / half, 0.0], free)?;
    // A decay that gets faster or slower without end is none: the parameter that says so is left out.
    for k in [2, 1] {
        if found[k] < 0.0 {
            free[k] = false;
            found[k] = 0.0;
            found = least_squares(&points, found, free)?;
        }
    }
    let residuals: Vec<f64> = points.iter().map(|(t, m)| m - decay(found, *t)).collect();
    let squares: f64 = residuals.iter().map(|r| r * r).sum();
    let all: f64 = points.iter().map(|(_, m)| m * m).sum();
    let (normal, _) = normal_equations(&points, found, free);
    let variance = inverse(normal)?[0][0] * squares / (points.len() - 3) as f64 * correlation_length(&residuals);
    let fitted = Voigt {
        amplitude: top * found[0],
        amplitude_sd: (top * variance.max(0.0).sqrt()).max(f64::EPSILON * top * found[0]),
        residual: (squares / all).sqrt(),
    };
    (fitted.amplitude > 0.0 && fitted.amplitude.is_finite() && fitted.amplitude_sd.is_finite()).then_some(fitted)
}

fn decay([a, b, c]: Vector, t: f64) -> f64 {
    a * (-b * t - c * t * t).exp()
}

/// JᵀJ and Jᵀr; a parameter that is held has a one on the diagonal and no gradient.
fn normal_equations(points: &[(f64, f64)], at: Vector, free: [bool; 3]) -> (Matrix, Vector) {
    let (mut normal, mut gradient) = ([[0.0; 3]; 3], [0.0; 3]);
    for &(t, m) in points {
        let value = decay(at, t);
        let row = [value / at[0], -t * value, -t * t * value];
        for i in (0..3).filter(|&i| free[i]) {
            gradient[i] += row[i] * (m - value);
            for j in (0..3).filter(|&j| free[j]) {
                normal[i][j] += row[i] * row[j];
            }
        }
    }
    (0..3).filter(|&i| !free[i]).for_each(|i| normal[i][i] = 1.0);
    (normal, gradient)
}

/// Levenberg and Marquardt's method from `start`.
fn least_squares(points: &[(f64, f64)], start: Vector, free: [bool; 3]) -> Option<Vector> {
    let squares = |at: Vector| points.iter().map(|(t, m)| (m - decay(at, *t)).powi(2)).sum::<f64>();
    let (mut at, mut damping) = (start, DAMPING.0);
    let mut before = squares(at);
    for _ in 0..MOST_STEPS {
        let (normal, gradient) = normal_equations(points, at, free);
        let (next, after) = loop {
            let mut damped = normal;
            (0..3).for_each(|i| damped[i][i] *= 1.0 + damping);
            let turned = inverse(damped)?;
            let mut next = at;
            for i in (0..3).filter(|&i| free[i]) {
                next[i] += (0..3).map(|j| turned[i][j] * gradient[j]).sum::<f64>();
            }
            let after = squares(next);
            if next[0] > 0.0 && after <= before {
                break (next, after);
            }
            damping *= 4.0;
            if damping > DAMPING.1 {
                return Some(at);
            }
        };
        let is_done = before - after <= DONE * before;
        (at, before, damping) = (next, after, damping / 5.0);
        if is_done {
            return Some(at);
        }
    }
    Some(at)
}

/// Inverse of a symmetric matrix by its cofactors; `None` where it is singular.
fn inverse(m: Matrix) -> Option<Matrix> {
    let minor = |i: usize, j: usize| {
        let (r, c) = ([(i + 1) % 3, (i + 2) % 3], [(j + 1) % 3, (j + 2) % 3]);
        m[r[0]][c[0]] * m[r[1]][c[1]] - m[r[0]][c[1]] * m[r[1]][c[0]]
    };
    let determinant: f64 = (0..3).map(|j| m[0][j] * minor(0, j)).sum();
    let scale = m[0][0] * m[1][1] * m[2][2];
    if determinant.abs() <= 1e-14 * scale.abs() || !determinant.is_finite() {
        return None;
    }
    let mut inverse = [[0.0; 3]; 3];
    for (i, row) in inverse.iter_mut().enumerate() {
        row.iter_mut().enumerate().for_each(|(j, value)| *value = minor(j, i) / determinant);
    }
    Some(inverse)
}

/// How many neighbouring residuals count as one: 1 + 2·Σρ over the lags before the first that is not positive.
fn correlation_length(residuals: &[f64]) -> f64 {
    let squares: f64 = residuals.iter().map(|r| r * r).sum();
    let product = |lag: usize| residuals.iter().zip(&residuals[lag..]).map(|(a, b)| a * b).sum::<f64>();
    let lags = (1..residuals.len() / 4).map(|lag| product(lag) / squares.max(f64::MIN_POSITIVE));
    1.0 + 2.0 * lags.take_while(|part| *part > 0.0).sum::<f64>()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use crate::random::Random;

    const DWELL_S: f64 = 5e-4;

    fn line(amplitude: f64, b: f64, c: f64) -> Vec<Complex64> {
        let at = |n: usize| {
            let t = n as f64 * DWELL_S;
            Complex64::from_polar(amplitude * (-b * t - c * t * t).exp(), 0.4 + 3.0 * t)
        };
        (0..1024).map(at).collect()
    }

    #[test]
    fn a_voigt_decay_is_extrapolated_past_an_attenuated_first_sample() {
        for (b, c) in [(18.0, 90.0), (18.0, 0.0), (0.0, 400.0), (3.0, 3000.0), (40.0, 1.0)] {
            let mut water = line(700.0, b, c);
            water[0] *= 0.57;
            let found = fit(&water, DWELL_S).unwrap();
            assert!((found.amplitude / 700.0 - 1.0).abs() < 1e-9, "{b} {c}: {found:?}");
            assert!(found.residual < 1e-9 && found.amplitude_sd > 0.0, "{b} {c}: {found:?}");
        }
        assert_eq!(fit(&vec![Complex64::default(); 1024], DWELL_S), None);
        assert_eq!(fit(&[], DWELL_S), None);
    }

    /// Of white noise the deviation is what draws show; noise alone is no decay.
    #[test]
    fn its_deviation_is_that_of_repeated_noise() {
        let mut random = Random::new(3, 0);
        let mut noisy = |amplitude: f64| {
            let mut water = line(amplitude, 25.0, 60.0);
            water.iter_mut().for_each(|z| *z += Complex64::new(random.normal(), random.normal()));
            fit(&water, DWELL_S)
        };
        let found: Vec<Voigt> = (0..200).map(|_| noisy(300.0).unwrap()).collect();
        let mean = found.iter().map(|f| f.amplitude).sum::<f64>() / 200.0;
        let sd = (found.iter().map(|f| (f.amplitude - mean).powi(2)).sum::<f64>() / 199.0).sqrt();
        let told = found.iter().map(|f| f.amplitude_sd).sum::<f64>() / 200.0;
        assert!((mean / 300.0 - 1.0).abs() < 2e-3, "{mean}");
        assert!((0.8..1.6).contains(&(told / sd)), "{told} told, {sd} by draws");
        assert_eq!(noisy(0.0), None);
    }

    #[test]
    fn a_line_of_another_shape_has_a_residual_and_a_larger_deviation() {
        let water: Vec<Complex64> =
            line(500.0, 15.0, 0.0).iter().zip(line(500.0, 40.0, 0.0)).map(|(a, b)| a + b).collect();
        let found = fit(&water, DWELL_S).unwrap();
        assert!((0.01..0.1).contains(&found.residual), "{found:?}");
        let off = (found.amplitude - 1000.0).abs();
        assert!(off < 6.0 * found.amplitude_sd && found.amplitude_sd < 100.0, "{found:?}");
    }
}
