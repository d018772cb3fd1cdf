//! Basis sets from spin systems: a density matrix for every metabolite, at any field and timing.
//!
//! [`spin_systems`] holds shifts and couplings as data, [`sequences`] turns a protocol into events,
//! `operators` and `hamiltonian` carry the density matrix through them, and [`signal`] makes lines and
//! free induction decays of what the receiver sees. Relaxation is left to the fit; amplitudes are in
//! protons, so a pulse-acquire FID starts at the metabolite's number of protons.

mod cache;
mod contradictions;
pub mod edited;
mod error;
mod events;
mod fsl_sequence;
mod hamiltonian;
mod kind;
mod merged;
mod mrscloud;
mod operators;
mod played;
mod preferred;
pub mod pulses;
pub mod recipe;
mod recipe_file;
pub mod sequences;
pub mod signal;
pub mod spin_systems;
mod stated;
mod timing;

use ndarray::Array2;
use num_complex::Complex64;
use rayon::prelude::*;

pub(crate) use cache::SetCache;
pub use error::{HeaderGaps, SimulateError};
#[cfg(feature = "cli")]
pub(crate) use kind::{SEQUENCE_NAMES, sequence_fault};
pub use preferred::PreferredSystems;
pub use pulses::Pulses;
pub use recipe::Recipe;
pub use sequences::{Band, Event, Pulse, Sequence};
pub use signal::{Line, Transitions, transitions};
pub use spin_systems::{Library, Metabolite};
pub use stated::{RecipeFault, Stated};
pub use timing::Timing;

use pulses::{Program, Scale, Shaped};

use super::BasisSet;
use crate::hash::sha256_hex;
use crate::interrupt;

/// What a basis set for the brain holds unless somebody asks for other members: what LCModel's own sets
/// hold, ascorbate, glycine and phosphorylethanolamine.
pub const BRAIN_METABOLITES: [&str; 20] = [
    "Ala", "Asc", "Asp", "Cr", "PCr", "GABA", "Glc", "Gln", "Glu", "Gly", "GPC", "PCh", "GSH", "Ins", "Lac", "NAA",
    "NAAG", "PE", "Scyllo", "Tau",
];

/// Lorentzian width of simulated members unless somebody asks for another (FWHM, Hz): narrower than any
/// brain, wide enough that the FIDs of usual lengths end near zero.
pub const LINEWIDTH_HZ: f64 = 1.0;

/// The basis set of `metabolites` (any synonyms; the built-in library) for one protocol.
///
/// Every FID has the Lorentzian width `linewidth_hz` (FWHM) and is in protons; first samples have full
/// weight ([`super::FirstPoint::Full`]).
///
/// # Errors
/// [`SimulateError`]: an unknown or repeated metabolite, an impossible timing, a grid that makes no sense.
pub fn basis_set(
    metabolites: &[&str],
    sequence: &Sequence,
    f0_mhz: f64,
    dwell_s: f64,
    n_points: usize,
    linewidth_hz: f64,
) -> Result<BasisSet, SimulateError> {
    basis_set_from(Library::built_in()?, metabolites, sequence, f0_mhz, dwell_s, n_points, linewidth_hz)
}

/// As [`basis_set`], with the spin systems of `library`.
///
/// # Errors
/// As [`basis_set`], and [`SimulateError::TooManySpins`].
pub fn basis_set_from(
    library: &Library,
    metabolites: &[&str],
    sequence: &Sequence,
    f0_mhz: f64,
    dwell_s: f64,
    n_points: usize,
    linewidth_hz: f64,
) -> Result<BasisSet, SimulateError> {
    let time = TimeGrid { f0_mhz, dwell_s, n_points, linewidth_hz };
    basis_set_with(library, metabolites, sequence, &Pulses::Ideal, time)
}

/// What the members of a set are sampled with.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TimeGrid {
    /// Spectrometer frequency (MHz).
    pub f0_mhz: f64,
    /// Time between two samples (s).
    pub dwell_s: f64,
    /// Number of samples.
    pub n_points: usize,
    /// Lorentzian width (FWHM, Hz).
    pub linewidth_hz: f64,
}

impl TimeGrid {
    fn check(self) -> Result<(), SimulateError> {
        let Self { f0_mhz, dwell_s, n_points, linewidth_hz } = self;
        let positive = |x: f64| x.is_finite() && x > 0.0;
        let usable_width = linewidth_hz.is_finite() && linewidth_hz >= 0.0;
        match positive(dwell_s) && positive(f0_mhz) && n_points > 0 && usable_width {
            true => Ok(()),
            false => Err(SimulateError::Grid { dwell_s, f0_mhz, n_points, linewidth_hz }),
        }
    }
}

/// As [`basis_set_from`], with the pulses of a scanner. A proton at the pulses' carrier has the signal that ideal pulses
/// give, so that amplitudes stay in protons.
///
/// # Errors
/// As [`basis_set_from`], and [`SimulateError::Pulse`] and [`SimulateError::Timing`] for pulses that cannot be played.
pub fn basis_set_with(
    library: &Library,
    metabolites: &[&str],
    sequence: &Sequence,
    pulses: &Pulses,
    time: TimeGrid,
) -> Result<BasisSet, SimulateError> {
    basis_set_kept(library, metabolites, sequence, pulses, time, None)
}

/// As [`basis_set_with`]; sets with shaped pulses are taken from `cache` and put there.
pub(crate) fn basis_set_kept(
    library: &Library,
    metabolites: &[&str],
    sequence: &Sequence,
    pulses: &Pulses,
    time: TimeGrid,
    cache: Option<&SetCache>,
) -> Result<BasisSet, SimulateError> {
    time.check()?;
    let TimeGrid { f0_mhz, dwell_s, n_points, linewidth_hz } = time;
    let members: Vec<&Metabolite> = metabolites.iter().map(|name| library.get(name)).collect::<Result<_, _>>()?;
    for (k, member) in members.iter().enumerate() {
        if members[..k].iter().any(|other| other.name == member.name) {
            return Err(SimulateError::Duplicate { name: member.name.clone() });
        }
    }
    // Everything that the samples depend on: equal sets have equal hashes, whatever machine made them.
    let shaped = Played::shaped(sequence, pulses);
    let with = shaped.map(|_| format!(" {pulses:?}")).unwrap_or_default();
    let recipe = format!("{members:?} {sequence:?} {f0_mhz:?} {dwell_s:?} {n_points} {linewidth_hz:?}{with}");
    let sha256 = sha256_hex(recipe.as_bytes());
    // Ideal pulses cost less than the reading.
    let cache = cache.filter(|_| shaped.is_some());
    let kept = cache.and_then(|cache| cache.get(&sha256, (members.len(), n_points)));
    let fids = match kept {
        Some(fids) => fids,
        None => {
            let fids = Played::new(sequence, pulses, f0_mhz)?.fids(&members, time)?;
            if let Some(cache) = cache {
                cache.keep(&sha256, &fids);
            }
            fids
        }
    };
    let te_s = sequence.te_s();
    let in_words = shaped.map_or_else(|| "ideal pulses".to_owned(), |s| format!("shaped pulses: {}", s.name));
    Ok(BasisSet {
        id: format!(
            "simulated {} TE {:.4} ms, {f0_mhz:.4} MHz, {n_points} x {:.6} ms",
            sequence.name(),
            te_s * 1e3,
            dwell_s * 1e3
        ),
        metabolites: members.iter().map(|m| m.name.clone()).collect(),
        fids,
        dwell_s,
        f0_mhz,
        te_s: Some(te_s),
        sequence: Some(sequence.name().to_owned()),
        linewidth_hz: Some(linewidth_hz),
        fwhmba_ppm: None,
        singlet_fwhm_hz: Some(linewidth_hz),
        sha256,
        remarks: vec![format!("simulated with {in_words}")],
    })
}

/// A sequence ready to be played on spin systems.
enum Played<'a> {
    Ideal(Vec<Event>),
    Shaped { program: Program, shaped: &'a Shaped, scale: Scale },
}

impl<'a> Played<'a> {
    /// The shaped pulses that a sequence is played with, if it has places for them.
    fn shaped(sequence: &Sequence, pulses: &'a Pulses) -> Option<&'a Shaped> {
        match pulses {
            Pulses::Shaped(shaped) if shaped.blocks.is_some() || Program::has_places(sequence) => Some(shaped),
            _ => None,
        }
    }

    fn new(sequence: &Sequence, pulses: &'a Pulses, f0_mhz: f64) -> Result<Self, SimulateError> {
        let events = sequence.events()?;
        let Some(shaped) = Self::shaped(sequence, pulses) else { return Ok(Self::Ideal(events)) };
        let Some(program) = Program::new(sequence, shaped, f0_mhz, true)? else { return Ok(Self::Ideal(events)) };
        let unedited = Program::new(sequence, shaped, f0_mhz, false)?.unwrap_or_else(|| program.clone());
        let ideal = if let Sequence::Steam { .. } = sequence { 0.5 } else { 1.0 };
        let scale =
            Scale::new(&unedited, shaped, f0_mhz, Complex64::new(ideal, 0.0)).map_err(|_| SimulateError::Pulse {
                sequence: sequence.name(),
                reason: "they leave nothing of a singlet at their carrier".to_owned(),
            })?;
        Ok(Self::Shaped { program, shaped, scale })
    }

    fn lines(&self, member: &Metabolite, f0_mhz: f64) -> Result<Transitions, SimulateError> {
        match self {
            Self::Ideal(events) => transitions(member, events, f0_mhz),
            Self::Shaped { program, shaped, scale } => {
                signal::shaped_transitions(member, program, (shaped, *scale), f0_mhz)
            }
        }
    }

    /// The free induction decays of `members`.
    fn fids(&self, members: &[&Metabolite], time: TimeGrid) -> Result<Array2<Complex64>, SimulateError> {
        let TimeGrid { f0_mhz, dwell_s, n_points, linewidth_hz } = time;
        let rows: Vec<Vec<Complex64>> = members
            .par_iter()
            .map(|member| match interrupt::asked() {
                true => Err(SimulateError::Stopped),
                false => Ok(self.lines(member, f0_mhz)?.fid(dwell_s, n_points, linewidth_hz)),
            })
            .collect::<Result<_, SimulateError>>()?;
        let mut fids = Array2::zeros((members.len(), n_points));
        for (mut row, fid) in fids.rows_mut().into_iter().zip(rows) {
            row.iter_mut().zip(fid).for_each(|(sample, value)| *sample = value);
        }
        Ok(fids)
    }
}
