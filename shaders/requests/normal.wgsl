// Inner products of the columns of each request: AᵀA, Aᵀr and |r|², the lower triangle row by row; its last row alone where
// no more is asked for.
//
// One workgroup a request and tile.
#import "shared/requests.wgsl"
#import "shared/tiles.wgsl"

fn load(r: u32, column: u32, p: u32) -> f32 {
    if (column > requests[r].n_columns || p >= n_rows()) { return 0.0; }
    return columns[columns_of(r) + column * n_rows() + p];
}

fn store(r: u32, row: u32, column: u32, value: f32) {
    if (row > requests[r].n_columns) { return; }
    let own = r * room.products;
    if (requests[r].slopes_only == 0u) {
        gram[own + row * (row + 1u) / 2u + column] = value;
    } else if (row == requests[r].n_columns) {
        gram[own + column] = value;
    }
}

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
    let tiles = (requests[group.y].n_columns + TILE) / TILE;
    if (group.x >= tiles * (tiles + 1u) / 2u) { return; }
    // The residual's products are in the last row of tiles.
    if (requests[group.y].slopes_only != 0u && group.x < tiles * (tiles - 1u) / 2u) { return; }
    sizes = models[requests[group.y].model];
    multiply_tile(group.y, group.x, n_rows(), thread);
}
