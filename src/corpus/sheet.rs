//! Tables of text cells, from text or Parquet files.

use std::path::Path;

use arrow_array::{
    Array, Float32Array, Float64Array, Int32Array, Int64Array, LargeStringArray, StringArray, StringViewArray,
};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use crate::regular_file;

/// Largest table that is read (bytes): a million lines with long paths have half of it.
const MAX_BYTES: u64 = 512 << 20;

/// Cells as text, with the number of the line that each row came from.
pub(crate) struct Sheet {
    pub(crate) header: Vec<String>,
    pub(crate) rows: Vec<(usize, Vec<String>)>,
}

/// Reads comma-, semicolon- or tab-separated text.
pub(crate) fn read_text(path: &Path, is_tsv: bool) -> Result<Sheet, String> {
    let text = regular_file::text(path, MAX_BYTES).map_err(|e| e.to_string())?;
    // Spreadsheets put a byte-order mark first and end lines in two characters, which would be
    // counted as two lines.
    let text = text.trim_start_matches('\u{feff}').replace("\r\n", "\n");
    let header = text.lines().next().unwrap_or_default();
    // Where the comma is the decimal sign, spreadsheets separate columns by semicolons.
    let delimiter = match is_tsv {
        true => b'\t',
        false if header.contains(';') && !header.contains(',') => b';',
        false => b',',
    };
    let mut reader =
        csv::ReaderBuilder::new().delimiter(delimiter).trim(csv::Trim::All).flexible(true).from_reader(text.as_bytes());
    let header = reader.headers().map_err(|e| e.to_string())?.iter().map(str::to_owned).collect();
    let mut rows = Vec::new();
    for record in reader.records() {
        let record = record.map_err(|e| e.to_string())?;
        let number = record.position().map_or(0, |p| usize::try_from(p.line()).unwrap_or(0));
        rows.push((number, record.iter().map(str::to_owned).collect()));
    }
    Ok(Sheet { header, rows })
}

/// Reads Parquet; columns that are not `wanted` may have any type.
pub(crate) fn read_parquet(path: &Path, wanted: &[&str]) -> Result<Sheet, String> {
    let file = regular_file::open(path, MAX_BYTES).map_err(|e| e.to_string())?;
    let builder = ParquetRecordBatchReaderBuilder::try_new(file).map_err(|e| e.to_string())?;
    let header: Vec<String> = builder.schema().fields().iter().map(|field| field.name().clone()).collect();
    let mut rows: Vec<(usize, Vec<String>)> = Vec::new();
    for batch in builder.build().map_err(|e| e.to_string())? {
        let batch = batch.map_err(|e| e.to_string())?;
        for row in 0..batch.num_rows() {
            let mut cells = Vec::new();
            for (name, column) in header.iter().zip(batch.columns()) {
                let known = wanted.contains(&name.to_lowercase().as_str());
                match cell_text(column.as_ref(), row) {
                    Some(text) => cells.push(text),
                    None if known => {
                        return Err(format!(
                            "column `{name}` has the type {}; text or numbers are read",
                            column.data_type()
                        ));
                    }
                    None => cells.push(String::new()),
                }
            }
            rows.push((rows.len() + 1, cells));
        }
    }
    Ok(Sheet { header, rows })
}

/// A value as text, empty for null and NaN; `None` for types that a manifest has no use for.
fn cell_text(column: &dyn Array, row: usize) -> Option<String> {
    let any = column.as_any();
    let number = |value: f64| {
        if value.is_nan() { String::new() } else { value.to_string() }
    };
    let text = if let Some(a) = any.downcast_ref::<StringArray>() {
        a.value(row).to_owned()
    } else if let Some(a) = any.downcast_ref::<LargeStringArray>() {
        a.value(row).to_owned()
    } else if let Some(a) = any.downcast_ref::<StringViewArray>() {
        a.value(row).to_owned()
    } else if let Some(a) = any.downcast_ref::<Float64Array>() {
        number(a.value(row))
    } else if let Some(a) = any.downcast_ref::<Float32Array>() {
        number(f64::from(a.value(row)))
    } else if let Some(a) = any.downcast_ref::<Int64Array>() {
        a.value(row).to_string()
    } else if let Some(a) = any.downcast_ref::<Int32Array>() {
        a.value(row).to_string()
    } else if column.data_type() == &arrow_schema::DataType::Null {
        String::new()
    } else {
        return None;
    };
    Some(if column.is_null(row) { String::new() } else { text.trim().to_owned() })
}
