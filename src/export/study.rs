//! The results as a study sees them: rows with people and groups, what was joined, and which values its gates keep.

use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};

use super::cohort::{Alphas, Cohort};
use super::error::ExportError;
use super::join::Joined;
use super::key::Key;
use super::names::safe;
use super::options::{DEFAULT_GATES, StudyOptions};
use super::quantity::Quantity;
use crate::quality::gates::Gates;
use crate::run::{gates_of, judge};
use crate::store::schema::CARRIED_PREFIX;
use crate::store::{ChunkRows, MetaboliteRow, RunRecord, read_run, read_table};

/// Titles that a site has in joined tables.
const SITE: [&str; 3] = ["site", "site_id", "site_name"];
/// Title of the group's column unless another is named.
const GROUP: &str = "group";

/// Somebody in the list of participants.
#[derive(Debug, Clone)]
pub(crate) struct Person {
    pub(crate) subject: String,
    pub(crate) site: Option<String>,
    pub(crate) group: Option<String>,
    /// Line of the list.
    pub(crate) line: usize,
}

/// Results, joined and judged.
#[derive(Debug)]
pub(crate) struct Study {
    pub(crate) record: RunRecord,
    pub(crate) rows: ChunkRows,
    /// Columns that manifests brought along.
    pub(crate) carried: Vec<String>,
    /// Metabolites in the order of the table.
    pub(crate) metabolites: Vec<String>,
    /// By row of the spectra and metabolite: the row of the metabolites.
    pub(crate) of: Vec<Vec<Option<usize>>>,
    pub(crate) alpha_norm: Vec<Option<f64>>,
    /// Quantities that any row has.
    pub(crate) quantities: Vec<Quantity>,
    pub(crate) groups: Vec<Option<String>>,
    /// Where the group comes from, in words.
    pub(crate) group_from: Option<String>,
    /// The list of participants first, if there is one.
    pub(crate) joined: Vec<Joined>,
    pub(crate) has_participants: bool,
    pub(crate) people: Vec<Person>,
    pub(crate) gates: Gates,
    pub(crate) notes: Vec<String>,
}

impl Study {
    /// Reads results, joins and judges.
    pub(crate) fn read(results: &Path, options: &StudyOptions) -> Result<Self, ExportError> {
        let record = read_run(results)?;
        let rows =
            ChunkRows { spectra: read_table(results)?, metabolites: read_table(results)?, ..ChunkRows::default() };
        if rows.spectra.is_empty() {
            return Err(ExportError::Nothing { path: results.to_owned() });
        }
        Self::of(record, rows, options)
    }

    /// Joins and judges rows that were read.
    pub(crate) fn of(record: RunRecord, rows: ChunkRows, options: &StudyOptions) -> Result<Self, ExportError> {
        let rows = of_method(rows, options.method.as_deref())?;
        let files: Vec<&PathBuf> = options.participants.iter().chain(&options.join).collect();
        let joined = files.iter().map(|path| Joined::read(path, &rows.spectra)).collect::<Result<Vec<_>, _>>()?;
        let gates = match (&options.gates, gates_of(&record.config)) {
            (Some(gates), _) => gates.clone(),
            (None, Some(gates)) => gates,
            // What a spectrum holds must not decide whether it is kept.
            (None, None) => built_in_default()?,
        };
        let mut study = Self {
            carried: rows
                .spectra
                .iter()
                .flat_map(|row| row.carried.keys())
                .collect::<BTreeSet<_>>()
                .into_iter()
                .cloned()
                .collect(),
            groups: vec![None; rows.spectra.len()],
            record,
            rows,
            metabolites: Vec::new(),
            of: Vec::new(),
            alpha_norm: Vec::new(),
            quantities: Vec::new(),
            group_from: None,
            joined,
            has_participants: options.participants.is_some(),
            people: Vec::new(),
            gates,
            notes: Vec::new(),
        };
        study.take_sites();
        study.take_groups(options.group.as_deref())?;
        study.list_people();
        study.judge()?;
        study.index(options.min_n);
        Ok(study)
    }

    /// Sites out of joined tables, for rows that have none.
    fn take_sites(&mut self) {
        let Some((table, column)) = self.find(&SITE) else { return };
        let (mut n_taken, mut n_other) = (0, 0);
        for row in 0..self.rows.spectra.len() {
            let stated = self.joined[table].cell(column, row).map(str::to_owned);
            let spectrum = &mut self.rows.spectra[row];
            match (&spectrum.site, stated) {
                (None, Some(stated)) => {
                    spectrum.site = Some(stated);
                    n_taken += 1;
                }
                (Some(own), Some(stated)) => n_other += usize::from(*own != stated),
                (_, None) => {}
            }
        }
        let name = &self.joined[table].name;
        if n_taken > 0 {
            self.notes.push(format!("sites of {n_taken} rows are from {name}"));
        }
        if n_other > 0 {
            self.notes.push(format!("{n_other} rows have another site in {name} than in the results, which count"));
        }
    }

    /// The first joined table with one of these titles, and the column.
    fn find(&self, titles: &[&str]) -> Option<(usize, usize)> {
        self.joined.iter().enumerate().find_map(|(table, joined)| Some((table, joined.column(titles)?)))
    }

    fn take_groups(&mut self, asked: Option<&str>) -> Result<(), ExportError> {
        let title = asked.unwrap_or(GROUP);
        let carried = self.carried.iter().find(|name| {
            name.eq_ignore_ascii_case(title)
                || name.strip_prefix(CARRIED_PREFIX).is_some_and(|own| own.eq_ignore_ascii_case(title))
        });
        if let Some((table, column)) = self.find(&[title]) {
            let joined = &self.joined[table];
            let title = &joined.columns[column].title;
            self.groups = (0..self.rows.spectra.len()).map(|row| joined.cell(column, row).map(str::to_owned)).collect();
            self.group_from = Some(format!("`{title}` of {}", joined.name));
        } else if let Some(name) = carried {
            self.groups = self.rows.spectra.iter().map(|row| row.carried.get(name).cloned()).collect();
            self.group_from = Some(format!("`{name}` of the manifest"));
        } else {
            let titles = self.joined.iter().flat_map(|joined| joined.columns.iter().map(|column| column.title.clone()));
            let there: Vec<String> = titles.chain(self.carried.iter().cloned()).collect();
            let there = if there.is_empty() { "none; give --participants".to_owned() } else { there.join(", ") };
            if asked.is_some() {
                return Err(ExportError::Group { asked: title.to_owned(), there });
            }
            if self.has_participants {
                self.notes.push(format!("no column `{GROUP}`, so no groups: name one with --group ({there})"));
            }
        }
        Ok(())
    }

    fn list_people(&mut self) {
        let Some(joined) = self.joined.first().filter(|_| self.has_participants) else { return };
        let (site, group) = (joined.column(&SITE), self.group_column(joined));
        let cell = |column: Option<usize>, line: usize| joined.columns.get(column?)?.cells.get(line)?.clone();
        let mut measured_at: HashMap<usize, &str> = HashMap::new();
        for (line, row) in joined.line_of.iter().zip(&self.rows.spectra) {
            if let Some((line, site)) = line.zip(row.site.as_deref()) {
                measured_at.entry(line).or_insert(site);
            }
        }
        // A person with several sessions has several lines, and is there once.
        let (mut seen, mut people) = (BTreeSet::new(), Vec::new());
        for line in 0..joined.lines.len() {
            let Some(subject) = joined.label(line, Key::Participant) else { continue };
            let of_key = joined.label(line, Key::Site).map(str::to_owned);
            let measured = || measured_at.get(&line).map(|site| (*site).to_owned());
            if seen.insert((subject.to_owned(), of_key.clone())) {
                let site = of_key.or_else(measured).or_else(|| cell(site, line));
                people.push(Person { subject: subject.to_owned(), site, group: cell(group, line), line });
            }
        }
        self.people = people;
    }

    fn group_column(&self, joined: &Joined) -> Option<usize> {
        let title = self.group_from.as_ref()?.split('`').nth(1)?.to_owned();
        joined.column(&[&title])
    }

    /// Asks the gates, which may ask for what was joined (`x_…`).
    fn judge(&mut self) -> Result<(), ExportError> {
        // Of several tables that have a column, the first counts, as it does for columns and groups.
        let mut taken: BTreeSet<String> = self.carried.iter().cloned().collect();
        for joined in &self.joined {
            for (number, column) in joined.columns.iter().enumerate() {
                let name = format!("{CARRIED_PREFIX}{}", safe(&column.title, 60).to_lowercase());
                if !taken.insert(name.clone()) {
                    continue;
                }
                for (row, spectrum) in self.rows.spectra.iter_mut().enumerate() {
                    if let Some(text) = joined.cell(number, row) {
                        spectrum.carried.insert(name.clone(), text.to_owned());
                    }
                }
            }
        }
        Ok(judge(&self.gates, &mut self.rows)?)
    }

    /// Finds the row of each metabolite of each spectrum, and what is made of the cohort.
    fn index(&mut self, least: usize) {
        let mut number: HashMap<&str, usize> = HashMap::new();
        for row in &self.rows.metabolites {
            if !number.contains_key(row.metabolite.as_str()) {
                number.insert(&row.metabolite, self.metabolites.len());
                self.metabolites.push(row.metabolite.clone());
            }
        }
        let spectra = self.rows.spectra.iter().enumerate();
        let at: HashMap<(&str, &str), usize> =
            spectra.map(|(at, row)| ((row.spectrum_id.as_str(), row.method.as_str()), at)).collect();
        self.of = vec![vec![None; self.metabolites.len()]; self.rows.spectra.len()];
        for (row, metabolite) in self.rows.metabolites.iter().enumerate() {
            let spectrum = at.get(&(metabolite.spectrum_id.as_str(), metabolite.method.as_str()));
            if let (Some(&spectrum), Some(&number)) = (spectrum, number.get(metabolite.metabolite.as_str())) {
                self.of[spectrum][number] = Some(row);
            }
        }
        self.alpha_norm = vec![None; self.rows.metabolites.len()];
        let (alphas, cohort) = (Alphas::of_config(&self.record.config), Cohort::of(&self.rows.spectra, least));
        for (spectrum, own) in self.rows.spectra.iter().zip(&self.of) {
            let places: Vec<usize> = own.iter().flatten().copied().collect();
            let rows: Vec<&MetaboliteRow> = places.iter().map(|&row| &self.rows.metabolites[row]).collect();
            let made = cohort.concentrations(&rows, spectrum.voi.as_deref(), &alphas);
            places.into_iter().zip(made).for_each(|(row, value)| self.alpha_norm[row] = value);
        }
        let has =
            |quantity: &Quantity| (0..self.rows.metabolites.len()).any(|row| self.value(*quantity, row).is_some());
        self.quantities = Quantity::ALL.into_iter().filter(has).collect();
    }

    /// A quantity of a row of the metabolites.
    pub(crate) fn value(&self, quantity: Quantity, row: usize) -> Option<f64> {
        match quantity {
            Quantity::AlphaNorm => self.alpha_norm.get(row).copied().flatten(),
            other => other.of(self.rows.metabolites.get(row)?),
        }
        .filter(|value| value.is_finite())
    }

    /// Whether a row of the results is of somebody in the list; `None` without a list.
    pub(crate) fn is_participant(&self, row: usize) -> Option<bool> {
        let list = self.joined.first().filter(|_| self.has_participants)?;
        Some(list.line_of.get(row).copied().flatten().is_some())
    }

    /// Who a row is of, by site and label; a row without a label is of nobody.
    pub(crate) fn person(&self, row: usize) -> Option<(Option<&str>, &str)> {
        let row = self.rows.spectra.get(row)?;
        Some((row.site.as_deref(), row.subject.as_deref()?))
    }

    /// Groups, in the order of the alphabet.
    pub(crate) fn group_labels(&self) -> Vec<&str> {
        let of_people = self.people.iter().filter_map(|person| person.group.as_deref());
        self.groups.iter().flatten().map(String::as_str).chain(of_people).collect::<BTreeSet<_>>().into_iter().collect()
    }

    /// People of the list without a row in the results.
    pub(crate) fn without_spectrum(&self) -> Vec<&Person> {
        let subjects: BTreeSet<&str> = self.rows.spectra.iter().filter_map(|row| row.subject.as_deref()).collect();
        let by_site = self.joined.first().is_some_and(|list| list.keys.contains(&Key::Site));
        let at_site: BTreeSet<(Option<&str>, &str)> =
            (0..self.rows.spectra.len()).filter_map(|row| self.person(row)).collect();
        let is_there = |person: &&Person| match by_site {
            true => at_site.contains(&(person.site.as_deref(), person.subject.as_str())),
            false => subjects.contains(person.subject.as_str()),
        };
        self.people.iter().filter(|person| !is_there(person)).collect()
    }
}

fn built_in_default() -> Result<Gates, ExportError> {
    match Gates::built_in(DEFAULT_GATES) {
        Some(gates) => Ok(gates?),
        None => Ok(Gates { name: "none".to_owned(), description: String::new(), gates: Vec::new() }),
    }
}

fn of_method(mut rows: ChunkRows, asked: Option<&str>) -> Result<ChunkRows, ExportError> {
    let Some(asked) = asked else { return Ok(rows) };
    let there: BTreeSet<&str> = rows.spectra.iter().map(|row| row.method.as_str()).collect();
    if !there.contains(asked) {
        let there = there.into_iter().collect::<Vec<_>>().join(", ");
        return Err(ExportError::Method { asked: asked.to_owned(), there });
    }
    rows.spectra.retain(|row| row.method == asked);
    rows.metabolites.retain(|row| row.method == asked);
    Ok(rows)
}
