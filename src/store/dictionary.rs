//! The data dictionary: every table's columns as a page.

use super::rows::{
    BenchmarkRow, ComparisonRow, CurveRow, LearnedRow, MetaboliteRow, PlannedRow, SpectrumRow, TransientRow,
};
use super::schema::{CARRIED_DEFINITION, SCHEMA_VERSION, Table};
use arrow_schema::DataType;
use std::fmt::Write as _;

fn type_name(data_type: &DataType) -> String {
    match data_type {
        DataType::Utf8 => "text".to_owned(),
        DataType::Float64 => "float64".to_owned(),
        DataType::Float32 => "float32".to_owned(),
        DataType::Int64 => "int64".to_owned(),
        DataType::Int32 => "int32".to_owned(),
        DataType::Boolean => "bool".to_owned(),
        DataType::List(item) => format!("list of {}", type_name(item.data_type())),
        other => other.to_string(),
    }
}

fn table_markdown<T: Table>(text: &mut String) {
    // Writing to a String cannot fail, so the results carry nothing.
    let _ = writeln!(text, "\n## `{}`\n\n{}\n", T::NAME, T::ROW);
    text.push_str("| column | type | unit | null? | definition |\n|---|---|---|---|---|\n");
    for column in T::columns() {
        let _ = writeln!(
            text,
            "| `{}` | {} | {} | {} | {} |",
            column.name,
            type_name(&column.data_type),
            column.unit,
            if column.nullable { "yes" } else { "" },
            column.definition.replace('|', "\\|"),
        );
    }
    if T::CARRIES {
        let _ = writeln!(
            text,
            "| `x_…` | text |  | yes | {CARRIED_DEFINITION} `x_` and its title in small letters, `_` for what stands between words: `Scanner model` becomes `x_scanner_model`. |"
        );
    }
}

/// The data dictionary, as committed in `docs/reference/columns.md`.
pub fn columns_markdown() -> String {
    let mut text = format!(
        "# Columns\n\n\
         Schema version {SCHEMA_VERSION}. Generated from the table definitions in \
         `src/store/rows.rs`: change them there, then run \
         `REQUANT_UPDATE=1 cargo test --test house tables::`.\n\n\
         Null means that the value does not exist or is not known; there are no other markers and \
         no NaN. The same unit and definition stand in the metadata of each Arrow field.\n"
    );
    table_markdown::<SpectrumRow>(&mut text);
    table_markdown::<MetaboliteRow>(&mut text);
    table_markdown::<CurveRow>(&mut text);
    table_markdown::<TransientRow>(&mut text);
    table_markdown::<LearnedRow>(&mut text);
    table_markdown::<PlannedRow>(&mut text);
    table_markdown::<ComparisonRow>(&mut text);
    table_markdown::<BenchmarkRow>(&mut text);
    text
}
