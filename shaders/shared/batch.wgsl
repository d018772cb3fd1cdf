// What every stage of a fit sees: the models' constants, the state of each spectrum and the scratch memory.

// A model's sizes, and where each of its tables begins in `tables`, `indices` and `band_fids`.
struct Shape {
    n_short: u32,          // samples of a band FID
    n_positive: u32,       // of which 0..n_positive and first_negative.. are not zero
    first_negative: u32,
    window_offset: u32,    // first fitted bin in a transformed band FID
    n_window: u32,         // fitted bins
    n_components: u32,
    n_splines: u32,
    n_model: u32,          // parameters before the baseline
    n_parameters: u32,
    n_columns: u32,        // columns of the Jacobian, and the residual
    n_rows: u32,           // soft rows between amplitudes
    max_iterations: u32,
    evidence: u32,         // 1: the baseline's smoothness is found by evidence
    lineshape: u32,        // 1: skew or flatness is fitted
    has_kernel: u32,       // 1: the lineshape has a kernel
    max_ed: f32,           // largest effective dimension of the baseline
    band_fids: u32,
    // f32 tables
    time: u32,
    skew_time: u32,
    flat_time: u32,
    kernel_time: u32,      // e^{2πi·ν_j·t} − 1, one weight of the kernel after the other; nothing without a kernel
    ppm: u32,
    twiddles: u32,
    spline_four: u32,      // the four splines that are not zero at each bin
    spline_modes: u32,     // splines by modes, row by row: spline coefficients = modes · baseline parameters
    roughness: u32,        // |D₂b|² of each mode
    shift_precision: u32,
    width_precision: u32,
    single_precision: u32,
    prior_diagonal: u32,   // what the priors add to the diagonal, parameter by parameter
    single_mean: u32,
    lower_bound: u32,
    row_terms: u32,
    row_scales: u32,
    row_sd: u32,
    row_yield_snr: u32,    // 0: the row does not yield
    heights: u32,          // tallest points of metabolites, 0 for other components
    // u32 tables
    spline_at: u32,        // first of the four
    is_fixed: u32,
    component_rows_first: u32, // where the list of each component's rows begins and, behind the last, ends
    component_rows: u32,
    row_members_first: u32,    // the same for each row's components
    row_members: u32,
}

// What the slots of a chunk share. A slot holds one spectrum, of any of the chunk's models: it has room for the largest. Within
// a slot a spectrum's values lie as its own model has them, so that neither its neighbours nor their models move a bit.
struct Slots {
    n_slots: u32,
    vectors_len: u32,      // floats of a slot: vectors
    data_len: u32,         // bins
    columns_len: u32,      // floats
    gram_len: u32,
    projections_len: u32,
    work_len: u32,
    most_components: u32,
    most_columns: u32,
    has_splines: u32,      // 1: a model has a baseline
}

// Where the fit of one spectrum stands.
struct Scalars {
    model: u32,
    phase: u32,
    iteration: u32,
    attempts: u32,
    passes: u32,
    newton: u32,
    frozen: u32,           // 1: σ² has settled and stays; 2: and the scales of the soft rows have been found again since
    state: u32,
    failed: u32,
    damping: f32,
    variance: f32,
    lambda: f32,
    noise_variance: f32,
    predicted: f32,
    variance_before: f32,
    lambda_before: f32,
    cost: f32,
    rss: f32,
    rss_change: f32,
    start_variance: f32,
    kernel_share: f32,     // of the precision of the kernel's prior at rest
    holds_shapes: u32,     // 1: shifts, widths, phases and lineshape stay at their start
    effective: f32,        // parameters that the data determine, as found not long ago
    has_last: u32,         // 1: the last step was taken near the minimum, so that it and the next one tell how steps go on
    extrapolates: u32,     // 1: the next step takes that into account
    back: f32,             // part of the last step that it takes back
}

// Phases.
const START_EVALUATE: u32 = 0u;
const EVALUATE: u32 = 1u;
const START_STEP: u32 = 2u;
const STEP: u32 = 3u;
const START_STEP_MORE: u32 = 4u;
const STEP_MORE: u32 = 5u;
const TRIAL: u32 = 6u;
const STEP_FAILED: u32 = 7u;
const DONE: u32 = 8u;

// States; the order of `FitState`.
const CONVERGED: u32 = 0u;
const MAX_ITERATIONS: u32 = 1u;
const SINGULAR: u32 = 2u;

@group(0) @binding(0) var<uniform> slots: Slots;
@group(0) @binding(1) var<storage, read> models: array<Shape>;
@group(0) @binding(2) var<storage, read> tables: array<f32>;
@group(0) @binding(3) var<storage, read> indices: array<u32>;
@group(0) @binding(4) var<storage, read> band_fids: array<vec2<f32>>;

// The model of this workgroup's spectrum. What barriers depend on is read from `models` itself, at an index out of `lists`: then a
// compiler knows that it is the same in all invocations.
var<private> shape: Shape;

@group(1) @binding(0) var<storage, read_write> scalars: array<Scalars>;
@group(1) @binding(1) var<storage, read_write> vectors: array<f32>;
@group(1) @binding(2) var<storage, read> data: array<vec2<f32>>;
@group(1) @binding(3) var<storage, read_write> columns: array<f32>;
@group(1) @binding(4) var<storage, read_write> gram: array<f32>;
@group(1) @binding(5) var<storage, read_write> projections: array<f32>;
@group(1) @binding(6) var<storage, read_write> work: array<f32>;
@group(1) @binding(7) var<storage, read_write> factor: array<f32>;
// Vectors of n_parameters entries that a spectrum has: x, trial, gradient, step of the normal equations, held, held step; of the last
// step that was taken itself, step of the normal equations, gradient; and the gradient with the baseline eliminated.
const N_VECTORS: u32 = 10u;

// First floats of the vectors of spectrum `s`. The baseline's parameters are
// its Demmler–Reinsch modes, in which BᵀB is the unit matrix and D₂ᵀD₂ is diagonal: in f32 the splines themselves cannot
// carry a penalty that is a million times the data's weight.
fn x_of(s: u32) -> u32 { return s * slots.vectors_len; }
fn trial_of(s: u32) -> u32 { return s * slots.vectors_len + shape.n_parameters; }
fn gradient_of(s: u32) -> u32 { return s * slots.vectors_len + 2u * shape.n_parameters; }
fn step_of(s: u32) -> u32 { return s * slots.vectors_len + 3u * shape.n_parameters; }
fn held_of(s: u32) -> u32 { return s * slots.vectors_len + 4u * shape.n_parameters; }
fn held_step_of(s: u32) -> u32 { return s * slots.vectors_len + 5u * shape.n_parameters; }
fn taken_of(s: u32) -> u32 { return s * slots.vectors_len + 6u * shape.n_parameters; }
fn last_step_of(s: u32) -> u32 { return s * slots.vectors_len + 7u * shape.n_parameters; }
fn last_gradient_of(s: u32) -> u32 { return s * slots.vectors_len + 8u * shape.n_parameters; }
fn reduced_of(s: u32) -> u32 { return s * slots.vectors_len + 9u * shape.n_parameters; }
fn row_weights_of(s: u32) -> u32 { return s * slots.vectors_len + N_VECTORS * shape.n_parameters; }
// Spline coefficients at x and at the trial.
fn splines_of(s: u32) -> u32 { return row_weights_of(s) + shape.n_rows; }
fn trial_splines_of(s: u32) -> u32 { return splines_of(s) + shape.n_splines; }

fn data_of(s: u32) -> u32 { return s * slots.data_len; }
fn columns_of(s: u32) -> u32 { return s * slots.columns_len; }
fn gram_of(s: u32) -> u32 { return s * slots.gram_len; }
fn projections_of(s: u32) -> u32 { return s * slots.projections_len; }
fn work_of(s: u32) -> u32 { return s * slots.work_len; }

// Weights of the lineshape's kernel, and parameters that all components share.
const N_KERNEL: u32 = 6u;
const N_COMMON: u32 = 7u + N_KERNEL;

// Indices of the common parameters.
fn common_shift() -> u32 { return 3u * shape.n_components; }
fn common_width() -> u32 { return 3u * shape.n_components + 1u; }
fn gauss_width() -> u32 { return 3u * shape.n_components + 2u; }
fn phi0_at() -> u32 { return 3u * shape.n_components + 3u; }
fn phi1_at() -> u32 { return 3u * shape.n_components + 4u; }
fn skew_at() -> u32 { return 3u * shape.n_components + 5u; }
fn flat_at() -> u32 { return 3u * shape.n_components + 6u; }
// First weight of the kernel.
fn kernel_at() -> u32 { return 3u * shape.n_components + 7u; }

// Column of the Jacobian for a parameter before the baseline; the common shift and width have none.
fn has_column(parameter: u32) -> bool {
    return parameter != common_shift() && parameter != common_width();
}
fn column_of_parameter(parameter: u32) -> u32 {
    if (parameter < 3u * shape.n_components) { return parameter; }
    return parameter - 2u;
}

// exp(-2πi·index/FFT_N)
fn twiddle(index: u32) -> vec2<f32> {
    return vec2<f32>(tables[shape.twiddles + 2u * index], tables[shape.twiddles + 2u * index + 1u]);
}
