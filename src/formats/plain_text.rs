//! Two columns of numbers, real and imaginary, without any header.
//!
//! The sign convention is that of jMRUI text, from which such files come (measured on a spectrum that
//! exists in both and as LCModel RAW): samples are conjugated.

use std::path::{Path, PathBuf};

use ndarray::Array5;
use num_complex::Complex64;

use super::error::ReadError;
use super::files::bytes_of;
use super::lcmodel_control;
use super::reader::{About, Claim, Probe, Reader};
use crate::acquisition::Acquisition;

/// Name of the format.
pub const NAME: &str = "plain text";

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

impl DecodeError {
    /// Stable code for the tables.
    pub fn code(&self) -> &'static str {
        "bad_file"
    }
}

/// The format's reader.
#[derive(Debug)]
pub struct PlainText;

impl Reader for PlainText {
    fn name(&self) -> &'static str {
        NAME
    }

    fn about(&self) -> About {
        About {
            files: "text of two columns of numbers, real and imaginary part (`.txt`)",
            companions: "an LCModel control file whose `filraw` or `filh2o` names the file",
            facts: "none; from the control file dwell time, f0, TE",
            limits: "one spectrum a file; the sign convention is that of jMRUI text",
        }
    }

    fn claim(&self, probe: &Probe<'_>) -> Claim {
        if probe.ends_with(&[".txt"]) { Claim::Generic } else { Claim::None }
    }

    fn recognises(&self, probe: &Probe<'_>) -> bool {
        looks_like(probe.head())
    }

    fn companions(&self, path: &Path) -> Vec<PathBuf> {
        lcmodel_control::naming(path)
    }

    fn read(&self, path: &Path) -> Result<Acquisition, ReadError> {
        let data = decode(&bytes_of(path)?).map_err(|e| ReadError::content(path, e.code(), e))?;
        Ok(lcmodel_control::with_control(data, path))
    }
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
    Ok(Acquisition::from_samples(NAME, array))
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
