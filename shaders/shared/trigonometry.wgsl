// Sine and cosine to a few units of the last place: WGSL's own may be off by 2^-11 (WGSL, 15.7.4).

// (cos, sin) of 2π·turns.
fn circle(turns: f32) -> vec2<f32> {
    let r = turns - round(turns);
    let quarter = round(4.0 * r);
    let a = 6.2831853071795865 * (r - 0.25 * quarter);
    let z = a * a;
    // Minimax polynomials on ±π/4 (Cephes, sinf and cosf).
    let s = a + a * z * (-1.6666654611e-1 + z * (8.3321608736e-3 - z * 1.9515295891e-4));
    let c = 1.0 - 0.5 * z + z * z * (4.166664568298827e-2 + z * (-1.388731625493765e-3 + z * 2.443315711809948e-5));
    let q = i32(quarter) & 3;
    if (q == 0) { return vec2<f32>(c, s); }
    if (q == 1) { return vec2<f32>(-s, c); }
    if (q == 2) { return vec2<f32>(-c, -s); }
    return vec2<f32>(s, -c);
}

fn multiply(a: vec2<f32>, b: vec2<f32>) -> vec2<f32> {
    return vec2<f32>(a.x * b.x - a.y * b.y, a.x * b.y + a.y * b.x);
}
