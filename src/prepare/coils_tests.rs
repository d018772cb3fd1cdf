#![allow(clippy::unwrap_used, reason = "tests")]
use ndarray::Array3;

use super::*;
use crate::acquisition::Samples;

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
    let mixing = (0..COILS * COILS)
        .map(|k| if k % (COILS + 1) == 0 { Complex64::new(1.0 + (k % 3) as f64, 0.0) } else { 0.2 * normal.complex() })
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
    let columns: Vec<Complex64> = (0..COILS).flat_map(|k| (0..COILS).map(move |c| mixing[c * COILS + k])).collect();
    let covariance = outer_products(&columns, COILS);
    let lower = factor(&covariance, COILS).unwrap();
    let mut x = sensitivities.to_vec();
    whiten(&lower, &mut x);
    // Each of the two parts of the white noise has variance 1.
    x.iter().map(|z| z.norm_sqr()).sum::<f64>().sqrt() / std::f64::consts::SQRT_2
}

fn samples(all: &Array3<Complex64>) -> Samples {
    Samples::from(all.clone().insert_axis(Axis(0)).insert_axis(Axis(0)))
}

/// By the definition, not by the matrix product.
#[test]
fn outer_products_are_sums_over_samples() {
    let mut normal = Normal(11);
    let coils = 5;
    let all: Vec<Complex64> = (0..7 * coils).map(|_| Complex64::new(normal.next(), normal.next())).collect();
    let got = outer_products(&all, coils);
    for (i, j) in (0..coils).flat_map(|i| (0..coils).map(move |j| (i, j))) {
        let wanted: Complex64 = all.chunks(coils).map(|z| z[i] * z[j].conj()).sum();
        assert!((got[i * coils + j] - wanted).norm() < 1e-12 * wanted.norm().max(1.0), "{i} {j}");
    }
}

fn weights_of(method: CoilMethod, signal: &Array3<Complex64>, data: &Array3<Complex64>) -> Option<Weights> {
    let [signal, data] = [signal, data].map(samples);
    Weights::new(method, Series::new(&signal, 0, 0), Series::new(&data, 0, 0))
}

#[test]
fn water_weights_reach_the_ideal_signal_to_noise_ratio_and_keep_the_scale() {
    let mut normal = Normal(7);
    let (s, mixing) = coils(&mut normal);
    let decay = |p: usize| Complex64::from_polar((-(p as f64) / 150.0).exp(), 0.3 * p as f64);
    let water = measured(&mut normal, &s, &mixing, 2, |_, p| 500.0 * decay(p));
    let data = measured(&mut normal, &s, &mixing, 16, |_, p| 2.0 * decay(p));
    let weights = weights_of(CoilMethod::Svd, &water, &data).unwrap();
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
        let held = samples(d);
        let all: Vec<f64> = (0..d.len_of(Axis(0)))
            .map(|t| {
                weights.combine(Series::new(&held, 0, 0), t)[..50]
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
    let weights = weights_of(CoilMethod::Svd, &data, &data).unwrap();
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
    let weights = weights_of(CoilMethod::Svd, &data, &data).unwrap();
    let combined = weights.combine(Series::new(&samples(&data), 0, 0), 0);
    assert!(combined.iter().all(|z| z.re.is_finite()) && combined[0].norm() > 100.0);
    let nothing = Array3::<Complex64>::default((2, 4, 128));
    assert_eq!(weights_of(CoilMethod::Svd, &nothing, &nothing), None);
}

/// Response to the signal over the noise of the combination.
fn snr(weights: &Weights, s: &[Complex64], mixing: &[Complex64]) -> f64 {
    let response: Complex64 = weights.factors.iter().zip(s).map(|(f, s)| f * s).sum();
    let along = |k: usize| (0..COILS).map(|c| weights.factors[c] * mixing[c * COILS + k]).sum::<Complex64>();
    response.norm() / (2.0 * (0..COILS).map(|k| along(k).norm_sqr()).sum::<f64>()).sqrt()
}

/// All methods see the same strong water; only those that know the noise's covariance come near the ideal.
#[test]
fn methods_differ_by_what_they_know_of_the_noise() {
    let mut normal = Normal(19);
    let (s, mixing) = coils(&mut normal);
    let decay = |p: usize| Complex64::from_polar((-(p as f64) / 150.0).exp(), 0.3 * p as f64);
    let water = measured(&mut normal, &s, &mixing, 4, |_, p| 500.0 * decay(p));
    let data = measured(&mut normal, &s, &mixing, 16, |_, p| 2.0 * decay(p));
    let ideal = ideal(&s, &mixing);
    let of = |method| weights_of(method, &water, &data).unwrap();
    let [svd, gls, first] = [CoilMethod::Svd, CoilMethod::Gls, CoilMethod::FirstPoint].map(of);
    let part = |weights: &Weights| snr(weights, &s, &mixing) / ideal;
    assert!(part(&svd) > 0.995 && part(&gls) > 0.995, "{} {}", part(&svd), part(&gls));
    // Without the covariance: |s|² / √(sᴴΨs), by the definition.
    let norm = s.iter().map(|z| z.norm_sqr()).sum::<f64>();
    let along = |k: usize| (0..COILS).map(|c| s[c].conj() * mixing[c * COILS + k]).sum::<Complex64>().norm_sqr();
    let wanted = norm / (2.0 * (0..COILS).map(along).sum::<f64>()).sqrt() / ideal;
    assert!((part(&first) / wanted - 1.0).abs() < 0.005, "{} {wanted}", part(&first));
    assert!(wanted < 0.95, "{wanted}: the noise of this test tells no method from another");
    for weights in [&svd, &gls, &first] {
        let response: Complex64 = weights.factors.iter().zip(&s).map(|(f, s)| f * s).sum();
        assert!((response.norm() / norm.sqrt() - 1.0).abs() < 0.005, "{response}");
        assert!(weights.quality > 0.99, "{}", weights.quality);
    }
    assert_eq!(weights_of(CoilMethod::Gls, &Array3::default((4, COILS, 0)), &data), None);
}
