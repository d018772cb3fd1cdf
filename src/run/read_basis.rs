//! A basis set that a run uses: what is known of it, and what it makes doubtful in the rows that are fitted with it.

use std::sync::{Arc, Mutex, PoisonError};

use super::load::Failure;
use crate::acquisition::{named_editing, shared_f0_mhz};
use crate::basis::BasisSet;
use crate::basis::check::{Finding, Protocol};
use crate::basis::simulate::pulses::Source as PulseSource;
use crate::basis::simulate::{Pulses, Recipe, Sequence};
use crate::error_chain::error_chain;
use crate::learned::PulsesOf;
use crate::prepare::Spectrum;
use crate::quantify::singlet::signal_per_proton;

/// The pulses of a simulated set.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct BasisPulses {
    pub(crate) name: Option<String>,
    /// First echo of PRESS (s).
    pub(crate) te1_s: Option<f64>,
    /// Where they are from.
    pub(crate) source: Option<&'static str>,
}

/// A basis set, and the signal of one proton in it where its singlets say so.
pub(super) struct ReadBasis {
    pub(super) set: BasisSet,
    pub(super) signal_per_proton: Option<f64>,
    /// How far its singlets lie off (ppm), where they agree.
    offset_ppm: Option<f64>,
    /// Major metabolites that it lacks, in words.
    lacks: Option<String>,
    /// Singlets that disagree, in words.
    misplaced: Option<String>,
    /// The recipe of a simulated set.
    recipe: Option<Recipe>,
    /// The set on the grid of the data that asked for it last.
    on_grid: Mutex<Option<Arc<BasisSet>>>,
}

impl ReadBasis {
    pub(super) fn new(set: BasisSet, recipe: Option<Recipe>) -> Self {
        let signal_per_proton = signal_per_proton(&set).map(|(signal, _)| signal);
        let (lacks, misplaced) = (lacks(&set), misplaced(&set));
        let offset_ppm = set.offset_ppm();
        Self { set, signal_per_proton, offset_ppm, lacks, misplaced, recipe, on_grid: Mutex::default() }
    }

    /// The set on the grid of `data`: trials of one spectrum share it.
    ///
    /// # Errors
    /// As of [`BasisSet::regrid`].
    pub(super) fn on_grid_of(&self, data: &Spectrum) -> Result<Arc<BasisSet>, Failure> {
        let (n_points, dwell_s, f0_mhz) = (data.fid.len(), data.dwell_s, shared_f0_mhz(data.f0_mhz));
        // Whoever panicked with it left a whole set or none.
        let mut kept = self.on_grid.lock().unwrap_or_else(PoisonError::into_inner);
        let is_asked = |set: &&Arc<BasisSet>| {
            let grid = (set.fids.ncols(), set.dwell_s.to_bits(), set.f0_mhz.to_bits());
            grid == (n_points, dwell_s.to_bits(), f0_mhz.to_bits())
        };
        if let Some(set) = kept.as_ref().filter(is_asked) {
            return Ok(set.clone());
        }
        let regrid = self.set.regrid(dwell_s, f0_mhz, n_points);
        let fids = regrid.map_err(|e| Failure::new("model", error_chain(&e)))?;
        let set = Arc::new(BasisSet { fids, dwell_s, f0_mhz, ..self.set.clone() });
        *kept = Some(set.clone());
        Ok(set)
    }

    /// How it differs from what is known about the data.
    pub(super) fn check(&self, data: &Protocol) -> Vec<Finding> {
        self.set.check_with(data, self.offset_ppm)
    }

    /// Flags of the rows of `data` that are fitted with this set, and what they mean in words. An edited difference holds what
    /// its pulses leave.
    ///
    /// # Errors
    /// The set is not for these data at all.
    pub(super) fn faults(
        &self,
        data: &Protocol,
        is_difference: bool,
        is_edited: bool,
    ) -> Result<(Vec<&'static str>, Vec<String>), Finding> {
        let (mut flags, mut words) = (Vec::new(), Vec::new());
        for finding in self.check(data) {
            if finding.refuses() {
                return Err(finding);
            }
            if is_edited && self.says_only_that_it_is_edited(&finding) {
                continue;
            }
            if finding.is_of_another_protocol() && !flags.contains(&"basis_mismatch") {
                flags.push("basis_mismatch");
            }
            words.push(finding.to_string());
        }
        if let Some(unknown) = self.te_not_compared(data) {
            flags.push("basis_te_unknown");
            words.push(unknown);
        }
        if let Some(lacks) = self.lacks.as_ref().filter(|_| !is_difference) {
            flags.push("basis_lacks_major");
            words.push(lacks.clone());
        }
        if let Some(misplaced) = &self.misplaced {
            flags.push("basis_singlets_disagree");
            words.push(misplaced.clone());
        }
        if let Some(recipe) = &self.recipe {
            of_assumed(recipe, &mut flags, &mut words);
        }
        Ok((flags, words))
    }

    /// Why nothing says whether set and `data` have the same echo time, where a set was given.
    fn te_not_compared(&self, data: &Protocol) -> Option<String> {
        if self.recipe.is_some() {
            return None;
        }
        match (self.set.te_s, data.te_s) {
            (Some(_), Some(_)) => None,
            (None, data_s) => {
                let data_s = data_s.map_or("none, too".to_owned(), |te| format!("{:.1} ms", 1e3 * te));
                Some(format!(
                    "states no echo time, data {data_s}: check that it was made for theirs, and state it (`requant basis convert`)"
                ))
            }
            (Some(basis_s), None) => Some(format!(
                "for TE {:.1} ms, data state no echo time: give --te-s, or te_s in a manifest",
                1e3 * basis_s
            )),
        }
    }

    /// Files of edited scans name the localisation alone, as a rule: their labels or their data say that they are edited.
    fn says_only_that_it_is_edited(&self, finding: &Finding) -> bool {
        matches!(finding, Finding::Sequence { .. })
            && self.set.sequence.as_deref().is_some_and(|name| named_editing(name).is_some())
    }

    /// Where its pulses are from.
    pub(super) fn pulses_of(&self) -> PulsesOf {
        self.recipe.as_ref().map_or(PulsesOf::File, |recipe| PulsesOf::Simulated(recipe.pulse_source))
    }

    /// Whether it was simulated with pulses that were learned.
    pub(super) fn has_learned_pulses(&self) -> bool {
        self.recipe.as_ref().is_some_and(|recipe| recipe.pulse_source == PulseSource::Learned)
    }

    /// What rows say about the pulses of a simulated set.
    pub(super) fn pulses(&self) -> BasisPulses {
        let Some(recipe) = &self.recipe else { return BasisPulses::default() };
        let te1_s = te1_s(recipe);
        BasisPulses { name: Some(recipe.pulse_name.clone()), te1_s, source: Some(recipe.pulse_source.as_str()) }
    }
}

/// First echo of a sequence that has one of its own.
fn te1_s(recipe: &Recipe) -> Option<f64> {
    match recipe.sequence {
        Sequence::Press { te1_s, .. } | Sequence::MegaPress { te1_s, .. } | Sequence::Hermes { te1_s, .. } => {
            Some(te1_s)
        }
        _ => None,
    }
}

/// Flags of what a recipe takes for want of knowledge, and what they mean in words.
fn of_assumed(recipe: &Recipe, flags: &mut Vec<&'static str>, words: &mut Vec<String>) {
    let Recipe { assumed, pulses, pulse_name, pulse_source, .. } = recipe;
    let te1_s = te1_s(recipe);
    let is_assumed = |what: &str| assumed.iter().any(|one| one.starts_with(what));
    if let Some(te1_s) = te1_s.filter(|_| is_assumed("te1_s")) {
        flags.push("te1_assumed");
        words.push(format!(
            "the first echo of PRESS was taken as {:.2} ms ({pulse_name}): every millisecond beside it is 2 % of glutamate; state te1_s",
            1e3 * te1_s
        ));
    }
    if is_assumed("editing pulse") {
        flags.push("edit_pulse_assumed");
        words.push(format!(
            "nobody states the shape of the editing pulses; usual ones were taken ({pulse_name}); state them in a recipe (role = \"edit\")"
        ));
    }
    let costs = match (&recipe.sequence, pulses) {
        (Sequence::PulseAcquire {} | Sequence::SpinEcho { .. }, _) => None,
        (Sequence::Steam { .. }, _) => Some("glutamate may be off by 3 %, inositol by 4 %"),
        (Sequence::SemiLaser { .. } | Sequence::MegaSemiLaser { .. }, _) => {
            Some("glutamate may be off by 1 %, GABA by 2 %")
        }
        (_, Pulses::Ideal) => Some("glutamate may be off by 17 %, glutamine by half"),
        (_, Pulses::Shaped(_)) => Some("glutamate may be off by 5 %, glutamine by a quarter"),
    };
    if let Some(costs) = costs.filter(|_| *pulse_source == PulseSource::Generic) {
        flags.push("basis_pulse_unknown");
        words.push(format!(
            "nobody knows the slice-selective pulses; {pulse_name} was taken: {costs}; state `pulses` or a recipe"
        ));
    }
}

fn lacks(set: &BasisSet) -> Option<String> {
    let lacking = set.lacking_majors();
    let unknown = set.unknown_members();
    let beside = match unknown.is_empty() {
        true => String::new(),
        false => format!(" (members of unknown names: {})", unknown.join(", ")),
    };
    (!lacking.is_empty()).then(|| {
        format!("the basis set has no {}{beside}: others and the baseline take its signal", lacking.join(", "))
    })
}

fn misplaced(set: &BasisSet) -> Option<String> {
    let all = set.misplaced_singlets();
    let list: Vec<String> = all.iter().map(|(name, apart)| format!("{name} {apart:+.3} ppm")).collect();
    (!list.is_empty()).then(|| {
        format!("singlets of the basis set disagree, and not by one factor: {} from where others say", list.join(", "))
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use crate::basis::simulate::basis_set;

    #[test]
    fn sets_of_another_protocol_are_told_and_editing_alone_is_none() {
        let flags = |basis: (&str, f64), data: (&str, f64), is_edited: bool| {
            let set = basis_set(&["Cr", "NAA"], &Sequence::PulseAcquire {}, 123.2, 5e-4, 1024, 1.0).unwrap();
            let set = BasisSet { sequence: Some(basis.0.to_owned()), te_s: Some(basis.1), ..set };
            let (sequence, te_s) = (Some(data.0.to_owned()), Some(data.1));
            let data = Protocol { sequence, te_s, f0_mhz: Some(123.2), ..Protocol::default() };
            let (flags, words) = ReadBasis::new(set, None).faults(&data, true, is_edited).unwrap();
            assert_eq!(flags.is_empty(), words.is_empty(), "{flags:?} {words:?}");
            flags
        };
        assert_eq!(flags(("PRESS", 0.03), ("press", 0.031), false), [""; 0]);
        assert_eq!(flags(("PRESS", 0.03), ("press", 0.035), false), ["basis_mismatch"]);
        assert_eq!(flags(("STEAM", 0.03), ("PRESS", 0.045), false), ["basis_mismatch"]);
        // The header of an edited scan names the localisation; a set without the editing is for another scan.
        assert_eq!(flags(("MEGA-PRESS", 0.068), ("PRESS", 0.068), true), [""; 0]);
        assert_eq!(flags(("MEGA-PRESS", 0.068), ("PRESS", 0.068), false), ["basis_mismatch"]);
        assert_eq!(flags(("PRESS", 0.068), ("MEGA-PRESS", 0.068), true), ["basis_mismatch"]);
        assert_eq!(flags(("MEGA-PRESS", 0.068), ("PRESS", 0.08), true), ["basis_mismatch"]);
    }

    #[test]
    fn echo_times_that_nobody_can_compare_are_told_unless_the_set_was_made_for_the_data() {
        let set = basis_set(&["Cr", "NAA"], &Sequence::PulseAcquire {}, 123.2, 5e-4, 1024, 1.0).unwrap();
        let flags = |basis_s: Option<f64>, data_s: Option<f64>| {
            let set = BasisSet { te_s: basis_s, ..set.clone() };
            let data = Protocol { te_s: data_s, ..Protocol::default() };
            ReadBasis::new(set, None).faults(&data, true, false).unwrap()
        };
        assert_eq!(flags(Some(0.03), Some(0.03)), (vec![], vec![]));
        for (basis_s, data_s, word) in
            [(None, Some(0.03), "30.0 ms"), (Some(0.03), None, "--te-s"), (None, None, "none")]
        {
            let (flags, words) = flags(basis_s, data_s);
            assert_eq!(flags, ["basis_te_unknown"], "{basis_s:?} {data_s:?}");
            assert!(words[0].contains(word), "{words:?}");
        }
    }
}
