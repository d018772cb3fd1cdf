//! Names and numbers of the NIfTI-MRS standard that reading and writing share.

use serde_json::Value;

/// Code of the header extension that makes a NIfTI file NIfTI-MRS.
pub const EXTENSION_CODE: i32 = 44;
/// Tag of the dimension of image-selected in vivo spectroscopy.
pub(super) const ISIS: &str = "DIM_ISIS";
pub(super) const PROGRAM: &str = env!("CARGO_PKG_NAME");
/// User-defined key: transients that the scanner averaged into each stored one.
pub(super) const AVERAGES: &str = "AveragesOnScanner";
/// User-defined key: pulses that simulated data were made with.
pub(super) const PULSES: &str = "SimulatedPulses";
/// User-defined key: first echo of PRESS (s).
pub(super) const FIRST_ECHO: &str = "FirstEchoTime";
/// Time from an inversion to the excitation (s), of NIfTI-MRS and BIDS.
pub(super) const INVERSION: &str = "InversionTime";
/// User-defined key: duration of the refocusing pulses (s).
pub(super) const REFOCUS: &str = "RefocusingPulseDuration";
/// Flip angle of the excitation (°): the standard's key, and that of BIDS.
pub(super) const FLIP_ANGLES: [&str; 2] = ["ExcitationFlipAngle", "FlipAngle"];
/// More processing steps than any file has.
pub(super) const MOST_STEPS: usize = 256;
/// Text of a header is cut to so many characters.
pub(super) const TEXT_CHARS: usize = 80;
/// Two statements of one number differ by less than this fraction.
pub(super) const SAME: f64 = 1e-3;
pub(super) const COMPLEX64: i16 = 32;
pub(super) const COMPLEX128: i16 = 1792;
/// Bits of `xyzt_units` for the unit of time, and its values.
pub(super) const TIME_BITS: i32 = 0x38;
pub(super) const SECONDS: i32 = 8;
pub(super) const MILLISECONDS: i32 = 16;
pub(super) const MICROSECONDS: i32 = 24;

/// A value, or the first of an array of values.
pub(super) fn first(value: Option<&Value>) -> Option<&Value> {
    match value {
        Some(Value::Array(values)) => values.first(),
        other => other,
    }
}
