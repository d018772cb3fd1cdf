//! Runs and methods against one another, metabolite by metabolite.

use rayon::prelude::*;

use super::differences::MOST_PAIRED;
use super::figure::Figure;
use super::matrix::Matrix;
use super::statistics::{bootstrap, concordance, correlation, icc_2_1, mean, sd};

/// One source beside another (Bland & Altman 1986, <https://doi.org/10.1016/S0140-6736(86)90837-8>).
#[derive(Debug, Clone, PartialEq)]
pub struct Between {
    /// Numbers of the two sources.
    pub sources: (usize, usize),
    /// Values of both, spectrum by spectrum.
    pub pairs: Vec<(f64, f64)>,
    /// Mean of second less first.
    pub bias: Figure,
    /// Limits within which 95 % of the differences lie: bias ± 1.96 sd.
    pub limits: [Figure; 2],
    /// Lin's concordance.
    pub concordance: Figure,
    /// Pearson's correlation.
    pub correlation: Figure,
}

/// Agreement over one metabolite.
#[derive(Debug, Clone, PartialEq)]
pub struct Agreement {
    /// Its name.
    pub metabolite: String,
    /// Spectra that all sources have.
    pub n: usize,
    /// ICC(2,1) over all sources.
    pub icc: Figure,
    /// Root mean square over spectra of the coefficient of variation between sources.
    pub cv: Figure,
    /// Every source with every later one; none where there are more than [`MOST_PAIRED`].
    pub between: Vec<Between>,
}

/// Agreement of the sources over every metabolite.
pub fn agreement(matrices: &[Matrix]) -> Vec<Agreement> {
    matrices.par_iter().map(|m| of_metabolite(&m.metabolite, &m.rows)).collect()
}

fn of_metabolite(name: &str, rows: &[Vec<f64>]) -> Agreement {
    let n_sources = rows.first().map_or(0, Vec::len);
    let n_paired = if n_sources > MOST_PAIRED { 0 } else { n_sources };
    let figure = |of: &dyn Fn(&[&[f64]]) -> f64| -> Figure {
        let pick = |sample: &[usize]| -> Vec<&[f64]> { sample.iter().map(|&i| rows[i].as_slice()).collect() };
        let all: Vec<usize> = (0..rows.len()).collect();
        Figure { value: of(&pick(&all)), interval: bootstrap(rows.len(), |sample| of(&pick(sample))) }
    };
    let cv = |rows: &[&[f64]]| -> f64 {
        let squares = rows.iter().map(|r| (sd(r) / mean(r.iter().copied())).powi(2));
        let finite: Vec<f64> = squares.filter(|s| s.is_finite()).collect();
        (finite.iter().sum::<f64>() / finite.len() as f64).sqrt()
    };
    let mut between = Vec::new();
    for a in 0..n_paired {
        for b in a + 1..n_paired {
            let pairs = |rows: &[&[f64]]| -> Vec<(f64, f64)> { rows.iter().map(|r| (r[a], r[b])).collect() };
            let differences = |rows: &[&[f64]]| -> Vec<f64> { rows.iter().map(|r| r[b] - r[a]).collect() };
            let limit = |sign: f64| {
                figure(&|rows| {
                    let d = differences(rows);
                    mean(d.iter().copied()) + sign * 1.96 * sd(&d)
                })
            };
            between.push(Between {
                sources: (a, b),
                pairs: rows.iter().map(|r| (r[a], r[b])).collect(),
                bias: figure(&|rows| mean(differences(rows).into_iter())),
                limits: [limit(-1.0), limit(1.0)],
                concordance: figure(&|rows| concordance(&pairs(rows))),
                correlation: figure(&|rows| correlation(&pairs(rows))),
            });
        }
    }
    Agreement { metabolite: name.to_owned(), n: rows.len(), icc: figure(&icc_2_1), cv: figure(&cv), between }
}
