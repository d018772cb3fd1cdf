//! From the amplitudes of one spectrum to numbers people use.

use super::concentration::{Concentration, Concentrations, Terms, concentrations};
use super::{Inputs, Ratio, WaterScaling, ratios_to_creatine};
use crate::fit::FitResult;

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
    /// Concentrations, as far as there is what they need.
    pub concentration: Concentration,
}

/// The quantities of each amplitude of `fit`, components, then sums; and of the voxel what they are made with.
///
/// `signal_per_proton` is the signal at t = 0 of one proton at amplitude 1 in the basis set
/// ([`super::singlet::signal_per_proton`]); without it there are no concentrations.
pub fn quantities(
    fit: &FitResult,
    inputs: &Inputs,
    signal_per_proton: Option<f64>,
    constants: &WaterScaling,
) -> (Vec<Quantity>, Concentrations) {
    let mut all = concentrations(&Terms::from(fit), inputs, signal_per_proton, constants);
    let amplitudes = fit.amplitudes.iter().zip(ratios_to_creatine(fit)).zip(std::mem::take(&mut all.each));
    let each = amplitudes.map(|((amplitude, ratio_tcr), concentration)| Quantity {
        name: amplitude.name.clone(),
        amplitude: amplitude.value,
        amplitude_sd: amplitude.sd_posterior,
        ratio_tcr,
        concentration,
    });
    (each.collect(), all)
}
