//! The configuration of a run: what a file given with `--config` may hold.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::fit::Method;
use crate::fit::method::MethodError;
use crate::prepare::Preparation;
use crate::quantify::WaterScaling;

/// Values that fill gaps where neither file nor manifest states them.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Gaps {
    /// Sequence name (PRESS, STEAM, sLASER, SPECIAL, spin-echo, or a vendor's).
    pub sequence: Option<String>,
    /// Spectrometer frequency (MHz).
    pub f0_mhz: Option<f64>,
    /// Time between two samples (s).
    pub dwell_s: Option<f64>,
    /// Echo time (s).
    pub te_s: Option<f64>,
    /// Repetition time (s).
    pub tr_s: Option<f64>,
    /// First echo of PRESS (s), to simulate its basis set.
    pub te1_s: Option<f64>,
    /// Mixing time of STEAM (s), to simulate its basis set.
    pub tm_s: Option<f64>,
}

impl Gaps {
    /// These values, and `other`'s where these have none.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self {
            f0_mhz: self.f0_mhz.or(other.f0_mhz),
            dwell_s: self.dwell_s.or(other.dwell_s),
            te_s: self.te_s.or(other.te_s),
            tr_s: self.tr_s.or(other.tr_s),
            sequence: self.sequence.or(other.sequence),
            te1_s: self.te1_s.or(other.te1_s),
            tm_s: self.tm_s.or(other.tm_s),
        }
    }
}

/// A configuration file.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Values for files that do not state them.
    pub gaps: Gaps,
    /// How spectra are prepared.
    pub prepare: Preparation,
    /// Constants of water scaling; LCModel's where it is left out.
    pub water_scaling: Option<WaterScaling>,
}

/// Why a configuration file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// It cannot be read.
    #[error("{}: cannot be read: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// It is no method; the message names line and key.
    #[error("{}: {source}", path.display())]
    Method {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: Box<MethodError>,
    },
    /// It does not parse; the message names line and key.
    #[error("{}: {source}", path.display())]
    Toml {
        /// The file.
        path: PathBuf,
        /// What does not parse.
        source: Box<toml::de::Error>,
    },
}

impl Config {
    /// Reads a TOML file. Unknown keys are errors that name the valid ones.
    pub fn read(path: &Path) -> Result<Self, ConfigError> {
        toml_from_file(path)
    }
}

/// Reads a method of any family from its file.
pub fn method_from_file(path: &Path) -> Result<Method, ConfigError> {
    let text = std::fs::read_to_string(path).map_err(|source| ConfigError::Io { path: path.to_owned(), source })?;
    Method::from_toml(&text).map_err(|source| ConfigError::Method { path: path.to_owned(), source: Box::new(source) })
}

/// Reads any of the TOML files that users write.
pub fn toml_from_file<T: serde::de::DeserializeOwned>(path: &Path) -> Result<T, ConfigError> {
    let text = std::fs::read_to_string(path).map_err(|source| ConfigError::Io { path: path.to_owned(), source })?;
    toml::from_str(&text).map_err(|source| ConfigError::Toml { path: path.to_owned(), source: Box::new(source) })
}
