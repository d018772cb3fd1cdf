//! What one round of a stage has to do, counted from the shaders' loops: every operation, and every access to memory that is the
//! spectrum's own, once for each time that a workgroup goes there. What all spectra of a model read alike (band FIDs, tables) is
//! counted apart: it stays in a device's caches.

use crate::engine::gpu::stage::Stage;
use crate::fit::map::Model;
use crate::fit::map::columns::n_columns;
use crate::fit::map::constants::{EVIDENCE_FROM, EVIDENCE_ROUNDS, KEEPS_EFFECTIVE};

/// Work of one stage for one spectrum in one round.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Counted {
    /// Operations on floating-point numbers.
    pub flop: f64,
    /// Bytes of the spectrum's own memory that are read or written.
    pub bytes: f64,
    /// Bytes of the model's constants that are read.
    pub constant_bytes: f64,
}

impl std::ops::Add for Counted {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            flop: self.flop + other.flop,
            bytes: self.bytes + other.bytes,
            constant_bytes: self.constant_bytes + other.constant_bytes,
        }
    }
}

impl Counted {
    /// So many times.
    pub fn times(self, n: f64) -> Self {
        Self { flop: n * self.flop, bytes: n * self.bytes, constant_bytes: n * self.constant_bytes }
    }
}

/// Rounds of `stage` that do something in a fit of so many evaluations, each of which is one round.
pub fn rounds(stage: Stage, evaluations: f64) -> f64 {
    match stage {
        // The start and the first iterations leave the weights as they are.
        Stage::Weights => (evaluations - 1.0 - EVIDENCE_FROM as f64).max(0.0),
        _ => evaluations,
    }
}

/// Columns of a panel of the factorisation (`shaders/shared/cholesky.wgsl`).
const PANEL: f64 = 32.0;

/// Counts `stage` for a model of `map`'s family.
pub fn counted(stage: Stage, model: &Model) -> Counted {
    let (k, n, w) = (model.components.len() as f64, model.band.n_short() as f64, model.band.n_window() as f64);
    let (m, nb, c) = (model.layout.len() as f64, model.layout.n_splines as f64, n_columns(model) as f64);
    let before_baseline = m - nb;
    let fft = 5.0 * n * n.log2();
    let signal = model.band.n_positive as f64 + n - model.band.first_negative() as f64;
    // Sine, cosine and exponential with their polynomials; band FID and time of each sample.
    let modulated = Counted { flop: 40.0 * k * signal, bytes: 0.0, constant_bytes: 12.0 * k * signal };
    let kernel = if model.lineshape.has_kernel() { 6.0 } else { 0.0 };
    let own = |flop: f64, floats: f64| Counted { flop, bytes: 4.0 * floats, constant_bytes: 0.0 };
    let tables = |floats: f64| Counted { constant_bytes: 4.0 * floats, ..Counted::default() };
    match stage {
        Stage::Components => modulated + own(2.0 * k * fft, 3.0 * k * w) + tables(k * signal),
        // The datum of each bin, and what is not a component's column.
        Stage::Common => {
            modulated + own((4.0 + kernel) * fft, (c - 3.0 * k) * w + 2.0 * w) + tables(2.0 * kernel * n + 6.0 * w)
        }
        // The lower triangle by blocks of 8 × 8; each column read once a block of 128.
        Stage::Products => {
            let blocks = (c / 128.0).ceil();
            own(c * (c + 8.0) * w + 8.0 * c * w + 2.0 * nb * nb * c, c * w * blocks + 0.5 * c * c + 3.0 * nb * c)
                + tables(5.0 * w + nb * nb)
        }
        Stage::Weights => {
            let system = own(0.0, 0.5 * before_baseline * before_baseline + before_baseline * nb) + tables(m);
            // Found in every third iteration.
            let effective = (inverse(m) + own(m * m, 0.5 * m * m)).times(1.0 / KEEPS_EFFECTIVE as f64);
            let round = factor(nb) + own(0.0, 0.5 * nb * nb) + inverse(nb) + solves(nb);
            system
                + factor(m)
                + solves(m).times(0.5)
                + effective
                + own(nb * nb * nb / 3.0, 1.5 * nb * nb)
                + round.times(EVIDENCE_ROUNDS as f64)
        }
        Stage::Step => {
            let p = before_baseline;
            // The system, less the baseline's part; its factor; the step, and what it promises.
            own(2.0 * p * p, 0.5 * p * p * 4.0 + 3.0 * c * nb)
                + own(c * (c + 8.0) * nb, 0.0)
                + factor(p)
                + own(0.0, 0.5 * p * p)
                + solves(p)
                + own(2.0 * c * nb, c * nb)
                + own(2.0 * p * p, p * p)
        }
        Stage::Trial => modulated + own(fft, 3.0 * w) + tables(2.0 * kernel * n + 6.0 * w),
        // Parameters and the trial, twice; gradient and steps that the next iteration asks for.
        Stage::Decide => own(20.0 * m, 10.0 * m),
        _ => own(10.0, 50.0),
    }
}

/// A Cholesky factorisation: L written once, and read again for every panel behind it.
fn factor(n: f64) -> Counted {
    Counted { flop: n * n * n / 3.0, bytes: 4.0 * (n * n * n / (6.0 * PANEL) + n * n), constant_bytes: 0.0 }
}

/// The inverse of a factor, likewise.
fn inverse(n: f64) -> Counted {
    Counted { flop: n * n * n / 3.0, bytes: 4.0 * (n * n * n / (6.0 * PANEL) + n * n), constant_bytes: 0.0 }
}

/// A solution by a factor and its transpose.
fn solves(n: f64) -> Counted {
    Counted { flop: 2.0 * n * n, bytes: 4.0 * n * n, constant_bytes: 0.0 }
}
