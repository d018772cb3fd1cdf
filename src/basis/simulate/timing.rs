//! What is known of a measurement's timing and pulses, before a recipe is made of it.

use std::sync::Arc;

use super::edited::Edited;
use super::pulses::vendors::{Known, Vendor};
use super::stated::Stated;
use crate::acquisition::Facts;

/// Times and pulses that headers seldom hold; a configuration or manifest states them.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Timing {
    /// Pulses and first echo of PRESS.
    pub known: Known,
    /// Pulses that are asked for and that nobody knows.
    pub unknown_pulses: Option<String>,
    /// Mixing time of STEAM (s).
    pub tm_s: Option<f64>,
    /// What a recipe file states.
    pub stated: Option<Arc<Stated>>,
    /// Where the editing pulses of the spectrum stand.
    pub edited: Edited,
}

impl Timing {
    /// What is stated, in header, manifest or configuration.
    pub fn of(facts: &Facts) -> Self {
        let asked = facts.pulses.as_deref().and_then(Vendor::from_name);
        let vendor = facts.vendor.as_deref().and_then(Vendor::from_name);
        Self {
            known: Known { asked, learned: None, vendor, refocus_s: facts.refocus_s, te1_s: facts.te1_s },
            unknown_pulses: facts.pulses.clone().filter(|_| asked.is_none()),
            tm_s: facts.tm_s,
            stated: None,
            edited: Edited::No,
        }
    }

    /// The same with the pulses that the spectra of the protocol speak for.
    #[must_use]
    pub fn with_learned(mut self, learned: Option<Vendor>) -> Self {
        self.known.learned = learned;
        self
    }

    /// The same with what a recipe file states.
    #[must_use]
    pub fn with_recipe(self, stated: Option<Arc<Stated>>) -> Self {
        Self { stated, ..self }
    }
}
