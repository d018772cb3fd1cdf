//! What a scanner gave, as arrays and a header.

use std::path::PathBuf;

use numpy::{Complex64, IntoPyArray, PyArray2, PyArray5, PyReadonlyArrayDyn};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use requant::acquisition::{Acquisition, Facts};
use requant::formats::{self, nifti, nifti_mrs};

use crate::errors::{self, RequantError, coded};

/// A measurement: complex samples and what its header states. Made by `requant.read`, or of an array:
/// `requant.Acquisition(samples, header)`.
#[pyclass(frozen, module = "requant", name = "Acquisition")]
pub struct PyAcquisition {
    pub data: Acquisition,
}

/// Reads the facts of a header out of a dict; what it does not know is an error.
pub fn facts_from(header: Option<&Bound<'_, PyDict>>) -> PyResult<Facts> {
    let mut facts = Facts::default();
    for (key, value) in header.into_iter().flat_map(|header| header.iter()) {
        let key: String = key.extract()?;
        if value.is_none() {
            continue;
        }
        if let Some(number) = Facts::NUMBERS.iter().find(|number| number.name == key) {
            *(number.of)(&mut facts) = Some(value.extract()?);
            continue;
        }
        match key.as_str() {
            "sequence" => facts.sequence = Some(value.extract()?),
            "pulses" => facts.pulses = Some(value.extract()?),
            "nucleus" => facts.nucleus = Some(value.extract()?),
            "vendor" => facts.vendor = Some(value.extract()?),
            "refocus_s" => facts.refocus_s = Some(value.extract()?),
            "flip_angle_deg" => facts.flip_angle_deg = Some(value.extract()?),
            "water_suppressed" => facts.water_suppressed = Some(value.extract()?),
            "averages_on_scanner" => facts.averages_on_scanner = Some(value.extract()?),
            _ => return Err(PyValueError::new_err(format!("a header has no `{key}`"))),
        }
    }
    Ok(facts)
}

/// The facts as a dict, those that nobody states as None.
fn dict_of<'py>(py: Python<'py>, facts: &Facts) -> PyResult<Bound<'py, PyDict>> {
    let header = PyDict::new(py);
    let mut own = facts.clone();
    for number in Facts::NUMBERS {
        header.set_item(number.name, *(number.of)(&mut own))?;
    }
    header.set_item("sequence", &facts.sequence)?;
    header.set_item("pulses", &facts.pulses)?;
    header.set_item("nucleus", &facts.nucleus)?;
    header.set_item("vendor", &facts.vendor)?;
    header.set_item("refocus_s", facts.refocus_s)?;
    header.set_item("flip_angle_deg", facts.flip_angle_deg)?;
    header.set_item("water_suppressed", facts.water_suppressed)?;
    header.set_item("averages_on_scanner", facts.averages_on_scanner)?;
    Ok(header)
}

/// An array of 1 to 5 axes as samples: axes that are missing are added in front of those that are there.
pub fn samples_of(array: &PyReadonlyArrayDyn<'_, Complex64>) -> PyResult<numpy::ndarray::Array5<Complex64>> {
    let own = array.as_array();
    let axes = own.ndim();
    if !(1..=5).contains(&axes) || own.is_empty() {
        return Err(PyValueError::new_err(format!(
            "samples of shape {:?}: 1 to 5 axes, none of them empty, [voxel, condition, transient, coil, point]",
            own.shape()
        )));
    }
    let mut shape = [1; 5];
    // [transient, point] has no coils: they stand between the two.
    match own.shape() {
        [transients, points] => (shape[2], shape[4]) = (*transients, *points),
        given => shape[5 - axes..].copy_from_slice(given),
    }
    let values: Vec<Complex64> = own.iter().copied().collect();
    numpy::ndarray::Array5::from_shape_vec(shape, values).map_err(|e| PyValueError::new_err(e.to_string()))
}

#[pymethods]
impl PyAcquisition {
    #[new]
    #[pyo3(signature = (samples, header=None, *, condition_labels=None))]
    fn new(
        samples: PyReadonlyArrayDyn<'_, Complex64>,
        header: Option<&Bound<'_, PyDict>>,
        condition_labels: Option<Vec<String>>,
    ) -> PyResult<Self> {
        let mut data = Acquisition::from_samples("array", samples_of(&samples)?);
        data.facts = facts_from(header)?;
        if let Some(labels) = condition_labels {
            if labels.len() != data.n_conditions() {
                return Err(PyValueError::new_err("one label for each condition"));
            }
            data.condition_labels = labels;
        }
        Ok(Self { data })
    }

    /// Complex samples, `[voxel, condition, transient, coil, point]`; a new array each time. Chemical shift is
    /// 4.65 ppm − f/f0, as in stored NIfTI-MRS.
    #[getter]
    fn samples<'py>(&self, py: Python<'py>) -> Bound<'py, PyArray5<Complex64>> {
        py.detach(|| self.data.samples.to_array()).into_pyarray(py)
    }

    /// Extents of the axes of `samples`, without making them.
    #[getter]
    fn shape(&self) -> (usize, usize, usize, usize, usize) {
        let [voxels, conditions, transients, coils, points] = self.data.samples.shape();
        (voxels, conditions, transients, coils, points)
    }

    /// What the header states; None where it does not. Times in s, frequencies in MHz, angles in degrees.
    #[getter]
    fn header<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        dict_of(py, &self.data.facts)
    }

    /// Name of the format that it was read from.
    #[getter]
    fn format(&self) -> &'static str {
        self.data.format
    }

    /// Extents of the grid of voxels.
    #[getter]
    fn grid(&self) -> (usize, usize, usize) {
        let [x, y, z] = self.data.grid;
        (x, y, z)
    }

    /// One label for each condition; empty where there is one condition.
    #[getter]
    fn condition_labels(&self) -> Vec<String> {
        self.data.condition_labels.clone()
    }

    /// Voxel to scanner (mm, RAS+), `[4, 4]`; None where the file does not place it.
    #[getter]
    fn affine_mm<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyArray2<f64>>> {
        let affine = self.data.affine_mm?;
        let values = numpy::ndarray::Array2::from_shape_fn((4, 4), |(row, column)| affine[row][column]);
        Some(values.into_pyarray(py))
    }

    /// Flags that every row of it carries.
    #[getter]
    fn flags(&self) -> Vec<&'static str> {
        self.data.flags.clone()
    }

    /// What the reader had to assume or repair.
    #[getter]
    fn remarks(&self) -> Vec<String> {
        self.data.remarks.clone()
    }

    /// The water reference that the same file holds, if any.
    #[getter]
    fn water(&self) -> Option<Self> {
        self.data.clone().take_water().map(|data| Self { data })
    }

    /// Further measurements of the same file, by their names.
    #[getter]
    fn further<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let all = PyDict::new(py);
        for (name, data) in &self.data.further {
            all.set_item(name, Self { data: data.clone() }.into_pyobject(py)?)?;
        }
        Ok(all)
    }

    /// Writes it as NIfTI-MRS (`.nii` or `.nii.gz`); samples are kept exactly, in double precision. What is there is not replaced.
    fn save(&self, py: Python<'_>, path: PathBuf) -> PyResult<()> {
        let failed = |why: String| coded::<RequantError>("not_written", format!("{}: {why}", path.display()));
        for (name, value) in [("dwell_s", self.data.facts.dwell_s), ("f0_mhz", self.data.facts.f0_mhz)] {
            if value.is_none() {
                return Err(failed(format!("{name} is not known, which a file must state")));
            }
        }
        py.detach(|| {
            let bytes = nifti_mrs::encode(&self.data);
            let is_packed = path.extension().is_some_and(|e| e == "gz");
            let bytes = if is_packed { nifti::packed(&bytes) } else { Ok(bytes) };
            let mut file = std::fs::File::create_new(&path).map_err(|e| failed(e.to_string()))?;
            std::io::Write::write_all(&mut file, &bytes.map_err(|e| failed(e.to_string()))?)
                .map_err(|e| failed(e.to_string()))
        })
    }

    fn __repr__(&self) -> String {
        format!("<requant.Acquisition {} {:?}>", self.data.format, self.data.samples.shape())
    }
}

/// Reads a file, or the folder of a scan, of any format that requant knows.
#[pyfunction]
pub fn read(py: Python<'_>, path: PathBuf) -> PyResult<PyAcquisition> {
    let data = py.detach(|| formats::read(&path)).map_err(|error| errors::of_file(&error))?;
    Ok(PyAcquisition { data })
}
