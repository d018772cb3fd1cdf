// Sums over a workgroup, always in the same order.

var<workgroup> part: array<f32, THREADS>;

// The sum of `value` over all invocations, known to all of them.
fn sum_over_group(thread: u32, value: f32) -> f32 {
    workgroupBarrier();
    part[thread] = value;
    workgroupBarrier();
    for (var half = THREADS / 2u; half > 0u; half /= 2u) {
        if (thread < half) { part[thread] += part[thread + half]; }
        workgroupBarrier();
    }
    return workgroupUniformLoad(&part[0]);
}
