//! Rows as Arrow tables, handed over by the Arrow C stream interface: columns are not copied.

use std::ffi::CStr;

use arrow_array::ffi_stream::FFI_ArrowArrayStream;
use arrow_array::{RecordBatch, RecordBatchIterator};
use pyo3::prelude::*;
use pyo3::types::PyCapsule;
use requant::run::held::HeldRows;
use requant::store::Table;

use crate::errors::{RequantError, coded};

/// The name that the interface asks for.
const STREAM: &CStr = c"arrow_array_stream";

/// A table that `pyarrow.table`, `polars.from_arrow` and others take over.
#[pyclass(frozen, module = "requant._native")]
pub struct ArrowTable(RecordBatch);

#[pymethods]
impl ArrowTable {
    #[pyo3(signature = (requested_schema=None))]
    fn __arrow_c_stream__<'py>(
        &self,
        py: Python<'py>,
        requested_schema: Option<Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyCapsule>> {
        // The interface lets a producer answer with the schema that it has.
        drop(requested_schema);
        let batches = RecordBatchIterator::new([Ok(self.0.clone())], self.0.schema());
        PyCapsule::new_with_value(py, FFI_ArrowArrayStream::new(Box::new(batches)), STREAM)
    }

    fn __len__(&self) -> usize {
        self.0.num_rows()
    }
}

fn table<T: Table>(rows: &[T]) -> PyResult<ArrowTable> {
    T::batch(rows, &[])
        .map(ArrowTable)
        .map_err(|e| coded::<RequantError>("table", format!("the table {} cannot be made: {e}", T::NAME)))
}

/// The three tables of some fits.
#[pyclass(frozen, get_all, module = "requant._native")]
pub struct Tables {
    spectra: Py<ArrowTable>,
    metabolites: Py<ArrowTable>,
    curves: Py<ArrowTable>,
}

impl Tables {
    pub fn of(py: Python<'_>, rows: HeldRows) -> PyResult<Self> {
        let (spectra, metabolites, curves) = py.detach(move || {
            let HeldRows { spectra, metabolites, curves } = rows;
            (table(&spectra), table(&metabolites), table(&curves))
        });
        Ok(Self {
            spectra: Py::new(py, spectra?)?,
            metabolites: Py::new(py, metabolites?)?,
            curves: Py::new(py, curves?)?,
        })
    }
}
