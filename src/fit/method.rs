//! Methods of all families: settings as data, and the models that they become.

use num_complex::Complex64;
use serde::{Deserialize, Serialize};

use super::model::{Model, ModelError};
use super::result::{Curves, FitResult};
use super::settings::Settings;
use super::settings_error::SettingsError;
use super::workspace::Workspace;
use super::{peaks, report, separable, solver};
use crate::basis::BasisSet;

/// Settings of one method, of whichever family.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Method {
    /// The family of `map`.
    Map(Box<Settings>),
    /// The family of other programs' methods.
    Separable(Box<separable::Settings>),
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
    ("map", Settings::MAP_TOML),
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
            Separable,
            Peaks,
        }
        match toml::from_str::<Head>(text)?.family {
            None => {
                let settings: Settings = toml::from_str(text)?;
                settings.check(text)?;
                Ok(Self::Map(Box::new(settings)))
            }
            Some(Family::Separable) => {
                let settings: separable::Settings = toml::from_str(text)?;
                settings.check(text)?;
                Ok(Self::Separable(Box::new(settings)))
            }
            Some(Family::Peaks) => {
                let settings: peaks::Settings = toml::from_str(text)?;
                settings.check(text)?;
                Ok(Self::Peaks(Box::new(settings)))
            }
        }
    }

    /// Name under which the rows of the tables carry it.
    pub fn name(&self) -> &str {
        match self {
            Self::Map(settings) => &settings.name,
            Self::Separable(settings) => &settings.name,
            Self::Peaks(settings) => &settings.name,
        }
    }

    /// One sentence for people.
    pub fn description(&self) -> &str {
        match self {
            Self::Map(settings) => &settings.description,
            Self::Separable(settings) => &settings.description,
            Self::Peaks(settings) => &settings.description,
        }
    }

    /// The settings of a method of `map`'s family.
    pub fn as_map(&self) -> Option<&Settings> {
        match self {
            Self::Map(settings) => Some(settings),
            Self::Separable(_) | Self::Peaks(_) => None,
        }
    }

    /// The method's model for FIDs of `n_points` samples `dwell_s` apart at `f0_mhz`. Peaks ignore the basis set: theirs is
    /// for `ON − OFF`, with amplitudes in the data's units ([`peaks::Model::new`] for others).
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
    ) -> Result<Box<dyn FitModel>, ModelError> {
        Ok(match self {
            Self::Map(settings) => Box::new(Model::new(basis, n_points, dwell_s, f0_mhz, te_s, settings)?),
            Self::Separable(settings) => {
                Box::new(separable::Model::new(basis, n_points, dwell_s, f0_mhz, te_s, settings)?)
            }
            Self::Peaks(settings) => {
                Box::new(peaks::Model::new(settings, n_points, dwell_s, f0_mhz, peaks::Scale::default())?)
            }
        })
    }
}

impl From<Settings> for Method {
    fn from(settings: Settings) -> Self {
        Self::Map(Box::new(settings))
    }
}

/// Limits of a method that a result may run into.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Limits {
    /// Largest common shift (ppm).
    pub max_shift_ppm: f64,
    /// Largest effective dimension of the baseline, where it is limited.
    pub max_baseline_ed: Option<f64>,
}

/// Fits one FID after the other with the same scratch.
pub type Fitter<'a> = Box<dyn FnMut(&[Complex64]) -> FitResult + 'a>;

/// What spectra of one basis set, grid and method share.
pub trait FitModel: Send + Sync {
    /// The model of `map`'s family that this is, if it is one: engines on a device do these.
    fn as_map(&self) -> Option<&Model>;

    /// The model of other programs' methods that this is, if it is one: engines on a device evaluate for these.
    fn as_separable(&self) -> Option<&separable::Model> {
        None
    }

    /// Something that fits one FID after the other with the same scratch.
    fn fitter(&self) -> Fitter<'_>;

    /// The curves of a fit of `fid`.
    fn curves(&self, fid: &[Complex64], fit: &FitResult) -> Curves;

    /// Names of the components in the order of the amplitudes.
    fn component_names(&self) -> Vec<String>;

    /// What the soft rows between amplitudes say.
    fn row_labels(&self) -> Vec<String>;

    /// Linewidth that the basis set already carries (FWHM, Hz; 0 where unknown).
    fn basis_linewidth_hz(&self) -> f64;

    /// What results may run into.
    fn limits(&self) -> Limits;

    /// Name of another condition of the same voxel that completes a result; `None` where a spectrum stands alone.
    fn companion(&self) -> Option<&str> {
        None
    }

    /// Completes the `fit` of `fid` by the companion.
    fn complete(&self, _fit: &mut FitResult, _fid: &[Complex64], _companion: &[Complex64]) {}
}

impl FitModel for Model {
    fn as_map(&self) -> Option<&Model> {
        Some(self)
    }

    fn fitter(&self) -> Fitter<'_> {
        let mut workspace = Workspace::new(self);
        Box::new(move |fid| solver::fit(self, fid, &mut workspace))
    }

    fn curves(&self, fid: &[Complex64], fit: &FitResult) -> Curves {
        report::curves(self, fid, fit)
    }

    fn component_names(&self) -> Vec<String> {
        self.components.iter().map(|c| c.name.clone()).collect()
    }

    fn row_labels(&self) -> Vec<String> {
        self.rows.iter().map(|r| r.label.clone()).collect()
    }

    fn basis_linewidth_hz(&self) -> f64 {
        self.basis_linewidth_hz
    }

    fn limits(&self) -> Limits {
        let [low, high] = self.settings.window_ppm;
        Limits {
            max_shift_ppm: self.settings.start.max_shift_ppm,
            max_baseline_ed: Some(self.settings.baseline.max_ed_per_ppm * (high - low)),
        }
    }
}

impl FitModel for separable::Model {
    fn as_map(&self) -> Option<&Model> {
        None
    }

    fn as_separable(&self) -> Option<&separable::Model> {
        Some(self)
    }

    fn fitter(&self) -> Fitter<'_> {
        Box::new(|fid| separable::fit(self, fid))
    }

    fn curves(&self, fid: &[Complex64], fit: &FitResult) -> Curves {
        separable::curves(self, fid, fit)
    }

    fn component_names(&self) -> Vec<String> {
        self.components.iter().map(|c| c.name.clone()).collect()
    }

    fn row_labels(&self) -> Vec<String> {
        self.rows.iter().map(|r| r.label.clone()).collect()
    }

    fn basis_linewidth_hz(&self) -> f64 {
        self.basis_linewidth_hz
    }

    fn limits(&self) -> Limits {
        use separable::settings::{Baseline, Smoothness, Start};
        let max_shift_ppm = match self.settings.start {
            Start::Grid { max_shift_ppm: [low, high], .. } => low.max(high),
            Start::Correlate { max_shift_ppm } => max_shift_ppm,
        };
        let [low, high] = self.settings.window_ppm;
        let max_baseline_ed = match self.settings.baseline {
            Baseline::PSpline { smoothness: Smoothness::ModifiedAic { max_ed_per_ppm, .. }, .. } => {
                Some(max_ed_per_ppm * (high - low))
            }
            _ => None,
        };
        Limits { max_shift_ppm, max_baseline_ed }
    }
}
