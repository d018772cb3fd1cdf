//! WGSL sources: the files of `shaders/`, put together as each stage needs them.
//!
//! A stage imports what it shares with others by lines `#import "shared/….wgsl"`; every file is taken once.
//! Before the first line come constants: sizes that fix workgroup memory, and the solver's own constants,
//! so that both engines are told them in one place.

use std::fmt::Write;

use crate::fit::map::solver;

/// Invocations of a workgroup in the stages that do dense algebra.
pub const THREADS: u32 = 256;
/// Most parameters of a model: one invocation each in the stages that do dense algebra.
pub const MAX_PARAMETERS: u32 = 256;
/// Most soft rows between amplitudes.
pub const MAX_ROWS: u32 = 128;

/// Rise of Q, relative, that rounding can fake: some units in the last place of a sum of a thousand squares.
const COST_ROUNDING: f64 = 2e-6;

/// Stages of a fit, in the order in which they run; stems of files in `shaders/`.
pub const FIT_STAGES: [&str; 8] = ["components", "common", "gram", "project", "weights", "step", "trial", "decide"];

/// Stages that answer requests for normal equations, in the order in which they run; stems of files in `shaders/`.
pub const REQUEST_STAGES: [&str; 4] = ["carry", "observe", "residual", "normal"];

macro_rules! files {
    ($($name:literal),* $(,)?) => {
        [$(($name, include_str!(concat!("../../../shaders/", $name)))),*]
    };
}

/// Every file of `shaders/`.
pub const FILES: [(&str, &str); 23] = files![
    "shared/batch.wgsl",
    "shared/trigonometry.wgsl",
    "shared/fft.wgsl",
    "shared/modulation.wgsl",
    "shared/reduce.wgsl",
    "shared/cholesky.wgsl",
    "shared/objective.wgsl",
    "shared/splines.wgsl",
    "shared/requests.wgsl",
    "shared/tiles.wgsl",
    "components.wgsl",
    "common.wgsl",
    "gram.wgsl",
    "project.wgsl",
    "weights.wgsl",
    "step.wgsl",
    "trial.wgsl",
    "decide.wgsl",
    "compact.wgsl",
    "carry.wgsl",
    "observe.wgsl",
    "residual.wgsl",
    "normal.wgsl",
];

/// Why a source cannot be put together.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SourceError {
    /// No such file.
    #[error("shaders/{0}: there is no such file")]
    Missing(String),
}

/// How a transform of `n` samples is shared out: (invocations, samples an invocation); `None` where the
/// workgroup's memory does not hold it or `n` is no power of two.
pub fn fft_threads(n: usize) -> Option<(u32, u32)> {
    if !n.is_power_of_two() || !(128..=4096).contains(&n) {
        return None;
    }
    let n = n as u32;
    let threads = (n / 4).min(THREADS);
    Some((threads, n / threads))
}

/// The source of `stage` for band FIDs of `fft_n` samples (a length that [`fft_threads`] takes).
///
/// # Errors
/// [`SourceError`]: a file that is imported is not there (a test composes all).
pub fn compose(stage: &str, fft_n: usize) -> Result<String, SourceError> {
    let (fft_threads, per_thread) = fft_threads(fft_n).unwrap_or((THREADS, 4));
    let mut out = String::new();
    for (name, value) in [
        ("FFT_N", fft_n as u32),
        ("FFT_THREADS", fft_threads),
        ("FFT_PER_THREAD", per_thread),
        ("THREADS", THREADS),
        ("MAX_PARAMETERS", MAX_PARAMETERS),
        ("MAX_ROWS", MAX_ROWS),
        ("NEWTON_FROM", solver::NEWTON_FROM as u32),
        ("EVIDENCE_FROM", solver::EVIDENCE_FROM as u32),
        ("VARIANCE_FROM", solver::VARIANCE_FROM as u32),
        ("VARIANCE_TO", solver::VARIANCE_TO as u32),
        ("REFRESH_1", solver::REFRESH_ROWS[0] as u32),
        ("REFRESH_2", solver::REFRESH_ROWS[1] as u32),
        ("LAST_REFRESH", solver::REFRESH_ROWS[2] as u32),
    ] {
        let _ = writeln!(out, "const {name}: u32 = {value}u;");
    }
    for (name, value) in [
        ("FREEZE_TOLERANCE", solver::FREEZE_TOLERANCE),
        ("PREDICTED_TOLERANCE", solver::PREDICTED_TOLERANCE),
        ("LAMBDA_TOLERANCE", solver::LAMBDA_TOLERANCE),
        ("COST_ROUNDING", COST_ROUNDING),
    ] {
        let _ = writeln!(out, "const {name}: f32 = {value:e}f;");
    }
    let mut taken = Vec::new();
    append(&format!("{stage}.wgsl"), &mut taken, &mut out)?;
    Ok(out)
}

fn append(name: &str, taken: &mut Vec<String>, out: &mut String) -> Result<(), SourceError> {
    if taken.iter().any(|t| t == name) {
        return Ok(());
    }
    taken.push(name.to_owned());
    let text = FILES.iter().find(|(n, _)| *n == name).ok_or_else(|| SourceError::Missing(name.to_owned()))?.1;
    for line in text.lines() {
        match line.strip_prefix("#import \"").and_then(|rest| rest.strip_suffix('"')) {
            Some(import) => append(import, taken, out)?,
            None => {
                out.push_str(line);
                out.push('\n');
            }
        }
    }
    Ok(())
}
