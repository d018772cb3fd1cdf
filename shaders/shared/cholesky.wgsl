// Cholesky factorisation and triangular solves of one symmetric matrix by one workgroup of THREADS invocations.
//
// The matrix lies in `factor` from `base`, n × n with n ≤ MAX_PARAMETERS, column by column, lower triangle valid:
// element (i, j), i ≥ j, is factor[base + j·n + i]; in place, blocked by panels of 16 columns.

const PANEL: u32 = 16u;

// Row r of the panel: 16 values.
var<workgroup> panel: array<vec4<f32>, MAX_PARAMETERS * 4u>;
var<workgroup> vector: array<f32, MAX_PARAMETERS>;
var<workgroup> inverse_pivot: f32;
var<workgroup> broken: u32;

// Whether all pivots were positive; where one is not, the factor is finite and meaningless.
fn cholesky(base: u32, n: u32, thread: u32) -> bool {
    if (thread == 0u) { broken = 0u; }
    for (var p0 = 0u; p0 < n; p0 += PANEL) {
        let width = min(PANEL, n - p0);
        let rows = n - p0;
        for (var r = thread; r < rows; r += THREADS) {
            for (var c = 0u; c < PANEL; c++) {
                var value = 0.0;
                if (c < width && r >= c) { value = factor[base + (p0 + c) * n + p0 + r]; }
                panel[4u * r + c / 4u][c % 4u] = value;
            }
        }
        workgroupBarrier();
        for (var c = 0u; c < width; c++) {
            if (thread == 0u) {
                let d = panel[4u * c + c / 4u][c % 4u];
                if (d > 0.0) {
                    inverse_pivot = inverseSqrt(d);
                    // One Newton step: inverseSqrt may be off by 2 units of the last place (WGSL, 15.7.4).
                    inverse_pivot *= 1.5 - 0.5 * d * inverse_pivot * inverse_pivot;
                } else {
                    broken = 1u;
                    inverse_pivot = 1.0;
                }
            }
            let scale = workgroupUniformLoad(&inverse_pivot);
            for (var r = c + thread; r < rows; r += THREADS) {
                panel[4u * r + c / 4u][c % 4u] *= scale;
            }
            workgroupBarrier();
            for (var r = c + 1u + thread; r < rows; r += THREADS) {
                let l = panel[4u * r + c / 4u][c % 4u];
                for (var c2 = c + 1u; c2 < width; c2++) {
                    if (r >= c2) { panel[4u * r + c2 / 4u][c2 % 4u] -= l * panel[4u * c2 + c / 4u][c % 4u]; }
                }
            }
            workgroupBarrier();
        }
        for (var r = thread; r < rows; r += THREADS) {
            for (var c = 0u; c < width; c++) {
                if (r >= c) { factor[base + (p0 + c) * n + p0 + r] = panel[4u * r + c / 4u][c % 4u]; }
            }
        }
        // What the panel takes from the rest, in tiles of 16 × 16.
        let first = p0 + width;
        let tiles = (n - first + 15u) / 16u;
        for (var tj = 0u; tj < tiles; tj++) {
            let j = first + 16u * tj + thread / 16u;
            for (var ti = tj; ti < tiles; ti++) {
                let i = first + 16u * ti + thread % 16u;
                if (i < n && j <= i) {
                    let a = 4u * (i - p0);
                    let b = 4u * (j - p0);
                    factor[base + j * n + i] -= dot(panel[a], panel[b]) + dot(panel[a + 1u], panel[b + 1u])
                        + dot(panel[a + 2u], panel[b + 2u]) + dot(panel[a + 3u], panel[b + 3u]);
                }
            }
        }
        storageBarrier();
        workgroupBarrier();
    }
    return workgroupUniformLoad(&broken) == 0u;
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
