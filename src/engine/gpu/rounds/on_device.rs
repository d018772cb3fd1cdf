//! A model on the device, and the results of a chunk that it has solved.

use std::sync::Arc;

use rayon::prelude::*;

use super::chunk::Chunk;
use super::profile::Profile;
use super::tables::Tables;
use crate::engine::gpu::error::GpuError;
use crate::engine::gpu::pipelines::{Compiled, Opened};
use crate::engine::gpu::stage::Family;
use crate::engine::gpu::stage::fit::Shape;
use crate::engine::{EngineKind, Fitted};
use crate::fit::map::marginal::refine;
use crate::fit::map::problem::{Problem, Solved};
use crate::fit::map::{Model, Workspace};
use crate::fit::{FitResult, FitState};

/// A model on the device, made on first use and again after a loss.
pub(in crate::engine::gpu) struct OnDevice {
    tables: Tables,
    fft_n: usize,
    chunk: Option<(Arc<Compiled>, Chunk)>,
}

impl OnDevice {
    pub(in crate::engine::gpu) fn new(model: &Model) -> Self {
        Self { tables: Tables::new(model), fft_n: model.band.n_short(), chunk: None }
    }

    /// The model's sizes.
    pub(in crate::engine::gpu) fn shape(&self) -> Shape {
        self.tables.shape
    }

    /// Forgets what is on a device that is gone.
    pub(in crate::engine::gpu) fn forget(&mut self) {
        self.chunk = None;
    }

    /// Fits the problems; one solution each, in their order.
    pub(in crate::engine::gpu) fn solve(
        &mut self,
        opened: &Opened,
        model: &Model,
        problems: &[Problem],
        profile: Option<&mut Profile>,
    ) -> Result<Vec<Solved>, GpuError> {
        if self.chunk.as_ref().is_none_or(|(_, chunk)| chunk.capacity() < problems.len()) {
            self.chunk = None;
            let compiled = opened.compiled(Family::Fit, self.fft_n)?;
            let chunk = Chunk::new(&opened.device, &compiled, &self.tables, problems.len());
            opened.device.check()?;
            self.chunk = Some((compiled, chunk));
        }
        match &mut self.chunk {
            Some((compiled, chunk)) => chunk.solve(&opened.device, compiled, model, problems, profile),
            None => Ok(Vec::new()),
        }
    }
}

/// A chunk that the device has solved.
pub(in crate::engine::gpu) struct Solution {
    /// What the spectra pose: `Ok` where they pose a problem, the state where they do not.
    pub(in crate::engine::gpu) posed: Vec<Result<(), FitState>>,
    pub(in crate::engine::gpu) problems: Vec<Problem>,
    /// `None` where the device has failed.
    pub(in crate::engine::gpu) solved: Option<Vec<Solved>>,
}

impl Solution {
    /// Errors and numbers of all spectra, in f64.
    pub(in crate::engine::gpu) fn finish(self, model: &Model) -> Vec<Fitted> {
        let Some(solved) = self.solved else { return Vec::new() };
        let mut results: Vec<FitResult> = self
            .problems
            .par_iter()
            .zip(solved)
            .map_init(
                || Workspace::new(model),
                |workspace, (problem, mut solved)| {
                    refine(model, problem, &mut solved, workspace);
                    problem.finish(model, &solved, workspace)
                },
            )
            .collect();
        let mut fitted = results.drain(..);
        let all = self.posed.into_iter().filter_map(|posed| match posed {
            Ok(()) => fitted.next(),
            Err(state) => Some(FitResult::without_fit(state)),
        });
        all.inspect(|_| crate::pulse::were_fitted(1)).map(|result| Fitted { result, engine: EngineKind::Gpu }).collect()
    }
}

/// Which spectra pose a problem, and their problems.
pub(in crate::engine::gpu) fn posed(
    prepared: Vec<Result<Problem, FitState>>,
) -> (Vec<Result<(), FitState>>, Vec<Problem>) {
    let mut problems = Vec::with_capacity(prepared.len());
    let posed = prepared.into_iter().map(|p| p.map(|problem| problems.push(problem))).collect();
    (posed, problems)
}
