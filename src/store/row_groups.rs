//! A Parquet file whose columns are encoded side by side: the same bytes as one thread writes, in a fraction of the time.
//!
//! Encoding and packing a table's columns is most of what writing it takes, and columns know nothing of one another until
//! their row group is put together.

use std::io::Write;
use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_schema::Schema;
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_writer::{ArrowColumnWriter, ArrowLeafColumn, ArrowRowGroupWriterFactory, compute_leaves};
use parquet::errors::Result;
use parquet::file::metadata::KeyValue;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use rayon::prelude::*;

/// Writes batches of rows as row groups of limited size.
pub(super) struct RowGroups<W: Write + Send> {
    file: SerializedFileWriter<W>,
    factory: ArrowRowGroupWriterFactory,
    most_rows: usize,
    most_bytes: usize,
    open: Option<Open>,
}

impl<W: Write + Send> std::fmt::Debug for RowGroups<W> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RowGroups").field("rows", &self.open.as_ref().map(|open| open.rows)).finish_non_exhaustive()
    }
}

/// A row group that is not full yet.
struct Open {
    columns: Vec<ArrowColumnWriter>,
    rows: usize,
}

impl Open {
    fn bytes(&self) -> usize {
        self.columns.iter().map(ArrowColumnWriter::get_estimated_total_bytes).sum()
    }

    fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        let fields = batch.schema_ref().fields();
        let leaves: Vec<Vec<ArrowLeafColumn>> = fields
            .par_iter()
            .zip(batch.columns())
            .map(|(field, column)| compute_leaves(field, column))
            .collect::<Result<_>>()?;
        let leaves: Vec<ArrowLeafColumn> = leaves.into_iter().flatten().collect();
        self.columns.par_iter_mut().zip(&leaves).try_for_each(|(column, leaf)| column.write(leaf))?;
        self.rows += batch.num_rows();
        Ok(())
    }
}

impl<W: Write + Send> RowGroups<W> {
    /// A file in `to` for rows of `schema`. No row group has more than `most_rows`, nor by far more than `most_bytes`.
    pub(super) fn new(
        to: W,
        schema: Arc<Schema>,
        properties: WriterProperties,
        [most_rows, most_bytes]: [usize; 2],
    ) -> Result<Self> {
        // What the library's own writer puts before the first row group: the schema, in its words.
        let (file, factory) = ArrowWriter::try_new(to, schema, Some(properties))?.into_serialized_writer()?;
        Ok(Self { file, factory, most_rows: most_rows.max(1), most_bytes, open: None })
    }

    /// Adds rows. What is a full group depends on the rows alone: it is measured before a batch as the library's own writer
    /// does, by the mean size of the rows so far.
    pub(super) fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        let mut rest = batch.clone();
        while rest.num_rows() > 0 {
            let number = self.file.flushed_row_groups().len();
            let open = match &mut self.open {
                Some(open) => open,
                none => none.insert(Open { columns: self.factory.create_column_writers(number)?, rows: 0 }),
            };
            let mut n = rest.num_rows().min(self.most_rows - open.rows);
            if let Some(each) = open.bytes().checked_div(open.rows).filter(|each| *each > 0) {
                n = n.min(self.most_bytes.saturating_sub(open.bytes()) / each);
            }
            if n > 0 {
                open.write(&rest.slice(0, n))?;
                rest = rest.slice(n, rest.num_rows() - n);
            }
            if n == 0 || open.rows >= self.most_rows || open.bytes() >= self.most_bytes {
                self.end_group()?;
            }
        }
        Ok(())
    }

    fn end_group(&mut self) -> Result<()> {
        let Some(Open { columns, .. }) = self.open.take() else { return Ok(()) };
        let chunks = columns.into_par_iter().map(ArrowColumnWriter::close).collect::<Result<Vec<_>>>()?;
        let mut group = self.file.next_row_group()?;
        chunks.into_iter().try_for_each(|chunk| chunk.append_to_row_group(&mut group))?;
        group.close().map(drop)
    }

    /// Ends the file, with `pairs` in its metadata.
    pub(super) fn into_inner(mut self, pairs: impl IntoIterator<Item = KeyValue>) -> Result<W> {
        self.end_group()?;
        pairs.into_iter().for_each(|pair| self.file.append_key_value_metadata(pair));
        self.file.into_inner()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use crate::store::rows::{MetaboliteRow, SpectrumRow};
    use crate::store::schema::Table;

    fn row(i: usize) -> SpectrumRow {
        SpectrumRow {
            spectrum_id: format!("sub-{i:04}"),
            snr: (!i.is_multiple_of(7)).then_some(i as f64),
            covariance: (!i.is_multiple_of(5)).then(|| (0..i % 90).map(|k| (i * k) as f64 / 7.0).collect()),
            qc_flags: vec!["low_snr".to_owned(); i % 3],
            ..SpectrumRow::default()
        }
    }

    /// The bytes of the library's own writer, which one thread runs, with the same limits.
    fn by_one_thread<T: Table>(batches: &[RecordBatch], most: [usize; 2]) -> Vec<u8> {
        let properties = WriterProperties::builder()
            .set_max_row_group_row_count(Some(most[0]))
            .set_max_row_group_bytes(Some(most[1]))
            .build();
        let mut writer = ArrowWriter::try_new(Vec::new(), T::schema(), Some(properties)).unwrap();
        batches.iter().for_each(|batch| writer.write(batch).unwrap());
        writer.append_key_value_metadata(KeyValue::new("a".to_owned(), "b".to_owned()));
        writer.into_inner().unwrap()
    }

    fn side_by_side<T: Table>(batches: &[RecordBatch], most: [usize; 2]) -> Vec<u8> {
        let properties = WriterProperties::builder().build();
        let mut writer = RowGroups::new(Vec::new(), T::schema(), properties, most).unwrap();
        batches.iter().for_each(|batch| writer.write(batch).unwrap());
        writer.into_inner([KeyValue::new("a".to_owned(), "b".to_owned())]).unwrap()
    }

    #[test]
    fn bytes_are_those_of_one_thread() {
        let spectra: Vec<SpectrumRow> = (0..200).map(row).collect();
        for at_once in [16, 64, 200] {
            let batches: Vec<RecordBatch> =
                spectra.chunks(at_once).map(|rows| SpectrumRow::batch(rows, &[]).unwrap()).collect();
            for most in [[10_000, 1 << 24], [60, 1 << 24], [10_000, 30_000], [50, 15_000], [1000, 1]] {
                let (one, many) =
                    (by_one_thread::<SpectrumRow>(&batches, most), side_by_side::<SpectrumRow>(&batches, most));
                assert!(
                    one == many,
                    "{at_once} rows at once, at most {most:?} a group: {} and {}",
                    one.len(),
                    many.len()
                );
            }
        }
        let none = by_one_thread::<MetaboliteRow>(&[], [10, 10]);
        assert!(none == side_by_side::<MetaboliteRow>(&[], [10, 10]));
    }
}
