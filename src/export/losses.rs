//! What becomes of people and spectra on their way to values: every one of them ends in one place.

use std::collections::BTreeMap;

use super::measurement::is_fitted;
use super::quantity::Quantity;
use super::study::Study;
use crate::quality::glossary::tissue_flags;
use crate::quantify;
use crate::store::{SpectrumRow, Status};

/// Begins the flags of water references that are not believed.
const WATER_FLAG: &str = "water_reference_";
/// Why a fit failed or was left out, where the row does not say.
const UNSTATED: &str = "unstated";

/// Where a person or a spectrum ended, in the order in which they are lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum End<'a> {
    /// In the list of participants, and no spectrum is.
    NoSpectrum,
    /// Of nobody in the list.
    NotInParticipants,
    Skipped(&'a str),
    Failed(&'a str),
    /// Its fit does not have this metabolite.
    NotFitted,
    NoWater,
    NoTissue,
    /// A flag says why there is no value.
    Flag(&'a str),
    NoValue,
    Gate(&'a str),
    Kept,
}

impl<'a> End<'a> {
    /// Number, and name of the step.
    pub(crate) fn step(self) -> (i64, &'static str) {
        match self {
            Self::NoSpectrum => (1, "no_spectrum"),
            Self::NotInParticipants => (2, "not_in_participants"),
            Self::Skipped(_) => (3, "skipped"),
            Self::Failed(_) => (4, "failed"),
            Self::NotFitted => (5, "not_fitted"),
            Self::NoWater => (6, "no_water"),
            Self::NoTissue => (7, "no_tissue"),
            Self::Flag(_) => (8, "flag"),
            Self::NoValue => (9, "no_value"),
            Self::Gate(_) => (10, "gate"),
            Self::Kept => (11, "kept"),
        }
    }

    /// The code, flag or gate.
    pub(crate) fn reason(self) -> Option<&'a str> {
        match self {
            Self::Skipped(word) | Self::Failed(word) | Self::Flag(word) | Self::Gate(word) => Some(word),
            _ => None,
        }
    }

    pub(crate) fn in_words(self) -> String {
        let (_, name) = self.step();
        self.reason().map_or_else(|| name.to_owned(), |reason| format!("{name} {reason}"))
    }

    /// Whether it is of a person instead of a spectrum.
    pub(crate) fn is_of_person(self) -> bool {
        self == Self::NoSpectrum
    }
}

/// Measurements that are counted together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Cell<'a> {
    pub(crate) method: &'a str,
    pub(crate) voi: Option<&'a str>,
    pub(crate) subspec: Option<&'a str>,
    pub(crate) site: Option<&'a str>,
    pub(crate) group: Option<&'a str>,
}

/// What is counted in a cell: spectra, or values of a metabolite.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct What<'a> {
    pub(crate) metabolite: Option<&'a str>,
    pub(crate) quantity: Option<Quantity>,
}

/// How many ended where.
pub(crate) type Ends<'a> = BTreeMap<End<'a>, usize>;

/// All of them.
#[derive(Debug)]
pub(crate) struct Losses<'a> {
    /// What is counted, in the order of the counts of a cell: first the spectra themselves.
    pub(crate) what: Vec<What<'a>>,
    pub(crate) cells: BTreeMap<Cell<'a>, Vec<Ends<'a>>>,
}

impl<'a> Losses<'a> {
    /// Counts people and spectra of `study`.
    pub(crate) fn of(study: &'a Study) -> Self {
        let spectra = std::iter::once(What { metabolite: None, quantity: None });
        let values = study.metabolites.iter().flat_map(|metabolite| {
            let each = study.quantities.iter();
            each.map(move |quantity| What { metabolite: Some(metabolite.as_str()), quantity: Some(*quantity) })
        });
        let mut losses = Self { what: spectra.chain(values).collect(), cells: BTreeMap::new() };
        losses.count_spectra(study);
        losses.count_people(study);
        losses
    }

    fn count_spectra(&mut self, study: &'a Study) {
        let tissue = tissue_flags();
        for (at, row) in study.rows.spectra.iter().enumerate() {
            let cell = Cell {
                method: &row.method,
                voi: row.voi.as_deref(),
                subspec: row.subspec.as_deref(),
                site: row.site.as_deref(),
                group: study.groups[at].as_deref(),
            };
            let before = before_values(study, at, row);
            let missing = missing(row, &tissue);
            let ends = self.cells.entry(cell).or_insert_with(|| vec![Ends::new(); self.what.len()]);
            let mut counts = ends.iter_mut();
            let mut count = |end: End<'a>| {
                if let Some(ends) = counts.next() {
                    *ends.entry(end).or_default() += 1;
                }
            };
            count(before.unwrap_or_else(|| gated(row.gate.as_deref())));
            for place in &study.of[at] {
                for &quantity in &study.quantities {
                    count(before.unwrap_or_else(|| match place {
                        None => End::NotFitted,
                        Some(own) if study.value(quantity, *own).is_none() => {
                            missing[usize::from(quantity.needs_water()) + usize::from(quantity.needs_tissue())]
                        }
                        Some(own) => gated(study.rows.metabolites[*own].gate.as_deref()),
                    }));
                }
            }
        }
    }

    fn count_people(&mut self, study: &'a Study) {
        let methods: std::collections::BTreeSet<&str> =
            study.rows.spectra.iter().map(|row| row.method.as_str()).collect();
        for person in study.without_spectrum() {
            for method in &methods {
                let (site, group) = (person.site.as_deref(), person.group.as_deref());
                let cell = Cell { method, voi: None, subspec: None, site, group };
                let ends = self.cells.entry(cell).or_insert_with(|| vec![Ends::new(); self.what.len()]);
                ends.iter_mut().for_each(|ends| *ends.entry(End::NoSpectrum).or_default() += 1);
            }
        }
    }

    /// Rows of the results by where they ended, without a look at any metabolite; people without one beside them.
    pub(crate) fn rows(&self, study: &Study) -> BTreeMap<String, usize> {
        let mut rows = BTreeMap::new();
        for (end, n) in self.cells.values().filter_map(|counts| counts.first()).flatten() {
            if !end.is_of_person() {
                *rows.entry(end.in_words()).or_default() += n;
            }
        }
        let n_without = study.without_spectrum().len();
        if n_without > 0 {
            rows.insert(End::NoSpectrum.in_words(), n_without);
        }
        rows
    }
}

fn gated(gate: Option<&str>) -> End<'_> {
    gate.map_or(End::Kept, End::Gate)
}

/// What stops a spectrum before it has values.
fn before_values<'a>(study: &Study, at: usize, row: &'a SpectrumRow) -> Option<End<'a>> {
    let code = row.error_code.as_deref().unwrap_or(UNSTATED);
    match row.status {
        _ if study.is_participant(at) == Some(false) => Some(End::NotInParticipants),
        Status::Skipped => Some(End::Skipped(code)),
        Status::Failed => Some(End::Failed(code)),
        Status::Ok => (!is_fitted(row)).then_some(End::Failed(code)),
    }
}

/// Why a value is missing that needs nothing, water, or water and tissue.
fn missing<'a>(row: &'a SpectrumRow, tissue: &[&str]) -> [End<'a>; 3] {
    let flag =
        |is_it: &dyn Fn(&str) -> bool| row.qc_flags.iter().map(String::as_str).find(|word| is_it(word)).map(End::Flag);
    let water = match row.water_amplitude {
        Some(_) => None,
        None => Some(flag(&|word| word.starts_with(WATER_FLAG)).unwrap_or(End::NoWater)),
    };
    let of_tissue = match row.f_gm {
        Some(_) => flag(&|word| quantify::FLAGS.contains(&word) || tissue.contains(&word)),
        None => Some(flag(&|word| tissue.contains(&word)).unwrap_or(End::NoTissue)),
    };
    [End::NoValue, water.unwrap_or(End::NoValue), water.or(of_tissue).unwrap_or(End::NoValue)]
}
