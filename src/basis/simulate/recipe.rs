//! What a simulated basis set is made from, and how much of it a file's header says.

use std::sync::Arc;

use serde::Serialize;

use super::merged::{Kind, Merged, is_siemens_own, kind};
use super::pulses::Program;
use super::pulses::vendors::{self, Known, Source, Vendor};
use super::{
    BRAIN_METABOLITES, LINEWIDTH_HZ, Library, Pulses, Sequence, SetCache, SimulateError, Stated, TimeGrid,
    basis_set_kept,
};
use crate::acquisition::Facts;
use crate::basis::BasisSet;
use crate::basis::check::Protocol;

/// Everything that a simulated basis set depends on, beside the spin systems.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Recipe {
    /// Sequence and its times.
    pub sequence: Sequence,
    /// Its pulses.
    pub pulses: Pulses,
    /// Their name.
    pub pulse_name: String,
    /// Where they are from.
    pub pulse_source: Source,
    /// Spectrometer frequency (MHz).
    pub f0_mhz: f64,
    /// Time between two samples (s).
    pub dwell_s: f64,
    /// Number of samples.
    pub n_points: usize,
    /// Lorentzian width (FWHM, Hz).
    pub linewidth_hz: f64,
    /// Members.
    pub metabolites: Vec<String>,
    /// What the header does not say and was taken as usual.
    pub assumed: Vec<String>,
}

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
}

impl Timing {
    /// What is stated, in header, manifest or configuration.
    pub fn of(facts: &Facts) -> Self {
        let asked = facts.pulses.as_deref().and_then(Vendor::from_name);
        let vendor = facts.vendor.as_deref().and_then(Vendor::from_name);
        Self {
            known: Known { asked, vendor, refocus_s: facts.refocus_s, te1_s: facts.te1_s },
            unknown_pulses: facts.pulses.clone().filter(|_| asked.is_none()),
            tm_s: facts.tm_s,
            stated: None,
        }
    }

    /// The same with what a recipe file states.
    #[must_use]
    pub fn with_recipe(self, stated: Option<Arc<Stated>>) -> Self {
        Self { stated, ..self }
    }
}

/// A header does not say enough for a simulation.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no basis set, and none can be simulated: {}; state it in the manifest or with --config, or give --basis", missing.join(", "))]
pub struct HeaderGaps {
    /// The fields that are missing or cannot be used, each with its column name.
    pub missing: Vec<String>,
}

/// Steps in which frequencies share a basis set (MHz). Couplings in ppm change by 1e-4 of themselves between two
/// of them, and shifts are brought to the data's own frequency.
const F0_STEP_MHZ: f64 = 0.01;

impl Recipe {
    /// The recipe for data of `protocol`.
    ///
    /// # Errors
    /// [`HeaderGaps`] with every field that is missing or cannot be used.
    pub fn from_protocol(protocol: &Protocol, timing: &Timing) -> Result<Self, HeaderGaps> {
        let Merged { known, te_s, tm_s, sequence, mut missing } = Merged::of(protocol, timing);
        let mut need = |name: &str, value: Option<f64>| {
            value.filter(|v| v.is_finite() && *v > 0.0).unwrap_or_else(|| {
                missing.push(name.to_owned());
                1.0
            })
        };
        let te_s = need("te_s", te_s);
        let f0_mhz = need("f0_mhz", protocol.f0_mhz);
        let dwell_s = need("dwell_s", protocol.dwell_s);
        let mut played = PlayedSequence {
            pulses: Pulses::Ideal,
            name: "ideal".to_owned(),
            source: if known.asked == Some(Vendor::Ideal) { Source::Recipe } else { Source::Generic },
            assumed: Vec::new(),
        };
        let sequence = match kind(sequence) {
            Ok(Kind::Press) => {
                let vendor = known
                    .vendor
                    .filter(|v| *v != Vendor::Siemens || is_siemens_own(protocol.sequence.as_deref().or(sequence)));
                Some(played.press(&Known { vendor, ..known }, te_s, f0_mhz)?)
            }
            Ok(Kind::Steam) => Some(Sequence::Steam { te_s, tm_s: need("tm_s (mixing time of STEAM)", tm_s) }),
            Ok(Kind::SemiLaser) => Some(Sequence::SemiLaser { te_s }),
            Ok(Kind::Special) => Some(Sequence::Special { te_s }),
            Ok(Kind::SpinEcho) => Some(Sequence::SpinEcho { te_s }),
            Err(what) => {
                missing.push(what);
                None
            }
        };
        if let Some(unknown) = &timing.unknown_pulses {
            missing.push(format!("pulses (`{unknown}` is none of {})", Vendor::NAMES));
        }
        if let (Some(stated), Some(sequence), true) = (&timing.stated, &sequence, missing.is_empty()) {
            missing.extend(played.state(stated, sequence, f0_mhz).err());
        }
        match sequence {
            Some(sequence) if missing.is_empty() => Ok(Self {
                sequence,
                pulses: played.pulses,
                pulse_name: played.name,
                pulse_source: played.source,
                f0_mhz: (f0_mhz / F0_STEP_MHZ).round() * F0_STEP_MHZ,
                dwell_s,
                n_points: protocol.n_points.unwrap_or(0),
                linewidth_hz: LINEWIDTH_HZ,
                metabolites: BRAIN_METABOLITES.map(str::to_owned).to_vec(),
                assumed: played.assumed,
            }),
            _ => Err(HeaderGaps { missing }),
        }
    }

    /// Simulates the basis set, or takes it from the user's cache.
    ///
    /// # Errors
    /// As [`super::basis_set_with`].
    pub fn basis_set(&self) -> Result<BasisSet, SimulateError> {
        let names: Vec<&str> = self.metabolites.iter().map(String::as_str).collect();
        let (f0, dwell) = (self.f0_mhz, self.dwell_s);
        let time = TimeGrid { f0_mhz: f0, dwell_s: dwell, n_points: self.n_points, linewidth_hz: self.linewidth_hz };
        let mut set = basis_set_kept(
            Library::built_in()?,
            &names,
            &self.sequence,
            &self.pulses,
            time,
            SetCache::of_user().as_ref(),
        )?;
        set.remarks.extend(self.assumed.iter().map(|a| format!("assumed {a}")));
        Ok(set)
    }
}

/// The pulses of a recipe while they are being chosen.
struct PlayedSequence {
    pulses: Pulses,
    name: String,
    source: Source,
    assumed: Vec<String>,
}

/// Part by which frequencies of one field differ: scanners of "3 T" have 2.89 to 3.03 T.
const SAME_FIELD: f64 = 0.06;

impl PlayedSequence {
    /// PRESS with the pulses and the first echo of what is known.
    fn press(&mut self, known: &Known, te_s: f64, f0_mhz: f64) -> Result<Sequence, HeaderGaps> {
        let choice = vendors::choose(known, te_s, f0_mhz).map_err(|e| HeaderGaps { missing: vec![e.to_string()] })?;
        if choice.te1_assumed {
            self.assumed.push(format!("te1_s = {:.5}", choice.te1_s));
        }
        (self.pulses, self.name, self.source) = (choice.pulses, choice.name, choice.source);
        Ok(Sequence::Press { te_s, te1_s: choice.te1_s, te2_s: te_s - choice.te1_s })
    }

    /// The pulses that a recipe file states; an echo that is too short for them is told before anything is fitted.
    fn state(&mut self, stated: &Stated, sequence: &Sequence, f0_mhz: f64) -> Result<(), String> {
        if !stated.states_pulses() {
            return Ok(());
        }
        let fault = |reason: String| format!("recipe (`{}`: {reason})", stated.name);
        if let Some(field_mhz) = stated.field_mhz
            && (f0_mhz / field_mhz - 1.0).abs() > SAME_FIELD
        {
            return Err(fault(format!("it is for {field_mhz:.1} MHz, the data have {f0_mhz:.1} MHz")));
        }
        self.pulses = stated.pulses(&self.pulses, sequence).map_err(fault)?;
        if let Pulses::Shaped(shaped) = &self.pulses {
            Program::new(sequence, shaped, f0_mhz, true).map_err(|e| fault(e.to_string()))?;
            (self.name, self.source) = (shaped.name.clone(), Source::Recipe);
        }
        Ok(())
    }
}

#[cfg(test)]
#[path = "recipe_tests.rs"]
mod tests;
