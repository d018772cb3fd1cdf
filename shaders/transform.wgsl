// Forward transform, first pass: every `parts`-th sample of a FID, a workgroup each. With one part it is the only pass.
#import "shared/fids.wgsl"
#import "shared/trigonometry.wgsl"
#import "shared/fft.wgsl"

@compute @workgroup_size(FFT_THREADS)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
    let own = group.x + group.y * fids.columns;
    if (own >= fids.n_fids * fids.parts) { return; }
    let first = own / fids.parts * fids.n_points + own % fids.parts;
    for (var i = thread; i < FFT_N; i += FFT_THREADS) {
        samples[i] = input[first + i * fids.parts];
    }
    transform(thread);
    for (var i = thread; i < FFT_N; i += FFT_THREADS) {
        output[own * FFT_N + i] = samples[i];
    }
}
