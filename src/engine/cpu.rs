//! The native engine: f64, one spectrum a thread, scratch reused.

use rayon::prelude::*;

use super::{Batch, Engine, Fitted};
use crate::fit::{Workspace, solver};

/// Runs fits on the processor's cores, in the rayon pool that it is called in.
#[derive(Debug, Default, Clone, Copy)]
pub struct CpuEngine;

impl Engine for CpuEngine {
    fn name(&self) -> &'static str {
        "cpu"
    }

    fn device(&self) -> String {
        "processor".to_owned()
    }

    fn files_at_once(&self) -> usize {
        128
    }

    fn fit(&self, batch: &Batch<'_>) -> Vec<Fitted> {
        let fit = |workspace: &mut Workspace, fid: &&[_]| solver::fit(batch.model, fid, workspace);
        batch
            .fids
            .par_iter()
            .map_init(|| Workspace::new(batch.model), fit)
            .map(|result| Fitted { result, engine: "cpu" })
            .collect()
    }
}
