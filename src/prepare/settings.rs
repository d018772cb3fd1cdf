//! Preparation as data: which steps, in which order, and how; one configuration for all spectra of a run.

use std::fmt;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Error as _, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::dynamics::Dynamics;
use super::{align, reject};

/// What is done to spectra before they are fitted: `prepare` of a configuration file.
#[derive(Debug, Clone, PartialEq)]
pub enum Preparation {
    /// `prepare = "none"`: spectra come prepared, one transient of one coil each, and are fitted as they are. Their water
    /// references are measured all the same.
    None,
    /// A table `[prepare]`: coils are combined, the steps done, transients averaged.
    Steps(Settings),
}

/// How spectra are prepared; what a table leaves out has its default.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// The steps beside combining coils (first) and averaging (after `align` and `reject`), in their order.
    #[serde(deserialize_with = "steps")]
    pub steps: Vec<Step>,
    /// Where the weights of receive coils come from.
    pub coils: CoilMethod,
    /// Chemical shifts by which transients are aligned, lower and upper end (ppm).
    #[serde(deserialize_with = "band")]
    pub align_band_ppm: [f64; 2],
    /// Distance from the other transients beyond which one is left out (standard deviations).
    #[serde(deserialize_with = "positive")]
    pub reject_beyond_sd: f64,
    /// Parts of a time course that are averaged apart; `None`: one average of all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dynamics: Option<Dynamics>,
}

/// A step that may be left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// Transients are aligned to one another ([`align`]), conditions of edited data too.
    Align,
    /// Spoiled transients are left out ([`reject`]).
    Reject,
    /// The phase of the water reference is taken out ([`super::eddy`]).
    EddyCurrents,
    /// Residual water is taken away where it towers over the metabolites ([`super::residual_water`]).
    ResidualWater,
}

/// Where the weights of receive coils come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CoilMethod {
    /// Whitened singular value decomposition of all samples (Rodgers and Robson, MRM 63:881, 2010).
    #[default]
    Svd,
    /// Generalised least squares: sensitivities from the first point, weighted by the inverse of the noise's covariance
    /// (An et al., JMRI 37:1445, 2013).
    Gls,
    /// Sensitivities from the first point alone (Brown, MRM 52:1207, 2004).
    FirstPoint,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            steps: vec![Step::Align, Step::Reject, Step::EddyCurrents, Step::ResidualWater],
            coils: CoilMethod::Svd,
            align_band_ppm: [align::METABOLITE_BAND_PPM.0, align::METABOLITE_BAND_PPM.1],
            reject_beyond_sd: reject::OUTLIER_SD,
            dynamics: None,
        }
    }
}

impl Default for Preparation {
    fn default() -> Self {
        Self::Steps(Settings::default())
    }
}

impl Preparation {
    /// The steps' settings; `None` where nothing is to be done.
    pub fn settings(&self) -> Option<&Settings> {
        match self {
            Self::None => None,
            Self::Steps(settings) => Some(settings),
        }
    }

    /// Whether `step` is to be done.
    pub fn has(&self, step: Step) -> bool {
        self.settings().is_some_and(|s| s.steps.contains(&step))
    }

    /// Hash by which rows of equal preparation are known.
    pub fn hash(&self) -> String {
        // A structure of numbers and words always has a text.
        let text = serde_json::to_string(self).unwrap_or_default();
        crate::hash::sha256_hex(text.as_bytes())[..16].to_owned()
    }
}

const NONE: &str = "none";

impl Serialize for Preparation {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::None => serializer.serialize_str(NONE),
            Self::Steps(settings) => settings.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Preparation {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        /// Tells text from table, so that errors name the field and not both forms.
        struct Either;
        impl<'de> Visitor<'de> for Either {
            type Value = Preparation;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("\"none\" or a table [prepare]")
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Preparation, E> {
                match text {
                    NONE => Ok(Preparation::None),
                    other => Err(E::custom(format!("prepare = \"{other}\": give \"none\" or a table [prepare]"))),
                }
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Preparation, A::Error> {
                Settings::deserialize(MapAccessDeserializer::new(map)).map(Preparation::Steps)
            }
        }
        deserializer.deserialize_any(Either)
    }
}

fn steps<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Step>, D::Error> {
    let steps = Vec::<Step>::deserialize(deserializer)?;
    let rank = |step: &Step| match step {
        Step::Align | Step::Reject => 0,
        Step::EddyCurrents => 1,
        Step::ResidualWater => 2,
    };
    let is_twice = steps.iter().enumerate().any(|(i, step)| steps[..i].contains(step));
    if is_twice || !steps.is_sorted_by_key(rank) {
        return Err(D::Error::custom(
            "steps: give `align` and `reject` in either order, then `eddy_currents`, then `residual_water`, each once or not",
        ));
    }
    Ok(steps)
}

fn band<'de, D: Deserializer<'de>>(deserializer: D) -> Result<[f64; 2], D::Error> {
    let [low, high] = <[f64; 2]>::deserialize(deserializer)?;
    if low.is_finite() && high.is_finite() && low < high {
        Ok([low, high])
    } else {
        Err(D::Error::custom(format!("align_band_ppm = [{low}, {high}]: give the lower end, then the upper one")))
    }
}

fn positive<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    let value = f64::deserialize(deserializer)?;
    if value.is_finite() && value > 0.0 {
        Ok(value)
    } else {
        Err(D::Error::custom(format!("reject_beyond_sd = {value}: give a number above 0")))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use crate::run::Config;

    fn read(text: &str) -> Result<Preparation, String> {
        toml::from_str::<Config>(text).map(|c| c.prepare).map_err(|e| e.to_string())
    }

    #[test]
    fn what_is_left_out_has_its_default_and_none_is_none() {
        assert_eq!(read("").unwrap(), Preparation::default());
        assert_eq!(read("[prepare]").unwrap(), Preparation::default());
        assert_eq!(read("prepare = \"none\"").unwrap(), Preparation::None);
        let text = "[prepare]\nsteps = [\"reject\", \"align\"]\ncoils = \"first_point\"\nalign_band_ppm = [2.7, 3.4]\n";
        let found = read(text).unwrap();
        let wanted = Settings {
            steps: vec![Step::Reject, Step::Align],
            coils: CoilMethod::FirstPoint,
            align_band_ppm: [2.7, 3.4],
            ..Settings::default()
        };
        assert_eq!(found, Preparation::Steps(wanted));
        assert!(!found.has(Step::EddyCurrents) && found.has(Step::Align));
    }

    #[test]
    fn a_round_trip_keeps_it_and_every_change_has_a_hash_of_its_own() {
        let mut hashes = Vec::new();
        for text in [
            "",
            "prepare = \"none\"",
            "[prepare]\nsteps = []",
            "[prepare]\nsteps = [\"reject\", \"align\", \"eddy_currents\", \"residual_water\"]",
            "[prepare]\ncoils = \"gls\"",
            "[prepare]\nreject_beyond_sd = 4.5",
            "[prepare]\nalign_band_ppm = [1.9, 3.4]",
        ] {
            let config: Config = toml::from_str(text).unwrap();
            let again: Config = toml::from_str(&toml::to_string(&config).unwrap()).unwrap();
            assert_eq!(again, config);
            hashes.push(config.prepare.hash());
        }
        hashes.sort();
        hashes.dedup();
        assert_eq!(hashes.len(), 7);
    }

    /// Every refusal says which line and what would do.
    #[test]
    fn what_is_not_known_is_refused_by_name_and_line() {
        for (text, line, says) in [
            ("[prepare]\ncoils = \"svd\"\nallign = true", "line 3", "`allign`, expected one of `steps`, `coils`"),
            ("\n[prepare]\ncoils = \"sum\"", "line 3", "`sum`, expected one of `svd`, `gls`, `first_point`"),
            ("[prepare]\nsteps = [\"denoise\"]", "line 2", "`denoise`, expected one of `align`, `reject`"),
            ("[prepare]\nsteps = [\"eddy_currents\", \"align\"]", "line 2", "in either order, then"),
            ("[prepare]\nsteps = [\"align\", \"align\"]", "line 2", "each once or not"),
            ("[prepare]\nalign_band_ppm = [4.2, 1.8]", "line 2", "the lower end"),
            ("[prepare]\nreject_beyond_sd = 0.0", "line 2", "above 0"),
            ("prepare = \"nothing\"", "line 1", "give \"none\" or a table"),
            ("prepare = 3", "line 1", "\"none\" or a table"),
        ] {
            let error = read(text).unwrap_err();
            assert!(error.contains(line) && error.contains(says), "{text}: {error}");
        }
    }
}
