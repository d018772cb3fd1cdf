//! The dataset folder: the tables' schemas, a writer, a reader and the run's provenance.
//!
//! A column is declared once, in [`rows`]: the Rust field, the Arrow field with its metadata, the
//! Parquet column and the line in `docs/reference/columns.md` all come from that declaration.

pub mod cells;
mod dictionary;
pub mod disk;
mod ending;
mod error;
mod folder;
pub(crate) mod identity;
pub mod journal;
mod json;
mod lock;
mod opening;
mod packed;
pub mod plan;
pub mod provenance;
pub mod reader;
mod replace;
mod row_groups;
pub mod rows;
pub mod schema;
mod sealed;
mod single;
pub mod span;
mod table_writer;
pub mod timings;
mod told;
pub mod writer;

pub use dictionary::columns_markdown;
pub use ending::tidy;
pub use error::{IfExists, StoreError, some_of};
pub use identity::read_run;
pub use journal::Journal;
pub use json::rows_as_json;
pub use opening::Opening;
pub use packed::WideCurves;
pub use plan::{ChunkRecord, ChunkRows, Content, Plan, PlannedInput};
pub use provenance::RunRecord;
pub use reader::{ReadTableError, read_batches, read_record, read_table};
pub use replace::{remove_written, replace_file};
pub use rows::{
    BenchmarkRow, ComparisonRow, CurveRow, LearnedRow, MetaboliteRow, PlannedRow, SpectrumRow, Status, TransientRow,
};
pub use schema::{SCHEMA_VERSION, Table};
pub use single::write_table;
pub use span::{Position, Span};
pub use timings::Timings;
pub use told::Told;
pub use writer::DatasetWriter;
