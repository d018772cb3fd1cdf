//! Amplitudes to numbers people use: ratios to total creatine and water-scaled values.

mod fractions;
mod quantities;
pub mod singlet;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};

use crate::fit::FitResult;

pub use fractions::Fractions;
pub use quantities::{Inputs, Quantity, quantities};

/// Constants of water scaling, all in one place and stored with each run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WaterScaling {
    /// Name of this set of constants.
    pub version: String,
    /// Concentration of water in the voxel (mmol per kg wet weight; LCModel: WCONC).
    #[serde(deserialize_with = "above_zero")]
    pub water_concentration_mmol_per_kg: f64,
    /// What relaxation leaves of the water signal (LCModel: ATTH2O).
    #[serde(deserialize_with = "above_zero")]
    pub water_attenuation: f64,
    /// What relaxation leaves of a metabolite's signal (LCModel: ATTMET).
    #[serde(deserialize_with = "above_zero")]
    pub metabolite_attenuation: f64,
}

/// A constant that can scale something.
fn above_zero<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    let value = f64::deserialize(deserializer)?;
    if value.is_finite() && value > 0.0 {
        Ok(value)
    } else {
        Err(D::Error::custom(format!("{value}: give a number above 0")))
    }
}

impl WaterScaling {
    /// The text of the built-in constants.
    pub const TOML: &'static str = include_str!("constants.toml");

    /// LCModel's defaults.
    pub fn lcmodel() -> Result<Self, toml::de::Error> {
        toml::from_str(Self::TOML)
    }

    /// Concentration (mmol per kg wet weight) of an amplitude of 1.
    ///
    /// LCModel's formula (6.3, WATER-SCALING): with S_M the signal per proton of the basis set at
    /// amplitude 1 and S_W the water signal of its two protons,
    /// conc = amplitude · S_M · 2 · ATTH2O · WCONC / (S_W · ATTMET).
    pub fn factor(&self, signal_per_proton: f64, water_amplitude: f64) -> f64 {
        signal_per_proton * 2.0 * self.water_attenuation * self.water_concentration_mmol_per_kg
            / (water_amplitude * self.metabolite_attenuation)
    }
}

/// A ratio and its standard deviation.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Ratio {
    /// Numerator over denominator.
    pub value: f64,
    /// Standard deviation to first order, with the covariance of both.
    pub sd: f64,
    /// Posterior covariance of numerator and denominator (basis units²).
    pub covariance: f64,
}

/// The ratio of each amplitude of `fit` (components, then sums) to total creatine (Cr + PCr, or the one
/// that is there, or a component that stands for both); `None` where there is no creatine or it is not above zero.
///
/// var(M/C) = (var M − 2·r·cov(M, C) + r²·var C) / C², from the posterior covariance.
pub fn ratios_to_creatine(fit: &FitResult) -> Vec<Option<Ratio>> {
    let members = |name: &str| -> Vec<usize> {
        fit.amplitudes.iter().enumerate().filter(|(_, a)| !a.is_sum && a.name == name).map(|(i, _)| i).collect()
    };
    let mut creatine: Vec<usize> = members("Cr").into_iter().chain(members("PCr")).collect();
    if creatine.is_empty() {
        creatine = members("tCr");
    }
    let total: f64 = creatine.iter().map(|&i| fit.amplitudes[i].value).sum();
    let covariance = |a: &[usize], b: &[usize]| -> f64 {
        a.iter().flat_map(|&i| b.iter().map(move |&j| packed(&fit.posterior_covariance, i, j))).sum()
    };
    fit.amplitudes
        .iter()
        .enumerate()
        .map(|(index, amplitude)| {
            if creatine.is_empty() || total <= 0.0 {
                return None;
            }
            let own: Vec<usize> = if amplitude.is_sum { amplitude.members.clone() } else { vec![index] };
            let value = amplitude.value / total;
            let with_creatine = covariance(&own, &creatine);
            // Amplitudes that were kept at zero are not in the covariance; their error is known all the same.
            let own_variance =
                Some(covariance(&own, &own)).filter(|v| *v > 0.0).unwrap_or(amplitude.sd_posterior.powi(2));
            let variance =
                own_variance - 2.0 * value * with_creatine + value * value * covariance(&creatine, &creatine);
            Some(Ratio { value, sd: variance.max(0.0).sqrt() / total, covariance: with_creatine })
        })
        .collect()
}

/// Element (i, j) of a symmetric matrix packed as its lower triangle, row by row.
pub fn packed(lower: &[f64], i: usize, j: usize) -> f64 {
    let (row, column) = if i >= j { (i, j) } else { (j, i) };
    lower[row * (row + 1) / 2 + column]
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn water_scaling_follows_the_formula() {
        let constants = WaterScaling::lcmodel().unwrap();
        // A metabolite whose proton gives as much signal as one proton of attenuated water has water's
        // concentration.
        let s_w = 2.0 * 0.7 * 35880.0;
        assert!((constants.factor(1.0, s_w) - 1.0).abs() < 1e-12);
    }

    #[test]
    fn constants_that_scale_nothing_are_refused() {
        for wrong in ["0.0", "-1.0", "nan", "inf"] {
            let text = WaterScaling::TOML.replace("water_attenuation = 0.7", &format!("water_attenuation = {wrong}"));
            let error = toml::from_str::<WaterScaling>(&text).unwrap_err().to_string();
            assert!(error.contains("above 0") && error.contains("water_attenuation"), "{error}");
        }
    }

    #[test]
    fn packed_rows_are_symmetric() {
        let lower = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0];
        assert_eq!(packed(&lower, 2, 1), 5.0);
        assert_eq!(packed(&lower, 1, 2), 5.0);
    }
}
