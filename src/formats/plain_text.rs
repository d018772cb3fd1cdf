//! Two columns of numbers, real and imaginary, without any header.
//!
//! The sign convention is that of jMRUI text, from which such files come (measured on a spectrum that
//! exists in both and as LCModel RAW): samples are conjugated.

use std::path::{Path, PathBuf};

use super::columns::{self, ColumnsError};
use super::error::ReadError;
use super::files::bytes_of;
use super::lcmodel_control;
use super::reader::{About, Claim, Probe, Reader};
use crate::acquisition::Acquisition;
use ndarray::Array5;

/// Name of the format.
pub const NAME: &str = "plain text";

/// Why a file of numbers could not be decoded.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum DecodeError {
    /// Its lines are no columns of numbers.
    #[error(transparent)]
    Columns(#[from] ColumnsError),
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
            limits: "one spectrum a file; the sign convention is that of jMRUI text; a comma is a decimal sign where something else separates the columns, and is refused where it cannot be told",
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
    lines.peek().is_some() && lines.all(columns::looks_like)
}

/// Decodes a file; dwell time and frequency stay unknown.
pub fn decode(bytes: &[u8]) -> Result<Acquisition, DecodeError> {
    let text = String::from_utf8_lossy(bytes);
    let lines = text.lines().enumerate().map(|(index, line)| (index + 1, line.trim()));
    let lines: Vec<(usize, &str)> = lines.filter(|(_, line)| !line.is_empty()).collect();
    let samples = columns::samples(&lines)?;
    if samples.is_empty() {
        return Err(DecodeError::Empty);
    }
    let n = samples.len();
    let array = Array5::from_shape_fn((1, 1, 1, 1, n), |(_, _, _, _, p)| samples[p].conj());
    Ok(Acquisition::from_samples(NAME, array))
}
