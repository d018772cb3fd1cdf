//! What a site can share without anybody's own values: numbers of a group, and how good its spectra are.

use std::collections::{BTreeMap, BTreeSet};

use super::measurement::is_fitted;
use super::people::{mean, sd};
use super::quantity::Quantity;
use super::study::Study;
use super::table::{Column, Table};
use crate::signal::median::median;

/// What is summarised together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Cell<'a> {
    method: &'a str,
    session: Option<&'a str>,
    voi: Option<&'a str>,
    subspec: Option<&'a str>,
    site: Option<&'a str>,
    group: Option<&'a str>,
    metabolite: usize,
    quantity: Quantity,
    /// Only values that pass the gates.
    is_gated: bool,
}

#[derive(Debug, Default)]
struct Found<'a> {
    values: Vec<f64>,
    people: BTreeSet<&'a str>,
    snr: Vec<f64>,
    fwhm_hz: Vec<f64>,
    sd_percent: Vec<f64>,
}

fn collect<'a>(study: &'a Study) -> BTreeMap<Cell<'a>, Found<'a>> {
    let mut found: BTreeMap<Cell<'a>, Found<'a>> = BTreeMap::new();
    for (at, row) in study.rows.spectra.iter().enumerate() {
        if !is_fitted(row) || study.is_participant(at) == Some(false) {
            continue;
        }
        for (metabolite, own) in study.of[at].iter().enumerate() {
            let Some((place, own)) = own.and_then(|place| Some((place, study.rows.metabolites.get(place)?))) else {
                continue;
            };
            for &quantity in &study.quantities {
                let Some(value) = study.value(quantity, place) else { continue };
                for is_gated in [false, true] {
                    if is_gated && own.gate.is_some() {
                        continue;
                    }
                    let cell = Cell {
                        method: &row.method,
                        session: row.session.as_deref(),
                        voi: row.voi.as_deref(),
                        subspec: row.subspec.as_deref(),
                        site: row.site.as_deref(),
                        group: study.groups[at].as_deref(),
                        metabolite,
                        quantity,
                        is_gated,
                    };
                    let found = found.entry(cell).or_default();
                    found.values.push(value);
                    found.people.insert(row.subject.as_deref().unwrap_or(&row.spectrum_id));
                    found.snr.extend(row.snr);
                    found.fwhm_hz.extend(row.fwhm_hz);
                    found.sd_percent.extend(own.lcmodel_sd_percent.or(own.crlb_percent));
                }
            }
        }
    }
    found
}

/// What a row is of.
fn labels<'a>(study: &'a Study, rows: &[(Cell<'a>, Found<'a>)]) -> Vec<Column<'a>> {
    let text = |cell: fn(&Cell<'_>) -> Option<String>| rows.iter().map(move |row| cell(&row.0));
    vec![
        Column::owned("method", "Fitting method", text(|cell| Some(cell.method.to_owned()))),
        Column::owned(
            "session_id",
            "Session",
            text(|cell| cell.session.map(|label| super::key::Key::Session.written(label))),
        ),
        Column::owned("voi", "Region", text(|cell| cell.voi.map(str::to_owned))),
        Column::owned("subspec", "Sub-spectrum", text(|cell| cell.subspec.map(str::to_owned))),
        Column::owned("site", "Site", text(|cell| cell.site.map(str::to_owned))),
        Column::owned("group", "Group", text(|cell| cell.group.map(str::to_owned))),
        Column::text(
            "metabolite",
            "Metabolite or sum",
            rows.iter().map(|row| study.metabolites.get(row.0.metabolite).map(String::as_str)),
        ),
        Column::owned(
            "quantity",
            "Quantity, as the columns of `analysis` end",
            text(|cell| Some(cell.quantity.name().to_owned())),
        ),
        Column::owned(
            "unit",
            "Its unit",
            text(|cell| Some(cell.quantity.unit().to_owned()).filter(|unit| !unit.is_empty())),
        ),
        Column::owned(
            "values",
            "all: of every fitted spectrum; kept: those that pass the gates",
            text(|cell| Some(if cell.is_gated { "kept" } else { "all" }.to_owned())),
        ),
    ]
}

pub(crate) fn table(study: &Study, min_n: usize) -> Table<'_> {
    let rows: Vec<(Cell<'_>, Found<'_>)> = collect(study).into_iter().collect();
    let is_withheld = |found: &Found<'_>| found.people.len() < min_n;
    let number = |of: fn(&Found<'_>) -> Option<f64>| {
        let cells = rows.iter().map(|(_, found)| if is_withheld(found) { None } else { of(found) });
        cells.collect::<Vec<_>>().into_iter()
    };
    let count = |n: usize| i64::try_from(n).ok();
    let cv = |found: &Found<'_>| Some(100.0 * sd(&found.values)? / mean(&found.values)?.abs());
    let mut columns = labels(study, &rows);
    columns.extend([
        Column::count("n", "Values", rows.iter().map(|row| count(row.1.values.len()))),
        Column::count("n_people", "People that they are of", rows.iter().map(|row| count(row.1.people.len()))),
        Column::number("mean", "Mean", "", number(|found| mean(&found.values))),
        Column::number("sd", "Standard deviation", "", number(|found| sd(&found.values))),
        Column::number("median", "Median", "", number(|found| median(&found.values))),
        Column::number("cv_percent", "Standard deviation over the mean", "%", number(cv)),
        Column::number("snr_median", "Median of the signal-to-noise ratio", "", number(|found| median(&found.snr))),
        Column::number("fwhm_hz_median", "Median of the linewidth", "Hz", number(|found| median(&found.fwhm_hz))),
        Column::number(
            "sd_percent_median",
            "Median of %SD (of the Cramer-Rao bound for methods without it)",
            "%",
            number(|found| median(&found.sd_percent)),
        ),
        Column::truth(
            "withheld",
            "Whether there are too few people to show it (--min-n)",
            rows.iter().map(|row| Some(is_withheld(&row.1))),
        ),
    ]);
    Table {
        name: "summary".to_owned(),
        row: "One row per site, group, region, metabolite and quantity, of all and of kept values.",
        columns,
    }
}
