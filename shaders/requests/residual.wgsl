// Columns of the baseline, and the residual at each request's amplitudes as the last column.
//
// One invocation a request and compared bin.
#import "shared/requests.wgsl"
#import "shared/trigonometry.wgsl"

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
    let r = group.y;
    sizes = models[requests[r].model];
    let p = group.x * THREADS + thread;
    if (p >= sizes.n_observed) { return; }
    let shape = requests[r];
    let phase = pair(shape.phase, p);
    for (var j = 0u; j < shape.n_baseline; j++) {
        let v = number(shape.baseline + (j % shape.n_functions) * sizes.n_observed + p);
        var value = vec2<f32>(v, 0.0);
        if (j >= shape.n_functions) { value = vec2<f32>(0.0, v); }
        if (shape.turns_baseline != 0u) { value = multiply(value, phase); }
        put(r, shape.n_members + j, p, value);
    }
    var left = pair(shape.data, p);
    for (var j = 0u; j < shape.n_members + shape.n_baseline; j++) {
        let c = number(shape.linear + j);
        let at = columns_of(r) + j * n_rows() + p;
        left.x -= c * columns[at];
        if (sizes.parts > 1u) { left.y -= c * columns[at + sizes.n_observed]; }
    }
    put(r, shape.n_columns, p, left);
}
