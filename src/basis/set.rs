//! A basis set in memory.

use super::names;
use ndarray::Array2;
use num_complex::Complex64;

/// A stated width so near to the measured one is right: lines are no perfect Lorentzians.
const SAME_WIDTH: f64 = 0.1;

/// The free induction decay of every metabolite for one protocol, on one time grid.
#[derive(Debug, Clone)]
pub struct BasisSet {
    /// What the basis set calls itself, or its file name.
    pub id: String,
    /// Canonical metabolite names ([`names::canonical`]), in the order of the rows of `fids`.
    pub metabolites: Vec<String>,
    /// Complex samples `[metabolite, point]`, sign convention of [`crate::acquisition`], in units in
    /// which an amplitude of 1 is 1 mmol (LCModel's TRAMP/(VOLUME·CONC) applied where the file has it).
    pub fids: Array2<Complex64>,
    /// Time between two samples (s).
    pub dwell_s: f64,
    /// Spectrometer frequency for which the set was made (MHz).
    pub f0_mhz: f64,
    /// Echo time (s), if stated.
    pub te_s: Option<f64>,
    /// Sequence name, if stated.
    pub sequence: Option<String>,
    /// Linewidth (FWHM, Hz) that the set was broadened with, if stated (LCModel: FWHMBA).
    pub linewidth_hz: Option<f64>,
    /// FWHMBA as an LCModel file states it (ppm), believable or not: LCModel uses it as it stands.
    pub fwhmba_ppm: Option<f64>,
    /// Usual width of its singlets (FWHM, Hz), measured where a set is read for a fit: headers often state another.
    pub singlet_fwhm_hz: Option<f64>,
    /// SHA-256 (hex) of the files that the set was read from.
    pub sha256: String,
    /// What the reader had to assume, repair or leave out.
    pub remarks: Vec<String>,
}

impl BasisSet {
    /// Linewidth that the set has (FWHM, Hz): as stated where that is what was measured, else as measured; `None` where
    /// neither is known.
    pub fn fwhm_hz(&self) -> Option<f64> {
        let agrees = |stated: &f64| self.singlet_fwhm_hz.is_none_or(|hz| (hz / stated - 1.0).abs() < SAME_WIDTH);
        self.linewidth_hz.filter(agrees).or(self.singlet_fwhm_hz)
    }

    /// Row of the metabolite `name` (any synonym).
    pub fn position(&self, name: &str) -> Option<usize> {
        let name = names::canonical(name);
        self.metabolites.iter().position(|m| *m == name)
    }
}
