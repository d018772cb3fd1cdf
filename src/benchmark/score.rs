//! The figures by which programs are compared: summed squared error, scale, relative errors, error_calibration of errors.
//!
//! A spectrum or metabolite that a program does not give counts as zero. Where programs have units of their own, one
//! factor for the whole set, the median of truth over estimate of total creatine and total NAA, takes them out
//! ("aligned").

use std::collections::HashMap;

use super::BenchmarkError;
use crate::basis::names;
use crate::compare::figure::Figure;
use crate::compare::statistics::bootstrap;
use crate::compare::{Column, Truth};
use crate::signal::median::median;
use crate::store::MetaboliteRow;

/// Sums and metabolites that studies report.
pub const USUAL: [&str; 8] = ["tNAA", "tCr", "tCho", "Glx", "Glu", "Ins", "GSH", "GABA"];

/// Nominal coverage and half-width, in standard deviations, of central intervals of a normal distribution.
pub const INTERVALS: [(f64, f64); 11] = [
    (0.1, 0.125_661_35),
    (0.2, 0.253_347_1),
    (0.3, 0.385_320_47),
    (0.4, 0.524_400_51),
    (0.5, 0.674_489_75),
    (0.6, 0.841_621_23),
    (0.7, 1.036_433_39),
    (0.8, 1.281_551_57),
    (0.9, 1.644_853_63),
    (0.95, 1.959_963_98),
    (0.99, 2.575_829_3),
];

/// Median of a squared standard normal variable.
const MEDIAN_SQUARE: f64 = 0.4549;

/// One program on one set (or one condition of it).
#[derive(Debug, Clone)]
pub struct Scored {
    /// Spectra in the truth.
    pub n: usize,
    /// Those of them that the program gives.
    pub n_found: usize,
    /// The common factor; 1 where nothing was found.
    pub scale: f64,
    /// With estimates as they are.
    pub plain: Errors,
    /// With the common factor.
    pub aligned: Errors,
}

/// Errors over all spectra.
#[derive(Debug, Clone)]
pub struct Errors {
    /// Squared errors summed over metabolites, spectrum by spectrum in the truth's order.
    pub summed_squares: Vec<f64>,
    /// Their mean over spectra.
    pub mean: Figure,
    /// Their median.
    pub median: Figure,
    /// Root mean square of error over standard deviation; NaN where a program gives none.
    pub error_over_sd: f64,
    /// The same from the median, which a few spectra that went astray do not move.
    pub error_over_sd_robust: f64,
    /// Share of true values inside each of [`INTERVALS`].
    pub coverage: Vec<Figure>,
    /// Metabolites in the truth's order, then the sums.
    pub members: Vec<Member>,
}

/// Errors of one metabolite or sum.
#[derive(Debug, Clone)]
pub struct Member {
    /// Its name.
    pub name: String,
    /// Spectra with a true value above zero.
    pub n: usize,
    /// Root mean square of the relative error.
    pub relative_rmse: Figure,
    /// Mean of the relative error.
    pub relative_bias: Figure,
    /// Root mean square of error over standard deviation.
    pub error_over_sd: f64,
    /// Share of true values inside the intervals of 50, 90 and 95 %.
    pub coverage: [f64; 3],
}

impl Errors {
    /// A metabolite or sum.
    pub fn member(&self, name: &str) -> Option<&Member> {
        self.members.iter().find(|m| m.name == name)
    }

    /// Share of true values inside the interval that should hold `nominal` of them.
    pub fn coverage_of(&self, nominal: f64) -> Option<Figure> {
        let place = INTERVALS.iter().position(|(n, _)| (n - nominal).abs() < 1e-9)?;
        self.coverage.get(place).copied()
    }
}

/// Value and standard deviation (NaN where none is given) by name, of each spectrum of the truth; empty where it is
/// missing.
pub(super) struct Estimates<'a>(Vec<HashMap<&'a str, (f64, f64)>>);

impl<'a> Estimates<'a> {
    pub(super) fn new(rows: &'a [MetaboliteRow], truth: &Truth, column: Column) -> Result<Self, BenchmarkError> {
        let place: HashMap<&str, usize> = truth.ids.iter().enumerate().map(|(i, id)| (id.as_str(), i)).collect();
        let mut all = vec![HashMap::new(); truth.ids.len()];
        for row in rows {
            let Some(&i) = truth.id_of(&row.spectrum_id).and_then(|id| place.get(id)) else { continue };
            let Some(value) = column.of(row).filter(|(value, _)| value.is_finite()) else { continue };
            if all[i].insert(row.metabolite.as_str(), value).is_some() {
                let (id, metabolite) = (truth.ids[i].clone(), row.metabolite.clone());
                return Err(BenchmarkError::Twice { id, metabolite });
            }
        }
        Ok(Self(all))
    }

    /// A metabolite's estimate, or that of a sum: its members' (whatever a program calls it), with the standard deviation
    /// that the program gives the sum.
    pub(super) fn of(&self, i: usize, name: &str, members: &[&str]) -> (f64, f64) {
        let single = |name: &str| self.0[i].get(name).copied();
        match members {
            [] => single(name).unwrap_or((0.0, f64::NAN)),
            _ => {
                let value = members.iter().filter_map(|m| single(m)).map(|e| e.0).sum();
                (value, single(name).map_or(f64::NAN, |e| e.1))
            }
        }
    }
}

/// Scores the rows of one program and method against `truth`.
///
/// # Errors
/// [`BenchmarkError::Twice`]: two rows claim one spectrum and metabolite.
pub fn score(rows: &[MetaboliteRow], truth: &Truth, column: Column) -> Result<Scored, BenchmarkError> {
    let estimates = Estimates::new(rows, truth, column)?;
    let sums: Vec<(&str, Vec<&str>)> = names::sums(&truth.metabolites)
        .into_iter()
        .map(|s| (s.name, s.members.iter().map(|&k| truth.metabolites[k].as_str()).collect()))
        .collect();
    let mut factors = Vec::new();
    for (i, id) in truth.ids.iter().enumerate() {
        for (sum, single) in [("tCr", "Cr"), ("tNAA", "NAA")] {
            // A truth may have one member only.
            let (name, members) = sums.iter().find(|s| s.0 == sum).map_or((single, &[][..]), |s| (s.0, &s.1));
            let estimate = estimates.of(i, name, members).0;
            let Some(&true_value) = truth.of(id).and_then(|t| t.get(name)) else { continue };
            if estimate > 0.0 {
                factors.push(true_value / estimate);
            }
        }
    }
    let scale = median(&factors).unwrap_or(1.0);
    Ok(Scored {
        n: truth.ids.len(),
        n_found: estimates.0.iter().filter(|e| !e.is_empty()).count(),
        scale,
        plain: errors(&estimates, truth, &sums, 1.0),
        aligned: errors(&estimates, truth, &sums, scale),
    })
}

fn errors(estimates: &Estimates<'_>, truth: &Truth, sums: &[(&str, Vec<&str>)], factor: f64) -> Errors {
    let singles: Vec<(&str, Vec<&str>)> = truth.metabolites.iter().map(|m| (m.as_str(), Vec::new())).collect();
    // (truth, error, error over sd) of each spectrum that has a true value.
    let of = |(name, members): &(&str, Vec<&str>)| -> Vec<Option<(f64, f64, f64)>> {
        let spectra = truth.ids.iter().enumerate();
        spectra
            .map(|(i, id)| {
                let true_value = *truth.of(id)?.get(*name)?;
                let (value, sd) = estimates.of(i, name, members);
                let error = factor * value - true_value;
                Some((true_value, error, if sd > 0.0 { error / (factor * sd) } else { f64::NAN }))
            })
            .collect()
    };
    let by_metabolite: Vec<Vec<Option<(f64, f64, f64)>>> = singles.iter().map(of).collect();
    let n = truth.ids.len();
    let summed_squares: Vec<f64> =
        (0..n).map(|i| by_metabolite.iter().filter_map(|m| m[i]).map(|(_, error, _)| error * error).sum()).collect();
    let ratios: Vec<Vec<f64>> = (0..n)
        .map(|i| by_metabolite.iter().filter_map(|m| m[i]).map(|(.., z)| z).filter(|z| z.is_finite()).collect())
        .collect();
    let all: Vec<f64> = ratios.iter().flatten().copied().collect();
    let squares: Vec<f64> = all.iter().map(|z| z * z).collect();
    let mut members: Vec<Member> = singles.iter().zip(&by_metabolite).map(|(s, e)| member(s.0, e)).collect();
    members.extend(sums.iter().map(|s| member(s.0, &of(s))));
    Errors {
        mean: over_spectra(&summed_squares, mean),
        median: over_spectra(&summed_squares, |squares| median(squares).unwrap_or(f64::NAN)),
        error_over_sd: mean(&squares).sqrt(),
        error_over_sd_robust: (median(&squares).unwrap_or(f64::NAN) / MEDIAN_SQUARE).sqrt(),
        coverage: INTERVALS.iter().map(|&(_, half)| coverage(&ratios, half)).collect(),
        summed_squares,
        members,
    }
}

fn member(name: &str, errors: &[Option<(f64, f64, f64)>]) -> Member {
    let relative: Vec<f64> = errors.iter().flatten().filter(|e| e.0 > 0.0).map(|(t, error, _)| error / t).collect();
    let ratios: Vec<f64> = errors.iter().flatten().map(|e| e.2).filter(|z| z.is_finite()).collect();
    let squares: Vec<f64> = ratios.iter().map(|z| z * z).collect();
    let within = |half: f64| share(ratios.iter().filter(|z| z.abs() <= half).count(), ratios.len());
    Member {
        name: name.to_owned(),
        n: relative.len(),
        relative_rmse: over_spectra(&relative, |v| mean(&v.iter().map(|r| r * r).collect::<Vec<_>>()).sqrt()),
        relative_bias: over_spectra(&relative, mean),
        error_over_sd: mean(&squares).sqrt(),
        coverage: [INTERVALS[4].1, INTERVALS[8].1, INTERVALS[9].1].map(within),
    }
}

/// Share of values inside `half` standard deviations. The values of one spectrum go together, so its interval comes from
/// resampled spectra.
fn coverage(ratios: &[Vec<f64>], half: f64) -> Figure {
    let counts: Vec<(usize, usize)> =
        ratios.iter().map(|r| (r.iter().filter(|z| z.abs() <= half).count(), r.len())).collect();
    let of = |counts: &mut dyn Iterator<Item = (usize, usize)>| {
        let (inside, all) = counts.fold((0, 0), |(i, a), (inside, all)| (i + inside, a + all));
        share(inside, all)
    };
    Figure {
        value: of(&mut counts.iter().copied()),
        interval: bootstrap(counts.len(), |sample| of(&mut sample.iter().map(|&i| counts[i]))),
    }
}

/// A figure with the interval that resampled spectra give it.
pub(super) fn over_spectra(values: &[f64], figure: impl Fn(&[f64]) -> f64) -> Figure {
    let picked = |sample: &[usize]| figure(&sample.iter().map(|&i| values[i]).collect::<Vec<_>>());
    Figure { value: figure(values), interval: bootstrap(values.len(), picked) }
}

/// The ratio of two means over the same spectra, with the interval that resampled spectra give it.
pub(super) fn ratio_of_means(a: &[f64], b: &[f64]) -> Figure {
    let n = a.len().min(b.len());
    let ratio = |sample: &[usize]| {
        let total = |values: &[f64]| sample.iter().map(|&i| values[i]).sum::<f64>();
        total(a) / total(b)
    };
    let all: Vec<usize> = (0..n).collect();
    Figure { value: ratio(&all), interval: bootstrap(n, ratio) }
}

fn share(part: usize, all: usize) -> f64 {
    if all == 0 { f64::NAN } else { part as f64 / all as f64 }
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    fn truth() -> Truth {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("t.csv");
        std::fs::write(&path, "id,Cr,PCr,NAA,NAAG,Glu\na,5,3,10,1,9\nb,4,4,12,1,8\nc,4,5,11,2,10\n").unwrap();
        Truth::read(&path).unwrap()
    }

    fn rows(factor: f64, sd: f64, ids: &[&str]) -> Vec<MetaboliteRow> {
        let truth = truth();
        let row = |id: &str, name: &str| MetaboliteRow {
            spectrum_id: format!("{id}/mrs/x"),
            metabolite: name.to_owned(),
            amplitude: Some(factor * truth.of(id).unwrap()[name]),
            sd_posterior: Some(sd),
            ..MetaboliteRow::default()
        };
        ids.iter().flat_map(|id| truth.metabolites.iter().map(move |m| row(id, m))).collect()
    }

    #[test]
    fn a_unit_is_taken_out_and_what_is_missing_counts_as_zero() {
        let (truth, all) = (truth(), rows(0.5, 0.1, &["a", "b", "c"]));
        let s = score(&all, &truth, Column::Amplitude).unwrap();
        assert!((s.scale - 2.0).abs() < 1e-12 && s.aligned.mean.value < 1e-20, "{s:?}");
        // Half of everything is missing: a quarter of the squares.
        let squares = |id: &str| truth.metabolites.iter().map(|m| truth.of(id).unwrap()[m].powi(2)).sum::<f64>();
        let expected = 0.25 * (squares("a") + squares("b") + squares("c")) / 3.0;
        assert!((s.plain.mean.value / expected - 1.0).abs() < 1e-12);
        assert!((s.plain.member("tCr").unwrap().relative_bias.value + 0.5).abs() < 1e-12);
        let two = score(&rows(1.0, 0.1, &["a", "b"]), &truth, Column::Amplitude).unwrap();
        assert_eq!((two.n, two.n_found), (3, 2));
        assert!((two.plain.summed_squares[2] - squares("c")).abs() < 1e-9);
        // One row twice.
        let twice = rows(1.0, 0.1, &["a", "a"]);
        assert!(matches!(score(&twice, &truth, Column::Amplitude), Err(BenchmarkError::Twice { .. })));
    }

    #[test]
    fn intervals_hold_what_they_should_of_normal_errors() {
        let mut text = String::from("id,Glu\n");
        let mut random = crate::random::Random::new(3, 0);
        let mut rows = Vec::new();
        for i in 0..4000 {
            text += &format!("s{i},10\n");
            rows.push(MetaboliteRow {
                spectrum_id: format!("s{i}"),
                metabolite: "Glu".to_owned(),
                amplitude: Some(10.0 + 0.7 * random.normal()),
                sd_posterior: Some(0.7),
                ..MetaboliteRow::default()
            });
        }
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("t.csv");
        std::fs::write(&path, text).unwrap();
        let s = score(&rows, &Truth::read(&path).unwrap(), Column::Amplitude).unwrap().plain;
        for ((nominal, _), figure) in INTERVALS.iter().zip(&s.coverage) {
            // Three standard errors of a share of 4000.
            assert!((figure.value - nominal).abs() < 3.0 * (nominal * (1.0 - nominal) / 4000.0).sqrt(), "{nominal}");
            assert!(figure.interval.0 <= figure.value && figure.value <= figure.interval.1);
        }
        assert!((s.error_over_sd - 1.0).abs() < 0.04 && (s.error_over_sd_robust - 1.0).abs() < 0.06);
    }
}
