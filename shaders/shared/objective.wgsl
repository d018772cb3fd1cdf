// The penalised normal equations: half the Hessian of Q, half its falling gradient, and the priors' part of Q.
// See `fit::normal`, which says what each term is.

// weight² · value of each soft row.
var<workgroup> pull: array<f32, MAX_ROWS>;

fn row_value(row: u32, parameters: u32) -> f32 {
    let terms = shape.row_terms + row * shape.n_components;
    var value = 0.0;
    for (var k = 0u; k < shape.n_components; k++) {
        value += tables[terms + k] * vectors[parameters + k];
    }
    return value;
}

// How many times wider a soft row is than where noise hides what it is for: 1 + (SNR/SNR of the doubled width)⁴.
fn row_yields(row: u32, parameters: u32, variance: f32) -> f32 {
    let snr = tables[shape.row_yield_snr + row];
    if (snr <= 0.0) { return 1.0; }
    var tallest = 0.0;
    for (var k = 0u; k < shape.n_components; k++) {
        tallest = max(tallest, tables[shape.heights + k] * vectors[parameters + k]);
    }
    let part = tallest / (2.0 * sqrt(variance) * snr);
    return min(1.0 + (part * part) * (part * part), MOST_ROW_YIELD);
}

// Weight of a soft row at the amplitudes that begin at `parameters`, for noise of this variance.
fn row_weight(row: u32, parameters: u32, variance: f32) -> f32 {
    let scales = shape.row_scales + row * shape.n_components;
    var scale = 0.0;
    var all = 0.0;
    for (var k = 0u; k < shape.n_components; k++) {
        let c = max(vectors[parameters + k], 0.0);
        scale += tables[scales + k] * c;
        all += c;
    }
    scale = max(scale, LEAST_ROW_SCALE * all);
    if (scale <= 0.0) { return 0.0; }
    return 1.0 / (tables[shape.row_sd + row] * row_yields(row, parameters, variance) * scale);
}

// Precision of the prior of the common parameter number `which`. That of the kernel's weights is a Cauchy distribution's,
// see `fit::normal`.
fn single_precision(s: u32, which: u32) -> f32 {
    let at_rest = tables[shape.single_precision + which];
    return select(at_rest, at_rest * scalars[s].kernel_share, which >= N_COMMON - N_KERNEL);
}

// What depends on where the fit stands: the scales of the soft rows, and the precision of the kernel's prior.
fn refresh_rows(s: u32, thread: u32) {
    if (thread == 0u) {
        let at_rest = tables[shape.single_precision + N_COMMON - N_KERNEL];
        var size = 0.0;
        for (var i = kernel_at(); i < kernel_at() + N_KERNEL; i++) { size += vectors[x_of(s) + i] * vectors[x_of(s) + i]; }
        scalars[s].kernel_share = 1.0 / (1.0 + size * at_rest / f32(N_KERNEL + 1u));
    }
    for (var row = thread; row < shape.n_rows; row += THREADS) {
        vectors[row_weights_of(s) + row] = row_weight(row, x_of(s), scalars[s].variance);
    }
}

// JᵀJ, i ≥ j.
fn jtj(s: u32, i: u32, j: u32) -> f32 {
    if (j >= shape.n_model) { return select(0.0, 1.0, i == j); }
    if (!has_column(j)) { return 0.0; }
    let column = column_of_parameter(j);
    if (i >= shape.n_model) {
        return projections[projections_of(s) + column * shape.n_splines + i - shape.n_model];
    }
    if (!has_column(i)) { return 0.0; }
    return gram[gram_of(s) + column * shape.n_columns + column_of_parameter(i)];
}

// Jᵀr.
fn jtr(s: u32, i: u32) -> f32 {
    let residual = shape.n_columns - 1u;
    if (i >= shape.n_model) {
        return projections[projections_of(s) + residual * shape.n_splines + i - shape.n_model];
    }
    if (!has_column(i)) { return 0.0; }
    return gram[gram_of(s) + column_of_parameter(i) * shape.n_columns + residual];
}

// What priors and penalty add to element (i, j), i ≥ j, of the Hessian.
fn prior_hessian(s: u32, i: u32, j: u32, lambda: f32) -> f32 {
    let n = shape.n_components;
    if (i < n) {
        var sum = 0.0;
        for (var q = indices[shape.component_rows_first + i]; q < indices[shape.component_rows_first + i + 1u]; q++) {
            let row = indices[shape.component_rows + q];
            let weight = vectors[row_weights_of(s) + row];
            let terms = shape.row_terms + row * n;
            sum += weight * tables[terms + i] * (weight * tables[terms + j]);
        }
        return sum;
    }
    if (j >= shape.n_model) { return select(0.0, lambda * tables[shape.roughness + i - shape.n_model], i == j); }
    if (i == j && i >= kernel_at() && i < shape.n_model) { return single_precision(s, i - 3u * n); }
    if (i == j) { return tables[shape.prior_diagonal + i]; }
    if (i == common_shift() && j >= n && j < 2u * n) { return -tables[shape.shift_precision + j - n]; }
    if (i == common_width() && j >= 2u * n && j < 3u * n) { return -tables[shape.width_precision + j - 2u * n]; }
    return 0.0;
}

// Deviation from its mean of the common parameter number `which`, counted from the common shift.
fn single_value(which: u32, parameters: u32) -> f32 {
    return vectors[parameters + 3u * shape.n_components + which] - tables[shape.single_mean + which];
}

// Fills the gradient of spectrum `s` at its x.
fn set_gradient(s: u32, variance: f32, lambda: f32, thread: u32) {
    let x = x_of(s);
    let n = shape.n_components;
    for (var row = thread; row < shape.n_rows; row += THREADS) {
        let weight = vectors[row_weights_of(s) + row];
        pull[row] = weight * (weight * row_value(row, x));
    }
    workgroupBarrier();
    for (var i = thread; i < shape.n_parameters; i += THREADS) {
        var g = jtr(s, i) / variance;
        if (i < n) {
            for (var q = indices[shape.component_rows_first + i]; q < indices[shape.component_rows_first + i + 1u]; q++) {
                let row = indices[shape.component_rows + q];
                g -= tables[shape.row_terms + row * n + i] * pull[row];
            }
        } else if (i < 2u * n) {
            g -= tables[shape.shift_precision + i - n] * (vectors[x + i] - vectors[x + common_shift()]);
        } else if (i < 3u * n) {
            g -= tables[shape.width_precision + i - 2u * n] * (vectors[x + i] - vectors[x + common_width()]);
        } else if (i < shape.n_model) {
            let which = i - 3u * n;
            g -= single_precision(s, which) * single_value(which, x);
            if (i == common_shift()) {
                for (var k = 0u; k < n; k++) {
                    g += tables[shape.shift_precision + k] * (vectors[x + n + k] - vectors[x + i]);
                }
            }
            if (i == common_width()) {
                for (var k = 0u; k < n; k++) {
                    g += tables[shape.width_precision + k] * (vectors[x + 2u * n + k] - vectors[x + i]);
                }
            }
        } else {
            g -= lambda * tables[shape.roughness + i - shape.n_model] * vectors[x + i];
        }
        vectors[gradient_of(s) + i] = g;
    }
    storageBarrier();
    workgroupBarrier();
}

// Marks the parameters that take no part in a step: fixed ones, shapes that nothing tells, and those at a bound with Q falling outwards.
fn hold_bounds(s: u32, thread: u32) {
    let x = x_of(s);
    for (var i = thread; i < shape.n_parameters; i += THREADS) {
        var held = 0.0;
        if (i < shape.n_model) {
            let at_bound = vectors[x + i] <= tables[shape.lower_bound + i] && vectors[gradient_of(s) + i] <= 0.0;
            let no_signal = scalars[s].holds_shapes != 0u && i >= shape.n_components;
            if (at_bound || no_signal || indices[shape.is_fixed + i] != 0u) { held = 1.0; }
        }
        vectors[held_of(s) + i] = held;
        vectors[held_step_of(s) + i] = 0.0;
    }
    storageBarrier();
    workgroupBarrier();
}

// This invocation's share of the priors' part of Q.
fn prior_cost_share(s: u32, parameters: u32, lambda: f32, thread: u32) -> f32 {
    let n = shape.n_components;
    var sum = 0.0;
    for (var k = thread; k < n; k += THREADS) {
        let f = vectors[parameters + n + k] - vectors[parameters + common_shift()];
        let u = vectors[parameters + 2u * n + k] - vectors[parameters + common_width()];
        sum += tables[shape.shift_precision + k] * f * f + tables[shape.width_precision + k] * u * u;
    }
    for (var which = thread; which < N_COMMON; which += THREADS) {
        let value = single_value(which, parameters);
        sum += single_precision(s, which) * value * value;
    }
    for (var row = thread; row < shape.n_rows; row += THREADS) {
        let value = vectors[row_weights_of(s) + row] * row_value(row, parameters);
        sum += value * value;
    }
    for (var j = thread; j < shape.n_splines; j += THREADS) {
        let mode = vectors[parameters + shape.n_model + j];
        sum += lambda * tables[shape.roughness + j] * (mode * mode);
    }
    return sum;
}
