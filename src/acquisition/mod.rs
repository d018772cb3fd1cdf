//! What a scanner gave: complex samples with their dimensions and the facts of the protocol.
//!
//! # Sign convention
//! In memory, as in stored NIfTI-MRS: `ppm = 4.65 − f / f0`, `f` being the DFT frequency in Hz and
//! `f0` the spectrometer frequency in MHz. Readers conjugate where their format needs it; nobody
//! else ever conjugates.

mod editing;
mod facts;
mod file_kind;
mod plausible;
mod samples;
mod spelling;
mod stated_editing;

use ndarray::Axis;

pub use editing::{Conditions, Editing, Named, Origin, Turns, named_editing};
pub use facts::{Facts, Number};
pub use file_kind::{FileKind, Look, Member, SeriesName};
pub(crate) use plausible::place_fault;
pub use samples::{Samples, Series};
pub use stated_editing::StatedEditing;

use crate::printable::{LABEL_CHARS, printable, printable_message};

/// Chemical shift (ppm) at the spectrometer frequency: water at body temperature.
pub const CARRIER_PPM: f64 = 4.65;

/// Proton frequency of one tesla (MHz): its gyromagnetic ratio over 2π (CODATA 2018: 42.577 478 518 MHz/T).
pub const PROTON_MHZ_PER_T: f64 = 42.577_478;

/// Steps of spectrometer frequencies that share a model of a fit, as parts of a MHz: 2.5 kHz. A scanner finds its frequency anew
/// for every scan, some hundred Hz from the last; lines up to 8 ppm from the carrier move by at most 0.01 Hz for it.
const F0_STEPS_PER_MHZ: f64 = 400.0;

/// The frequency (MHz) of the model that spectra at `f0_mhz` share with their neighbours: the nearest step, whichever of them
/// comes first.
pub fn shared_f0_mhz(f0_mhz: f64) -> f64 {
    let shared = (f0_mhz * F0_STEPS_PER_MHZ).round() / F0_STEPS_PER_MHZ;
    // What is far below any scanner's keeps what it has.
    if shared > 0.0 { shared } else { f0_mhz }
}

/// A flip angle (°) of an excitation, if a header's number can be one: above zero, and below inversion, which leaves nothing to
/// measure (such a number is that of a refocusing pulse).
pub(crate) fn flip_angle_deg(stated: f64) -> Option<f64> {
    (stated > 0.0 && stated < 180.0).then_some(stated)
}

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
#[derive(Debug, Clone)]
pub struct Acquisition {
    /// Complex samples, `[voxel, condition, transient, coil, point]`.
    pub samples: Samples,
    /// A water reference that the same file holds.
    pub water: Option<Reference>,
    /// Extents of the voxel grid, whose first index is the fastest. `[1, 1, 1]` for single-voxel spectroscopy.
    pub grid: [usize; 3],
    /// The first voxel of the grid that `samples` hold: 0 unless a part of the grid was read.
    pub first_voxel: usize,
    /// One label per condition (`"ON"`, `"b=614"`, …); empty strings where there is one condition.
    pub condition_labels: Vec<String>,
    /// Where the file says that the measurement is one of spectral editing: what it says of that.
    pub editing: Option<Editing>,
    /// What the header states.
    pub facts: Facts,
    /// Voxel-to-scanner transform (mm, RAS+), if the file places the voxel in space.
    pub affine_mm: Option<[[f64; 4]; 4]>,
    /// What stated that place: `qform` or `sform` of a NIfTI file, `header` of any other; `None` where there is none.
    pub placed_by: Option<&'static str>,
    /// Name of the format that the file was decoded from.
    pub format: &'static str,
    /// What was done to the samples before this file was written, the earliest first.
    pub processing: Vec<Processing>,
    /// Flags that every row of this file carries: `untested_format`, `truncated`.
    pub flags: Vec<&'static str>,
    /// What the reader had to assume or repair, for the person who looks at the file.
    pub remarks: Vec<String>,
    /// Further measurements of the same file with a protocol of their own (another echo time), each with a short name.
    pub further: Vec<(String, Acquisition)>,
}

/// Readouts of a file that measured water without suppression.
#[derive(Debug, Clone)]
pub struct Reference {
    /// On the axes of [`Acquisition::samples`], one condition.
    pub samples: Samples,
    /// Its echo time (s), where that is not the measurement's.
    pub te_s: Option<f64>,
    /// Its repetition time (s), where that is not the measurement's.
    pub tr_s: Option<f64>,
    /// Which readouts these are, in the words of the format (`frames 1 to 2`, `phase 0`), for the tables.
    pub readouts: String,
}

impl Reference {
    /// Readouts with the measurement's own echo and repetition time.
    pub fn new(samples: Samples, readouts: impl Into<String>) -> Self {
        Self { samples, te_s: None, tr_s: None, readouts: readouts.into() }
    }
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
/// Flag of a place in space that a file states twice, each time otherwise.
pub const TRANSFORMS_DISAGREE: &str = "transforms_disagree";
/// Flag of a measurement for which no water reference is known.
pub const NO_WATER_REFERENCE: &str = "no_water_reference";

impl Acquisition {
    /// An acquisition with the given samples and nothing else known.
    pub fn from_samples(format: &'static str, samples: impl Into<Samples>) -> Self {
        let samples = samples.into();
        let voxels = samples.len_of(Axis(AXIS_VOXEL));
        let conditions = samples.len_of(Axis(AXIS_CONDITION));
        Self {
            samples,
            water: None,
            grid: [voxels, 1, 1],
            first_voxel: 0,
            condition_labels: vec![String::new(); conditions],
            editing: None,
            facts: Facts::default(),
            affine_mm: None,
            placed_by: None,
            format,
            processing: Vec::new(),
            flags: Vec::new(),
            remarks: Vec::new(),
            further: Vec::new(),
        }
    }

    /// The water reference that the file holds, as an acquisition of its own; it is taken out of this one.
    pub fn take_water(&mut self) -> Option<Self> {
        let Reference { samples, te_s, tr_s, .. } = self.water.take()?;
        let mut water = Self::from_samples(self.format, samples);
        water.grid = self.grid;
        water.first_voxel = self.first_voxel;
        water.facts = Facts {
            te_s: te_s.or(self.facts.te_s),
            tr_s: tr_s.or(self.facts.tr_s),
            water_suppressed: Some(false),
            averages_on_scanner: None,
            ..self.facts.clone()
        };
        (water.affine_mm, water.placed_by) = (self.affine_mm, self.placed_by);
        water.flags = self.flags.clone();
        water.processing = self.processing.clone();
        Some(water)
    }

    /// Takes out of all texts what does not show, and cuts them: they go into tables, pages and other files.
    pub(crate) fn make_printable(&mut self) {
        self.facts.make_printable();
        self.condition_labels.iter_mut().for_each(|label| *label = printable(label, LABEL_CHARS));
        self.remarks.iter_mut().for_each(|remark| *remark = printable_message(remark));
        for Processing { program, version, method, details } in &mut self.processing {
            [program, version, method, details].into_iter().for_each(|text| *text = printable(text, LABEL_CHARS));
        }
        for (name, further) in &mut self.further {
            *name = printable(name, LABEL_CHARS);
            further.make_printable();
        }
    }

    /// The same, its transients sorted into conditions as `turns` says. What is beyond the last whole circle is left out.
    pub fn in_conditions(mut self, turns: Turns, labels: Vec<String>) -> Self {
        self.sort_into(turns, labels);
        self
    }

    /// See [`Self::in_conditions`].
    pub fn sort_into(&mut self, turns: Turns, labels: Vec<String>) {
        let [voxels, _, transients, coils, points] = self.samples.shape();
        let shape = [voxels, turns.n_conditions, turns.of_each(transients), coils, points];
        let nothing = Samples::stored([0; 5], |_| Vec::new());
        let all = std::mem::replace(&mut self.samples, nothing);
        self.samples = Samples::stored_in_parts(shape, move |[voxel, condition, transient, coil], points| {
            all.points([voxel, 0, turns.place(condition, transient), coil], points)
        });
        self.condition_labels = labels;
        self.condition_labels.resize(turns.n_conditions, String::new());
        if let Some(editing) = &mut self.editing {
            (editing.turns, editing.conditions) = (Some(turns), Conditions::Apart);
        }
    }

    /// Number of points of each free induction decay.
    pub fn n_points(&self) -> usize {
        self.samples.len_of(Axis(AXIS_POINT))
    }

    /// Number of receive coils.
    pub fn n_coils(&self) -> usize {
        self.samples.len_of(Axis(AXIS_COIL))
    }

    /// Number of stored transients.
    pub fn n_transients(&self) -> usize {
        self.samples.len_of(Axis(AXIS_TRANSIENT))
    }

    /// Number of conditions that are analysed apart.
    pub fn n_conditions(&self) -> usize {
        self.samples.len_of(Axis(AXIS_CONDITION))
    }

    /// Number of voxels of the grid.
    pub fn n_voxels(&self) -> usize {
        self.grid.iter().product()
    }

    /// All transients of a voxel of the grid and a condition.
    pub fn series(&self, voxel: usize, condition: usize) -> Series<'_> {
        Series::new(&self.samples, voxel.saturating_sub(self.first_voxel), condition)
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
    fn a_shared_frequency_moves_no_line_by_a_hundredth_of_a_hertz() {
        for n in 0..2000 {
            // Steps of 17 Hz over several bins.
            let f0_mhz = 123.25 + 17e-6 * f64::from(n);
            let shared = shared_f0_mhz(f0_mhz);
            assert_eq!(shared_f0_mhz(shared).to_bits(), shared.to_bits());
            for ppm in [-3.35, 0.2, 4.65, 12.65] {
                let moved_hz = hz_from_ppm(ppm, shared) - hz_from_ppm(ppm, f0_mhz);
                assert!(moved_hz.abs() <= 0.01 + 1e-9, "{f0_mhz} {ppm}: {moved_hz}");
            }
        }
        // Scans of one scanner have one; whole steps are themselves, to the last bit.
        for f0_mhz in [42.58, 123.2, 123.25, 127.72, 297.2] {
            for off_hz in [-300.0, -1.0, 0.0, 123.4, 300.0] {
                assert_eq!(shared_f0_mhz(f0_mhz + 1e-6 * off_hz).to_bits(), f64::to_bits(f0_mhz));
            }
        }
        assert_eq!(shared_f0_mhz(1e-4), 1e-4);
        assert!(shared_f0_mhz(f64::NAN).is_nan());
    }

    #[test]
    fn higher_frequency_is_lower_ppm() {
        assert!(ppm_from_hz(100.0, 123.2) < CARRIER_PPM);
        assert!((ppm_from_hz(hz_from_ppm(2.01, 123.2), 123.2) - 2.01).abs() < 1e-12);
    }
}
