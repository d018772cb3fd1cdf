//! The solver's constants, for both engines: the native solver takes them by name, the shaders as WGSL constants of the same
//! names ([`wgsl`]), which the build script writes before every stage.

macro_rules! constants {
    (@type count) => { usize };
    (@type number) => { f64 };
    (@line count $name:ident) => { format!("const {}: u32 = {}u;\n", stringify!($name), $name) };
    (@line number $name:ident) => { format!("const {}: f32 = {:e}f;\n", stringify!($name), $name) };
    ($($(#[$doc:meta])* $kind:ident $name:ident = $value:expr;)*) => {
        $($(#[$doc])* pub(crate) const $name: constants!(@type $kind) = $value;)*

        /// All constants as declarations in WGSL.
        #[allow(dead_code, reason = "the build script calls it")]
        pub(crate) fn wgsl() -> String {
            [$(constants!(@line $kind $name)),*].concat()
        }
    };
}

constants! {
    // When something begins or ends (iterations, counted from 0).
    /// First of the iterations at which the scales of the soft rows are taken from the current amplitudes.
    count REFRESH_1 = 3;
    /// The second.
    count REFRESH_2 = 5;
    /// The last.
    count LAST_REFRESH = 7;
    /// First iteration that uses second derivatives; before, far from the solution, they mislead.
    count NEWTON_FROM = 3;
    /// First iteration at which λ follows the evidence: before, widths and shifts still explain too little, and what they
    /// leave would be taken for baseline, from where some spectra never come back.
    count EVIDENCE_FROM = 3;
    /// First iteration at which σ² follows the misfit.
    count VARIANCE_FROM = 3;
    /// The last.
    count VARIANCE_TO = 40;
    /// First iteration after which σ² may be frozen: it has followed the misfit twice.
    count FREEZE_FROM = VARIANCE_FROM + 2;

    // When a fit has converged.
    /// A step whose predicted fall of Q is below this is the last: it moves the solution by at most
    /// √2e-4 = 0.014 standard deviations, and what is left after it is a small part of that.
    number PREDICTED_TOLERANCE = 2e-4;
    /// A predicted fall of Q below this, a tenth of a standard deviation, is near the minimum: a fit whose steps all fail here has
    /// converged within rounding.
    number NEAR_MINIMUM = 1e-2;
    /// And below this so near that σ² and the scales of the soft rows, which stay from then on, do not hang on the way there.
    number FREEZE_BELOW = 1e-3;
    /// Change of ln λ between the last two steps: it moves no amplitude by a hundredth of its standard deviation, and f32
    /// can resolve it.
    number LAMBDA_TOLERANCE = 1e-3;
    /// Near a straight baseline λ creeps on for dozens of iterations and moves nothing. It rests below this change of ln λ if the
    /// step that answers it
    number IDLE_LAMBDA_TOLERANCE = 1e-2;
    /// promises less than this: ten such changes more move the solution as little as [`PREDICTED_TOLERANCE`] allows.
    number IDLE_PREDICTED_TOLERANCE = 2e-6;
    /// Change of ln λ and ln σ² below which σ² is frozen.
    number FREEZE_TOLERANCE = 0.05;
    /// Rise of Q, relative, that f64 rounding can cause.
    number COST_ROUNDING_F64 = 1e-9;
    /// The same in f32: some units in the last place of a sum of a thousand squares.
    number COST_ROUNDING = 2e-6;

    // What an iteration takes over from the one before.
    /// Iterations for which the number of effective parameters serves while σ² follows the misfit; it is found in those that
    /// this divides, [`VARIANCE_FROM`] among them, and when σ² comes to rest.
    count KEEPS_EFFECTIVE = 3;
    /// Predicted fall of Q, a third of a standard deviation, below which the native engine keeps JᵀJ for the next iteration: it
    /// has changed by percents, so steps by it miss the minimum by percents of themselves.
    number KEEPS_METRIC = 0.1;
    /// And only while each step promises no more than this part of the one before: where steps by an old JᵀJ creep, a new one
    /// is worth its price.
    number STEADY_FALL = 0.2;

    // When there is no signal to follow.
    /// Energy of all components at the start values, in units of σ², below which shifts, widths, phases and lineshape stay
    /// where they start: noise alone gives up to this much, and following its tallest points takes every iteration there
    /// is. A spectrum with an SNR of 3 has half as much again.
    number LEAST_ENERGY = 300.0;

    // Steps and their damping.
    /// Steps that an iteration tries, each shorter than the one before.
    count MAX_ATTEMPTS = 12;
    /// Solutions of the normal equations in one step, each with more parameters held at their bound.
    count MAX_PASSES = 12;
    /// Of these, the first ones let go of what is drawn to its bound; the others only hold more, so that they come to an end.
    count LETTING_GO_PASSES = 6;
    /// Amplitudes begin no smaller than this part of the largest: at zero the derivatives for shift and width vanish.
    number LEAST_START_AMPLITUDE = 1e-3;
    /// Part of itself that is added to the amplitudes' diagonal where the linear problem at the start is singular: far above
    /// rounding of f32, and far below what shapes at their start leave wrong.
    number START_RIDGE = 1e-4;
    /// The scale of a soft row is no smaller than this part of all amplitudes together.
    number LEAST_ROW_SCALE = 1e-3;
    /// A soft row yields no further than to this many times its standard deviation: what is left holds collinear metabolites
    /// apart, without which the system is singular in f32.
    number MOST_ROW_YIELD = 3.0;
    /// Damping before the first step.
    number START_DAMPING = 1e-2;
    /// Damping never falls below this.
    number MIN_DAMPING = 1e-9;
    /// Damping above which a system that is still not positive definite is given up.
    number MAX_DAMPING = 1e6;
    /// Factor of the damping after a system that is not positive definite.
    number DAMPING_RISE_SINGULAR = 10.0;
    /// Least damping after such a system.
    number MIN_DAMPING_SINGULAR = 1e-3;
    /// Factor of the damping after a step that raised Q.
    number DAMPING_RISE_REJECTED = 6.0;
    /// Least damping after such a step.
    number MIN_DAMPING_REJECTED = 1e-4;
    /// Least and largest factor of the damping after a step that lowered Q (Nielsen 1999 has 1/3 and no upper one).
    number MIN_DAMPING_FACTOR = 0.2;
    /// See [`MIN_DAMPING_FACTOR`].
    number MAX_DAMPING_FACTOR = 3.0;

    /// Predicted fall of Q after which the next step takes into account how steps go on, creeping or to and fro.
    number EXTRAPOLATES_BELOW = 0.03;
    /// And above which: less is near enough, and rounding of f32 could take a wrong extrapolation for a fall.
    number EXTRAPOLATES_ABOVE = 2e-5;
    /// Most of the last step that the next one takes back.
    number MOST_BACK = 0.5;
    /// Most of it that the next one goes once more.
    number MOST_FORWARD = 4.0;

    // The baseline's smoothness λ by evidence.
    /// Rounds of the fixed-point iteration for λ in one iteration of the fit.
    count EVIDENCE_ROUNDS = 4;
    /// Change of ln λ below which these rounds end.
    number EVIDENCE_TOLERANCE = 1e-5;
    /// λ below which the baseline is as flexible as its splines for every purpose.
    number MIN_LAMBDA = 1e-6;
    /// λ above which the baseline is a straight line for every purpose.
    number MAX_LAMBDA = 1e8;
    /// Largest factor of λ in a round, and of its extrapolation: early residuals are not the baseline's.
    number MAX_LAMBDA_CHANGE = 10.0;
    /// Least effective dimension of the baseline beyond a straight line that the evidence divides.
    number MIN_CURVED_DIMENSION = 1e-3;
    /// Ratios of successive steps in ln λ that are extrapolated, steadily converging ones: the least.
    number MIN_STEADY_RATIO = 1e-3;
    /// The largest.
    number MAX_STEADY_RATIO = 0.98;
}

/// Iterations at which the scales of the soft rows are taken from the current amplitudes.
pub(crate) const REFRESH_ROWS: [usize; 3] = [REFRESH_1, REFRESH_2, LAST_REFRESH];
