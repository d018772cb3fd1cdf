//! LCModel's rows between amplitudes, in the scale of a preliminary solution.

use super::model::Model;
use super::problem::{Problem, SoftRow};

impl Model {
    /// LCModel's rows in the scale of the amplitudes `c`.
    pub(super) fn frozen_rows(&self, problem: &Problem<'_>, c: &[f64]) -> Vec<SoftRow> {
        let mut all = vec![0.0; self.components.len()];
        for (m, &k) in problem.members.iter().enumerate() {
            all[k] = c[m];
        }
        let place = |k: usize| problem.members.iter().position(|&m| m == k);
        self.rows
            .iter()
            .map(|row| SoftRow {
                terms: row.terms.iter().filter_map(|&(k, w)| Some((place(k)?, w))).collect(),
                target: 0.0,
                weight: row.weight(&all),
            })
            .filter(|row| row.weight > 0.0)
            .collect()
    }
}
