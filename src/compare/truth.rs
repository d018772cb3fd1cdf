//! A run against the truth, metabolite by metabolite.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use super::import::{DecodeError, plain_csv};
use super::statistics::{Interval, bootstrap};
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
}

/// Compares `rows` of one run and method with the truth in the CSV file `truth`.
///
/// # Errors
/// [`CompareError`]: the truth cannot be read, or has no spectrum in common with the run.
pub fn against_truth(rows: &[MetaboliteRow], truth: &Path, column: Column) -> Result<Comparison, CompareError> {
    let (order, truths) = read_truth(truth)?;
    let mut pairs: BTreeMap<&str, Vec<Pair>> = BTreeMap::new();
    let mut found: HashMap<&str, Option<&HashMap<String, f64>>> = HashMap::new();
    for row in rows {
        let id = row.spectrum_id.as_str();
        let known = *found.entry(id).or_insert_with(|| truth_of(id, &truths));
        let (Some(values), Some((value, sd))) = (known, column.of(row)) else { continue };
        let Some(&truth) = values.get(&row.metabolite) else { continue };
        pairs.entry(row.metabolite.as_str()).or_default().push(Pair { truth, error: value - truth, sd });
    }
    let n_spectra = found.values().filter(|t| t.is_some()).count();
    if n_spectra == 0 {
        let example = rows.first().map_or("(none)".to_owned(), |r| r.spectrum_id.clone());
        return Err(CompareError::NothingInCommon { example });
    }
    let sums: Vec<&str> = names::sums(&order).iter().map(|s| s.name).collect();
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
    let ratios: Vec<f64> = pairs.map(|p| (p.error / p.sd).abs()).filter(|r| r.is_finite()).collect();
    HALF_WIDTHS.map(|half| ratios.iter().filter(|r| **r <= half).count() as f64 / ratios.len().max(1) as f64)
}

type Truths = HashMap<String, HashMap<String, f64>>;

/// The truth's metabolites in its order, and its values by id; sums are added. A line a spectrum (first column `id`), or
/// a column a spectrum (first column `metabolite`), whose empty cells are not known.
fn read_truth(path: &Path) -> Result<(Vec<String>, Truths), CompareError> {
    let fail = |reason: String| CompareError::Truth { path: path.to_owned(), reason };
    let text = std::fs::read_to_string(path).map_err(|e| fail(e.to_string()))?;
    let (order, mut truths) = if text.trim_start().starts_with("metab") {
        wide_truth(&text).map_err(|e| fail(e.to_string()))?
    } else {
        long_truth(&text).map_err(fail)?
    };
    let sums = names::sums(&order);
    for values in truths.values_mut() {
        for sum in &sums {
            let members: Option<Vec<f64>> = sum.members.iter().map(|&k| values.get(&order[k]).copied()).collect();
            if let Some(members) = members {
                values.insert(sum.name.to_owned(), members.iter().sum());
            }
        }
    }
    Ok((order, truths))
}

fn long_truth(text: &str) -> Result<(Vec<String>, Truths), String> {
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let header = reader.headers().map_err(|e| e.to_string())?.clone();
    if header.get(0) != Some("id") {
        return Err("the first column must be `id`, the others metabolites; or `metabolite`, the others spectra".into());
    }
    let order: Vec<String> = header.iter().skip(1).map(names::canonical).collect();
    let mut truths = HashMap::new();
    for (line, record) in reader.records().enumerate() {
        let record = record.map_err(|e| e.to_string())?;
        let numbers: Vec<f64> = record
            .iter()
            .skip(1)
            .map(|cell| cell.trim().parse().map_err(|_| format!("line {}: `{cell}` is no number", line + 2)))
            .collect::<Result<_, _>>()?;
        let values = order.iter().cloned().zip(numbers).collect();
        truths.insert(record.get(0).unwrap_or_default().to_owned(), values);
    }
    Ok((order, truths))
}

fn wide_truth(text: &str) -> Result<(Vec<String>, Truths), DecodeError> {
    let mut order: Vec<String> = Vec::new();
    let mut truths = HashMap::new();
    for spectrum in plain_csv::decode_wide(text)? {
        let values: HashMap<String, f64> = spectrum
            .estimates
            .iter()
            .filter(|e| names::canonical_sum(&e.name).is_none())
            .map(|e| (names::canonical(&e.name), e.value))
            .collect();
        let new: Vec<String> = spectrum.estimates.iter().map(|e| names::canonical(&e.name)).collect();
        order.extend(new.into_iter().filter(|n| values.contains_key(n) && !order.contains(n)).collect::<Vec<_>>());
        truths.insert(spectrum.id.unwrap_or_default(), values);
    }
    Ok((order, truths))
}

/// The truth of a spectrum: by its id, by a part of its path, or by a part of a name (`sub-0001_svs`).
fn truth_of<'a>(id: &str, truths: &'a Truths) -> Option<&'a HashMap<String, f64>> {
    let by = |delimiters: &[char]| id.split(delimiters).find_map(|part| truths.get(part));
    truths.get(id).or_else(|| by(&['/'])).or_else(|| by(&['/', '_']))
}
