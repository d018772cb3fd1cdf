#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "tests")]

use std::f64::consts::{LN_2, PI};

use num_complex::Complex64;

use super::settings::Shape;
use super::solver::minimise;
use super::target::Target;
use super::{Model, Scale, Settings};
use crate::acquisition::hz_from_ppm;
use crate::fit::band::BandError;
use crate::fit::model_error::ModelError;
use crate::fit::{FitResult, Method};
use crate::quantify::{packed, ratios_to_creatine};
use crate::random::Random;

const F0_MHZ: f64 = 123.2;
const DWELL_S: f64 = 4e-4;
const N_POINTS: usize = 2048;

fn settings() -> Settings {
    let Method::Peaks(settings) = Method::built_in("gannet").unwrap().unwrap() else { unreachable!("its family") };
    *settings
}

fn targets() -> [Target; 2] {
    let settings = settings();
    let target = |t| Target::new(t, settings.line_broadening_hz, N_POINTS, DWELL_S, F0_MHZ).unwrap();
    [target(&settings.difference), target(settings.creatine.as_ref().unwrap())]
}

/// Places, widths (ppm) and phase (rad) away from the start and within bounds.
fn elsewhere(target: &Target) -> Vec<f64> {
    let inside = |(k, [low, high]): (usize, [f64; 2])| low + (high - low) * [0.35, 0.6][k % 2];
    target.bounds().into_iter().enumerate().map(inside).collect()
}

#[test]
fn derivatives_are_those_of_the_columns() {
    for target in targets() {
        let p = elsewhere(&target);
        let rows = target.n_rows();
        let columns = target.columns(&p);
        let n_peaks = target.peaks.len();
        // Places and widths move one column each, the phase all of them.
        let pairs = (0..2 * n_peaks).map(|j| (j, j / 2)).chain((0..n_peaks).map(|k| (2 * n_peaks, k)));
        for (j, k) in pairs.filter(|&(j, _)| target.bounds()[j][0] < target.bounds()[j][1]) {
            const STEP: f64 = 1e-6;
            let at = |step: f64| {
                let mut moved = p.clone();
                moved[j] += step;
                target.columns(&moved).linear[k * rows..(k + 1) * rows].to_vec()
            };
            let (of, i) = if j < 2 * n_peaks { (&columns.derivatives, j) } else { (&columns.by_phase, k) };
            let own = &of[i * rows..(i + 1) * rows];
            let tallest = own.iter().fold(0.0, |m: f64, v| m.max(v.abs()));
            for ((up, down), d) in at(STEP).iter().zip(at(-STEP)).zip(own) {
                assert!(((up - down) / (2.0 * STEP) - d).abs() < 1e-6 * tallest, "parameter {j}");
            }
        }
    }
}

#[test]
fn a_window_of_the_model_is_found_exactly() {
    for target in targets() {
        let (p, rows) = (elsewhere(&target), target.n_rows());
        let c: Vec<f64> =
            (0..target.n_linear()).map(|k| if k < target.peaks.len() { 2.0 + k as f64 } else { 30.0 }).collect();
        let mut y = vec![0.0; rows];
        for (column, c) in target.columns(&p).linear.chunks_exact(rows).zip(&c) {
            y.iter_mut().zip(column).for_each(|(y, v)| *y += c * v);
        }
        // What lies in a region without weight does not matter much.
        let solution = minimise(&target, &y, 400, 1e-14).unwrap();
        assert!(solution.converged);
        for (found, wanted) in solution.p.iter().zip(&p).chain(solution.c.iter().zip(&c)) {
            assert!((found - wanted).abs() <= 1e-6 * wanted.abs(), "{found} {wanted}");
        }
    }
}

/// An FID whose broadened spectrum holds these peaks: signal at t = 0, place (ppm), FWHM (ppm) after broadening.
fn fid(peaks: &[(Shape, f64, f64, f64)], shift_hz: f64, phase_rad: f64) -> Vec<Complex64> {
    let broadening_hz = settings().line_broadening_hz;
    (0..N_POINTS)
        .map(|n| {
            let t = n as f64 * DWELL_S;
            let sum: Complex64 = peaks
                .iter()
                .map(|&(shape, signal, ppm, fwhm_ppm)| {
                    let width_hz = fwhm_ppm * F0_MHZ;
                    let decay = match shape {
                        Shape::Gaussian => (PI * width_hz * t).powi(2) / (4.0 * LN_2),
                        Shape::Lorentzian => PI * width_hz * t,
                    };
                    let size = signal * (PI * broadening_hz * t - decay).exp();
                    Complex64::from_polar(size, 2.0 * PI * (hz_from_ppm(ppm, F0_MHZ) + shift_hz) * t)
                })
                .sum();
            sum * Complex64::from_polar(1.0, phase_rad)
        })
        .collect()
}

const NAA: (Shape, f64, f64, f64) = (Shape::Lorentzian, -9.0, 2.01, 0.07);
const EDITED: [(Shape, f64, f64, f64); 4] = [
    NAA,
    (Shape::Gaussian, 2.0, 3.01, 0.16),
    (Shape::Gaussian, 1.2, 3.715, 0.075),
    (Shape::Gaussian, 1.0, 3.795, 0.07),
];
const OFF: [(Shape, f64, f64, f64); 3] =
    [(Shape::Lorentzian, 9.0, 2.01, 0.07), (Shape::Lorentzian, 7.5, 3.03, 0.065), (Shape::Lorentzian, 4.5, 3.21, 0.06)];
/// Amplitudes of the above: (signal at t = 0)·share/(protons·efficiency·conditions).
const TRUTH: [(&str, f64); 4] =
    [("GABA+", 2.0 * 0.45 / (2.0 * 0.5 * 2.0)), ("Glx", 2.2 / (0.4 * 2.0)), ("tCho", 4.5 / 9.0), ("tCr", 7.5 / 3.0)];

/// Noise of one condition; the difference has that of both.
struct Noise(Random);

impl Noise {
    fn next(&mut self, sd: f64) -> Vec<Complex64> {
        (0..N_POINTS).map(|_| Complex64::new(self.0.normal(), self.0.normal()) * sd).collect()
    }
}

/// Difference and OFF in noise of `sd` per condition and part.
fn noisy(random: &mut Noise, sd: f64) -> [Vec<Complex64>; 2] {
    let (shift_hz, phase_rad) = (3.7, 0.6);
    let (on, off) = (random.next(sd), random.next(sd));
    let mut difference = fid(&EDITED, shift_hz, phase_rad);
    difference.iter_mut().zip(on).zip(&off).for_each(|((z, a), b)| *z += a - b);
    let mut without = fid(&OFF, shift_hz, phase_rad);
    without.iter_mut().zip(off).for_each(|(z, n)| *z += n);
    [difference, without]
}

fn fitted(model: &Model, [difference, off]: &[Vec<Complex64>; 2]) -> FitResult {
    let mut fit = model.fitter()(difference);
    assert_eq!(model.companion(), Some("off"));
    model.complete(&mut fit, difference, off);
    fit
}

#[test]
fn amplitudes_of_a_known_difference_come_back_in_the_scale_asked_for() {
    let mut random = Noise(Random::new(3, 0));
    let data = noisy(&mut random, 1e-6);
    for scale in [Scale::default(), Scale { conditions: 4, signal_per_proton: 7.0 }] {
        let model = Model::new(&settings(), N_POINTS, DWELL_S, F0_MHZ, scale).unwrap();
        let fit = fitted(&model, &data);
        assert!(
            (fit.shift_hz - 3.7).abs() < 0.2 && (fit.phi0_deg - 34.4).abs() < 3.0,
            "{} {}",
            fit.shift_hz,
            fit.phi0_deg
        );
        for (name, truth) in TRUTH {
            let is_difference = !name.starts_with("tC");
            let factor = if is_difference { 2.0 / f64::from(scale.conditions) } else { 1.0 } / scale.signal_per_proton;
            let found = fit.amplitude(name).unwrap().value / (truth * factor);
            println!("{name}: {found:.4} of the truth");
            assert!((found - 1.0).abs() < 0.02, "{name}: {found}");
        }
        let ratio = ratios_to_creatine(&fit)[0].unwrap().value;
        assert!((ratio / (fit.amplitudes[0].value / fit.amplitude("tCr").unwrap().value) - 1.0).abs() < 1e-12);
        let curves = model.curves(&data[0], &fit);
        let tallest = curves.fit.iter().fold(0.0, |m: f64, v| m.max(v.abs()));
        assert!(curves.data.iter().zip(&curves.fit).all(|(d, f)| (d - f).abs() < 0.03 * tallest));
    }
}

#[test]
fn errors_are_those_of_noise() {
    const DRAWS: usize = 300;
    let model = Model::new(&settings(), N_POINTS, DWELL_S, F0_MHZ, Scale::default()).unwrap();
    let mut random = Noise(Random::new(11, 0));
    let exact = fitted(&model, &noisy(&mut random, 1e-6));
    let fits: Vec<FitResult> = (0..DRAWS).map(|_| fitted(&model, &noisy(&mut random, 0.2))).collect();
    let rms = |errors: &dyn Fn(&FitResult) -> f64| {
        (fits.iter().map(|f| errors(f).powi(2)).sum::<f64>() / DRAWS as f64).sqrt()
    };
    for (k, (name, _)) in TRUTH.iter().enumerate() {
        let truth = exact.amplitudes[k].value;
        let by_noise = rms(&|f| (f.amplitudes[k].value - truth) / f.amplitudes[k].sd_noise);
        let by_fit = rms(&|f| (f.amplitudes[k].value - truth) / f.amplitudes[k].sd_posterior);
        let percent = 100.0 * fits[0].amplitudes[k].sd_noise / truth;
        println!("{name}: error/sd {by_noise:.3} (noise), {by_fit:.3} (fit), sd {percent:.1} %");
        assert_eq!(exact.amplitudes[k].name, *name);
        assert!((0.9..1.15).contains(&by_noise) && (0.9..1.15).contains(&by_fit), "{name}");
    }
    let (truth, ratio) = (ratios_to_creatine(&exact), |f: &FitResult| ratios_to_creatine(f)[0].unwrap());
    let of_ratio = rms(&|f| (ratio(f).value - truth[0].unwrap().value) / ratio(f).sd);
    let correlation = |f: &FitResult| {
        packed(&f.covariance, 3, 0) / (packed(&f.covariance, 0, 0) * packed(&f.covariance, 3, 3)).sqrt()
    };
    let residual = fits.iter().map(|f| f.residual_over_noise).sum::<f64>() / DRAWS as f64;
    let observed = {
        let z =
            |f: &FitResult, k: usize| (f.amplitudes[k].value - exact.amplitudes[k].value) / f.amplitudes[k].sd_noise;
        fits.iter().map(|f| z(f, 0) * z(f, 3)).sum::<f64>() / DRAWS as f64
    };
    println!(
        "ratio: error/sd {of_ratio:.3}; correlation with creatine {:.3}, observed {observed:.3}; residual/noise {residual:.3}",
        correlation(&fits[0])
    );
    assert!((0.9..1.15).contains(&of_ratio));
    assert!((correlation(&fits[0]) - observed).abs() < 0.15);
    assert!((residual - 1.0).abs() < 0.03);
    let converged = fits.iter().filter(|f| f.state == crate::fit::FitState::Converged).count();
    assert_eq!(converged, DRAWS);
}

#[test]
fn bounds_hold_to_the_end() {
    let model = Model::new(&settings(), N_POINTS, DWELL_S, F0_MHZ, Scale::default()).unwrap();
    let mut random = Noise(Random::new(5, 0));
    let mut off_place = EDITED;
    (off_place[1].2, off_place[1].3) = (3.10, 0.40);
    let mut data = fid(&off_place, 0.0, 0.0);
    data.iter_mut().zip(random.next(0.01)).for_each(|(z, n)| *z += n);
    let fit = model.fitter()(&data);
    let gaba = fit.amplitude("GABA+").unwrap();
    assert!((gaba.shift_hz.unwrap() + 0.05 * F0_MHZ).abs() < 1e-9, "{gaba:?}");
    assert!(gaba.sd_noise > 0.0 && gaba.sd_noise.is_finite());
}

#[test]
fn nothing_and_noise_are_no_panic() {
    let model = Model::new(&settings(), N_POINTS, DWELL_S, F0_MHZ, Scale::default()).unwrap();
    let nothing = vec![Complex64::default(); N_POINTS];
    assert!(model.fitter()(&nothing).amplitudes.is_empty());
    assert!(model.fitter()(&nothing[..100]).amplitudes.is_empty());
    assert!(model.curves(&nothing, &model.fitter()(&nothing)).fit.is_empty());
    let noise = Noise(Random::new(1, 0)).next(1.0);
    let mut fit = model.fitter()(&noise);
    let alone = fit.amplitudes.len();
    model.complete(&mut fit, &noise, &nothing);
    assert_eq!((alone, fit.amplitudes.len(), fit.covariance.len()), (2, 2, 3));
    let sizes: Vec<f64> = fit.amplitudes.iter().map(|a| a.value.abs() / a.sd_noise).collect();
    assert!(sizes.iter().all(|s| *s < 5.0), "{sizes:?}");
    let few = Model::new(&settings(), 64, DWELL_S, F0_MHZ, Scale::default()).err();
    assert!(matches!(few, Some(ModelError::Band(BandError::TooFewPoints { .. }))), "{few:?}");
    let narrow = Model::new(&settings(), N_POINTS, 5e-3, F0_MHZ, Scale::default()).err();
    assert!(matches!(narrow, Some(ModelError::Band(BandError::OutsideSpectrum { .. }))), "{narrow:?}");
}
