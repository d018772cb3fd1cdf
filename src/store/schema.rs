//! Columns as data: name, unit, definition, and how to get at the values.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use arrow_array::{Array, ArrayRef, RecordBatch, StringArray};
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

/// Begins the names of columns that manifests have of their own. No column of requant begins so.
pub const CARRIED_PREFIX: &str = "x_";
/// What such a column holds, for its metadata and the dictionary.
pub const CARRIED_DEFINITION: &str =
    "A column of the manifest that requant does not know, as it stands there; null where the cell is empty.";

/// Columns of manifests by their names in the tables, with what they hold.
pub type Carried = BTreeMap<String, String>;

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
    /// Whether the rows carry columns of manifests, beside those that are declared.
    const CARRIES: bool = false;
    /// The columns in the order in which they are written.
    fn columns() -> Vec<Column<Self>>;

    /// What a row carries of a manifest's own columns.
    fn carried(&self) -> Option<&Carried> {
        None
    }

    /// The same, to be filled.
    fn carried_mut(&mut self) -> Option<&mut Carried> {
        None
    }

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

    /// The schema with these columns of manifests behind the declared ones.
    fn schema_with(carried: &[String]) -> Arc<Schema> {
        let schema = Self::schema();
        let field = |name: &String| {
            Field::new(name, DataType::Utf8, true).with_metadata(HashMap::from([
                (UNIT_KEY.to_owned(), String::new()),
                (DEFINITION_KEY.to_owned(), CARRIED_DEFINITION.to_owned()),
            ]))
        };
        let fields: Vec<Arc<Field>> =
            schema.fields().iter().cloned().chain(carried.iter().map(|name| Arc::new(field(name)))).collect();
        Arc::new(Schema::new(fields))
    }

    /// The rows as one batch of that schema.
    fn batch(rows: &[Self], carried: &[String]) -> Result<RecordBatch, ArrowError> {
        let declared = Self::columns().into_iter().map(|column| (column.array)(rows));
        let texts = carried.iter().map(|name| {
            let cells = rows.iter().map(|row| row.carried().and_then(|carried| carried.get(name)).map(String::as_str));
            Arc::new(StringArray::from_iter(cells)) as ArrayRef
        });
        RecordBatch::try_new(Self::schema_with(carried), declared.chain(texts).collect())
    }
}

/// The columns of manifests that any of the rows carries.
pub(super) fn carried_by<T: Table>(rows: &[T]) -> Vec<String> {
    let names: std::collections::BTreeSet<&String> =
        rows.iter().filter_map(Table::carried).flat_map(BTreeMap::keys).collect();
    names.into_iter().cloned().collect()
}

/// Declares a row type and its columns, each exactly once:
/// `field: Type, "unit", "definition";`. A table that `carries` a field holds columns of manifests in it.
macro_rules! table {
    (
        $(#[$attribute:meta])*
        $row:ident = $name:literal, $what:literal $(, carries $carried:ident)?;
        $( $field:ident: $type:ty, $unit:literal, $definition:literal; )*
    ) => {
        $(#[$attribute])*
        #[derive(Debug, Clone, PartialEq, Default)]
        pub struct $row {
            $( #[doc = concat!($definition, " Unit: `", $unit, "`.")] pub $field: $type, )*
            $(
                /// Columns that manifests have of their own, by their names (`x_…`).
                pub $carried: $crate::store::schema::Carried,
            )?
        }

        impl $crate::store::schema::Table for $row {
            const NAME: &'static str = $name;
            const ROW: &'static str = $what;
            $(
                const CARRIES: bool = true;

                fn carried(&self) -> Option<&$crate::store::schema::Carried> {
                    Some(&self.$carried)
                }

                fn carried_mut(&mut self) -> Option<&mut $crate::store::schema::Carried> {
                    Some(&mut self.$carried)
                }
            )?

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
