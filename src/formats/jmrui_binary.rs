//! jMRUI's binary files (`.mrui`): 64 big-endian doubles of header, then the signals, real and imaginary in turn.
//!
//! Samples are conjugated into our convention, as those of the text export are.

use ndarray::Array5;
use num_complex::Complex64;

use super::bytes::{Bytes, Order};
use crate::acquisition::{Acquisition, Format};

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

/// Decodes a file. Several signals become conditions: jMRUI does not say whether they may be averaged.
pub fn decode(file: &[u8]) -> Result<Acquisition, DecodeError> {
    let bytes = Bytes::new(file, Order::Big);
    let field = |index: usize| bytes.f64(8 * index).unwrap_or(f64::NAN);
    let points = field(1);
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
        Complex64::new(bytes.f64(at).unwrap_or(0.0), -bytes.f64(at + 8).unwrap_or(0.0))
    });
    let positive = |value: f64| Some(value).filter(|v| v.is_finite() && *v > 0.0);
    let mut data = Acquisition::from_samples(Format::JmruiBinary, samples);
    if signals > 1 {
        data.condition_labels = (1..=signals).map(|s| format!("signal{s}")).collect();
    }
    data.dwell_s = positive(field(2)).map(|ms| ms * 1e-3);
    data.f0_mhz = positive(field(5)).map(|hz| hz * 1e-6);
    Ok(data)
}
