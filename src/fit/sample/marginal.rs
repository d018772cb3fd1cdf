//! What chains say of one quantity: mean, quantiles, and whether they agree.

/// Probabilities of the quantiles that are kept.
pub const PROBABILITIES: [f64; 7] = [0.025, 0.05, 0.25, 0.5, 0.75, 0.95, 0.975];

/// The posterior of one quantity, from several chains.
#[derive(Debug, Clone, PartialEq)]
pub struct Marginal {
    /// Mean.
    pub mean: f64,
    /// Standard deviation.
    pub sd: f64,
    /// Quantiles at [`PROBABILITIES`].
    pub quantiles: [f64; 7],
    /// Split-R̂ (Gelman et al., Bayesian Data Analysis, 3rd edition, section 11.4): 1 where the chains, and the halves of
    /// each, agree; above 1.05 they have not mixed. Infinite where a chain never moved.
    pub rhat: f64,
    /// Effective number of independent draws (same book, section 11.5; Geyer's initial positive sequence).
    pub effective_draws: f64,
}

impl Marginal {
    /// From chains of equal length; `None` where there are fewer than four draws a chain.
    pub(super) fn new(chains: &[Vec<f64>]) -> Option<Self> {
        let length = chains.iter().map(Vec::len).min().filter(|&n| n >= 4)?;
        let half = length / 2;
        let halves: Vec<&[f64]> = chains.iter().flat_map(|c| [&c[..half], &c[length - half..length]]).collect();
        let mut all: Vec<f64> = chains.iter().flatten().copied().collect();
        all.sort_by(f64::total_cmp);
        let n = all.len() as f64;
        let mean = all.iter().sum::<f64>() / n;
        let variance = all.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / (n - 1.0);
        let (within, pooled) = variances(&halves);
        let rhat = (pooled / within).sqrt();
        Some(Self {
            mean,
            sd: variance.sqrt(),
            quantiles: PROBABILITIES.map(|p| quantile(&all, p)),
            rhat: if rhat.is_nan() { f64::INFINITY } else { rhat },
            effective_draws: effective_draws(&halves, within, pooled),
        })
    }
}

/// Mean variance within sequences, and the estimate of the whole from within and between them.
fn variances(sequences: &[&[f64]]) -> (f64, f64) {
    let (m, n) = (sequences.len() as f64, sequences[0].len() as f64);
    let means: Vec<f64> = sequences.iter().map(|s| s.iter().sum::<f64>() / n).collect();
    let variance = |(s, mean): (&&[f64], &f64)| s.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / (n - 1.0);
    let within = sequences.iter().zip(&means).map(variance).sum::<f64>() / m;
    let grand = means.iter().sum::<f64>() / m;
    let between = means.iter().map(|v| (v - grand).powi(2)).sum::<f64>() / (m - 1.0);
    (within, (n - 1.0) / n * within + between)
}

fn effective_draws(sequences: &[&[f64]], within: f64, pooled: f64) -> f64 {
    let (m, n) = (sequences.len(), sequences[0].len());
    let total = (m * n) as f64;
    if within.is_nan() || within <= 0.0 {
        return 0.0;
    }
    // Autocorrelation at a lag from the variogram.
    let correlation = |lag: usize| {
        let squares: f64 = sequences.iter().map(|s| (lag..n).map(|i| (s[i] - s[i - lag]).powi(2)).sum::<f64>()).sum();
        1.0 - squares / (m * (n - lag)) as f64 / (2.0 * pooled)
    };
    let mut sum = 0.0;
    let mut lag = 1;
    // Pairs of neighbours are positive for a reversible chain: the first pair that is not is noise. The first pair counts
    // lag 0 as well, where successive draws repel one another.
    while lag + 1 < n {
        let pair = correlation(lag) + correlation(lag + 1);
        if pair < 0.0 {
            if lag == 1 {
                sum += pair;
            }
            break;
        }
        sum += pair;
        lag += 2;
    }
    (total / (1.0 + 2.0 * sum).max(1.0 / total.log10())).min(total * total.log10())
}

/// Quantile by linear interpolation between order statistics (type 7 of Hyndman & Fan 1996).
fn quantile(sorted: &[f64], probability: f64) -> f64 {
    let place = probability * (sorted.len() - 1) as f64;
    let below = place.floor() as usize;
    let above = (below + 1).min(sorted.len() - 1);
    sorted[below] + (place - below as f64) * (sorted[above] - sorted[below])
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use crate::random::Random;

    /// Four chains of an autoregressive process of unit variance.
    fn chains(coefficient: f64, offset: impl Fn(usize) -> f64) -> Vec<Vec<f64>> {
        let one = |c: usize| {
            let mut random = Random::new(7, c as u64);
            let mut value = random.normal();
            (0..2000)
                .map(|_| {
                    value = coefficient * value + (1.0_f64 - coefficient * coefficient).sqrt() * random.normal();
                    value + offset(c)
                })
                .collect()
        };
        (0..4).map(one).collect()
    }

    #[test]
    fn independent_draws_count_in_full_and_correlated_ones_less() {
        let found = Marginal::new(&chains(0.0, |_| 0.0)).unwrap();
        assert!((found.effective_draws / 8000.0 - 1.0).abs() < 0.1, "{found:?}");
        assert!((found.rhat - 1.0).abs() < 0.005 && (found.sd - 1.0).abs() < 0.03, "{found:?}");
        assert!((found.quantiles[6] - 1.96).abs() < 0.08 && found.quantiles[3].abs() < 0.04, "{found:?}");
        // (1 − ρ) / (1 + ρ) of an autoregressive process's draws are worth something: a third for ρ = 0.5.
        let found = Marginal::new(&chains(0.5, |_| 0.0)).unwrap();
        assert!((found.effective_draws / (8000.0 / 3.0) - 1.0).abs() < 0.15, "{found:?}");
    }

    #[test]
    fn chains_that_disagree_or_rest_are_seen() {
        assert!(Marginal::new(&chains(0.0, |c| 0.5 * c as f64)).unwrap().rhat > 1.1);
        let resting = Marginal::new(&vec![vec![1.0; 50]; 4]).unwrap();
        assert!(resting.rhat.is_infinite() && resting.effective_draws == 0.0, "{resting:?}");
        assert_eq!(Marginal::new(&vec![vec![1.0; 3]; 4]), None);
    }
}
