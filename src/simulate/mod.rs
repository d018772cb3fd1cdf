//! Small corpora with known truth: spectra, water references, a basis set and the truth as a table.
//!
//! The same seed gives the same bytes on every machine.

pub mod multiplets;
mod random;

use std::f64::consts::{LN_2, PI};
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use flate2::{Compression, GzBuilder};
use ndarray::Array5;
use num_complex::Complex64;

use self::random::Random;
use crate::acquisition::{Acquisition, Format, hz_from_ppm};
use crate::basis::{BasisSet, write_lcmodel};
use crate::fit::macromolecules::PATTERN_GROUPS;
use crate::formats::nifti_mrs;

/// What to simulate.
#[derive(Debug, Clone, Copy)]
pub struct SimulateOptions {
    /// Number of subjects, one spectrum each.
    pub n_subjects: usize,
    /// Seed.
    pub seed: u64,
    /// Spectrometer frequency (MHz).
    pub f0_mhz: f64,
    /// Time between two samples (s).
    pub dwell_s: f64,
    /// Samples of an FID.
    pub n_points: usize,
}

impl Default for SimulateOptions {
    fn default() -> Self {
        Self { n_subjects: 24, seed: 1, f0_mhz: 123.2, dwell_s: 5e-4, n_points: 1024 }
    }
}

/// Why a corpus could not be written.
#[derive(Debug, thiserror::Error)]
pub enum SimulateError {
    /// The folder is not empty.
    #[error("{}: exists and is not empty; give another --out", path.display())]
    Exists {
        /// The folder.
        path: PathBuf,
    },
    /// A file cannot be written.
    #[error("{}: cannot be written: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
}

impl SimulateError {
    /// Exit code of the command.
    pub fn exit_code(&self) -> u8 {
        73
    }
}

/// What was written.
#[derive(Debug, Clone)]
pub struct Written {
    /// Folder with the spectra (BIDS).
    pub spectra: PathBuf,
    /// Basis set.
    pub basis: PathBuf,
    /// True amplitudes, one row per subject.
    pub truth: PathBuf,
}

/// Water protons' signal, in units of a metabolite proton at amplitude 1: what LCModel's constants
/// (35880 · 0.7 mmol/kg, two protons) make of amplitudes in mmol/kg.
const WATER_SIGNAL: f64 = 2.0 * 35880.0 * 0.7;

/// Writes a corpus into the empty or new folder `out`.
pub fn write(out: &Path, options: &SimulateOptions) -> Result<Written, SimulateError> {
    let io = |path: &Path| {
        let path = path.to_owned();
        move |source| SimulateError::Io { path, source }
    };
    fs::create_dir_all(out).map_err(io(out))?;
    if fs::read_dir(out).map_err(io(out))?.next().is_some() {
        return Err(SimulateError::Exists { path: out.to_owned() });
    }
    let basis = multiplets::basis_set(options.f0_mhz, options.dwell_s, 2 * options.n_points);
    let basis_path = out.join("simulated.basis");
    fs::write(&basis_path, write_lcmodel(&basis)).map_err(io(&basis_path))?;

    let spectra = out.join("spectra");
    let mut truth = format!("id,{}\n", basis.metabolites.join(","));
    for subject in 0..options.n_subjects {
        let id = format!("sub-{:04}", subject + 1);
        let folder = spectra.join(&id).join("mrs");
        fs::create_dir_all(&folder).map_err(io(&folder))?;
        let mut random = Random::new(options.seed, subject as u64);
        let (amplitudes, data, water) = subject_data(&basis, options, &mut random);
        for (suffix, acquisition) in [("svs", data), ("mrsref", water)] {
            let path = folder.join(format!("{id}_{suffix}.nii.gz"));
            fs::write(&path, gzipped(&nifti_mrs::encode(&acquisition)).map_err(io(&path))?).map_err(io(&path))?;
        }
        let values: Vec<String> = amplitudes.iter().map(|a| format!("{a:.5}")).collect();
        truth += &format!("{id},{}\n", values.join(","));
    }
    let description = spectra.join("dataset_description.json");
    fs::write(&description, "{\"Name\": \"simulated\", \"BIDSVersion\": \"1.11.0\", \"DatasetType\": \"raw\"}\n")
        .map_err(io(&description))?;
    let truth_path = out.join("truth.csv");
    fs::write(&truth_path, truth).map_err(io(&truth_path))?;
    Ok(Written { spectra, basis: basis_path, truth: truth_path })
}

/// Amplitudes, spectrum and water reference of one subject.
fn subject_data(
    basis: &BasisSet,
    options: &SimulateOptions,
    random: &mut Random,
) -> (Vec<f64>, Acquisition, Acquisition) {
    let amplitudes: Vec<f64> = basis
        .metabolites
        .iter()
        .map(|name| multiplets::typical_amplitude(name) * (0.1 * random.normal()).exp())
        .collect();
    let (lorentz_hz, gauss_hz) = (random.between(1.0, 3.0), random.between(3.0, 8.0));
    let (shift_hz, phase) = (2.0 * random.normal(), random.between(-0.6, 0.6));
    let own: Vec<(f64, f64)> =
        basis.metabolites.iter().map(|_| (0.25 * random.normal(), 0.3 * random.normal())).collect();
    let groups: Vec<f64> = PATTERN_GROUPS.iter().map(|_| 16.0 * (0.2 * random.normal()).exp()).collect();
    // Noise per sample for an SNR (tallest peak over twice the noise sd) of about 15 to 45.
    let noise_sd = random.between(0.8, 2.4);
    let mut fid = Vec::with_capacity(options.n_points);
    let mut water = Vec::with_capacity(options.n_points);
    for n in 0..options.n_points {
        let t = n as f64 * options.dwell_s;
        let decay = |lorentz: f64| (-PI * lorentz * t - (PI * gauss_hz * t).powi(2) / (4.0 * LN_2)).exp();
        let common = Complex64::from_polar(1.0, phase + 2.0 * PI * shift_hz * t);
        let metabolites: Complex64 = (0..amplitudes.len())
            .map(|k| {
                let (shift, width) = own[k];
                let turn = Complex64::from_polar(decay((lorentz_hz + width).max(0.3)), 2.0 * PI * shift * t);
                basis.fids[(k, n)] * amplitudes[k] * turn
            })
            .sum();
        let macromolecules: Complex64 = PATTERN_GROUPS
            .iter()
            .zip(&groups)
            .flat_map(|(group, size)| group.lines.iter().map(move |line| (line, size)))
            .map(|(&(ppm, width_hz, area), size)| {
                let own = (-(PI * width_hz * t).powi(2) / (4.0 * LN_2)).exp();
                Complex64::from_polar(
                    size * area * own * decay(lorentz_hz),
                    2.0 * PI * hz_from_ppm(ppm, options.f0_mhz) * t,
                )
            })
            .sum();
        let noise = Complex64::new(random.normal(), random.normal()) * noise_sd;
        fid.push((metabolites + macromolecules) * common + noise);
        let noise = Complex64::new(random.normal(), random.normal()) * noise_sd;
        water.push(common * WATER_SIGNAL * decay(lorentz_hz + 1.0) + noise);
    }
    (amplitudes, acquisition(fid, options, true), acquisition(water, options, false))
}

fn acquisition(fid: Vec<Complex64>, options: &SimulateOptions, suppressed: bool) -> Acquisition {
    let n = fid.len();
    let samples = Array5::from_shape_fn((1, 1, 1, 1, n), |(_, _, _, _, p)| fid[p]);
    Acquisition {
        dwell_s: Some(options.dwell_s),
        f0_mhz: Some(options.f0_mhz),
        nucleus: Some("1H".into()),
        te_s: Some(multiplets::TE_S),
        tr_s: Some(2.0),
        sequence: Some("simulated".into()),
        water_suppressed: Some(suppressed),
        ..Acquisition::from_samples(Format::NiftiMrs, samples)
    }
}

/// Gzip without name and time, so that equal content gives equal bytes.
fn gzipped(bytes: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut encoder = GzBuilder::new().write(Vec::new(), Compression::new(6));
    encoder.write_all(bytes)?;
    encoder.finish()
}
