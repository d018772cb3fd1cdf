//! The library's errors as Python exceptions: each has the `code` that the tables would have.

use std::error::Error;

use pyo3::create_exception;
use pyo3::exceptions::PyException;
use pyo3::prelude::*;
use pyo3::type_object::PyTypeInfo;
use requant::basis::{BasisError, SaveError};
use requant::formats::ReadError as FileError;
use requant::run::RunError;

create_exception!(requant, RequantError, PyException, "What requant refuses; `code` is the stable word of the tables.");
create_exception!(requant, ReadError, RequantError, "A file cannot be read.");
create_exception!(requant, BasisSetError, RequantError, "A basis set cannot be read, made or used.");
create_exception!(requant, MethodError, RequantError, "No such method, or settings that cannot be used.");
create_exception!(requant, PrepareError, RequantError, "A measurement cannot be prepared.");
create_exception!(requant, FitError, RequantError, "A spectrum cannot be fitted.");

/// An exception with its code.
pub fn coded<E: PyTypeInfo>(code: &str, message: String) -> PyErr {
    Python::attach(|py| {
        let error = PyErr::new::<E, _>(message);
        match error.value(py).setattr("code", code) {
            Ok(()) => error,
            Err(other) => other,
        }
    })
}

/// An error with its causes, each once.
pub fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let own = cause.to_string();
        if !text.contains(&own) {
            text = format!("{text}: {own}");
        }
        source = cause.source();
    }
    text
}

pub fn of_file(error: &FileError) -> PyErr {
    coded::<ReadError>(error.code(), chain(error))
}

pub fn of_basis(error: &BasisError) -> PyErr {
    coded::<BasisSetError>("basis", chain(error))
}

pub fn of_saving(error: &SaveError) -> PyErr {
    coded::<BasisSetError>("not_written", chain(error))
}

pub fn of_run(error: &RunError) -> PyErr {
    match error {
        RunError::Basis(error) => of_basis(error),
        RunError::Find(_) | RunError::NoneTaken { .. } => coded::<ReadError>("no_input", chain(error)),
        _ => coded::<RequantError>("failed", chain(error)),
    }
}
