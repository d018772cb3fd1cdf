//! Parity of the fit's stages, one by one: what a stage makes of given inputs beside its native twin.
#![allow(dead_code, unreachable_pub, clippy::unwrap_used, clippy::panic, clippy::print_stdout, reason = "test support")]

use num_complex::Complex64;
use requant::engine::gpu::rounds::inspect::{Inspector, Pair};
use requant::engine::gpu::stage::Stage;
use requant::engine::gpu::stage::fit::{STEP_FAILED, Scalars};
use requant::fit::map::Model;

/// Columns, relative to the largest value: transforms of a few thousand f32 samples are exact to 1e-6, and the
/// modulation's exponents, up to 80, carry 80 units of the last place into it.
const COLUMNS: f64 = 2e-5;
/// Products of columns, relative to their lengths: a sum of a thousand f32 terms, one after the other, is off by
/// √1000 · 6e-8 = 2e-6, the worst of thousands of sums by some times that.
const PRODUCTS: f64 = 1e-5;
/// ln σ²: the effective number of parameters comes from an f32 inverse, and is a tenth of the points.
const VARIANCE: f64 = 1e-4;
/// ln λ: four rounds of a fixed-point iteration on an f32 factor, of which a fit asks a thousandth.
const LAMBDA: f64 = 1e-3;
/// Weights of soft rows: f32 sums of positive amplitudes.
const ROWS: f64 = 1e-6;
/// A step (standard deviations): the factor of a matrix of condition 1e3 loses three of seven digits of steps of up to
/// some standard deviations.
const STEP: f64 = 1e-3;
/// The predicted fall of Q, relative or of Q itself: as far as the step is off, whichever is larger.
const PREDICTED: f64 = 1e-3;
/// The change of |r|² that a step makes, relative to |r|²: the decision forgives as much (`COST_ROUNDING`).
const CHANGE: f64 = 2e-6;
/// Phases, counters and flags are whole numbers.
const WHOLE: f64 = 0.0;
/// ln of the damping: a ratio of f32 falls, cubed.
const DAMPING: f64 = 5e-3;

/// Whether a pair agrees, and by how much it does not.
#[derive(Debug)]
pub struct Judged {
    pub what: &'static str,
    pub worst: f64,
    pub most: f64,
}

impl Judged {
    pub fn holds(&self) -> bool {
        self.worst <= self.most
    }
}

/// Largest difference of a pair beside what it may be; NaN counts as infinite.
pub fn judge(pair: &Pair) -> Judged {
    assert_eq!(pair.device.len(), pair.native.len(), "{}", pair.what);
    let (most, is_relative) = match pair.what {
        "amplitudes" | "shifts" | "widths" | "Gaussian width" | "phases" | "lineshape" | "kernel" | "residual" => {
            (COLUMNS, false)
        }
        "columns" | "modes" => (PRODUCTS, false),
        "ln variance" => (VARIANCE, false),
        "ln lambda" => (LAMBDA, false),
        "rows" => (ROWS, true),
        "step" => (STEP, false),
        "predicted" => (PREDICTED, true),
        "change" => (CHANGE, false),
        "state" => (WHOLE, false),
        "ln damping" => (DAMPING, false),
        other => panic!("no tolerance for {other}"),
    };
    let differences = pair.device.iter().zip(&pair.native).map(|(a, b)| {
        let difference = if is_relative { (a - b) / b.abs().max(f64::MIN_POSITIVE) } else { a - b };
        if a == b { 0.0 } else { difference.abs() }
    });
    let worst = differences.fold(0.0, |worst: f64, d| if d.is_nan() { f64::INFINITY } else { worst.max(d) });
    Judged { what: pair.what, worst, most }
}

/// The stages of a fit with what each is compared by.
type Compare = fn(&Inspector<'_>) -> Vec<Pair>;

/// Every stage, or two that make one quantity, with what it is compared by.
pub const STAGES: [(&str, Compare); 6] = [
    ("components, common", |spectrum| spectrum.columns().unwrap()),
    ("gram, project", |spectrum| spectrum.products().unwrap()),
    ("weights", |spectrum| spectrum.weights(None).unwrap()),
    ("step", |spectrum| spectrum.step().unwrap()),
    ("trial", |spectrum| spectrum.trial().unwrap()),
    ("decide", decisions),
];

/// Decisions of every kind.
pub fn decisions(spectrum: &Inspector<'_>) -> Vec<Pair> {
    let mut all = spectrum.decide(|_| {}).unwrap();
    let mut case = |change: &dyn Fn(&mut Scalars)| {
        all.extend(spectrum.decide(|scalars| change(scalars)).unwrap());
    };
    // A step that falls far less than predicted, and one that rises.
    case(&|s| s.predicted *= 20.0);
    case(&|s| (s.rss_change, s.predicted) = (1e3 * s.variance, 1.0));
    case(&|s| (s.rss_change, s.predicted, s.damping) = (1e3 * s.variance, 1.0, 1e-7));
    case(&|s| (s.rss_change, s.predicted, s.attempts) = (1e3 * s.variance, 1.0, 11));
    case(&|s| (s.rss_change, s.predicted, s.attempts) = (1e3 * s.variance, 5e-3, 11));
    // The end: frozen, and nothing is left to gain.
    case(&|s| (s.rss_change, s.predicted, s.frozen, s.iteration) = (1e3 * s.variance, 1e-4, 1, 20));
    case(&|s| (s.rss_change, s.predicted, s.iteration) = (1e3 * s.variance, 1e-4, 20));
    case(&|s| (s.rss_change, s.predicted, s.frozen, s.lambda_before) = (1e3 * s.variance, 1e-4, 1, 1.01 * s.lambda));
    case(&|s| s.iteration = 10_000);
    // λ creeps on and moves nothing; it creeps and moves something. All of these steps fall.
    let falls = |s: &Scalars| -1e3 * s.variance;
    case(&|s| (s.rss_change, s.predicted, s.frozen, s.lambda_before) = (falls(s), 1e-6, 2, 1.005 * s.lambda));
    case(&|s| (s.rss_change, s.predicted, s.frozen, s.lambda_before) = (falls(s), 1e-4, 2, 1.005 * s.lambda));
    // Near enough to fix σ², and not.
    case(&|s| (s.rss_change, s.predicted, s.iteration) = (falls(s), 5e-4, 20));
    case(&|s| (s.rss_change, s.predicted, s.iteration) = (falls(s), 5e-3, 20));
    // Extrapolated steps: one that falls, and one that rises.
    case(&|s| (s.rss_change, s.predicted, s.back, s.extrapolates) = (falls(s), 2e-2, 0.3, 1));
    case(&|s| (s.rss_change, s.predicted, s.back, s.extrapolates) = (1e3 * s.variance, 1e-2, -2.0, 1));
    // Systems that are not positive definite.
    case(&|s| (s.phase, s.newton) = (STEP_FAILED, 1));
    case(&|s| (s.phase, s.newton) = (STEP_FAILED, 0));
    case(&|s| (s.phase, s.newton, s.damping) = (STEP_FAILED, 0, 1e-5));
    case(&|s| (s.phase, s.newton, s.damping) = (STEP_FAILED, 0, 2e5));
    all
}

/// A spectrum at `iteration` of its fit, on stages whose source `change` changes.
pub fn inspect<'a>(
    index: usize,
    model: &'a Model,
    fid: &[Complex64],
    iteration: u32,
    change: impl Fn(Stage, String) -> String,
) -> Inspector<'a> {
    Inspector::new(index, model, fid, iteration, change).unwrap()
}

/// The source as it is.
pub fn unchanged(_: Stage, source: String) -> String {
    source
}

/// The source with another value of a constant, if it has it.
pub fn with(constant: &'static str, value: &'static str) -> impl Fn(Stage, String) -> String {
    move |_, source| {
        let start = source.find(&format!("const {constant}:")).unwrap();
        let end = start + source[start..].find('\n').unwrap();
        let kind = &source[start..end][..source[start..end].find('=').unwrap()];
        format!("{}{kind}= {value};{}", &source[..start], &source[end..])
    }
}

/// All stages at the first iteration and at one where all of them are at work, of lines that are split or not, as the
/// caller knows them (`is_split`: then weights of the kernel are above zero); each comparison sees a value that is off
/// by three times its tolerance.
pub fn check(model: &Model, fid: &[Complex64], is_split: bool, index: usize) {
    let mut faults = Vec::new();
    for iteration in [0, 3, 5] {
        let spectrum = inspect(index, model, fid, iteration, unchanged);
        assert!(spectrum.iteration() >= iteration);
        let kernel = spectrum.kernel();
        println!("kernel, iteration {}: {kernel:?}", spectrum.iteration());
        assert!(!is_split || kernel.iter().any(|w| *w > 0.01), "{kernel:?}");
        for (stage, pairs) in STAGES {
            for mut pair in pairs(&spectrum) {
                let judged = judge(&pair);
                println!("{stage}, iteration {}: {judged:?}", spectrum.iteration());
                if !judged.holds() {
                    faults.push(format!("{stage}, iteration {}: {judged:?}", spectrum.iteration()));
                }
                if let Some(value) = pair.device.first_mut() {
                    *value += 3.0 * judged.most * value.abs().max(1.0) + if judged.most > 0.0 { 0.0 } else { 1.0 };
                    assert!(!judge(&pair).holds(), "{stage}: {} was not noticed", judged.what);
                }
            }
        }
    }
    assert!(faults.is_empty(), "{faults:#?}");
}

/// A constant that one engine has otherwise is seen by the comparison of the stage that uses it.
pub fn notices_changed_constants(model: &Model, fid: &[Complex64], index: usize) {
    let holds = |pairs: Vec<Pair>| pairs.iter().all(|pair| judge(pair).holds());
    // λ just below its end, where the data ask for a straight baseline or a tenfold one at most.
    let at_the_end = |spectrum: &Inspector<'_>| spectrum.weights(Some(9.9e7)).unwrap();
    let changes: [(&'static str, &'static str, Compare); 7] = [
        ("MAX_LAMBDA", "1e6f", at_the_end),
        ("EVIDENCE_ROUNDS", "1u", |spectrum| spectrum.weights(Some(1e5)).unwrap()),
        ("DAMPING_RISE_REJECTED", "8f", decisions),
        ("MIN_DAMPING_REJECTED", "2e-4f", decisions),
        ("NEAR_MINIMUM", "1e-3f", decisions),
        ("FREEZE_BELOW", "1e-2f", decisions),
        ("IDLE_LAMBDA_TOLERANCE", "1e-3f", decisions),
    ];
    for (constant, value, compare) in changes {
        let spectrum = inspect(index, model, fid, 4, unchanged);
        assert!(holds(compare(&spectrum)), "{constant} as it is");
        let spectrum = inspect(index, model, fid, 4, with(constant, value));
        assert!(!holds(compare(&spectrum)), "{constant} = {value} was not noticed");
    }
}
