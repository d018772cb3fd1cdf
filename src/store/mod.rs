//! The dataset folder: the tables' schemas, a writer, a reader and the run's provenance.
//!
//! A column is declared once, in [`rows`]: the Rust field, the Arrow field with its metadata, the
//! Parquet column and the line in `docs/columns.md` all come from that declaration.

pub mod cells;
mod folder;
mod learned;
pub mod provenance;
pub mod reader;
pub mod rows;
pub mod schema;
mod table_writer;
pub mod writer;

pub use learned::write_learned;
pub use provenance::RunRecord;
pub use reader::{ReadTableError, read_run, read_table};
pub use rows::{CurveRow, LearnedRow, MetaboliteRow, SpectrumRow, Status};
pub use schema::{SCHEMA_VERSION, Table, columns_markdown};
pub use writer::{DatasetWriter, IfExists, StoreError};
