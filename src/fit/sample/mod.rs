//! The posterior of one spectrum by sampling, where its Laplace approximation – the inverse Hessian – is not enough:
//! amplitudes near their bound, widths near zero, several ways to explain the same data.
//!
//! Several Hamiltonian chains (`chain`) walk on the same objective that the fit minimises (`potential`), with σ² and
//! the baseline's λ held where the fit left them. They start away from the mode, and their seed is the spectrum itself: the
//! same spectrum gives the same draws in any batch, on any machine of one kind.

mod chain;
mod marginal;
mod potential;
mod walls;

use num_complex::Complex64;

use self::chain::chain;
use self::potential::Potential;
use self::walls::Shape;
use super::evaluation::PhaseColumns;
use super::linalg;
use super::model::Model;
use super::normal::Weights;
use super::report::pin;
use super::workspace::Workspace;
use crate::random::Random;

pub use marginal::{Marginal, PROBABILITIES};

/// Draws of the amplitudes of all components: one chain after the other, `[draw × component]` each.
pub(crate) struct Draws {
    chains: Vec<Vec<f64>>,
    n_components: usize,
}

impl Draws {
    /// Of the posterior of `data` around the solution `x`; `None` where its Hessian has no Cholesky factor.
    pub(crate) fn new(
        model: &Model,
        data: &[Complex64],
        x: &[f64],
        weights: &Weights,
        workspace: &mut Workspace,
    ) -> Option<Self> {
        let (m, n_components) = (model.layout.len(), model.layout.n_components);
        let settings = &model.settings.sampling;
        let Workspace { evaluation, normal, hessian, gradient, algebra, .. } = workspace;
        evaluation.columns(model, x, data, PhaseColumns::FromModel);
        normal.assemble(model, evaluation);
        normal.penalised(model, x, weights, hessian, gradient);
        pin(model, m, hessian, gradient);
        linalg::cholesky(hessian, m, algebra).ok()?;
        let bounds: Vec<(usize, f64)> =
            (0..m).map(|i| (i, model.layout.lower_bound(i))).filter(|(_, bound)| bound.is_finite()).collect();
        let shape = Shape::new(&hessian[..m * m], x, &bounds);
        let mut potential = Potential::new(model, data, weights, x);
        let seed = seed(data);
        let mut chains = Vec::with_capacity(settings.chains);
        let length = (settings.warmup, settings.draws);
        for stream in 0..settings.chains {
            let mut random = Random::new(seed, stream as u64);
            let draws = chain(|x, g| potential.at(x, g), &shape, length, &mut random);
            let amplitudes = draws.chunks_exact(m).flat_map(|x| &x[..n_components]).copied().collect();
            chains.push(amplitudes);
        }
        Some(Self { chains, n_components })
    }

    /// The posterior of the sum of `members`, times `unit`.
    pub(crate) fn marginal(&self, members: &[usize], unit: f64) -> Option<Marginal> {
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

#[cfg(test)]
mod tests;
