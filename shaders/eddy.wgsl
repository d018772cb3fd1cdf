// The phase of its water reference out of every FID (Klose 1990). `tables`: two entries a FID – how many samples of
// the reference are trusted; the turns at the last of them and the turns a sample that go on from there – then the
// references.
#import "shared/fids.wgsl"
#import "shared/trigonometry.wgsl"

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
    let index = (group.x + group.y * fids.columns) * THREADS + thread;
    if (index >= fids.n_fids * fids.n_points) { return; }
    let fid = index / fids.n_points;
    let sample = index % fids.n_points;
    let trusted = u32(tables[2u * fid].x);
    let carried = tables[2u * fid + 1u];
    var phase: vec2<f32>;
    if (sample < trusted) {
        // Scaled to 1 by the host, so that the square neither overflows nor vanishes.
        let reference = tables[2u * fids.n_fids + index];
        phase = reference * inverseSqrt(dot(reference, reference));
    } else {
        phase = circle(carried.x + carried.y * f32(sample + 1u - trusted));
    }
    output[index] = multiply(input[index], vec2<f32>(phase.x, -phase.y));
}
