//! jMRUI's text export: `Name: value` lines, then columns of numbers for each signal.
//!
//! Samples are conjugated into our convention (NAA of one spectrum in four formats, see the tests).

use std::path::Path;

use ndarray::Array5;
use num_complex::Complex64;

use super::columns::{self, ColumnsError};
use super::error::ReadError;
use super::files::bytes_of;
use super::reader::{About, Claim, Probe, Reader};
use crate::acquisition::{Acquisition, Facts};

/// Name of the format.
pub const NAME: &str = "jMRUI text";
/// How a file begins.
const BEGIN: &str = "jMRUI";
/// The first line of jMRUI's own export.
const FIRST_LINE: &[u8] = b"jMRUI Data Textfile";

/// Why a jMRUI text file could not be decoded.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum DecodeError {
    /// A header entry is missing or not a number.
    #[error("the header entry `{field}` is missing or not a number; export the file again")]
    Header {
        /// Name of the entry.
        field: &'static str,
    },
    /// Lines of the signals are no columns of numbers.
    #[error(transparent)]
    Columns(#[from] ColumnsError),
    /// Fewer samples than announced.
    #[error("{got} samples where the header announces {signals} signals of {points}; the file is cut off")]
    Truncated {
        /// Samples found.
        got: usize,
        /// Signals announced.
        signals: usize,
        /// Points announced for each.
        points: usize,
    },
}

impl DecodeError {
    /// Stable code for the tables.
    pub fn code(&self) -> &'static str {
        "bad_file"
    }
}

/// The format's reader.
#[derive(Debug)]
pub struct JmruiText;

impl Reader for JmruiText {
    fn name(&self) -> &'static str {
        NAME
    }

    fn about(&self) -> About {
        About {
            files: "text that begins with `jMRUI` (`.txt`)",
            companions: "none",
            facts: "dwell time, f0",
            limits: "several signals are conditions: the file does not say whether they may be averaged",
        }
    }

    fn claim(&self, probe: &Probe<'_>) -> Claim {
        if probe.ends_with(&[".txt"]) { Claim::Generic } else { Claim::None }
    }

    fn is_surely(&self, probe: &Probe<'_>) -> bool {
        probe.head().starts_with(FIRST_LINE)
    }

    fn recognises(&self, probe: &Probe<'_>) -> bool {
        String::from_utf8_lossy(probe.head()).trim_start().starts_with(BEGIN)
    }

    fn read(&self, path: &Path) -> Result<Acquisition, ReadError> {
        decode(&bytes_of(path)?).map_err(|e| ReadError::content(path, e.code(), e))
    }
}

/// Decodes a file. Several signals become conditions: jMRUI does not say whether they may be averaged.
pub fn decode(bytes: &[u8]) -> Result<Acquisition, DecodeError> {
    let text = String::from_utf8_lossy(bytes);
    let mut header = Header::default();
    let mut lines = Vec::new();
    let mut in_signal = false;
    for (index, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.to_ascii_lowercase().starts_with("sig(real)") {
            continue;
        }
        if line.starts_with("Signal ") && line.contains(" out of ") {
            in_signal = true;
        } else if in_signal {
            lines.push((index + 1, line));
        } else if let Some((name, value)) = line.split_once(':') {
            header.set(name.trim(), value.trim());
        }
    }
    let samples = columns::samples(&lines)?;
    let points = header.points.ok_or(DecodeError::Header { field: "PointsInDataset" })?;
    let signals = header.signals.unwrap_or(1);
    let needed = points.checked_mul(signals).filter(|n| *n <= samples.len() && *n > 0);
    if needed.is_none() {
        return Err(DecodeError::Truncated { got: samples.len(), signals, points });
    }
    let array: Array5<Complex64> =
        Array5::from_shape_fn((1, signals, 1, 1, points), |(_, s, _, _, p)| samples[s * points + p].conj());
    let mut data = Acquisition::from_samples(NAME, array);
    if signals > 1 {
        data.condition_labels = (1..=signals).map(|s| format!("signal{s}")).collect();
    }
    data.facts = Facts {
        dwell_s: header.interval_ms.map(|ms| ms / 1e3),
        f0_mhz: header.frequency_hz.map(|hz| hz / 1e6),
        ..Facts::default()
    };
    Ok(data)
}

#[derive(Default)]
struct Header {
    points: Option<usize>,
    signals: Option<usize>,
    interval_ms: Option<f64>,
    frequency_hz: Option<f64>,
}

impl Header {
    /// Takes what is needed; names of patients and dates are passed over.
    fn set(&mut self, name: &str, value: &str) {
        // Some exports write decimal commas.
        let is_decimal_comma = value.matches(',').count() == 1 && !value.contains('.');
        let number = if is_decimal_comma { value.replace(',', ".").parse::<f64>() } else { value.parse() };
        let number = number.ok().filter(|v| v.is_finite() && *v > 0.0);
        let count = number.filter(|v| v.fract() == 0.0 && *v < 1e9).map(|v| v as usize);
        match name.to_ascii_lowercase().as_str() {
            "pointsindataset" => self.points = count,
            "datasetsinfile" => self.signals = count,
            "samplinginterval" => self.interval_ms = number,
            "transmitterfrequency" => self.frequency_hz = number,
            _ => {}
        }
    }
}
