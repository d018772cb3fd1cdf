//! Tests of [`super`].
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs::File;
use std::sync::Arc;

use arrow_array::{ArrayRef, RecordBatch};
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, GzipLevel};
use parquet::file::properties::WriterProperties;

use super::super::manifest;
use super::*;

fn write(path: &Path, compression: Compression) {
    let paths: ArrayRef = Arc::new(StringArray::from(vec!["a.RAW"; 200]));
    let times: ArrayRef = Arc::new(Float64Array::from(vec![0.03; 200]));
    let batch = RecordBatch::try_from_iter([("path", paths), ("te_s", times)]).unwrap();
    let properties = WriterProperties::builder().set_compression(compression).build();
    let mut writer = ArrowWriter::try_new(File::create(path).unwrap(), batch.schema(), Some(properties)).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
}

#[test]
fn manifests_come_in_the_compressions_of_other_programs() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("m.parquet");
    for compression in [
        Compression::UNCOMPRESSED,
        Compression::SNAPPY,
        Compression::GZIP(GzipLevel::default()),
        Compression::LZ4,
        Compression::LZ4_RAW,
        Compression::ZSTD(Default::default()),
    ] {
        write(&path, compression);
        let manifest = manifest::read(&path).unwrap();
        assert_eq!(manifest.lines.len(), 200, "{compression:?}");
        assert_eq!(manifest.lines[199].overrides.facts.te_s, Some(0.03), "{compression:?}");
        assert!(manifest.lines[0].path.ends_with("a.RAW"));
    }
}

#[test]
fn other_compressions_are_named_with_those_that_are_read() {
    let said = fault("Parquet error: Disabled feature at compile time: brotli");
    assert!(said.contains("brotli") && said.contains("write it with snappy, zstd or no compression"), "{said}");
    assert_eq!(
        fault("Parquet error: Invalid Parquet file. Corrupt footer"),
        "Parquet error: Invalid Parquet file. Corrupt footer"
    );
}
