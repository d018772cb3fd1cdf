//! What one round of a stage has to do, counted from the shaders' loops: the least that a device could spend.

use crate::engine::gpu::stage::Stage;
use crate::fit::map::Model;
use crate::fit::map::columns::n_columns;

/// Work of one stage for one spectrum in one round.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Counted {
    /// Operations on floating-point numbers.
    pub flop: f64,
    /// Bytes of global memory that are read or written.
    pub bytes: f64,
}

/// Counts `stage` for a model of `map`'s family.
pub fn counted(stage: Stage, model: &Model) -> Counted {
    let (k, n, w) = (model.components.len() as f64, model.band.n_short() as f64, model.band.n_window() as f64);
    let (m, nb, c) = (model.layout.len() as f64, model.layout.n_splines as f64, n_columns(model) as f64);
    let fft = 5.0 * n * n.log2();
    // Sine, cosine and exponential with their polynomials.
    let modulation = 40.0 * k * n;
    let factor = m * m * m / 3.0;
    let square = 4.0 * m * m;
    let (flop, bytes) = match stage {
        Stage::Components => (modulation + 2.0 * k * fft, 12.0 * k * w),
        Stage::Common => (modulation + 2.0 * fft, 4.0 * 6.0 * w),
        Stage::Gram => (c * c * w, 4.0 * c * w * (c / 32.0).ceil()),
        Stage::Project => (8.0 * c * w + 2.0 * nb * nb * c, 16.0 * c * w + 4.0 * nb * nb * c),
        // Factor, its inverse, four small factors with their inverses.
        Stage::Weights => (2.0 * factor + 4.0 * nb * nb * nb, 12.0 * square),
        Stage::Step => (1.5 * factor + 6.0 * m * m, 10.0 * square),
        Stage::Trial => (modulation + fft, 16.0 * w),
        // Parameters and the trial, twice; gradient and steps that the next iteration asks for.
        Stage::Decide => (20.0 * m, 40.0 * m),
        _ => (10.0, 200.0),
    };
    Counted { flop, bytes }
}
