// Shift and phase of every FID beside one reference: the grid of a transform, the phase in closed form, then Newton's
// method (`prepare::align` on the host). A workgroup a FID. `tables`: twiddles, then the reference. Out: (turns a
// sample, 0) and the sum whose argument is the phase.
#import "shared/fids.wgsl"
#import "shared/trigonometry.wgsl"
#import "shared/fft.wgsl"

// conj(reference)·FID
fn product(fid: u32, n: u32) -> vec2<f32> {
    let r = tables[FFT_N + n];
    return multiply(vec2<f32>(r.x, -r.y), input[fid * fids.n_points + n]);
}

// Σ (n/N)ᵏ·p[n]·e^{−i·turn·n} for k = 0, 1, 2, known to all invocations.
fn moments(fid: u32, turns: f32, thread: u32) -> array<vec2<f32>, 3> {
    var sums: array<vec2<f32>, 3>;
    for (var n = thread; n < fids.n_used; n += FFT_THREADS) {
        let z = multiply(product(fid, n), circle(-turns * f32(n)));
        let t = f32(n) / f32(FFT_N);
        sums[0] += z;
        sums[1] += t * z;
        sums[2] += t * t * z;
    }
    workgroupBarrier();
    for (var k = 0u; k < 3u; k++) { samples[k * FFT_THREADS + thread] = sums[k]; }
    workgroupBarrier();
    for (var half = FFT_THREADS / 2u; half > 0u; half /= 2u) {
        if (thread < half) {
            for (var k = 0u; k < 3u; k++) {
                samples[k * FFT_THREADS + thread] += samples[k * FFT_THREADS + thread + half];
            }
        }
        workgroupBarrier();
    }
    return array<vec2<f32>, 3>(samples[0], samples[FFT_THREADS], samples[2u * FFT_THREADS]);
}

// The bin (signed, as a float) of the largest power within n_bins of zero; the nearest to zero of equals.
fn tallest(thread: u32) -> f32 {
    var best = vec2<f32>(-1.0, 0.0);
    for (var i = thread; i <= 2u * fids.n_bins; i += FFT_THREADS) {
        // 0, 1, −1, 2, −2, …
        let bin = select(-i32(i / 2u), i32(i / 2u + 1u), (i & 1u) == 1u);
        let z = samples[u32(bin + i32(FFT_N)) % FFT_N];
        let power = dot(z, z);
        if (power > best.x) { best = vec2<f32>(power, f32(bin)); }
    }
    workgroupBarrier();
    samples[thread] = best;
    workgroupBarrier();
    for (var half = FFT_THREADS / 2u; half > 0u; half /= 2u) {
        if (thread < half) {
            let other = samples[thread + half];
            let own = samples[thread];
            if (other.x > own.x || (other.x == own.x && abs(other.y) < abs(own.y))) { samples[thread] = other; }
        }
        workgroupBarrier();
    }
    return samples[0].y;
}

@compute @workgroup_size(FFT_THREADS)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
    let fid = group.x + group.y * fids.columns;
    if (fid >= fids.n_fids) { return; }
    for (var i = thread; i < FFT_N; i += FFT_THREADS) {
        samples[i] = vec2<f32>(0.0, 0.0);
        if (i < fids.n_used) { samples[i] = product(fid, i); }
    }
    transform(thread);
    let bin = 1.0 / f32(FFT_N);
    var turns = tallest(thread) * bin;
    for (var i = 0u; i < NEWTON_STEPS; i++) {
        let s = moments(fid, turns, thread);
        let slope = s[0].x * s[1].y - s[0].y * s[1].x;
        let curvature = dot(s[1], s[1]) - dot(s[0], s[2]);
        // In units of FFT_N radians.
        if (curvature < 0.0) { turns -= clamp(0.15915494309 * slope / curvature * bin, -bin, bin); }
    }
    let s = moments(fid, turns, thread);
    if (thread == 0u) {
        output[2u * fid] = vec2<f32>(turns, 0.0);
        output[2u * fid + 1u] = s[0];
    }
}
