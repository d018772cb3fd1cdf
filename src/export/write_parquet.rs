//! A table as Parquet, with what its columns mean in their metadata.

use std::collections::HashMap;
use std::io::Write;
use std::sync::Arc;

use arrow_array::{ArrayRef, Float64Array, Int64Array, RecordBatch, StringArray};
use arrow_schema::{DataType, Field, Schema};
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;

use super::table::{Table, Values};
use crate::store::schema::{DEFINITION_KEY, UNIT_KEY};

/// Writes `table` to `to`.
pub(crate) fn write(table: &Table<'_>, to: impl Write + Send) -> Result<(), ParquetError> {
    let (mut fields, mut arrays) = (Vec::new(), Vec::<ArrayRef>::new());
    for column in &table.columns {
        let (data_type, array): (DataType, ArrayRef) = match &column.values {
            Values::Text(cells) => {
                (DataType::Utf8, Arc::new(StringArray::from_iter(cells.iter().map(Option::as_deref))))
            }
            Values::Number(cells) => (DataType::Float64, Arc::new(Float64Array::from_iter(cells.iter().copied()))),
            Values::Count(cells) => (DataType::Int64, Arc::new(Int64Array::from_iter(cells.iter().copied()))),
        };
        let meaning = HashMap::from([
            (UNIT_KEY.to_owned(), column.unit.to_owned()),
            (DEFINITION_KEY.to_owned(), column.description.clone()),
        ]);
        fields.push(Field::new(&column.name, data_type, true).with_metadata(meaning));
        arrays.push(array);
    }
    let schema = Arc::new(Schema::new(fields));
    let batch = RecordBatch::try_new(Arc::clone(&schema), arrays)?;
    let properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::default()))
        .set_created_by(concat!("requant ", env!("CARGO_PKG_VERSION")).to_owned())
        .build();
    let mut writer = ArrowWriter::try_new(to, schema, Some(properties))?;
    writer.write(&batch)?;
    writer.close()?;
    Ok(())
}
