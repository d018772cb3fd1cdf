//! `requant` for Python: the library's verbs over arrays and files, and the command itself.
//!
//! Nothing is computed here: what a table of a run would hold is made by the same code, and handed over.

mod acquisition;
mod basis;
mod errors;
mod fit;
mod spectrum;
mod tables;

use std::ffi::OsString;

use clap::Parser;
use pyo3::prelude::*;

/// Runs the command `requant` with these arguments, the first one its name; gives back its exit code.
#[pyfunction]
fn command(py: Python<'_>, arguments: Vec<OsString>) -> u8 {
    py.detach(|| requant::cli::main(requant::cli::Cli::parse_from(arguments)))
}

/// What the package `requant` is made of.
#[pymodule]
mod _native {
    #[pymodule_export]
    use super::acquisition::{PyAcquisition, read};
    #[pymodule_export]
    use super::basis::{PyBasis, read_basis, simulate_basis};
    #[pymodule_export]
    use super::command;
    #[pymodule_export]
    use super::errors::{BasisSetError, FitError, MethodError, PrepareError, ReadError, RequantError};
    #[pymodule_export]
    use super::fit::{
        Settings, fit_acquisition, fit_array, fit_file, fit_spectrum, methods, prepare, prepare_file,
    };
    #[pymodule_export]
    use super::spectrum::PySpectrum;
    #[pymodule_export]
    use super::tables::{ArrowTable, Tables};

    #[pymodule_export]
    #[allow(non_upper_case_globals, reason = "the name that Python has")]
    const __version__: &str = env!("CARGO_PKG_VERSION");
}
