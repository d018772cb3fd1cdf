//! Tables as anybody reads them: by column name, without this program's row types.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::Path;

use arrow_array::cast::AsArray;
use arrow_array::types::{Float32Type, Float64Type, Int64Type};
use arrow_array::{Array, ArrayRef};
use arrow_schema::DataType;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use serde_json::{Value, json};

/// One row; what is null is `Null`.
#[derive(Debug, Clone)]
pub(crate) struct Row(pub(crate) BTreeMap<String, Value>);

impl Row {
    pub(crate) fn number(&self, column: &str) -> Option<f64> {
        self.0.get(column)?.as_f64()
    }

    pub(crate) fn text(&self, column: &str) -> Option<&str> {
        self.0.get(column)?.as_str()
    }

    #[allow(dead_code, reason = "not every test file uses all of it")]
    pub(crate) fn truth(&self, column: &str) -> Option<bool> {
        self.0.get(column)?.as_bool()
    }

    /// A list of numbers; empty where there is none.
    #[allow(dead_code, reason = "not every test file uses all of it")]
    pub(crate) fn numbers(&self, column: &str) -> Vec<f64> {
        self.0.get(column).map(numbers).unwrap_or_default()
    }

    #[allow(dead_code, reason = "not every test file uses all of it")]
    pub(crate) fn lists(&self, column: &str) -> Vec<Vec<f64>> {
        self.0.get(column).and_then(Value::as_array).map(|all| all.iter().map(numbers).collect()).unwrap_or_default()
    }

    #[allow(dead_code, reason = "not every test file uses all of it")]
    pub(crate) fn texts(&self, column: &str) -> Vec<String> {
        let all = self.0.get(column).and_then(Value::as_array);
        all.into_iter().flatten().filter_map(|v| v.as_str().map(str::to_owned)).collect()
    }
}

#[allow(dead_code, reason = "not every test file uses all of it")]
fn numbers(list: &Value) -> Vec<f64> {
    list.as_array().into_iter().flatten().map(|v| v.as_f64().unwrap_or(f64::NAN)).collect()
}

/// All rows of a table, in their order.
pub(crate) fn rows(out: &Path, table: &str) -> Vec<Row> {
    let mut parts: Vec<_> = std::fs::read_dir(out.join(table)).unwrap().map(|e| e.unwrap().path()).collect();
    parts.sort();
    let mut rows = Vec::new();
    for part in parts {
        let reader = ParquetRecordBatchReaderBuilder::try_new(File::open(part).unwrap()).unwrap().build().unwrap();
        for batch in reader {
            let batch = batch.unwrap();
            let names: Vec<String> = batch.schema().fields().iter().map(|f| f.name().clone()).collect();
            rows.extend((0..batch.num_rows()).map(|i| {
                let cells = names.iter().zip(batch.columns());
                Row(cells.map(|(name, column)| (name.clone(), cell(column, i))).collect())
            }));
        }
    }
    rows
}

fn cell(column: &ArrayRef, i: usize) -> Value {
    if column.is_null(i) {
        return Value::Null;
    }
    match column.data_type() {
        DataType::Utf8 => json!(column.as_string::<i32>().value(i)),
        DataType::Boolean => json!(column.as_boolean().value(i)),
        DataType::Int64 => json!(column.as_primitive::<Int64Type>().value(i)),
        DataType::Float64 => json!(column.as_primitive::<Float64Type>().value(i)),
        DataType::Float32 => json!(f64::from(column.as_primitive::<Float32Type>().value(i))),
        DataType::List(_) => {
            let list = column.as_list::<i32>().value(i);
            Value::Array((0..list.len()).map(|k| cell(&list, k)).collect())
        }
        other => panic!("a column of type {other}"),
    }
}
