//! Methods of all families: settings as data.

use serde::{Deserialize, Serialize};

use super::differences::is_of_differences;
use super::macromolecule_relaxation::Weighting;
use super::map::settings::Macromolecules;
use super::model::Model;
use super::model_error::ModelError;
use super::settings_error::SettingsError;
use super::{map, peaks, peers};
use crate::basis::BasisSet;
use crate::printable::{MESSAGE_CHARS, printable};

/// Settings of one method, of whichever family.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Method {
    /// The family of `map`.
    Map(Box<map::Settings>),
    /// The family of other programs' methods.
    Peers(Box<peers::Settings>),
    /// The family of peaks without a basis set.
    Peaks(Box<peaks::Settings>),
}

/// Why settings cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum MethodError {
    /// They do not parse; the message names line and key.
    #[error(transparent)]
    Toml(#[from] toml::de::Error),
    /// They contradict one another.
    #[error(transparent)]
    Settings(#[from] SettingsError),
}

/// The built-in methods: name and text.
const BUILT_IN: [(&str, &str); 10] = [
    ("map", map::Settings::MAP_TOML),
    ("lcmodel", include_str!("methods/lcmodel.toml")),
    ("lcmodel-fast", include_str!("methods/lcmodel-fast.toml")),
    ("fsl", include_str!("methods/fsl.toml")),
    ("abfit", include_str!("methods/abfit.toml")),
    ("abfit-reg", include_str!("methods/abfit-reg.toml")),
    ("osprey", include_str!("methods/osprey.toml")),
    ("tarquin", include_str!("methods/tarquin.toml")),
    ("varpro", include_str!("methods/varpro.toml")),
    ("gannet", include_str!("methods/gannet.toml")),
];

impl Method {
    /// Names of the built-in methods.
    pub fn built_in_names() -> impl Iterator<Item = &'static str> {
        BUILT_IN.iter().map(|(name, _)| *name)
    }

    /// The built-in method of that name; `None` where there is none.
    ///
    /// # Errors
    /// Never for the methods as they are shipped.
    pub fn built_in(name: &str) -> Option<Result<Self, MethodError>> {
        BUILT_IN.iter().find(|(n, _)| *n == name).map(|(_, text)| Self::from_toml(text))
    }

    /// A method from the text of its file; `family` says which one it is of, `map`'s where it is left out.
    ///
    /// # Errors
    /// Settings that are unknown, missing, or cannot go together, with their line.
    pub fn from_toml(text: &str) -> Result<Self, MethodError> {
        /// The setting that decides which others there are.
        #[derive(Deserialize)]
        struct Head {
            family: Option<Family>,
        }
        /// The families that name themselves.
        #[derive(Deserialize)]
        #[serde(rename_all = "lowercase")]
        enum Family {
            /// The word in the files of these methods, which their hash holds.
            #[serde(rename = "separable")]
            Peers,
            Peaks,
        }
        let method = match toml::from_str::<Head>(text)?.family {
            None => {
                let settings: map::Settings = toml::from_str(text)?;
                settings.check(text)?;
                Self::Map(Box::new(settings))
            }
            Some(Family::Peers) => {
                let settings: peers::Settings = toml::from_str(text)?;
                settings.check(text)?;
                Self::Peers(Box::new(settings))
            }
            Some(Family::Peaks) => {
                let settings: peaks::Settings = toml::from_str(text)?;
                settings.check(text)?;
                Self::Peaks(Box::new(settings))
            }
        };
        // Rows are known by it, on every terminal.
        let name = method.name();
        if name.trim().is_empty() || printable(name, MESSAGE_CHARS) != name {
            return Err(SettingsError::at(text, "name", "a name that shows, of at most 1000 characters").into());
        }
        Ok(method)
    }

    /// Name under which the rows of the tables carry it.
    pub fn name(&self) -> &str {
        match self {
            Self::Map(settings) => &settings.name,
            Self::Peers(settings) => &settings.name,
            Self::Peaks(settings) => &settings.name,
        }
    }

    /// One sentence for people.
    pub fn description(&self) -> &str {
        match self {
            Self::Map(settings) => &settings.description,
            Self::Peers(settings) => &settings.description,
            Self::Peaks(settings) => &settings.description,
        }
    }

    /// The settings of a method of `map`'s family.
    pub fn as_map(&self) -> Option<&map::Settings> {
        match self {
            Self::Map(settings) => Some(settings),
            Self::Peers(_) | Self::Peaks(_) => None,
        }
    }

    /// The method for edited differences (ON − OFF): without soft ratios between amplitudes, unless its settings ask for them
    /// there. They are what is usual in spectra that are no differences, and would pull what editing was done for.
    #[must_use]
    pub fn in_differences(&self) -> Self {
        match self.clone() {
            Self::Map(settings) => Self::Map(Box::new(settings.in_differences())),
            Self::Peers(settings) => Self::Peers(Box::new(settings.in_differences())),
            peaks @ Self::Peaks(_) => peaks,
        }
    }

    /// The method with its macromolecule pattern as it is at a spectrum's times; `None` where they change nothing: a pattern
    /// of its own stays as it is, and so do the parametrised lists of other programs.
    pub fn weighted(&self, weighting: &Weighting) -> Option<Self> {
        let Self::Map(settings) = self else { return None };
        let components = &settings.components;
        if components.macromolecules != Macromolecules::Peaks || !components.pattern.is_empty() {
            return None;
        }
        let mut settings = settings.clone();
        settings.components.pattern = weighting.pattern()?;
        Some(Self::Map(settings))
    }

    /// The method's model for FIDs of `n_points` samples `dwell_s` apart at `f0_mhz`. Peaks ignore the basis set: theirs is
    /// for `ON − OFF`, with amplitudes in the data's units ([`peaks::Model::new`] for others). With a basis set of differences
    /// it is the method's [`Self::in_differences`].
    ///
    /// # Errors
    /// [`ModelError`] where basis set, grid and window do not meet.
    pub fn model(
        &self,
        basis: &BasisSet,
        n_points: usize,
        dwell_s: f64,
        f0_mhz: f64,
        te_s: Option<f64>,
    ) -> Result<Model, ModelError> {
        let own = is_of_differences(basis).then(|| self.in_differences());
        Ok(match own.as_ref().unwrap_or(self) {
            Self::Map(settings) => Model::Map(map::Model::new(basis, n_points, dwell_s, f0_mhz, te_s, settings)?),
            Self::Peers(settings) => Model::Peers(peers::Model::new(basis, n_points, dwell_s, f0_mhz, te_s, settings)?),
            Self::Peaks(settings) => {
                Model::Peaks(peaks::Model::new(settings, n_points, dwell_s, f0_mhz, peaks::Scale::default())?)
            }
        })
    }
}

impl From<map::Settings> for Method {
    fn from(settings: map::Settings) -> Self {
        Self::Map(Box::new(settings))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn differences_have_no_usual_ratios_unless_the_settings_ask_for_them() {
        for name in Method::built_in_names() {
            let text = toml::to_string(&Method::built_in(name).unwrap().unwrap()).unwrap();
            let own = Method::from_toml(&text).unwrap();
            let plain = toml::to_string(&own.in_differences()).unwrap();
            assert!(!plain.contains("ratios = \"") || plain.contains("ratios = \"none\""), "{name}: {plain}");
            // The same settings with the ratios asked for stay as they are.
            let asked = match own {
                Method::Map(mut settings) => {
                    settings.priors.ratios_in_differences = true;
                    Method::Map(settings)
                }
                Method::Peers(mut settings) => {
                    settings.ratios_in_differences = true;
                    Method::Peers(settings)
                }
                peaks @ Method::Peaks(_) => peaks,
            };
            assert_eq!(asked.in_differences(), asked, "{name}");
        }
    }
}
