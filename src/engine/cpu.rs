//! The native engine: f64, one spectrum a thread, scratch reused.

use rayon::prelude::*;

use super::{Batch, Engine, EngineKind, Fitted};
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
        let fitted: Option<Vec<Fitted>> = batch
            .fids
            .par_iter()
            .map_init(|| batch.model.fitter(), |fit, fid| (!interrupt::asked()).then(|| fit(fid)))
            .inspect(|_| pulse::were_fitted(1))
            .map(|result| Some(Fitted { result: result?, engine: EngineKind::Cpu }))
            .collect();
        fitted.unwrap_or_default()
    }
}
