//! jMRUI's binary files (`.mrui`): 64 big-endian doubles of header, then the signals, real and imaginary in turn.
//!
//! Samples are conjugated into our convention, as those of the text export are.

use std::path::Path;

use ndarray::Array5;

use super::bytes::{Bytes, Order};
use super::error::ReadError;
use super::files::bytes_of;
use super::reader::{About, Claim, Probe, Reader};
use crate::acquisition::{Acquisition, Facts};

/// Name of the format.
pub const NAME: &str = "jMRUI binary";

const HEADER_BYTES: usize = 512;
const SAMPLE_BYTES: usize = 16;

/// Why a binary jMRUI file could not be decoded.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum DecodeError {
    /// The header holds no usable number of points.
    #[error("the header announces {points} points; it is no binary jMRUI file, or damaged")]
    Header {
        /// What it says.
        points: f64,
    },
    /// Not even one signal is whole.
    #[error("{got} bytes where one signal of {points} points needs {needed}; the file is cut off")]
    Truncated {
        /// Bytes there.
        got: usize,
        /// Points announced.
        points: usize,
        /// Bytes needed.
        needed: usize,
    },
}

impl DecodeError {
    /// Stable code for the tables.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Header { .. } => "bad_header",
            Self::Truncated { .. } => "truncated",
        }
    }
}

/// The format's reader.
#[derive(Debug)]
pub struct JmruiBinary;

impl Reader for JmruiBinary {
    fn name(&self) -> &'static str {
        NAME
    }

    fn about(&self) -> About {
        About {
            files: "`.mrui`",
            companions: "none",
            facts: "dwell time, f0",
            limits: "several signals are conditions: the file does not say whether they may be averaged",
        }
    }

    fn claim(&self, probe: &Probe<'_>) -> Claim {
        Claim::own_if(self.recognises(probe))
    }

    fn recognises(&self, probe: &Probe<'_>) -> bool {
        probe.ends_with(&[".mrui"])
    }

    fn read(&self, path: &Path) -> Result<Acquisition, ReadError> {
        decode(&bytes_of(path)?).map_err(|e| ReadError::content(path, e.code(), e))
    }
}

/// Decodes a file. Several signals become conditions: jMRUI does not say whether they may be averaged.
pub fn decode(file: &[u8]) -> Result<Acquisition, DecodeError> {
    let bytes = Bytes::new(file, Order::Big);
    let field = |index: usize| bytes.f64(8 * index);
    let points = field(1).unwrap_or(0.0);
    if !(1.0..1e7).contains(&points) || points.fract() != 0.0 {
        return Err(DecodeError::Header { points });
    }
    let points = points as usize;
    let signal_bytes = SAMPLE_BYTES * points;
    let signals = file.len().saturating_sub(HEADER_BYTES) / signal_bytes;
    if signals == 0 {
        return Err(DecodeError::Truncated { got: file.len(), points, needed: HEADER_BYTES + signal_bytes });
    }
    let samples = Array5::from_shape_fn((1, signals, 1, 1, points), |(_, s, _, _, p)| {
        let at = HEADER_BYTES + s * signal_bytes + p * SAMPLE_BYTES;
        bytes.complex64(at).unwrap_or_default().conj()
    });
    let mut data = Acquisition::from_samples(NAME, samples);
    if signals > 1 {
        data.condition_labels = (1..=signals).map(|s| format!("signal{s}")).collect();
    }
    let positive = |index: usize| field(index).filter(|v| v.is_finite() && *v > 0.0);
    data.facts =
        Facts { dwell_s: positive(2).map(|ms| ms * 1e-3), f0_mhz: positive(5).map(|hz| hz * 1e-6), ..Facts::default() };
    Ok(data)
}
