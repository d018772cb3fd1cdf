//! What lies where in the GPU's memory: the model's sizes, the state of a spectrum, bytes a spectrum.

use bytemuck::{Pod, Zeroable};

/// The model's sizes and where its tables begin; the twin of `Shape` in `shaders/shared/batch.wgsl`, which
/// says what each is. A test compares the two.
#[repr(C)]
#[derive(Debug, Clone, Copy, Default, PartialEq, Pod, Zeroable)]
#[allow(missing_docs, reason = "documented in the shader, in one place")]
pub struct Shape {
    pub n_short: u32,
    pub n_positive: u32,
    pub first_negative: u32,
    pub window_offset: u32,
    pub n_window: u32,
    pub n_components: u32,
    pub n_splines: u32,
    pub n_model: u32,
    pub n_parameters: u32,
    pub n_columns: u32,
    pub n_rows: u32,
    pub max_iterations: u32,
    pub evidence: u32,
    pub lineshape: u32,
    pub work_len: u32,
    pub vectors_len: u32,
    pub n_spectra: u32,
    pub max_ed: f32,
    pub time: u32,
    pub skew_time: u32,
    pub flat_time: u32,
    pub ppm: u32,
    pub twiddles: u32,
    pub spline_four: u32,
    pub spline_values: u32,
    pub spline_modes: u32,
    pub roughness: u32,
    pub shift_precision: u32,
    pub width_precision: u32,
    pub single_precision: u32,
    pub prior_diagonal: u32,
    pub single_mean: u32,
    pub lower_bound: u32,
    pub row_terms: u32,
    pub row_scales: u32,
    pub row_sd: u32,
    pub spline_first_bin: u32,
    pub spline_count: u32,
    pub spline_offset: u32,
    pub spline_at: u32,
    pub is_fixed: u32,
}

/// Where the fit of one spectrum stands; the twin of `Scalars` in `shaders/shared/batch.wgsl`.
#[repr(C)]
#[derive(Debug, Clone, Copy, Default, PartialEq, Pod, Zeroable)]
#[allow(missing_docs, reason = "documented in the shader, in one place")]
pub struct Scalars {
    pub phase: u32,
    pub iteration: u32,
    pub attempts: u32,
    pub passes: u32,
    pub newton: u32,
    pub frozen: u32,
    pub state: u32,
    pub failed: u32,
    pub damping: f32,
    pub variance: f32,
    pub lambda: f32,
    pub noise_variance: f32,
    pub predicted: f32,
    pub variance_before: f32,
    pub lambda_before: f32,
    pub cost: f32,
    pub rss: f32,
    pub rss_change: f32,
    pub start_variance: f32,
    pub unused: f32,
}

/// Sizes that all requests of a batch share; the twin of `RequestSizes` in `shaders/shared/requests.wgsl`.
#[repr(C)]
#[derive(Debug, Clone, Copy, Default, PartialEq, Pod, Zeroable)]
#[allow(missing_docs, reason = "documented in the shader, in one place")]
pub struct RequestSizes {
    pub n_requests: u32,
    pub n_carried: u32,
    pub origin: u32,
    pub window_offset: u32,
    pub stride: u32,
    pub n_observed: u32,
    pub parts: u32,
    pub most_members: u32,
    pub most_columns: u32,
    pub most_products: u32,
    pub twiddles: u32,
    pub time: u32,
    pub from_pivot: u32,
}

/// What one spectrum asks for; the twin of `RequestShape` in `shaders/shared/requests.wgsl`.
#[repr(C)]
#[derive(Debug, Clone, Copy, Default, PartialEq, Pod, Zeroable)]
#[allow(missing_docs, reason = "documented in the shader, in one place")]
pub struct RequestShape {
    pub n_members: u32,
    pub n_jobs: u32,
    pub n_baseline: u32,
    pub n_functions: u32,
    pub n_columns: u32,
    pub turns_baseline: u32,
    pub slopes_only: u32,
    pub members: u32,
    pub jobs: u32,
    pub shapes: u32,
    pub phase: u32,
    pub data: u32,
    pub baseline: u32,
    pub linear: u32,
}

/// Phase of a spectrum that is finished; `DONE` in the shader.
pub const DONE: u32 = 8;

/// Vectors of `n_parameters` entries that a spectrum has: x, trial, gradient, step, held, held step.
pub const N_VECTORS: u32 = 6;

/// Names of the buffers of a batch in the order of their bindings, with the bytes that a spectrum takes in each.
pub fn bytes_per_spectrum(shape: &Shape) -> [(&'static str, u64); 9] {
    let of = |floats: u64| 4 * floats;
    let (columns, window) = (u64::from(shape.n_columns), u64::from(shape.n_window));
    [
        ("scalars", size_of::<Scalars>() as u64),
        ("vectors", of(u64::from(shape.vectors_len))),
        ("data", of(2 * window)),
        ("columns", of(columns * window)),
        ("gram", of(columns * columns)),
        ("projections", of(columns * u64::from(shape.n_splines))),
        ("work", of(u64::from(shape.work_len))),
        ("factor", of(u64::from(shape.work_len))),
        ("lists", of(2)),
    ]
}

/// Memory that the buffers of one chunk may take together (bytes). Small enough for any discrete GPU; a chunk
/// that fills the device's units needs far less.
const CHUNK_BYTES: u64 = 3 << 30;

/// Spectra in one chunk on a software rasteriser, where a round of a large one would run into the timeout.
const SOFTWARE_CHUNK: u64 = 64;

/// How many spectra fit into one chunk.
pub fn chunk_size(shape: &Shape, limits: &wgpu::Limits, is_software: bool) -> usize {
    let bytes = bytes_per_spectrum(shape);
    let largest = bytes.iter().map(|(_, b)| *b).max().unwrap_or(1).max(1);
    let total: u64 = bytes.iter().map(|(_, b)| *b).sum();
    let binding = limits.max_storage_buffer_binding_size.min(limits.max_buffer_size);
    // One list holds two entries a spectrum behind its two counts.
    let fits = (binding.saturating_sub(8) / largest).min(CHUNK_BYTES / total.max(1));
    let fits = if is_software { fits.min(SOFTWARE_CHUNK) } else { fits };
    fits.min(u64::from(limits.max_compute_workgroups_per_dimension)) as usize
}
