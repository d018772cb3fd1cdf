//! Rows of a table as JSON, by the names of their columns.

use arrow_array::types::{Float32Type, Float64Type, Int32Type, Int64Type};
use arrow_array::{Array, BooleanArray, ListArray, PrimitiveArray, StringArray};
use arrow_schema::DataType;
use serde_json::{Map, Value};

use super::Table;

/// One object a row; null where the table has null.
#[must_use]
pub fn rows_as_json<T: Table>(rows: &[T]) -> Vec<Value> {
    let mut all = vec![Map::new(); rows.len()];
    for column in T::columns() {
        let array = (column.array)(rows);
        for (at, object) in all.iter_mut().enumerate() {
            object.insert(column.name.to_owned(), value(array.as_ref(), at));
        }
    }
    all.into_iter().map(Value::Object).collect()
}

/// One cell. The types are those of [`super::cells::Cell`].
fn value(array: &dyn Array, at: usize) -> Value {
    if array.is_null(at) {
        return Value::Null;
    }
    let any = array.as_any();
    let list = |list: &ListArray| {
        let values = list.value(at);
        (0..values.len()).map(|k| value(values.as_ref(), k)).collect()
    };
    let read = match array.data_type() {
        DataType::Utf8 => any.downcast_ref::<StringArray>().map(|a| Value::from(a.value(at))),
        DataType::Boolean => any.downcast_ref::<BooleanArray>().map(|a| Value::from(a.value(at))),
        DataType::Float64 => any.downcast_ref::<PrimitiveArray<Float64Type>>().map(|a| Value::from(a.value(at))),
        DataType::Float32 => any.downcast_ref::<PrimitiveArray<Float32Type>>().map(|a| Value::from(a.value(at))),
        DataType::Int64 => any.downcast_ref::<PrimitiveArray<Int64Type>>().map(|a| Value::from(a.value(at))),
        DataType::Int32 => any.downcast_ref::<PrimitiveArray<Int32Type>>().map(|a| Value::from(a.value(at))),
        DataType::List(_) => any.downcast_ref::<ListArray>().map(|a| Value::Array(list(a))),
        _ => None,
    };
    read.unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::PlannedRow;

    #[test]
    fn cells_are_values_of_their_kind() {
        let row = PlannedRow {
            spectrum_id: "a\"b".into(),
            n_points: Some(7),
            te_s: Some(0.03),
            steps: vec!["average".into()],
            ..PlannedRow::default()
        };
        let all = rows_as_json(&[row, PlannedRow::default()]);
        assert_eq!(all[0]["spectrum_id"], "a\"b");
        assert_eq!((&all[0]["n_points"], &all[0]["te_s"]), (&Value::from(7), &Value::from(0.03)));
        assert_eq!(all[0]["steps"], serde_json::json!(["average"]));
        assert_eq!((&all[1]["te_s"], &all[1]["subject"]), (&Value::Null, &Value::Null));
    }
}
