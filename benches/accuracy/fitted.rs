//! Fits of a set, and their rows as `requant compare` takes them.

use std::collections::BTreeMap;
use std::time::Instant;

use requant::benchmark::Set;
use requant::engine::{Batch, CpuEngine, Engine};
use requant::fit::{FitResult, FitState, Method};
use requant::quality;
use requant::store::MetaboliteRow;

use crate::load::{Case, Loaded};

/// The fits of a set, in the order of its cases.
pub struct Results {
    pub fits: Vec<FitResult>,
    /// All that warns of each spectrum.
    pub flags: Vec<Vec<String>>,
    pub rows: Vec<MetaboliteRow>,
    /// Wall time of a fit, all threads at work (ms).
    pub wall_ms: f64,
}

pub fn fit(set: &Set, loaded: &Loaded, method: &Method) -> Results {
    let mut method = method.clone();
    if let Method::Map(settings) = &mut method {
        (set.adapt)(settings);
    }
    let mut alike: BTreeMap<(usize, usize, u64, u64), Vec<usize>> = BTreeMap::new();
    for (i, case) in loaded.cases.iter().enumerate() {
        let s = &case.spectrum;
        alike.entry((case.basis, s.fid.len(), s.dwell_s.to_bits(), s.f0_mhz.to_bits())).or_default().push(i);
    }
    let mut all: Vec<Option<(FitResult, Vec<String>)>> = vec![None; loaded.cases.len()];
    let mut spent_s = 0.0;
    for members in alike.values() {
        let first: &Case = &loaded.cases[members[0]];
        let s = &first.spectrum;
        let model = method.model(&loaded.bases[first.basis], s.fid.len(), s.dwell_s, s.f0_mhz, first.te_s).unwrap();
        let fids = members.iter().map(|&i| loaded.cases[i].spectrum.fid.as_slice());
        let started = Instant::now();
        let fits = CpuEngine.fit(&Batch::of(&model, fids));
        spent_s += started.elapsed().as_secs_f64();
        for (&i, fitted) in members.iter().zip(fits) {
            let case = &loaded.cases[i];
            let mut flags = case.flags.clone();
            flags.extend(
                quality::flags(&fitted.result, model.limits(), case.spectrum.f0_mhz, model.basis_linewidth_hz())
                    .into_iter()
                    .map(str::to_owned),
            );
            if matches!(fitted.result.state, FitState::NoSignal | FitState::Singular) {
                flags.push(fitted.result.state.as_str().to_owned());
            }
            all[i] = Some((fitted.result, flags));
        }
    }
    let (fits, flags): (Vec<_>, Vec<_>) = all.into_iter().flatten().unzip();
    let rows = loaded.cases.iter().zip(&fits).flat_map(|(case, fit)| rows(&case.id, fit)).collect();
    Results { wall_ms: 1e3 * spent_s / fits.len().max(1) as f64, fits, flags, rows }
}

fn rows(id: &str, fit: &FitResult) -> Vec<MetaboliteRow> {
    let row = |a: &requant::fit::result::Amplitude| MetaboliteRow {
        spectrum_id: id.to_owned(),
        metabolite: a.name.clone(),
        is_sum: a.is_sum,
        amplitude: Some(a.value),
        sd_posterior: Some(a.sd_posterior),
        ..MetaboliteRow::default()
    };
    fit.amplitudes.iter().map(row).collect()
}
