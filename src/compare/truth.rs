//! A run against the truth, metabolite by metabolite.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use super::statistics::{Interval, bootstrap};
use super::{Column, CompareError};
use crate::basis::names;
use crate::regular_file;
use crate::store::MetaboliteRow;

/// Largest table of true values that is read (bytes): a million spectra with twenty metabolites have half of it.
const MAX_BYTES: u64 = 512 << 20;

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
        let Some(&truth) = values.get(&row.metabolite) else { continue };
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

/// Columns of truth tables that are no metabolites: what else was drawn for a spectrum.
const NUISANCES: [&str; 6] = ["snr", "gauss_hz", "lorentz_hz_mean", "shift_hz", "phi0_deg", "phi1_deg_ppm"];
/// Rows of the fitting challenge's table that are no metabolites.
const NOT_COUNTED: [&str; 3] = ["", "lipids", "Ace"];

/// True values of some spectra.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Truth {
    /// Metabolites (canonical names) in the table's order.
    pub metabolites: Vec<String>,
    /// Ids in the table's order.
    pub ids: Vec<String>,
    values: HashMap<String, HashMap<String, f64>>,
}

impl Truth {
    /// Reads a CSV: one row a spectrum, the first column `id` and the others metabolites; or, as the fitting challenge of
    /// 2016 has it, one row a metabolite, the first column `metabolite` and the others spectra.
    ///
    /// # Errors
    /// [`CompareError::Truth`], with the line.
    pub fn read(path: &Path) -> Result<Self, CompareError> {
        let fail = |reason: String| CompareError::Truth { path: path.to_owned(), reason };
        let file = regular_file::open(path, MAX_BYTES).map_err(|e| fail(e.to_string()))?;
        let mut reader = csv::Reader::from_reader(file);
        let header = reader.headers().map_err(|e| fail(e.to_string()))?.clone();
        let by_spectrum = match header.get(0) {
            Some("id") => true,
            Some("metabolite") => false,
            _ => {
                let told =
                    "the first column must be `id`, the others metabolites (or `metabolite`, the others spectra)";
                return Err(fail(told.to_owned()));
            }
        };
        let mut truth = Self::default();
        if !by_spectrum {
            truth.ids = header.iter().skip(1).map(str::to_owned).collect();
        }
        for (line, record) in reader.records().enumerate() {
            let record = record.map_err(|e| fail(e.to_string()))?;
            let first = record.get(0).unwrap_or_default();
            if by_spectrum {
                truth.ids.push(first.to_owned());
            } else if first.contains('+') || NOT_COUNTED.contains(&first) {
                continue;
            }
            for (name, cell) in header.iter().zip(record.iter()).skip(1) {
                if by_spectrum && NUISANCES.contains(&name) || !by_spectrum && cell.is_empty() {
                    continue;
                }
                let value = cell.trim().parse().ok().filter(|v: &f64| v.is_finite());
                let value = value.ok_or_else(|| fail(format!("line {}: `{cell}` is no number", line + 2)))?;
                let (id, metabolite) = if by_spectrum { (first, name) } else { (name, first) };
                truth.put(id, names::canonical(metabolite), value);
            }
        }
        truth.add_sums();
        Ok(truth)
    }

    fn put(&mut self, id: &str, metabolite: String, value: f64) {
        if !self.metabolites.contains(&metabolite) {
            self.metabolites.push(metabolite.clone());
        }
        self.values.entry(id.to_owned()).or_default().insert(metabolite, value);
    }

    fn add_sums(&mut self) {
        let sums = names::sums(&self.metabolites);
        for values in self.values.values_mut() {
            for sum in &sums {
                let members = sum.members.iter().filter_map(|&k| values.get(&self.metabolites[k]));
                let total = members.sum();
                values.insert(sum.name.to_owned(), total);
            }
        }
    }

    /// Only the first `n` spectra.
    #[must_use]
    pub fn first(mut self, n: usize) -> Self {
        self.ids.truncate(n);
        self.values.retain(|id, _| self.ids.contains(id));
        self
    }

    /// Only spectra of which `keep` says so, by their id.
    #[must_use]
    pub fn only(&self, keep: impl Fn(&str) -> bool) -> Self {
        let mut truth = self.clone();
        truth.ids.retain(|id| keep(id));
        truth.values.retain(|id, _| keep(id));
        truth
    }

    /// The id under which the truth has a spectrum: its own, a part of its path, or a part of a name (`sub-0001_svs`).
    pub fn id_of<'a>(&self, spectrum_id: &'a str) -> Option<&'a str> {
        let known = |id: &&str| self.values.contains_key(*id);
        let part = |delimiters: &[char]| spectrum_id.split(delimiters).find(known);
        Some(spectrum_id).filter(known).or_else(|| part(&['/'])).or_else(|| part(&['/', '_']))
    }

    /// True values of a spectrum by metabolite and sum.
    pub fn of(&self, spectrum_id: &str) -> Option<&HashMap<String, f64>> {
        self.values.get(self.id_of(spectrum_id)?)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn both_layouts_of_a_truth_read_the_same() {
        let folder = tempfile::tempdir().unwrap();
        let (a, b) = (folder.path().join("a.csv"), folder.path().join("b.csv"));
        std::fs::write(&a, "id,snr,Glu,Gln,mI\nds1,20,9,3,6\nds2,30,8,2,5\n").unwrap();
        std::fs::write(&b, "metabolite,ds1,ds2\nGlu,9,8\nGln,3,2\nIns,6,5\nGlu+Gln,12,10\nAce,,\n").unwrap();
        let (a, b) = (Truth::read(&a).unwrap(), Truth::read(&b).unwrap());
        assert_eq!(a, b);
        assert_eq!(a.of("x/ds2/y").unwrap()["Glx"], 10.0);
        assert_eq!(a.clone().first(1).of("ds2"), None);
        assert_eq!(a.id_of("ds3"), None);
    }

    #[test]
    fn a_truth_that_holds_no_number_is_refused_with_its_line() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("t.csv");
        for (text, told) in
            [("id,Glu\na,9\nb,x\n", "line 3"), ("name,Glu\na,9\n", "first column"), ("id,Glu\na,inf\n", "line 2")]
        {
            std::fs::write(&path, text).unwrap();
            let error = Truth::read(&path).unwrap_err().to_string();
            assert!(error.contains(told), "{error}");
        }
    }
}
