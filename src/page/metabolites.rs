//! The rows of `metabolites` as the page needs them.

use std::collections::HashMap;
use std::path::Path;

use super::spectra::Spectra;
use crate::basis::names::{Kind, kind};
use crate::store::{MetaboliteRow, ReadTableError, read_batches};

const COLUMNS: [&str; 15] = [
    "spectrum_id",
    "method",
    "metabolite",
    "is_sum",
    "amplitude",
    "crlb_percent",
    "ratio_tcr",
    "ratio_tcr_sd",
    "conc_lcmodel_mmol_per_kg",
    "conc_lcmodel_sd_mmol_per_kg",
    "conc_csf_mmol_per_kg",
    "conc_csf_sd_mmol_per_kg",
    "conc_molal_mmol_per_kg",
    "conc_molal_sd_mmol_per_kg",
    "sd_posterior",
];

/// One metabolite of one row; NaN where there is no value. Single precision is more than the page shows, and large runs have
/// millions of them.
#[derive(Debug, Clone, Copy)]
pub(super) struct Value {
    /// Number of its name.
    pub(super) name: u16,
    pub(super) amplitude: f32,
    pub(super) crlb_percent: f32,
    pub(super) ratio: [f32; 2],
    /// Value and standard deviation by LCModel's formula, without CSF, and per kilogram of tissue water.
    pub(super) concentrations: [[f32; 2]; 3],
}

/// All of them.
#[derive(Debug, Clone, Default)]
pub(super) struct Metabolites {
    /// Names: metabolites and sums in the order in which they come, macromolecules and lipids included.
    pub(super) names: Vec<String>,
    /// Those of each row of the page.
    pub(super) of_row: Vec<Vec<Value>>,
}

impl Metabolites {
    /// The value called `name` of a row.
    pub(super) fn of(&self, row: usize, name: u16) -> Option<&Value> {
        self.of_row.get(row)?.iter().find(|value| value.name == name)
    }

    /// Number of a name.
    pub(super) fn number(&self, name: &str) -> Option<u16> {
        self.names.iter().position(|other| other == name).and_then(|at| u16::try_from(at).ok())
    }

    /// Whether the rows that have this name are metabolites or sums of them.
    pub(super) fn is_metabolite(&self, name: u16) -> bool {
        self.names.get(usize::from(name)).is_some_and(|name| kind(name) == Kind::Metabolite)
    }
}

fn single(value: Option<f64>) -> f32 {
    value.map_or(f32::NAN, |value| value as f32)
}

fn pair(value: Option<f64>, sd: Option<f64>) -> [f32; 2] {
    [value, sd].map(single)
}

/// Reads those of the rows that the page shows.
pub(super) fn read(results: &Path, spectra: &Spectra) -> Result<Metabolites, ReadTableError> {
    let mut found = Metabolites { of_row: vec![Vec::new(); spectra.rows.len()], ..Metabolites::default() };
    let mut numbers: HashMap<String, u16> = HashMap::new();
    // Rows have about as many each: none has room for twice as many.
    let mut most = 0;
    read_batches::<MetaboliteRow>(results, &COLUMNS, |batch| {
        for row in batch {
            let Some(&at) = spectra.place.get(&(row.spectrum_id, row.method)) else { continue };
            // A run has some dozens of names; what had more than sixty thousand is no table of this program.
            let Ok(next) = u16::try_from(found.names.len()) else { continue };
            let name = *numbers.entry(row.metabolite.clone()).or_insert_with(|| {
                found.names.push(row.metabolite);
                next
            });
            let values = &mut found.of_row[at];
            if values.is_empty() {
                values.reserve_exact(most);
            }
            values.push(Value {
                name,
                amplitude: single(row.amplitude),
                crlb_percent: single(row.crlb_percent),
                ratio: pair(row.ratio_tcr, row.ratio_tcr_sd),
                concentrations: [
                    pair(row.conc_lcmodel_mmol_per_kg, row.conc_lcmodel_sd_mmol_per_kg),
                    pair(row.conc_csf_mmol_per_kg, row.conc_csf_sd_mmol_per_kg),
                    pair(row.conc_molal_mmol_per_kg, row.conc_molal_sd_mmol_per_kg),
                ],
            });
            most = most.max(values.len());
        }
    })?;
    Ok(found)
}
