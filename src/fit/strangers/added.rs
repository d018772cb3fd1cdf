//! Components that are added to a basis set for a spectrum that asks for them.

use std::f64::consts::PI;
use std::fmt;

use ndarray::{Array1, Axis};
use num_complex::Complex64;

use super::library::Substance;
use crate::acquisition::hz_from_ppm;
use crate::basis::BasisSet;
use crate::basis::simulate::{LINEWIDTH_HZ, Sequence, SimulateError, basis_set};
use crate::fit::macromolecules::proton_unit;
use crate::fit::map;

/// Protons of a line whose substance nobody knows: those of a methyl group, so that its amplitude is that of one.
const PROTONS: f64 = 3.0;
/// Places in a ppm at which such lines lie; the fit moves them from there.
const PLACES_PER_PPM: f64 = 100.0;
/// Standard deviation of the shift of an added component around the common one (ppm): its place is known less well than
/// those of the brain's metabolites, and depends on pH and temperature.
const SHIFT_SD_PPM: f64 = 0.01;
/// Protons of creatine.
const CREATINE_PROTONS: f64 = 5.0;

/// A further component.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Added {
    /// A substance of the library.
    Substance(&'static Substance),
    /// A line at so many hundredths of a ppm that no substance explains.
    Line(i32),
}

impl Added {
    /// A line near `ppm`.
    pub fn line(ppm: f64) -> Self {
        Self::Line((ppm * PLACES_PER_PPM).round() as i32)
    }

    /// Chemical shift of the line, where it is one.
    pub fn line_ppm(self) -> Option<f64> {
        match self {
            Self::Substance(_) => None,
            Self::Line(place) => Some(f64::from(place) / PLACES_PER_PPM),
        }
    }

    fn fid(self, basis: &BasisSet, sequence: &Sequence) -> Result<Vec<Complex64>, SimulateError> {
        let width_hz = basis.linewidth_hz.unwrap_or(LINEWIDTH_HZ);
        let (f0_mhz, dwell_s, n_points) = (basis.f0_mhz, basis.dwell_s, basis.fids.ncols());
        let proton = proton_unit(&basis.metabolites, &basis.fids);
        match self {
            Self::Substance(substance) => {
                // Beside creatine, which tells what the sequence leaves of a proton.
                let names = ["Cr", substance.name.as_str()];
                let set = basis_set(&names, sequence, f0_mhz, dwell_s, n_points, width_hz)?;
                let unit = set.fids.row(0).first().map_or(0.0, |z| z.norm()) / CREATINE_PROTONS;
                let scale = if unit > 0.0 { proton / unit } else { 0.0 };
                Ok(set.fids.row(1).iter().map(|z| z * scale).collect())
            }
            Self::Line(place) => {
                let hz = hz_from_ppm(f64::from(place) / PLACES_PER_PPM, f0_mhz);
                let sample = |n: usize| {
                    let t = n as f64 * dwell_s;
                    Complex64::from_polar(PROTONS * proton * (-PI * width_hz * t).exp(), 2.0 * PI * hz * t)
                };
                Ok((0..n_points).map(sample).collect())
            }
        }
    }
}

/// The name of the component in the tables.
impl fmt::Display for Added {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Substance(substance) => f.write_str(&substance.name),
            Self::Line(place) => write!(f, "unknown {:.2} ppm", f64::from(*place) / PLACES_PER_PPM),
        }
    }
}

/// `basis` with further members, in its own units and on its own grid, as `sequence` shows them.
///
/// # Errors
/// [`SimulateError`]: what the simulation cannot do.
pub fn extended(basis: &BasisSet, added: &[Added], sequence: &Sequence) -> Result<BasisSet, SimulateError> {
    let mut set = basis.clone();
    for component in added {
        let fid = Array1::from_vec(component.fid(basis, sequence)?);
        set.metabolites.push(component.to_string());
        // Of the same length by construction; a set that cannot take it stays without.
        if set.fids.push(Axis(0), fid.view()).is_err() {
            set.metabolites.pop();
        }
    }
    Ok(set)
}

/// Frees the added components of a model: no prior on amplitudes holds them, and they may lie a little beside their place.
pub fn free(model: &mut map::Model, added: &[Added]) {
    let names: Vec<String> = added.iter().map(ToString::to_string).collect();
    let is_added: Vec<bool> = model.components.iter().map(|c| names.contains(&c.name)).collect();
    let shift_sd_hz = SHIFT_SD_PPM * model.band.f0_mhz;
    for (component, _) in model.components.iter_mut().zip(&is_added).filter(|(_, added)| **added) {
        component.shift_sd_hz = component.shift_sd_hz.max(shift_sd_hz);
    }
    let holds = |terms: &[(usize, f64)]| terms.iter().any(|(k, _)| is_added.get(*k).copied().unwrap_or(false));
    model.rows.retain(|row| !holds(&row.terms) && !holds(&row.scale_terms));
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use crate::fit::strangers::library::substances;

    fn substance(name: &str) -> Added {
        Added::Substance(substances().iter().find(|s| s.name == name).unwrap())
    }

    fn brain(sequence: &Sequence) -> BasisSet {
        basis_set(&["Cr", "NAA"], sequence, 123.2, 5e-4, 1024, 1.0).unwrap()
    }

    #[test]
    fn a_member_has_the_basis_sets_units_whatever_they_are() {
        for sequence in [Sequence::PulseAcquire {}, Sequence::Steam { te_s: 0.02, tm_s: 0.01 }] {
            for unit in [1.0, 37.5] {
                let mut basis = brain(&sequence);
                basis.fids.mapv_inplace(|z| z * unit);
                let added = [substance("Act"), Added::line(2.5)];
                let set = extended(&basis, &added, &sequence).unwrap();
                assert_eq!(set.metabolites, ["Cr", "NAA", "Act", "unknown 2.50 ppm"]);
                // Acetone has six protons, creatine five; a line without a name is a methyl group.
                let creatine = basis.fids[(0, 0)].norm();
                assert!((set.fids[(2, 0)].norm() / creatine - 1.2).abs() < 1e-6);
                assert!((set.fids[(3, 0)].norm() / creatine - 0.6).abs() < 1e-6);
            }
        }
    }

    #[test]
    fn a_line_is_named_and_placed_to_a_hundredth() {
        let line = Added::line(3.4178);
        assert_eq!(line.to_string(), "unknown 3.42 ppm");
        assert_eq!(line.line_ppm(), Some(3.42));
        assert_eq!(substance("MSM").line_ppm(), None);
    }

    #[test]
    fn no_ratio_holds_what_was_added() {
        let sequence = Sequence::Press { te_s: 0.03, te1_s: 0.015, te2_s: 0.015 };
        let names = ["Cr", "PCr", "NAA", "NAAG", "GPC", "PCh", "Glu", "Ins"];
        let basis = basis_set(&names, &sequence, 123.2, 5e-4, 1024, 1.0).unwrap();
        let settings = map::Settings::map().unwrap();
        let model = |set: &BasisSet| map::Model::new(set, 1024, 5e-4, 123.2, Some(0.03), &settings).unwrap();
        let added = [substance("Scyllo"), substance("Act")];
        let mut with = model(&extended(&basis, &added, &sequence).unwrap());
        assert!(with.row_labels().iter().any(|label| label.contains("Scyllo")));
        free(&mut with, &added);
        assert_eq!(with.row_labels(), model(&basis).row_labels());
        let place = |name: &str| with.components.iter().find(|c| c.name == name).unwrap().shift_sd_hz / 123.2;
        assert!((place("Act") - SHIFT_SD_PPM).abs() < 1e-9);
        assert!((place("Glu") - settings.priors.shift_sd_ppm).abs() < 1e-9);
    }
}
