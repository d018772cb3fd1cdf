//! The soft ratio priors of a model: usual ratios, and the ties of the macromolecule pattern.

use super::component::{Component, Origin};
use super::settings::{RatioPriors, Settings};
use crate::basis::names::Kind;
use crate::fit::prior::{RatioRow, RowKind, Yields, minus};
use crate::fit::usual_ratios::{BEYOND_LCMODEL, LCMODEL, ratio_rows};

/// Rows that hold for these components, whose tallest points at amplitude 1 and usual widths are `heights`.
pub(crate) fn rows(
    components: &[Component],
    heights: &[f64],
    settings: &Settings,
    f0_mhz: f64,
    te_s: Option<f64>,
) -> Vec<RatioRow> {
    let mut rows = match settings.priors.ratios {
        tables @ (RatioPriors::Lcmodel | RatioPriors::Usual) => {
            let takes_part = |c: &Component| !matches!(c.origin, Origin::BesideMeasured | Origin::Pattern { .. });
            let names: Vec<_> = components.iter().map(|c| takes_part(c).then_some(c.name.as_str())).collect();
            let snr = settings.priors.ratio_yield_snr;
            let metabolites = (0..components.len()).filter(|&k| components[k].kind == Kind::Metabolite);
            let yields = Yields { snr, heights: metabolites.map(|k| (k, heights[k])).collect() };
            let yields = Some(&yields).filter(|_| snr > 0.0);
            let beyond: &[_] = if tables == RatioPriors::Usual { &BEYOND_LCMODEL } else { &[] };
            let rows = |table| ratio_rows(table, &names, (f0_mhz, te_s), settings.priors.ratio_sd_factor, yields);
            [rows(&LCMODEL), rows(beyond)].concat()
        }
        RatioPriors::None => Vec::new(),
    };
    pattern_rows(components, settings, &mut rows);
    beside_measured_rows(components, settings, &mut rows);
    rows
}

/// Every peak of the macromolecule pattern against the mean of its group, and every group against the mean of all: one
/// common scale, softly.
fn pattern_rows(components: &[Component], settings: &Settings, rows: &mut Vec<RatioRow>) {
    let mut groups: Vec<(usize, Vec<usize>)> = Vec::new();
    for (k, component) in components.iter().enumerate() {
        if let Origin::Pattern { group } = component.origin {
            match groups.iter_mut().find(|(g, _)| *g == group) {
                Some((_, members)) => members.push(k),
                None => groups.push((group, vec![k])),
            }
        }
    }
    let mean =
        |members: &[usize]| -> Vec<(usize, f64)> { members.iter().map(|&k| (k, 1.0 / members.len() as f64)).collect() };
    let share = 1.0 / groups.len().max(1) as f64;
    let all: Vec<(usize, f64)> =
        groups.iter().flat_map(|(_, members)| mean(members)).map(|(k, w)| (k, w * share)).collect();
    let peak_sd = settings.components.pattern_peak_sd;
    for (_, members) in groups.iter().filter(|(_, members)| members.len() > 1) {
        rows.extend(members.iter().map(|&k| RatioRow {
            label: format!("{} / its group = 1 ± {peak_sd}", components[k].name),
            terms: minus(&[(k, 1.0)], &mean(members)),
            scale_terms: all.clone(),
            sd: peak_sd,
            kind: RowKind::Pattern,
            yields: None,
        }));
    }
    for (_, members) in &groups {
        let sd = settings.components.pattern_sd;
        let (first, more) = (&components[members[0]].name, if members.len() > 1 { " and its group" } else { "" });
        rows.push(RatioRow {
            label: format!("{first}{more} / pattern = 1 ± {sd}"),
            terms: minus(&mean(members), &all),
            scale_terms: all.clone(),
            sd,
            kind: RowKind::Pattern,
            yields: None,
        });
    }
}

/// What lies beside a measured pattern is held towards zero, in units of total creatine.
fn beside_measured_rows(components: &[Component], settings: &Settings, rows: &mut Vec<RatioRow>) {
    let creatine: Vec<(usize, f64)> = (0..components.len())
        .filter(|&k| matches!(components[k].name.as_str(), "Cr" | "PCr" | "tCr"))
        .map(|k| (k, 1.0))
        .collect();
    let reference = if creatine.is_empty() {
        (0..components.len()).filter(|&k| components[k].kind == Kind::Metabolite).map(|k| (k, 0.2)).collect()
    } else {
        creatine
    };
    for (k, component) in components.iter().enumerate().filter(|(_, c)| c.origin == Origin::BesideMeasured) {
        rows.push(RatioRow {
            label: format!("{} = 0 ± {} tCr", component.name, settings.components.beside_measured_sd),
            terms: vec![(k, 1.0)],
            scale_terms: reference.clone(),
            sd: settings.components.beside_measured_sd,
            kind: RowKind::Pattern,
            yields: None,
        });
    }
}
