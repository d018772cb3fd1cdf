//! The posterior of one spectrum by sampling, where its Laplace approximation – the inverse Hessian – is not enough:
//! amplitudes near their bound, widths near zero, several ways to explain the same data.
//!
//! Several Hamiltonian chains (`chain`) walk on the same objective that the fit minimises (`potential`), with σ² and
//! the baseline's λ held where the fit left them. They start away from the mode, and their seed is the spectrum itself: the
//! same spectrum gives the same draws in any batch, on any machine of one kind.

mod chain;
mod laplace;
mod marginal;
pub mod settings;
mod walls;

use num_complex::Complex64;

use self::chain::chain;
use self::settings::SamplingSettings;
use super::result::Amplitude;
use crate::random::Random;

pub(crate) use laplace::Laplace;
pub use marginal::{Marginal, PROBABILITIES};

/// Draws of the amplitudes of all components: one chain after the other, `[draw × component]` each.
pub(crate) struct Draws {
    chains: Vec<Vec<f64>>,
    n_components: usize,
}

impl Draws {
    /// From the posterior of `data`: `potential(x, gradient)` is minus its logarithm and fills the gradient, `laplace` its
    /// approximation. The first `n_components` parameters are the amplitudes. `None` where the approximation is none.
    pub(crate) fn new(
        mut potential: impl FnMut(&[f64], &mut [f64]) -> f64,
        laplace: Laplace<'_>,
        settings: &SamplingSettings,
        data: &[Complex64],
        n_components: usize,
    ) -> Option<Self> {
        let shape = laplace.shape(&mut potential)?;
        let seed = seed(data);
        let one = |stream: usize| -> Vec<f64> {
            let mut random = Random::new(seed, stream as u64);
            let draws = chain(&mut potential, &shape, (settings.warmup, settings.draws), &mut random);
            draws.chunks_exact(shape.n()).flat_map(|x| &x[..n_components]).copied().collect()
        };
        Some(Self { chains: (0..settings.chains).map(one).collect(), n_components })
    }

    /// Writes what the draws say of each amplitude, in units of `unit`, into it.
    pub(crate) fn write_to(&self, amplitudes: &mut [Amplitude], unit: f64) {
        for (i, amplitude) in amplitudes.iter_mut().enumerate() {
            let own = [i];
            let members = if amplitude.is_sum { &amplitude.members[..] } else { &own[..] };
            amplitude.sampled = self.marginal(members, unit);
        }
    }

    /// The posterior of the sum of `members`, times `unit`.
    fn marginal(&self, members: &[usize], unit: f64) -> Option<Marginal> {
        let sum = |draw: &[f64]| members.iter().map(|&k| draw[k]).sum::<f64>() * unit;
        let chains: Vec<Vec<f64>> =
            self.chains.iter().map(|c| c.chunks_exact(self.n_components).map(sum).collect()).collect();
        Marginal::new(&chains)
    }
}

/// A number that is the spectrum's own (FNV-1a over its bits).
fn seed(data: &[Complex64]) -> u64 {
    data.iter()
        .flat_map(|z| [z.re, z.im])
        .fold(0xcbf2_9ce4_8422_2325, |hash, v| (hash ^ v.to_bits()).wrapping_mul(0x0000_0100_0000_01b3))
}
