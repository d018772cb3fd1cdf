//! What a simulated basis set is made from, and how much of it a file's header says.

use serde::Serialize;

use super::edited::leave_out_what_cancels;
use super::error::HeaderGaps;
use super::kind::{Kind, is_siemens_own, kind};
use super::merged::Merged;
use super::played::PlayedSequence;
use super::pulses::vendors::{Known, Source, Vendor};
use super::timing::Timing;
use super::{
    BRAIN_METABOLITES, LINEWIDTH_HZ, Library, PreferredSystems, Pulses, Sequence, SetCache, SimulateError, TimeGrid,
    basis_set_kept,
};
use crate::basis::BasisSet;
use crate::basis::check::Protocol;
use crate::hash::sha256_hex;

/// Everything that a simulated basis set depends on, beside the built-in spin systems.
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
    /// Spin systems that a recipe file has instead of the built-in ones.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub spin_systems: Option<PreferredSystems>,
    /// What the header does not say and was taken as usual.
    pub assumed: Vec<String>,
    /// Sequences of the conditions that a set of a difference or a sum adds up, with their signs; `sequence` is the first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub combined: Vec<(f64, Sequence)>,
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
        let mut played = PlayedSequence::ideal(known.asked == Some(Vendor::Ideal));
        let name = sequence.unwrap_or_default();
        let kind = kind(sequence).and_then(|kind| timing.edited.kind(kind, name));
        // Others' PRESS for a vendor's scanners plays pulses of its own; editing pulses are nobody's product.
        let has_own =
            is_siemens_own(protocol.sequence.as_deref().or(sequence)) || kind.as_ref().is_ok_and(|k| k.is_edited());
        let of_vendor = Known { vendor: known.vendor.filter(|v| *v != Vendor::Siemens || has_own), ..known };
        let conditions = timing.edited.conditions();
        let mut combined = Vec::new();
        let sequence = match kind {
            Ok(Kind::Press) => Some(played.press(&of_vendor, te_s, f0_mhz)?),
            Ok(Kind::Steam) => Some(Sequence::Steam { te_s, tm_s: need("tm_s (mixing time of STEAM)", tm_s) }),
            Ok(Kind::SemiLaser) => Some(played.semi_laser(&known, te_s, f0_mhz)?),
            Ok(Kind::Special) => Some(played.special(&of_vendor, te_s, f0_mhz)?),
            Ok(Kind::SpinEcho) => Some(Sequence::SpinEcho { te_s }),
            Ok(kind @ (Kind::MegaPress | Kind::MegaSemiLaser)) => {
                combined = played.edited(kind, conditions, &of_vendor, (te_s, f0_mhz))?;
                combined.first().map(|(_, sequence)| *sequence)
            }
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
            missing.extend(stated.fault_of_conditions(conditions.len()));
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
                spin_systems: timing.stated.as_ref().and_then(|stated| stated.spin_systems.clone()),
                assumed: played.assumed,
                combined: if let [(1.0, _)] = combined[..] { Vec::new() } else { combined },
            }),
            _ => Err(HeaderGaps { missing }),
        }
    }

    /// Simulates the basis set, or takes it from the user's cache.
    ///
    /// # Errors
    /// As [`super::basis_set_with`].
    pub fn basis_set(&self) -> Result<BasisSet, SimulateError> {
        let mut set = match self.combined.split_first() {
            None => self.set_of(&self.sequence)?,
            Some((first, others)) => self.combination(first, others)?,
        };
        set.remarks.extend(self.spin_systems.iter().map(PreferredSystems::remark));
        set.remarks.extend(self.assumed.iter().map(|a| format!("assumed {a}")));
        Ok(set)
    }

    fn set_of(&self, sequence: &Sequence) -> Result<BasisSet, SimulateError> {
        let names: Vec<&str> = self.metabolites.iter().map(String::as_str).collect();
        let (f0, dwell) = (self.f0_mhz, self.dwell_s);
        let time = TimeGrid { f0_mhz: f0, dwell_s: dwell, n_points: self.n_points, linewidth_hz: self.linewidth_hz };
        let cache = SetCache::of_user();
        let library = match &self.spin_systems {
            Some(preferred) => &preferred.library,
            None => Library::built_in()?,
        };
        basis_set_kept(library, &names, sequence, &self.pulses, time, cache.as_ref())
    }

    /// Conditions added with their signs; of a difference without the members that it holds nothing of.
    fn combination(&self, first: &(f64, Sequence), others: &[(f64, Sequence)]) -> Result<BasisSet, SimulateError> {
        let (sign, sequence) = first;
        let mut set = self.set_of(sequence)?;
        let mut made_of = format!("{sign} {}", set.sha256);
        set.fids.mapv_inplace(|z| z * *sign);
        for (sign, sequence) in others {
            let other = self.set_of(sequence)?;
            set.fids.scaled_add((*sign).into(), &other.fids);
            made_of += &format!(" {sign} {}", other.sha256);
        }
        let is_difference = self.combined.iter().any(|(sign, _)| *sign < 0.0);
        set.id += if is_difference { ", difference" } else { ", sum" };
        set.sha256 = sha256_hex(made_of.as_bytes());
        let gone = if is_difference { leave_out_what_cancels(&mut set) } else { Vec::new() };
        if !gone.is_empty() {
            set.remarks.push(format!("left out, as the difference holds none of them: {}", gone.join(", ")));
        }
        Ok(set)
    }
}

#[cfg(test)]
#[path = "recipe_tests.rs"]
mod tests;
