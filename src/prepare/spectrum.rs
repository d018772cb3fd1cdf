//! A prepared spectrum and the numbers of its preparation.

use super::align::Offset;
use super::dynamics::Part;
use super::figures::Motion;
use super::water::figures::Figures as WaterFigures;
use num_complex::Complex64;

/// One spectrum, ready to be fitted.
#[derive(Debug, Clone)]
pub struct Spectrum {
    /// Free induction decay, zero-filled tail cut off.
    pub fid: Vec<Complex64>,
    /// Time between two samples (s).
    pub dwell_s: f64,
    /// Spectrometer frequency (MHz).
    pub f0_mhz: f64,
    /// What was done, and its numbers.
    pub record: Record,
}

/// Numbers of the preparation of one spectrum.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Record {
    /// Number of stored transients.
    pub n_transients: usize,
    /// Number of those that were averaged.
    pub n_kept: usize,
    /// Which of the stored ones they are.
    pub kept: Vec<bool>,
    /// Which part of a time course this is; `None` where all transients are averaged.
    pub part: Option<Part>,
    /// Shift and phase by which each transient was moved; `None` where there was nothing to align.
    pub offsets: Option<Vec<Offset>>,
    /// How the transients that were averaged moved; `None` where they were not aligned.
    pub motion: Option<Motion>,
    /// Number of coils in the file.
    pub n_coils: usize,
    /// Share of the coils' signal that one source explains (0 to 1); `None` for a single coil.
    pub coil_quality: Option<f64>,
    /// Signal-to-noise ratio of the plain mean of all transients, and of what was made of them.
    pub snr_before: Option<f64>,
    /// See `snr_before`.
    pub snr_after: Option<f64>,
    /// Whether eddy currents were corrected with the water reference.
    pub eddy_corrected: bool,
    /// Water amplitude at t = 0 (units of the data), from the reference, where that can be believed.
    pub water_amplitude: Option<f64>,
    /// What is known of the reference beside it.
    pub water: WaterFigures,
    /// Height of the water that suppression left over that of the reference.
    pub water_left: Option<f64>,
    /// Whether it was taken away.
    pub water_removed: bool,
    /// Tallest peak of the lipids over that of NAA.
    pub lipid_index: Option<f64>,
    /// What should be looked at, as stable snake_case words.
    pub flags: Vec<&'static str>,
}
