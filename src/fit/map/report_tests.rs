#![allow(clippy::unwrap_used, reason = "tests")]
use ndarray::{Axis, concatenate, s};

use crate::engine::known_spectra;
use crate::fit::FitState;
use crate::fit::map::fit::fit;
use crate::fit::map::model::Model;
use crate::fit::map::settings::Settings;
use crate::fit::map::workspace::Workspace;

/// Two metabolites of one spectrum, which their usual ratios tell apart and data never do: the fit holds, errors in noise alone
/// are huge for each of them and as usual for all others.
#[test]
fn what_data_do_not_tell_has_a_huge_error_and_costs_no_fit() {
    let (mut basis, fids) = known_spectra(1);
    let settings = Settings::map().unwrap();
    let fitted = |basis: &_| {
        let model = Model::new(basis, fids[0].len(), 5e-4, 123.2, None, &settings).unwrap();
        fit(&model, &fids[0], &mut Workspace::new(&model))
    };
    let usual = fitted(&basis);
    // Two that have usual ratios, each with the line that lactate has.
    let line = basis.fids.slice(s![basis.position("Lac").unwrap().., ..]).slice(s![..1, ..]).to_owned();
    let others = basis.fids.slice(s![..7, ..]).to_owned();
    basis.fids = concatenate![Axis(0), others, line, line];
    basis.metabolites = basis.metabolites[..7].iter().cloned().chain(["GABA", "Asp"].map(str::to_owned)).collect();
    let found = fitted(&basis);
    assert_ne!(found.state, FitState::Singular);
    let of = |fit: &crate::fit::FitResult, name: &str| fit.amplitudes.iter().find(|a| a.name == name).cloned().unwrap();
    for name in ["GABA", "Asp"] {
        let amplitude = of(&found, name);
        assert!(amplitude.sd_noise > 1e3 * of(&usual, "Lac").sd_noise, "{name}: {}", amplitude.sd_noise);
        assert!(amplitude.sd_posterior < 100.0 * of(&usual, "Lac").sd_posterior, "{name}: {}", amplitude.sd_posterior);
    }
    for name in ["NAA", "Glu", "Ins"] {
        let ratio = of(&found, name).sd_noise / of(&usual, name).sd_noise;
        assert!((ratio - 1.0).abs() < 0.2, "{name}: {ratio}");
    }
}
