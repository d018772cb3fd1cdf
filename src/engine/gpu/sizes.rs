//! Sizes that fix the shape of a stage: workgroups, their memory, and transforms. The build script takes them from here too.

use std::fmt::Write;

/// Name of every stage's entry point.
pub const ENTRY: &str = "main";
/// Invocations of a workgroup in the stages that do dense algebra.
pub const THREADS: u32 = 256;
/// Most parameters of a model: one invocation each in the stages that do dense algebra.
pub const MAX_PARAMETERS: u32 = 256;
/// Most soft rows between amplitudes.
pub const MAX_ROWS: u32 = 128;
/// Workgroup memory that the largest stage may take (bytes): a transform of 4096 samples.
pub const WORKGROUP_BYTES: u32 = 32768;
/// Lengths of the transforms that a workgroup's memory holds (samples).
pub const FFT_LENGTHS: [usize; 6] = [128, 256, 512, 1024, 2048, 4096];

/// How a transform of `n` samples is shared out: (invocations, samples an invocation); `None` for any other length than
/// those of [`FFT_LENGTHS`].
pub fn fft_threads(n: usize) -> Option<(u32, u32)> {
    if !FFT_LENGTHS.contains(&n) {
        return None;
    }
    let n = n as u32;
    let threads = (n / 4).min(THREADS);
    Some((threads, n / threads))
}

/// The sizes as the constants that a source begins with, for transforms of `fft_n` samples (a length that
/// [`fft_threads`] takes).
pub fn head(fft_n: usize) -> String {
    let (fft_threads, per_thread) = fft_threads(fft_n).unwrap_or((THREADS, 4));
    let mut out = String::new();
    for (name, value) in [
        ("FFT_N", fft_n as u32),
        ("FFT_THREADS", fft_threads),
        ("FFT_PER_THREAD", per_thread),
        ("THREADS", THREADS),
        ("MAX_PARAMETERS", MAX_PARAMETERS),
        ("MAX_ROWS", MAX_ROWS),
    ] {
        let _ = writeln!(out, "const {name}: u32 = {value}u;");
    }
    out
}
