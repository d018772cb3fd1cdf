//! What one method came to on one set.

use super::robust::Robust;
use super::score::{self, Scored};
use super::sets::Set;
use super::states::States;
use crate::compare::Comparison;
use crate::compare::figure::Figure;

/// How long a method took.
#[derive(Debug, Clone, Copy)]
pub struct Time {
    /// Processor time a spectrum, all threads (ms); `None` where the system does not say.
    pub cpu_ms: Option<f64>,
    /// Wall time a spectrum (ms).
    pub wall_ms: f64,
}

/// One program or method on one set, or on one condition of it.
#[derive(Debug, Clone)]
pub struct Entry {
    /// Name of the condition; `None` over the whole set.
    pub condition: Option<String>,
    /// Method, or name of the other program.
    pub method: String,
    /// Whether it is another program's.
    pub is_peer: bool,
    /// The figures.
    pub scored: Scored,
    /// What a mean hides; of estimates as [`Entry::errors`] has them.
    pub robust: Robust,
    /// The figures of `requant compare`.
    pub comparison: Option<Comparison>,
    /// Warnings; only of our own.
    pub states: Option<States>,
    /// Only of our own, over the whole set.
    pub time: Option<Time>,
    /// Mean summed squared error over the best peer's (both aligned).
    pub to_best_peer: Option<Figure>,
}

impl Entry {
    /// The errors by which the entry is shown: with the common factor taken out where units differ.
    pub fn errors(&self, set: &Set) -> &score::Errors {
        if set.same_unit { &self.scored.plain } else { &self.scored.aligned }
    }
}

/// All that ran on one set.
#[derive(Debug, Clone)]
pub struct SetResult {
    /// The set.
    pub set: Set,
    /// Its conditions, in order; empty where there is one.
    pub conditions: Vec<String>,
    /// Our methods first, then peers; the whole set first, then its conditions.
    pub entries: Vec<Entry>,
}

impl SetResult {
    /// Entries over the whole set.
    pub fn whole(&self) -> impl Iterator<Item = &Entry> {
        self.entries.iter().filter(|e| e.condition.is_none())
    }

    /// Entries of one condition.
    pub fn of(&self, condition: &str) -> impl Iterator<Item = &Entry> {
        self.entries.iter().filter(move |e| e.condition.as_deref() == Some(condition))
    }
}
