//! The water reference: its amplitude scales all concentrations, so it is looked at before it is believed.
//!
//! Transients that were lost, spoiled or cut off are left out, as those of the measurement are. The decay of the mean gives
//! the amplitude, its standard deviation and a residual. Where the reference cannot be believed there is no amplitude, and a
//! flag says why.

mod clipping;
pub mod conditions;
pub mod figures;
mod transients;
mod voigt;
pub mod voxels;
mod width;

use num_complex::Complex64;

use super::average;
use super::coils::Weights;
use super::error::{check_finite, check_samples};
use super::reject::REJECTED_ONE_IN;
use super::settings::{Preparation, Step};
use super::{PrepareError, Record, align, broken, eddy};
use crate::acquisition::Acquisition;
use crate::signal::magnitudes::{METABOLITES_PPM, Magnitudes, WATER_PPM};
use crate::signal::noise::noise_sd;
use crate::signal::water_removal;

pub use clipping::is_clipped;
use conditions::WaterCondition;
pub use voigt::{Voigt, fit};
use voxels::WaterVoxels;

/// How much taller than the metabolite data a reference must be to be unsuppressed water. Water
/// (2 × 40 mol/kg of protons) stands about a thousand times above a metabolite singlet; residual water
/// in the data lowers the ratio.
pub const TALLER: f64 = 3.0;
/// Height of water over the tallest metabolite peak below which a reference is weak, at short echo times: in brain it is
/// 1500, so 5 % of water left are less than this.
pub const LEAST_OVER_METABOLITES: f64 = 100.0;
/// Signal-to-noise ratio of the metabolites from which they tell that.
const LEAST_SNR: f64 = 3.0;
/// T2 of water and of the methyl groups at 3 T (s), by which that height falls with the echo time: Wansapura et al. 1999
/// (<https://doi.org/10.1002/(SICI)1522-2586(199904)9:4%3C531::AID-JMRI4%3E3.0.CO;2-L>), and what is common for tNAA. A limit
/// needs no better ones.
const T2_S: (f64, f64) = (0.08, 0.25);
/// Echo time (s) that is assumed for this limit where none is stated: a long one, at which it is low.
const LONG_TE_S: f64 = 0.144;
/// Residual of the fit above which the decay is no line of water. References of good and of poor shims have 0.001 to 0.07.
pub const MISFIT: f64 = 0.12;
/// Standard deviation of the transients' sizes over their mean above which they do not measure the same.
pub const UNLIKE: f64 = 0.1;
/// Relative difference in dwell time from which a water reference corrects no eddy currents.
pub const SAME_DWELL: f64 = 1e-3;

/// What of which file is prepared, and how.
pub(super) struct Scan<'a> {
    pub(super) preparation: &'a Preparation,
    pub(super) data: &'a Acquisition,
    pub(super) voxel: usize,
    pub(super) condition: usize,
    pub(super) dwell_s: f64,
}

/// The mean of the transients that are kept, and what was found of them.
struct Averaged {
    fid: Vec<Complex64>,
    spread: f64,
    n_kept: usize,
    /// Whether a transient that was kept is cut off.
    is_clipped: bool,
}

/// Measures the reference, and corrects the eddy currents of `fid` with it.
pub(super) fn apply(
    fid: &mut [Complex64],
    scan: &Scan<'_>,
    reference: &Acquisition,
    weights: Option<&Weights>,
    record: &mut Record,
) -> Result<(), PrepareError> {
    let Scan { preparation, data, dwell_s, .. } = *scan;
    let of_water = WaterVoxels::of(data, reference)?.voxel(scan.voxel);
    let condition = WaterCondition::of(data, scan.condition, reference);
    let averaged = averaged(scan, reference, (of_water, condition.number), weights, record);
    let water_dwell_s = reference.facts.dwell_s.unwrap_or(dwell_s);
    let f0_mhz = reference.facts.f0_mhz.or(data.facts.f0_mhz).unwrap_or_default();
    let measured = check_samples(&averaged.fid).ok().and_then(|()| fit(&averaged.fid, water_dwell_s));
    let Some(measured) = measured else {
        record.flags.push("water_reference_unusable");
        return Ok(());
    };
    note(measured, &averaged, fid, (dwell_s, water_dwell_s), record);
    let is_suppressed = !is_water(fid, &averaged.fid, measured.amplitude);
    // Phantoms have what their maker put in: nothing but a flag.
    if !is_suppressed && is_weak(fid, &averaged.fid, scan, reference, water_dwell_s) {
        record.flags.push("water_reference_weak");
    }
    if !condition.is_right {
        record.flags.push("water_conditions");
    } else if averaged.is_clipped {
        record.flags.push("water_reference_clipped");
    } else if is_suppressed {
        record.flags.push("water_reference_suppressed");
    } else if measured.residual > MISFIT {
        record.flags.push("water_reference_misfit");
    } else {
        record.water_amplitude = Some(measured.amplitude);
    }
    if is_suppressed {
        return Ok(());
    }
    // Phases are right, whatever the amplitude is.
    if (water_dwell_s / dwell_s - 1.0).abs() < SAME_DWELL {
        let height = |fid: &[Complex64]| Magnitudes::new(fid, dwell_s, f0_mhz).tallest(WATER_PPM);
        record.water_left = Some(height(fid) / height(&averaged.fid)).filter(|part| part.is_finite());
        if preparation.has(Step::EddyCurrents) {
            eddy::correct(fid, &averaged.fid);
            record.eddy_corrected = true;
        }
    } else if preparation.has(Step::EddyCurrents) {
        record.flags.push("eddy_not_corrected");
    }
    Ok(())
}

/// Writes the figures of the reference down.
fn note(measured: Voigt, averaged: &Averaged, fid: &[Complex64], dwell_s: (f64, f64), record: &mut Record) {
    let n_kept = averaged.n_kept as f64;
    let of_transients = measured.amplitude * averaged.spread / n_kept.sqrt();
    record.water.amplitude_sd = Some(measured.amplitude_sd.hypot(of_transients));
    record.water.residual = Some(measured.residual);
    record.water.fwhm_hz = width::fwhm_hz(&averaged.fid, dwell_s.1);
    // Noise of a sample goes with the root of the bandwidth, that of a mean falls with the root of the number.
    let own = noise_sd(fid).map(|sd| sd * (record.n_kept as f64 * dwell_s.0).sqrt());
    let water = noise_sd(&averaged.fid).map(|sd| sd * (n_kept * dwell_s.1).sqrt());
    record.water.noise_ratio = own.zip(water).map(|(own, water)| own / water);
    if averaged.spread > UNLIKE {
        record.flags.push("water_transients_differ");
    }
}

/// The reference's transients: coils combined, those left out that hold no numbers, are lost, spoiled or cut off, aligned.
fn averaged(
    scan: &Scan<'_>,
    reference: &Acquisition,
    (voxel, condition): (usize, usize),
    weights: Option<&Weights>,
    record: &mut Record,
) -> Averaged {
    let Scan { preparation, data, dwell_s, .. } = *scan;
    let all = average::transients(reference, voxel, condition, weights);
    let n_all = all.len();
    let series = reference.series(voxel, condition);
    let n_coils = if weights.is_some() { reference.n_coils() } else { 1 };
    let mut found: Vec<(Vec<Complex64>, bool)> = all
        .into_iter()
        .enumerate()
        .map(|(t, fid)| (fid, (0..n_coils).any(|coil| is_clipped(&series.fid(t, coil)))))
        .collect();
    if found.iter().any(|(fid, _)| broken::is_usable(fid)) && !found.iter().all(|(fid, _)| broken::is_usable(fid)) {
        found.retain(|(fid, _)| broken::is_usable(fid));
        broken::flag_transients(record);
    }
    let rejects = preparation.settings().filter(|settings| settings.steps.contains(&Step::Reject));
    if rejects.is_some() && found.iter().any(|(_, is_clipped)| !is_clipped) {
        found.retain(|(_, is_clipped)| !is_clipped);
    }
    let is_clipped = found.iter().any(|(_, is_clipped)| *is_clipped);
    let mut fids: Vec<Vec<Complex64>> = found.into_iter().map(|(fid, _)| fid).collect();
    let chosen = transients::choose(&fids, rejects.map_or(f64::INFINITY, |settings| settings.reject_beyond_sd));
    if rejects.is_some() {
        let mut keep = chosen.kept.iter().copied();
        fids.retain(|_| keep.next().unwrap_or(true));
    }
    let n_kept = fids.len();
    (record.water.n_transients, record.water.n_kept) = (Some(n_all), Some(n_kept));
    if n_kept < n_all - n_all / REJECTED_ONE_IN {
        record.flags.push("water_transients_rejected");
    }
    let f0_mhz = reference.facts.f0_mhz.or(data.facts.f0_mhz).unwrap_or_default();
    if preparation.has(Step::Align) && fids.iter().all(|fid| check_finite(fid).is_ok()) {
        align::align(&mut fids, reference.facts.dwell_s.unwrap_or(dwell_s), f0_mhz, None);
    }
    Averaged { fid: average::mean(&fids), spread: chosen.spread, n_kept, is_clipped }
}

/// Whether `reference` is unsuppressed water beside the data `fid`.
fn is_water(fid: &[Complex64], reference: &[Complex64], amplitude: f64) -> bool {
    // The first samples apart: they are attenuated in some exports.
    let data = fid.iter().skip(1).take(reference.len()).map(|z| z.norm()).fold(0.0, f64::max);
    amplitude > TALLER * data
}

/// Whether the line of `reference` is smaller beside the metabolites in `fid` than water of brain is.
fn is_weak(
    fid: &[Complex64],
    reference: &[Complex64],
    scan: &Scan<'_>,
    water: &Acquisition,
    water_dwell_s: f64,
) -> bool {
    let Some(f0_mhz) = scan.data.facts.f0_mhz else { return false };
    // A discrete transform's height goes with the number of samples a second.
    let everywhere = (f64::NEG_INFINITY, f64::INFINITY);
    let of_water = Magnitudes::new(reference, water_dwell_s, f0_mhz).tallest(everywhere) * water_dwell_s;
    let most = of_water / least_over_metabolites(water.facts.te_s, scan.data.facts.te_s) / scan.dwell_s;
    let is_small = |magnitudes: &Magnitudes<'_>| {
        magnitudes.tallest(METABOLITES_PPM) > most && magnitudes.snr().is_none_or(|snr| snr >= LEAST_SNR)
    };
    if !is_small(&Magnitudes::new(fid, scan.dwell_s, f0_mhz)) {
        return false;
    }
    // The tail of what suppression left in the data is no metabolite.
    let mut without = fid.to_vec();
    water_removal::remove(&mut without, scan.dwell_s, f0_mhz);
    is_small(&Magnitudes::new(&without, scan.dwell_s, f0_mhz))
}

/// Least height of water over the metabolites at the echo times of both.
fn least_over_metabolites(water_te_s: Option<f64>, te_s: Option<f64>) -> f64 {
    let (water, own) = (water_te_s.unwrap_or(LONG_TE_S), te_s.unwrap_or(0.0));
    LEAST_OVER_METABOLITES * (own / T2_S.1 - water / T2_S.0).exp().min(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_least_height_falls_with_the_references_echo_time() {
        let least = least_over_metabolites;
        assert!(least(Some(0.03), Some(0.03)) > 70.0);
        assert!(least(Some(0.144), Some(0.144)) < 0.4 * least(Some(0.03), Some(0.03)));
        assert!(least(Some(0.144), Some(0.035)) < least(Some(0.144), Some(0.144)));
        assert!(least(None, None) < 20.0 && least(None, Some(0.03)) < 20.0);
    }
}
