// Inner products of all columns: JᵀJ, Jᵀr and |r|² before the baseline, and of each with the modes of the baseline.
//
// One workgroup a spectrum and block of 128 × 128 products: of most models one, which reads every column once. The blocks on the
// diagonal project their columns as well: first on the splines, of which four are not zero at a bin, and from those on the modes.
#import "shared/batch.wgsl"
#import "shared/lists.wgsl"
#import "shared/blocks.wgsl"

fn store_row(s: u32, row: u32, column: u32, low: vec4<f32>, high: vec4<f32>) {
    if (row >= shape.n_columns) { return; }
    for (var j = 0u; j < 8u; j++) {
        let c = column + j;
        if (c <= row) { gram[gram_of(s) + c * shape.n_columns + row] = select(high[j % 4u], low[j % 4u], j < 4u); }
    }
}

fn store_modes(s: u32, row: u32, mode: u32, low: vec4<f32>, high: vec4<f32>) {
    if (row >= shape.n_columns) { return; }
    for (var j = 0u; j < 8u; j++) {
        let q = mode + j;
        if (q < shape.n_splines) {
            projections[projections_of(s) + row * shape.n_splines + q] = select(high[j % 4u], low[j % 4u], j < 4u);
        }
    }
}

// A column's product with a spline, between the two steps of the projection.
fn with_spline(s: u32, spline: u32, column: u32) -> u32 {
    return work_of(s) + spline * shape.n_columns + column;
}

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
    let entry = lists[1u + group.y];
    let tiles = (models[entry.y].n_columns + SIDE - 1u) / SIDE;
    if (group.x >= tiles * (tiles + 1u) / 2u) { return; }
    let s = entry.x;
    shape = models[entry.y];
    // Block (row, column), column ≤ row, of the lower triangle.
    var block_row = 0u;
    var before = 0u;
    while (before + block_row + 1u <= group.x) {
        before += block_row + 1u;
        block_row++;
    }
    let first_row = block_row * SIDE;
    let first_column = (group.x - before) * SIDE;
    let is_diagonal = first_row == first_column;
    let own = place(is_diagonal, thread);
    // On the diagonal 136 invocations have products, and the last 128 project one column each, eight do both.
    let projected = thread - (THREADS - SIDE);
    let projects =
        is_diagonal && thread >= THREADS - SIDE && first_row + projected < shape.n_columns && shape.n_splines > 0u;
    var spline = 0u;
    var run = vec4<f32>(0.0);
    clear_products();
    for (var p0 = 0u; p0 < shape.n_window; p0 += STAGED) {
        for (var q = thread; q < SIDE * STAGED; q += THREADS) {
            let c = q / STAGED;
            let k = q % STAGED;
            let p = p0 + k;
            var l = 0.0;
            var r = 0.0;
            if (p < shape.n_window) {
                let at = columns_of(s) + p;
                if (first_row + c < shape.n_columns) { l = columns[at + (first_row + c) * shape.n_window]; }
                if (!is_diagonal) { r = columns[at + (first_column + c) * shape.n_window]; }
            }
            stage(0u, k, c, l);
            if (!is_diagonal) { stage(RIGHT, k, c, r); }
        }
        workgroupBarrier();
        add_products(own, select(RIGHT, 0u, is_diagonal));
        if (projects) {
            for (var k = 0u; k < STAGED && p0 + k < shape.n_window; k++) {
                let p = p0 + k;
                let first = indices[shape.spline_at + p];
                while (spline < first) {
                    work[with_spline(s, spline, first_row + projected)] = run.x;
                    run = vec4<f32>(run.yzw, 0.0);
                    spline++;
                }
                let four = shape.spline_four + 4u * p;
                let value = staged[k * PITCH + projected / 4u][projected % 4u];
                run += value * vec4<f32>(tables[four], tables[four + 1u], tables[four + 2u], tables[four + 3u]);
            }
        }
        workgroupBarrier();
    }
    if (projects) {
        while (spline < shape.n_splines) {
            work[with_spline(s, spline, first_row + projected)] = run.x;
            run = vec4<f32>(run.yzw, 0.0);
            spline++;
        }
    }
    if (own.y != NO_PRODUCTS) {
        let row = first_row + 8u * own.x;
        let column = first_column + 8u * own.y;
        // Written out, here and below: at an index that a compiler does not know, sums would leave the registers.
        store_row(s, row + 0u, column, sum[0], sum[1]);
        store_row(s, row + 1u, column, sum[2], sum[3]);
        store_row(s, row + 2u, column, sum[4], sum[5]);
        store_row(s, row + 3u, column, sum[6], sum[7]);
        store_row(s, row + 4u, column, sum[8], sum[9]);
        store_row(s, row + 5u, column, sum[10], sum[11]);
        store_row(s, row + 6u, column, sum[12], sum[13]);
        store_row(s, row + 7u, column, sum[14], sum[15]);
    }
    storageBarrier();
    workgroupBarrier();
    let n_projected = select(0u, shape.n_splines, is_diagonal);
    let all = place(false, thread);
    for (var first_mode = 0u; first_mode < n_projected; first_mode += SIDE) {
        clear_products();
        for (var i0 = 0u; i0 < shape.n_splines; i0 += STAGED) {
            for (var q = thread; q < SIDE * STAGED; q += THREADS) {
                let c = q % SIDE;
                let k = q / SIDE;
                var l = 0.0;
                var r = 0.0;
                if (i0 + k < shape.n_splines) {
                    if (first_row + c < shape.n_columns) { l = work[with_spline(s, i0 + k, first_row + c)]; }
                    if (first_mode + c < shape.n_splines) {
                        r = tables[shape.spline_modes + (i0 + k) * shape.n_splines + first_mode + c];
                    }
                }
                stage(0u, k, c, l);
                stage(RIGHT, k, c, r);
            }
            workgroupBarrier();
            add_products(all, RIGHT);
            workgroupBarrier();
        }
        let row = first_row + 8u * all.x;
        let column = first_mode + 8u * all.y;
        store_modes(s, row + 0u, column, sum[0], sum[1]);
        store_modes(s, row + 1u, column, sum[2], sum[3]);
        store_modes(s, row + 2u, column, sum[4], sum[5]);
        store_modes(s, row + 3u, column, sum[6], sum[7]);
        store_modes(s, row + 4u, column, sum[8], sum[9]);
        store_modes(s, row + 5u, column, sum[10], sum[11]);
        store_modes(s, row + 6u, column, sum[12], sum[13]);
        store_modes(s, row + 7u, column, sum[14], sum[15]);
    }
}
