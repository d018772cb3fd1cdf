//! Columns that tell what a row is of: who, where, when, how measured, and what became of it.

use std::borrow::Cow;

use super::key::Key;
use super::names::Names;
use super::study::Study;
use super::table::{Column, Values};
use crate::store::SpectrumRow;

/// Digits that a number keeps exactly.
const EXACT_DIGITS: usize = 15;

/// Labels of the spectra `rows`, whose order they have.
pub(crate) fn labels<'a>(study: &'a Study, rows: &[usize], names: &mut Names) -> Vec<Column<'a>> {
    let of = |row: &usize| &study.rows.spectra[*row];
    let own = |key: Key| rows.iter().map(move |row| key.of(of(row)).map(|label| key.written(label)));
    let text = |cell: fn(&SpectrumRow) -> Option<&str>| rows.iter().map(move |row| cell(of(row)));
    let count = |cell: fn(&SpectrumRow) -> Option<u32>| rows.iter().map(move |row| cell(of(row)).map(i64::from));
    let group = match &study.group_from {
        Some(from) => format!("Group, {from}"),
        None => "Group; no joined table has one".to_owned(),
    };
    let columns = vec![
        Column::owned("participant_id", "Participant, with the prefix that BIDS gives it", own(Key::Participant)),
        Column::owned("session_id", "Session, with the prefix that BIDS gives it", own(Key::Session)),
        Column::text("site", "Site", text(|row| row.site.as_deref())),
        Column::text("group", group, rows.iter().map(|row| study.groups[*row].as_deref())),
        Column::text("voi", "Region that was measured", text(|row| row.voi.as_deref())),
        Column::text("spectrum_id", "Spectrum, as in the run's tables", text(|row| Some(&row.spectrum_id))),
        Column::text("subspec", "Sub-spectrum: edit condition or combination", text(|row| row.subspec.as_deref())),
        Column::count("voxel_i", "First voxel index of a grid, from 0", count(|row| row.voxel_i)),
        Column::count("voxel_j", "Second voxel index, from 0", count(|row| row.voxel_j)),
        Column::count("voxel_k", "Third voxel index, from 0", count(|row| row.voxel_k)),
        Column::count("dynamic_index", "Part of a time course, from 0", count(|row| row.dynamic_index)),
        Column::text("method", "Fitting method", text(|row| Some(&row.method))),
    ];
    // Grids and time courses are rare; the other labels are always there.
    let mut columns: Vec<Column<'_>> = columns
        .into_iter()
        .filter(|column| {
            !(column.name.starts_with("voxel_") || column.name == "dynamic_index") || !column.values.is_blank()
        })
        .collect();
    columns.iter_mut().for_each(|column| column.name = names.take(&column.name));
    columns
}

/// How the spectra were measured, how good they are, and what became of them.
pub(crate) fn quality<'a>(study: &'a Study, rows: &[usize], names: &mut Names) -> Vec<Column<'a>> {
    let of = |row: &usize| &study.rows.spectra[*row];
    let text = |cell: fn(&SpectrumRow) -> Option<&str>| rows.iter().map(move |row| cell(of(row)));
    let number = |cell: fn(&SpectrumRow) -> Option<f64>| rows.iter().map(move |row| cell(of(row)));
    let is_kept = |row: &usize| is_fitted(of(row)) && of(row).gate.is_none();
    let mut columns = vec![
        Column::text("status", "ok (fitted), failed or skipped", text(|row| Some(row.status.as_str()))),
        Column::text("error_code", "Why it was not fitted", text(|row| row.error_code.as_deref())),
        Column::truth(
            "keep",
            "Whether the spectrum was fitted and passes the gates",
            rows.iter().map(|row| Some(is_kept(row))),
        ),
        Column::text("gate", "First gate that the spectrum does not pass", text(|row| row.gate.as_deref())),
        Column::owned(
            "qc_flags",
            "Quality flags of the run, with ; between",
            rows.iter().map(|row| list(&of(row).qc_flags)),
        ),
        Column::number(
            "snr",
            "Signal-to-noise ratio: fitted metabolites over twice the noise",
            "",
            number(|row| row.snr),
        ),
        Column::number("fwhm_hz", "Full width at half maximum of the fitted line", "Hz", number(|row| row.fwhm_hz)),
        Column::number(
            "expected_error_percent",
            "Error that the fit's figures foretell",
            "%",
            number(|row| row.expected_error_percent),
        ),
        Column::number("f_gm", "Share of grey matter in the voxel's tissue", "", number(|row| row.f_gm)),
        Column::number("f_wm", "Share of white matter", "", number(|row| row.f_wm)),
        Column::number("f_csf", "Share of cerebrospinal fluid", "", number(|row| row.f_csf)),
        Column::number("gm_ratio", "f_gm / (f_gm + f_wm)", "", number(|row| row.gm_ratio)),
        Column::number("voxel_ml", "Volume of the voxel", "ml", number(|row| row.voxel_ml)),
        Column::text("vendor", "Scanner manufacturer", text(|row| row.vendor.as_deref())),
        Column::text("sequence", "Sequence", text(|row| row.sequence.as_deref())),
        Column::number("field_t", "Field of the scanner", "T", number(|row| row.field_t)),
        Column::number("te_s", "Echo time", "s", number(|row| row.te_s)),
        Column::number("tr_s", "Repetition time", "s", number(|row| row.tr_s)),
    ];
    columns.iter_mut().for_each(|column| column.name = names.take(&column.name));
    columns
}

/// What manifests and joined tables have beside that.
pub(crate) fn joined<'a>(study: &'a Study, rows: &[usize], names: &mut Names) -> Vec<Column<'a>> {
    let mut columns = Vec::new();
    for name in &study.carried {
        let cells = rows.iter().map(|row| study.rows.spectra[*row].carried.get(name).map(String::as_str)).collect();
        columns.push(Column::new(names.take(name), format!("`{name}` of the run's manifest"), "", typed(cells)));
    }
    for table in &study.joined {
        for (number, column) in table.columns.iter().enumerate().filter(|(number, _)| !is_taken(study, table, *number))
        {
            let cells = rows.iter().map(|row| table.cell(number, *row)).collect();
            let meaning = format!("`{}` of {}", column.title, table.name);
            columns.push(Column::new(names.take(&column.title), meaning, "", typed(cells)));
        }
    }
    columns
}

/// Whether the column is there already: as group, or as the sites that the rows have.
fn is_taken(study: &Study, table: &super::join::Joined, number: usize) -> bool {
    let title = table.columns.get(number).map(|column| column.title.to_lowercase()).unwrap_or_default();
    let is_site = |(row, spectrum): (usize, &SpectrumRow)| {
        table.cell(number, row).is_none_or(|cell| spectrum.site.as_deref() == Some(cell))
    };
    match title.as_str() {
        "group" => study
            .group_from
            .as_ref()
            .is_some_and(|from| from.to_lowercase().starts_with("`group`") && from.ends_with(&table.name)),
        "site" => study.rows.spectra.iter().enumerate().all(is_site),
        _ => false,
    }
}

/// Cells as numbers where all of them are, and none of them is a label that looks like one.
pub(crate) fn typed(cells: Vec<Option<&str>>) -> Values<'_> {
    let number = |text: &str| {
        let digits = text.trim_start_matches(['-', '+']);
        let is_code = digits.len() > 1 && digits.starts_with('0') && !digits.starts_with("0.");
        let is_written = digits.starts_with(|c: char| c.is_ascii_digit() || c == '.');
        let n_digits = digits.chars().filter(char::is_ascii_digit).count();
        text.parse::<f64>().ok().filter(|value| is_written && !is_code && n_digits <= EXACT_DIGITS && value.is_finite())
    };
    let are_numbers = cells.iter().flatten().all(|text| number(text).is_some());
    match are_numbers && cells.iter().any(Option::is_some) {
        true => Values::Number(cells.into_iter().map(|cell| cell.and_then(number)).collect()),
        false => Values::Text(cells.into_iter().map(|cell| cell.map(Cow::Borrowed)).collect()),
    }
}

pub(crate) fn is_fitted(row: &SpectrumRow) -> bool {
    row.status == crate::store::Status::Ok
}

fn list(words: &[String]) -> Option<String> {
    (!words.is_empty()).then(|| words.join(";"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_that_look_like_numbers_stay_labels() {
        for (cells, is_number) in [
            (vec![Some("33.5"), None, Some("-1e-3")], true),
            (vec![Some("0"), Some("1"), Some("0.5")], true),
            (vec![Some("007"), Some("8")], false),
            (vec![Some("inf")], false),
            (vec![Some("1"), Some("M")], false),
            (vec![Some("12345678901234567")], false),
            (vec![None], false),
        ] {
            assert_eq!(matches!(typed(cells.clone()), Values::Number(_)), is_number, "{cells:?}");
        }
    }
}
