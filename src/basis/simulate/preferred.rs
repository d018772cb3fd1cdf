//! Spin systems that a recipe prefers to the built-in ones: published values differ, and what that costs is to be seen.

use std::path::Path;
use std::sync::Arc;

use serde::Serialize;

use super::{Library, SimulateError};
use crate::hash::sha256_hex;
use crate::printable::{LABEL_CHARS, printable};

/// Spin systems out of a file that a recipe names.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PreferredSystems {
    /// Name of the file, without its folder.
    pub file: String,
    /// SHA-256 of its text (hex).
    pub sha256: String,
    /// Metabolites whose systems are in it.
    pub metabolites: Vec<String>,
    /// The built-in library with them.
    #[serde(skip)]
    pub library: Arc<Library>,
}

impl PreferredSystems {
    /// Parses the text of `file`, in the format of the built-in library; the metabolites that it has not stay as they are.
    pub(super) fn parse(file: &str, text: &str) -> Result<Self, SimulateError> {
        let own = Library::from_toml(text)?;
        let name = Path::new(file).file_name().unwrap_or_default();
        Ok(Self {
            file: printable(&name.to_string_lossy(), LABEL_CHARS),
            sha256: sha256_hex(text.as_bytes()),
            metabolites: own.names().into_iter().map(str::to_owned).collect(),
            library: Arc::new(Library::built_in()?.replaced_by(&own)?),
        })
    }

    /// What rows are told.
    pub(super) fn remark(&self) -> String {
        format!("spin systems of {} for {}", self.file, self.metabolites.join(", "))
    }
}

impl Library {
    /// This library with the systems of `other` in the place of its own.
    ///
    /// # Errors
    /// [`SimulateError::UnknownMetabolite`] where this one has no such metabolite.
    pub fn replaced_by(&self, other: &Self) -> Result<Self, SimulateError> {
        let mut replaced = self.clone();
        for metabolite in &other.metabolites {
            self.get(&metabolite.name)?;
            replaced.metabolites.retain(|own| own.name != metabolite.name);
            replaced.metabolites.push(metabolite.clone());
        }
        Ok(replaced)
    }
}
