//! Columns as data: name, unit, definition, and how to get at the values.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::Arc;

use arrow_array::{Array, ArrayRef, RecordBatch};
use arrow_schema::{ArrowError, DataType, Field, Schema};

use super::rows::{
    BenchmarkRow, ComparisonRow, CurveRow, LearnedRow, MetaboliteRow, PlannedRow, SpectrumRow, TransientRow,
};

/// Version of the tables' columns; raised when a column changes its meaning, its type or goes.
pub const SCHEMA_VERSION: &str = "2";

/// Key of the schema version in the files' key-value metadata.
pub const SCHEMA_VERSION_KEY: &str = "requant_schema_version";
/// Key of requant's version in the files' key-value metadata.
pub const VERSION_KEY: &str = "requant_version";
/// Key of the Git commit that requant was built from; absent where it was not built from a checkout.
pub const GIT_HASH_KEY: &str = "requant_git_hash";
/// Key of the run's id ([`super::RunRecord::run_id`]); absent in files that are no run's.
pub const RUN_ID_KEY: &str = "requant_run_id";
/// Key of the table's name in the files' key-value metadata.
pub const TABLE_KEY: &str = "requant_table";
/// Key of a column's unit in the Arrow field's metadata; empty for what has none.
pub const UNIT_KEY: &str = "unit";
/// Key of a column's definition in the Arrow field's metadata.
pub const DEFINITION_KEY: &str = "definition";

/// One column of a table whose rows are `R`.
pub struct Column<R> {
    /// Column name, which is also the name of the field in `R`.
    pub name: &'static str,
    /// Unit as in `"s"`, `"Hz"`, `"mmol/kg"`; empty for text, counts and ratios.
    pub unit: &'static str,
    /// What the numbers mean, in a sentence.
    pub definition: &'static str,
    /// Arrow type.
    pub data_type: DataType,
    /// Whether nulls may occur.
    pub nullable: bool,
    /// Makes the column of the given rows.
    pub array: fn(&[R]) -> ArrayRef,
    /// Sets the field in the given rows; `false` if the column is of another type.
    pub fill: fn(&mut [R], &dyn Array) -> bool,
}

/// A row type whose columns are known.
pub trait Table: Sized + Default + Clone {
    /// Name of the table and of its folder.
    const NAME: &'static str;
    /// What one row stands for.
    const ROW: &'static str;
    /// The columns in the order in which they are written.
    fn columns() -> Vec<Column<Self>>;

    /// The Arrow schema, with unit and definition in each field's metadata.
    fn schema() -> Arc<Schema> {
        let fields: Vec<Field> = Self::columns()
            .into_iter()
            .map(|column| {
                Field::new(column.name, column.data_type, column.nullable).with_metadata(HashMap::from([
                    (UNIT_KEY.to_owned(), column.unit.to_owned()),
                    (DEFINITION_KEY.to_owned(), column.definition.to_owned()),
                ]))
            })
            .collect();
        Arc::new(Schema::new(fields))
    }

    /// The rows as one batch.
    fn batch(rows: &[Self]) -> Result<RecordBatch, ArrowError> {
        let arrays = Self::columns().iter().map(|column| (column.array)(rows)).collect();
        RecordBatch::try_new(Self::schema(), arrays)
    }
}

/// Declares a row type and its columns, each exactly once:
/// `field: Type, "unit", "definition";`.
macro_rules! table {
    (
        $(#[$attribute:meta])*
        $row:ident = $name:literal, $what:literal;
        $( $field:ident: $type:ty, $unit:literal, $definition:literal; )*
    ) => {
        $(#[$attribute])*
        #[derive(Debug, Clone, PartialEq, Default)]
        pub struct $row {
            $( #[doc = concat!($definition, " Unit: `", $unit, "`.")] pub $field: $type, )*
        }

        impl $crate::store::schema::Table for $row {
            const NAME: &'static str = $name;
            const ROW: &'static str = $what;

            fn columns() -> Vec<$crate::store::schema::Column<Self>> {
                use $crate::store::cells::Cell;
                vec![$(
                    $crate::store::schema::Column {
                        name: stringify!($field),
                        unit: $unit,
                        definition: $definition,
                        data_type: <$type as Cell>::data_type(),
                        nullable: <$type as Cell>::NULLABLE,
                        array: |rows| <$type as Cell>::array(&mut rows.iter().map(|r| &r.$field)),
                        fill: |rows, array| match <$type as Cell>::values(array) {
                            Some(values) => {
                                for (row, value) in rows.iter_mut().zip(values) {
                                    row.$field = value;
                                }
                                true
                            }
                            None => false,
                        },
                    },
                )*]
            }
        }
    };
}
pub(crate) use table;

fn type_name(data_type: &DataType) -> String {
    match data_type {
        DataType::Utf8 => "text".to_owned(),
        DataType::Float64 => "float64".to_owned(),
        DataType::Float32 => "float32".to_owned(),
        DataType::Int64 => "int64".to_owned(),
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
}

/// The data dictionary, as committed in `docs/reference/columns.md`.
pub fn columns_markdown() -> String {
    let mut text = format!(
        "# Columns\n\n\
         Schema version {SCHEMA_VERSION}. Generated from the table definitions in \
         `src/store/rows.rs`: change them there, then run \
         `REQUANT_UPDATE=1 cargo test --test tables`.\n\n\
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
