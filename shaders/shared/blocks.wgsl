// Products of two staged blocks: 128 × 128 of them a workgroup of THREADS, 8 × 8 an invocation, all in registers.
//
// Whoever imports it writes `staged` before each call of `add_products`: element (k, c) of the left block is
// staged[k·PITCH + c / 4][c % 4], that of the right one lies `RIGHT` further on.

const SIDE: u32 = 128u;
const STAGED: u32 = 16u;
// One more than the block is wide: neighbours in k lie in other banks.
const PITCH: u32 = 33u;
const RIGHT: u32 = STAGED * PITCH;

const NO_PRODUCTS: u32 = 16u;

var<workgroup> staged: array<vec4<f32>, 2u * RIGHT>;
// Rows 8·row to 8·row + 7 of this invocation, each in two halves.
var<private> sum: array<vec4<f32>, 16>;

fn stage(at: u32, k: u32, c: u32, value: f32) {
    staged[at + k * PITCH + c / 4u][c % 4u] = value;
}

// Which 8 × 8 products an invocation has: (row, column); all of a block, or those of its lower triangle alone. The second is
// NO_PRODUCTS for those that have none.
fn place(is_triangle: bool, thread: u32) -> vec2<u32> {
    if (!is_triangle) { return vec2<u32>(thread / 16u, thread % 16u); }
    if (thread >= 136u) { return vec2<u32>(0u, NO_PRODUCTS); }
    var row = 0u;
    var before = 0u;
    while (before + row + 1u <= thread) {
        before += row + 1u;
        row++;
    }
    return vec2<u32>(row, thread - before);
}

fn clear_products() {
    for (var i = 0u; i < 16u; i++) { sum[i] = vec4<f32>(0.0); }
}

// Adds the products over STAGED values of k; the right block begins at `right`.
fn add_products(own: vec2<u32>, right: u32) {
    if (own.y == NO_PRODUCTS) { return; }
    for (var k = 0u; k < STAGED; k++) {
        let l = k * PITCH + 2u * own.x;
        let r = right + k * PITCH + 2u * own.y;
        let a = staged[l];
        let b = staged[l + 1u];
        let c = staged[r];
        let d = staged[r + 1u];
        sum[0] += a.x * c;
        sum[1] += a.x * d;
        sum[2] += a.y * c;
        sum[3] += a.y * d;
        sum[4] += a.z * c;
        sum[5] += a.z * d;
        sum[6] += a.w * c;
        sum[7] += a.w * d;
        sum[8] += b.x * c;
        sum[9] += b.x * d;
        sum[10] += b.y * c;
        sum[11] += b.y * d;
        sum[12] += b.z * c;
        sum[13] += b.z * d;
        sum[14] += b.w * c;
        sum[15] += b.w * d;
    }
}
