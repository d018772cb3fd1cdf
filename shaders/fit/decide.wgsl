// Whether a trial step is taken, how the damping goes on, and whether the fit has ended. CPU twin: `fit::solver`.
//
// One workgroup an unfinished spectrum.
#import "shared/batch.wgsl"
#import "shared/lists.wgsl"
#import "shared/reduce.wgsl"
#import "shared/objective.wgsl"

var<workgroup> group_phase: u32;
var<workgroup> group_lambda: f32;
var<workgroup> group_accepted: u32;

// Ends the iteration of spectrum `s` after its last attempt.
fn end_iteration(s: u32, accepted: bool) {
    let now = scalars[s];
    let lambda_moved = abs(log(now.lambda / now.lambda_before));
    let variance_moved = abs(log(now.variance / now.variance_before));
    let settled = now.iteration > min(LAST_REFRESH, shape.max_iterations / 2u);
    if (now.iteration >= FREEZE_FROM && now.predicted < FREEZE_BELOW && lambda_moved < FREEZE_TOLERANCE
        && variance_moved < FREEZE_TOLERANCE && settled) {
        scalars[s].frozen = max(now.frozen, 1u);
    }
    scalars[s].iteration = now.iteration + 1u;
    scalars[s].phase = EVALUATE;
    let idle = lambda_moved < IDLE_LAMBDA_TOLERANCE && now.predicted < IDLE_PREDICTED_TOLERANCE;
    if (now.frozen > 1u && now.predicted < PREDICTED_TOLERANCE && (lambda_moved < LAMBDA_TOLERANCE || idle)) {
        scalars[s].phase = DONE;
        scalars[s].state = CONVERGED;
    } else if (!accepted && now.predicted >= PREDICTED_TOLERANCE) {
        // Ever shorter steps all failed: the objective's floor within rounding.
        scalars[s].phase = DONE;
        scalars[s].state = select(MAX_ITERATIONS, CONVERGED, now.predicted < NEAR_MINIMUM);
    } else if (now.iteration + 1u >= shape.max_iterations) {
        scalars[s].phase = DONE;
        scalars[s].state = MAX_ITERATIONS;
    }
}

// The next attempt of this iteration, or its end if there were enough.
fn try_again(s: u32) {
    scalars[s].attempts += 1u;
    scalars[s].phase = STEP;
    if (scalars[s].attempts >= MAX_ATTEMPTS) { end_iteration(s, false); }
}

fn after_failure(s: u32) {
    if (scalars[s].newton != 0u) {
        scalars[s].newton = 0u;
    } else {
        scalars[s].damping = max(DAMPING_RISE_SINGULAR * scalars[s].damping, MIN_DAMPING_SINGULAR);
        if (scalars[s].damping > MAX_DAMPING) {
            scalars[s].phase = DONE;
            scalars[s].state = SINGULAR;
            return;
        }
    }
    try_again(s);
}

// Returns whether the trial is taken.
fn after_trial(s: u32, prior_before: f32, prior_after: f32) -> bool {
    let now = scalars[s];
    let before = now.rss / now.variance + prior_before;
    let fall = -(now.rss_change / now.variance + (prior_after - prior_before));
    if (fall >= -COST_ROUNDING * before) {
        scalars[s].cost = before - fall;
        // Nielsen's rule (1999).
        var gain = 1.0;
        // The factor is at its bound long before ±10, beyond which f32 could overflow.
        if (now.predicted > 0.0 && now.back == 0.0) { gain = clamp(fall / now.predicted, -10.0, 10.0); }
        let cube = (2.0 * gain - 1.0) * (2.0 * gain - 1.0) * (2.0 * gain - 1.0);
        scalars[s].damping = max(now.damping * clamp(1.0 - cube, MIN_DAMPING_FACTOR, MAX_DAMPING_FACTOR), MIN_DAMPING);
        scalars[s].has_last = select(0u, 1u, now.predicted < EXTRAPOLATES_BELOW);
        end_iteration(s, true);
        return true;
    }
    if (now.back != 0.0) {
        scalars[s].extrapolates = 0u;
        try_again(s);
        return false;
    }
    if (now.predicted < PREDICTED_TOLERANCE) {
        scalars[s].cost = before;
        end_iteration(s, false);
        return false;
    }
    scalars[s].damping = max(DAMPING_RISE_REJECTED * now.damping, MIN_DAMPING_REJECTED);
    try_again(s);
    return false;
}

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
    let entry = lists[1u + slots.n_slots + group.x];
    let s = entry.x;
    shape = models[entry.y];
    if (thread == 0u) {
        group_phase = scalars[s].phase;
        group_lambda = scalars[s].lambda;
    }
    let phase = workgroupUniformLoad(&group_phase);
    if (phase == STEP_FAILED) {
        if (thread == 0u) { after_failure(s); }
        return;
    }
    if (phase != TRIAL) { return; }
    let lambda = workgroupUniformLoad(&group_lambda);
    let prior_before = sum_over_group(thread, prior_cost_share(s, x_of(s), lambda, thread));
    let prior_after = sum_over_group(thread, prior_cost_share(s, trial_of(s), lambda, thread));
    if (thread == 0u) { group_accepted = select(0u, 1u, after_trial(s, prior_before, prior_after)); }
    if (workgroupUniformLoad(&group_accepted) == 0u) { return; }
    for (var i = thread; i < shape.n_parameters; i += THREADS) {
        let trial = vectors[trial_of(s) + i];
        vectors[taken_of(s) + i] = trial - vectors[x_of(s) + i];
        vectors[last_step_of(s) + i] = vectors[step_of(s) + i];
        vectors[last_gradient_of(s) + i] = vectors[gradient_of(s) + i];
        vectors[x_of(s) + i] = trial;
    }
    for (var i = thread; i < shape.n_splines; i += THREADS) {
        vectors[splines_of(s) + i] = vectors[trial_splines_of(s) + i];
    }
}
