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
                    // Without a name, a file is somebody.
                    let file = row.spectrum_id.split('#').next().unwrap_or_default();
                    found.people.insert(row.subject.as_deref().unwrap_or(file));
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

/// The median, of an odd number of values as the mean of the three in the middle: nobody's own.
fn shared_median(values: &[f64]) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    match (sorted.len() % 2, sorted.len() / 2) {
        (1, middle @ 1..) => mean(sorted.get(middle - 1..=middle + 1)?),
        _ => median(values),
    }
}

/// Which rows hold too few people to be shown, or with the row of those that are kept would tell the values of too few.
fn withheld(rows: &BTreeMap<Cell<'_>, Found<'_>>, min_n: usize) -> Vec<bool> {
    let too_few = |(cell, found): (&Cell<'_>, &Found<'_>)| {
        let kept = rows.get(&Cell { is_gated: true, ..*cell }).filter(|kept| kept.people.len() >= min_n);
        let n_others = kept.map_or(0, |kept| found.people.difference(&kept.people).count());
        found.people.len() < min_n || (1..min_n).contains(&n_others)
    };
    rows.iter().map(too_few).collect()
}

pub(crate) fn table(study: &Study, min_n: usize) -> Table<'_> {
    let rows = collect(study);
    let is_withheld = withheld(&rows, min_n);
    let rows: Vec<(Cell<'_>, Found<'_>)> = rows.into_iter().collect();
    let number = |of: fn(&Found<'_>) -> Option<f64>| {
        let cells =
            rows.iter().zip(&is_withheld).map(|((_, found), &withheld)| if withheld { None } else { of(found) });
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
        Column::number(
            "median",
            "Median; of an odd number of values the mean of the middle three",
            "",
            number(|found| shared_median(&found.values)),
        ),
        Column::number("cv_percent", "Standard deviation over the mean", "%", number(cv)),
        Column::number("snr_median", "Median of the signal-to-noise ratio", "", number(|found| shared_median(&found.snr))),
        Column::number("fwhm_hz_median", "Median of the linewidth", "Hz", number(|found| shared_median(&found.fwhm_hz))),
        Column::number(
            "sd_percent_median",
            "Median of %SD (of the Cramer-Rao bound for methods without it)",
            "%",
            number(|found| shared_median(&found.sd_percent)),
        ),
        Column::truth(
            "withheld",
            "Whether there are too few people to show it (--min-n), or the kept ones are so nearly all that both would tell the others",
            is_withheld.iter().map(|&withheld| Some(withheld)),
        ),
    ]);
    Table {
        name: "summary".to_owned(),
        row: "One row per site, group, region, metabolite and quantity, of all and of kept values.",
        columns,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    const NAMES: [&str; 12] = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l"];

    fn found(n: usize) -> Found<'static> {
        Found { people: NAMES[..n].iter().copied().collect(), ..Found::default() }
    }

    /// Whether `all` and `kept` are withheld, of so many people each.
    fn of(all: usize, kept: usize) -> [bool; 2] {
        let cell = Cell {
            method: "map",
            session: None,
            voi: None,
            subspec: None,
            site: None,
            group: None,
            metabolite: 0,
            quantity: Quantity::Tcr,
            is_gated: false,
        };
        let rows = BTreeMap::from([(cell, found(all)), (Cell { is_gated: true, ..cell }, found(kept))]);
        withheld(&rows, 5).try_into().unwrap()
    }

    #[test]
    fn two_rows_together_tell_nobodys_value() {
        assert_eq!(of(12, 12), [false, false]);
        assert_eq!(of(12, 7), [false, false]);
        // Their means would tell the mean of the four that are not kept.
        assert_eq!(of(12, 8), [true, false]);
        // The kept are not shown, so nothing is told.
        assert_eq!(of(6, 4), [false, true]);
        assert_eq!(of(4, 4), [true, true]);
    }

    #[test]
    fn a_shared_median_is_nobodys_own() {
        assert_eq!(shared_median(&[5.0, 1.0, 2.0, 4.0, 9.0]), Some(11.0 / 3.0));
        assert_eq!(shared_median(&[5.0, 1.0, 2.0, 4.0]), Some(3.0));
        assert_eq!((shared_median(&[]), shared_median(&[2.0])), (None, Some(2.0)));
    }
}
