//! What a scanner gave: complex samples with their dimensions and the facts of the protocol.
//!
//! # Sign convention
//! In memory, as in stored NIfTI-MRS: `ppm = 4.65 − f / f0`, `f` being the DFT frequency in Hz and
//! `f0` the spectrometer frequency in MHz. Readers conjugate where their format needs it; nobody
//! else ever conjugates.

use std::fmt;

use ndarray::Array5;
use num_complex::Complex64;

/// Chemical shift (ppm) at the spectrometer frequency: water at body temperature.
pub const CARRIER_PPM: f64 = 4.65;

/// Axis of [`Acquisition::samples`] that runs over voxels (a grid, first index fastest).
pub const AXIS_VOXEL: usize = 0;
/// Axis over conditions that are analysed apart: edit pulses, b-values, echo times.
pub const AXIS_CONDITION: usize = 1;
/// Axis over transients that are averaged.
pub const AXIS_TRANSIENT: usize = 2;
/// Axis over receive coils.
pub const AXIS_COIL: usize = 3;
/// Axis over sample points in time.
pub const AXIS_POINT: usize = 4;

/// One measurement as decoded from a file.
///
/// A value that the file does not state is `None`; no reader fills in a default.
#[derive(Debug, Clone)]
pub struct Acquisition {
    /// Complex samples, `[voxel, condition, transient, coil, point]`, contiguous in that order.
    pub samples: Array5<Complex64>,
    /// A water reference that the same file holds, on the axes of `samples` (one condition).
    pub water: Option<Array5<Complex64>>,
    /// Extents of the voxel grid; their product is the length of the voxel axis. `[1, 1, 1]` for
    /// single-voxel spectroscopy.
    pub grid: [usize; 3],
    /// One label per condition (`"ON"`, `"b=614"`, …); empty strings where there is one condition.
    pub condition_labels: Vec<String>,
    /// Where the file says that its conditions are those of spectral editing: chemical shifts of each one's editing
    /// pulses (ppm), empty lists where it does not say which.
    pub edit_pulses_ppm: Option<Vec<Vec<f64>>>,
    /// Time between two samples (s).
    pub dwell_s: Option<f64>,
    /// Spectrometer frequency (MHz).
    pub f0_mhz: Option<f64>,
    /// Resonant nucleus as the file writes it (`"1H"`).
    pub nucleus: Option<String>,
    /// Echo time (s).
    pub te_s: Option<f64>,
    /// Repetition time (s).
    pub tr_s: Option<f64>,
    /// Mixing time of a stimulated echo (s).
    pub tm_s: Option<f64>,
    /// Sequence name as the file writes it.
    pub sequence: Option<String>,
    /// Scanner manufacturer.
    pub vendor: Option<String>,
    /// Whether water was suppressed.
    pub water_suppressed: Option<bool>,
    /// Number of transients that the scanner had averaged already into each stored one.
    pub averages_on_scanner: Option<usize>,
    /// Voxel-to-scanner transform (mm, RAS+), if the file places the voxel in space.
    pub affine_mm: Option<[[f64; 4]; 4]>,
    /// The format that the file was decoded from.
    pub format: Format,
    /// What was done to the samples before this file was written, the earliest first.
    pub processing: Vec<Processing>,
    /// Flags that every row of this file carries: `untested_format`, `truncated`.
    pub flags: Vec<&'static str>,
    /// What the reader had to assume or repair, for the person who looks at the file.
    pub remarks: Vec<String>,
}

/// One step that was applied to the samples (NIfTI-MRS: `ProcessingApplied`), without what could name a person or place.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Processing {
    /// The program.
    pub program: String,
    /// Its version.
    pub version: String,
    /// What it did.
    pub method: String,
    /// How; only what this program wrote itself.
    pub details: String,
}

/// Flag of a format, or version of one, that is read by its published layout: no real file of it was at hand.
pub const UNTESTED_FORMAT: &str = "untested_format";
/// Flag of a file that ends early: what is complete was read.
pub const TRUNCATED: &str = "truncated";

impl Acquisition {
    /// An acquisition with the given samples and nothing else known.
    pub fn from_samples(format: Format, samples: Array5<Complex64>) -> Self {
        let voxels = samples.len_of(ndarray::Axis(AXIS_VOXEL));
        let conditions = samples.len_of(ndarray::Axis(AXIS_CONDITION));
        Self {
            samples,
            water: None,
            grid: [voxels, 1, 1],
            condition_labels: vec![String::new(); conditions],
            edit_pulses_ppm: None,
            dwell_s: None,
            f0_mhz: None,
            nucleus: None,
            te_s: None,
            tr_s: None,
            tm_s: None,
            sequence: None,
            vendor: None,
            water_suppressed: None,
            averages_on_scanner: None,
            affine_mm: None,
            format,
            processing: Vec::new(),
            flags: Vec::new(),
            remarks: Vec::new(),
        }
    }

    /// The water reference that the file holds, as an acquisition of its own; it is taken out of this one.
    pub fn take_water(&mut self) -> Option<Self> {
        let samples = self.water.take()?;
        let mut water = Self::from_samples(self.format, samples);
        water.grid = self.grid;
        (water.dwell_s, water.f0_mhz, water.te_s, water.tr_s) = (self.dwell_s, self.f0_mhz, self.te_s, self.tr_s);
        (water.nucleus, water.vendor, water.sequence) =
            (self.nucleus.clone(), self.vendor.clone(), self.sequence.clone());
        water.affine_mm = self.affine_mm;
        water.water_suppressed = Some(false);
        water.flags = self.flags.clone();
        water.processing = self.processing.clone();
        Some(water)
    }

    /// Number of points of each free induction decay.
    pub fn n_points(&self) -> usize {
        self.samples.len_of(ndarray::Axis(AXIS_POINT))
    }

    /// Number of receive coils.
    pub fn n_coils(&self) -> usize {
        self.samples.len_of(ndarray::Axis(AXIS_COIL))
    }

    /// Number of stored transients.
    pub fn n_transients(&self) -> usize {
        self.samples.len_of(ndarray::Axis(AXIS_TRANSIENT))
    }

    /// Number of conditions that are analysed apart.
    pub fn n_conditions(&self) -> usize {
        self.samples.len_of(ndarray::Axis(AXIS_CONDITION))
    }

    /// Number of voxels.
    pub fn n_voxels(&self) -> usize {
        self.samples.len_of(ndarray::Axis(AXIS_VOXEL))
    }
}

/// The file formats that are told apart by their content or name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    /// NIfTI-MRS, plain or gzipped.
    NiftiMrs,
    /// LCModel RAW (`.RAW`) or its water reference (`.H2O`).
    LcmodelRaw,
    /// Philips SDAT with its SPAR.
    PhilipsSdat,
    /// jMRUI text.
    JmruiText,
    /// Two columns of numbers without a header.
    PlainText,
    /// jMRUI binary.
    JmruiBinary,
    /// GE P-file.
    GePfile,
    /// Siemens RDA.
    SiemensRda,
    /// Siemens twix.
    SiemensTwix,
    /// DICOM spectroscopy, standard or Siemens' private.
    Dicom,
    /// Varian or Agilent folder.
    Varian,
    /// Philips DATA/LIST.
    PhilipsList,
    /// Bruker ParaVision folder.
    Bruker,
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NiftiMrs => "NIfTI-MRS",
            Self::LcmodelRaw => "LCModel RAW",
            Self::PhilipsSdat => "Philips SDAT/SPAR",
            Self::JmruiText => "jMRUI text",
            Self::PlainText => "plain text",
            Self::JmruiBinary => "jMRUI binary",
            Self::GePfile => "GE P-file",
            Self::SiemensRda => "Siemens RDA",
            Self::SiemensTwix => "Siemens twix",
            Self::Dicom => "DICOM",
            Self::Varian => "Varian",
            Self::PhilipsList => "Philips DATA/LIST",
            Self::Bruker => "Bruker ParaVision",
        })
    }
}

/// Chemical shift (ppm) of the DFT frequency `f_hz` at the spectrometer frequency `f0_mhz`.
pub fn ppm_from_hz(f_hz: f64, f0_mhz: f64) -> f64 {
    CARRIER_PPM - f_hz / f0_mhz
}

/// DFT frequency (Hz) of the chemical shift `ppm` at the spectrometer frequency `f0_mhz`.
pub fn hz_from_ppm(ppm: f64, f0_mhz: f64) -> f64 {
    (CARRIER_PPM - ppm) * f0_mhz
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn higher_frequency_is_lower_ppm() {
        assert!(ppm_from_hz(100.0, 123.2) < CARRIER_PPM);
        assert!((ppm_from_hz(hz_from_ppm(2.01, 123.2), 123.2) - 2.01).abs() < 1e-12);
    }
}
