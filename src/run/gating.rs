//! Gates over the rows of a run: which rows pass, as columns. No row goes.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, Int64Type};
use arrow_array::{Array, ArrayRef};
use arrow_schema::DataType;

use crate::quality::gates::{Gates, GatesError, ReadyGate, Row, Value, ValueKind, Verdict};
use crate::signal::median::median;
use crate::store::schema::CARRIED_PREFIX;
use crate::store::{ChunkRows, MetaboliteRow, SpectrumRow, Status, Table};

/// Key of the profile in a run's configuration.
pub(super) const GATES_KEY: &str = "gates";

/// The gates of a configuration, over rows with these columns of manifests; `None` where it asks for none.
///
/// # Errors
/// As [`ready`], and for a record that is none of requant's.
pub(super) fn of_config(config: &serde_json::Value, carried: &[String]) -> Result<Option<Gating>, GatesError> {
    let Some(written) = config.get(GATES_KEY).filter(|value| !value.is_null()) else { return Ok(None) };
    let gates: Gates = serde_json::from_value(written.clone())
        .map_err(|e| GatesError::Gate { gate: GATES_KEY.to_owned(), fault: e.to_string() })?;
    ready(&gates, carried).map(|gates| Some(Gating::new(gates)))
}

/// Columns that gates write themselves.
const OWN: &str = "gate";

/// Rows that a median is taken over: site, region, sub-spectrum, method and metabolite (none for gates of spectra).
type Group = (Option<String>, Option<String>, Option<String>, String, Option<String>);

/// Gates on their way over the rows of a dataset.
pub(super) struct Gating {
    gates: Vec<ReadyGate>,
    /// By gate, median and group: first the values, then the median.
    values: BTreeMap<(usize, usize, Group), Vec<f64>>,
    medians: BTreeMap<(usize, usize, Group), f64>,
}

/// Holds gates to the columns of the tables, and of manifests.
///
/// # Errors
/// [`GatesError`]: a gate asks for a column that there is not, or for one of another kind.
pub(super) fn ready(gates: &Gates, carried: &[String]) -> Result<Vec<ReadyGate>, GatesError> {
    let (spectra, metabolites) = (kinds::<SpectrumRow>(), kinds::<MetaboliteRow>());
    let names: BTreeSet<&str> = spectra.keys().chain(metabolites.keys()).copied().collect();
    let names: Vec<&str> = names.into_iter().chain(carried.iter().map(String::as_str)).collect();
    let of_spectra = |name: &str| {
        let carries = || carried.iter().any(|known| known == name).then_some(ValueKind::Text);
        spectra.get(name).copied().or_else(carries)
    };
    gates.ready(&of_spectra, &|name| metabolites.get(name).copied(), &names)
}

/// Columns that a gate can ask for. Lists of numbers are none of them.
fn kinds<T: Table>() -> HashMap<&'static str, ValueKind> {
    let kind = |data_type: &DataType| match data_type {
        DataType::Float64 | DataType::Int64 => Some(ValueKind::Number),
        DataType::Utf8 => Some(ValueKind::Text),
        DataType::Boolean => Some(ValueKind::Truth),
        DataType::List(item) if *item.data_type() == DataType::Utf8 => Some(ValueKind::Texts),
        _ => None,
    };
    T::columns().into_iter().filter(|c| c.name != OWN).filter_map(|c| Some((c.name, kind(&c.data_type)?))).collect()
}

/// Which row is looked at.
#[derive(Clone, Copy)]
enum Place {
    Spectrum(usize),
    Metabolite(usize),
}

/// The cells of some columns of some rows.
struct Sheet(HashMap<String, Vec<Value>>);

impl Sheet {
    fn of<T: Table>(rows: &[T], wanted: &BTreeSet<String>) -> Self {
        let declared = T::columns().into_iter().filter(|column| wanted.contains(column.name));
        let mut cells: HashMap<String, Vec<Value>> =
            declared.map(|column| (column.name.to_owned(), values(&(column.array)(rows)))).collect();
        for name in wanted.iter().filter(|name| T::CARRIES && name.starts_with(CARRIED_PREFIX)) {
            let cell = |row: &T| row.carried().and_then(|c| c.get(name)).cloned().map_or(Value::Null, Value::Text);
            cells.insert(name.clone(), rows.iter().map(cell).collect());
        }
        Self(cells)
    }
}

fn values(array: &ArrayRef) -> Vec<Value> {
    let value = |i: usize| match array.data_type() {
        _ if array.is_null(i) => Value::Null,
        DataType::Float64 => Value::Number(array.as_primitive::<Float64Type>().value(i)),
        // Counts: exact far beyond any of them.
        DataType::Int64 => Value::Number(array.as_primitive::<Int64Type>().value(i) as f64),
        DataType::Utf8 => Value::Text(array.as_string::<i32>().value(i).to_owned()),
        DataType::Boolean => Value::Truth(array.as_boolean().value(i)),
        DataType::List(_) => {
            let list = array.as_list::<i32>().value(i);
            let texts = list.as_string_opt::<i32>();
            texts.map_or(Value::Null, |t| Value::Texts(t.iter().flatten().map(str::to_owned).collect()))
        }
        _ => Value::Null,
    };
    (0..array.len()).map(value).collect()
}

/// One row: of `metabolites` with its spectrum's, or of `spectra` alone.
struct Cells<'a> {
    own: Option<(&'a Sheet, usize)>,
    spectrum: (&'a Sheet, usize),
}

impl Row for Cells<'_> {
    fn cell(&self, column: &str) -> Value {
        let of = |(sheet, row): (&Sheet, usize)| sheet.0.get(column).and_then(|cells| cells.get(row)).cloned();
        self.own.and_then(of).or_else(|| of(self.spectrum)).unwrap_or(Value::Null)
    }
}

impl Gating {
    pub(super) fn new(gates: Vec<ReadyGate>) -> Self {
        Self { gates, values: BTreeMap::new(), medians: BTreeMap::new() }
    }

    /// Whether [`Gating::collect`] must see all rows before any is judged.
    pub(super) fn needs_all(&self) -> bool {
        self.gates.iter().any(|gate| gate.expression.n_medians() > 0)
    }

    /// Takes the values that medians are taken over.
    pub(super) fn collect(&mut self, rows: &ChunkRows) {
        let mut found = Vec::new();
        self.each(rows, |gate, number, cells, group, place| {
            // A gate of spectra counts each spectrum once.
            if gate.of_spectra && matches!(place, Place::Metabolite(_)) {
                return;
            }
            for median in 0..gate.expression.n_medians() {
                if let Some(value) = gate.expression.under_median(median, cells) {
                    found.push(((number, median, group.clone()), value));
                }
            }
        });
        for (key, value) in found {
            self.values.entry(key).or_default().push(value);
        }
    }

    /// All rows were collected.
    pub(super) fn settle(&mut self) {
        let values = std::mem::take(&mut self.values);
        self.medians = values.into_iter().filter_map(|(key, all)| Some((key, median(&all)?))).collect();
    }

    /// Writes the first gate that each row does not pass.
    pub(super) fn judge(&self, rows: &mut ChunkRows) {
        let mut spectra: Vec<Option<String>> = vec![None; rows.spectra.len()];
        let mut metabolites: Vec<Option<String>> = vec![None; rows.metabolites.len()];
        self.each(rows, |gate, number, cells, group, place| {
            let reason = match place {
                Place::Spectrum(row) => spectra.get_mut(row),
                Place::Metabolite(row) => metabolites.get_mut(row),
            };
            let Some(reason) = reason.filter(|reason| reason.is_none()) else { return };
            let medians: Vec<Option<f64>> = (0..gate.expression.n_medians())
                .map(|median| self.medians.get(&(number, median, group.clone())).copied())
                .collect();
            *reason = match gate.verdict(cells, &medians) {
                Verdict::Passes => None,
                Verdict::Fails => Some(gate.name.clone()),
                Verdict::Unknown => Some(format!("{}_unknown", gate.name)),
            };
        });
        rows.spectra.iter_mut().zip(spectra).for_each(|(row, gate)| row.gate = gate);
        rows.metabolites.iter_mut().zip(metabolites).for_each(|(row, gate)| row.gate = gate);
    }

    /// Goes over all gates, and for each over the rows that it is asked of. Rows without a result are asked nothing.
    fn each(&self, rows: &ChunkRows, mut look: impl FnMut(&ReadyGate, usize, &Cells<'_>, &Group, Place)) {
        let wanted: BTreeSet<String> = self.gates.iter().flat_map(|gate| gate.expression.columns()).collect();
        let (spectra, metabolites) = (Sheet::of(&rows.spectra, &wanted), Sheet::of(&rows.metabolites, &wanted));
        let by_id: HashMap<(&str, &str), usize> = rows
            .spectra
            .iter()
            .enumerate()
            .map(|(row, s)| ((s.spectrum_id.as_str(), s.method.as_str()), row))
            .collect();
        let group = |s: &SpectrumRow, metabolite: Option<&str>| -> Group {
            (s.site.clone(), s.voi.clone(), s.subspec.clone(), s.method.clone(), metabolite.map(str::to_owned))
        };
        for (number, gate) in self.gates.iter().enumerate() {
            if gate.of_spectra {
                for (row, spectrum) in rows.spectra.iter().enumerate().filter(|(_, s)| s.status == Status::Ok) {
                    let cells = Cells { own: None, spectrum: (&spectra, row) };
                    look(gate, number, &cells, &group(spectrum, None), Place::Spectrum(row));
                }
            }
            for (row, metabolite) in rows.metabolites.iter().enumerate().filter(|(_, m)| gate.asks(&m.metabolite)) {
                let id = (metabolite.spectrum_id.as_str(), metabolite.method.as_str());
                let Some((of, spectrum)) = by_id.get(&id).and_then(|&of| Some((of, rows.spectra.get(of)?))) else {
                    continue;
                };
                // A gate of spectra says the same of all metabolites of one.
                let (own, name) = match gate.of_spectra {
                    true => (None, None),
                    false => (Some((&metabolites, row)), Some(metabolite.metabolite.as_str())),
                };
                let cells = Cells { own, spectrum: (&spectra, of) };
                look(gate, number, &cells, &group(spectrum, name), Place::Metabolite(row));
            }
        }
    }
}

/// Asks `gates` of rows that are all there: their column `gate` has the verdicts afterwards, and no row goes.
///
/// # Errors
/// [`GatesError`]: a gate asks for a column that there is not, or for one of another kind.
pub fn judge(gates: &Gates, rows: &mut ChunkRows) -> Result<(), GatesError> {
    let carried: BTreeSet<String> = rows.spectra.iter().flat_map(|row| row.carried.keys()).cloned().collect();
    let carried: Vec<String> = carried.into_iter().collect();
    let mut gating = Gating::new(ready(gates, &carried)?);
    gating.collect(rows);
    gating.settle();
    gating.judge(rows);
    Ok(())
}

/// The gates that a run's record has; `None` where it had none.
pub fn gates_of(config: &serde_json::Value) -> Option<Gates> {
    config.get(GATES_KEY).filter(|value| !value.is_null()).and_then(|gates| serde_json::from_value(gates.clone()).ok())
}
