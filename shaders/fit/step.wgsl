// One step of the solver: the damped normal equations with an active set for the bounds. CPU twin: `fit::step`.
//
// One workgroup an unfinished spectrum that needs a step. At most PASSES passes of the active set a dispatch; what is
// not settled then goes on in the next one.
#import "shared/batch.wgsl"
#import "shared/lists.wgsl"
#import "shared/reduce.wgsl"
#import "shared/lower_blocks.wgsl"
#import "shared/cholesky.wgsl"
#import "shared/objective.wgsl"
#import "shared/splines.wgsl"

const PASSES: u32 = 4u;

var<workgroup> group_phase: u32;
var<workgroup> group_scalars: vec4<f32>;
var<workgroup> group_passes: u32;
var<workgroup> group_extrapolates: u32;

// Slot of this workgroup, and its damping.
var<private> slot: u32;
var<private> damping: f32;
// σ² and λ of the step.
var<private> variance: f32;
var<private> lambda: f32;
// Part of itself that the amplitudes' diagonal has more.
var<private> ridge: f32;

// Share of mode `q` that the data determine: 1/σ² of 1/σ² + λ|D₂b|².
fn mode_share(q: u32) -> f32 {
    return 1.0 / (1.0 + lambda * variance * tables[shape.roughness + q]);
}

fn parameter_of_column(column: u32) -> u32 {
    return select(column + 2u, column, column < 3u * shape.n_components);
}

fn left(column: u32, mode: u32) -> f32 {
    return projections[projections_of(slot) + column * shape.n_splines + mode];
}

fn right(column: u32, mode: u32) -> f32 {
    return mode_share(mode) * left(column, mode);
}

// Takes the baseline's part of eight products out of the system.
fn store(row: u32, column: u32, low: vec4<f32>, high: vec4<f32>) {
    let i = parameter_of_column(row);
    for (var k = 0u; k < 8u && column + k <= row; k++) {
        let at = work_of(slot) + parameter_of_column(column + k) * shape.n_model + i;
        work[at] -= select(high[k % 4u], low[k % 4u], k < 4u) / variance;
    }
}

// Half the Hessian of the parameters before the baseline into `work`, with the baseline, which is diagonal in its modes,
// eliminated: H − C·D⁻¹·Cᵀ for D = 1/σ² + λ|D₂b|² and C, the columns' products with the modes over σ². The gradient's part
// likewise. `newton`: with second derivatives.
fn set_system(newton: bool, thread: u32) {
    let s = slot;
    let n = shape.n_model;
    let nb = shape.n_splines;
    let k_all = shape.n_components;
    for (var e = thread; e < n * n; e += THREADS) {
        let i = e % n;
        let j = e / n;
        if (i >= j) {
            var h = jtj(s, i, j) / variance + prior_hessian(s, i, j, lambda);
            // −r·∂²m/∂c∂F and −r·∂²m/∂c∂u: the columns for F and u over c.
            if (newton && j < k_all && (i == k_all + j || i == 2u * k_all + j)) {
                let c = vectors[x_of(s) + j];
                if (c > 0.0) { h -= jtr(s, i) / (c * variance); }
            }
            work[work_of(s) + e] = h;
        }
    }
    for (var i = thread; i < n; i += THREADS) {
        var g = vectors[gradient_of(s) + i];
        if (has_column(i)) {
            let own = projections_of(s) + column_of_parameter(i) * nb;
            for (var q = 0u; q < nb; q++) {
                g -= projections[own + q] * mode_share(q) * vectors[gradient_of(s) + n + q];
            }
        }
        vectors[reduced_of(s) + i] = g;
    }
    storageBarrier();
    workgroupBarrier();
    // Without the residual.
    multiply_lower(select(0u, shape.n_columns - 1u, nb > 0u), nb, thread);
    storageBarrier();
    workgroupBarrier();
}

fn hessian(i: u32, j: u32) -> f32 {
    return work[work_of(slot) + min(i, j) * shape.n_model + max(i, j)];
}

// Element (i, j), i ≥ j, of the damped system with what is held taken out.
fn element(base: u32, i: u32, j: u32) -> f32 {
    if (vectors[held_of(slot) + i] != 0.0 || vectors[held_of(slot) + j] != 0.0) { return select(0.0, 1.0, i == j); }
    let h = work[base + j * shape.n_model + i];
    if (i != j) { return h; }
    if (i < shape.n_components) { return h + ridge * h; }
    return h + damping * (jtj(slot, i, i) / variance + prior_hessian(slot, i, i, lambda));
}

// At the start only amplitudes and baseline move.
fn hold_shapes(s: u32, thread: u32) {
    for (var i = thread; i < shape.n_parameters; i += THREADS) {
        let linear = i < shape.n_components || i >= shape.n_model;
        vectors[held_of(s) + i] = select(1.0, 0.0, linear);
        vectors[held_step_of(s) + i] = 0.0;
    }
}

// The step into `vector`; false if the system is not positive definite.
fn solve(thread: u32) -> bool {
    let s = slot;
    let n = shape.n_model;
    for (var i = thread; i < n; i += THREADS) {
        var b = vectors[reduced_of(s) + i];
        if (vectors[held_of(s) + i] != 0.0) {
            b = vectors[held_step_of(s) + i];
        } else {
            for (var j = 0u; j < n; j++) {
                let fixed_step = vectors[held_step_of(s) + j];
                if (fixed_step != 0.0) { b -= hessian(i, j) * fixed_step; }
            }
        }
        vector[i] = b;
    }
    workgroupBarrier();
    if (!cholesky(work_of(s), n, thread)) { return false; }
    solve_lower(work_of(s), n, thread);
    solve_lower_transposed(work_of(s), n, thread);
    // The baseline follows.
    for (var q = thread; q < shape.n_splines; q += THREADS) {
        var b = variance * vectors[gradient_of(s) + n + q];
        for (var c = 0u; c + 1u < shape.n_columns; c++) {
            b -= projections[projections_of(s) + c * shape.n_splines + q] * vector[parameter_of_column(c)];
        }
        vector[n + q] = mode_share(q) * b;
    }
    workgroupBarrier();
    return true;
}

// Slope of the quadratic model along parameter `i`, which is held, at the step in `vector`.
fn slope(s: u32, i: u32) -> f32 {
    var value = -vectors[reduced_of(s) + i];
    for (var j = 0u; j < shape.n_model; j++) { value += hessian(i, j) * vector[j]; }
    if (i >= shape.n_components) {
        value += damping * vector[i] * (jtj(slot, i, i) / variance + prior_hessian(slot, i, i, lambda));
    }
    return value;
}

// Holds what would cross its bound exactly at it, and lets go of what is drawn to its bound (`lets_go`); whether there was anything.
fn hold_crossing(s: u32, lets_go: bool, thread: u32) -> bool {
    var any = 0u;
    for (var i = thread; i < shape.n_model; i += THREADS) {
        let bound = tables[shape.lower_bound + i];
        let x = vectors[x_of(s) + i];
        let held = vectors[held_of(s) + i] != 0.0;
        if (!held && x + vector[i] < bound) {
            vectors[held_of(s) + i] = 1.0;
            vectors[held_step_of(s) + i] = bound - x;
            any = 1u;
        }
        if (held && lets_go && vectors[held_step_of(s) + i] < 0.0 && slope(s, i) < 0.0) {
            vectors[held_of(s) + i] = 0.0;
            vectors[held_step_of(s) + i] = 0.0;
            any = 1u;
        }
    }
    storageBarrier();
    return sum_over_group(thread, f32(any)) > 0.0;
}

// Which part of the last step, and of how the step has changed since, the next one takes back (Anderson's extrapolation).
fn part_back(s: u32, thread: u32) -> f32 {
    var along = 0.0;
    var square = 0.0;
    for (var i = thread; i < shape.n_parameters; i += THREADS) {
        let change = vector[i] - vectors[last_step_of(s) + i];
        let gradient = vectors[gradient_of(s) + i];
        along += change * gradient;
        square += change * (gradient - vectors[last_gradient_of(s) + i]);
    }
    let sums = vec2<f32>(sum_over_group(thread, along), sum_over_group(thread, square));
    if (sums.y <= 0.0) { return 0.0; }
    return clamp(sums.x / sums.y, -MOST_FORWARD, MOST_BACK);
}

// Fall of Q that the quadratic model predicts: that of the parameters before the baseline, and that of the baseline alone.
fn predicted_fall(thread: u32) -> f32 {
    let n = shape.n_model;
    var share = 0.0;
    for (var i = thread; i < n; i += THREADS) {
        var hs = 0.0;
        for (var j = 0u; j < n; j++) { hs += hessian(i, j) * vector[j]; }
        share += vector[i] * (2.0 * vectors[reduced_of(slot) + i] - hs);
    }
    for (var q = thread; q < shape.n_splines; q += THREADS) {
        let g = vectors[gradient_of(slot) + n + q];
        share += variance * mode_share(q) * g * g;
    }
    return sum_over_group(thread, share);
}

// Amplitudes and baseline at the start: small and positive rather than zero, where the derivatives for shift and
// width vanish.
fn finish_start(s: u32, thread: u32) {
    let x = x_of(s);
    for (var i = thread; i < shape.n_parameters; i += THREADS) { vectors[x + i] += vector[i]; }
    storageBarrier();
    workgroupBarrier();
    var largest = 0.0;
    for (var k = 0u; k < shape.n_components; k++) { largest = max(largest, vectors[x + k]); }
    storageBarrier();
    workgroupBarrier();
    for (var k = thread; k < shape.n_components; k += THREADS) {
        vectors[x + k] = max(vectors[x + k], LEAST_START_AMPLITUDE * largest);
    }
    storageBarrier();
    workgroupBarrier();
    // Energy of all components together.
    var share = 0.0;
    for (var i = thread; i < shape.n_components; i += THREADS) {
        var value = 0.0;
        for (var j = 0u; j < shape.n_components; j++) { value += vectors[x + j] * jtj(s, max(i, j), min(i, j)); }
        share += vectors[x + i] * value;
    }
    let energy = sum_over_group(thread, share);
    set_splines(x + shape.n_model, splines_of(s), thread);
    if (thread == 0u) {
        let holds_shapes = energy < LEAST_ENERGY * scalars[s].noise_variance;
        scalars[s].holds_shapes = select(0u, 1u, holds_shapes);
        for (var i = kernel_at(); i < shape.n_model && holds_shapes; i++) { vectors[x + i] = 0.0; }
        scalars[s].phase = EVALUATE;
    }
    storageBarrier();
    workgroupBarrier();
    refresh_rows(s, thread);
}

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
    let entry = lists[1u + slots.n_slots + group.x];
    let s = entry.x;
    shape = models[entry.y];
    if (thread == 0u) {
        group_phase = scalars[s].phase;
        let at_start = group_phase == START_STEP || group_phase == START_STEP_MORE;
        let variance = select(scalars[s].variance, scalars[s].start_variance, at_start);
        let damping = select(scalars[s].damping, 0.0, at_start);
        let newton = scalars[s].newton != 0u && !at_start;
        group_scalars = vec4<f32>(variance, scalars[s].lambda, damping, select(0.0, 1.0, newton));
        group_passes = select(scalars[s].passes, 0u, group_phase == START_STEP || group_phase == STEP);
    }
    let phase = workgroupUniformLoad(&group_phase);
    let now = workgroupUniformLoad(&group_scalars);
    var passes = workgroupUniformLoad(&group_passes);
    if (phase < START_STEP || phase > STEP_MORE) { return; }
    let at_start = phase == START_STEP || phase == START_STEP_MORE;
    slot = s;
    variance = now.x;
    lambda = now.y;
    damping = now.z;
    if (phase == START_STEP || phase == STEP) {
        set_gradient(s, now.x, now.y, thread);
        set_system(now.w > 0.0, thread);
        if (at_start) { hold_shapes(s, thread); } else { hold_bounds(s, thread); }
        storageBarrier();
        workgroupBarrier();
    }
    var more = true;
    var solved = true;
    for (var pass_here = 0u; pass_here < PASSES && more && solved; pass_here++) {
        solved = solve(thread);
        if (!solved && at_start && ridge == 0.0) {
            // Components of one spectrum, which soft rows will tell apart: they share it.
            ridge = START_RIDGE;
            solved = true;
            continue;
        }
        if (solved) {
            passes++;
            more = hold_crossing(s, passes <= LETTING_GO_PASSES, thread);
            if (passes >= MAX_PASSES) { more = false; }
        }
    }
    if (solved && more) {
        if (thread == 0u) {
            scalars[s].passes = passes;
            scalars[s].phase = select(STEP_MORE, START_STEP_MORE, at_start);
        }
        return;
    }
    if (!solved) {
        if (thread == 0u) {
            scalars[s].phase = select(STEP_FAILED, DONE, at_start);
            if (at_start) { scalars[s].state = SINGULAR; }
        }
        return;
    }
    if (at_start) {
        finish_start(s, thread);
        return;
    }
    var predicted = predicted_fall(thread);
    // Barely positive definite with second derivatives, and a solution that rounding made of nothing: that promises a rise of Q.
    if (predicted < -PREDICTED_TOLERANCE && now.w > 0.0) {
        if (thread == 0u) { scalars[s].phase = STEP_FAILED; }
        return;
    }
    // Without them rounding alone makes it negative: as much is not known of it.
    predicted = abs(predicted);
    if (thread == 0u) { group_extrapolates = scalars[s].extrapolates; }
    var back = 0.0;
    let extrapolates = workgroupUniformLoad(&group_extrapolates) != 0u;
    if (extrapolates) { back = part_back(s, thread); }
    // Without shapes the problem is linear but for its bounds: a step ends at the minimum.
    if (predicted <= EXTRAPOLATES_ABOVE || scalars[s].holds_shapes != 0u) { back = 0.0; }
    // Steps that creep have more before them than each of them promises.
    if (back < 0.0) { predicted *= (1.0 - back) * (1.0 - back); }
    for (var i = thread; i < shape.n_parameters; i += THREADS) {
        var step = vector[i];
        // What goes to its bound goes there.
        if (back != 0.0 && vectors[held_of(s) + i] == 0.0) {
            step -= back * (vectors[taken_of(s) + i] + step - vectors[last_step_of(s) + i]);
        }
        var moved = vectors[x_of(s) + i] + step;
        if (i < shape.n_model) { moved = max(moved, tables[shape.lower_bound + i]); }
        vectors[trial_of(s) + i] = moved;
        vectors[step_of(s) + i] = vector[i];
    }
    storageBarrier();
    workgroupBarrier();
    set_splines(trial_of(s) + shape.n_model, trial_splines_of(s), thread);
    if (thread == 0u) {
        scalars[s].predicted = predicted;
        scalars[s].back = back;
        scalars[s].phase = TRIAL;
    }
}
