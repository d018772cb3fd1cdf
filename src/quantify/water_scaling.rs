//! Water scaling as LCModel does it, and the constants of all quantities that scale by water.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};

use super::relaxation::{Relaxation, RelaxationError};

/// What LCModel takes relaxation to leave of the water signal (ATTH2O), and the echo time that this belongs to (s).
const ATTH2O: f64 = 0.7;
const ATTH2O_TE_S: f64 = 0.03;
/// The T2 that this is made with: 0.7 is exp(−30 ms/80 ms), rounded (LCModel's manual, ATTH2O).
const WATER_T2_S: f64 = 0.08;

/// Constants of water scaling, all in one place and stored with each run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Written")]
pub struct WaterScaling {
    /// Name of this set of constants.
    pub version: String,
    /// Concentration of water in the voxel (mmol per kg wet weight; LCModel: WCONC).
    pub water_concentration_mmol_per_kg: f64,
    /// What relaxation leaves of the water signal (LCModel: ATTH2O); `None`: computed from the reference's times
    /// ([`lcmodel_water_attenuation`]).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub water_attenuation: Option<f64>,
    /// What relaxation leaves of a metabolite's signal (LCModel: ATTMET).
    pub metabolite_attenuation: f64,
    /// Relaxation times and water content of tissue.
    pub relaxation: Relaxation,
}

/// The constants as a file has them: what is left out is the built-in value.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    version: Option<String>,
    #[serde(default, deserialize_with = "above_zero")]
    water_concentration_mmol_per_kg: Option<f64>,
    #[serde(default, deserialize_with = "above_zero")]
    water_attenuation: Option<f64>,
    #[serde(default, deserialize_with = "above_zero")]
    metabolite_attenuation: Option<f64>,
    #[serde(default)]
    relaxation: toml::Table,
}

/// A constant that can scale something.
fn above_zero<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<f64>, D::Error> {
    match Option::<f64>::deserialize(deserializer)? {
        Some(value) if !(value.is_finite() && value > 0.0) => {
            Err(D::Error::custom(format!("{value}: give a number above 0")))
        }
        value => Ok(value),
    }
}

impl TryFrom<Written> for WaterScaling {
    type Error = RelaxationError;

    fn try_from(own: Written) -> Result<Self, RelaxationError> {
        let is_built_in = own.water_concentration_mmol_per_kg.is_none()
            && own.water_attenuation.is_none()
            && own.metabolite_attenuation.is_none();
        let built_in: BuiltIn = toml::from_str(Self::TOML)?;
        Ok(Self {
            version: own.version.unwrap_or(if is_built_in { built_in.version } else { "own".to_owned() }),
            water_concentration_mmol_per_kg: own
                .water_concentration_mmol_per_kg
                .unwrap_or(built_in.water_concentration_mmol_per_kg),
            water_attenuation: own.water_attenuation,
            metabolite_attenuation: own.metabolite_attenuation.unwrap_or(built_in.metabolite_attenuation),
            relaxation: Relaxation::with(own.relaxation)?,
        })
    }
}

/// The file of built-in constants.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct BuiltIn {
    version: String,
    water_concentration_mmol_per_kg: f64,
    metabolite_attenuation: f64,
}

impl WaterScaling {
    /// The text of the built-in constants.
    pub const TOML: &'static str = include_str!("water_scaling.toml");

    /// LCModel's defaults, and the built-in relaxation times.
    ///
    /// # Errors
    /// Never for the files as they are shipped.
    pub fn lcmodel() -> Result<Self, toml::de::Error> {
        toml::from_str("")
    }

    /// Concentration (mmol per kg wet weight) of an amplitude of 1.
    ///
    /// LCModel's formula (6.3, WATER-SCALING): with S_M the signal per proton of the basis set at
    /// amplitude 1 and S_W the water signal of its two protons,
    /// conc = amplitude · S_M · 2 · ATTH2O · WCONC / (S_W · ATTMET).
    pub fn factor(&self, signal_per_proton: f64, water_amplitude: f64, water_attenuation: f64) -> f64 {
        signal_per_proton * 2.0 * water_attenuation * self.water_concentration_mmol_per_kg
            / (water_amplitude * self.metabolite_attenuation)
    }
}

/// LCModel's ATTH2O for a reference of the echo time `te_s` (s): 0.7·exp(−(TE − 30 ms)/80 ms), 0.7 at 30 ms.
pub fn lcmodel_water_attenuation(te_s: f64) -> f64 {
    ATTH2O * (-(te_s - ATTH2O_TE_S) / WATER_T2_S).exp()
}

/// ATTH2O where no echo time is known: LCModel's own.
pub(super) const UNTIMED: f64 = ATTH2O;

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
        assert!((constants.factor(1.0, s_w, 0.7) - 1.0).abs() < 1e-12);
    }

    #[test]
    fn attenuation_is_lcmodels_at_30_ms_and_follows_the_echo_time() {
        assert_eq!(lcmodel_water_attenuation(0.03), 0.7);
        assert!((lcmodel_water_attenuation(0.144) / 0.7 - (-0.114_f64 / 0.08).exp()).abs() < 1e-12);
    }

    #[test]
    fn constants_that_scale_nothing_are_refused() {
        for key in ["water_concentration_mmol_per_kg", "water_attenuation", "metabolite_attenuation"] {
            for wrong in ["0.0", "-1.0", "nan", "inf"] {
                let error = toml::from_str::<WaterScaling>(&format!("{key} = {wrong}")).unwrap_err().to_string();
                assert!(error.contains("above 0") && error.contains(key), "{error}");
            }
        }
    }

    #[test]
    fn what_is_left_out_is_built_in_and_what_is_written_comes_back() {
        let fixed: WaterScaling = toml::from_str("water_attenuation = 0.7").unwrap();
        assert_eq!((fixed.water_attenuation, fixed.version.as_str()), (Some(0.7), "own"));
        assert_eq!(fixed.water_concentration_mmol_per_kg, 35_880.0);
        let own = "version = \"mine\"\n[relaxation.water.\"3\"]\ngm = { t1_s = 1.5, t2_s = 0.1 }";
        for one in [fixed, WaterScaling::lcmodel().unwrap(), toml::from_str(own).unwrap()] {
            let again: WaterScaling = toml::from_str(&toml::to_string(&one).unwrap()).unwrap();
            assert_eq!(again, one);
            let json: WaterScaling = serde_json::from_value(serde_json::to_value(&one).unwrap()).unwrap();
            assert_eq!(json, one);
        }
        // A record of an earlier version has no relaxation times.
        let old = r#"{"version":"requant-2026.1","water_concentration_mmol_per_kg":35880.0,"water_attenuation":0.7,"metabolite_attenuation":1.0}"#;
        assert_eq!(serde_json::from_str::<WaterScaling>(old).unwrap().water_attenuation, Some(0.7));
        let error = toml::from_str::<WaterScaling>("[relaxation.alpha]\nGlu = 0").unwrap_err().to_string();
        assert!(error.contains("relaxation.alpha.Glu"), "{error}");
    }
}
