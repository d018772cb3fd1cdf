//! One spectrum on its way into a solver and out of it: what every engine has in common.

use num_complex::Complex64;

use super::lineshape::N_KERNEL;
use super::model::Model;
use super::normal::Weights;
use super::potential;
use super::prior_report;
use super::report::summarise;
use super::report_scratch::Solution;
use super::settings::Smoothness;
use super::start_search::{Start, best_start};
use super::window::{DATA_HEIGHT, window};
use super::workspace::Workspace;
use crate::fit::result::{FitResult, FitState};
use crate::fit::sample::settings::Uncertainty;
use crate::fit::start::ShiftPhase;
use crate::signal::noise::{Noise, WhyUnknown};

/// Noise of a point (internal units) where it is unknown: so little that σ² comes from the residual.
const UNKNOWN_NOISE_SD: f64 = 1e-4 * DATA_HEIGHT;
/// λ before the first evidence step: stiffer than most baselines turn out to be.
const START_LAMBDA: f64 = 1000.0;

/// A spectrum in internal units, and where its fit starts.
pub(crate) struct Problem {
    /// The fitted bins, moved by the start's shift.
    pub(crate) data: Vec<Complex64>,
    /// Variance of a point of the real part of the 2× zero-filled spectrum.
    pub(crate) noise_variance: f64,
    /// Why that is not known, but next to nothing instead.
    noise_unknown: Option<WhyUnknown>,
    /// Factor from the data's units to internal ones.
    scale: f64,
    start: ShiftPhase,
    /// Weights of the lineshape's kernel at the start.
    kernel: [f64; N_KERNEL],
}

/// Where a solver stopped.
pub(crate) struct Solved {
    pub(crate) x: Vec<f64>,
    pub(crate) weights: Weights,
    pub(crate) state: FitState,
    pub(crate) n_iterations: usize,
    pub(crate) objective: f64,
    /// Whether shifts, widths, phases and lineshape stayed at their start, because there was no signal to tell them.
    pub holds_shapes: bool,
}

impl Problem {
    /// The problem that `fid` poses, from its own start values; a state where it holds nothing to fit.
    pub(crate) fn new(model: &Model, fid: &[Complex64]) -> Result<Self, FitState> {
        if fid.iter().any(|z| !z.re.is_finite() || !z.im.is_finite()) {
            return Err(FitState::NoSignal);
        }
        let Start { at, kernel } = best_start(model, fid)?;
        Ok(Self { kernel, ..Self::from_start(model, fid, at)? })
    }

    /// The same for a finite `fid`, starting at the common shift and phase `start`.
    pub(crate) fn from_start(model: &Model, fid: &[Complex64], start: ShiftPhase) -> Result<Self, FitState> {
        let (data, scale) = window(model, fid, start.shift_hz)?;
        let (noise_variance, noise_unknown) = match Noise::of(fid) {
            Noise::Measured(sd) => (model.band.n_points as f64 * (sd * scale).powi(2), None),
            Noise::Unknown(why) => (UNKNOWN_NOISE_SD.powi(2), Some(why)),
        };
        Ok(Self { data, noise_variance, noise_unknown, scale, start, kernel: [0.0; N_KERNEL] })
    }

    /// Parameters before amplitudes and baseline are known.
    pub(crate) fn start_parameters(&self, model: &Model) -> Vec<f64> {
        let layout = &model.layout;
        let mut x = vec![0.0; layout.len()];
        let settings = &model.settings.start;
        for k in 0..layout.n_components {
            x[layout.width(k)] = settings.lorentz_hz;
        }
        x[layout.common_width()] = settings.lorentz_hz;
        x[layout.gauss()] = settings.gauss_hz;
        x[layout.phi0()] = self.start.phi0_rad;
        x[layout.kernel_range()].copy_from_slice(&self.kernel);
        x
    }

    /// Weights before the first step.
    pub(crate) fn start_weights(&self, model: &Model) -> Weights {
        let lambda = match model.settings.baseline.smoothness {
            Smoothness::Evidence | Smoothness::EdPerPpm(_) => START_LAMBDA,
            Smoothness::Fixed(lambda) => lambda,
        };
        Weights {
            variance: self.noise_variance,
            lambda,
            rows: vec![0.0; model.rows.len()],
            volume: [0.0; 2],
            kernel_share: 1.0,
        }
    }

    /// Errors and numbers at the solution, in f64 whatever found it.
    pub(crate) fn finish(&self, model: &Model, solved: &Solved, workspace: &mut Workspace) -> FitResult {
        let solution = Solution {
            x: &solved.x,
            data: &self.data,
            weights: &solved.weights,
            // What is told in units of an unknown noise is taken out below.
            noise_variance: self.noise_unknown.map_or(self.noise_variance, |_| solved.weights.variance),
            state: solved.state,
            n_iterations: solved.n_iterations,
            objective: solved.objective,
            data_scale: self.scale,
            start_shift_hz: self.start.shift_hz,
        };
        let mut result = summarise(
            model,
            &solution,
            &mut workspace.evaluation,
            &mut workspace.normal,
            &mut workspace.report,
            &mut workspace.algebra,
        );
        prior_report::complete(model, &solution, workspace, &mut result);
        if model.settings.uncertainty == Uncertainty::Sample
            && let Some(draws) = potential::draws(model, &self.data, &solved.x, &solved.weights, workspace)
        {
            draws.write_to(&mut result.amplitudes, model.basis_scale / self.scale);
        }
        if let Some(why) = self.noise_unknown {
            result.forget_noise(why);
        }
        result
    }
}

/// σ² for the first amplitudes. At the start the misfit is far above the noise: a σ of a twentieth of the
/// tallest point keeps the baseline from taking up what widths and shifts have not explained yet.
pub(crate) fn start_variance(noise_variance: f64) -> f64 {
    noise_variance.max((DATA_HEIGHT / 20.0).powi(2))
}
