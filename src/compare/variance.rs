//! How much of a metabolite's variance is between spectra, how much between methods: two-way random effects, one value a
//! cell, as behind ICC(2,1) (McGraw & Wong 1996, case 2, <https://doi.org/10.1037/1082-989X.1.1.30>).

use rayon::prelude::*;

use super::factors::Factor;
use super::figure::Figure;
use super::matrix::Matrix;
use super::statistics::bootstrap_all;

/// Shares of one metabolite's variance.
#[derive(Debug, Clone, PartialEq)]
pub struct Variance {
    /// Its name.
    pub metabolite: String,
    /// Spectra that all methods have.
    pub n: usize,
    /// Mean over all spectra and methods.
    pub mean: f64,
    /// Standard deviation that the three components add up to.
    pub sd: f64,
    /// Share of the variance between spectra.
    pub spectrum: Figure,
    /// Share of the variance between methods: what they shift in all spectra alike.
    pub method: Figure,
    /// The rest: what methods shift in one spectrum otherwise than in another, noise included.
    pub interaction: Figure,
    /// What each factor accounts for, in their order; empty where there is but one.
    pub settings: Vec<Setting>,
}

/// What one factor of a full factorial accounts for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Setting {
    /// Its main effect's share of the sum of squares between methods: shifts of all spectra alike.
    pub of_method: Figure,
    /// Its share of all sums of squares within spectra: its main effect and how that differs between spectra.
    pub within: Figure,
}

/// Point estimates: variance components, not below zero, and factors' shares.
#[derive(Debug, Clone, PartialEq)]
pub struct Components {
    /// Between spectra.
    pub spectrum: f64,
    /// Between methods.
    pub method: f64,
    /// Interaction and noise.
    pub interaction: f64,
    /// [`Setting::of_method`] and [`Setting::within`] of each factor.
    pub settings: Vec<[f64; 2]>,
}

impl Components {
    fn total(&self) -> f64 {
        self.spectrum + self.method + self.interaction
    }
}

/// One metabolite's values less their mean, with the sums that resampled spectra need.
struct Sums<'a> {
    factors: &'a [Factor],
    n_methods: usize,
    rows: Vec<Vec<f64>>,
    /// Sum and sum of squares of each row.
    row: Vec<[f64; 2]>,
    /// Of each row and factor: squared sums over the methods of one level, added over levels.
    levels: Vec<Vec<f64>>,
}

impl<'a> Sums<'a> {
    fn new(rows: &[Vec<f64>], factors: &'a [Factor]) -> Self {
        let n_methods = rows.first().map_or(0, Vec::len);
        let mean = rows.iter().flatten().sum::<f64>() / (rows.len() * n_methods) as f64;
        let rows: Vec<Vec<f64>> = rows.iter().map(|r| r.iter().map(|v| v - mean).collect()).collect();
        let row = rows.iter().map(|r| [r.iter().sum(), r.iter().map(|v| v * v).sum()]).collect();
        let levels = rows.iter().map(|r| factors.iter().map(|f| squared_level_sums(f, r)).collect()).collect();
        Self { factors, n_methods, rows, row, levels }
    }

    /// Estimates over some of the spectra, by expected mean squares.
    fn components(&self, sample: &[usize]) -> Components {
        let (n, k) = (sample.len() as f64, self.n_methods as f64);
        let mut columns = vec![0.0; self.n_methods];
        let (mut sum, mut squares, mut row_squares) = (0.0, 0.0, 0.0);
        for &i in sample {
            columns.iter_mut().zip(&self.rows[i]).for_each(|(c, v)| *c += v);
            let [s, q] = self.row[i];
            sum += s;
            squares += q;
            row_squares += s * s;
        }
        let correction = sum * sum / (n * k);
        let between_spectra = row_squares / k - correction;
        let between_methods = columns.iter().map(|c| c * c).sum::<f64>() / n - correction;
        let rest = (squares - correction - between_spectra - between_methods).max(0.0);
        let mean_square = [between_spectra / (n - 1.0), between_methods / (k - 1.0), rest / ((n - 1.0) * (k - 1.0))];
        let settings = self.factors.iter().enumerate().map(|(f, factor)| {
            // Sums of squares over cells of n_level methods each.
            let per_level = k / factor.levels.len() as f64;
            let main = squared_level_sums(factor, &columns) / (n * per_level) - correction;
            let cells = sample.iter().map(|&i| self.levels[i][f]).sum::<f64>() / per_level - correction;
            [main / between_methods, (cells - between_spectra) / (between_methods + rest)]
        });
        Components {
            spectrum: ((mean_square[0] - mean_square[2]) / k).max(0.0),
            method: ((mean_square[1] - mean_square[2]) / n).max(0.0),
            interaction: mean_square[2],
            settings: settings.collect(),
        }
    }
}

/// Values of the methods with one level added and squared, added over the levels.
fn squared_level_sums(factor: &Factor, values: &[f64]) -> f64 {
    let mut sums = vec![0.0; factor.levels.len()];
    factor.of_source.iter().zip(values).for_each(|(&level, v)| sums[level] += v);
    sums.iter().map(|s| s * s).sum()
}

/// Variance components of `rows`: one a spectrum, as many values each as there are methods. `factors` describe a full
/// factorial of the methods.
pub fn components(rows: &[Vec<f64>], factors: &[Factor]) -> Components {
    Sums::new(rows, factors).components(&(0..rows.len()).collect::<Vec<_>>())
}

/// Shares of the variance of every metabolite, with intervals from resampled spectra.
pub fn variance(matrices: &[Matrix], factors: &[Factor]) -> Vec<Variance> {
    // One factor alone is all that methods differ in.
    let factors = if factors.len() > 1 { factors } else { &[] };
    matrices.par_iter().map(|m| of_metabolite(m, factors)).collect()
}

fn of_metabolite(matrix: &Matrix, factors: &[Factor]) -> Variance {
    let sums = Sums::new(&matrix.rows, factors);
    let n = matrix.rows.len();
    let whole = sums.components(&(0..n).collect::<Vec<_>>());
    let values = |c: &Components| -> Vec<f64> {
        let shares = [c.spectrum, c.method, c.interaction].map(|v| v / c.total());
        shares.into_iter().chain(c.settings.iter().flatten().copied()).collect()
    };
    let point = values(&whole);
    let intervals = bootstrap_all(n, |sample| values(&sums.components(sample)));
    let figure = |i: usize| Figure { value: point[i], interval: intervals[i] };
    let all = matrix.rows.iter().flatten();
    Variance {
        metabolite: matrix.metabolite.clone(),
        n,
        mean: all.sum::<f64>() / (n * sums.n_methods) as f64,
        sd: whole.total().sqrt(),
        spectrum: figure(0),
        method: figure(1),
        interaction: figure(2),
        settings: (0..factors.len())
            .map(|f| Setting { of_method: figure(3 + 2 * f), within: figure(4 + 2 * f) })
            .collect(),
    }
}

#[cfg(test)]
#[path = "variance_tests.rs"]
mod tests;
