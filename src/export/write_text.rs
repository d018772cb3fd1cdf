//! Tables as text. What is missing is `n/a` between tabs, as BIDS has it, and nothing between commas; MATLAB writes `NaN` for
//! a number, and nothing for a text.

use std::io::Write;

use super::table::{Table, Values, decimal};

/// How text is written.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Form {
    delimiter: u8,
    missing: &'static str,
    missing_number: &'static str,
}

pub(crate) const TSV: Form = Form { delimiter: b'\t', missing: "n/a", missing_number: "n/a" };
pub(crate) const CSV: Form = Form { delimiter: b',', missing: "", missing_number: "" };
pub(crate) const MATLAB_TSV: Form = Form { delimiter: b'\t', missing: "", missing_number: "NaN" };

/// Writes `table` to `to`.
pub(crate) fn write(table: &Table<'_>, form: Form, to: impl Write) -> Result<(), csv::Error> {
    let mut writer = csv::WriterBuilder::new().delimiter(form.delimiter).from_writer(to);
    writer.write_record(table.columns.iter().map(|column| column.name.as_str()))?;
    for row in 0..table.n_rows() {
        for column in &table.columns {
            match &column.values {
                Values::Text(cells) => {
                    let text = cells.get(row).and_then(Option::as_deref).filter(|text| !text.is_empty());
                    writer.write_field(text.unwrap_or(form.missing))?;
                }
                Values::Number(cells) => match cells.get(row).copied().flatten() {
                    Some(value) => writer.write_field(decimal(value))?,
                    None => writer.write_field(form.missing_number)?,
                },
                Values::Count(cells) => match cells.get(row).copied().flatten() {
                    Some(value) => writer.write_field(value.to_string())?,
                    None => writer.write_field(form.missing_number)?,
                },
            }
        }
        writer.write_record(None::<&[u8]>)?;
    }
    writer.flush()?;
    Ok(())
}
