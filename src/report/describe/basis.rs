//! Where the basis sets of a run are from. What rows or record say of how they were made is told here, and only here.

use std::collections::BTreeSet;

use super::acquired::ms;
use super::citations::{self as papers, References};
use super::protocol::Protocol;
use super::values::{joined, listed, numbers, plural};
use crate::store::{RunRecord, SpectrumRow};

/// Flag of rows whose basis set has a first echo that no file says.
const TE1_ASSUMED: &str = "te1_assumed";

/// The sets that fitted a protocol, with the beginnings of their hashes, their pulses and their components.
pub(super) fn of_protocol(protocol: &Protocol<'_>, record: &RunRecord) -> Option<String> {
    let hash = |id: &str| {
        // Two sets of one name are told by name alone: rows do not say which of them they had.
        let mut known = record.bases.iter().filter(|basis| basis.id == id).map(|basis| &basis.sha256);
        match (known.next(), known.next()) {
            (Some(sha256), None) => format!(" ({})", sha256.chars().take(12).collect::<String>()),
            _ => String::new(),
        }
    };
    let fitted: Vec<&SpectrumRow> = with_set(std::slice::from_ref(protocol));
    let sets = listed(fitted.iter().map(|row| row.basis_id.as_ref().map(|id| format!("{id}{}", hash(id)))))?;
    let names: BTreeSet<&str> =
        protocol.metabolites.iter().filter(|row| !row.is_sum).map(|row| &*row.metabolite).collect();
    let names = (!names.is_empty()).then(|| {
        let list = names.iter().copied().collect::<Vec<_>>().join(", ");
        format!("{} fitted: {list}", plural(names.len(), "component", "components"))
    });
    joined([Some(format!("basis set {sets}")), made(&fitted), names], "; ")
}

/// A sentence for all sets of a run, those that it simulated with how.
pub(super) fn of_run(protocols: &[Protocol<'_>], record: &RunRecord, references: &mut References) -> Option<String> {
    let rows = with_set(protocols);
    let ids: BTreeSet<&String> = rows.iter().filter_map(|row| row.basis_id.as_ref()).collect();
    if ids.is_empty() {
        return None;
    }
    // Several sets may have one name: runs that were put together, simulated sets with other pulses.
    let named = |id: &String| record.bases.iter().filter(|basis| basis.id == *id).count().max(1);
    let served = format!(
        "{} ({}) served {}",
        plural(ids.iter().map(|id| named(id)).sum(), "basis set", "basis sets"),
        listed(ids.iter().map(|id| Some(format!("`{id}`")))).unwrap_or_default(),
        plural(rows.len(), "spectrum", "spectra")
    );
    let Some(made) = made(&rows) else { return Some(format!("{served}.")) };
    let n = plural(simulated(&rows).count(), "spectrum", "spectra");
    let systems = references.cite(papers::SPIN_SYSTEMS);
    Some(format!(
        "{served}. Those of {n} were simulated by requant by density matrix from published spin systems ({systems} and others): {made}."
    ))
}

/// A row for each spectrum that had a basis set.
fn with_set<'a>(protocols: &'a [Protocol<'a>]) -> Vec<&'a SpectrumRow> {
    let spectra = protocols.iter().flat_map(|protocol| &protocol.spectra);
    spectra.copied().filter(|row| row.basis_id.is_some()).collect()
}

/// Those whose set the run simulated: only these have pulses in the table.
fn simulated<'a>(rows: &'a [&SpectrumRow]) -> impl Iterator<Item = &'a SpectrumRow> {
    rows.iter().copied().filter(|row| row.basis_pulse.is_some())
}

/// Pulses and first echo of the simulated sets, and what was assumed; `None` where none was simulated.
fn made(rows: &[&SpectrumRow]) -> Option<String> {
    let pulse = |row: &SpectrumRow| {
        let source = row.basis_source.as_ref().map(|source| format!(" ({source})")).unwrap_or_default();
        Some(format!("{}{source}", row.basis_pulse.as_ref()?))
    };
    let pulses = listed(simulated(rows).map(pulse))?;
    let has_te1 = simulated(rows).any(|row| row.basis_te1_s.is_some());
    let te1 = numbers(simulated(rows).map(|row| ms(row.basis_te1_s)), 6, "ms").filter(|_| has_te1);
    let n_assumed = simulated(rows).filter(|row| row.qc_flags.iter().any(|flag| flag == TE1_ASSUMED)).count();
    let assumed = if n_assumed > 0 { format!(" (assumed for {n_assumed})") } else { String::new() };
    let te1 = te1.map(|te1| format!("first echo of {te1}{assumed}"));
    joined([Some(format!("refocusing pulses {pulses}")), te1], ", ")
}
