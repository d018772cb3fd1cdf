// Inner products of columns, tile by tile of the lower triangle: 32 × 32 products a workgroup of 64, 4 × 4 an invocation.
//
// Whoever imports it has `load(owner, column, row)`, which is zero beyond either end, and `store(owner, row, column, value)`,
// which takes what lies on or below the diagonal.

const TILE: u32 = 32u;
const DEPTH: u32 = 16u;
// One more than a tile is wide: neighbours in depth lie in other banks of workgroup memory.
const PITCH: u32 = 33u;

var<workgroup> left: array<f32, DEPTH * PITCH>;
var<workgroup> right: array<f32, DEPTH * PITCH>;

fn multiply_tile(owner: u32, tile: u32, n_rows_summed: u32, thread: u32) {
    // Tile (row, column), column ≤ row, of the lower triangle.
    var row = 0u;
    var before = 0u;
    while (before + row + 1u <= tile) {
        before += row + 1u;
        row++;
    }
    let first_row = row * TILE;
    let first_column = (tile - before) * TILE;
    let ty = thread / 8u;
    let tx = thread % 8u;
    var sum: array<vec4<f32>, 4>;
    for (var p0 = 0u; p0 < n_rows_summed; p0 += DEPTH) {
        for (var q = thread; q < TILE * DEPTH; q += 64u) {
            let c = q / DEPTH;
            let p = q % DEPTH;
            left[p * PITCH + c] = load(owner, first_row + c, p0 + p);
            right[p * PITCH + c] = load(owner, first_column + c, p0 + p);
        }
        workgroupBarrier();
        for (var p = 0u; p < DEPTH; p++) {
            let a = p * PITCH + 4u * ty;
            let b = p * PITCH + 4u * tx;
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
            if (c <= r) { store(owner, r, c, sum[i][j]); }
        }
    }
}
