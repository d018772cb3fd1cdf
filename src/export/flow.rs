//! The flow from people to kept values. Its numbers add up: people without a spectrum and all spectra, for every value.

use std::collections::BTreeMap;

use super::losses::{Cell, End, Ends, Losses, What};
use super::table::{Column, Table};

/// A line of the flow.
struct Row<'a> {
    cell: Cell<'a>,
    what: What<'a>,
    end: End<'a>,
    n: usize,
}

pub(crate) fn table<'a>(losses: &Losses<'a>) -> Table<'a> {
    let mut rows = Vec::new();
    for (number, what) in losses.what.iter().enumerate() {
        for (cell, counts) in &losses.cells {
            for (end, n) in counts.get(number).into_iter().flatten() {
                rows.push(Row { cell: *cell, what: *what, end: *end, n: *n });
            }
        }
    }
    let text = |cell: fn(&Row<'a>) -> Option<&'a str>| rows.iter().map(cell).collect::<Vec<_>>().into_iter();
    let columns = vec![
        Column::text("method", "Fitting method", text(|row| Some(row.cell.method))),
        Column::text("metabolite", "Metabolite; missing: the spectrum itself", text(|row| row.what.metabolite)),
        Column::text(
            "quantity",
            "Quantity; missing: the spectrum itself",
            text(|row| row.what.quantity.map(|q| q.name())),
        ),
        Column::text("voi", "Region; missing for people without a spectrum", text(|row| row.cell.voi)),
        Column::text("subspec", "Sub-spectrum", text(|row| row.cell.subspec)),
        Column::text("site", "Site", text(|row| row.cell.site)),
        Column::text("group", "Group", text(|row| row.cell.group)),
        Column::count(
            "step",
            "Order of the steps; each person or spectrum stops at one",
            rows.iter().map(|row| Some(row.end.step().0)),
        ),
        Column::text("end", STEPS, text(|row| Some(row.end.step().1))),
        Column::text("reason", "Error code, flag or gate", text(|row| row.end.reason())),
        Column::count("n", "People (no_spectrum) or spectra", rows.iter().map(|row| i64::try_from(row.n).ok())),
    ];
    Table {
        name: "flow".to_owned(),
        row: "One row per method, value, region, sub-spectrum, site, group and end.",
        columns,
    }
}

const STEPS: &str = "Where they ended: no_spectrum (in the list of participants, and nothing was measured), not_in_participants, \
    skipped, failed, not_fitted (the fit does not have this metabolite), no_water, no_tissue, flag (it says why there is no value), \
    no_value, gate, kept";

/// The flow of one metabolite, for people to read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FlowLine {
    /// Fitting method.
    pub method: String,
    /// Region.
    pub voi: Option<String>,
    /// Sub-spectrum.
    pub subspec: Option<String>,
    /// Metabolite.
    pub metabolite: String,
    /// Ending of the quantity's column.
    pub quantity: &'static str,
    /// Spectra.
    pub n: usize,
    /// How many were lost, by why, the most first.
    pub lost: Vec<(String, usize)>,
    /// Spectra and kept values by group.
    pub by_group: BTreeMap<Option<String>, (usize, usize)>,
}

/// Method, region, sub-spectrum, number and name of the metabolite.
type Key<'a> = (&'a str, Option<&'a str>, Option<&'a str>, usize, &'a str);
/// Spectra and kept values by group.
type ByGroup = BTreeMap<Option<String>, (usize, usize)>;

/// The flow by method, region, sub-spectrum and metabolite, of the first quantity that there is.
pub(crate) fn lines(losses: &Losses<'_>) -> Vec<FlowLine> {
    let Some(quantity) = losses.what.iter().find_map(|what| what.quantity) else { return Vec::new() };
    let mut found: BTreeMap<Key<'_>, (Ends<'_>, ByGroup)> = BTreeMap::new();
    for (cell, counts) in &losses.cells {
        for (number, (what, ends)) in losses.what.iter().zip(counts).enumerate() {
            let Some(metabolite) = what.metabolite.filter(|_| what.quantity == Some(quantity)) else { continue };
            if ends.keys().all(|end| end.is_of_person()) {
                continue;
            }
            let key = (cell.method, cell.voi, cell.subspec, number, metabolite);
            let (all, by_group) = found.entry(key).or_default();
            let group = by_group.entry(cell.group.map(str::to_owned)).or_default();
            for (end, n) in ends.iter().filter(|(end, _)| !end.is_of_person()) {
                *all.entry(*end).or_default() += n;
                group.0 += n;
                group.1 += if *end == End::Kept { *n } else { 0 };
            }
        }
    }
    let line = |((method, voi, subspec, _, metabolite), (ends, by_group)): (Key<'_>, (Ends<'_>, ByGroup))| {
        let mut lost: Vec<(String, usize)> =
            ends.iter().filter(|(end, _)| **end != End::Kept).map(|(end, n)| (end.in_words(), *n)).collect();
        lost.sort_by_key(|one| std::cmp::Reverse(one.1));
        FlowLine {
            method: method.to_owned(),
            voi: voi.map(str::to_owned),
            subspec: subspec.map(str::to_owned),
            metabolite: metabolite.to_owned(),
            quantity: quantity.name(),
            n: ends.values().sum(),
            lost,
            by_group,
        }
    };
    found.into_iter().map(line).collect()
}
