//! The four verbs that other programs call: [`read`], [`prepare`], [`fit`], [`quantify`].
//!
//! They are what `requant run` does to one spectrum, with its defaults. Whole corpora, resume, shards and tables are
//! [`crate::run`]'s. Two examples: `examples/fit_file.rs`, `examples/fit_array.rs`.

use std::path::Path;

use num_complex::Complex64;

use crate::acquisition::{Acquisition, shared_f0_mhz};
use crate::basis::{BasisError, BasisSet, Grid};
use crate::engine::{Batch, CpuEngine, Engine};
use crate::fit::differences::is_of_differences;
use crate::fit::macromolecule_relaxation::Weighting;
use crate::fit::result::Curves;
use crate::fit::{FitResult, FitState, Method, ModelError};
use crate::formats::{self, ReadError};
use crate::prepare::{Labelled, Record, Spectrum};
use crate::quantify::singlet::signal_per_proton;
use crate::quantify::{Inputs, Quantity, WaterScaling, quantities};

/// Reads a file of any known format, with the files that belong to it.
///
/// # Errors
/// [`ReadError`], which names the file, what is wrong, and what to do.
pub fn read(path: impl AsRef<Path>) -> Result<Acquisition, ReadError> {
    formats::read(path.as_ref())
}

/// Reads a basis set (LCModel `.BASIS`, or a folder of `.RAW`, FSL-MRS JSON or NIfTI-MRS files), ready to be fitted.
///
/// # Errors
/// [`BasisError`], which names the file and what is wrong.
pub fn read_basis(path: impl AsRef<Path>) -> Result<BasisSet, BasisError> {
    BasisSet::read_for_fit(path.as_ref(), &Grid::default())
}

/// Prepares one voxel of an acquisition: coils combined, transients aligned and averaged, eddy currents and residual water
/// removed; edited data give their differences, too. One entry a condition, each with its label.
///
/// `water` is the reference without water suppression, if there is one. `voxel` is 0 for single-voxel data.
pub fn prepare(acquisition: &Acquisition, water: Option<&Acquisition>, voxel: usize) -> Vec<Labelled> {
    crate::prepare::prepare(acquisition, water, voxel)
}

/// A spectrum from an array: complex samples of an FID, `dwell_s` apart (s), at the spectrometer frequency `f0_mhz` (MHz).
///
/// The sign convention is that of stored NIfTI-MRS: chemical shift = 4.65 ppm − f/f0. Conjugate the samples where metabolites
/// come out mirrored at 4.65 ppm.
pub fn spectrum(fid: Vec<Complex64>, dwell_s: f64, f0_mhz: f64) -> Spectrum {
    Spectrum { fid, dwell_s, f0_mhz, record: Record::default() }
}

/// A fit and its curves.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Fit {
    /// Amplitudes with their errors, and parameters in physical units.
    pub result: FitResult,
    /// Data, fit, baseline and components over the fitted window; empty where the spectrum could not be fitted.
    pub curves: Curves,
}

/// Fits one spectrum by a method with a basis set, on the processor.
///
/// # Errors
/// [`ModelError`] where basis set, grid and the method's window do not meet. A spectrum without signal is no error:
/// [`FitResult::state`] says so.
pub fn fit(spectrum: &Spectrum, basis: &BasisSet, method: &Method) -> Result<Fit, ModelError> {
    let mut fits = fit_many(std::slice::from_ref(spectrum), basis, method)?;
    // One spectrum gives one fit.
    Ok(fits.remove(0))
}

/// Fits spectra by a method with one basis set, on all cores, in their order. Spectra of one grid share a
/// model, as do those of frequencies that differ by a prescan ([`shared_f0_mhz`]).
///
/// # Errors
/// As [`fit`].
pub fn fit_many(spectra: &[Spectrum], basis: &BasisSet, method: &Method) -> Result<Vec<Fit>, ModelError> {
    let grid = |s: &Spectrum| (s.fid.len(), s.dwell_s.to_bits(), shared_f0_mhz(s.f0_mhz).to_bits());
    let mut fits: Vec<Option<Fit>> = vec![None; spectra.len()];
    let weighting = Weighting { te_s: basis.te_s, ..Weighting::default() };
    let weighted = method.weighted(&weighting).filter(|_| !is_of_differences(basis));
    let method = weighted.as_ref().unwrap_or(method);
    for first in 0..spectra.len() {
        if fits[first].is_some() {
            continue;
        }
        let own = &spectra[first];
        let members: Vec<usize> = (first..spectra.len()).filter(|&i| grid(&spectra[i]) == grid(own)).collect();
        let model = method.model(basis, own.fid.len(), own.dwell_s, shared_f0_mhz(own.f0_mhz), basis.te_s)?;
        let fids = members.iter().map(|&i| spectra[i].fid.as_slice());
        for (&i, fitted) in members.iter().zip(CpuEngine.fit(&Batch::of(&model, fids))) {
            let is_fitted = matches!(fitted.result.state, FitState::Converged | FitState::MaxIterations);
            let curves = if is_fitted {
                model.curves(&spectra[i].fid, &fitted.result).at_frequency(spectra[i].f0_mhz)
            } else {
                Curves::default()
            };
            fits[i] = Some(Fit { result: fitted.result, curves });
        }
    }
    Ok(fits.into_iter().flatten().collect())
}

/// Ratios to total creatine and, where the spectrum was prepared with a water reference, water-scaled values.
///
/// `constants` are those of water scaling ([`WaterScaling::lcmodel`]). A spectrum states no echo time: the attenuation is that of
/// 30 ms then. [`crate::quantify::quantities`] takes times, field and tissue, too.
pub fn quantify(fit: &Fit, spectrum: &Spectrum, basis: &BasisSet, constants: &WaterScaling) -> Vec<Quantity> {
    let inputs = Inputs {
        water_amplitude: spectrum.record.water_amplitude,
        water_amplitude_sd: spectrum.record.water.amplitude_sd,
        ..Inputs::default()
    };
    quantities(&fit.result, &inputs, signal_per_proton(basis).map(|(signal, _)| signal), constants).0
}
