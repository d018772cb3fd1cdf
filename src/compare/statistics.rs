//! Figures of agreement, and their confidence by the bootstrap.

use crate::interrupt;
use crate::random::Random;

/// Ends of a 95 % confidence interval.
pub type Interval = (f64, f64);

/// Resamples: the ends of the interval are known to about a tenth of its width.
const RESAMPLES: usize = 1000;

/// The 95 % percentile interval of `figure` over resamples of `n` items, the same on every machine (Efron & Tibshirani
/// 1993, chapter 13). Resamples for which the figure does not exist are left out.
pub fn bootstrap(n: usize, figure: impl Fn(&[usize]) -> f64) -> Interval {
    bootstrap_all(n, |sample| vec![figure(sample)])[0]
}

/// [`bootstrap`] of several figures of the same resamples.
pub fn bootstrap_all(n: usize, figures: impl Fn(&[usize]) -> Vec<f64>) -> Vec<Interval> {
    let mut random = Random::new(1, n as u64);
    let mut sample = vec![0; n];
    // Once somebody asked to stop nothing of it is kept, and the first is enough.
    let all: Vec<Vec<f64>> = (0..RESAMPLES)
        .take_while(|&n| n == 0 || !interrupt::asked())
        .map(|_| {
            sample.iter_mut().for_each(|i| *i = (random.between(0.0, n as f64) as usize).min(n - 1));
            figures(&sample)
        })
        .collect();
    let interval = |figure: usize| {
        let mut values: Vec<f64> = all.iter().map(|f| f[figure]).filter(|v| v.is_finite()).collect();
        values.sort_by(f64::total_cmp);
        let at = |share: f64| values.get((share * values.len() as f64) as usize).copied().unwrap_or(f64::NAN);
        (at(0.025), at(0.975))
    };
    (0..all[0].len()).map(interval).collect()
}

/// Mean.
pub fn mean(values: impl ExactSizeIterator<Item = f64>) -> f64 {
    let n = values.len() as f64;
    values.sum::<f64>() / n
}

/// Standard deviation (n − 1).
pub fn sd(values: &[f64]) -> f64 {
    let m = mean(values.iter().copied());
    (values.iter().map(|v| (v - m).powi(2)).sum::<f64>() / (values.len() as f64 - 1.0)).sqrt()
}

/// Variances (1/n) of both and their covariance.
fn moments(pairs: &[(f64, f64)]) -> (f64, f64, f64) {
    let (ma, mb) = (mean(pairs.iter().map(|p| p.0)), mean(pairs.iter().map(|p| p.1)));
    let over = |of: &dyn Fn(&(f64, f64)) -> f64| mean(pairs.iter().map(of));
    (over(&|p| (p.0 - ma).powi(2)), over(&|p| (p.1 - mb).powi(2)), over(&|p| (p.0 - ma) * (p.1 - mb)))
}

/// Pearson's correlation.
pub fn correlation(pairs: &[(f64, f64)]) -> f64 {
    let (aa, bb, ab) = moments(pairs);
    ab / (aa * bb).sqrt()
}

/// Ranks from 1; equal values share the mean of theirs.
fn ranks(values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|&a, &b| values[a].total_cmp(&values[b]));
    let mut ranks = vec![0.0; values.len()];
    for equal in order.chunk_by(|&a, &b| values[a] == values[b]) {
        let first = order.partition_point(|&i| values[i].total_cmp(&values[equal[0]]).is_lt());
        for &i in equal {
            ranks[i] = first as f64 + 0.5 * (equal.len() as f64 + 1.0);
        }
    }
    ranks
}

/// Spearman's rank correlation over the pairs that are finite, with their number; NaN where one of both does not vary.
pub fn spearman(pairs: &[(f64, f64)]) -> (f64, usize) {
    let finite = || pairs.iter().filter(|(a, b)| a.is_finite() && b.is_finite());
    let a = ranks(&finite().map(|p| p.0).collect::<Vec<_>>());
    let b = ranks(&finite().map(|p| p.1).collect::<Vec<_>>());
    let both: Vec<(f64, f64)> = a.into_iter().zip(b).collect();
    (correlation(&both), both.len())
}

/// The 95 % confidence interval of a rank correlation `r` over `n` pairs (Bonett & Wright 2000, equation 3 with the variance
/// (1 + r²/2)/(n − 3), <https://doi.org/10.1007/BF02294183>).
pub fn spearman_interval(r: f64, n: usize) -> Interval {
    let half = 1.959_963_98 * ((1.0 + 0.5 * r * r) / (n as f64 - 3.0)).sqrt();
    ((r.atanh() - half).tanh(), (r.atanh() + half).tanh())
}

/// Lin's concordance correlation (1989, <https://doi.org/10.2307/2532051>).
pub fn concordance(pairs: &[(f64, f64)]) -> f64 {
    let (aa, bb, ab) = moments(pairs);
    let apart = mean(pairs.iter().map(|p| p.0 - p.1));
    2.0 * ab / (aa + bb + apart * apart)
}

/// ICC(2,1): two-way random effects, absolute agreement, single measure (Shrout & Fleiss 1979,
/// <https://doi.org/10.1037/0033-2909.86.2.420>). `rows`: one a spectrum, as many values each as there are sources.
pub fn icc_2_1(rows: &[&[f64]]) -> f64 {
    let (n, k) = (rows.len() as f64, rows.first().map_or(0, |r| r.len()));
    let grand = rows.iter().flat_map(|r| r.iter()).sum::<f64>() / (n * k as f64);
    let row_mean = |r: &[f64]| r.iter().sum::<f64>() / k as f64;
    let column_mean = |j: usize| rows.iter().map(|r| r[j]).sum::<f64>() / n;
    let columns: Vec<f64> = (0..k).map(column_mean).collect();
    let k = k as f64;
    let between_rows = k * rows.iter().map(|r| (row_mean(r) - grand).powi(2)).sum::<f64>() / (n - 1.0);
    let between_columns = n * columns.iter().map(|c| (c - grand).powi(2)).sum::<f64>() / (k - 1.0);
    let residual = rows
        .iter()
        .map(|r| {
            let own = row_mean(r);
            r.iter().zip(&columns).map(|(v, c)| (v - own - c + grand).powi(2)).sum::<f64>()
        })
        .sum::<f64>()
        / ((n - 1.0) * (k - 1.0));
    (between_rows - residual) / (between_rows + (k - 1.0) * residual + k * (between_columns - residual) / n)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of Shrout & Fleiss (1979), table 2: six targets, four judges, ICC(2,1) = 0.29.
    #[test]
    fn icc_of_the_textbook() {
        let table: [[f64; 4]; 6] = [
            [9.0, 2.0, 5.0, 8.0],
            [6.0, 1.0, 3.0, 2.0],
            [8.0, 4.0, 6.0, 8.0],
            [7.0, 1.0, 2.0, 6.0],
            [10.0, 5.0, 6.0, 9.0],
            [6.0, 2.0, 4.0, 7.0],
        ];
        let rows: Vec<&[f64]> = table.iter().map(|r| r.as_slice()).collect();
        assert!((icc_2_1(&rows) - 0.29).abs() < 0.005, "{}", icc_2_1(&rows));
    }

    #[test]
    fn concordance_falls_with_scale_and_offset() {
        let pairs = |f: &dyn Fn(f64) -> f64| (0..20).map(|i| (f64::from(i), f(f64::from(i)))).collect::<Vec<_>>();
        assert!((concordance(&pairs(&|x| x)) - 1.0).abs() < 1e-12);
        let (moved, scaled) = (pairs(&|x| x + 5.0), pairs(&|x| 1.5 * x));
        assert!((correlation(&moved) - 1.0).abs() < 1e-12 && (correlation(&scaled) - 1.0).abs() < 1e-12);
        // 2·s²/(2·s² + 25) with s² = 33.25.
        assert!((concordance(&moved) - 66.5 / 91.5).abs() < 1e-12);
        assert!(concordance(&scaled) < 0.9);
    }

    #[test]
    fn the_bootstrap_knows_the_error_of_a_mean() {
        let mut random = Random::new(5, 0);
        let values: Vec<f64> = (0..400).map(|_| random.normal()).collect();
        let (low, high) = bootstrap(values.len(), |s| mean(s.iter().map(|&i| values[i])));
        let expected = 2.0 * 1.96 * sd(&values) / 20.0;
        assert!(((high - low) / expected - 1.0).abs() < 0.15, "{low} {high}");
        assert_eq!((low, high), bootstrap(values.len(), |s| mean(s.iter().map(|&i| values[i]))));
    }

    #[test]
    fn rank_correlation_is_that_of_a_worked_table() {
        // Ten people's IQ and hours of television, a textbook's table: Σd² = 194 over 10 ranks gives 1 − 6·194/990 = −0.175757….
        let iq = [106.0, 100.0, 86.0, 101.0, 99.0, 103.0, 97.0, 113.0, 112.0, 110.0];
        let hours = [7.0, 27.0, 2.0, 50.0, 28.0, 29.0, 20.0, 12.0, 6.0, 17.0];
        let pairs: Vec<(f64, f64)> = iq.into_iter().zip(hours).collect();
        let (r, n) = spearman(&pairs);
        assert!((r + 29.0 / 165.0).abs() < 1e-12 && n == 10, "{r}");
        // Equal values share ranks: of 1, 2, 2, 3 against 1 … 4 it is 4.5/√(4.5·5).
        let (r, _) = spearman(&[(1.0, 1.0), (2.0, 2.0), (2.0, 3.0), (3.0, 4.0), (f64::NAN, 9.0)]);
        assert!((r - (4.5_f64 / 5.0).sqrt()).abs() < 1e-12, "{r}");
        assert!(spearman(&[(1.0, 1.0), (1.0, 2.0), (1.0, 3.0)]).0.is_nan());
        let (low, high) = spearman_interval(0.5, 103);
        // atanh(0.5) = 0.5493, ± 1.96·√(1.125/100) = ± 0.2079.
        assert!((low - 0.3414_f64.tanh()).abs() < 1e-4 && (high - 0.7572_f64.tanh()).abs() < 1e-4, "{low} {high}");
    }

    #[test]
    fn the_rank_correlations_interval_holds_as_often_as_it_says() {
        // ρ of normal pairs with correlation c is (6/π)·asin(c/2).
        let (c, n, trials) = (0.5_f64, 60, 2000);
        let truth = 6.0 / std::f64::consts::PI * (c / 2.0).asin();
        let mut random = Random::new(3, 0);
        let held = (0..trials)
            .filter(|_| {
                let pairs: Vec<(f64, f64)> = (0..n)
                    .map(|_| {
                        let a = random.normal();
                        (a, c * a + (1.0 - c * c).sqrt() * random.normal())
                    })
                    .collect();
                let (r, n) = spearman(&pairs);
                let (low, high) = spearman_interval(r, n);
                low <= truth && truth <= high
            })
            .count() as f64;
        // 95 % ± four standard errors of 2000 trials.
        assert!((held / f64::from(trials) - 0.95).abs() < 0.02, "{held}");
    }
}
