// Forward transform of FFT_N samples in workgroup memory: Stockham's autosort, radix 4 and a last radix 2 where
// log2(FFT_N) is odd. Whoever imports it has `twiddle`, exp(-2πi·index/FFT_N) from the host, rounded from f64.

var<workgroup> samples: array<vec2<f32>, FFT_N>;

// All FFT_THREADS invocations call it; `samples` must be written and is complete on return.
fn transform(thread: u32) {
    var kept: array<vec2<f32>, FFT_PER_THREAD>;
    workgroupBarrier();
    var span = 1u;
    for (; span * 4u <= FFT_N; span *= 4u) {
        let stride = FFT_N / (span * 4u);
        for (var q = 0u; q < FFT_PER_THREAD / 4u; q++) {
            let j = thread + q * FFT_THREADS;
            let k = j & (span - 1u);
            let a = samples[j];
            let b = multiply(samples[j + FFT_N / 4u], twiddle(k * stride));
            let c = multiply(samples[j + FFT_N / 2u], twiddle(2u * k * stride));
            let d = multiply(samples[j + 3u * FFT_N / 4u], twiddle(3u * k * stride));
            let ac = a + c;
            let a_c = a - c;
            let bd = b + d;
            // −i·(b − d)
            let b_d = vec2<f32>(b.y - d.y, d.x - b.x);
            kept[4u * q] = ac + bd;
            kept[4u * q + 1u] = a_c + b_d;
            kept[4u * q + 2u] = ac - bd;
            kept[4u * q + 3u] = a_c - b_d;
        }
        workgroupBarrier();
        for (var q = 0u; q < FFT_PER_THREAD / 4u; q++) {
            let j = thread + q * FFT_THREADS;
            let k = j & (span - 1u);
            let first = (j - k) * 4u + k;
            samples[first] = kept[4u * q];
            samples[first + span] = kept[4u * q + 1u];
            samples[first + 2u * span] = kept[4u * q + 2u];
            samples[first + 3u * span] = kept[4u * q + 3u];
        }
        workgroupBarrier();
    }
    if (span < FFT_N) {
        for (var q = 0u; q < FFT_PER_THREAD / 2u; q++) {
            let j = thread + q * FFT_THREADS;
            let a = samples[j];
            let b = multiply(samples[j + FFT_N / 2u], twiddle(j));
            kept[2u * q] = a + b;
            kept[2u * q + 1u] = a - b;
        }
        workgroupBarrier();
        for (var q = 0u; q < FFT_PER_THREAD / 2u; q++) {
            let j = thread + q * FFT_THREADS;
            samples[j] = kept[2u * q];
            samples[j + FFT_N / 2u] = kept[2u * q + 1u];
        }
        workgroupBarrier();
    }
}
