//! A table of rows as tab-separated text and the sidecar that explains its columns, as BIDS has both.

use std::fmt::Write as _;

use arrow_array::cast::AsArray as _;
use arrow_array::types::{Float64Type, Int64Type, UInt32Type, UInt64Type};
use arrow_array::{Array, RecordBatch};
use arrow_schema::{ArrowError, DataType};
use serde_json::{Map, Value, json};

use crate::store::Table;

/// What stands for a value that is missing.
const MISSING: &str = "n/a";

/// Whether a cell of this type is one value: lists are in the Parquet tables only.
fn is_single(data_type: &DataType) -> bool {
    matches!(
        data_type,
        DataType::Utf8 | DataType::Float64 | DataType::UInt32 | DataType::UInt64 | DataType::Int64 | DataType::Boolean
    )
}

/// The rows, with a line of names.
pub(super) fn tsv<T: Table>(rows: &[T]) -> Result<String, ArrowError> {
    let batch: RecordBatch = T::batch(rows, &[])?;
    let schema = batch.schema();
    let columns: Vec<usize> = (0..schema.fields().len()).filter(|&i| is_single(schema.field(i).data_type())).collect();
    let names: Vec<&str> = columns.iter().map(|&i| schema.field(i).name().as_str()).collect();
    let mut text = names.join("\t");
    text.push('\n');
    for row in 0..batch.num_rows() {
        for (place, &column) in columns.iter().enumerate() {
            if place > 0 {
                text.push('\t');
            }
            cell(batch.column(column).as_ref(), row, &mut text);
        }
        text.push('\n');
    }
    Ok(text)
}

fn cell(array: &dyn Array, row: usize, text: &mut String) {
    if array.is_null(row) {
        text.push_str(MISSING);
        return;
    }
    // Writing to a string cannot fail.
    let _ = match array.data_type() {
        DataType::Utf8 => {
            let value = array.as_string::<i32>().value(row);
            // What would end the cell or the line becomes a space.
            let kept = value.chars().map(|c| if c.is_control() { ' ' } else { c });
            text.extend(kept);
            if value.is_empty() { text.write_str(MISSING) } else { Ok(()) }
        }
        DataType::Float64 => match array.as_primitive::<Float64Type>().value(row) {
            value if value.is_finite() => write!(text, "{value}"),
            _ => text.write_str(MISSING),
        },
        DataType::UInt32 => write!(text, "{}", array.as_primitive::<UInt32Type>().value(row)),
        DataType::UInt64 => write!(text, "{}", array.as_primitive::<UInt64Type>().value(row)),
        DataType::Int64 => write!(text, "{}", array.as_primitive::<Int64Type>().value(row)),
        DataType::Boolean => write!(text, "{}", array.as_boolean().value(row)),
        _ => text.write_str(MISSING),
    };
}

/// What each column of [`tsv`] holds.
pub(super) fn sidecar<T: Table>() -> Map<String, Value> {
    let columns = T::columns().into_iter().filter(|column| is_single(&column.data_type));
    columns
        .map(|column| {
            let mut entry = json!({ "Description": column.definition });
            if !column.unit.is_empty() {
                entry["Units"] = json!(column.unit);
            }
            (column.name.to_owned(), entry)
        })
        .collect()
}
