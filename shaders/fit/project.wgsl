// Inner products of all columns with the modes of the baseline: first with the splines, each of which is not zero on
// one run of bins, and from those with the modes.
//
// One workgroup a spectrum and column.
#import "shared/batch.wgsl"
#import "shared/lists.wgsl"

var<workgroup> with_splines: array<f32, MAX_PARAMETERS>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
    let column = group.x;
    let entry = lists[1u + group.y];
    if (column >= models[entry.y].n_columns) { return; }
    let s = entry.x;
    shape = models[entry.y];
    let nb = shape.n_splines;
    for (var spline = thread; spline < nb; spline += 64u) {
        let first = indices[shape.spline_first_bin + spline];
        let count = indices[shape.spline_count + spline];
        let values = shape.spline_values + indices[shape.spline_offset + spline];
        let bins = columns_of(s) + column * shape.n_window + first;
        var sum = 0.0;
        for (var p = 0u; p < count; p++) { sum += tables[values + p] * columns[bins + p]; }
        with_splines[spline] = sum;
    }
    workgroupBarrier();
    for (var mode = thread; mode < nb; mode += 64u) {
        var sum = 0.0;
        for (var i = 0u; i < nb; i++) { sum += tables[shape.spline_modes + i * nb + mode] * with_splines[i]; }
        projections[projections_of(s) + column * nb + mode] = sum;
    }
}
