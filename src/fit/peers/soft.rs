//! Rows between amplitudes: LCModel's in the scale of a preliminary solution, and those of TARQUIN and Osprey, which
//! pull amplitudes towards ratios of a solution before (survey sections 1.5, 3.1 and 5).

use super::model::Model;
use super::problem::{Problem, SoftRow};
use super::settings::Ratios;

/// A ratio towards which amplitudes are pulled.
struct Pull {
    numerator: &'static str,
    ratio: f64,
    /// Strength, in norms of the component's column.
    lambda: f64,
}

/// Ratios to the sum of the same components.
struct Family {
    denominators: &'static [&'static str],
    /// Whether the denominators are pulled, too: towards their share of what both come to.
    shares: bool,
    /// Whether none of them holds unless all components are there.
    all_or_none: bool,
    pulls: &'static [Pull],
}

const fn pull(numerator: &'static str, ratio: f64, lambda: f64) -> Pull {
    Pull { numerator, ratio, lambda }
}

/// TARQUIN's (Wilson 2011, section 2.1.6; strengths as its program has them).
const TARQUIN: [Family; 3] = [
    Family { denominators: &["NAA"], shares: true, all_or_none: true, pulls: &[pull("NAAG", 0.15, 0.05)] },
    Family {
        denominators: &["Lip13a", "Lip13b"],
        shares: false,
        all_or_none: true,
        pulls: &[pull("Lip09", 0.267, 0.5), pull("Lip20", 0.15, 0.3)],
    },
    Family {
        denominators: &["MM09"],
        shares: false,
        all_or_none: true,
        pulls: &[pull("MM12", 0.3, 0.9), pull("MM14", 0.75, 0.3), pull("MM17", 0.375, 0.8), pull("MM20", 1.5, 0.2)],
    },
];
/// Strength of TARQUIN's row that pulls the sum of all towards zero, in tallest points of the columns.
const TARQUIN_SHRINKAGE: f64 = 0.2;

const OSPREY_LAMBDA: f64 = 0.05;
/// Osprey's, whose basis set has one Lip13 where LCModel's list has two.
const OSPREY: [Family; 3] = [
    Family { denominators: &["NAA"], shares: true, all_or_none: false, pulls: &[pull("NAAG", 0.15, OSPREY_LAMBDA)] },
    Family {
        denominators: &["Lip13", "Lip13a", "Lip13b"],
        shares: true,
        all_or_none: false,
        pulls: &[pull("Lip09", 0.267, OSPREY_LAMBDA), pull("Lip20", 0.15, OSPREY_LAMBDA)],
    },
    Family {
        denominators: &["MM09"],
        shares: true,
        all_or_none: false,
        pulls: &[
            pull("MM20", 1.5, OSPREY_LAMBDA),
            pull("MM12", 0.3, OSPREY_LAMBDA),
            pull("MM14", 0.75, OSPREY_LAMBDA),
            pull("MM17", 0.375, OSPREY_LAMBDA),
            pull("MM37", 0.89, OSPREY_LAMBDA),
            pull("MM38", 0.1, OSPREY_LAMBDA),
            pull("MM40", 1.39, OSPREY_LAMBDA),
            pull("MM42", 0.3, OSPREY_LAMBDA),
        ],
    },
];

/// A norm of a column.
type Norm = fn(&[f64]) -> f64;

fn sum_norm(column: &[f64]) -> f64 {
    column.iter().map(|v| v.abs()).sum()
}

fn length(column: &[f64]) -> f64 {
    column.iter().map(|v| v * v).sum::<f64>().sqrt()
}

fn tallest(column: &[f64]) -> f64 {
    column.iter().fold(0.0, |m: f64, v| m.max(v.abs()))
}

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
            .enumerate()
            .map(|(i, row)| SoftRow {
                terms: row.terms.iter().filter_map(|&(k, w)| Some((place(k)?, w))).collect(),
                target: 0.0,
                weight: row.weight(&all, 0.0),
                in_sigma: true,
                row: Some(i),
            })
            .filter(|row| row.weight > 0.0)
            .collect()
    }
}

/// Rows that pull towards ratios of the amplitudes `c`, for the members' `columns`; none where the method has none.
pub(super) fn pulling_rows(problem: &Problem<'_>, columns: &[f64], c: &[f64]) -> Vec<SoftRow> {
    let (families, norm): (&[Family], Norm) = match problem.model.settings.ratios {
        Ratios::None | Ratios::Lcmodel => return Vec::new(),
        Ratios::Tarquin => (&TARQUIN, length),
        Ratios::Osprey => (&OSPREY, sum_norm),
    };
    let n_rows = problem.grid.n_rows();
    let column = |k: usize| &columns[k * n_rows..(k + 1) * n_rows];
    let place = |name: &str| (0..problem.members.len()).find(|&k| problem.component(k).name == name);
    let mut rows = Vec::new();
    for family in families {
        let denominators: Vec<usize> = family.denominators.iter().filter_map(|name| place(name)).collect();
        let numerators: Vec<Option<usize>> = family.pulls.iter().map(|p| place(p.numerator)).collect();
        let lacks = denominators.len() < family.denominators.len() || numerators.contains(&None);
        if denominators.is_empty() || (family.all_or_none && lacks) {
            continue;
        }
        let below: f64 = denominators.iter().map(|&k| c[k]).sum();
        for (pull, numerator) in family.pulls.iter().zip(numerators) {
            let Some(numerator) = numerator else { continue };
            let to = |terms: Vec<(usize, f64)>, target: f64| {
                let norms: f64 = terms.iter().map(|&(k, _)| norm(column(k))).sum();
                let weight = pull.lambda * norms / terms.len() as f64;
                SoftRow { terms, target, weight, in_sigma: false, row: None }
            };
            if family.shares {
                let share = (below + c[numerator]) / (1.0 + pull.ratio);
                rows.push(to(vec![(numerator, 1.0)], share * pull.ratio));
                rows.push(to(denominators.iter().map(|&k| (k, 1.0)).collect(), share));
            } else {
                rows.push(to(vec![(numerator, 1.0)], below * pull.ratio));
            }
        }
    }
    if problem.model.settings.ratios == Ratios::Tarquin {
        let terms = (0..problem.members.len()).map(|k| (k, tallest(column(k)))).collect();
        rows.push(SoftRow { terms, target: 0.0, weight: TARQUIN_SHRINKAGE, in_sigma: false, row: None });
    }
    rows
}
