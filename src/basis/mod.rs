//! Basis sets: the time-domain response of each metabolite to one protocol.

pub mod check;
mod error;
mod first_point;
mod folder;
mod lcmodel;
mod majors;
mod member;
pub mod names;
mod placement;
mod read;
mod reference;
mod regrid;
mod save;
mod set;
pub mod simulate;
pub mod singlets;
mod summed;
mod write;

pub use error::BasisError;
pub use first_point::FirstPoint;
pub use member::Grid;
pub use save::{SaveError, SetFormat, save};
pub use set::BasisSet;
pub use write::{write_fsl_json, write_lcmodel, write_raw};

#[cfg(test)]
pub(super) mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]
    use super::*;
    use crate::acquisition::hz_from_ppm;
    use ndarray::Array2;
    use num_complex::Complex64;

    /// Two members of decaying lines with full first samples: singlets in phase, and lines whose
    /// phases differ as J evolution leaves them.
    pub(in crate::basis) fn analytic(f0_mhz: f64, dwell_s: f64, n_points: usize) -> BasisSet {
        let in_phase: &[(f64, f64, f64, f64)] = &[(2.008, 3.0, 0.0, 9.0), (3.027, 3.0, 0.0, 8.0)];
        let evolved = &[(2.3, 1.0, 0.4, 9.0), (2.4, 1.5, -0.7, 10.0), (3.75, 1.0, 0.3, 12.0), (1.3, 0.5, 2.0, 8.0)];
        let fids = Array2::from_shape_fn((2, n_points), |(row, n)| {
            let t = n as f64 * dwell_s;
            let lines: &[(f64, f64, f64, f64)] = if row == 0 { in_phase } else { evolved };
            lines
                .iter()
                .map(|&(ppm, amplitude, phase, rate)| {
                    let omega = 2.0 * std::f64::consts::PI * hz_from_ppm(ppm, f0_mhz);
                    amplitude * Complex64::new(-rate * t, omega * t + phase).exp()
                })
                .sum()
        });
        BasisSet {
            id: "analytic".to_owned(),
            metabolites: vec!["NAA".to_owned(), "Glx".to_owned()],
            fids,
            dwell_s,
            f0_mhz,
            te_s: Some(0.03),
            sequence: Some("PRESS".to_owned()),
            linewidth_hz: None,
            fwhmba_ppm: None,
            singlet_fwhm_hz: None,
            sha256: String::new(),
            remarks: Vec::new(),
        }
    }
}
