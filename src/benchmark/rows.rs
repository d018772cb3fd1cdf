//! Results as rows of the table `benchmark`.

use super::robust::MAJORS;
use super::score::{Errors, INTERVALS};
use super::{Entry, SetResult};
use crate::compare::figure::Figure;
use crate::compare::table::truth_rows;
use crate::store::BenchmarkRow;

/// Name under which figures over all metabolites stand.
const ALL: &str = "all";

/// The rows of a set.
pub fn rows(result: &SetResult) -> Vec<BenchmarkRow> {
    result.entries.iter().flat_map(|entry| entry_rows(&result.set.name, entry)).collect()
}

fn entry_rows(set: &str, entry: &Entry) -> Vec<BenchmarkRow> {
    let base = BenchmarkRow {
        set: set.to_owned(),
        condition: entry.condition.clone(),
        method: entry.method.clone(),
        program: if entry.is_peer { "peer" } else { "requant" }.to_owned(),
        metabolite: ALL.to_owned(),
        n: u32::try_from(entry.scored.n).ok(),
        ..BenchmarkRow::default()
    };
    let told = |figure: &str, unit: &str, value: f64| BenchmarkRow {
        figure: figure.to_owned(),
        unit: unit.to_owned(),
        value: Some(value).filter(|v| v.is_finite()),
        ..base.clone()
    };
    let mut rows = vec![told("scale", "", entry.scored.scale)];
    rows.push(told("fitted", "spectra", entry.scored.n_found as f64));
    for (aligned, errors) in [(false, &entry.scored.plain), (true, &entry.scored.aligned)] {
        error_rows(&mut rows, &BenchmarkRow { aligned: Some(aligned), ..base.clone() }, errors);
    }
    robust_rows(&mut rows, &base, entry);
    if let Some(ratio) = &entry.to_best_peer {
        let base = BenchmarkRow { aligned: Some(true), ..base.clone() };
        rows.push(with(&base, "summed_squared_error_ratio_to_best_peer", "", ratio));
    }
    for row in entry.comparison.iter().flat_map(|c| truth_rows(&entry.method, c)) {
        let finite = |v: Option<f64>| v.filter(|v| v.is_finite());
        rows.push(BenchmarkRow {
            metabolite: row.metabolite,
            aligned: Some(false),
            unit: if row.unit.is_empty() { String::new() } else { "truth".to_owned() },
            figure: row.figure,
            value: finite(row.value),
            low: finite(row.low),
            high: finite(row.high),
            n: row.n,
            ..base.clone()
        });
    }
    if let Some(s) = &entry.states {
        let count = |figure: &str, unit: &str, n: usize| told(figure, unit, n as f64);
        rows.push(count("failed", "spectra", s.failed));
        rows.push(count("flagged", "spectra", s.warned));
        rows.extend(s.states.iter().map(|(state, n)| count(&format!("state_{state}"), "spectra", *n)));
        rows.extend(s.flags.iter().map(|(flag, n)| count(&format!("flag_{flag}"), "spectra", *n)));
        rows.push(count("wrong", "amplitudes", s.wrong));
        rows.push(count("wrong_with_warning", "amplitudes", s.wrong_with_warning));
    }
    if let Some(time) = &entry.time {
        rows.extend(time.cpu_ms.map(|ms| told("cpu_ms", "ms", ms)));
        rows.push(told("wall_ms", "ms", time.wall_ms));
    }
    rows
}

/// What a mean hides.
fn robust_rows(rows: &mut Vec<BenchmarkRow>, base: &BenchmarkRow, entry: &Entry) {
    let robust = &entry.robust;
    let told = |metabolite: &str, figure: &str, unit: &str, value: f64| BenchmarkRow {
        metabolite: metabolite.to_owned(),
        figure: figure.to_owned(),
        unit: unit.to_owned(),
        value: Some(value).filter(|v| v.is_finite()),
        ..base.clone()
    };
    rows.push(told(ALL, "astray", "spectra", robust.bad as f64));
    rows.extend(robust.silent.map(|silent| told(ALL, "astray_without_flag", "spectra", silent as f64)));
    for (name, major) in MAJORS.iter().zip(&robust.majors).filter_map(|(name, major)| Some((name, major.as_ref()?))) {
        let [slope, error] = major.slope_percent_per_hz;
        rows.push(told(name, "robust_rms", "%", major.robust_rms_percent));
        if slope.is_finite() {
            rows.push(told(name, "slope_on_lorentz", "%/Hz", slope));
            rows.push(told(name, "slope_on_lorentz_se", "%/Hz", error));
        }
    }
}

/// What `requant compare` does not tell: with a common factor taken out, relative, and over all metabolites.
fn error_rows(rows: &mut Vec<BenchmarkRow>, base: &BenchmarkRow, errors: &Errors) {
    let plain = |figure: &str, value: f64| {
        let value = Some(value).filter(|v| v.is_finite());
        BenchmarkRow { figure: figure.to_owned(), value, ..base.clone() }
    };
    rows.push(with(base, "summed_squared_error_mean", "truth²", &errors.mean));
    rows.push(with(base, "summed_squared_error_median", "truth²", &errors.median));
    rows.push(plain("error_over_sd", errors.error_over_sd));
    rows.push(plain("error_over_sd_robust", errors.error_over_sd_robust));
    for ((nominal, _), figure) in INTERVALS.iter().zip(&errors.coverage) {
        rows.push(with(base, &format!("coverage_{:.0}", 100.0 * nominal), "", figure));
    }
    for member in &errors.members {
        let n = u32::try_from(member.n).ok();
        let own = BenchmarkRow { metabolite: member.name.clone(), n, ..base.clone() };
        rows.push(with(&own, "relative_rmse", "", &member.relative_rmse));
        rows.push(with(&own, "relative_bias", "", &member.relative_bias));
        if base.aligned == Some(true) {
            let value = Some(member.error_over_sd).filter(|v| v.is_finite());
            rows.push(BenchmarkRow { figure: "error_over_sd".to_owned(), value, ..own });
        }
    }
}

fn with(base: &BenchmarkRow, figure: &str, unit: &str, f: &Figure) -> BenchmarkRow {
    let finite = |v: f64| Some(v).filter(|v| v.is_finite());
    BenchmarkRow {
        figure: figure.to_owned(),
        unit: unit.to_owned(),
        value: finite(f.value),
        low: finite(f.interval.0),
        high: finite(f.interval.1),
        ..base.clone()
    }
}
