//! [`Acquisition`] to [`Spectrum`]: one file a step, each leaves its numbers.

pub mod align;
pub mod average;
pub mod coils;
pub mod eddy;
pub mod reject;
pub mod residual_water;
pub mod water;

use ndarray::s;
use num_complex::Complex64;

use self::coils::Weights;
use self::residual_water::Removal;
use crate::acquisition::Acquisition;
use crate::fit::start::used_length;

/// One spectrum, ready to be fitted.
#[derive(Debug, Clone)]
pub struct Spectrum {
    /// Free induction decay, zero-filled tail cut off.
    pub fid: Vec<Complex64>,
    /// Time between two samples (s).
    pub dwell_s: f64,
    /// Spectrometer frequency (MHz).
    pub f0_mhz: f64,
    /// Voxel index on the grid.
    pub voxel: [usize; 3],
    /// Index of the condition (edit pulse, b-value, …).
    pub condition: usize,
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
    /// Which they are.
    pub kept: Vec<bool>,
    /// Shift and phase by which each transient was moved; `None` where there was nothing to align.
    pub offsets: Option<Vec<align::Offset>>,
    /// Number of coils in the file.
    pub n_coils: usize,
    /// Share of the coils' signal that one source explains (0 to 1); `None` for a single coil.
    pub coil_quality: Option<f64>,
    /// Whether eddy currents were corrected with the water reference.
    pub eddy_corrected: bool,
    /// Water amplitude at t = 0 (units of the data), from the reference.
    pub water_amplitude: Option<f64>,
    /// What should be looked at, as stable snake_case words.
    pub flags: Vec<&'static str>,
}

/// Why a spectrum cannot be prepared.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum PrepareError {
    /// No weights for the coils can be found.
    #[error("the {n_coils} receive coils hold no signal that they share; the acquisition or its export failed")]
    Coils {
        /// Number of coils.
        n_coils: usize,
    },
    /// A value that the fit needs is not known.
    #[error(
        "{field} is not in the file; give it in the manifest, with --{flag}, or in an LCModel control file beside it"
    )]
    Unknown {
        /// Name of the value.
        field: &'static str,
        /// Command-line flag that gives it.
        flag: &'static str,
    },
    /// A value cannot be right.
    #[error("{field} is {value}, which cannot be right; correct it in the manifest or with the command line")]
    Implausible {
        /// Name of the value.
        field: &'static str,
        /// The value.
        value: f64,
    },
    /// Another nucleus than ¹H.
    #[error("nucleus {nucleus}: only 1H is quantified; leave the file out")]
    Nucleus {
        /// As the file has it.
        nucleus: String,
    },
    /// The samples hold NaN or infinity.
    #[error("{count} of the samples are not finite numbers, the first at point {first}; export the file again")]
    NotFinite {
        /// How many.
        count: usize,
        /// Index of the first along the FID.
        first: usize,
    },
    /// All samples are zero, or fewer are not than a fit needs.
    #[error("the FID holds no signal ({points} points before its zero tail); the acquisition or its export failed")]
    NoSignal {
        /// Points that are not zero at the end.
        points: usize,
    },
    /// The voxel or condition does not exist in the water reference.
    #[error("the water reference has {water} and the data {data} voxels; give a reference of the same grid")]
    WaterGrid {
        /// Voxels of the reference.
        water: usize,
        /// Voxels of the data.
        data: usize,
    },
}

impl PrepareError {
    /// Stable code for the tables.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Coils { .. } => "no_signal",
            Self::Unknown { .. } => "missing_field",
            Self::Implausible { .. } => "implausible_field",
            Self::Nucleus { .. } => "nucleus",
            Self::NotFinite { .. } => "not_finite",
            Self::NoSignal { .. } => "no_signal",
            Self::WaterGrid { .. } => "water_mismatch",
        }
    }
}

/// Fewest points before a zero tail that can be fitted.
const MIN_POINTS: usize = 64;

/// Prepares one voxel and condition of `data`, with its water reference if there is one.
///
/// The reference is averaged in the same way; its condition 0 serves all conditions where it has fewer.
pub fn prepare(
    data: &Acquisition,
    water: Option<&Acquisition>,
    voxel: usize,
    condition: usize,
) -> Result<Spectrum, PrepareError> {
    let (dwell_s, f0_mhz) = check_header(data)?;
    let mut record = Record { n_transients: data.n_transients(), n_coils: data.n_coils(), ..Record::default() };
    let weights = combine(data, water, voxel, condition, &mut record)?;
    let mut transients = average::transients(data, voxel, condition, weights.as_ref());
    transients.iter().try_for_each(|fid| check_finite(fid))?;
    record.offsets = align::align(&mut transients, dwell_s, f0_mhz, Some(align::METABOLITE_BAND_PPM));
    if data.n_transients() > 1 && record.offsets.is_none() {
        record.flags.push("transients_not_aligned");
    }
    let keep = reject::kept(&transients, dwell_s, f0_mhz);
    let mut kept = keep.iter();
    transients.retain(|_| kept.next().copied().unwrap_or(true));
    record.n_kept = transients.len();
    if record.n_kept < record.n_transients - record.n_transients / 4 {
        record.flags.push("many_transients_rejected");
    }
    record.kept = keep;
    let mut fid = average::mean(&transients);
    check_samples(&fid)?;
    if let Some(reference) = water {
        if reference.n_coils() == data.n_coils() {
            apply_water(&mut fid, dwell_s, data, reference, voxel, condition, weights.as_ref(), &mut record)?;
        } else {
            record.flags.push("water_reference_coils");
        }
    }
    fid.truncate(used_length(&fid));
    match residual_water::remove(&mut fid, dwell_s, f0_mhz) {
        Removal::NotNeeded => {}
        Removal::Removed => record.flags.push("residual_water_removed"),
        Removal::Failed => record.flags.push("water_removal_failed"),
    }
    let [nx, ny, _] = data.grid;
    let voxel_index = [voxel % nx, voxel / nx % ny, voxel / (nx * ny)];
    Ok(Spectrum { fid, dwell_s, f0_mhz, voxel: voxel_index, condition, record })
}

/// Weights of the coils, from the water reference where it has the same coils.
fn combine(
    data: &Acquisition,
    water: Option<&Acquisition>,
    voxel: usize,
    condition: usize,
    record: &mut Record,
) -> Result<Option<Weights>, PrepareError> {
    let n_coils = data.n_coils();
    if n_coils == 1 {
        return Ok(None);
    }
    let own = data.samples.slice(s![voxel, condition, .., .., ..]);
    let bad = |z: &&Complex64| !z.re.is_finite() || !z.im.is_finite();
    let count = own.iter().filter(bad).count();
    if count > 0 {
        let first = own.iter().position(|z| bad(&z)).unwrap_or(0) % data.n_points().max(1);
        return Err(PrepareError::NotFinite { count, first });
    }
    let usable = |w: &&Acquisition| w.n_coils() == n_coils && w.n_voxels() == data.n_voxels();
    let weights = match water.filter(usable) {
        Some(water) => {
            let condition = if water.n_conditions() == data.n_conditions() { condition } else { 0 };
            Weights::new(water.samples.slice(s![voxel, condition, .., .., ..]), own)
        }
        None => Weights::new(own, own),
    };
    let weights = weights.ok_or(PrepareError::Coils { n_coils })?;
    record.coil_quality = Some(weights.quality);
    Ok(Some(weights))
}

fn apply_water(
    fid: &mut [Complex64],
    dwell_s: f64,
    data: &Acquisition,
    reference: &Acquisition,
    voxel: usize,
    condition: usize,
    weights: Option<&Weights>,
    record: &mut Record,
) -> Result<(), PrepareError> {
    if reference.n_voxels() != data.n_voxels() {
        return Err(PrepareError::WaterGrid { water: reference.n_voxels(), data: data.n_voxels() });
    }
    let condition = if reference.n_conditions() == data.n_conditions() { condition } else { 0 };
    let mut references = average::transients(reference, voxel, condition, weights);
    if references.iter().all(|fid| check_finite(fid).is_ok()) {
        let f0_mhz = reference.f0_mhz.or(data.f0_mhz).unwrap_or_default();
        align::align(&mut references, reference.dwell_s.unwrap_or(dwell_s), f0_mhz, None);
    }
    let reference_fid = average::mean(&references);
    let same_grid = reference.dwell_s.is_none_or(|d| (d / dwell_s - 1.0).abs() < 1e-3);
    let measured = check_samples(&reference_fid).ok().and_then(|()| water::amplitude(&reference_fid, dwell_s));
    match measured {
        None => record.flags.push("water_reference_unusable"),
        Some(amplitude) if !water::is_water(fid, &reference_fid, amplitude) => {
            record.flags.push("water_reference_suppressed");
        }
        Some(amplitude) => {
            record.water_amplitude = Some(amplitude);
            if same_grid {
                eddy::correct(fid, &reference_fid);
                record.eddy_corrected = true;
            } else {
                record.flags.push("eddy_not_corrected");
            }
        }
    }
    Ok(())
}

/// Dwell time and frequency, or what is wrong with the header.
fn check_header(data: &Acquisition) -> Result<(f64, f64), PrepareError> {
    if let Some(nucleus) = data.nucleus.as_deref().filter(|n| !is_proton(n)) {
        return Err(PrepareError::Nucleus { nucleus: nucleus.to_owned() });
    }
    let dwell_s = data.dwell_s.ok_or(PrepareError::Unknown { field: "dwell time", flag: "dwell-s" })?;
    let f0_mhz = data.f0_mhz.ok_or(PrepareError::Unknown { field: "spectrometer frequency", flag: "f0-mhz" })?;
    // 1H from 0.1 to 30 T, dwell times from 1 µs to 10 ms: everything else is a mistaken unit.
    for (field, value, low, high) in
        [("dwell time (s)", dwell_s, 1e-6, 1e-2), ("spectrometer frequency (MHz)", f0_mhz, 4.0, 1300.0)]
    {
        if !(low..=high).contains(&value) {
            return Err(PrepareError::Implausible { field, value });
        }
    }
    Ok((dwell_s, f0_mhz))
}

fn is_proton(nucleus: &str) -> bool {
    matches!(nucleus.trim().to_ascii_uppercase().as_str(), "" | "1H" | "H1" | "H" | "PROTON")
}

fn check_finite(fid: &[Complex64]) -> Result<(), PrepareError> {
    let bad = |z: &Complex64| !z.re.is_finite() || !z.im.is_finite();
    let count = fid.iter().filter(|z| bad(z)).count();
    if let Some(first) = fid.iter().position(bad) {
        return Err(PrepareError::NotFinite { count, first });
    }
    Ok(())
}

fn check_samples(fid: &[Complex64]) -> Result<(), PrepareError> {
    check_finite(fid)?;
    let points = used_length(fid);
    if points < MIN_POINTS {
        return Err(PrepareError::NoSignal { points });
    }
    Ok(())
}
