//! Two columns of numbers, real and imaginary, without any header.
//!
//! The sign convention is that of jMRUI text, from which such files come (measured on a spectrum that
//! exists in both and as LCModel RAW): samples are conjugated.

use ndarray::Array5;
use num_complex::Complex64;

use crate::acquisition::{Acquisition, Format};

/// Why a file of numbers could not be decoded.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum DecodeError {
    /// A line that is not two numbers.
    #[error("line {line}: two numbers (real and imaginary part) are needed on every line")]
    NotTwoNumbers {
        /// Line, counted from 1.
        line: usize,
    },
    /// No line at all.
    #[error("holds no numbers")]
    Empty,
}

/// Whether the start of a file reads as two columns of numbers.
pub fn looks_like(head: &[u8]) -> bool {
    let text = String::from_utf8_lossy(head);
    let mut lines = text.lines().map(str::trim).filter(|l| !l.is_empty()).take(3).peekable();
    lines.peek().is_some() && lines.all(|l| pair(l).is_some())
}

/// Decodes a file; dwell time and frequency stay unknown.
pub fn decode(bytes: &[u8]) -> Result<Acquisition, DecodeError> {
    let text = String::from_utf8_lossy(bytes);
    let mut samples = Vec::new();
    for (index, line) in text.lines().enumerate() {
        if !line.trim().is_empty() {
            samples.push(pair(line.trim()).ok_or(DecodeError::NotTwoNumbers { line: index + 1 })?.conj());
        }
    }
    if samples.is_empty() {
        return Err(DecodeError::Empty);
    }
    let n = samples.len();
    let array = Array5::from_shape_fn((1, 1, 1, 1, n), |(_, _, _, _, p)| samples[p]);
    Ok(Acquisition::from_samples(Format::PlainText, array))
}

/// The first two of exactly two (or four: signal and its transform) numbers of a line.
pub(super) fn pair(line: &str) -> Option<Complex64> {
    let numbers: Option<Vec<f64>> =
        line.split(|c: char| c.is_whitespace() || c == ',').filter(|w| !w.is_empty()).map(|w| w.parse().ok()).collect();
    match numbers?.as_slice() {
        [re, im] | [re, im, _, _] => Some(Complex64::new(*re, *im)),
        _ => None,
    }
}
