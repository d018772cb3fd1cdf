// The columns of the Jacobian that all components share, and the residual.
//
// One workgroup a spectrum; the model's sum is transformed as it is, and times t² for the Gaussian width
// (with skew or flatness fitted, times their polynomials too). With a kernel, the sum without it is transformed first, times
// each of the kernel's terms.
#import "shared/batch.wgsl"
#import "shared/lists.wgsl"
#import "shared/trigonometry.wgsl"
#import "shared/fft.wgsl"
#import "shared/modulation.wgsl"

// Of the columns here, the one of the kernel's first weight; before it Gaussian width, φ0, φ1, skew and flatness.
const KERNEL_COLUMN: u32 = 5u;

@compute @workgroup_size(FFT_THREADS)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
    let entry = lists[1u + group.x];
    let s = entry.x;
    shape = models[entry.y];
    let x = x_of(s);
    let extra = columns_of(s) + 3u * shape.n_components * shape.n_window;
    var mine: array<vec2<f32>, FFT_PER_THREAD>;
    for (var q = 0u; q < FFT_PER_THREAD; q++) {
        let i = thread + q * FFT_THREADS;
        mine[q] = plain_sum(i, x);
    }
    for (var j = 0u; j < N_KERNEL; j++) {
        let own = extra + (KERNEL_COLUMN + j) * shape.n_window;
        if (models[entry.y].has_kernel != 0u) {
            for (var q = 0u; q < FFT_PER_THREAD; q++) {
                let i = thread + q * FFT_THREADS;
                samples[i] = multiply(mine[q], kernel_term(j, i));
            }
            transform(thread);
            for (var p = thread; p < shape.n_window; p += FFT_THREADS) {
                columns[own + p] = samples[shape.window_offset + p].x;
            }
            workgroupBarrier();
        } else {
            for (var p = thread; p < shape.n_window; p += FFT_THREADS) { columns[own + p] = 0.0; }
        }
    }
    for (var q = 0u; q < FFT_PER_THREAD; q++) {
        let i = thread + q * FFT_THREADS;
        mine[q] = with_kernel(mine[q], i, x);
        samples[i] = mine[q];
    }
    transform(thread);
    let residual = columns_of(s) + (shape.n_columns - 1u) * shape.n_window;
    for (var p = thread; p < shape.n_window; p += FFT_THREADS) {
        let y = rotated(s, p, x);
        columns[extra + shape.n_window + p] = -y.y;
        columns[extra + 2u * shape.n_window + p] = -y.y * tables[shape.ppm + p];
        columns[residual + p] = y.x - samples[shape.window_offset + p].x - baseline(p, splines_of(s));
    }
    workgroupBarrier();
    for (var q = 0u; q < FFT_PER_THREAD; q++) {
        let i = thread + q * FFT_THREADS;
        let t = tables[shape.time + i];
        samples[i] = t * t * mine[q];
    }
    transform(thread);
    // −2π²·G/(4 ln 2)
    let factor_g = -7.1194146624 * vectors[x + gauss_width()];
    for (var p = thread; p < shape.n_window; p += FFT_THREADS) {
        columns[extra + p] = factor_g * samples[shape.window_offset + p].x;
    }
    if (models[entry.y].lineshape != 0u) {
        workgroupBarrier();
        for (var q = 0u; q < FFT_PER_THREAD; q++) {
            let i = thread + q * FFT_THREADS;
            samples[i] = tables[shape.skew_time + i] * mine[q];
        }
        transform(thread);
        for (var p = thread; p < shape.n_window; p += FFT_THREADS) {
            columns[extra + 3u * shape.n_window + p] = -samples[shape.window_offset + p].y;
        }
        workgroupBarrier();
        for (var q = 0u; q < FFT_PER_THREAD; q++) {
            let i = thread + q * FFT_THREADS;
            samples[i] = tables[shape.flat_time + i] * mine[q];
        }
        transform(thread);
        for (var p = thread; p < shape.n_window; p += FFT_THREADS) {
            columns[extra + 4u * shape.n_window + p] = -samples[shape.window_offset + p].x;
        }
    } else {
        for (var p = thread; p < shape.n_window; p += FFT_THREADS) {
            columns[extra + 3u * shape.n_window + p] = 0.0;
            columns[extra + 4u * shape.n_window + p] = 0.0;
        }
    }
}
