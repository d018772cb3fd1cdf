// Inner products of all columns: JᵀJ, Jᵀr and |r|² before the baseline.
//
// One workgroup a spectrum and tile.
#import "shared/batch.wgsl"
#import "shared/lists.wgsl"
#import "shared/tiles.wgsl"

fn load(s: u32, column: u32, p: u32) -> f32 {
    if (column >= shape.n_columns || p >= shape.n_window) { return 0.0; }
    return columns[columns_of(s) + column * shape.n_window + p];
}

fn store(s: u32, row: u32, column: u32, value: f32) {
    if (row < shape.n_columns) { gram[gram_of(s) + row * shape.n_columns + column] = value; }
}

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
    let entry = lists[1u + group.y];
    let tiles = (models[entry.y].n_columns + TILE - 1u) / TILE;
    if (group.x >= tiles * (tiles + 1u) / 2u) { return; }
    shape = models[entry.y];
    multiply_tile(entry.x, group.x, shape.n_window, thread);
}
