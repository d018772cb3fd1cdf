//! What the tables say about a fit beside its metabolites.

use crate::basis::names::{Kind, kind};
use crate::store::{MetaboliteRow, SpectrumRow};

/// What a measure tells about: the spectrum, or what a method makes of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// What a method makes of a spectrum.
    Method,
    /// How good the spectrum is.
    Quality,
}

/// A measure of a fit.
#[derive(Debug)]
pub struct Measure {
    /// Name, which is a column of the tables or `macromolecules_over_tcr`.
    pub name: &'static str,
    /// Name for people.
    pub label: &'static str,
    /// Unit; empty for relative numbers.
    pub unit: &'static str,
    roles: &'static [Role],
    of: fn(&SpectrumRow) -> Option<f64>,
}

impl Measure {
    /// Whether it tells about that.
    pub fn is(&self, role: Role) -> bool {
        self.roles.contains(&role)
    }

    /// Its value in a row; NaN where there is none, or where it is in the metabolites' rows.
    pub(super) fn of(&self, row: &SpectrumRow) -> f64 {
        (self.of)(row).unwrap_or(f64::NAN)
    }
}

impl PartialEq for Measure {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

const fn measure(
    name: &'static str,
    label: &'static str,
    unit: &'static str,
    roles: &'static [Role],
    of: fn(&SpectrumRow) -> Option<f64>,
) -> Measure {
    Measure { name, label, unit, roles, of }
}

/// Place in [`MEASURES`] of what is added up from the metabolites' rows.
const MACROMOLECULES: usize = 0;

/// The measures.
pub static MEASURES: [Measure; 10] = [
    measure("macromolecules_over_tcr", "macromolecules / tCr", "", &[Role::Method], |_| None),
    measure("baseline_ed", "baseline ED", "", &[Role::Method], |r| r.baseline_ed),
    measure("phi1_deg_per_ppm", "φ1", "deg/ppm", &[Role::Method], |r| r.phi1_deg_per_ppm),
    measure("shift_hz", "shift", "Hz", &[Role::Method], |r| r.shift_hz),
    measure("fwhm_hz", "FWHM", "Hz", &[Role::Method, Role::Quality], |r| r.fwhm_hz),
    measure("residual_sd_over_noise_sd", "residual / noise", "", &[Role::Method, Role::Quality], |r| {
        r.residual_sd_over_noise_sd
    }),
    measure("snr", "SNR", "", &[Role::Quality], |r| r.snr),
    measure("lipid_index", "lipids", "", &[Role::Quality], |r| r.lipid_index),
    measure("water_left", "water left", "", &[Role::Quality], |r| r.water_left),
    measure("drift_hz", "drift", "Hz", &[Role::Quality], |r| r.drift_hz.map(f64::abs)),
];

/// All measures of a spectrum's row, macromolecules still to be added.
pub(super) fn measured(row: &SpectrumRow) -> Vec<f64> {
    MEASURES.iter().map(|m| m.of(row)).collect()
}

/// Adds a metabolite's row to what is measured of its spectrum.
pub(super) fn add(row: &MetaboliteRow, measured: &mut [f64]) {
    if let (false, Kind::Macromolecule, Some(ratio)) = (row.is_sum, kind(&row.metabolite), row.ratio_tcr) {
        let sum = &mut measured[MACROMOLECULES];
        *sum = if sum.is_nan() { ratio } else { *sum + ratio };
    }
}
