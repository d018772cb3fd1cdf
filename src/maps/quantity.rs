//! What there is to be drawn: a number for each row of a table, under the name of its column.

use std::collections::BTreeSet;

use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, Int64Type};
use arrow_array::{Array, ArrayRef};
use arrow_schema::DataType;

use super::error::MapsError;
use super::legend::{Legends, Meaning};
use super::source::Source;
use crate::store::{Status, Table};

/// Names of what is no column of numbers.
pub(super) const FLAGS: &str = "flags";
pub(super) const STATUS: &str = "status";
pub(super) const GATE: &str = "gate";
/// Begins the names of images of one flag each.
const FLAG_PREFIX: &str = "flag_";

/// What is drawn where nothing is asked for; what no voxel has makes no image.
pub(super) const USUAL: [&str; 20] = [
    "amplitude",
    "sd_posterior",
    "crlb_percent",
    "ratio_tcr",
    "ratio_tcr_sd",
    "conc_lcmodel_mmol_per_kg",
    "conc_lcmodel_sd_mmol_per_kg",
    "conc_csf_mmol_per_kg",
    "conc_csf_sd_mmol_per_kg",
    "conc_molal_mmol_per_kg",
    "conc_molal_sd_mmol_per_kg",
    "conc_molar_mmol_per_l",
    "conc_molar_sd_mmol_per_l",
    "conc_alpha_iu",
    "conc_alpha_sd_iu",
    "snr",
    "fwhm_hz",
    FLAGS,
    STATUS,
    GATE,
];

/// A number for each row of a table.
pub(super) struct Quantity {
    pub(super) name: String,
    pub(super) unit: &'static str,
    pub(super) definition: String,
    /// What the numbers stand for, where they are words.
    pub(super) legend: Vec<Meaning>,
    /// NaN where the row has none.
    pub(super) values: Vec<f32>,
    /// Whether it was asked for by name: then it is told where no voxel has a value.
    pub(super) is_asked: bool,
    /// Whether it is drawn only where a voxel has more than zero.
    pub(super) is_mask: bool,
}

/// What is drawn of each table.
pub(super) struct Quantities {
    pub(super) of_metabolites: Vec<Quantity>,
    pub(super) of_spectra: Vec<Quantity>,
    /// What was asked for and is not there.
    pub(super) notes: Vec<String>,
}

impl Quantities {
    /// Those that were asked for, or the usual ones.
    ///
    /// # Errors
    /// [`MapsError::UnknownQuantity`].
    pub(super) fn of(asked: &[String], has_gates: bool, source: &Source) -> Result<Self, MapsError> {
        let names: BTreeSet<&str> =
            if asked.is_empty() { USUAL.into_iter().collect() } else { asked.iter().map(String::as_str).collect() };
        let wanted = |name: &str| names.contains(name);
        let is_asked = !asked.is_empty();
        let mut all = Self {
            of_metabolites: columns(&source.metabolites, &wanted, is_asked),
            of_spectra: columns(&source.spectra, &wanted, is_asked),
            notes: Vec::new(),
        };
        let is_column = |name: &str| all.of_metabolites.iter().chain(&all.of_spectra).any(|q| q.name == name);
        if let Some(unknown) = names.iter().find(|name| ![FLAGS, STATUS, GATE].contains(name) && !is_column(name)) {
            return Err(MapsError::UnknownQuantity { asked: (*unknown).to_owned(), known: known(source) });
        }
        let legends = Legends::of(&source.spectra, &source.metabolites);
        if wanted(FLAGS) {
            all.of_spectra.extend(flags(source, &legends));
        }
        if wanted(STATUS) {
            all.of_spectra.push(status(source, &legends));
        }
        if wanted(GATE) && has_gates | legends.has_gates() {
            let gate = |gate: &Option<String>| legends.gate(gate.as_deref());
            let spectra = source.spectra.iter().map(|row| gate(&row.gate)).collect();
            let metabolites = source.metabolites.iter().map(|row| gate(&row.gate)).collect();
            let definition = "First gate that the row does not pass (`--gates`).";
            all.of_spectra.push(words(GATE, definition, legends.gates(), spectra));
            all.of_metabolites.push(words(GATE, definition, legends.gates(), metabolites));
        } else if wanted(GATE) && is_asked {
            all.notes
                .push("no maps of gates: the run was not held to any; `requant quantify --gates` does that".into());
        }
        Ok(all)
    }
}

fn is_numeric(data_type: &DataType) -> bool {
    matches!(data_type, DataType::Float64 | DataType::Int64 | DataType::Boolean)
}

/// The columns of numbers that are wanted.
fn columns<T: Table>(rows: &[T], wanted: &dyn Fn(&str) -> bool, is_asked: bool) -> Vec<Quantity> {
    let columns = T::columns().into_iter().filter(|column| is_numeric(&column.data_type) && wanted(column.name));
    let quantity = |column: crate::store::schema::Column<T>| Quantity {
        name: column.name.to_owned(),
        unit: column.unit,
        definition: column.definition.to_owned(),
        legend: Vec::new(),
        values: numbers(&(column.array)(rows)),
        is_asked,
        is_mask: false,
    };
    columns.map(quantity).collect()
}

/// What can be asked for, in words.
fn known(source: &Source) -> String {
    fn names<T: Table>(_: &[T]) -> String {
        let columns = T::columns().into_iter().filter(|column| is_numeric(&column.data_type));
        columns.map(|column| column.name).collect::<Vec<_>>().join(", ")
    }
    let (metabolites, spectra) = (names(&source.metabolites), names(&source.spectra));
    format!("of metabolites {metabolites}; of spectra {spectra}; and {FLAGS}, {STATUS}, {GATE}")
}

fn numbers(array: &ArrayRef) -> Vec<f32> {
    let single = |value: Option<f64>| value.map_or(f32::NAN, |value| value as f32);
    if let Some(array) = array.as_primitive_opt::<Float64Type>() {
        return array.iter().map(single).collect();
    }
    if let Some(array) = array.as_primitive_opt::<Int64Type>() {
        return array.iter().map(|value| single(value.map(|value| value as f64))).collect();
    }
    match array.as_boolean_opt() {
        Some(array) => array.iter().map(|value| single(value.map(f64::from))).collect(),
        None => vec![f32::NAN; array.len()],
    }
}

fn words(name: &str, definition: &str, legend: Vec<Meaning>, values: Vec<f32>) -> Quantity {
    let (name, definition) = (name.to_owned(), definition.to_owned());
    Quantity { name, unit: "", definition, legend, values, is_asked: false, is_mask: false }
}

/// All flags of a voxel as one number, and an image of zeros and ones for each flag.
fn flags(source: &Source, legends: &Legends) -> Vec<Quantity> {
    let together = source.spectra.iter().map(|row| legends.flags_of(&row.qc_flags)).collect();
    let definition = "Which quality flags the spectrum has: a number for each set of flags that occurs in the run.";
    let mut all = vec![words(FLAGS, definition, legends.flags(), together)];
    for flag in legends.each_flag() {
        let has = |row: &crate::store::SpectrumRow| f32::from(u8::from(row.qc_flags.contains(flag)));
        let values = source.spectra.iter().map(has).collect();
        let legend = vec![Meaning::new(0, "without the flag"), Meaning::new(1, flag)];
        let definition = format!("Whether the spectrum has the quality flag `{flag}`.");
        let mask = words(&format!("{FLAG_PREFIX}{flag}"), &definition, legend, values);
        all.push(Quantity { is_mask: true, ..mask });
    }
    all
}

fn status(source: &Source, legends: &Legends) -> Quantity {
    let code = |row: &crate::store::SpectrumRow| match row.status {
        Status::Ok => 0.0,
        _ => legends.error(row.error_code.as_deref()),
    };
    let values = source.spectra.iter().map(code).collect();
    words(STATUS, "Whether the spectrum was fitted, or why not (`error_code`).", legends.errors(), values)
}
