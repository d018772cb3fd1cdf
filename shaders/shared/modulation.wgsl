// The modulation of a component's band FID by its shift and width and the lineshape that all share.

// What all components share at one sample: (damping exponent, turns).
fn lineshape(sample: u32, parameters: u32) -> vec2<f32> {
    let t = tables[shape.time + sample];
    let g = vectors[parameters + gauss_width()];
    // (π·G·t)²/(4 ln 2)
    var shared_part = vec2<f32>(-3.5597073312 * g * g * t * t, 0.0);
    if (shape.lineshape != 0u) {
        shared_part.x -= vectors[parameters + flat_at()] * tables[shape.flat_time + sample];
        shared_part.y = vectors[parameters + skew_at()] * tables[shape.skew_time + sample] * 0.15915494309;
    }
    return shared_part;
}

fn is_signal(sample: u32) -> bool {
    return sample < shape.n_positive || sample >= shape.first_negative;
}

// Sample of component `k` at the parameters that begin at `parameters`.
fn modulated(k: u32, sample: u32, parameters: u32, shared_part: vec2<f32>) -> vec2<f32> {
    let t = tables[shape.time + sample];
    let width_hz = vectors[parameters + 2u * shape.n_components + k];
    let shift_hz = vectors[parameters + shape.n_components + k];
    let exponent = clamp(shared_part.x - 3.14159265359 * width_hz * t, -80.0, 20.0);
    let rotation = circle(shift_hz * t + shared_part.y);
    return exp(exponent) * multiply(band_fids[shape.band_fids + k * shape.n_short + sample], rotation);
}

// Term `j` of the kernel at one sample: e^{2πi·ν_j·t} − 1.
fn kernel_term(j: u32, sample: u32) -> vec2<f32> {
    let at = shape.kernel_time + 2u * (j * shape.n_short + sample);
    return vec2<f32>(tables[at], tables[at + 1u]);
}

// `value` times the kernel, K = 1 + Σ_j s_j·term_j.
fn with_kernel(value: vec2<f32>, sample: u32, parameters: u32) -> vec2<f32> {
    if (shape.has_kernel == 0u) { return value; }
    var kernel = vec2<f32>(1.0, 0.0);
    for (var j = 0u; j < N_KERNEL; j++) {
        let weight = vectors[parameters + kernel_at() + j];
        if (weight != 0.0) { kernel += weight * kernel_term(j, sample); }
    }
    return multiply(value, kernel);
}

// Sum over all components, each at its amplitude, without the kernel.
fn plain_sum(sample: u32, parameters: u32) -> vec2<f32> {
    var sum = vec2<f32>(0.0);
    if (!is_signal(sample)) { return sum; }
    let shared_part = lineshape(sample, parameters);
    for (var k = 0u; k < shape.n_components; k++) {
        let c = vectors[parameters + k];
        if (c != 0.0) { sum += c * modulated(k, sample, parameters, shared_part); }
    }
    return sum;
}

// The same with the kernel.
fn modulated_sum(sample: u32, parameters: u32) -> vec2<f32> {
    return with_kernel(plain_sum(sample, parameters), sample, parameters);
}

// The datum of bin `p` with the phases taken out.
fn rotated(s: u32, p: u32, parameters: u32) -> vec2<f32> {
    let phase = vectors[parameters + phi0_at()] + vectors[parameters + phi1_at()] * tables[shape.ppm + p];
    return multiply(data[data_of(s) + p], circle(-0.15915494309 * phase));
}

// The baseline of the spline coefficients that begin at `splines`, at bin `p`.
fn baseline(p: u32, splines: u32) -> f32 {
    if (shape.n_splines == 0u) { return 0.0; }
    let first = indices[shape.spline_at + p];
    let values = shape.spline_four + 4u * p;
    let b = splines + first;
    return tables[values] * vectors[b] + tables[values + 1u] * vectors[b + 1u]
        + tables[values + 2u] * vectors[b + 2u] + tables[values + 3u] * vectors[b + 3u];
}
