//! The configuration of a run: what a file given with `--config` may hold.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::acquisition::Facts;
use crate::fit::Method;
use crate::fit::method::MethodError;
use crate::prepare::Preparation;
use crate::quantify::WaterScaling;
use crate::regular_file;

/// A configuration file.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Values that fill gaps where neither file nor manifest states them.
    pub gaps: Facts,
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
    /// A value of its table `gaps` cannot be right.
    #[error("{}: gaps.{fault}", path.display())]
    Gaps {
        /// The file.
        path: PathBuf,
        /// Which, and what would be right.
        fault: String,
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
        let config: Self = toml_from_file(path)?;
        match config.gaps.fault() {
            Some(fault) => Err(ConfigError::Gaps { path: path.to_owned(), fault }),
            None => Ok(config),
        }
    }
}

/// Largest file of settings that is read (bytes): all that are shipped together have a tenth of it.
const MAX_BYTES: u64 = 1 << 20;

fn text_of(path: &Path) -> Result<String, ConfigError> {
    regular_file::text(path, MAX_BYTES).map_err(|source| ConfigError::Io { path: path.to_owned(), source })
}

/// Reads a method of any family from its file.
pub fn method_from_file(path: &Path) -> Result<Method, ConfigError> {
    let text = text_of(path)?;
    Method::from_toml(&text).map_err(|source| ConfigError::Method { path: path.to_owned(), source: Box::new(source) })
}

/// Reads any of the TOML files that users write.
pub fn toml_from_file<T: serde::de::DeserializeOwned>(path: &Path) -> Result<T, ConfigError> {
    let text = text_of(path)?;
    toml::from_str(&text).map_err(|source| ConfigError::Toml { path: path.to_owned(), source: Box::new(source) })
}
