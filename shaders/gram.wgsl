// Inner products of all columns: JᵀJ, Jᵀr and |r|² before the baseline.
//
// One workgroup a spectrum and tile of 32 × 32 products of the lower triangle; each invocation has 4 × 4.
#import "shared/batch.wgsl"

const TILE: u32 = 32u;
const DEPTH: u32 = 16u;

var<workgroup> left: array<f32, 512>;
var<workgroup> right: array<f32, 512>;

fn load(s: u32, column: u32, p: u32) -> f32 {
    if (column >= shape.n_columns || p >= shape.n_window) { return 0.0; }
    return columns[columns_of(s) + column * shape.n_window + p];
}

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
    let s = to_evaluate(group.y);
    // Tile (row, column), column ≤ row, of the lower triangle.
    var row = 0u;
    var before = 0u;
    while (before + row + 1u <= group.x) {
        before += row + 1u;
        row++;
    }
    let first_row = row * TILE;
    let first_column = (group.x - before) * TILE;
    let ty = thread / 8u;
    let tx = thread % 8u;
    var sum: array<vec4<f32>, 4>;
    for (var p0 = 0u; p0 < shape.n_window; p0 += DEPTH) {
        for (var q = thread; q < TILE * DEPTH; q += 64u) {
            let c = q / DEPTH;
            let p = q % DEPTH;
            left[p * TILE + c] = load(s, first_row + c, p0 + p);
            right[p * TILE + c] = load(s, first_column + c, p0 + p);
        }
        workgroupBarrier();
        for (var p = 0u; p < DEPTH; p++) {
            let a = p * TILE + 4u * ty;
            let b = p * TILE + 4u * tx;
            let r = vec4<f32>(right[b], right[b + 1u], right[b + 2u], right[b + 3u]);
            sum[0] += left[a] * r;
            sum[1] += left[a + 1u] * r;
            sum[2] += left[a + 2u] * r;
            sum[3] += left[a + 3u] * r;
        }
        workgroupBarrier();
    }
    for (var i = 0u; i < 4u; i++) {
        let r = first_row + 4u * ty + i;
        for (var j = 0u; j < 4u; j++) {
            let c = first_column + 4u * tx + j;
            if (c <= r && r < shape.n_columns) {
                gram[gram_of(s) + r * shape.n_columns + c] = sum[i][j];
            }
        }
    }
}
