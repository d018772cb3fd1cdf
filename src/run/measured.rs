//! What is measured of a reference and of a fit, in the columns of a row.

use std::f64::consts::PI;

use num_complex::Complex64;

use crate::fit::FitResult;
use crate::fit::result::Curves;
use crate::prepare::{Record, Spectrum};
use crate::quality::concentrations;
use crate::quality::definitions::{self, Phased};
use crate::store::{MetaboliteRow, SpectrumRow};

/// Chemical shift (ppm) about which lines must be in phase: that of creatine.
const PHASED_AT_PPM: f64 = 3.03;
/// Chemical shift (ppm) at which a fit states its phase.
const PIVOT_PPM: f64 = 4.65;

/// Ratio of noises from which a reference had another gain than its spectrum. Noise of samples is known to 3 %, and what water
/// itself adds makes the ratio smaller.
pub(super) const GAIN_DIFFERS: f64 = 1.5;

/// Flags of a reference with less noise than its spectrum: everything the receiver gives was made smaller. `averages` are
/// those in a stored transient of the spectrum and of the reference, where both files say so.
pub(super) fn of_gain(noise_ratio: Option<f64>, averages: Option<[usize; 2]>) -> Vec<&'static str> {
    // The noise of a mean falls with the root of their number.
    let of_averages = averages.map_or(1.0, |[own, water]| (own.max(1) as f64 / water.max(1) as f64).sqrt());
    let mut flags = Vec::new();
    if noise_ratio.is_some_and(|ratio| ratio * of_averages > GAIN_DIFFERS) {
        flags.push("water_gain_differs");
    }
    flags
}

/// The water reference.
pub(super) fn water(row: &mut SpectrumRow, record: &Record) {
    let count = |n: Option<usize>| n.and_then(|n| u32::try_from(n).ok());
    let water = &record.water;
    row.water_amplitude = record.water_amplitude;
    row.water_amplitude_sd = water.amplitude_sd;
    row.water_residual = water.residual;
    row.fwhm_water_hz = water.fwhm_hz;
    row.water_noise_ratio = water.noise_ratio;
    row.n_water_transients = count(water.n_transients);
    row.n_water_transients_kept = count(water.n_kept);
}

/// Figures as other programs define them. In a difference creatine cancels: its own are not measured.
pub(super) fn by_definition(row: &mut SpectrumRow, spectrum: &Spectrum, fit: &FitResult, is_difference: bool) {
    let turned = turned(spectrum, fit);
    let phased = Phased::new(&turned, spectrum.dwell_s, spectrum.f0_mhz);
    row.snr_fsl = phased.snr_fsl();
    if !is_difference {
        row.snr_tcr = phased.snr_osprey(definitions::CREATINE_PPM);
        row.fwhm_tcr_hz = phased.fwhm_osprey_hz(definitions::CREATINE_PPM);
    }
}

/// LCModel's signal-to-noise ratio.
pub(super) fn snr_lcmodel(curves: &Curves) -> Option<f64> {
    definitions::snr_lcmodel(&curves.fit, &curves.baseline, &curves.data)
}

/// The flag of concentrations outside of what tissue holds.
pub(super) fn implausible<'a>(rows: impl Iterator<Item = &'a MetaboliteRow>) -> Option<&'static str> {
    concentrations::flag(rows.filter_map(|row| Some((row.metabolite.as_str(), row.conc_lcmodel_mmol_per_kg?))))
}

/// The samples, shifted and phased as the fit found.
fn turned(spectrum: &Spectrum, fit: &FitResult) -> Vec<Complex64> {
    let phase = (fit.phi0_deg + fit.phi1_deg_per_ppm * (PHASED_AT_PPM - PIVOT_PPM)).to_radians();
    let step = 2.0 * PI * fit.shift_hz * spectrum.dwell_s;
    let turn = |n: usize| Complex64::from_polar(1.0, -phase - step * n as f64);
    spectrum.fid.iter().enumerate().map(|(n, z)| z * turn(n)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_with_less_noise_had_another_gain() {
        const FLAG: [&str; 1] = ["water_gain_differs"];
        assert_eq!(of_gain(Some(4.0), None), FLAG);
        for ratio in [None, Some(0.3), Some(1.0), Some(1.2), Some(f64::NAN)] {
            assert!(of_gain(ratio, None).is_empty(), "{ratio:?}");
        }
        // 64 averages beside 4: the noise is a quarter, and the gain the same.
        assert!(of_gain(Some(0.25), Some([64, 4])).is_empty());
        assert_eq!(of_gain(Some(1.0), Some([64, 4])), FLAG);
        // 4 averages beside 64.
        assert!(of_gain(Some(4.0), Some([4, 64])).is_empty());
    }
}
