#![allow(clippy::unwrap_used, reason = "tests")]
use ndarray::Axis;

use crate::engine::known_spectra;
use crate::fit::map::fit::fit;
use crate::fit::map::model::Model;
use crate::fit::map::settings::{Settings, Smoothness};
use crate::fit::map::workspace::Workspace;
use crate::fit::{FitResult, FitState};

/// Two metabolites of one spectrum, which their usual ratios tell apart and data never do: the fit holds, errors in noise alone
/// are huge for each of them, and below a third of its amplitude for major others.
#[test]
fn what_data_do_not_tell_has_a_huge_error_and_costs_no_fit() {
    let (basis, fids) = known_spectra(1);
    let mut settings = Settings::map().unwrap();
    // The same baseline in both.
    settings.baseline.smoothness = Smoothness::Fixed(1000.0);
    // Each with the line that lactate has.
    let fitted = |named: &[&str]| {
        let mut basis = basis.clone();
        let lactate = basis.position("Lac").unwrap();
        let rows = (0..lactate).chain(named.iter().map(|_| lactate)).collect::<Vec<_>>();
        basis.fids = basis.fids.select(Axis(0), &rows);
        basis.metabolites.truncate(lactate);
        basis.metabolites.extend(named.iter().map(|&name| name.to_owned()));
        let model = Model::new(&basis, fids[0].len(), basis.dwell_s, basis.f0_mhz, None, &settings).unwrap();
        fit(&model, &fids[0], &mut Workspace::new(&model))
    };
    let (one, two) = (fitted(&["GABA"]), fitted(&["GABA", "Asp"]));
    assert_eq!([one.state, two.state], [FitState::Converged; 2]);
    let of = |fit: &FitResult, name: &str| fit.amplitudes.iter().find(|a| a.name == name).cloned().unwrap();
    for name in ["GABA", "Asp"] {
        let (alone, of_two) = (of(&one, "GABA"), of(&two, name));
        assert!(of_two.sd_noise > 1e3 * alone.sd_noise, "{name}: {} and {}", of_two.sd_noise, alone.sd_noise);
        assert!(of_two.sd_posterior < 100.0 * alone.sd_posterior, "{name}: {}", of_two.sd_posterior);
    }
    for name in ["NAA", "Glu", "Ins"] {
        let amplitude = of(&two, name);
        assert!(amplitude.sd_noise < 0.3 * amplitude.value, "{name}: {} of {}", amplitude.sd_noise, amplitude.value);
    }
}
