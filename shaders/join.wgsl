// Forward transform, second pass: the parts' spectra to the whole one (decimation in time, radix `parts`).
#import "shared/fids.wgsl"
#import "shared/trigonometry.wgsl"

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
    let index = (group.x + group.y * fids.columns) * THREADS + thread;
    if (index >= fids.n_fids * fids.n_points) { return; }
    let k = index % fids.n_points;
    let first = index - k;
    var sum = vec2<f32>(0.0, 0.0);
    for (var part = 0u; part < fids.parts; part++) {
        sum += multiply(tables[part * k % fids.n_points], input[first + part * FFT_N + k % FFT_N]);
    }
    output[index] = sum;
}
