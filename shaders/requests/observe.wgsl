// Columns of amplitudes and nonlinear parameters: one transform of a component, or of a sum of them, gives one or two.
//
// One workgroup a request and job.
#import "shared/requests.wgsl"
#import "shared/trigonometry.wgsl"
#import "shared/fft.wgsl"

// Sample `i` of member `k` as the job wants it.
fn sample(r: u32, own: Job, k: u32, i: u32) -> vec2<f32> {
    let m = member(r, k);
    var weight = 1.0;
    if (own.form != AMPLITUDE) { weight = m.amplitude; }
    if (weight == 0.0) { return vec2<f32>(0.0); }
    var value = weight * carried[carried_of(r, k) + i];
    if (m.takes_shape != 0u) {
        value = multiply(value, pair(requests[r].shapes, own.shape * sizes.n_carried + i));
    }
    return value;
}

fn source(r: u32, own: Job, i: u32) -> vec2<f32> {
    var value = vec2<f32>(0.0);
    if (own.members == ONE) {
        value = sample(r, own, own.which, i);
    } else {
        for (var k = 0u; k < requests[r].n_members; k++) {
            let m = member(r, k);
            let taken = own.members == ALL || (own.members == GROUP && m.group == own.which)
                || (own.members == SHAPED && m.takes_shape != 0u);
            if (taken) { value += sample(r, own, k, i); }
        }
    }
    let t = constants[sizes.time + i];
    if (own.form == RATES) { return -t * value; }
    if (own.form == GAUSS) { return -t * t * value; }
    return value;
}

// What the baseline adds before the phases.
fn baseline(r: u32, bin: u32) -> vec2<f32> {
    let shape = requests[r];
    var sum = vec2<f32>(0.0);
    for (var j = 0u; j < shape.n_baseline; j++) {
        let b = number(shape.linear + shape.n_members + j);
        let v = number(shape.baseline + (j % shape.n_functions) * sizes.n_observed + bin);
        if (j < shape.n_functions) { sum.x += b * v; } else { sum.y += b * v; }
    }
    return sum;
}

@compute @workgroup_size(FFT_THREADS)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
    let r = group.y;
    if (group.x >= requests[r].n_jobs) { return; }
    sizes = models[requests[r].model];
    let own = job(r, group.x);
    for (var i = thread; i < FFT_N; i += FFT_THREADS) {
        // Negative times are last in a transform.
        var value = vec2<f32>(0.0);
        let n_positive = sizes.n_carried - sizes.origin;
        if (i < n_positive) {
            value = source(r, own, i + sizes.origin);
        } else if (i >= FFT_N - sizes.origin) {
            value = source(r, own, i - (FFT_N - sizes.origin));
        }
        samples[i] = value;
    }
    transform(thread);
    for (var p = thread; p < sizes.n_observed; p += FFT_THREADS) {
        let phase = pair(requests[r].phase, p);
        var value = samples[sizes.window_offset + p * sizes.stride];
        if (own.form == PHASES && requests[r].turns_baseline != 0u) { value += baseline(r, p); }
        value = own.scale * multiply(value, phase);
        var first = value;
        // −i times the slope of a damping is that of a shift.
        var second = vec2<f32>(value.y, -value.x);
        if (own.form == PHASES) {
            first = vec2<f32>(-value.y, value.x);
            second = constants[sizes.from_pivot + p] * first;
        }
        if (own.column_a != NO_COLUMN) { put(r, own.column_a, p, first); }
        if (own.column_b != NO_COLUMN) { put(r, own.column_b, p, second); }
    }
}
