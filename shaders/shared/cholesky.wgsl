// Cholesky factorisation, inversion and triangular solves of one symmetric matrix by one workgroup of THREADS invocations.
//
// The factor of an n × n matrix, n ≤ MAX_PARAMETERS, lies in `factor` from `base`, column by column: element (i, j), i ≥ j, of L is
// factor[base + j·n + i]. The matrix itself is read once, element by element, from the function `element(base, i, j)` of whoever
// imports this. Both go by panels of 32 columns or rows, of which each invocation holds one row or column in registers; what they
// need of L comes through `tile`, DEEP columns at a time.

const PANEL: u32 = 32u;
const QUARTERS: u32 = PANEL / 4u;
const DEEP: u32 = 64u;

// The rows of L in a panel: column k is tile[k·QUARTERS] and on.
var<workgroup> tile: array<vec4<f32>, DEEP * QUARTERS>;
var<workgroup> pivot: f32;
// The present column of L in the panel's own rows, zero where it is done.
var<workgroup> pivots: array<vec4<f32>, QUARTERS>;
var<workgroup> vector: array<f32, MAX_PARAMETERS>;
var<workgroup> broken: u32;

// Puts columns k0 … of the rows from p0 on into `tile`, as many as lie before `end`.
fn load_tile(base: u32, n: u32, p0: u32, k0: u32, end: u32, thread: u32) {
    for (var q = thread; q < DEEP * PANEL; q += THREADS) {
        let k = k0 + q / PANEL;
        let r = p0 + q % PANEL;
        var value = 0.0;
        if (k < end && r < n && k <= r) { value = factor[base + k * n + r]; }
        tile[q / 4u][q % 4u] = value;
    }
}

// Whether all pivots were positive; where one is not, the factor is finite and meaningless.
fn cholesky(base: u32, n: u32, thread: u32) -> bool {
    if (thread == 0u) { broken = 0u; }
    for (var p0 = 0u; p0 < n; p0 += PANEL) {
        let width = min(PANEL, n - p0);
        var a = array<vec4<f32>, QUARTERS>();
        let has_row = thread >= p0 && thread < n;
        if (has_row) {
            for (var c = 0u; c < PANEL; c++) {
                if (c < width && p0 + c <= thread) { a[c / 4u][c % 4u] = element(base, thread, p0 + c); }
            }
        }
        for (var k0 = 0u; k0 < p0; k0 += DEEP) {
            let end = min(k0 + DEEP, p0);
            load_tile(base, n, p0, k0, end, thread);
            workgroupBarrier();
            if (has_row) {
                for (var k = k0; k < end; k++) {
                    let l = factor[base + k * n + thread];
                    let at = QUARTERS * (k - k0);
                    for (var q = 0u; q < QUARTERS; q++) { a[q] -= l * tile[at + q]; }
                }
            }
            workgroupBarrier();
        }
        for (var c = 0u; c < width; c++) {
            let value = a[c / 4u][c % 4u];
            if (thread == p0 + c) { pivot = value; }
            workgroupBarrier();
            let d = pivot;
            var scale = 1.0;
            if (d > 0.0) {
                scale = inverseSqrt(d);
                // One Newton step: inverseSqrt may be off by 2 units of the last place (WGSL, 15.7.4).
                scale *= 1.5 - 0.5 * d * scale * scale;
            } else if (thread == p0 + c) {
                broken = 1u;
            }
            let l = value * scale;
            if (has_row && thread >= p0 + c) { factor[base + (p0 + c) * n + thread] = l; }
            let r = thread - p0;
            if (thread >= p0 && r < PANEL) { pivots[r / 4u][r % 4u] = select(0.0, l, r > c && r < width); }
            workgroupBarrier();
            for (var q = 0u; q < QUARTERS; q++) { a[q] -= l * pivots[q]; }
        }
        storageBarrier();
        workgroupBarrier();
    }
    return workgroupUniformLoad(&broken) == 0u;
}

// Writes L⁻¹ to `work` from `to`, row by row: element (r, c), c ≤ r, is work[to + r·n + c]. Returns the sum
// of the squares of its column number `thread`.
fn invert_lower(base: u32, to: u32, n: u32, thread: u32) -> f32 {
    var squares = 0.0;
    for (var p0 = 0u; p0 < n; p0 += PANEL) {
        var a = array<vec4<f32>, QUARTERS>();
        // A column begins in its own panel.
        let first = thread / PANEL * PANEL;
        let has_column = thread < n && first <= p0;
        for (var k0 = 0u; k0 < p0; k0 += DEEP) {
            let end = min(k0 + DEEP, p0);
            load_tile(base, n, p0, k0, end, thread);
            workgroupBarrier();
            if (has_column) {
                for (var k = max(k0, thread); k < end; k++) {
                    let w = work[to + k * n + thread];
                    let at = QUARTERS * (k - k0);
                    for (var q = 0u; q < QUARTERS; q++) { a[q] -= w * tile[at + q]; }
                }
            }
            workgroupBarrier();
        }
        load_tile(base, n, p0, p0, p0 + PANEL, thread);
        workgroupBarrier();
        for (var r = 0u; r < min(PANEL, n - p0); r++) {
            let at = QUARTERS * r;
            var value = 0.0;
            if (has_column) {
                value = (a[r / 4u][r % 4u] + select(0.0, 1.0, thread == p0 + r)) / tile[at + r / 4u][r % 4u];
            }
            if (thread <= p0 + r && thread < n) { work[to + (p0 + r) * n + thread] = value; }
            squares += value * value;
            for (var q = 0u; q < QUARTERS; q++) { a[q] -= value * tile[at + q]; }
        }
        workgroupBarrier();
    }
    storageBarrier();
    workgroupBarrier();
    return squares;
}

// Solves L·z = b in place in `vector`.
fn solve_lower(base: u32, n: u32, thread: u32) {
    workgroupBarrier();
    for (var j = 0u; j < n; j++) {
        if (thread == 0u) { vector[j] /= factor[base + j * n + j]; }
        workgroupBarrier();
        let z = vector[j];
        for (var i = j + 1u + thread; i < n; i += THREADS) {
            vector[i] -= factor[base + j * n + i] * z;
        }
        workgroupBarrier();
    }
}

// Solves Lᵀ·z = b in place in `vector`.
fn solve_lower_transposed(base: u32, n: u32, thread: u32) {
    workgroupBarrier();
    for (var back = 0u; back < n; back++) {
        let j = n - 1u - back;
        if (thread == 0u) { vector[j] /= factor[base + j * n + j]; }
        workgroupBarrier();
        let z = vector[j];
        for (var i = thread; i < j; i += THREADS) {
            vector[i] -= factor[base + i * n + j] * z;
        }
        workgroupBarrier();
    }
}
