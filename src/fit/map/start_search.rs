//! The search for the start of a fit: candidates of the common shift, and around each what a first guess says.

use num_complex::Complex64;

use super::first_guess::{FirstGuess, Guess};
use super::lineshape::N_KERNEL;
use super::model::Model;
use super::window::window;
use crate::fit::result::FitState;
use crate::fit::start::ShiftPhase;

/// How far from one start the next is tried, in reaches of the kernel: they overlap.
const NEIGHBOUR: f64 = 0.78;
/// Starts that are this near are one.
const SAME: f64 = 0.33;
/// How often the search moves on to a better neighbour.
const MOST_MOVES: usize = 4;
/// Part of the guessed kernel that a fit starts with: its lines are broader than the guess's.
const START_KERNEL: f64 = 0.7;

/// Where a fit starts.
#[derive(Debug, Clone, Copy)]
pub(super) struct Start {
    /// Common shift and phase.
    pub(super) at: ShiftPhase,
    /// Weights of the lineshape's kernel.
    pub(super) kernel: [f64; N_KERNEL],
}

/// The best start of a finite `fid`.
pub(super) fn best_start(model: &Model, fid: &[Complex64]) -> Result<Start, FitState> {
    let candidates = model.start_candidates(fid);
    let first = candidates.first().copied().ok_or(FitState::NoSignal)?;
    let mut best = (f64::INFINITY, first);
    if let Some(guess) = &model.first_guess {
        for candidate in candidates {
            if let Some(found) = around(model, fid, guess, candidate.shift_hz)?
                && found.0 < best.0
            {
                best = found;
            }
        }
        if model.lineshape.has_kernel() && best.0.is_finite() {
            // Lines are where they belong now: what they look like from there.
            let (data, _) = window(model, fid, best.1.shift_hz)?;
            let kernel = guess.search(&model.baseline, &data).map_or([0.0; N_KERNEL], |found| found.kernel);
            return Ok(Start { at: best.1, kernel: kernel.map(|weight| START_KERNEL * weight) });
        }
    }
    Ok(Start { at: best.1, kernel: [0.0; N_KERNEL] })
}

/// The best start around `first_hz`, with its residual sum of squares (data's units²).
///
/// A guess sees as far as its kernel reaches; so its neighbours are tried as well, and the neighbours of a better one.
fn around(
    model: &Model,
    fid: &[Complex64],
    guess: &FirstGuess,
    first_hz: f64,
) -> Result<Option<(f64, ShiftPhase)>, FitState> {
    let step_hz = NEIGHBOUR * guess.reach_hz();
    let (mut centre_hz, mut tried): (f64, Vec<f64>) = (first_hz, Vec::new());
    let mut best: Option<(f64, ShiftPhase)> = None;
    for _ in 0..MOST_MOVES {
        for shift_hz in [centre_hz, centre_hz - step_hz, centre_hz + step_hz] {
            if tried.iter().any(|t| (t - shift_hz).abs() < SAME * guess.reach_hz()) {
                continue;
            }
            tried.push(shift_hz);
            let (data, scale) = window(model, fid, shift_hz)?;
            let Some(Guess { rss, shift_hz: own_hz, phi0_rad, .. }) = guess.search(&model.baseline, &data) else {
                continue;
            };
            // In the data's units, so that starts compare.
            let rss = rss / (scale * scale);
            if best.is_none_or(|best| rss < best.0) {
                best = Some((rss, ShiftPhase { shift_hz: shift_hz + own_hz, phi0_rad }));
            }
        }
        let Some((_, start)) = best else { break };
        if (start.shift_hz - centre_hz).abs() < 0.5 * step_hz {
            break;
        }
        centre_hz = start.shift_hz;
    }
    Ok(best)
}
