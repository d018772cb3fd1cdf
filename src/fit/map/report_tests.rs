#![allow(clippy::unwrap_used, reason = "tests")]
use std::f64::consts::SQRT_2;

use ndarray::Axis;

use crate::basis::BasisSet;
use crate::engine::known_spectra;
use crate::fit::map::fit::fit;
use crate::fit::map::model::Model;
use crate::fit::map::problem::{Problem, Solved};
use crate::fit::map::settings::Settings;
use crate::fit::map::solver::solution;
use crate::fit::map::start::refresh_rows;
use crate::fit::map::workspace::Workspace;
use crate::fit::{FitResult, FitState};

/// The set with the line of lactate for each that is named, instead of lactate and what comes after it.
fn with_lines_of_lactate(basis: &BasisSet, named: &[&str]) -> BasisSet {
    let lactate = basis.position("Lac").unwrap();
    let rows = (0..lactate).chain(named.iter().map(|_| lactate)).collect::<Vec<_>>();
    let mut set = BasisSet { fids: basis.fids.select(Axis(0), &rows), ..basis.clone() };
    set.metabolites.truncate(lactate);
    set.metabolites.extend(named.iter().map(|&name| name.to_owned()));
    set
}

fn sd_noise(fit: &FitResult, name: &str) -> f64 {
    fit.amplitudes.iter().find(|a| a.name == name).unwrap().sd_noise
}

/// Two metabolites of one spectrum, which their usual ratios tell apart and data never do: the fit holds, errors in noise alone
/// are large for each of them, and what others have stays what it is.
#[test]
fn what_data_do_not_tell_has_a_huge_error_and_costs_no_fit() {
    let (basis, fids) = known_spectra(1);
    let settings = Settings::map().unwrap();
    let fitted = |named: &[&str]| {
        let basis = with_lines_of_lactate(&basis, named);
        let model = Model::new(&basis, fids[0].len(), basis.dwell_s, basis.f0_mhz, None, &settings).unwrap();
        fit(&model, &fids[0], &mut Workspace::new(&model))
    };
    let (one, two) = (fitted(&["GABA"]), fitted(&["GABA", "Asp"]));
    assert_eq!([one.state, two.state], [FitState::Converged; 2]);
    assert!((two.chi2_reduced - one.chi2_reduced).abs() < 0.05, "{} and {}", two.chi2_reduced, one.chi2_reduced);
    let posterior = |fit: &FitResult, name: &str| fit.amplitudes.iter().find(|a| a.name == name).unwrap().sd_posterior;
    for name in ["GABA", "Asp"] {
        let (alone, of_two) = (sd_noise(&one, "GABA"), sd_noise(&two, name));
        // Own shifts and widths tell the two apart a little; at the same ones (below) the errors are a thousand times as large.
        assert!(of_two > 5.0 * alone, "{name}: {of_two} and {alone}");
        assert!(posterior(&two, name) < 100.0 * posterior(&one, "GABA"), "{name}");
    }
    for name in ["NAA", "Glu", "Ins"] {
        let ratio = sd_noise(&two, name) / sd_noise(&one, name);
        assert!((ratio - 1.0).abs() < 0.05, "{name}: {ratio}");
    }
}

/// The same at one and the same solution, its line shared by the two: errors of all others stay what they are.
#[test]
fn the_errors_of_others_stay_what_they_are() {
    let (basis, fids) = known_spectra(1);
    let settings = Settings::map().unwrap();
    let model = |named: &[&str]| {
        let basis = with_lines_of_lactate(&basis, named);
        Model::new(&basis, fids[0].len(), basis.dwell_s, basis.f0_mhz, None, &settings).unwrap()
    };
    let (one, mut two) = (model(&["GABA"]), model(&["GABA", "Asp"]));
    // Priors of both together on shift and width as of one: each of the two tells the common ones something.
    let alone = one.components.iter().find(|c| c.name == "GABA").unwrap();
    for each in two.components.iter_mut().filter(|c| ["GABA", "Asp"].contains(&c.name.as_str())) {
        (each.shift_sd_hz, each.width_sd_hz) = (SQRT_2 * alone.shift_sd_hz, SQRT_2 * alone.width_sd_hz);
    }
    let mut workspace = Workspace::new(&one);
    let problem = Problem::new(&one, &fids[0]).unwrap();
    let solved = solution(&one, &problem, &mut workspace);
    let of_one = problem.finish(&one, &solved, &mut workspace);

    let (from, to) = (&one.layout, &two.layout);
    let mut x = vec![0.0; to.len()];
    x[to.common_shift()..].copy_from_slice(&solved.x[from.common_shift()..]);
    for (k, component) in two.components.iter().enumerate() {
        let name = if component.name == "Asp" { "GABA" } else { component.name.as_str() };
        let source = one.components.iter().position(|c| c.name == name).unwrap();
        let share = if name == "GABA" { 0.5 } else { 1.0 };
        x[to.amplitude(k)] = share * one.basis_scale / two.basis_scale * solved.x[from.amplitude(source)];
        x[to.shift(k)] = solved.x[from.shift(source)];
        x[to.width(k)] = solved.x[from.width(source)];
    }
    let mut weights = solved.weights.clone();
    weights.rows = vec![0.0; two.rows.len()];
    refresh_rows(&two, &x, &mut weights);
    let of_two = problem.finish(&two, &Solved { x, weights, ..solved }, &mut Workspace::new(&two));
    assert_eq!([of_one.state, of_two.state], [FitState::Converged; 2]);
    assert!(sd_noise(&of_two, "GABA") > 1e3 * sd_noise(&of_one, "GABA"));
    for one in of_one.amplitudes.iter().filter(|a| a.name != "GABA" && !a.is_sum) {
        let ratio = sd_noise(&of_two, &one.name) / one.sd_noise;
        // 0.002 at most, whatever `RIDGE` is from 1e-13 to 1e-8.
        assert!((ratio - 1.0).abs() < 0.005, "{}: {ratio}", one.name);
    }
}
