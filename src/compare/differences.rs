//! What methods do otherwise than one another beside the metabolites, and what their disagreement goes along with.

use std::collections::{BTreeMap, HashMap};

use rayon::prelude::*;

use super::factors::{Factor, neighbours};
use super::figure::Figure;
use super::matrix::Matrix;
use super::statistics::{mean, sd, spearman, spearman_interval};
use super::{MEASURES, Measure, Role, Source, Versus};

/// Most sources of which every pair is looked at where they differ in more than settings.
pub const MOST_PAIRED: usize = 8;

/// Mean and spread over spectra of one measure with one method.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Typical {
    /// Number of the source.
    pub source: usize,
    /// What was measured.
    pub measure: &'static Measure,
    /// Mean over spectra.
    pub mean: f64,
    /// Standard deviation over spectra.
    pub sd: f64,
    /// Spectra.
    pub n: usize,
}

/// Rank correlation (Spearman) of a metabolite's spread over methods with a measure of the spectra's quality.
#[derive(Debug, Clone, PartialEq)]
pub struct SpreadAlong {
    /// The metabolite.
    pub metabolite: String,
    /// The measure, mean over methods.
    pub measure: &'static Measure,
    /// The correlation.
    pub rank_correlation: Figure,
    /// Spectra.
    pub n: usize,
}

/// Rank correlation (Spearman) over spectra of the difference of two methods' values with the difference of a measure.
#[derive(Debug, Clone, PartialEq)]
pub struct DifferenceAlong {
    /// The metabolite.
    pub metabolite: String,
    /// The two sources: second less first.
    pub sources: (usize, usize),
    /// Number of the factor in which alone they differ.
    pub factor: usize,
    /// The measure.
    pub measure: &'static Measure,
    /// The correlation.
    pub rank_correlation: Figure,
    /// Spectra.
    pub n: usize,
}

/// All that differs.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Differences {
    /// By source and measure.
    pub typical: Vec<Typical>,
    /// By metabolite and measure of quality.
    pub spread: Vec<SpreadAlong>,
    /// By metabolite, pair and measure that a method may choose.
    pub pairs: Vec<DifferenceAlong>,
}

/// What differs between the sources that `matrices` are of. Pairs: those that differ in one factor; where the only factor is
/// the source itself and there are many, each with the first.
pub fn differences(sources: &[Source], matrices: &[Matrix], factors: &[Factor]) -> Differences {
    let chosen = |role: Role| MEASURES.iter().enumerate().filter(move |(_, m)| m.is(role));
    let typical = sources.iter().enumerate().flat_map(|(s, source)| {
        chosen(Role::Method).filter_map(move |(i, measure)| {
            let values: Vec<f64> = source.measured.values().map(|v| v[i]).filter(|v| v.is_finite()).collect();
            let n = values.len();
            (n > 1).then(|| Typical { source: s, measure, mean: mean(values.iter().copied()), sd: sd(&values), n })
        })
    });
    let mut pairs = neighbours(factors, sources.len());
    if factors.len() == 1 && sources.len() > MOST_PAIRED {
        pairs.retain(|(_, first, _)| *first == 0);
    }
    let spread = matrices.par_iter().flat_map_iter(|m| {
        let relative: Vec<f64> = spread(m);
        chosen(Role::Quality).filter_map(move |(i, measure)| {
            let quality = m.spectra.iter().map(|id| mean_of(sources, id, i));
            let (rank_correlation, n) = along(relative.iter().copied().zip(quality))?;
            Some(SpreadAlong { metabolite: m.metabolite.clone(), measure, rank_correlation, n })
        })
    });
    let measured = Looked::up(sources, matrices);
    let pairs = matrices.par_iter().enumerate().flat_map_iter(|(at, m)| {
        let measured = &measured;
        pairs.iter().flat_map(move |&(factor, a, b)| {
            chosen(Role::Method).filter_map(move |(i, measure)| {
                let of = |row: usize| measured.value(at, row, b, i) - measured.value(at, row, a, i);
                let both = m.rows.iter().enumerate().map(|(row, values)| (values[b] - values[a], of(row)));
                let (rank_correlation, n) = along(both)?;
                let metabolite = m.metabolite.clone();
                Some(DifferenceAlong { metabolite, sources: (a, b), factor, measure, rank_correlation, n })
            })
        })
    });
    Differences { typical: typical.collect(), spread: spread.collect(), pairs: pairs.collect() }
}

/// One metabolite and measure over all pairs of methods that differ in one factor.
#[derive(Debug, Clone, PartialEq)]
pub struct Strength {
    /// The metabolite.
    pub metabolite: String,
    /// The setting; of methods as such, the two of them.
    pub between: String,
    /// The measure.
    pub measure: &'static Measure,
    /// Median of the correlations.
    pub median: f64,
    /// The least of them; of one alone, the lower end of its interval.
    pub least: f64,
    /// The greatest of them; of one alone, the upper end of its interval.
    pub most: f64,
    /// Number of pairs.
    pub n_pairs: usize,
}

/// What differences go along with, the strongest median first.
pub fn strongest(versus: &Versus, sources: &[Source]) -> Vec<Strength> {
    let mut groups: BTreeMap<(&str, String, &str), Vec<&DifferenceAlong>> = BTreeMap::new();
    for pair in &versus.differences.pairs {
        let factor = &versus.factors[pair.factor];
        let (a, b) = pair.sources;
        let between = match versus.factors.len() {
            1 => format!("{} − {}", sources[b].label, sources[a].label),
            _ => factor.name.clone(),
        };
        groups.entry((&pair.metabolite, between, pair.measure.name)).or_default().push(pair);
    }
    let mut all: Vec<Strength> = groups
        .into_iter()
        .map(|((metabolite, between, _), pairs)| {
            let mut values: Vec<f64> = pairs.iter().map(|p| p.rank_correlation.value).collect();
            values.sort_by(f64::total_cmp);
            let (metabolite, n_pairs) = (metabolite.to_owned(), values.len());
            let median = 0.5 * (values[(n_pairs - 1) / 2] + values[n_pairs / 2]);
            let (least, most) = match pairs.as_slice() {
                [one] => one.rank_correlation.interval,
                _ => (values[0], values[n_pairs - 1]),
            };
            Strength { metabolite, between, measure: pairs[0].measure, median, least, most, n_pairs }
        })
        .collect();
    all.sort_by(|a, b| b.median.abs().total_cmp(&a.median.abs()));
    all
}

/// Standard deviation over methods in each spectrum, over the mean of all.
pub fn spread(matrix: &Matrix) -> Vec<f64> {
    let n = matrix.rows.iter().map(Vec::len).sum::<usize>();
    let overall = matrix.rows.iter().flatten().sum::<f64>() / n as f64;
    matrix.rows.iter().map(|r| sd(r) / overall.abs()).collect()
}

/// Mean over sources of a measure of one spectrum.
fn mean_of(sources: &[Source], id: &str, measure: usize) -> f64 {
    let values: Vec<f64> =
        sources.iter().filter_map(|s| Some(s.measured.get(id)?[measure])).filter(|v| v.is_finite()).collect();
    mean(values.into_iter())
}

/// The correlation with its interval, where there is one to tell.
fn along(pairs: impl Iterator<Item = (f64, f64)>) -> Option<(Figure, usize)> {
    let (value, n) = spearman(&pairs.collect::<Vec<_>>());
    (value.is_finite() && n > 3).then(|| (Figure { value, interval: spearman_interval(value, n) }, n))
}

/// Measures of every spectrum of every matrix, looked up once.
struct Looked<'a>(Vec<Vec<Vec<Option<&'a [f64]>>>>);

impl<'a> Looked<'a> {
    fn up(sources: &'a [Source], matrices: &[Matrix]) -> Self {
        let mut known: HashMap<&str, Vec<Option<&'a [f64]>>> = HashMap::new();
        let mut of = |id| -> Vec<Option<&'a [f64]>> {
            known
                .entry(id)
                .or_insert_with(|| sources.iter().map(|s| s.measured.get(id).map(Vec::as_slice)).collect())
                .clone()
        };
        Self(matrices.iter().map(|m| m.spectra.iter().map(|id| of(id.as_str())).collect()).collect())
    }

    fn value(&self, matrix: usize, row: usize, source: usize, measure: usize) -> f64 {
        self.0[matrix][row][source].map_or(f64::NAN, |v| v[measure])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compare::factors::factors;

    /// Three methods over 40 spectra: the second adds what its baseline is more flexible by, the third agrees with the first
    /// the less the lower the signal-to-noise ratio.
    #[test]
    fn what_goes_along_is_found() {
        let at = |name: &str| MEASURES.iter().position(|m| m.name == name).unwrap_or_else(|| unreachable!("{name}"));
        let (ed, snr) = (at("baseline_ed"), at("snr"));
        let mut sources = vec![Source::default(), Source::default(), Source::default()];
        let mut matrix = Matrix { metabolite: "Glx".into(), spectra: Vec::new(), rows: Vec::new() };
        for i in 0..40 {
            let id = format!("sub-{i}");
            let flexible = f64::from(i * 7 % 40);
            let noise = f64::from(i * 11 % 40) + 1.0;
            for (s, source) in sources.iter_mut().enumerate() {
                source.label = s.to_string();
                let mut values = vec![f64::NAN; MEASURES.len()];
                values[ed] = 10.0 + if s == 1 { flexible } else { 0.0 };
                values[snr] = 100.0 / noise;
                source.measured.insert(id.clone(), values);
            }
            matrix.spectra.push(id);
            matrix.rows.push(vec![10.0, 10.0 - 0.01 * flexible, 10.0 + noise]);
        }
        let found = differences(&sources, &[matrix], &factors(&sources));
        let pair = |sources, measure: &str| {
            found.pairs.iter().find(|p| p.sources == sources && p.measure.name == measure).map(|p| p.rank_correlation)
        };
        let first = pair((0, 1), "baseline_ed").map(|f| f.value);
        assert!(first.is_some_and(|r| (r + 1.0).abs() < 1e-12), "{first:?}");
        // A measure that does not differ goes along with nothing.
        assert_eq!(pair((0, 2), "baseline_ed"), None);
        let along: Vec<(&str, f64)> = found.spread.iter().map(|s| (s.measure.name, s.rank_correlation.value)).collect();
        assert!(along.len() == 1 && along[0].0 == "snr" && along[0].1 < -0.95, "{along:?}");
        let typical = found.typical.iter().find(|t| t.source == 1 && t.measure.name == "baseline_ed");
        assert!(typical.is_some_and(|t| (t.mean - 29.5).abs() < 1e-12 && t.n == 40), "{typical:?}");
    }
}
