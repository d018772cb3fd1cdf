//! Preparation and fits, by the same code as `requant run`. Python's lock is let go of meanwhile.

use std::path::PathBuf;

use numpy::{Complex64, PyReadonlyArray2};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use requant::acquisition::Acquisition;
use requant::basis::BasisSet;
use requant::fit::Method;
use requant::learned;
use requant::prepare::Preparation;
use requant::run::config::method_from_file;
use requant::run::held::{Fitter, Held, HeldRows};
use requant::run::{CurvesKept, RunOptions};

use crate::acquisition::{PyAcquisition, facts_from};
use crate::basis::PyBasis;
use crate::errors::{MethodError, ReadError, RequantError, chain, coded, of_run};
use crate::spectrum::PySpectrum;
use crate::tables::Tables;

/// Spectra that are fitted between two looks whether somebody asked to stop.
const AT_ONCE: usize = 256;

/// A basis set as a file or in memory.
#[derive(FromPyObject)]
enum AnyBasis<'py> {
    Set(PyRef<'py, PyBasis>),
    File(PathBuf),
}

/// How to prepare and fit.
#[pyclass(frozen, module = "requant._native")]
pub struct Settings {
    options: RunOptions,
    basis: Option<BasisSet>,
}

fn method(name: &str) -> PyResult<Method> {
    let failed = |error: &dyn std::error::Error| coded::<MethodError>("method", chain(error));
    match Method::built_in(name) {
        Some(method) => method.map_err(|error| failed(&error)),
        None if name.ends_with(".toml") => method_from_file(name.as_ref()).map_err(|error| failed(&error)),
        None => {
            let known: Vec<&str> = Method::built_in_names().collect();
            let message = format!("{name:?} is no method; there are {}, or a .toml file", known.join(", "));
            Err(coded::<MethodError>("method", message))
        }
    }
}

#[pymethods]
impl Settings {
    #[new]
    #[pyo3(signature = (methods, basis, learned, curves, prepare, header))]
    fn new(
        methods: Vec<String>,
        basis: Option<AnyBasis<'_>>,
        learned: Option<PathBuf>,
        curves: bool,
        prepare: bool,
        header: &Bound<'_, PyDict>,
    ) -> PyResult<Self> {
        let methods: Vec<Method> = methods.iter().map(|name| method(name)).collect::<PyResult<_>>()?;
        if methods.is_empty() {
            return Err(PyValueError::new_err("no method"));
        }
        let mut options = RunOptions::new(Vec::new(), methods, PathBuf::new())
            .map_err(|error| coded::<RequantError>("constants", chain(&error)))?;
        options.gaps = facts_from(Some(header))?;
        options.curves = if curves { CurvesKept::Full } else { CurvesKept::None };
        if !prepare {
            options.preparation = Preparation::None;
        }
        let read = |path: PathBuf| learned::read(&path).map_err(|e| coded::<ReadError>("learned", chain(&e)));
        options.learned = learned.map(read).transpose()?;
        let basis = match basis {
            None => None,
            Some(AnyBasis::File(path)) => {
                options.basis = Some(path);
                None
            }
            Some(AnyBasis::Set(set)) => {
                options.basis = Some(PathBuf::from(&set.set.id));
                Some(set.set.clone())
            }
        };
        Ok(Self { options, basis })
    }
}

impl Settings {
    fn fitter(&self) -> PyResult<Fitter<'_>> {
        Fitter::new(&self.options, self.basis.clone()).map_err(|error| of_run(&error))
    }

    /// Fits what `next` gives, some at a time; between them Python may interrupt.
    fn fit_all(&self, py: Python<'_>, mut next: impl FnMut() -> Vec<Held> + Send) -> PyResult<HeldRows> {
        let fitter = py.detach(|| self.fitter())?;
        let mut all = HeldRows::default();
        loop {
            let rows = py.detach(|| {
                let held = next();
                (!held.is_empty()).then(|| fitter.all(held))
            });
            py.check_signals()?;
            let Some(rows) = rows else { return Ok(all) };
            all.spectra.extend(rows.spectra);
            all.metabolites.extend(rows.metabolites);
            all.curves.extend(rows.curves);
        }
    }
}

/// All spectra of a file, with the water reference that is named or else paired.
#[pyfunction]
pub fn fit_file(py: Python<'_>, settings: &Settings, path: PathBuf, water: Option<PathBuf>) -> PyResult<Tables> {
    let mut options = settings.options.clone();
    options.inputs = vec![path];
    let mut held = py.detach(|| held_of(&options, water))?.into_iter();
    let rows = settings.fit_all(py, || held.by_ref().take(AT_ONCE).collect())?;
    Tables::of(py, rows)
}

fn held_of(options: &RunOptions, water: Option<PathBuf>) -> PyResult<Vec<Held>> {
    let held = match water {
        Some(water) => Held::read_with_water(options, water),
        None => Held::read(options),
    };
    held.map_err(|error| of_run(&error))
}

/// All spectra of a measurement in memory.
#[pyfunction]
pub fn fit_acquisition(
    py: Python<'_>,
    settings: &Settings,
    id: &str,
    data: PyRef<'_, PyAcquisition>,
    water: Option<PyRef<'_, PyAcquisition>>,
) -> PyResult<Tables> {
    let mut held = Some(prepared(py, settings, id, &data, water.as_deref()));
    let rows = settings.fit_all(py, || held.take().into_iter().collect())?;
    Tables::of(py, rows)
}

fn prepared(
    py: Python<'_>,
    settings: &Settings,
    id: &str,
    data: &PyAcquisition,
    water: Option<&PyAcquisition>,
) -> Held {
    let (data, water) = (data.data.clone(), water.map(|water| water.data.clone()));
    py.detach(|| Held::of(id, data, water, &settings.options))
}

/// One prepared spectrum.
#[pyfunction]
pub fn fit_spectrum(py: Python<'_>, settings: &Settings, spectrum: PyRef<'_, PySpectrum>) -> PyResult<Tables> {
    let (held, index) = (std::sync::Arc::clone(&spectrum.held), spectrum.index);
    let rows = py.detach(|| Ok::<_, PyErr>(settings.fitter()?.one(&held, index)))?;
    Tables::of(py, rows)
}

/// Many single-transient FIDs of one protocol.
#[pyfunction]
pub fn fit_array(
    py: Python<'_>,
    settings: &Settings,
    ids: Vec<String>,
    fids: PyReadonlyArray2<'_, Complex64>,
    water: Option<PyReadonlyArray2<'_, Complex64>>,
) -> PyResult<Tables> {
    let fids = fids.as_array();
    let water = water.as_ref().map(|water| water.as_array());
    if ids.len() != fids.nrows() || water.as_ref().is_some_and(|water| water.nrows() != fids.nrows()) {
        return Err(PyValueError::new_err("ids and water have one entry for each FID"));
    }
    let one = |row: numpy::ndarray::ArrayView1<'_, Complex64>| {
        let points = row.len();
        let samples = numpy::ndarray::Array5::from_shape_fn((1, 1, 1, 1, points), |(.., point)| row[point]);
        Acquisition::from_samples("array", samples)
    };
    let mut next = 0;
    let rows = settings.fit_all(py, || {
        let own = next..(next + AT_ONCE).min(ids.len());
        next = own.end;
        let held = own.map(|i| {
            let water = water.as_ref().map(|water| one(water.row(i)));
            Held::of(&ids[i], one(fids.row(i)), water, &settings.options)
        });
        held.collect()
    })?;
    Tables::of(py, rows)
}

/// The prepared spectra of a measurement.
#[pyfunction]
pub fn prepare(
    py: Python<'_>,
    settings: &Settings,
    id: &str,
    data: PyRef<'_, PyAcquisition>,
    water: Option<PyRef<'_, PyAcquisition>>,
) -> PyResult<Vec<PySpectrum>> {
    PySpectrum::all(prepared(py, settings, id, &data, water.as_deref()))
}

/// The prepared spectra of a file.
#[pyfunction]
pub fn prepare_file(
    py: Python<'_>,
    settings: &Settings,
    path: PathBuf,
    water: Option<PathBuf>,
) -> PyResult<Vec<PySpectrum>> {
    let mut options = settings.options.clone();
    options.inputs = vec![path];
    let held = py.detach(|| held_of(&options, water))?;
    let spectra = held.into_iter().map(PySpectrum::all).collect::<PyResult<Vec<_>>>()?;
    Ok(spectra.into_iter().flatten().collect())
}

/// Names of the built-in methods, each with a sentence.
#[pyfunction]
pub fn methods() -> PyResult<Vec<(String, String)>> {
    Method::built_in_names().map(|name| Ok((name.to_owned(), method(name)?.description().to_owned()))).collect()
}
