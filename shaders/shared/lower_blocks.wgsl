// The lower triangle of a matrix product, block by block.
#import "shared/blocks.wgsl"

// All products of `left(row, k)` and `right(column, k)` over k < depth, for the lower triangle of n rows and columns, which go to
// `store(row, column, low, high)` eight at a time; all four are functions of whoever imports this.
fn multiply_lower(n: u32, depth: u32, thread: u32) {
    let blocks = (n + SIDE - 1u) / SIDE;
    for (var block = 0u; block < blocks * blocks; block++) {
        let first_row = block / blocks * SIDE;
        let first_column = block % blocks * SIDE;
        var own = place(first_row == first_column, thread);
        if (first_column > first_row || first_row + 8u * own.x >= n) { own.y = NO_PRODUCTS; }
        clear_products();
        for (var k0 = 0u; k0 < depth; k0 += STAGED) {
            for (var e = thread; e < SIDE * STAGED; e += THREADS) {
                let c = e / STAGED;
                let k = e % STAGED;
                var l = 0.0;
                var r = 0.0;
                if (k0 + k < depth) {
                    if (first_row + c < n) { l = left(first_row + c, k0 + k); }
                    if (first_column + c < n) { r = right(first_column + c, k0 + k); }
                }
                stage(0u, k, c, l);
                stage(RIGHT, k, c, r);
            }
            workgroupBarrier();
            add_products(own, RIGHT);
            workgroupBarrier();
        }
        if (own.y != NO_PRODUCTS) {
            let row = first_row + 8u * own.x;
            let column = first_column + 8u * own.y;
            for (var i = 0u; i < 8u; i++) {
                if (row + i < n) { store(row + i, column, sum[2u * i], sum[2u * i + 1u]); }
            }
        }
    }
}
