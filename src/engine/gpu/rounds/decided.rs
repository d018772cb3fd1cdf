//! The decision of `fit::map::solver` on one step, written out on the device's state: the twin of the stage `decide`.

use crate::engine::gpu::stage::fit::{CONVERGED, DONE, EVALUATE, MAX_ITERATIONS, SINGULAR, STEP, STEP_FAILED, Scalars};
use crate::fit::map::constants::{
    COST_ROUNDING, DAMPING_RISE_REJECTED, DAMPING_RISE_SINGULAR, EXTRAPOLATES_BELOW, FREEZE_BELOW, FREEZE_FROM,
    FREEZE_TOLERANCE, IDLE_LAMBDA_TOLERANCE, IDLE_PREDICTED_TOLERANCE, LAMBDA_TOLERANCE, LAST_REFRESH, MAX_ATTEMPTS,
    MAX_DAMPING, MAX_DAMPING_FACTOR, MIN_DAMPING, MIN_DAMPING_FACTOR, MIN_DAMPING_REJECTED, MIN_DAMPING_SINGULAR,
    NEAR_MINIMUM, PREDICTED_TOLERANCE,
};

/// The state after the stage. The priors' part of Q is `prior` before the step and rises by `rise`.
pub(super) fn decided(before: &Scalars, prior: f64, rise: f64, max_iterations: u32) -> Scalars {
    let mut after = *before;
    let damping = f64::from(before.damping);
    if before.phase == STEP_FAILED {
        if before.newton != 0 {
            after.newton = 0;
        } else {
            let damping = (damping * DAMPING_RISE_SINGULAR).max(MIN_DAMPING_SINGULAR);
            after.damping = damping as f32;
            if damping > MAX_DAMPING {
                (after.phase, after.state) = (DONE, SINGULAR);
                return after;
            }
        }
        try_again(&mut after, max_iterations);
        return after;
    }
    let (variance, predicted) = (f64::from(before.variance), f64::from(before.predicted));
    let cost = f64::from(before.rss) / variance + prior;
    let fall = -(f64::from(before.rss_change) / variance + rise);
    if fall >= -COST_ROUNDING * cost {
        let gain = if predicted > 0.0 && before.back == 0.0 { fall / predicted } else { 1.0 };
        let factor = (1.0 - (2.0 * gain - 1.0).powi(3)).clamp(MIN_DAMPING_FACTOR, MAX_DAMPING_FACTOR);
        after.damping = (damping * factor).max(MIN_DAMPING) as f32;
        after.has_last = (predicted < EXTRAPOLATES_BELOW).into();
        end(&mut after, true, max_iterations);
    } else if before.back != 0.0 {
        after.extrapolates = 0;
        try_again(&mut after, max_iterations);
    } else if predicted < PREDICTED_TOLERANCE {
        end(&mut after, false, max_iterations);
    } else {
        after.damping = (damping * DAMPING_RISE_REJECTED).max(MIN_DAMPING_REJECTED) as f32;
        try_again(&mut after, max_iterations);
    }
    after
}

fn try_again(now: &mut Scalars, max_iterations: u32) {
    now.attempts += 1;
    now.phase = STEP;
    if now.attempts as usize >= MAX_ATTEMPTS {
        end(now, false, max_iterations);
    }
}

/// Ends an iteration.
fn end(now: &mut Scalars, accepted: bool, max_iterations: u32) {
    let moved = |to: f32, from: f32| (f64::from(to) / f64::from(from)).ln().abs();
    let (lambda, variance) = (moved(now.lambda, now.lambda_before), moved(now.variance, now.variance_before));
    let predicted = f64::from(now.predicted);
    let settled = now.iteration > (LAST_REFRESH as u32).min(max_iterations / 2);
    let quiet = lambda < FREEZE_TOLERANCE && variance < FREEZE_TOLERANCE;
    if now.iteration as usize >= FREEZE_FROM && predicted < FREEZE_BELOW && quiet && settled {
        now.frozen = now.frozen.max(1);
    }
    let lambda_rests =
        lambda < LAMBDA_TOLERANCE || (lambda < IDLE_LAMBDA_TOLERANCE && predicted < IDLE_PREDICTED_TOLERANCE);
    let converged = now.frozen > 1 && predicted < PREDICTED_TOLERANCE && lambda_rests;
    now.iteration += 1;
    (now.phase, now.state) = if converged {
        (DONE, CONVERGED)
    } else if !accepted && predicted >= PREDICTED_TOLERANCE {
        (DONE, if predicted < NEAR_MINIMUM { CONVERGED } else { MAX_ITERATIONS })
    } else if now.iteration >= max_iterations {
        (DONE, MAX_ITERATIONS)
    } else {
        (EVALUATE, now.state)
    };
}
