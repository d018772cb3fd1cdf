// Every FID times the same weights, one a sample.
#import "shared/fids.wgsl"

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
    let index = (group.x + group.y * fids.columns) * THREADS + thread;
    if (index >= fids.n_fids * fids.n_points) { return; }
    output[index] = tables[index % fids.n_points].x * input[index];
}
