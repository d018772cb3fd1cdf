//! Columns as data: name, unit, definition, and how to get at the values.

use std::collections::HashMap;
use std::sync::Arc;

use arrow_array::{Array, ArrayRef, RecordBatch};
use arrow_schema::{ArrowError, DataType, Field, Schema};

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
