//! Comparisons as rows of a table.

use super::figure::Figure;
use super::{Agreement, Comparison, Differences, Factor, Source, Variance};
use crate::store::ComparisonRow;

fn row(metabolite: &str, source: &str, reference: Option<&str>, n: usize) -> ComparisonRow {
    ComparisonRow {
        metabolite: metabolite.to_owned(),
        source: source.to_owned(),
        reference: reference.map(str::to_owned),
        n: u32::try_from(n).ok(),
        ..ComparisonRow::default()
    }
}

const OWN_UNIT: &str = "column";

/// Rows of a source against the truth.
pub fn truth_rows(source: &str, comparison: &Comparison) -> Vec<ComparisonRow> {
    let figures = |s: &super::Score| {
        [
            ("bias", OWN_UNIT, s.bias, Some(s.bias_interval)),
            ("rmse", OWN_UNIT, s.rmse, None),
            ("correlation", "", s.correlation.unwrap_or(f64::NAN), None),
            ("error_over_sd", "", s.error_over_sd, None),
            ("coverage_50", "", s.coverage[0], None),
            ("coverage_90", "", s.coverage[1], None),
            ("coverage_95", "", s.coverage[2], None),
        ]
    };
    comparison
        .scores
        .iter()
        .flat_map(|s| figures(s).map(|f| (s, f)))
        .map(|(s, (figure, unit, value, interval))| ComparisonRow {
            figure: figure.to_owned(),
            unit: unit.to_owned(),
            value: Some(value),
            low: interval.map(|i| i.0),
            high: interval.map(|i| i.1),
            ..row(&s.metabolite, source, Some("truth"), s.n)
        })
        .collect()
}

fn told(base: ComparisonRow, figure: &str, unit: &str, f: &Figure) -> ComparisonRow {
    ComparisonRow {
        figure: figure.to_owned(),
        unit: unit.to_owned(),
        value: Some(f.value),
        low: Some(f.interval.0),
        high: Some(f.interval.1),
        ..base
    }
}

/// What stands for all sources together.
fn all_of(sources: &[Source]) -> String {
    sources.iter().map(|s| s.label.as_str()).collect::<Vec<_>>().join(",")
}

/// Rows of sources against one another.
pub fn agreement_rows(sources: &[Source], agreements: &[Agreement]) -> Vec<ComparisonRow> {
    let all = all_of(sources);
    let mut rows = Vec::new();
    for a in agreements {
        let over_all = row(&a.metabolite, &all, None, a.n);
        rows.push(told(over_all.clone(), "icc_2_1", "", &a.icc));
        rows.push(told(over_all, "cv", "", &a.cv));
        for b in &a.between {
            let pair = row(&a.metabolite, &sources[b.sources.1].label, Some(&sources[b.sources.0].label), a.n);
            rows.push(told(pair.clone(), "bias", OWN_UNIT, &b.bias));
            rows.push(told(pair.clone(), "limit_low", OWN_UNIT, &b.limits[0]));
            rows.push(told(pair.clone(), "limit_high", OWN_UNIT, &b.limits[1]));
            rows.push(told(pair.clone(), "concordance", "", &b.concordance));
            rows.push(told(pair, "correlation", "", &b.correlation));
        }
    }
    rows
}

/// Rows of the variance's shares.
pub fn variance_rows(sources: &[Source], factors: &[Factor], variances: &[Variance]) -> Vec<ComparisonRow> {
    let all = all_of(sources);
    let mut rows = Vec::new();
    for v in variances {
        let base = row(&v.metabolite, &all, None, v.n);
        let shares = [("spectrum", &v.spectrum), ("method", &v.method), ("interaction", &v.interaction)];
        rows.extend(shares.map(|(what, figure)| told(base.clone(), &format!("variance_{what}"), "", figure)));
        for (factor, setting) in factors.iter().zip(&v.settings) {
            rows.push(told(base.clone(), &format!("variance_method:{}", factor.name), "", &setting.of_method));
            rows.push(told(base.clone(), &format!("variance_within:{}", factor.name), "", &setting.within));
        }
    }
    rows
}

/// Rows of what differs, and what disagreement goes along with.
pub fn difference_rows(sources: &[Source], found: &Differences) -> Vec<ComparisonRow> {
    let all = all_of(sources);
    let typical = found.typical.iter().flat_map(|t| {
        [("mean", t.mean), ("sd", t.sd)].map(|(what, value)| ComparisonRow {
            figure: format!("{}_{what}", t.measure.name),
            unit: t.measure.unit.to_owned(),
            value: Some(value),
            ..row("all", &sources[t.source].label, None, t.n)
        })
    });
    let spread = found.spread.iter().map(|s| {
        let figure = format!("rank_correlation_spread:{}", s.measure.name);
        told(row(&s.metabolite, &all, None, s.n), &figure, "", &s.rank_correlation)
    });
    let pairs = found.pairs.iter().map(|p| {
        let pair = row(&p.metabolite, &sources[p.sources.1].label, Some(&sources[p.sources.0].label), p.n);
        told(pair, &format!("rank_correlation_difference:{}", p.measure.name), "", &p.rank_correlation)
    });
    typical.chain(spread).chain(pairs).collect()
}
