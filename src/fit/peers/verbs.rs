//! Fits and curves of a model: the verbs that every family has.

use num_complex::Complex64;

use super::model::Model;
use super::settings::{Baseline, Smoothness, Start};
use crate::fit::family::{Fitter, Limits};
use crate::fit::result::{Curves, FitResult};

impl Model {
    /// Something that fits one FID after the other with the same scratch.
    pub fn fitter(&self) -> Fitter<'_> {
        Box::new(|fid| super::fit::fit(self, fid))
    }

    /// The curves of a fit of `fid`.
    pub fn curves(&self, fid: &[Complex64], fit: &FitResult) -> Curves {
        super::fit::curves(self, fid, fit)
    }

    /// Names of the components in the order of the amplitudes.
    pub fn component_names(&self) -> Vec<String> {
        self.components.iter().map(|c| c.name.clone()).collect()
    }

    /// What the soft priors between amplitudes say.
    pub fn row_labels(&self) -> Vec<String> {
        self.rows.iter().map(|r| r.label.clone()).collect()
    }

    /// What results may run into.
    pub fn limits(&self) -> Limits {
        let max_shift_ppm = match self.settings.start {
            Start::Grid { max_shift_ppm: [low, high], .. } => low.max(high),
            Start::Correlate { max_shift_ppm } => max_shift_ppm,
        };
        let [low, high] = self.settings.window_ppm;
        let max_baseline_ed = match self.settings.baseline {
            Baseline::PSpline { smoothness: Smoothness::ModifiedAic { max_ed_per_ppm, .. }, .. } => {
                Some(max_ed_per_ppm * (high - low))
            }
            _ => None,
        };
        Limits { max_shift_ppm, max_baseline_ed }
    }
}
