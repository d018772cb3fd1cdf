//! Why a spectrum cannot be prepared, and the checks that say so.

use num_complex::Complex64;

use crate::acquisition::{Acquisition, Series};
use crate::signal::noise::used_length;

/// Why a spectrum cannot be prepared.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum PrepareError {
    /// No weights for the coils can be found.
    #[error("the {n_coils} receive coils hold no signal that they share; the acquisition or its export failed")]
    Coils {
        /// Number of coils.
        n_coils: usize,
    },
    /// `prepare = "none"`, and the file holds raw data.
    #[error(
        "prepare = \"none\", but the file holds {n_coils} coils × {n_transients} transients; leave `prepare` out to have them combined and averaged"
    )]
    NotPrepared {
        /// Receive coils.
        n_coils: usize,
        /// Transients of a condition.
        n_transients: usize,
    },
    /// Conditions of an edited measurement that lie among one another in an order that nobody knows.
    #[error(
        "the {n_transients} transients are those of several edit conditions, and neither the file nor the data tell which \
         is of which; fill in `edit_order` in a manifest (as `in_turn on off`), or `n_conditions` = 1 if it is not edited"
    )]
    EditOrder {
        /// Transients of all conditions.
        n_transients: usize,
    },
    /// A file that is called edited and holds one averaged spectrum, or transients that look like those of one condition.
    #[error("sequence or name say that the scan is edited, but {}", conditions_missing(*n_transients))]
    EditConditions {
        /// Transients.
        n_transients: usize,
    },
    /// No part of a time course has a transient.
    #[error(
        "none of the parts that --dynamics asks for has a transient: the file holds {n_transients} of each condition; ask for fewer"
    )]
    NoPart {
        /// Transients of each condition.
        n_transients: usize,
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
    #[error("{fault}. Write the right value in a manifest's column of that name, or give it with --config or its flag")]
    Implausible {
        /// Which, why not, and the units in which it would be right.
        fault: String,
    },
    /// A value of the water reference cannot be right.
    #[error(
        "of the water reference, {fault}. Correct it in that file, write the measurement's own in a manifest's column of that \
         name, or leave the reference out (`water_path` = none)"
    )]
    WaterImplausible {
        /// Which, why not, and the units in which it would be right.
        fault: String,
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
    /// The real or the imaginary part of all samples is zero.
    #[error(
        "the {part} part of every sample is zero: half of the signal is missing, and every amplitude would be half of what it \
         is; the file was made from one part of the samples or from magnitudes: export complex samples"
    )]
    OnePart {
        /// The part that is missing.
        part: &'static str,
    },
    /// All samples are zero, or fewer are not than a fit needs.
    #[error("the FID holds no signal ({points} points before its zero tail); the acquisition or its export failed")]
    NoSignal {
        /// Points that are not zero at the end.
        points: usize,
    },
    /// The grid of the water reference has other extents.
    #[error(
        "the water reference has {} voxels and the data {}; give a reference of the same grid, or leave it out \
         (`water_path` = none)", extents(*.water), extents(*.data)
    )]
    WaterGrid {
        /// Extents of the reference.
        water: [usize; 3],
        /// Extents of the data.
        data: [usize; 3],
    },
    /// The voxels of the water reference lie elsewhere.
    #[error(
        "the voxels of the water reference lie up to {voxels:.1} voxels from those of the data, whichever way its grid is turned; \
         give a reference of the same grid, or leave it out (`water_path` = none)"
    )]
    WaterPlace {
        /// The largest distance of a pair's centres, in voxels along an axis.
        voxels: f64,
    },
}

/// What of an edited scan is there, and what to do.
fn conditions_missing(n_transients: usize) -> String {
    match n_transients {
        0 | 1 => {
            "the file holds one condition; fill in `edit_order` in a manifest with what it is (`on`, `off`, `diff` or \
                  `sum`), or `n_conditions` = 1 if it is not edited"
                .to_owned()
        }
        n => format!(
            "NAA is as tall in all of its {n} transients or rows, or none of the known orders fits; fill in `edit_order` in a \
             manifest with the order (as `in_turn on off`, `abba on off`), or with what all of them are (`on`, `off`, `diff`); if \
             a row is a difference or a sum already, export the conditions alone; `n_conditions` = 1 if it is not edited: all \
             are averaged then"
        ),
    }
}

impl PrepareError {
    /// Stable code for the tables.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Coils { .. } => "no_signal",
            Self::NotPrepared { .. } => "not_prepared",
            Self::EditOrder { .. } => "cannot_tell_edit_order",
            Self::EditConditions { .. } => "edit_conditions_missing",
            Self::NoPart { .. } => "no_dynamic_part",
            Self::Unknown { .. } => "missing_field",
            Self::Implausible { .. } => "implausible_field",
            Self::WaterImplausible { .. } => "water_implausible_field",
            Self::Nucleus { .. } => "nucleus",
            Self::NotFinite { .. } => "not_finite",
            Self::NoSignal { .. } => "no_signal",
            Self::OnePart { .. } => "one_part_missing",
            Self::WaterGrid { .. } | Self::WaterPlace { .. } => "water_mismatch",
        }
    }
}

/// Fewest points before a zero tail that can be fitted.
pub const MIN_POINTS: usize = 64;
/// Dwell time and frequency, or what is wrong with the header.
pub(super) fn check_header(data: &Acquisition) -> Result<(f64, f64), PrepareError> {
    if let Some(nucleus) = data.facts.nucleus.as_deref().filter(|n| !is_proton(n)) {
        return Err(PrepareError::Nucleus { nucleus: nucleus.to_owned() });
    }
    let dwell_s = data.facts.dwell_s.ok_or(PrepareError::Unknown { field: "dwell time", flag: "dwell-s" })?;
    let f0_mhz = data.facts.f0_mhz.ok_or(PrepareError::Unknown { field: "spectrometer frequency", flag: "f0-mhz" })?;
    if let Some(fault) = data.facts.fault() {
        return Err(PrepareError::Implausible { fault });
    }
    Ok((dwell_s, f0_mhz))
}

/// What is wrong with the header of a water reference: its times scale concentrations.
pub(super) fn check_reference(water: &Acquisition) -> Result<(), PrepareError> {
    water.facts.fault().map_or(Ok(()), |fault| Err(PrepareError::WaterImplausible { fault }))
}

fn extents([x, y, z]: [usize; 3]) -> String {
    format!("{x}×{y}×{z}")
}

fn is_proton(nucleus: &str) -> bool {
    matches!(nucleus.trim().to_ascii_uppercase().as_str(), "" | "1H" | "H1" | "H" | "PROTON")
}

pub(super) fn check_finite(fid: &[Complex64]) -> Result<(), PrepareError> {
    let bad = |z: &Complex64| !z.re.is_finite() || !z.im.is_finite();
    let count = fid.iter().filter(|z| bad(z)).count();
    if let Some(first) = fid.iter().position(bad) {
        return Err(PrepareError::NotFinite { count, first });
    }
    Ok(())
}

/// What is not finite among the stored samples of one voxel and condition, counted only once it is known that there is.
pub(super) fn not_finite(own: Series<'_>) -> Option<PrepareError> {
    let bad = |z: &Complex64| !z.re.is_finite() || !z.im.is_finite();
    let (mut count, mut first) = (0, None);
    for transient in own.transients() {
        count += transient.iter().filter(|z| bad(z)).count();
        first = first.or_else(|| transient.iter().position(bad));
    }
    Some(PrepareError::NotFinite { count, first: first? % own.dim().2.max(1) })
}

pub(super) fn check_samples(fid: &[Complex64]) -> Result<(), PrepareError> {
    check_finite(fid)?;
    let points = used_length(fid);
    if points < MIN_POINTS {
        return Err(PrepareError::NoSignal { points });
    }
    Ok(())
}
