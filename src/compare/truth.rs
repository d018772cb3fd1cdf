//! A run against the truth, metabolite by metabolite.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use super::statistics::{Interval, bootstrap};
use super::true_values::Truth;
use super::{Column, CompareError};
use crate::basis::names;
use crate::store::MetaboliteRow;

/// How one metabolite or sum came out.
#[derive(Debug, Clone, PartialEq)]
pub struct Score {
    /// Its name.
    pub metabolite: String,
    /// Number of spectra.
    pub n: usize,
    /// Mean of the truth.
    pub mean_truth: f64,
    /// Mean error.
    pub bias: f64,
    /// Root mean squared error.
    pub rmse: f64,
    /// Pearson's correlation with the truth; `None` where either does not vary.
    pub correlation: Option<f64>,
    /// Its 95 % confidence interval, of the mean error.
    pub bias_interval: Interval,
    /// Root mean square of error over posterior standard deviation: 1 where errors are honest.
    pub error_over_sd: f64,
    /// Share of spectra whose truth lies in the interval that should hold 50, 90 and 95 %.
    pub coverage: [f64; 3],
}

/// A run against the truth.
#[derive(Debug, Clone, PartialEq)]
pub struct Comparison {
    /// Metabolites in the truth's order, then the sums.
    pub scores: Vec<Score>,
    /// Spectra compared.
    pub n_spectra: usize,
    /// Spectra of the run that the truth does not have.
    pub n_without_truth: usize,
    /// Mean over spectra of the squared errors summed over metabolites (not sums).
    pub summed_squared_error: f64,
    /// Root mean square of error over standard deviation over all metabolites.
    pub error_over_sd: f64,
    /// [`Score::coverage`] over all metabolites.
    pub coverage: [f64; 3],
}

/// Half-widths, in standard deviations, of the central intervals of a normal distribution that hold 50, 90, 95 %.
const HALF_WIDTHS: [f64; 3] = [0.674_489_75, 1.644_853_63, 1.959_963_98];

struct Pair {
    truth: f64,
    error: f64,
    sd: f64,
    /// Whether the truth lies in the sampled posterior's central intervals; `None` where nothing was sampled.
    within: Option<[bool; 3]>,
}

/// Compares `rows` of one run and method with the truth in the CSV file `truth`.
///
/// # Errors
/// [`CompareError`]: the truth cannot be read, or has no spectrum in common with the run.
pub fn against_truth(rows: &[MetaboliteRow], truth: &Path, column: Column) -> Result<Comparison, CompareError> {
    against(rows, &Truth::read(truth)?, column)
}

/// Compares `rows` of one run and method with `truth`.
///
/// # Errors
/// [`CompareError::NothingInCommon`].
pub fn against(rows: &[MetaboliteRow], truth: &Truth, column: Column) -> Result<Comparison, CompareError> {
    let order = &truth.metabolites;
    let mut pairs: BTreeMap<&str, Vec<Pair>> = BTreeMap::new();
    let mut found: HashMap<&str, Option<&HashMap<String, f64>>> = HashMap::new();
    for row in rows {
        let id = row.spectrum_id.as_str();
        let known = *found.entry(id).or_insert_with(|| truth.of(id));
        let (Some(values), Some((value, sd))) = (known, column.of(row)) else { continue };
        let Some(truth) = in_units_of(column, truth, values, &row.metabolite) else { continue };
        pairs.entry(row.metabolite.as_str()).or_default().push(Pair {
            truth,
            error: value - truth,
            sd,
            within: sampled_intervals(row, column, truth),
        });
    }
    let n_spectra = found.values().filter(|t| t.is_some()).count();
    if n_spectra == 0 {
        let example = rows.first().map_or("(none)".to_owned(), |r| r.spectrum_id.clone());
        return Err(CompareError::NothingInCommon { example });
    }
    let sums: Vec<&str> = names::sums(order).iter().map(|s| s.name).collect();
    let shown = order.iter().map(String::as_str).chain(sums);
    let scores = shown.filter_map(|name| Some(score(name, pairs.get(name)?))).collect();
    let singles: Vec<&Pair> = order.iter().filter_map(|name| pairs.get(name.as_str())).flatten().collect();
    Ok(Comparison {
        scores,
        n_spectra,
        n_without_truth: found.len() - n_spectra,
        summed_squared_error: singles.iter().map(|p| p.error * p.error).sum::<f64>() / n_spectra as f64,
        error_over_sd: error_over_sd(singles.iter().copied()),
        coverage: coverage(singles.iter().copied()),
    })
}

/// The true value of a metabolite as `column` has it: a ratio is to the same spectrum's total creatine, of which a table of
/// ratios has 1.
fn in_units_of(column: Column, truth: &Truth, values: &HashMap<String, f64>, metabolite: &str) -> Option<f64> {
    let value = *values.get(metabolite)?;
    match column {
        Column::Amplitude | Column::Concentration => Some(value),
        Column::Ratio => truth.creatine(values).map(|tcr| value / tcr).filter(|ratio| ratio.is_finite()),
    }
}

fn score(name: &str, pairs: &[Pair]) -> Score {
    let n = pairs.len().max(1) as f64;
    let mean = |of: &dyn Fn(&Pair) -> f64| pairs.iter().map(of).sum::<f64>() / n;
    let (mean_truth, bias) = (mean(&|p| p.truth), mean(&|p| p.error));
    let mean_value = mean_truth + bias;
    let xx = mean(&|p| (p.truth - mean_truth).powi(2));
    let yy = mean(&|p| (p.truth + p.error - mean_value).powi(2));
    let xy = mean(&|p| (p.truth - mean_truth) * (p.truth + p.error - mean_value));
    Score {
        metabolite: name.to_owned(),
        n: pairs.len(),
        mean_truth,
        bias,
        rmse: mean(&|p| p.error * p.error).sqrt(),
        correlation: (xx > 0.0 && yy > 0.0).then(|| xy / (xx * yy).sqrt()),
        bias_interval: bootstrap(pairs.len(), |sample| {
            sample.iter().map(|&i| pairs[i].error).sum::<f64>() / sample.len().max(1) as f64
        }),
        error_over_sd: error_over_sd(pairs.iter()),
        coverage: coverage(pairs.iter()),
    }
}

fn error_over_sd<'a>(pairs: impl Iterator<Item = &'a Pair>) -> f64 {
    let squares: Vec<f64> = pairs.map(|p| (p.error / p.sd).powi(2)).filter(|s| s.is_finite()).collect();
    (squares.iter().sum::<f64>() / squares.len().max(1) as f64).sqrt()
}

fn coverage<'a>(pairs: impl Iterator<Item = &'a Pair>) -> [f64; 3] {
    let within = |p: &Pair| {
        let ratio = (p.error / p.sd).abs();
        p.within.or_else(|| ratio.is_finite().then(|| HALF_WIDTHS.map(|half| ratio <= half)))
    };
    let all: Vec<[bool; 3]> = pairs.filter_map(within).collect();
    [0, 1, 2].map(|i| all.iter().filter(|w| w[i]).count() as f64 / all.len().max(1) as f64)
}

/// Whether `truth` lies in the central intervals of the sampled posterior that hold 50, 90 and 95 %, in units of `column`;
/// `None` where nothing was sampled or the amplitude gives no unit.
fn sampled_intervals(row: &MetaboliteRow, column: Column, truth: f64) -> Option<[bool; 3]> {
    let unit = match column {
        Column::Amplitude => 1.0,
        _ => column.of(row)?.0 / row.amplitude.filter(|&a| a > 0.0)?,
    };
    let inside = |low: Option<f64>, high: Option<f64>| Some((low? * unit..=high? * unit).contains(&truth));
    Some([
        inside(row.sampled_q25, row.sampled_q75)?,
        inside(row.sampled_q05, row.sampled_q95)?,
        inside(row.sampled_q025, row.sampled_q975)?,
    ])
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn ratios_are_compared_with_ratios() {
        let names = ["Cr", "PCr", "Glu"].map(str::to_owned);
        let truth = Truth::of_spectra(&names, [("a", [4.0, 4.0, 10.0].as_slice()), ("b", &[5.0, 3.0, 12.0])]);
        let row = |id: &str, ratio: f64| MetaboliteRow {
            spectrum_id: id.to_owned(),
            metabolite: "Glu".to_owned(),
            amplitude: Some(3.0),
            sd_posterior: Some(0.1),
            ratio_tcr: Some(ratio),
            ..MetaboliteRow::default()
        };
        let found = against(&[row("a", 1.30), row("b", 1.55)], &truth, Column::Ratio).unwrap();
        let glu = found.scores.iter().find(|score| score.metabolite == "Glu").unwrap();
        assert!((glu.mean_truth - 1.375).abs() < 1e-12 && (glu.bias - 0.05).abs() < 1e-12, "{glu:?}");
        // A table of ratios has 1 for creatine.
        let truth = Truth::of_spectra(&["tCr".to_owned(), "Glu".to_owned()], [("a", [1.0, 1.25].as_slice())]);
        let found = against(&[row("a", 1.30)], &truth, Column::Ratio).unwrap();
        assert!((found.scores[0].bias - 0.05).abs() < 1e-12, "{found:?}");
    }
}
