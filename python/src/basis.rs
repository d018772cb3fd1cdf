//! Basis sets: read, simulated, looked at.

use std::path::PathBuf;

use numpy::{Complex64, IntoPyArray, PyArray2};
use pyo3::prelude::*;
use pyo3::types::PyDict;
use requant::basis::check::Protocol;
use requant::basis::simulate::{Recipe, Timing};
use requant::basis::{BasisSet, SetFormat, save};

use crate::acquisition::facts_from;
use crate::errors::{self, BasisSetError, chain, coded};

/// The free induction decay of every metabolite for one protocol, ready to be fitted.
#[pyclass(frozen, module = "requant", name = "Basis")]
pub struct PyBasis {
    pub set: BasisSet,
}

#[pymethods]
impl PyBasis {
    /// Canonical names, in the order of the rows of `fids`.
    #[getter]
    fn metabolites(&self) -> Vec<String> {
        self.set.metabolites.clone()
    }

    /// Complex samples, `[metabolite, point]`; a new array each time. First samples have full weight.
    #[getter]
    fn fids<'py>(&self, py: Python<'py>) -> Bound<'py, PyArray2<Complex64>> {
        self.set.fids.clone().into_pyarray(py)
    }

    /// Time between two samples (s).
    #[getter]
    fn dwell_s(&self) -> f64 {
        self.set.dwell_s
    }

    /// Spectrometer frequency that it was made for (MHz).
    #[getter]
    fn f0_mhz(&self) -> f64 {
        self.set.f0_mhz
    }

    /// Echo time (s), if stated.
    #[getter]
    fn te_s(&self) -> Option<f64> {
        self.set.te_s
    }

    /// Sequence, if stated.
    #[getter]
    fn sequence(&self) -> Option<String> {
        self.set.sequence.clone()
    }

    /// Width that its lines have (FWHM, Hz); None where neither stated nor measured.
    #[getter]
    fn linewidth_hz(&self) -> Option<f64> {
        self.set.fwhm_hz()
    }

    /// What it calls itself.
    #[getter]
    fn id(&self) -> String {
        self.set.id.clone()
    }

    /// What had to be assumed, repaired or left out.
    #[getter]
    fn remarks(&self) -> Vec<String> {
        self.set.remarks.clone()
    }

    /// Writes it: a `.basis` file of LCModel (seven digits), or a folder of FSL-MRS JSON files (exact).
    #[pyo3(signature = (path, *, overwrite=false))]
    fn save(&self, py: Python<'_>, path: PathBuf, overwrite: bool) -> PyResult<()> {
        let format = SetFormat::of(&path).unwrap_or(SetFormat::FslJson);
        py.detach(|| save(&self.set, &path, format, overwrite)).map_err(|error| errors::of_saving(&error))
    }

    fn __len__(&self) -> usize {
        self.set.metabolites.len()
    }

    fn __repr__(&self) -> String {
        format!("<requant.Basis {:?}, {} members>", self.set.id, self.set.metabolites.len())
    }
}

/// Reads a basis set of any form as fits do.
#[pyfunction]
pub fn read_basis(py: Python<'_>, path: PathBuf) -> PyResult<PyBasis> {
    let set = py.detach(|| requant::read_basis(&path)).map_err(|error| errors::of_basis(&error))?;
    Ok(PyBasis { set })
}

/// The basis set that a run would simulate for such a header.
#[pyfunction]
pub fn simulate_basis(
    py: Python<'_>,
    header: &Bound<'_, PyDict>,
    n_points: usize,
    metabolites: Option<Vec<String>>,
) -> PyResult<PyBasis> {
    let facts = facts_from(Some(header))?;
    let protocol = Protocol {
        f0_mhz: facts.f0_mhz,
        te_s: facts.te_s,
        sequence: facts.sequence.clone(),
        dwell_s: facts.dwell_s,
        n_points: Some(n_points),
    };
    let mut recipe = Recipe::from_protocol(&protocol, &Timing::of(&facts))
        .map_err(|error| coded::<BasisSetError>("basis_header", chain(&error)))?;
    if let Some(names) = metabolites {
        recipe.metabolites = names;
    }
    let set =
        py.detach(|| recipe.basis_set()).map_err(|error| coded::<BasisSetError>("basis_header", chain(&error)))?;
    Ok(PyBasis { set })
}
