//! The native engine: f64, one spectrum a thread, scratch reused.

use rayon::prelude::*;

use super::scratch::Scratch;
use super::{Batch, Engine, EngineKind, Fitted};
use crate::fit::Model;
use crate::interrupt;
use crate::pulse;

/// Runs fits on the processor's cores, in the rayon pool that it is called in.
#[derive(Debug, Default, Clone, Copy)]
pub struct CpuEngine;

impl Engine for CpuEngine {
    fn kind(&self) -> EngineKind {
        EngineKind::Cpu
    }

    fn device(&self) -> String {
        "processor".to_owned()
    }

    fn fit(&self, batch: &Batch<'_>) -> Vec<Fitted> {
        let (_, models) = batch.models();
        // Neighbours share a model, and with it scratch.
        let mut order: Vec<usize> = (0..batch.tasks.len()).collect();
        order.sort_by_key(|&i| models[i]);
        let scratch = Scratch::new(Model::fitter);
        let fitted: Option<Vec<(usize, Fitted)>> = order
            .par_iter()
            .with_max_len(1)
            .map(|&i| {
                let task = batch.tasks[i];
                let fit = || scratch.with(task.model, |fit| fit(task.fid));
                (!interrupt::asked()).then(|| (i, Fitted { result: fit(), engine: EngineKind::Cpu }))
            })
            .inspect(|_| pulse::were_fitted(1))
            .collect();
        let mut fitted = fitted.unwrap_or_default();
        fitted.sort_by_key(|(i, _)| *i);
        fitted.into_iter().map(|(_, fitted)| fitted).collect()
    }
}
