//! The mathematics of the fit against independent referees: finite differences, long transforms,
//! other start values, known truth.

use num_complex::Complex64;
use requant::engine::{Batch, CpuEngine, Engine};
use requant::fit::map::columns::{PhaseColumns, n_columns, parameter_of_column};
use requant::fit::map::evaluation::Evaluation;
use requant::fit::map::normal::{DataNormal, Weights, prior_cost};
use requant::fit::map::settings::{Macromolecules, RatioPriors};
use requant::fit::map::{self, Model, Settings, Workspace};
use requant::fit::start::ShiftPhase;
use requant::fit::{self, FitState};
use std::f64::consts::PI;

use crate::common::{AMPLITUDES, DWELL_S, F0_MHZ, N_POINTS, Normal, Nuisance, basis, spectrum};

fn model(change: impl FnOnce(&mut Settings)) -> Model {
    let mut settings = Settings::map().unwrap();
    change(&mut settings);
    Model::new(&basis(), N_POINTS, DWELL_S, F0_MHZ, Some(0.03), &settings).unwrap()
}

/// Parameters in general position: nothing zero, nothing symmetric.
fn parameters(model: &Model) -> Vec<f64> {
    let layout = &model.layout;
    let mut normal = Normal(7);
    let mut x: Vec<f64> = (0..layout.len()).map(|_| 0.1 * normal.next()).collect();
    for k in 0..layout.n_components {
        x[layout.amplitude(k)] = 1.0 + 0.3 * normal.next().abs();
        x[layout.shift(k)] = 0.5 * normal.next();
        x[layout.width(k)] = 2.0 + normal.next().abs();
    }
    x[layout.gauss()] = 4.0;
    x[layout.common_width()] = 2.5;
    x[layout.phi0()] = 0.3;
    x[layout.phi1()] = 0.05;
    x[layout.skew()] = 0.2;
    x[layout.flatness()] = 0.1;
    x
}

#[test]
fn every_column_of_the_jacobian_agrees_with_finite_differences() {
    let model = model(|s| {
        s.priors.skew_sd = 0.6;
        s.priors.flatness_sd = 0.3;
    });
    let data: Vec<Complex64> = model.band.window_from_fid(&spectrum(Nuisance::default()));
    let x = parameters(&model);
    let n = model.band.n_window();
    let mut evaluation = Evaluation::new(&model);
    evaluation.columns(&model, &x, &data, PhaseColumns::FromData);
    let columns = evaluation.exact_columns().to_vec();
    for j in 0..n_columns(&model) - 1 {
        let parameter = parameter_of_column(&model.layout, j);
        // Central differences: truncation error ~ h², rounding ~ 1e-16/h; both below 1e-6 here.
        let h = 1e-4;
        let mut residual_at = |step: f64| {
            let mut moved = x.clone();
            moved[parameter] += step;
            evaluation.residual_sum_of_squares(&model, &moved, &data);
            evaluation.residual().to_vec()
        };
        let (up, down) = (residual_at(h), residual_at(-h));
        let column = &columns[j * n..(j + 1) * n];
        let size = column.iter().fold(0.0_f64, |m, v| m.max(v.abs()));
        assert!(size > 0.0, "column {j} is empty");
        for p in 0..n {
            // The residual is data minus model: its derivative is minus the column.
            let difference = -(up[p] - down[p]) / (2.0 * h);
            assert!((difference - column[p]).abs() < 1e-5 * size, "column {j}, bin {p}: {difference} {}", column[p]);
        }
    }
}

#[test]
fn the_columns_for_steps_are_those_that_are_reported_in_single_precision() {
    let model = model(|s| s.priors.flatness_sd = 0.3);
    let data: Vec<Complex64> = model.band.window_from_fid(&spectrum(Nuisance::default()));
    let (x, n) = (parameters(&model), model.band.n_window());
    let mut evaluation = Evaluation::new(&model);
    for phase in [PhaseColumns::FromData, PhaseColumns::FromModel] {
        evaluation.columns(&model, &x, &data, phase);
        let exact = evaluation.exact_columns().to_vec();
        let quick = evaluation.quick_columns(&model, &x, &data, phase);
        for (j, (exact, quick)) in exact.chunks(n).zip(quick.chunks(n)).enumerate() {
            let size = exact.iter().fold(0.0_f64, |m, v| m.max(v.abs()));
            for (a, b) in exact.iter().zip(quick) {
                // A transform of a thousand samples in single precision: some units in the last of its 24 bits.
                assert!((a - f64::from(*b)).abs() < 3e-6 * size, "column {j}: {a} {b}");
            }
        }
    }
}

#[test]
fn the_gradient_of_the_whole_objective_agrees_with_finite_differences() {
    let model = model(|s| {
        s.priors.skew_sd = 0.6;
        s.priors.flatness_sd = 0.3;
    });
    let mut data: Vec<Complex64> = model.band.window_from_fid(&spectrum(Nuisance::default()));
    // To the size that the solver works with, or the differences drown in rounding.
    let tallest = data.iter().map(|z| z.norm()).fold(0.0, f64::max);
    data.iter_mut().for_each(|z| *z *= 10.0 / tallest);
    let x = parameters(&model);
    let weights = Weights {
        variance: 3.0,
        lambda: 20.0,
        rows: vec![0.7; model.rows.len()],
        volume: [0.3, -0.2],
        kernel_share: 0.4,
    };
    let mut evaluation = Evaluation::new(&model);
    let mut objective = |x: &[f64]| {
        evaluation.residual_sum_of_squares(&model, x, &data) / weights.variance + prior_cost(&model, x, &weights)
    };
    let m = model.layout.len();
    let differences: Vec<f64> = (0..m)
        .map(|i| {
            let h = 1e-5;
            let mut up = x.clone();
            let mut down = x.clone();
            up[i] += h;
            down[i] -= h;
            (objective(&up) - objective(&down)) / (2.0 * h)
        })
        .collect();
    let mut normal = DataNormal::new(&model);
    evaluation.columns(&model, &x, &data, PhaseColumns::FromData);
    normal.assemble_exact(&model, &x, &mut evaluation);
    let (mut h, mut g) = (vec![0.0; m * m], vec![0.0; m]);
    normal.penalised(&model, &x, &weights, &mut h, &mut g);
    for i in 0..m {
        // g is half the falling gradient.
        let scale = differences[i].abs().max(1.0);
        assert!(
            (-2.0 * g[i] - differences[i]).abs() < 1e-4 * scale,
            "parameter {i}: {} {}",
            -2.0 * g[i],
            differences[i]
        );
    }
}

#[test]
fn the_short_transform_of_the_band_agrees_with_the_long_one() {
    // Shifts and widths up to 30 Hz move nothing across the margin: 1e-5 of the tallest point.
    let model = model(|s| s.components.macromolecules = Macromolecules::None);
    let set = basis();
    for (shift_hz, width_hz, gauss_hz) in [(0.0, 0.0, 0.5), (7.0, 3.0, 5.0), (-30.0, 2.0, 12.0), (20.0, 30.0, 1.0)] {
        let mut x = vec![0.0; model.layout.len()];
        x[model.layout.gauss()] = gauss_hz;
        for k in 0..set.metabolites.len() {
            x[model.layout.amplitude(k)] = AMPLITUDES[k];
            x[model.layout.shift(k)] = shift_hz;
            x[model.layout.width(k)] = width_hz;
        }
        let exact_fid: Vec<Complex64> = (0..N_POINTS)
            .map(|n| {
                let t = n as f64 * DWELL_S;
                let decay = -PI * width_hz * t - (PI * gauss_hz * t).powi(2) / (4.0 * std::f64::consts::LN_2);
                let clean: Complex64 = (0..set.metabolites.len()).map(|k| set.fids[(k, n)] * AMPLITUDES[k]).sum();
                clean * Complex64::from_polar(decay.exp(), 2.0 * PI * shift_hz * t)
            })
            .collect();
        let exact = model.band.window_from_fid(&exact_fid);
        let zero = vec![Complex64::default(); exact.len()];
        let mut evaluation = Evaluation::new(&model);
        evaluation.residual_sum_of_squares(&model, &x, &zero);
        let short: Vec<f64> = evaluation.residual().iter().map(|r| -r).collect();
        // Internal units differ by one factor.
        let top = (0..exact.len()).max_by(|&a, &b| exact[a].re.total_cmp(&exact[b].re)).unwrap();
        let factor = exact[top].re / short[top];
        for p in 0..exact.len() {
            let error = (short[p] * factor - exact[p].re).abs() / exact[top].re;
            assert!(error < 1e-5, "shift {shift_hz} width {width_hz}: bin {p} off by {error:e}");
        }
    }
}

#[test]
fn known_amplitudes_come_back_within_their_errors() {
    // Nuisances inside the model, no ratio rows, no components that the data lack: errors over reported
    // standard deviations must be those of a standard normal. With 60 × 8 values the standard error of
    // their rms is 3 % (amplitudes correlate within a spectrum: allow three times that).
    let model = model(|s| {
        s.components.macromolecules = Macromolecules::None;
        s.components.lipids = false;
        s.priors.ratios = RatioPriors::None;
    });
    let fids: Vec<Vec<Complex64>> = (0..60)
        .map(|i| {
            let i = i as f64;
            spectrum(Nuisance {
                shift_hz: -12.0 + 0.4 * i,
                phi0_rad: -3.0 + 0.1 * i,
                lorentz_hz: 1.0 + 0.02 * i,
                gauss_hz: 3.0 + 0.1 * i,
                noise_sd: 0.5,
                seed: 100 + i as u64,
            })
        })
        .collect();
    let model = fit::Model::from(model);
    let results = CpuEngine.fit(&Batch::of(&model, fids.iter().map(Vec::as_slice)));
    let mut scores = Vec::new();
    for fit in results.iter().map(|f| &f.result) {
        assert_eq!(fit.state, FitState::Converged);
        for (k, truth) in AMPLITUDES.iter().enumerate() {
            let a = &fit.amplitudes[k];
            assert!(a.sd_noise > 0.0 && a.sd_posterior > 0.0);
            scores.push((a.value - truth) / a.sd_posterior);
        }
    }
    let rms = (scores.iter().map(|z| z * z).sum::<f64>() / scores.len() as f64).sqrt();
    assert!((0.85..1.15).contains(&rms), "rms of error over sd: {rms}");
}

#[test]
fn the_solution_does_not_depend_on_where_the_solver_starts() {
    // The kernel and broad components that rest at zero have several minima of nearly one depth; without them there is one.
    // With broad components starts that differ lead up to 0.14 sd apart, measured.
    every_start_ends_alike(
        |s| {
            s.priors.kernel_scale = 0.0;
            s.components.macromolecules = Macromolecules::None;
            s.components.lipids = false;
        },
        0.1,
    );
    every_start_ends_alike(|s| s.priors.kernel_scale = 0.0, 0.2);
}

fn every_start_ends_alike(change: impl FnOnce(&mut Settings), most: f64) {
    let model = model(change);
    let fid = spectrum(Nuisance::default());
    let mut workspace = Workspace::new(&model);
    let usual = map::fit(&model, &fid, &mut workspace);
    for (shift, phase) in [(-1.0, -0.2), (1.5, 0.3), (0.5, -0.5)] {
        let base = model.shift_and_phase(&fid);
        let start = ShiftPhase { shift_hz: base.shift_hz + shift, phi0_rad: base.phi0_rad + phase };
        let other = map::fit_from(&model, &fid, start, &mut workspace);
        for (a, b) in
            usual.amplitudes.iter().zip(&other.amplitudes).filter(|(a, _)| a.is_sum || a.value > 2.0 * a.sd_posterior)
        {
            let moved = (a.value - b.value).abs() / a.sd_posterior;
            // σ² and the scales of the soft rows are frozen on the way, so the path leaves a trace.
            assert!(moved < most, "{} moved by {moved} sd from another start", a.name);
        }
    }
}

#[test]
fn a_scaled_shifted_and_turned_spectrum_gives_the_same_answer() {
    // With the broad components there are several minima (see above): a tenth of a standard deviation without them.
    a_changed_spectrum_gives_the_same(
        |s| {
            s.components.macromolecules = Macromolecules::None;
            s.components.lipids = false;
        },
        0.1,
    );
    a_changed_spectrum_gives_the_same(|_| {}, 0.2);
}

fn a_changed_spectrum_gives_the_same(change: impl FnOnce(&mut Settings), most: f64) {
    let model = model(change);
    let fid = spectrum(Nuisance::default());
    let changed: Vec<Complex64> = fid
        .iter()
        .enumerate()
        .map(|(n, z)| z * Complex64::from_polar(1e-6, 2.5 + 2.0 * PI * 20.0 * n as f64 * DWELL_S))
        .collect();
    let mut workspace = Workspace::new(&model);
    let (a, b) = (map::fit(&model, &fid, &mut workspace), map::fit(&model, &changed, &mut workspace));
    assert!((b.shift_hz - a.shift_hz - 20.0).abs() < 0.05);
    for (a, b) in a.amplitudes.iter().zip(&b.amplitudes).filter(|(a, _)| a.is_sum || a.value > 2.0 * a.sd_posterior) {
        assert!((b.value * 1e6 - a.value).abs() < most * a.sd_posterior, "{}", a.name);
    }
}

#[test]
fn neighbours_and_threads_change_nothing() {
    let model = fit::Model::from(model(|_| {}));
    let mut fids: Vec<Vec<Complex64>> = (0..6).map(|s| spectrum(Nuisance { seed: s, ..Nuisance::default() })).collect();
    let run = |fids: &[Vec<Complex64>], threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let batch = Batch::of(&model, fids.iter().map(Vec::as_slice));
        pool.install(|| CpuEngine.fit(&batch))
    };
    let bits = |fit: &requant::engine::Fitted| -> Vec<u64> {
        fit.result.amplitudes.iter().map(|a| a.value.to_bits()).collect()
    };
    let alone: Vec<_> = run(&fids, 1).iter().map(bits).collect();
    assert_eq!(alone, run(&fids, 2).iter().map(bits).collect::<Vec<_>>());
    fids[2] = vec![Complex64::new(f64::NAN, 0.0); N_POINTS];
    fids[4] = vec![Complex64::default(); N_POINTS];
    let mixed = run(&fids, 2);
    assert_eq!(mixed[2].result.state, FitState::NoSignal);
    assert_eq!(mixed[4].result.state, FitState::NoSignal);
    for i in [0, 1, 3, 5] {
        assert_eq!(alone[i], bits(&mixed[i]), "spectrum {i} changed beside broken ones");
    }
}
