//! How many of each group's spectra are kept: where that differs, what is left is no longer the groups that were measured.

use std::collections::{BTreeMap, BTreeSet};

use super::losses::{End, Losses, What};
use super::table::{Column, Table};

/// Difference of kept shares that is worth a word (percentage points).
pub const WARNED_POINTS: f64 = 10.0;

/// Kept shares that differ between groups.
#[derive(Debug, Clone, PartialEq)]
pub struct UnequalShare {
    /// Fitting method.
    pub method: String,
    /// Region and sub-spectrum, in words.
    pub of: String,
    /// Metabolite.
    pub metabolite: String,
    /// Ending of the quantity's column.
    pub quantity: &'static str,
    /// Largest difference between two groups (percentage points).
    pub points: f64,
    /// Group, kept and all.
    pub groups: Vec<(String, usize, usize)>,
}

type Key<'a> = (&'a str, Option<&'a str>, Option<&'a str>, usize);

/// Spectra and kept values by group.
#[derive(Debug)]
pub(crate) struct Shares<'a> {
    what: Vec<What<'a>>,
    all: BTreeMap<Key<'a>, BTreeMap<&'a str, (usize, usize)>>,
}

impl<'a> Shares<'a> {
    pub(crate) fn of(losses: &Losses<'a>) -> Self {
        let mut all: BTreeMap<Key<'a>, BTreeMap<&'a str, (usize, usize)>> = BTreeMap::new();
        for (cell, counts) in &losses.cells {
            let Some(group) = cell.group else { continue };
            for (number, ends) in counts.iter().enumerate() {
                for (end, n) in ends.iter().filter(|(end, _)| !end.is_of_person()) {
                    let key = (cell.method, cell.voi, cell.subspec, number);
                    let (of_all, kept) = all.entry(key).or_default().entry(group).or_default();
                    *of_all += n;
                    *kept += if *end == End::Kept { *n } else { 0 };
                }
            }
        }
        Self { what: losses.what.clone(), all }
    }

    /// Largest difference between two groups of at least `least` spectra (percentage points).
    fn points(groups: &BTreeMap<&str, (usize, usize)>, least: usize) -> Option<f64> {
        let shares: Vec<f64> = groups
            .values()
            .filter(|(n, _)| *n >= least.max(1))
            .map(|(n, kept)| 100.0 * *kept as f64 / *n as f64)
            .collect();
        let most = shares.iter().copied().reduce(f64::max)?;
        let fewest = shares.iter().copied().reduce(f64::min)?;
        (shares.len() > 1).then_some(most - fewest)
    }

    /// Those that differ by ten points or more, the worst first.
    pub(crate) fn unequal(&self, least: usize) -> Vec<UnequalShare> {
        let mut found = Vec::new();
        for ((method, voi, subspec, number), groups) in &self.all {
            let Some(what) = self.what.get(*number) else { continue };
            let Some(points) = Self::points(groups, least).filter(|points| *points >= WARNED_POINTS) else { continue };
            found.push(UnequalShare {
                method: (*method).to_owned(),
                of: [*voi, *subspec].into_iter().flatten().collect::<Vec<_>>().join(" "),
                metabolite: what.metabolite.unwrap_or("spectra").to_owned(),
                quantity: what.quantity.map(super::quantity::Quantity::name).unwrap_or_default(),
                points,
                groups: groups.iter().map(|(group, (n, kept))| ((*group).to_owned(), *kept, *n)).collect(),
            });
        }
        found.sort_by(|a, b| b.points.total_cmp(&a.points));
        // Quantities of one metabolite are kept alike: the worst of them is enough.
        let mut seen = BTreeSet::new();
        found.retain(|share| seen.insert((share.method.clone(), share.of.clone(), share.metabolite.clone())));
        found
    }

    pub(crate) fn table(&self) -> Table<'a> {
        let mut rows = Vec::new();
        for (key, groups) in &self.all {
            let points = Self::points(groups, 1);
            rows.extend(groups.iter().map(|(group, counts)| (*key, *group, *counts, points)));
        }
        let what = |row: &(Key<'a>, &'a str, (usize, usize), Option<f64>)| self.what.get(row.0.3).copied();
        let count = |n: usize| i64::try_from(n).ok();
        let columns = vec![
            Column::text("method", "Fitting method", rows.iter().map(|row| Some(row.0.0))),
            Column::text("voi", "Region", rows.iter().map(|row| row.0.1)),
            Column::text("subspec", "Sub-spectrum", rows.iter().map(|row| row.0.2)),
            Column::text(
                "metabolite",
                "Metabolite; missing: the spectrum itself",
                rows.iter().map(|row| what(row)?.metabolite),
            ),
            Column::text(
                "quantity",
                "Quantity",
                rows.iter().map(|row| what(row)?.quantity.map(super::quantity::Quantity::name)),
            ),
            Column::text("group", "Group", rows.iter().map(|row| Some(row.1))),
            Column::count("n", "Spectra of this group", rows.iter().map(|row| count(row.2.0))),
            Column::count("n_kept", "Values that are kept", rows.iter().map(|row| count(row.2.1))),
            Column::number(
                "kept_percent",
                "Share that is kept",
                "%",
                rows.iter().map(|row| Some(100.0 * row.2.1 as f64 / row.2.0 as f64)),
            ),
            Column::number(
                "difference_points",
                "Largest difference between two groups, in percentage points",
                "",
                rows.iter().map(|row| row.3),
            ),
            Column::truth(
                "differs",
                "Whether that is ten points or more",
                rows.iter().map(|row| Some(row.3? >= WARNED_POINTS)),
            ),
        ];
        Table { name: "shares".to_owned(), row: "One row per method, region, sub-spectrum, value and group.", columns }
    }
}
