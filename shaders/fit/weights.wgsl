// The weights of the objective, brought up to date on the undamped system: σ² from noise and misfit, the
// baseline's λ by evidence. CPU twin: `fit::smoothness`.
//
// One workgroup a spectrum that was just evaluated.
#import "shared/batch.wgsl"
#import "shared/lists.wgsl"
#import "shared/reduce.wgsl"
#import "shared/lower_blocks.wgsl"
#import "shared/cholesky.wgsl"
#import "shared/objective.wgsl"

var<workgroup> group_phase: u32;
var<workgroup> group_scalars: vec4<f32>;
// Right-hand side of the baseline's own system.
var<workgroup> own_rhs: array<f32, MAX_PARAMETERS>;

// What `element` is an element of: the baseline's own system, or all.
var<private> of_baseline: bool;
var<private> slot: u32;
var<private> element_variance: f32;
// λ; of the baseline's own system what has been added to it.
var<private> element_lambda: f32;

// Element (i, j), i ≥ j, of the system that is factorised.
fn element(base: u32, i: u32, j: u32) -> f32 {
    if (of_baseline) {
        return work[base + j * shape.n_splines + i] + select(0.0, element_lambda * tables[shape.roughness + i], i == j);
    }
    if (vectors[held_of(slot) + i] != 0.0 || vectors[held_of(slot) + j] != 0.0) { return select(0.0, 1.0, i == j); }
    return jtj(slot, i, j) / element_variance + prior_hessian(slot, i, j, element_lambda);
}

// Rows of the factor's trailing block, the baseline's own.
fn left(row: u32, k: u32) -> f32 {
    let first = shape.n_model;
    if (k > row) { return 0.0; }
    return factor[work_of(slot) + (first + k) * shape.n_parameters + first + row];
}

fn right(row: u32, k: u32) -> f32 {
    return left(row, k);
}

// Eight elements of the baseline's own system.
fn store(row: u32, column: u32, low: vec4<f32>, high: vec4<f32>) {
    for (var k = 0u; k < 8u && column + k <= row; k++) {
        work[work_of(slot) + (column + k) * shape.n_splines + row] = select(high[k % 4u], low[k % 4u], k < 4u);
    }
}

// The factor of the undamped Hessian with held parameters taken out, and the forward-solved gradient in `vector`.
fn factorise(s: u32, variance: f32, lambda: f32, thread: u32) -> bool {
    let n = shape.n_parameters;
    of_baseline = false;
    slot = s;
    element_variance = variance;
    element_lambda = lambda;
    for (var i = thread; i < n; i += THREADS) {
        vector[i] = select(0.0, vectors[gradient_of(s) + i], vectors[held_of(s) + i] == 0.0);
    }
    workgroupBarrier();
    let positive = cholesky(work_of(s), n, thread);
    if (positive) { solve_lower(work_of(s), n, thread); }
    return positive;
}

// Element (row, column) of L⁻¹.
fn inverse(base: u32, row: u32, column: u32) -> f32 {
    if (column > row) { return 0.0; }
    return work[base + row * shape.n_parameters + column];
}

// Number of parameters that the data determine: all that are free, less what the priors determine, tr(H⁻¹·P). What is held has
// no variance, and what priors say of it tells nothing of the others.
fn effective_parameters(s: u32, lambda: f32, thread: u32) -> f32 {
    let n = shape.n_parameters;
    let k_all = shape.n_components;
    let base = work_of(s);
    _ = invert_lower(base, base, n, thread);
    // A held parameter has a row and a column of the unit matrix.
    var n_held = 0.0;
    for (var i = thread; i < shape.n_model; i += THREADS) {
        if (vectors[held_of(s) + i] != 0.0) {
            work[base + i * n + i] = 0.0;
            n_held += 1.0;
        }
    }
    storageBarrier();
    workgroupBarrier();
    // vᵀH⁻¹v = |L⁻¹v|², one row of L⁻¹ an invocation.
    var from_priors = 0.0;
    var from_penalty = 0.0;
    if (thread < n) {
        for (var k = 0u; k < k_all; k++) {
            let f = inverse(base, thread, k_all + k) - inverse(base, thread, common_shift());
            let u = inverse(base, thread, 2u * k_all + k) - inverse(base, thread, common_width());
            from_priors += tables[shape.shift_precision + k] * f * f + tables[shape.width_precision + k] * u * u;
        }
        for (var which = 0u; which < N_COMMON; which++) {
            let value = inverse(base, thread, 3u * k_all + which);
            from_priors += single_precision(s, which) * value * value;
        }
        for (var soft = 0u; soft < shape.n_rows; soft++) {
            var value = 0.0;
            for (var q = indices[shape.row_members_first + soft]; q < indices[shape.row_members_first + soft + 1u]; q++) {
                let k = indices[shape.row_members + q];
                value += tables[shape.row_terms + soft * k_all + k] * inverse(base, thread, k);
            }
            value *= vectors[row_weights_of(s) + soft];
            from_priors += value * value;
        }
        for (var j = 0u; j < shape.n_splines; j++) {
            let value = inverse(base, thread, shape.n_model + j);
            from_penalty += tables[shape.roughness + j] * (value * value);
        }
    }
    let model_part = f32(shape.n_model) - sum_over_group(thread, from_priors + n_held);
    let penalty_part = sum_over_group(thread, from_penalty);
    return max(model_part, 0.0) + f32(shape.n_splines) - lambda * penalty_part;
}

// σ² moved towards what the residual leaves for each degree of freedom; all the way where it is to stay.
fn follow_misfit(s: u32, all_the_way: bool) {
    let now = scalars[s];
    let freedom = max(f32(shape.n_window) - now.effective, 1.0);
    let goal = max(now.noise_variance, now.rss / freedom);
    scalars[s].variance = select(max(sqrt(now.variance * goal), now.noise_variance), goal, all_the_way);
}

// Where three successive values of a steadily converging iteration lead, on a logarithmic scale (Aitken's Δ² process); at
// most a factor of ten away, and the last value itself where they do not converge steadily.
fn extrapolated(first: f32, second: f32, third: f32) -> f32 {
    let step = log(second / first);
    let next_step = log(third / second);
    if (step == 0.0) { return third; }
    let ratio = next_step / step;
    if (ratio < MIN_STEADY_RATIO || ratio > MAX_STEADY_RATIO) { return third; }
    let rest = next_step * ratio / (1.0 - ratio);
    return third * exp(clamp(rest, -log(MAX_LAMBDA_CHANGE), log(MAX_LAMBDA_CHANGE)));
}

// λ moved towards its fixed point by evidence on the linearised problem. With everything else eliminated, the
// trailing block of the factor holds the baseline's own system S = L_bb·L_bbᵀ, of which only λ·D₂ᵀD₂ changes.
fn evidence_step(s: u32, start: f32, thread: u32) -> f32 {
    let n = shape.n_parameters;
    let nb = shape.n_splines;
    let first = shape.n_model;
    let base = work_of(s);
    let b = x_of(s) + first;
    workgroupBarrier();
    for (var i = thread; i < nb; i += THREADS) {
        var value = 0.0;
        for (var j = 0u; j <= i; j++) { value += factor[base + (first + j) * n + first + i] * vector[first + j]; }
        own_rhs[i] = value;
    }
    multiply_lower(nb, nb, thread);
    storageBarrier();
    workgroupBarrier();
    of_baseline = true;
    var lambda = start;
    var before = start;
    for (var round = 0u; round < EVIDENCE_ROUNDS; round++) {
        let change = lambda - start;
        element_lambda = change;
        for (var i = thread; i < nb; i += THREADS) {
            vector[i] = own_rhs[i] - change * tables[shape.roughness + i] * vectors[b + i];
        }
        workgroupBarrier();
        if (!cholesky(base, nb, thread)) { return -1.0; }
        // tr(S⁻¹·D₂ᵀD₂) = Σ d_j·|L⁻¹e_j|², one column an invocation.
        var trace_share = invert_lower(base, base + nb * nb, nb, thread);
        if (thread < nb) { trace_share *= tables[shape.roughness + thread]; }
        let trace = sum_over_group(thread, trace_share);
        solve_lower(base, nb, thread);
        solve_lower_transposed(base, nb, thread);
        var rough_share = 0.0;
        for (var j = thread; j < nb; j += THREADS) {
            let mode = vector[j] + vectors[b + j];
            rough_share += tables[shape.roughness + j] * (mode * mode);
        }
        let roughness = max(sum_over_group(thread, rough_share), 1e-30);
        let ed = f32(nb) - lambda * trace;
        let by_evidence = max(min(ed, f32(nb)) - 2.0, MIN_CURVED_DIMENSION) / roughness;
        let excess = ed / shape.max_ed;
        let by_limit = lambda * (excess * excess) * (excess * excess);
        // Not more than a factor of ten a round: early residuals are not the baseline's.
        let next = clamp(clamp(max(by_evidence, by_limit), MIN_LAMBDA, MAX_LAMBDA), lambda / MAX_LAMBDA_CHANGE, MAX_LAMBDA_CHANGE * lambda);
        let moved = abs(log(next / lambda));
        let reached = select(next, extrapolated(before, lambda, next), round + 2u == EVIDENCE_ROUNDS);
        before = lambda;
        lambda = reached;
        if (moved < EVIDENCE_TOLERANCE) { break; }
        workgroupBarrier();
    }
    return lambda;
}

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
    let entry = lists[1u + group.x];
    let s = entry.x;
    shape = models[entry.y];
    if (thread == 0u) {
        let last = shape.n_columns - 1u;
        scalars[s].rss = gram[gram_of(s) + last * shape.n_columns + last];
        scalars[s].variance_before = scalars[s].variance;
        scalars[s].lambda_before = scalars[s].lambda;
        scalars[s].attempts = 0u;
        scalars[s].predicted = 0.0;
        scalars[s].extrapolates = scalars[s].has_last;
        scalars[s].has_last = 0u;
        let iteration = scalars[s].iteration;
        scalars[s].newton = select(0u, 1u, iteration >= NEWTON_FROM);
        var phase = scalars[s].phase;
        if (phase == START_EVALUATE) {
            scalars[s].phase = START_STEP;
        } else {
            scalars[s].phase = STEP;
            phase = STEP;
        }
        group_phase = phase;
        let just_frozen = scalars[s].frozen == 1u;
        if (just_frozen) { scalars[s].frozen = 2u; }
        let follow = scalars[s].frozen == 0u && iteration >= VARIANCE_FROM && iteration <= VARIANCE_TO;
        group_scalars =
            vec4<f32>(scalars[s].variance, scalars[s].lambda, select(select(0.0, 1.0, follow), -1.0, just_frozen), f32(iteration));
    }
    let phase = workgroupUniformLoad(&group_phase);
    let now = workgroupUniformLoad(&group_scalars);
    // σ² goes half of the way, or, once it is to stay, all of it: what it is at the end does not hang on the way.
    let follow = now.z != 0.0;
    if (phase == START_EVALUATE) { return; }
    let iteration = u32(now.w);
    let just_frozen = now.z < 0.0;
    if (just_frozen || iteration == REFRESH_1 || iteration == REFRESH_2 || iteration == LAST_REFRESH) {
        refresh_rows(s, thread);
        storageBarrier();
        workgroupBarrier();
    }
    let by_evidence = models[entry.y].evidence != 0u && iteration >= EVIDENCE_FROM;
    let counts = just_frozen || (follow && iteration % KEEPS_EFFECTIVE == 0u);
    if (follow && !counts && thread == 0u) { follow_misfit(s, just_frozen); }
    if (!counts && !by_evidence) { return; }
    set_gradient(s, now.x, now.y, thread);
    hold_bounds(s, thread);
    if (!factorise(s, now.x, now.y, thread)) {
        if (thread == 0u) {
            scalars[s].phase = DONE;
            scalars[s].state = SINGULAR;
        }
        return;
    }
    if (counts) {
        let effective = effective_parameters(s, now.y, thread);
        if (thread == 0u) {
            scalars[s].effective = effective;
            follow_misfit(s, just_frozen);
        }
    }
    if (by_evidence) {
        let lambda = evidence_step(s, now.y, thread);
        if (thread == 0u) {
            if (lambda < 0.0) {
                scalars[s].phase = DONE;
                scalars[s].state = SINGULAR;
            } else {
                scalars[s].lambda = lambda;
            }
        }
    }
}
