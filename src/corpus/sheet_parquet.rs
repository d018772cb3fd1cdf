//! Tables of text cells out of Parquet files.

use std::path::Path;

use arrow_array::{
    Array, Float32Array, Float64Array, Int32Array, Int64Array, LargeStringArray, StringArray, StringViewArray,
};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use super::sheet::{MAX_BYTES, Sheet};
use crate::regular_file;

/// Reads Parquet; columns that are not `wanted` may have any type.
pub(crate) fn read_parquet(path: &Path, wanted: &dyn Fn(&str) -> bool) -> Result<Sheet, String> {
    let file = regular_file::open(path, MAX_BYTES).map_err(|e| e.to_string())?;
    let builder = ParquetRecordBatchReaderBuilder::try_new(file).map_err(fault)?;
    let header: Vec<String> = builder.schema().fields().iter().map(|field| field.name().clone()).collect();
    let mut rows: Vec<(usize, Vec<String>)> = Vec::new();
    for batch in builder.build().map_err(fault)? {
        let batch = batch.map_err(fault)?;
        for row in 0..batch.num_rows() {
            let mut cells = Vec::new();
            for (name, column) in header.iter().zip(batch.columns()) {
                match cell_text(column.as_ref(), row) {
                    Some(text) => cells.push(text),
                    None if wanted(name) => {
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
    Ok(Sheet { header, rows, may_have_decimal_commas: false })
}

/// What the Parquet library said, with what to do where it is the compression.
fn fault(error: impl ToString) -> String {
    let said = error.to_string();
    // Its words for a codec that this build has not (Brotli), and for one that it never has (LZO).
    if said.contains("Disabled feature") || said.contains("codec") {
        format!("its compression is not read ({said}); write it with snappy, zstd or no compression")
    } else {
        said
    }
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

#[cfg(test)]
#[path = "sheet_parquet_tests.rs"]
mod tests;
