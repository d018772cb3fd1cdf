//! Rows between amplitudes that change from step to step: those of Osprey and TARQUIN, and LCModel's frozen ones.

use super::model::Model;
use super::objective::{Objective, Weights};
use super::problem::{Problem, SoftRow};
use super::settings::Ratios;

/// Weight of Osprey's rows, times the sum of magnitudes of a column (Osprey's λ).
const OSPREY_WEIGHT: f64 = 0.05;
/// Pairs whose shares Osprey pulls: numerator, denominator, ratio.
const OSPREY_PAIRS: [(&str, &str, f64); 7] = [
    ("Lip09", "Lip13", 0.267),
    ("Lip20", "Lip13", 0.15),
    ("MM20", "MM09", 1.5),
    ("MM12", "MM09", 0.3),
    ("MM14", "MM09", 0.75),
    ("MM17", "MM09", 0.375),
    ("NAAG", "NAA", 0.15),
];
/// TARQUIN's rows: numerator, stem of the denominators, ratio, weight.
const TARQUIN_ROWS: [(&str, &str, f64, f64); 6] = [
    ("Lip09", "Lip13", 0.267, 0.5),
    ("Lip20", "Lip13", 0.15, 0.3),
    ("MM12", "MM09", 0.3, 0.9),
    ("MM14", "MM09", 0.75, 0.3),
    ("MM17", "MM09", 0.375, 0.8),
    ("MM20", "MM09", 1.5, 0.2),
];
/// Its share of NAAG, and weight.
const TARQUIN_NAAG: (f64, f64) = (0.15, 0.05);
/// Its shrinkage of all amplitudes.
const TARQUIN_SHRINKAGE: f64 = 0.2;

impl Model {
    /// LCModel's rows in the scale of the amplitudes `c`, and their number.
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
                in_sigma: true,
            })
            .filter(|row| row.weight > 0.0)
            .collect()
    }

    /// Renews rows that hang on the amplitudes of the step before.
    pub(super) fn refresh_soft(&self, problem: &Problem<'_>, objective: &Objective, c: &[f64], weights: &mut Weights) {
        let rows = problem.grid.n_rows();
        let column = |m: usize| &objective.evaluation.columns[m * rows..(m + 1) * rows];
        let named = |name: &str| (0..problem.members.len()).find(|&m| problem.component(m).name == name);
        let stem = |stem: &str| -> Vec<usize> {
            (0..problem.members.len()).filter(|&m| problem.component(m).name.starts_with(stem)).collect()
        };
        let sum = |members: &[usize]| members.iter().map(|&m| c[m]).sum::<f64>();
        let pull =
            |m: usize, target: f64, weight: f64| SoftRow { terms: vec![(m, 1.0)], target, weight, in_sigma: false };
        match self.settings.ratios {
            Ratios::None | Ratios::Lcmodel => {}
            Ratios::Osprey => {
                weights.soft.clear();
                let height = |m: usize| OSPREY_WEIGHT * column(m).iter().map(|v| v.abs()).sum::<f64>() / rows as f64;
                for (numerator, denominator, ratio) in OSPREY_PAIRS {
                    let (Some(a), others) = (named(numerator), stem(denominator)) else { continue };
                    let Some(&b) = others.iter().find(|&&m| m != a && problem.component(m).name != "NAAG") else {
                        continue;
                    };
                    let total = c[a] + c[b];
                    weights.soft.push(pull(a, total * ratio / (1.0 + ratio), height(a)));
                    weights.soft.push(pull(b, total / (1.0 + ratio), height(b)));
                }
            }
            Ratios::Tarquin => {
                weights.soft.clear();
                let norm = |m: usize| column(m).iter().map(|v| v * v).sum::<f64>().sqrt();
                if let (Some(naa), Some(naag)) = (named("NAA"), named("NAAG")) {
                    let (ratio, weight) = TARQUIN_NAAG;
                    let total = c[naa] + c[naag];
                    weights.soft.push(pull(naag, total * ratio / (1.0 + ratio), weight * norm(naag)));
                    weights.soft.push(pull(naa, total / (1.0 + ratio), weight * norm(naa)));
                }
                for (numerator, denominator, ratio, weight) in TARQUIN_ROWS {
                    let (Some(a), others) = (named(numerator), stem(denominator)) else { continue };
                    if !others.is_empty() {
                        weights.soft.push(pull(a, ratio * sum(&others), weight * norm(a)));
                    }
                }
                let tallest = |m: usize| column(m).iter().fold(0.0, |t: f64, v| t.max(v.abs()));
                let terms = (0..problem.members.len()).map(|m| (m, TARQUIN_SHRINKAGE * tallest(m))).collect();
                weights.soft.push(SoftRow { terms, target: 0.0, weight: 1.0, in_sigma: false });
            }
        }
    }
}
