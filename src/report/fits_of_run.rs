//! Fits of a finished run as pictures, from its tables alone.

use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};

use super::fit_plot::FitPlot;
use crate::store::provenance::program;
use crate::store::{CurveRow, MetaboliteRow, ReadTableError, SpectrumRow, Status, read_batches, read_run};

/// Fits whose metabolites are held together.
const AT_ONCE: usize = 2048;
const OF_SPECTRA: [&str; 45] = [
    "spectrum_id",
    "method",
    "status",
    "basis_id",
    "noise_sd",
    "snr",
    "fwhm_hz",
    "residual_sd_over_noise_sd",
    "expected_error_percent",
    "f0_mhz",
    "te_s",
    "tr_s",
    "qc_flags",
    "subject",
    "session",
    "site",
    "voi",
    "vendor",
    "sequence",
    "source_path",
    "water_reference_path",
    "voxel_ml",
    "voxel_affine_mm",
    "voxel_i",
    "voxel_j",
    "voxel_k",
    "f_gm",
    "f_wm",
    "f_csf",
    "n_transients",
    "n_transients_kept",
    "coil_quality",
    "drift_hz",
    "shift_jitter_hz",
    "phase_jitter_deg",
    "snr_before",
    "snr_after",
    "water_left",
    "water_removed",
    "lipid_index",
    "fwhm_water_hz",
    "state",
    "error_code",
    "error_message",
    "warnings",
];
const OF_METABOLITES: [&str; 13] = [
    "spectrum_id",
    "method",
    "metabolite",
    "is_sum",
    "crlb_percent",
    "ratio_tcr",
    "ratio_tcr_sd",
    "conc_lcmodel_mmol_per_kg",
    "conc_lcmodel_sd_mmol_per_kg",
    "conc_csf_mmol_per_kg",
    "conc_csf_sd_mmol_per_kg",
    "conc_molal_mmol_per_kg",
    "conc_molal_sd_mmol_per_kg",
];
/// Columns of `curves` that pictures take.
pub(crate) const OF_CURVES: [&str; 17] = [
    "spectrum_id",
    "method",
    "ppm",
    "data",
    "fit",
    "baseline",
    "component_names",
    "components",
    "ppm_first",
    "ppm_step",
    "signal_step",
    "ppm_steps",
    "data_steps",
    "fit_steps",
    "baseline_steps",
    "component_steps",
    "component_step",
];

/// Some rows of a run, to be drawn.
pub struct FitsOfRun {
    results: PathBuf,
    program: String,
    rows: Vec<SpectrumRow>,
    has_methods: bool,
}

impl FitsOfRun {
    /// The rows of the run in `results` that are wanted.
    ///
    /// # Errors
    /// [`ReadTableError`]: the tables cannot be read.
    pub fn open(results: &Path, wanted: impl Fn(&SpectrumRow) -> bool) -> Result<Self, ReadTableError> {
        let run = read_run(results)?;
        let mut rows = Vec::new();
        read_batches::<SpectrumRow>(results, &OF_SPECTRA, |batch| {
            rows.extend(batch.into_iter().filter(|r| wanted(r)))
        })?;
        let methods: BTreeSet<&String> = rows.iter().map(|row| &row.method).collect();
        let has_methods = methods.len() > 1;
        Ok(Self { results: results.to_owned(), program: program(Some(&run)), rows, has_methods })
    }

    /// The rows, in the order of the table.
    #[must_use]
    pub fn rows(&self) -> &[SpectrumRow] {
        &self.rows
    }

    /// Whether they are of several methods.
    #[must_use]
    pub fn has_methods(&self) -> bool {
        self.has_methods
    }

    /// Numbers of rows that were fitted, which stay, and of those that were not, which go.
    pub fn split_by_status(&mut self) -> (usize, usize) {
        let all = self.rows.len();
        self.rows.retain(|row| row.status == Status::Ok);
        (self.rows.len(), all - self.rows.len())
    }

    /// Some ids of the run that hold `part`.
    ///
    /// # Errors
    /// [`ReadTableError`].
    pub fn near(&self, part: &str, most: usize) -> Result<Vec<String>, ReadTableError> {
        let wanted = part.to_lowercase();
        let mut found = BTreeSet::new();
        read_batches::<SpectrumRow>(&self.results, &["spectrum_id"], |batch| {
            for row in batch {
                if found.len() < most && row.spectrum_id.to_lowercase().contains(&wanted) {
                    found.insert(row.spectrum_id);
                }
            }
        })?;
        Ok(found.into_iter().collect())
    }

    /// Hands each fit that has curves to `take`, which may end it; returns how many.
    ///
    /// # Errors
    /// [`ReadTableError`].
    pub fn draw(&self, mut take: impl FnMut(&SpectrumRow, &FitPlot) -> bool) -> Result<usize, ReadTableError> {
        let (mut drawn, mut goes_on) = (0, true);
        for rows in self.rows.chunks(AT_ONCE) {
            if !goes_on {
                break;
            }
            let places: HashMap<(&str, &str), usize> =
                rows.iter().enumerate().map(|(i, row)| ((row.spectrum_id.as_str(), row.method.as_str()), i)).collect();
            let metabolites = self.metabolites(&places, rows.len())?;
            read_batches::<CurveRow>(&self.results, &OF_CURVES, |batch| {
                for curve in batch {
                    let Some(&at) = places.get(&(curve.spectrum_id.as_str(), curve.method.as_str())) else { continue };
                    let plot = FitPlot::from_rows(&rows[at], &metabolites[at], &curve.unpacked(), &self.program);
                    if let (true, Some(plot)) = (goes_on, plot) {
                        drawn += 1;
                        goes_on = take(&rows[at], &plot);
                    }
                }
            })?;
        }
        Ok(drawn)
    }

    /// The metabolites of each row.
    ///
    /// # Errors
    /// [`ReadTableError`].
    pub fn values(&self) -> Result<Vec<Vec<MetaboliteRow>>, ReadTableError> {
        let key = |row: &SpectrumRow| (row.spectrum_id.clone(), row.method.clone());
        let keys: Vec<(String, String)> = self.rows.iter().map(key).collect();
        let places = keys.iter().enumerate().map(|(i, (id, method))| ((id.as_str(), method.as_str()), i)).collect();
        self.metabolites(&places, keys.len())
    }

    fn metabolites(
        &self,
        places: &HashMap<(&str, &str), usize>,
        n: usize,
    ) -> Result<Vec<Vec<MetaboliteRow>>, ReadTableError> {
        let mut all = vec![Vec::new(); n];
        read_batches::<MetaboliteRow>(&self.results, &OF_METABOLITES, |batch| {
            for row in batch {
                if let Some(&at) = places.get(&(row.spectrum_id.as_str(), row.method.as_str())) {
                    all[at].push(row);
                }
            }
        })?;
        Ok(all)
    }
}
