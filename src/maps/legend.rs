//! Numbers for words: images hold numbers only. The numbers are those of a run, the same in each of its images.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::store::{MetaboliteRow, SpectrumRow, Status};

/// What one number stands for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Meaning {
    value: usize,
    means: String,
}

impl Meaning {
    pub(super) fn new(value: usize, means: &str) -> Self {
        Self { value, means: means.to_owned() }
    }
}

/// Words in their order; a word's number is its place, from 1.
type Numbers<T> = BTreeMap<T, usize>;

/// The numbers of a run's flags, error codes and gates. 0 is none of them.
pub(super) struct Legends {
    flags: Numbers<BTreeSet<String>>,
    errors: Numbers<String>,
    gates: Numbers<String>,
}

/// What a row without an error code has, though it was not fitted.
const NOT_FITTED: &str = "not fitted";

fn numbered<T: Ord>(words: BTreeSet<T>) -> Numbers<T> {
    words.into_iter().enumerate().map(|(i, word)| (word, i + 1)).collect()
}

fn meanings<'a>(nothing: &str, numbers: impl Iterator<Item = (String, &'a usize)>) -> Vec<Meaning> {
    let rest = numbers.map(|(means, value)| Meaning { value: *value, means });
    std::iter::once(Meaning::new(0, nothing)).chain(rest).collect()
}

fn number<T: Ord>(numbers: &Numbers<T>, word: &T) -> f32 {
    numbers.get(word).map_or(f32::NAN, |number| *number as f32)
}

fn set(flags: &[String]) -> BTreeSet<String> {
    flags.iter().cloned().collect()
}

fn error_of(error: Option<&str>) -> String {
    error.unwrap_or(NOT_FITTED).to_owned()
}

impl Legends {
    pub(super) fn of(spectra: &[SpectrumRow], metabolites: &[MetaboliteRow]) -> Self {
        let flags = spectra.iter().filter(|row| !row.qc_flags.is_empty()).map(|row| set(&row.qc_flags));
        let failed = spectra.iter().filter(|row| row.status != Status::Ok);
        let gates = spectra.iter().map(|row| &row.gate).chain(metabolites.iter().map(|row| &row.gate));
        Self {
            flags: numbered(flags.collect()),
            errors: numbered(failed.map(|row| error_of(row.error_code.as_deref())).collect()),
            gates: numbered(gates.flatten().cloned().collect()),
        }
    }

    /// The number of a set of flags.
    pub(super) fn flags_of(&self, flags: &[String]) -> f32 {
        if flags.is_empty() { 0.0 } else { number(&self.flags, &set(flags)) }
    }

    /// Every flag that occurs.
    pub(super) fn each_flag(&self) -> BTreeSet<&String> {
        self.flags.keys().flatten().collect()
    }

    pub(super) fn flags(&self) -> Vec<Meaning> {
        let text = |flags: &BTreeSet<String>| flags.iter().map(String::as_str).collect::<Vec<_>>().join(", ");
        meanings("no flag", self.flags.iter().map(|(flags, number)| (text(flags), number)))
    }

    /// The number of what stopped a spectrum.
    pub(super) fn error(&self, error: Option<&str>) -> f32 {
        number(&self.errors, &error_of(error))
    }

    pub(super) fn errors(&self) -> Vec<Meaning> {
        meanings("fitted", self.errors.iter().map(|(code, number)| (code.clone(), number)))
    }

    pub(super) fn has_gates(&self) -> bool {
        !self.gates.is_empty()
    }

    /// The number of the first gate that is not passed.
    pub(super) fn gate(&self, gate: Option<&str>) -> f32 {
        gate.map_or(0.0, |gate| number(&self.gates, &gate.to_owned()))
    }

    pub(super) fn gates(&self) -> Vec<Meaning> {
        meanings("passes all gates", self.gates.iter().map(|(gate, number)| (gate.clone(), number)))
    }
}
