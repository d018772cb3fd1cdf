//! What each column of a table means, as BIDS has it beside a TSV.

use serde_json::{Map, Value, json};

use super::table::Table;

pub(crate) fn json(table: &Table<'_>) -> Value {
    let mut all = Map::new();
    for column in &table.columns {
        let mut entry = Map::new();
        entry.insert("Description".to_owned(), json!(column.description));
        if !column.unit.is_empty() {
            entry.insert("Units".to_owned(), json!(column.unit));
        }
        if !column.levels.is_empty() {
            entry.insert("Levels".to_owned(), json!(column.levels));
        }
        all.insert(column.name.clone(), Value::Object(entry));
    }
    Value::Object(all)
}
