//! From the amplitudes of one spectrum to numbers people use.

use super::{Fractions, Ratio, WaterScaling, ratios_to_creatine};
use crate::fit::FitResult;

/// What the quantities of one spectrum depend on beside its fit and its basis set. Made once, where a file is loaded.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Inputs {
    /// Amplitude of the water reference at t = 0, in the data's units; `None` without a usable reference.
    pub water_amplitude: Option<f64>,
    /// Its standard deviation.
    pub water_amplitude_sd: Option<f64>,
    /// Echo time of the water reference (s).
    pub water_te_s: Option<f64>,
    /// Repetition time of the water reference (s).
    pub water_tr_s: Option<f64>,
    /// Of what tissue the voxel is; `None` where that is not known, or of too little of it.
    pub fractions: Option<Fractions>,
}

/// What one amplitude comes to.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Quantity {
    /// Canonical name of the metabolite or sum.
    pub name: String,
    /// Amplitude in the basis set's units.
    pub amplitude: f64,
    /// Its standard deviation, with the method's priors taken as information.
    pub amplitude_sd: f64,
    /// Amplitude over that of total creatine; `None` without creatine.
    pub ratio_tcr: Option<Ratio>,
    /// Water-scaled by LCModel's formula (mmol per kg wet weight); `None` without a water reference.
    pub conc_lcmodel_mmol_per_kg: Option<f64>,
    /// Its standard deviation, from `amplitude_sd`.
    pub conc_lcmodel_sd_mmol_per_kg: Option<f64>,
}

/// The quantities of each amplitude of `fit`, components, then sums.
///
/// `signal_per_proton` is the signal at t = 0 of one proton at amplitude 1 in the basis set
/// ([`super::singlet::signal_per_proton`]); without it there are no concentrations.
pub fn quantities(
    fit: &FitResult,
    inputs: &Inputs,
    signal_per_proton: Option<f64>,
    constants: &WaterScaling,
) -> Vec<Quantity> {
    let factor = inputs.water_amplitude.zip(signal_per_proton).map(|(water, proton)| constants.factor(proton, water));
    let amplitudes = fit.amplitudes.iter().zip(ratios_to_creatine(fit));
    amplitudes
        .map(|(amplitude, ratio_tcr)| Quantity {
            name: amplitude.name.clone(),
            amplitude: amplitude.value,
            amplitude_sd: amplitude.sd_posterior,
            ratio_tcr,
            conc_lcmodel_mmol_per_kg: factor.map(|f| f * amplitude.value),
            conc_lcmodel_sd_mmol_per_kg: factor.map(|f| f * amplitude.sd_posterior),
        })
        .collect()
}
