//! The flow of a run's rows, for a page to show: where people, spectra and values ended, groups at sites, and who the people are.

use std::collections::BTreeMap;

use super::error::ExportError;
use super::flow::{self, FlowLine};
use super::losses::Losses;
use super::options::StudyOptions;
use super::people::{self, PeopleLine, SiteLine};
use super::shares::{Shares, UnequalShare};
use super::study::Study;
use super::{notes, unmatched};
use crate::store::{ChunkRows, RunRecord};

/// People and spectra that ended at one place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndLine {
    /// Fitting method.
    pub method: String,
    /// Name of the step, as in the table `flow`.
    pub end: &'static str,
    /// Error code or gate.
    pub reason: Option<String>,
    /// How many, by group.
    pub by_group: BTreeMap<Option<String>, usize>,
}

/// Where people and values went.
#[derive(Debug, Clone)]
pub struct Survey {
    /// Rows of the results.
    pub n_rows: usize,
    /// People with rows.
    pub n_people: usize,
    /// People in the list of participants; `None` without a list.
    pub n_listed: Option<usize>,
    /// Smallest number of people of whom means are shown.
    pub min_n: usize,
    /// Gates that were asked.
    pub gates: String,
    /// Where the group comes from, in words.
    pub group_from: Option<String>,
    /// What was joined, a line a file.
    pub joined: Vec<String>,
    /// Groups; last, where there are such, those without one.
    pub groups: Vec<Option<String>>,
    /// Where people and spectra ended; the numbers of a method add up to people without a spectrum and all spectra.
    pub ends: Vec<EndLine>,
    /// Where values went.
    pub values: Vec<FlowLine>,
    /// Kept shares that differ between groups.
    pub unequal: Vec<UnequalShare>,
    /// Groups at sites.
    pub sites: Vec<SiteLine>,
    /// Sites that say nothing of a difference, in words.
    pub marked: Vec<String>,
    /// Who the people with a fitted spectrum are, over all sites.
    pub people: Vec<PeopleLine>,
    /// What a study should know.
    pub notes: Vec<String>,
}

/// Surveys the rows of a run; `None` where there are none.
///
/// # Errors
/// [`ExportError`]: a table cannot be joined, or the gates do not fit.
pub fn survey(record: RunRecord, rows: ChunkRows, options: &StudyOptions) -> Result<Option<Survey>, ExportError> {
    if rows.spectra.is_empty() {
        return Ok(None);
    }
    let mut study = Study::of(record, rows, options)?;
    notes::tell(&mut study);
    let losses = Losses::of(&study);
    let ends = ends(&losses);
    let mut groups: Vec<Option<String>> =
        study.group_labels().into_iter().map(|group| Some(group.to_owned())).collect();
    if ends.iter().any(|line| line.by_group.contains_key(&None)) {
        groups.push(None);
    }
    Ok(Some(Survey {
        n_rows: study.rows.spectra.len(),
        n_people: people::n_people(&study),
        n_listed: study.has_participants.then_some(study.people.len()),
        min_n: options.min_n,
        gates: study.gates.name.clone(),
        group_from: study.group_from.clone(),
        joined: unmatched::in_words(&study),
        groups,
        ends,
        values: flow::lines(&losses),
        unequal: Shares::of(&losses).unequal(options.min_n),
        sites: people::site_lines(&study),
        marked: people::marked(&study),
        people: people::people_lines(&study, options.min_n),
        notes: study.notes.clone(),
    }))
}

fn ends(losses: &Losses<'_>) -> Vec<EndLine> {
    let mut found: BTreeMap<_, BTreeMap<Option<String>, usize>> = BTreeMap::new();
    for (cell, counts) in &losses.cells {
        for (end, n) in counts.first().into_iter().flatten() {
            let by_group = found.entry((cell.method, *end)).or_default();
            *by_group.entry(cell.group.map(str::to_owned)).or_default() += n;
        }
    }
    let line = |((method, end), by_group): ((&str, super::losses::End<'_>), _)| EndLine {
        method: method.to_owned(),
        end: end.step().1,
        reason: end.reason().map(str::to_owned),
        by_group,
    };
    found.into_iter().map(line).collect()
}
