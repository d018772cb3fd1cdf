// What the stages of preparation see: FIDs in, FIDs out, and tables of each stage's own.

// Same order as `FidsShape` in layout.rs.
struct FidsShape {
    n_points: u32,     // samples of a FID
    n_fids: u32,
    parts: u32,        // transforms of FFT_N samples that make up one of n_points
    n_used: u32,       // samples that a search uses
    n_bins: u32,       // bins on either side of zero that it visits
    columns: u32,      // workgroups along x where one dimension does not hold them all
}

@group(0) @binding(0) var<uniform> fids: FidsShape;
@group(0) @binding(1) var<storage, read> tables: array<vec2<f32>>;
@group(0) @binding(2) var<storage, read> input: array<vec2<f32>>;
@group(0) @binding(3) var<storage, read_write> output: array<vec2<f32>>;

// exp(-2πi·index/FFT_N), from a table of exp(-2πi·j/(parts·FFT_N)).
fn twiddle(index: u32) -> vec2<f32> {
    return tables[index * fids.parts];
}
