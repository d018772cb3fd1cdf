//! Amplitudes and what they come to, as rows.

use super::rows::{BasisRef, Origin, known};
use crate::fit::FitResult;
use crate::quantify::{Concentration, Concentrations, Estimate, Inputs, WaterScaling, quantities};
use crate::store::MetaboliteRow;

impl Origin<'_> {
    /// The rows of a fit's amplitudes, and flags that say why some of their columns are null.
    pub(super) fn metabolites(
        &self,
        fit: &FitResult,
        inputs: &Inputs,
        basis: &BasisRef<'_>,
        constants: &WaterScaling,
    ) -> (Vec<MetaboliteRow>, Vec<&'static str>) {
        let scaled = inputs.water_amplitude.and(basis.signal_per_proton);
        let (quantities, made_with) = quantities(fit, inputs, basis.signal_per_proton, constants);
        let rows = fit
            .amplitudes
            .iter()
            .zip(quantities)
            .map(|(a, quantity)| {
                let row = MetaboliteRow {
                    spectrum_id: self.spectrum_id(),
                    subject: self.found.subject.clone(),
                    session: self.found.session.clone(),
                    site: self.found.site.clone(),
                    voi: self.found.voi.clone(),
                    method: self.method.to_owned(),
                    metabolite: a.name.clone(),
                    is_sum: a.is_sum,
                    sum_of: a.members.iter().map(|&i| fit.amplitudes[i].name.clone()).collect(),
                    amplitude: Some(a.value),
                    amplitude_free: Some(a.free),
                    sd_noise: known(a.sd_noise),
                    sd_posterior: Some(a.sd_posterior),
                    crlb_percent: known(a.sd_noise).filter(|_| a.value > 0.0).map(|sd| 100.0 * sd / a.value),
                    lcmodel_sd_percent: a.sd_lcmodel.map(|sd| lcmodel_percent(sd, a.value)),
                    prior_pull_sd: a.prior_pull_sd,
                    width_prior_pull_sd: a.width_prior_pull_sd,
                    at_bound: Some(a.at_bound),
                    shift_hz: a.shift_hz,
                    lorentz_hz: a.lorentz_hz,
                    ratio_tcr: quantity.ratio_tcr.map(|r| r.value),
                    ratio_tcr_sd: quantity.ratio_tcr.map(|r| r.sd),
                    tcr_covariance: quantity.ratio_tcr.map(|r| r.covariance),
                    sampled_mean: a.sampled.as_ref().map(|s| s.mean),
                    sampled_sd: a.sampled.as_ref().map(|s| s.sd),
                    sampled_q025: a.sampled.as_ref().map(|s| s.quantiles[0]),
                    sampled_q05: a.sampled.as_ref().map(|s| s.quantiles[1]),
                    sampled_q25: a.sampled.as_ref().map(|s| s.quantiles[2]),
                    sampled_q50: a.sampled.as_ref().map(|s| s.quantiles[3]),
                    sampled_q75: a.sampled.as_ref().map(|s| s.quantiles[4]),
                    sampled_q95: a.sampled.as_ref().map(|s| s.quantiles[5]),
                    sampled_q975: a.sampled.as_ref().map(|s| s.quantiles[6]),
                    sampled_rhat: a.sampled.as_ref().map(|s| s.rhat),
                    sampled_ess: a.sampled.as_ref().map(|s| s.effective_draws),
                    signal_per_proton: scaled,
                    ..MetaboliteRow::default()
                };
                concentration_columns(row, quantity.concentration, &made_with, constants)
            })
            .collect();
        (rows, made_with.flags)
    }
}

/// What LCModel prints where an error is as large as that or larger, or the amplitude is zero (%).
const LCMODEL_MOST_PERCENT: f64 = 999.0;

/// LCModel's %SD.
fn lcmodel_percent(sd: f64, amplitude: f64) -> f64 {
    if amplitude > 0.0 { (100.0 * sd / amplitude).min(LCMODEL_MOST_PERCENT) } else { LCMODEL_MOST_PERCENT }
}

/// A row with its concentrations, and what they were made with. Everything that `requant quantify` makes anew is set here.
pub(super) fn concentration_columns(
    row: MetaboliteRow,
    concentration: Concentration,
    made_with: &Concentrations,
    constants: &WaterScaling,
) -> MetaboliteRow {
    let value = |estimate: Option<Estimate>| estimate.map(|e| e.value);
    let sd = |estimate: Option<Estimate>| estimate.and_then(|e| e.sd);
    let is_scaled = made_with.water_attenuation.is_some();
    MetaboliteRow {
        conc_lcmodel_mmol_per_kg: value(concentration.lcmodel),
        conc_lcmodel_sd_mmol_per_kg: sd(concentration.lcmodel),
        conc_csf_mmol_per_kg: value(concentration.csf),
        conc_csf_sd_mmol_per_kg: sd(concentration.csf),
        conc_molal_mmol_per_kg: value(concentration.molal),
        conc_molal_sd_mmol_per_kg: sd(concentration.molal),
        conc_molar_mmol_per_l: value(concentration.molar),
        conc_molar_sd_mmol_per_l: sd(concentration.molar),
        conc_alpha_iu: value(concentration.alpha),
        conc_alpha_sd_iu: sd(concentration.alpha),
        t1_s: concentration.t1_s,
        t2_s: concentration.t2_s,
        water_attenuation_tissue: made_with.water_attenuation_tissue,
        metabolite_attenuation_tissue: concentration.attenuation,
        constants_id: concentration.constants_id,
        water_concentration_mmol_per_kg: is_scaled.then_some(constants.water_concentration_mmol_per_kg),
        water_attenuation: made_with.water_attenuation,
        metabolite_attenuation: is_scaled.then_some(constants.metabolite_attenuation),
        ..row
    }
}
