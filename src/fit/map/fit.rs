//! Fits and curves of a model: the verbs that every family has.

use num_complex::Complex64;

use super::model::Model;
use super::workspace::Workspace;
use super::{report, solver};
use crate::fit::family::{Fitter, Limits};
use crate::fit::result::{Curves, FitResult};

impl Model {
    /// Something that fits one FID after the other with the same scratch.
    pub fn fitter(&self) -> Fitter<'_> {
        let mut workspace = Workspace::new(self);
        Box::new(move |fid| solver::fit(self, fid, &mut workspace))
    }

    /// The curves of a fit of `fid`.
    pub fn curves(&self, fid: &[Complex64], fit: &FitResult) -> Curves {
        report::curves(self, fid, fit)
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
        let [low, high] = self.settings.window_ppm;
        Limits {
            max_shift_ppm: self.settings.start.max_shift_ppm,
            max_baseline_ed: Some(self.settings.baseline.max_ed_per_ppm * (high - low)),
        }
    }
}
