//! The native engine: f64, one spectrum a thread, scratch reused.

use rayon::prelude::*;

use super::{Batch, Engine};
use crate::fit::FitResult;
use crate::fit::{Workspace, solver};

/// Runs fits on the processor's cores, in the rayon pool that it is called in.
#[derive(Debug, Default, Clone, Copy)]
pub struct CpuEngine;

impl Engine for CpuEngine {
    fn name(&self) -> &'static str {
        "cpu"
    }

    fn fit(&self, batch: &Batch<'_>) -> Vec<FitResult> {
        batch
            .fids
            .par_iter()
            .map_init(|| Workspace::new(batch.model), |workspace, fid| solver::fit(batch.model, fid, workspace))
            .collect()
    }
}
