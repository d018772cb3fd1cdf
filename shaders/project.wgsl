// Inner products of all columns with the splines of the baseline.
//
// One invocation a column and spline; a spline is not zero on a run of bins.
#import "shared/batch.wgsl"

@compute @workgroup_size(128)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
    let s = to_evaluate(group.y);
    let product = group.x * 128u + thread;
    if (product >= shape.n_columns * shape.n_splines) { return; }
    let column = product / shape.n_splines;
    let spline = product % shape.n_splines;
    let first = indices[shape.spline_first_bin + spline];
    let count = indices[shape.spline_count + spline];
    let values = shape.spline_values + indices[shape.spline_offset + spline];
    let from_column = columns_of(s) + column * shape.n_window + first;
    var sum = 0.0;
    for (var p = 0u; p < count; p++) {
        sum += tables[values + p] * columns[from_column + p];
    }
    projections[projections_of(s) + product] = sum;
}
