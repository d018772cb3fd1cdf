//! Spin systems as data: chemical shifts, couplings and where they come from.

use std::sync::LazyLock;

use serde::Deserialize;

use super::SimulateError;
use crate::basis::names;

/// The library that ships with the program.
const BUILT_IN: &str = include_str!("spin_systems.toml");

/// A list of metabolites with their spin systems.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Library {
    /// The metabolites.
    #[serde(rename = "metabolite")]
    pub metabolites: Vec<Metabolite>,
}

/// The spin systems of one metabolite.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Metabolite {
    /// Canonical name ([`crate::basis::names`]).
    pub name: String,
    /// Where the values were published.
    pub source: String,
    /// DOI of the source; empty if it has none.
    #[serde(default)]
    pub doi: String,
    /// What other collections have, or what was chosen among several values.
    #[serde(default)]
    pub note: String,
    /// Groups of protons that are not coupled to each other.
    #[serde(rename = "group")]
    pub groups: Vec<Group>,
}

/// Protons of which some are coupled.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Group {
    /// How often the group is there: equivalent copies, or the fraction of an anomer.
    #[serde(default = "one")]
    pub weight: f64,
    /// Chemical shift of each proton (ppm).
    pub ppm: Vec<f64>,
    /// Couplings between protons; those between equivalent protons never show and may be left out.
    #[serde(default, rename = "j_hz")]
    pub couplings: Vec<Coupling>,
    /// Couplings to nuclei that pulses at the proton frequency leave alone.
    #[serde(default)]
    pub other: Vec<OtherNucleus>,
}

/// Coupling between two protons; in a file `[first, second, J]`, counting from 1.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(from = "(usize, usize, f64)")]
pub struct Coupling {
    /// Index of one proton, from 0.
    pub first: usize,
    /// Index of the other, from 0.
    pub second: usize,
    /// J (Hz).
    pub j_hz: f64,
}

impl From<(usize, usize, f64)> for Coupling {
    fn from((first, second, j_hz): (usize, usize, f64)) -> Self {
        // An index of 0 in a file becomes one that no proton has, and is refused by the check.
        Self { first: first.wrapping_sub(1), second: second.wrapping_sub(1), j_hz }
    }
}

/// A nucleus other than a proton.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OtherNucleus {
    /// Which one.
    pub nucleus: Nucleus,
    /// Its coupling to each proton of the group (Hz).
    pub j_hz: Vec<f64>,
}

/// Nuclei that protons couple to in the metabolites of the library.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub enum Nucleus {
    /// Spin ½.
    #[serde(rename = "31P")]
    Phosphorus31,
    /// Spin 1.
    #[serde(rename = "14N")]
    Nitrogen14,
}

impl Nucleus {
    /// Its magnetic quantum numbers.
    fn states(self) -> &'static [f64] {
        match self {
            Self::Phosphorus31 => &[0.5, -0.5],
            Self::Nitrogen14 => &[1.0, 0.0, -1.0],
        }
    }
}

fn one() -> f64 {
    1.0
}

impl Library {
    /// The library that ships with the program.
    ///
    /// # Errors
    /// None with the file that it was built with (a test reads it).
    pub fn built_in() -> Result<&'static Self, SimulateError> {
        static LIBRARY: LazyLock<Result<Library, String>> =
            LazyLock::new(|| Library::from_toml(BUILT_IN).map_err(|error| error.to_string()));
        LIBRARY.as_ref().map_err(|reason| SimulateError::Library { reason: reason.clone() })
    }

    /// Reads a library in the format of the built-in one.
    ///
    /// # Errors
    /// [`SimulateError::Library`] with the metabolite and field that is wrong.
    pub fn from_toml(text: &str) -> Result<Self, SimulateError> {
        let mut library: Self =
            toml::from_str(text).map_err(|error| SimulateError::Library { reason: error.to_string() })?;
        for k in 0..library.metabolites.len() {
            library.metabolites[k].name = names::canonical(&library.metabolites[k].name);
            let (before, rest) = library.metabolites.split_at(k);
            let metabolite = &rest[0];
            let name = &metabolite.name;
            let mut checked = metabolite.check();
            if before.iter().any(|other| other.name == *name) {
                checked = Err("is there twice".to_owned());
            }
            checked.map_err(|reason| SimulateError::Library { reason: format!("{name}: {reason}") })?;
        }
        Ok(library)
    }

    /// The metabolite called `name` (any synonym).
    ///
    /// # Errors
    /// [`SimulateError::UnknownMetabolite`] with the names that there are.
    pub fn get(&self, name: &str) -> Result<&Metabolite, SimulateError> {
        let canonical = names::canonical(name);
        self.metabolites
            .iter()
            .find(|m| m.name == canonical)
            .ok_or_else(|| SimulateError::UnknownMetabolite { name: name.to_owned(), known: self.names().join(" ") })
    }

    /// Names of all metabolites.
    pub fn names(&self) -> Vec<&str> {
        self.metabolites.iter().map(|m| m.name.as_str()).collect()
    }
}

impl Metabolite {
    /// Number of protons, which is the signal after one pulse.
    pub fn protons(&self) -> f64 {
        self.groups.iter().map(|group| group.weight * group.ppm.len() as f64).sum()
    }

    fn check(&self) -> Result<(), String> {
        if self.source.trim().is_empty() {
            return Err("source is empty; say where the values come from".to_owned());
        }
        if self.groups.is_empty() {
            return Err("has no [[metabolite.group]]".to_owned());
        }
        self.groups
            .iter()
            .enumerate()
            .try_for_each(|(k, group)| group.check().map_err(|reason| format!("group {}: {reason}", k + 1)))
    }
}

impl Group {
    fn check(&self) -> Result<(), String> {
        let n = self.ppm.len();
        if n == 0 {
            return Err("ppm is empty".to_owned());
        }
        if !(self.weight.is_finite() && self.weight > 0.0) {
            return Err(format!("weight = {}; it must be positive", self.weight));
        }
        if let Some(ppm) = self.ppm.iter().find(|ppm| !(-5.0..=20.0).contains(*ppm)) {
            return Err(format!("ppm = {ppm} is no shift of a proton"));
        }
        for (k, c) in self.couplings.iter().enumerate() {
            if c.first >= n || c.second >= n || c.first == c.second || !c.j_hz.is_finite() {
                return Err(format!("coupling {} must name two different protons of 1 to {n} and a finite J", k + 1));
            }
            let same =
                |o: &Coupling| (o.first, o.second) == (c.first, c.second) || (o.second, o.first) == (c.first, c.second);
            if self.couplings[..k].iter().any(same) {
                return Err(format!(
                    "the coupling between protons {} and {} is there twice",
                    c.first + 1,
                    c.second + 1
                ));
            }
        }
        for other in &self.other {
            if other.j_hz.len() != n || other.j_hz.iter().any(|j| !j.is_finite()) {
                return Err(format!("couplings to {:?} must be {n} finite numbers, one a proton", other.nucleus));
            }
        }
        Ok(())
    }

    /// The protons in sets that are coupled within, directly or through others, and not between.
    pub(super) fn coupled_sets(&self) -> Vec<Vec<usize>> {
        let mut sets: Vec<Vec<usize>> = (0..self.ppm.len()).map(|q| vec![q]).collect();
        for c in self.couplings.iter().filter(|c| c.j_hz != 0.0) {
            let find = |q: usize, sets: &[Vec<usize>]| sets.iter().position(|set| set.contains(&q));
            if let (Some(a), Some(b)) = (find(c.first, &sets), find(c.second, &sets))
                && a != b
            {
                let moved = sets.swap_remove(a.max(b));
                sets[a.min(b)].extend(moved);
            }
        }
        for set in &mut sets {
            set.sort_unstable();
        }
        sets.sort();
        sets
    }

    /// For every joint state of the other nuclei, what it adds to the frequency of each of `members` (Hz).
    pub(super) fn other_nuclei_states(&self, members: &[usize]) -> Vec<Vec<f64>> {
        let mut states = vec![vec![0.0; members.len()]];
        for other in &self.other {
            if members.iter().all(|&q| other.j_hz[q] == 0.0) {
                continue;
            }
            states = states
                .iter()
                .flat_map(|state| {
                    other
                        .nucleus
                        .states()
                        .iter()
                        .map(move |m| state.iter().zip(members).map(|(hz, &q)| hz + m * other.j_hz[q]).collect())
                })
                .collect();
        }
        states
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]
    use super::*;

    fn library(group: &str) -> Result<Library, SimulateError> {
        Library::from_toml(&format!(
            "[[metabolite]]\nname = \"mI\"\nsource = \"test\"\n[[metabolite.group]]\n{group}\n"
        ))
    }

    #[test]
    fn the_built_in_library_reads_and_names_its_sources() {
        let built_in = Library::built_in().unwrap();
        for name in "Ace Ala Asc Asp Cr PCr GABA Glc Gln Glu Gly GPC PCh Cho GSH Ins Scyllo Lac NAA NAAG PE Ser Tau EtOH bHB Cit H2O".split(' ') {
            let metabolite = built_in.get(name).unwrap();
            assert_eq!(metabolite.name, name);
            assert!(metabolite.source.len() > 10, "{name}");
        }
    }

    #[test]
    fn protons_of_known_molecules() {
        let built_in = Library::built_in().unwrap();
        for (name, protons) in [
            ("Cr", 5.0),
            ("Ins", 6.0),
            ("Scyllo", 6.0),
            ("GPC", 18.0),
            ("PCh", 13.0),
            ("Glc", 7.0),
            ("Glu", 5.0),
            ("GABA", 6.0),
            ("GSH", 10.0),
            ("H2O", 2.0),
        ] {
            assert!((built_in.get(name).unwrap().protons() - protons).abs() < 1e-12, "{name}");
        }
    }

    #[test]
    fn names_are_canonical_and_unknown_ones_list_the_others() {
        let read = library("ppm = [1.0]").unwrap();
        assert_eq!(read.names(), ["Ins"]);
        assert_eq!(read.get("myo-inositol").unwrap().name, "Ins");
        let message = read.get("Unheard").unwrap_err().to_string();
        assert!(message.contains("Unheard") && message.contains("Ins"), "{message}");
    }

    #[test]
    fn faulty_groups_are_refused() {
        for (group, expected) in [
            ("ppm = []", "empty"),
            ("ppm = [1.0]\nweight = 0.0", "weight"),
            ("ppm = [1.0, 100.0]", "no shift"),
            ("ppm = [1.0, 2.0]\nj_hz = [[0, 1, 7.0]]", "coupling 1"),
            ("ppm = [1.0, 2.0]\nj_hz = [[1, 3, 7.0]]", "coupling 1"),
            ("ppm = [1.0, 2.0]\nj_hz = [[1, 2, 7.0], [2, 1, 7.0]]", "twice"),
            ("ppm = [1.0, 2.0]\nother = [{ nucleus = \"31P\", j_hz = [1.0] }]", "2 finite numbers"),
            ("ppm = [1.0]\nunheard = 1", "unheard"),
        ] {
            let message = library(group).unwrap_err().to_string();
            assert!(message.contains(expected), "{group}: {message}");
        }
    }

    #[test]
    fn coupled_sets_follow_chains() {
        let read = library("ppm = [1.0, 2.0, 3.0, 4.0, 5.0]\nj_hz = [[1, 3, 7.0], [5, 3, 2.0], [2, 4, 0.0]]").unwrap();
        assert_eq!(read.metabolites[0].groups[0].coupled_sets(), [vec![0, 2, 4], vec![1], vec![3]]);
    }
}
