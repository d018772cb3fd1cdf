//! Prepared spectra.

use std::sync::Arc;

use numpy::{Complex64, IntoPyArray, PyArray1};
use pyo3::prelude::*;
use pyo3::types::PyDict;
use requant::prepare::Spectrum;
use requant::run::held::Held;

use crate::errors::{PrepareError, coded};

/// One spectrum, ready to be fitted, with its measurement.
#[pyclass(frozen, module = "requant", name = "Spectrum")]
pub struct PySpectrum {
    pub held: Arc<Held>,
    pub index: usize,
}

impl PySpectrum {
    /// All spectra of a measurement; what cannot be prepared is an error.
    pub fn all(held: Held) -> PyResult<Vec<Self>> {
        let held = Arc::new(held);
        for (_, spectrum) in &held.loaded().spectra {
            if let Err(failure) = spectrum {
                return Err(coded::<PrepareError>(&failure.code, failure.message.clone()));
            }
        }
        Ok((0..held.loaded().spectra.len()).map(|index| Self { held: Arc::clone(&held), index }).collect())
    }

    fn spectrum(&self) -> PyResult<&Spectrum> {
        let known = self.held.loaded().spectra.get(self.index).and_then(|(_, spectrum)| spectrum.as_ref().ok());
        known.ok_or_else(|| coded::<PrepareError>("internal", "the spectrum is not there; please report it".to_owned()))
    }
}

#[pymethods]
impl PySpectrum {
    /// Complex samples, `[point]`, the zero-filled tail cut off; a new array each time.
    #[getter]
    fn fid<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyArray1<Complex64>>> {
        Ok(self.spectrum()?.fid.clone().into_pyarray(py))
    }

    /// Time between two samples (s).
    #[getter]
    fn dwell_s(&self) -> PyResult<f64> {
        Ok(self.spectrum()?.dwell_s)
    }

    /// Spectrometer frequency (MHz).
    #[getter]
    fn f0_mhz(&self) -> PyResult<f64> {
        Ok(self.spectrum()?.f0_mhz)
    }

    /// Which of its measurement's spectra it is (`diff`, `12,7,0`); empty where there is one.
    #[getter]
    fn label(&self) -> String {
        let key = self.held.loaded().spectra.get(self.index).map(|(key, _)| key.suffix()).unwrap_or_default();
        key.trim_start_matches('#').to_owned()
    }

    /// What should be looked at.
    #[getter]
    fn flags(&self) -> PyResult<Vec<&'static str>> {
        Ok(self.spectrum()?.record.flags.clone())
    }

    /// Numbers of the preparation; None for a step that was not done. Amplitudes in the data's units.
    #[getter]
    fn record<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let record = &self.spectrum()?.record;
        let all = PyDict::new(py);
        all.set_item("n_transients", record.n_transients)?;
        all.set_item("n_kept", record.n_kept)?;
        all.set_item("kept", &record.kept)?;
        all.set_item("shift_hz", record.offsets.as_ref().map(|all| all.iter().map(|o| o.shift_hz).collect::<Vec<_>>()))?;
        all.set_item("phase_rad", record.offsets.as_ref().map(|all| all.iter().map(|o| o.phase_rad).collect::<Vec<_>>()))?;
        all.set_item("n_coils", record.n_coils)?;
        all.set_item("coil_quality", record.coil_quality)?;
        all.set_item("snr_before", record.snr_before)?;
        all.set_item("snr_after", record.snr_after)?;
        all.set_item("eddy_corrected", record.eddy_corrected)?;
        all.set_item("water_amplitude", record.water_amplitude)?;
        all.set_item("water_left", record.water_left)?;
        all.set_item("water_removed", record.water_removed)?;
        all.set_item("lipid_index", record.lipid_index)?;
        Ok(all)
    }

    fn __repr__(&self) -> String {
        let points = self.spectrum().map(|spectrum| spectrum.fid.len()).unwrap_or_default();
        format!("<requant.Spectrum {:?}, {points} points>", self.label())
    }
}
