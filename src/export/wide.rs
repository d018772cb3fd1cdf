//! One row a measurement and method: a column a metabolite and quantity.

use super::measurement::{joined, labels, quality};
use super::names::Names;
use super::study::Study;
use super::table::{Column, Table};
use crate::store::MetaboliteRow;

/// Letters of a metabolite's name; the ending follows.
const BASE: usize = 48;

pub(crate) fn table(study: &Study) -> Table<'_> {
    let rows: Vec<usize> = (0..study.rows.spectra.len()).collect();
    let mut names = Names::default();
    let mut columns = labels(study, &rows, &mut names);
    columns.extend(quality(study, &rows, &mut names));
    let mut bases = Names::default();
    let metabolites: Vec<Column<'_>> = (0..study.metabolites.len())
        .flat_map(|number| {
            let base = bases.take_up_to(&study.metabolites[number], BASE);
            of_metabolite(study, number, &base, &mut names)
        })
        .collect();
    // A joined table may have names of these, as an export before has: it gets others.
    columns.extend(joined(study, &rows, &mut names));
    columns.extend(metabolites);
    Table { name: "analysis".to_owned(), row: "One row per measurement × method, fitted or not.", columns }
}

fn of_metabolite<'a>(study: &'a Study, number: usize, base: &str, names: &mut Names) -> Vec<Column<'a>> {
    let metabolite = &study.metabolites[number];
    let place = |row: usize| study.of[row][number];
    let each = || (0..study.rows.spectra.len()).map(place);
    let of = |cell: fn(&MetaboliteRow) -> Option<f64>| each().map(move |row| cell(&study.rows.metabolites[row?]));
    let mut columns: Vec<Column<'_>> = study
        .quantities
        .iter()
        .map(|&quantity| {
            let name = names.take(&format!("{base}_{}", quantity.name()));
            let cells = each().map(|row| study.value(quantity, row?));
            Column::number(
                name,
                format!("{metabolite}: {}; gates not applied", quantity.meaning()),
                quantity.unit(),
                cells,
            )
        })
        .collect();
    columns.push(Column::number(
        names.take(&format!("{base}_crlb")),
        format!("{metabolite}: Cramer-Rao bound over the amplitude"),
        "%",
        of(|row| row.crlb_percent),
    ));
    let sd_percent = Column::number(
        names.take(&format!("{base}_sdpct")),
        format!("{metabolite}: %SD as LCModel reports it"),
        "%",
        of(|row| row.lcmodel_sd_percent),
    );
    columns.push(sd_percent);
    let keep = each().map(|row| Some(row.is_some_and(|row| study.rows.metabolites[row].gate.is_none())));
    columns.push(Column::truth(
        names.take(&format!("{base}_keep")),
        format!("Whether {metabolite} was fitted and passes the gates `{}`", study.gates.name),
        keep,
    ));
    columns
}
