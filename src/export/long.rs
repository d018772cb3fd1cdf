//! One row a measurement, method and metabolite: a column a quantity.

use super::measurement::{joined, labels};
use super::names::Names;
use super::study::Study;
use super::table::{Column, Table};
use crate::store::MetaboliteRow;

pub(crate) fn table(study: &Study) -> Table<'_> {
    let pairs: Vec<(usize, usize)> = study
        .of
        .iter()
        .enumerate()
        .flat_map(|(spectrum, own)| own.iter().flatten().map(move |row| (spectrum, *row)))
        .collect();
    let spectra: Vec<usize> = pairs.iter().map(|pair| pair.0).collect();
    let rows = || pairs.iter().map(|pair| pair.1);
    let of = |row: usize| &study.rows.metabolites[row];
    let number = |cell: fn(&MetaboliteRow) -> Option<f64>| rows().map(move |row| cell(of(row)));
    let mut names = Names::default();
    let mut columns = labels(study, &spectra, &mut names);
    let mut own = vec![
        Column::text("metabolite", "Metabolite or sum", rows().map(|row| Some(of(row).metabolite.as_str()))),
        Column::truth("is_sum", "Whether it is a sum of others", rows().map(|row| Some(of(row).is_sum))),
    ];
    for &quantity in &study.quantities {
        let cells = rows().map(|row| study.value(quantity, row));
        own.push(Column::number(quantity.name(), format!("Value: {}", quantity.meaning()), quantity.unit(), cells));
        let sd = Column::number(
            format!("{}_sd", quantity.name()),
            format!("Standard deviation of `{}`", quantity.name()),
            quantity.unit(),
            rows().map(|row| quantity.sd_of(of(row))),
        );
        own.extend((!sd.values.is_blank()).then_some(sd));
    }
    own.push(Column::number("crlb", "Cramer-Rao bound over the amplitude", "%", number(|row| row.crlb_percent)));
    own.push(Column::number("sdpct", "%SD as LCModel reports it", "%", number(|row| row.lcmodel_sd_percent)));
    own.push(Column::truth("keep", "Whether it passes the gates", rows().map(|row| Some(of(row).gate.is_none()))));
    own.push(Column::text("gate", "First gate that it does not pass", rows().map(|row| of(row).gate.as_deref())));
    own.iter_mut().for_each(|column| column.name = names.take(&column.name));
    columns.extend(own);
    columns.extend(joined(study, &spectra, &mut names));
    Table { name: "long".to_owned(), row: "One row per fitted measurement × method × metabolite.", columns }
}
