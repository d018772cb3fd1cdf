//! Where a spectrum stands among those of its site, or of all sites.

use std::collections::HashSet;
use std::path::Path;

use serde::Serialize;

use crate::page::measures::{self, Measure};
use crate::page::metabolites;
use crate::page::numbers::written;
use crate::page::spectra::{self, Spectra};
use crate::report::place_plot;
use crate::signal::median::median;
use crate::store::{ReadTableError, SpectrumRow, read_run};

/// Fewer of a site say little: then all sites stand in.
const LEAST: usize = 8;

/// The rows of a run, for comparison.
#[derive(Debug, Default)]
pub struct Comparison {
    spectra: Spectra,
    measures: Vec<Measure>,
}

/// One figure of a spectrum among the others'.
#[derive(Debug, Serialize)]
pub(super) struct Compared {
    name: String,
    value: String,
    median: String,
    /// Part of the others that are lower (%).
    rank: String,
    /// Whether it is among the worst twentieth.
    is_far: bool,
    /// All values as dots, and this one as a line.
    picture: String,
}

impl Comparison {
    /// Reads the rows of the run in `results`.
    ///
    /// # Errors
    /// [`ReadTableError`].
    pub fn read(results: &Path) -> Result<Self, ReadTableError> {
        let run = read_run(results)?;
        let spectra = spectra::read(results, &run)?;
        let found = metabolites::read(results, &spectra)?;
        let measures = measures::choose(&spectra, &found);
        Ok(Self { spectra, measures })
    }

    /// Subjects of the run; those without a label are one.
    pub(super) fn n_subjects(&self) -> usize {
        self.spectra.rows.iter().map(|s| s.row.subject.as_deref()).collect::<HashSet<_>>().len()
    }

    /// Rows like `row`: of its protocol and method, of its site where that has enough.
    fn like(&self, row: &SpectrumRow) -> (Vec<usize>, bool) {
        let protocol = crate::run::protocol_of(row);
        let all = self.spectra.rows.iter().enumerate();
        let alike: Vec<usize> =
            all.filter(|(_, s)| s.protocol == protocol && s.row.method == row.method).map(|(at, _)| at).collect();
        let of_site: Vec<usize> =
            alike.iter().copied().filter(|at| self.spectra.rows[*at].row.site == row.site).collect();
        if of_site.len() >= LEAST { (of_site, true) } else { (alike, false) }
    }

    /// With what it is compared, in words.
    pub(super) fn told(&self, row: &SpectrumRow) -> String {
        let (like, is_site) = self.like(row);
        let n = like.len();
        match &row.site {
            _ if n < LEAST => format!("{n} spectra of this protocol: too few to compare with."),
            Some(site) if is_site => format!("{n} spectra of this protocol and method at {site}."),
            Some(site) => {
                format!("{n} spectra of this protocol and method at all sites: {site} has fewer than {LEAST}.")
            }
            None => format!("{n} spectra of this protocol and method."),
        }
    }

    /// The figures of `row`; none where there are too few others.
    pub(super) fn of(&self, row: &SpectrumRow) -> Vec<Compared> {
        let Some(&own) = self.spectra.place.get(&(row.spectrum_id.clone(), row.method.clone())) else {
            return Vec::new();
        };
        let (like, _) = self.like(row);
        if like.len() < LEAST {
            return Vec::new();
        }
        self.measures.iter().filter_map(|measure| compared(measure, own, &like)).collect()
    }
}

fn compared(measure: &Measure, own: usize, like: &[usize]) -> Option<Compared> {
    let value = measure.values.get(own).copied().filter(|value| value.is_finite())?;
    let others: Vec<f64> = like.iter().map(|at| measure.values[*at]).filter(|value| value.is_finite()).collect();
    if others.len() < LEAST {
        return None;
    }
    let lower = others.iter().filter(|other| **other < value).count();
    let equal = others.iter().filter(|other| **other == value).count();
    let rank = 100.0 * (lower as f64 + 0.5 * equal as f64) / others.len() as f64;
    let unit = if measure.unit.is_empty() { String::new() } else { format!(" ({})", measure.unit) };
    Some(Compared {
        name: format!("{}{unit}", measure.label),
        value: written(Some(value), 3),
        median: written(median(&others), 3),
        rank: format!("{rank:.0}"),
        is_far: match measure.worse {
            1 => rank > 95.0,
            -1 => rank < 5.0,
            _ => !(2.5..=97.5).contains(&rank),
        },
        picture: place_plot(&others, value).unwrap_or_default(),
    })
}
