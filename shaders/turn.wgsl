// Every FID turned by its own phase and frequency. `tables`: turns at sample 0 and from one sample to the next.
#import "shared/fids.wgsl"
#import "shared/trigonometry.wgsl"

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
    let index = (group.x + group.y * fids.columns) * THREADS + thread;
    if (index >= fids.n_fids * fids.n_points) { return; }
    let turns = tables[index / fids.n_points];
    output[index] = multiply(input[index], circle(turns.x + turns.y * f32(index % fids.n_points)));
}
