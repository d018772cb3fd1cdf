//! Values side by side: one row a spectrum, one column a source.

use std::collections::{BTreeMap, HashMap};

use super::{Column, Source};

/// Fewest spectra over which a comparison means anything.
pub const MIN_SPECTRA: usize = 5;

/// One metabolite's values.
#[derive(Debug, Clone, PartialEq)]
pub struct Matrix {
    /// The metabolite or sum.
    pub metabolite: String,
    /// Ids of the spectra that all sources have a finite value of.
    pub spectra: Vec<String>,
    /// A row for each of them, as many values each as there are sources.
    pub rows: Vec<Vec<f64>>,
}

/// The values of every metabolite that at least [`MIN_SPECTRA`] spectra have in all sources, in the order of the first one.
/// Ratios to oneself and what nobody found are left out: they agree with everything.
pub fn matrices(sources: &[Source], column: Column) -> Vec<Matrix> {
    let tables: Vec<HashMap<(&str, &str), f64>> = sources
        .iter()
        .map(|s| {
            let rows = s.rows.iter();
            rows.filter_map(|r| Some(((r.metabolite.as_str(), r.spectrum_id.as_str()), column.of(r)?.0))).collect()
        })
        .collect();
    let mut place: BTreeMap<&str, usize> = BTreeMap::new();
    let mut all: Vec<Matrix> = Vec::new();
    for row in sources.iter().take(1).flat_map(|s| &s.rows) {
        let key = (row.metabolite.as_str(), row.spectrum_id.as_str());
        let values: Option<Vec<f64>> = tables.iter().map(|t| t.get(&key).copied().filter(|v| v.is_finite())).collect();
        let Some(values) = values else { continue };
        let at = *place.entry(key.0).or_insert_with(|| {
            all.push(Matrix { metabolite: key.0.to_owned(), spectra: Vec::new(), rows: Vec::new() });
            all.len() - 1
        });
        all[at].spectra.push(key.1.to_owned());
        all[at].rows.push(values);
    }
    all.retain(|m| m.rows.len() >= MIN_SPECTRA);
    all.retain(|m| m.rows.iter().flatten().any(|v| (v - m.rows[0][0]).abs() > 1e-9 * v.abs()));
    all
}
