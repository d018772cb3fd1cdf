//! What several rows of a file are: the SPAR does not say.

use num_complex::Complex64;

use super::protocol;
use super::spar::Spar;
use crate::acquisition::{Conditions, Editing, Named, named_editing};

/// Mean squared difference of rows so far apart as conditions are in turn, over that of rows one circle apart, above which
/// they are measurements of different things.
const ALTERNATING: f64 = 4.0;

/// What the rows of a file are taken for.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Rows {
    /// Dynamics of one measurement.
    Dynamics,
    /// Two measurements that nobody names: a mean over them could be one of water and metabolites.
    Two,
    /// Dynamics of several conditions of spectral editing, in an order that the file does not state.
    Mixed {
        n_conditions: Option<usize>,
        /// Who says that they are edited.
        told_by: String,
    },
}

impl Rows {
    /// Of `n` rows of the file with this stem, whose samples `at` gives.
    pub(super) fn of(
        n: usize,
        spar: &Spar,
        file_stem: &str,
        samples: usize,
        at: &dyn Fn(usize, usize) -> Complex64,
    ) -> Self {
        if n < 2 || protocol::is_water(spar) {
            return Self::Dynamics;
        }
        let mixed = |n_conditions, told_by: &str| Self::Mixed { n_conditions, told_by: told_by.to_owned() };
        if let Some(name) = protocol::named(spar) {
            return mixed(named_editing(name).and_then(|n| n.n_conditions), &format!("the SPAR's `{name}`"));
        }
        if let Some(named) = named_editing_of_file(file_stem) {
            return mixed(named.n_conditions, "the file's name");
        }
        match n {
            2 => Self::Two,
            4.. if n.is_multiple_of(4) && alternate(n, 4, samples, at) => mixed(None, "rows that differ in turn"),
            4.. if n.is_multiple_of(2) && alternate(n, 2, samples, at) => mixed(None, "rows that differ in turn"),
            _ => Self::Dynamics,
        }
    }

    /// How many conditions the rows stand for on their axis.
    pub(super) fn n_conditions(&self) -> usize {
        if *self == Self::Two { 2 } else { 1 }
    }

    /// What that says of editing.
    pub(super) fn editing(&self) -> Option<Editing> {
        let Self::Mixed { n_conditions, .. } = self else { return None };
        Some(Editing { conditions: Conditions::Mixed(*n_conditions), ..Editing::default() })
    }

    /// What was assumed.
    pub(super) fn remark(&self, n: usize) -> Option<String> {
        match self {
            _ if n == 1 => None,
            Self::Dynamics => Some(format!("{n} rows were taken as dynamics of one measurement")),
            Self::Two => Some("the SPAR does not say what its 2 rows are: each is analysed on its own".to_owned()),
            Self::Mixed { told_by, .. } => Some(format!(
                "{n} rows are several conditions of spectral editing, by {told_by}; their order is not stated"
            )),
        }
    }
}

/// Whether neighbouring rows of a circle of so many differ more than those one circle apart, which drift and noise make
/// differ alike.
fn alternate(rows: usize, circle: usize, samples: usize, at: &dyn Fn(usize, usize) -> Complex64) -> bool {
    if rows < 2 * circle {
        return false;
    }
    let difference = |apart: usize| -> f64 {
        let pairs = rows - apart;
        let sum: f64 = (0..pairs)
            .flat_map(|row| (0..samples).map(move |p| (row, p)))
            .map(|(row, p)| (at(row + apart, p) - at(row, p)).norm_sqr())
            .sum();
        sum / pairs as f64
    };
    let within = ALTERNATING * difference(circle);
    (1..circle).all(|apart| difference(apart) > within)
}

/// What the stem of a file's name says of editing, subject and session left out.
pub(in crate::formats) fn named_editing_of_file(stem: &str) -> Option<Named> {
    let is_own = |part: &&str| !part.starts_with("sub-") && !part.starts_with("ses-");
    named_editing(&stem.split('_').filter(is_own).collect::<Vec<_>>().join("_"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(n: usize, spar: &str, stem: &str, height: impl Fn(usize) -> f64) -> Rows {
        let at = |row: usize, p: usize| Complex64::new(height(row) / (1.0 + p as f64), 0.0);
        Rows::of(n, &Spar::parse(spar.as_bytes()), stem, 16, &at)
    }

    fn n_mixed(rows: &Rows) -> Option<Option<usize>> {
        match rows {
            Rows::Mixed { n_conditions, .. } => Some(*n_conditions),
            _ => None,
        }
    }

    #[test]
    fn what_is_called_edited_has_several_conditions() {
        let same = |row: usize| 1.0 + 0.01 * row as f64;
        for (spar, stem, n) in [
            ("scan_id : MEGA-PRESS 68", "x", Some(Some(2))),
            ("scan_id : x\nexamination_name : HERMES study", "x", Some(Some(4))),
            ("scan_id : GABA", "x", Some(None)),
            ("scan_id : x", "sub-01_megapress_act", Some(Some(2))),
            ("scan_id : x", "sub-mega_press_act", None),
            ("scan_id : PRESS 35", "x", None),
            ("scan_id : MEGA-PRESS 68\nmix_number : 2", "x_ref", None),
        ] {
            for rows in [4, 32, 320] {
                assert_eq!(n_mixed(&of(rows, spar, stem, same)), n, "{spar}, {stem}");
            }
        }
        assert_eq!(of(1, "scan_id : MEGA", "mega", same), Rows::Dynamics);
        assert_eq!(n_mixed(&of(2, "", "sub-01_megapress_act", same)), Some(Some(2)));
        assert_eq!(of(2, "", "x_act", same), Rows::Two);
        assert!(of(8, "scan_id : HERMES Doe", "x", same).remark(8).is_some_and(|r| !r.contains("Doe")));
    }

    #[test]
    fn rows_that_differ_in_turn_are_no_dynamics() {
        let drift = |row: usize| 0.05 * row as f64;
        assert_eq!(of(8, "", "x", drift), Rows::Dynamics);
        assert_eq!(of(7, "", "x", drift), Rows::Dynamics);
        assert_eq!(n_mixed(&of(32, "", "x", |row| drift(row) + 4.0 * (row % 2) as f64)), Some(None));
        assert_eq!(n_mixed(&of(6, "", "x", |row| drift(row) + 4.0 * (row % 2) as f64)), Some(None));
        assert_eq!(n_mixed(&of(32, "", "x", |row| drift(row) + 4.0 * (row % 4) as f64)), Some(None));
    }
}
