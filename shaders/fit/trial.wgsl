// What a trial step makes of the residual: the change of |r|².
//
// One workgroup an unfinished spectrum with a trial step. The change is summed as (r′ − r)·(r′ + r): the difference of
// two sums would lose what it is there to tell in f32.
#import "shared/batch.wgsl"
#import "shared/lists.wgsl"
#import "shared/trigonometry.wgsl"
#import "shared/fft.wgsl"
#import "shared/modulation.wgsl"

@compute @workgroup_size(FFT_THREADS)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
    let entry = lists[1u + slots.n_slots + group.x];
    let s = entry.x;
    shape = models[entry.y];
    // A transform of 4096 samples fills the workgroup's memory: the phase goes through its first sample.
    if (thread == 0u) { samples[0] = vec2<f32>(f32(scalars[s].phase), 0.0); }
    if (workgroupUniformLoad(&samples[0]).x != f32(TRIAL)) { return; }
    let parameters = trial_of(s);
    for (var q = 0u; q < FFT_PER_THREAD; q++) {
        let i = thread + q * FFT_THREADS;
        samples[i] = modulated_sum(i, parameters);
    }
    transform(thread);
    let residual = columns_of(s) + (shape.n_columns - 1u) * shape.n_window;
    var change = 0.0;
    for (var p = thread; p < shape.n_window; p += FFT_THREADS) {
        let r = rotated(s, p, parameters).x - samples[shape.window_offset + p].x - baseline(p, trial_splines_of(s));
        let r0 = columns[residual + p];
        change += (r - r0) * (r + r0);
    }
    workgroupBarrier();
    samples[thread] = vec2<f32>(change, 0.0);
    workgroupBarrier();
    for (var half = FFT_THREADS / 2u; half > 0u; half /= 2u) {
        if (thread < half) { samples[thread] += samples[thread + half]; }
        workgroupBarrier();
    }
    if (thread == 0u) { scalars[s].rss_change = samples[0].x; }
}
