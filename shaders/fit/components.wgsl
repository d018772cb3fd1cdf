// The columns of the Jacobian that belong to one component: for its amplitude, shift and width.
//
// One workgroup a spectrum and component; two transforms: S = FFT(m·E) and T = FFT(t·m·E).
#import "shared/batch.wgsl"
#import "shared/lists.wgsl"
#import "shared/trigonometry.wgsl"
#import "shared/fft.wgsl"
#import "shared/modulation.wgsl"

@compute @workgroup_size(FFT_THREADS)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
    let k = group.x;
    let entry = lists[1u + group.y];
    if (k >= models[entry.y].n_components) { return; }
    let s = entry.x;
    shape = models[entry.y];
    let x = x_of(s);
    let out = columns_of(s);
    let c = vectors[x + k];
    var mine: array<vec2<f32>, FFT_PER_THREAD>;
    for (var q = 0u; q < FFT_PER_THREAD; q++) {
        let i = thread + q * FFT_THREADS;
        var value = vec2<f32>(0.0);
        if (is_signal(i)) { value = with_kernel(modulated(k, i, x, lineshape(i, x)), i, x); }
        mine[q] = value;
        samples[i] = value;
    }
    transform(thread);
    for (var p = thread; p < shape.n_window; p += FFT_THREADS) {
        columns[out + k * shape.n_window + p] = samples[shape.window_offset + p].x;
    }
    workgroupBarrier();
    for (var q = 0u; q < FFT_PER_THREAD; q++) {
        let i = thread + q * FFT_THREADS;
        samples[i] = tables[shape.time + i] * mine[q];
    }
    transform(thread);
    for (var p = thread; p < shape.n_window; p += FFT_THREADS) {
        let t = samples[shape.window_offset + p];
        columns[out + (shape.n_components + k) * shape.n_window + p] = -6.28318530718 * c * t.y;
        columns[out + (2u * shape.n_components + k) * shape.n_window + p] = -3.14159265359 * c * t.x;
    }
}
