// What the stages for other programs' methods see: requests for the normal equations of one spectrum each, of any models.

// Sizes that requests of one model share, and where its tables begin.
struct RequestSizes {
    n_carried: u32,        // samples of a carried FID: those of a band FID that are not zero, in the order of time
    origin: u32,           // of which this one is at t = 0
    window_offset: u32,    // first compared bin in a transformed band FID
    stride: u32,           // bins from one compared bin to the next
    n_observed: u32,       // compared bins
    parts: u32,            // 2 where their imaginary parts are compared too
    fids: u32,
    twiddles: u32,         // in `constants`: exp(-2πi·j/FFT_N)
    time: u32,             // time of each carried sample (s)
    from_pivot: u32,       // distance of each compared bin from the phase's pivot (ppm)
}

// Room that every request has in the buffers: as much as the largest needs.
struct Room {
    carried: u32,          // samples
    columns: u32,          // floats
    products: u32,         // of an answer
}

// What one spectrum asks for, and where its values begin in `arena`.
struct RequestShape {
    model: u32,
    n_members: u32,
    n_jobs: u32,
    n_baseline: u32,       // coefficients
    n_functions: u32,      // functions of the baseline: as many, or half where the parts have their own coefficients
    n_columns: u32,        // without the residual
    turns_baseline: u32,
    slopes_only: u32,      // whether the residual's products are all that is asked for
    members: u32,
    jobs: u32,
    shapes: u32,           // common lineshape, and its derivatives
    phase: u32,
    data: u32,
    baseline: u32,
    linear: u32,           // amplitudes and coefficients at which the residual is taken
}

// Same order as `Member` in fit/peers/remote.rs.
struct Member {
    fid: u32,
    takes_shape: u32,
    group: u32,
    damping: f32,          // 1/s
    shift_hz: f32,
    gauss: f32,            // g of exp(-g²t²), 1/s
    amplitude: f32,
}

// One transform, and the columns that come of it. Same order as `Job` in fit/peers/remote.rs.
struct Job {
    form: u32,
    members: u32,          // which are summed
    which: u32,            // the member or group
    shape: u32,            // what those that take the lineshape are multiplied with: 0 the lineshape, j + 1 its derivative by θ_j
    column_a: u32,
    column_b: u32,
    scale: f32,
}

const AMPLITUDE: u32 = 0u;
const RATES: u32 = 1u;     // −t; damping and shift
const GAUSS: u32 = 2u;     // −t²
const SHAPE: u32 = 3u;
const PHASES: u32 = 4u;

const ONE: u32 = 0u;
const GROUP: u32 = 1u;
const ALL: u32 = 2u;
const SHAPED: u32 = 3u;

const NO_COLUMN: u32 = 0xffffffffu;

@group(0) @binding(0) var<uniform> room: Room;
@group(0) @binding(1) var<storage, read> models: array<RequestSizes>;
@group(0) @binding(2) var<storage, read> constants: array<f32>;
@group(0) @binding(3) var<storage, read> fids: array<vec2<f32>>;
@group(0) @binding(4) var<storage, read> requests: array<RequestShape>;
// Floats and integers of all requests, as bits.
@group(0) @binding(5) var<storage, read> arena: array<u32>;
@group(0) @binding(6) var<storage, read_write> carried: array<vec2<f32>>;
@group(0) @binding(7) var<storage, read_write> columns: array<f32>;
@group(0) @binding(8) var<storage, read_write> gram: array<f32>;

// Those of the model of this workgroup's request.
var<private> sizes: RequestSizes;

fn number(at: u32) -> f32 { return bitcast<f32>(arena[at]); }
fn pair(at: u32, index: u32) -> vec2<f32> { return vec2<f32>(number(at + 2u * index), number(at + 2u * index + 1u)); }

fn member(r: u32, k: u32) -> Member {
    let at = requests[r].members + 7u * k;
    return Member(arena[at], arena[at + 1u], arena[at + 2u], number(at + 3u), number(at + 4u), number(at + 5u),
        number(at + 6u));
}

fn job(r: u32, index: u32) -> Job {
    let at = requests[r].jobs + 7u * index;
    return Job(arena[at], arena[at + 1u], arena[at + 2u], arena[at + 3u], arena[at + 4u], arena[at + 5u], number(at + 6u));
}

fn carried_of(r: u32, k: u32) -> u32 { return r * room.carried + k * sizes.n_carried; }
fn n_rows() -> u32 { return sizes.parts * sizes.n_observed; }
fn columns_of(r: u32) -> u32 { return r * room.columns; }

// A complex value at a compared bin as the rows of a column.
fn put(r: u32, column: u32, bin: u32, value: vec2<f32>) {
    let at = columns_of(r) + column * n_rows() + bin;
    columns[at] = value.x;
    if (sizes.parts > 1u) { columns[at + sizes.n_observed] = value.y; }
}

// exp(-2πi·index/FFT_N)
fn twiddle(index: u32) -> vec2<f32> {
    return vec2<f32>(constants[sizes.twiddles + 2u * index], constants[sizes.twiddles + 2u * index + 1u]);
}
