//! Whether and how a posterior is sampled.

use serde::{Deserialize, Serialize};

/// How the errors of amplitudes are found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Uncertainty {
    /// From the curvature at the solution alone.
    #[default]
    Laplace,
    /// By sampling the posterior as well ([`crate::fit::sample`]).
    Sample,
}

/// Markov chains that sample a posterior.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SamplingSettings {
    /// Chains a spectrum; at least 2, so that they can be compared.
    pub chains: usize,
    /// Trajectories of each chain that adapt its step and are left out; at least 20.
    pub warmup: usize,
    /// Draws of each chain that are kept; at least 50.
    pub draws: usize,
}

impl Default for SamplingSettings {
    fn default() -> Self {
        Self { chains: 4, warmup: 100, draws: 200 }
    }
}
