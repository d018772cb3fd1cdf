//! Who was measured where: groups by site, and what the list of participants says of them.

use std::collections::{BTreeMap, BTreeSet};

use super::join::JoinedColumn;
use super::key::Key;
use super::measurement::{is_fitted, typed};
use super::study::Study;
use super::table::{Column, Table, Values};
use crate::signal::median::median;

/// Labels that a variable may have and still be a class.
const MOST_LEVELS: usize = 12;

/// What is counted of a group at a site.
#[derive(Debug, Clone, Default)]
struct Counted<'a> {
    listed: BTreeSet<(Option<&'a str>, &'a str)>,
    people: BTreeSet<&'a str>,
    spectra: BTreeSet<&'a str>,
    lost: BTreeSet<&'a str>,
}

/// Whether it is of one site, the site, and the group.
type Scope<'a> = (bool, Option<&'a str>, Option<&'a str>);
type Place<'a> = (Option<&'a str>, Option<&'a str>);

fn counted(study: &Study) -> BTreeMap<Place<'_>, Counted<'_>> {
    let mut found: BTreeMap<Place<'_>, Counted<'_>> = BTreeMap::new();
    for (at, row) in study.rows.spectra.iter().enumerate() {
        let counted = found.entry((row.site.as_deref(), study.groups[at].as_deref())).or_default();
        counted.people.extend(row.subject.as_deref());
        counted.spectra.insert(&row.spectrum_id);
        if !is_fitted(row) || row.gate.is_some() {
            counted.lost.insert(&row.spectrum_id);
        }
    }
    for person in &study.people {
        let place = (person.site.as_deref(), person.group.as_deref());
        found.entry(place).or_default().listed.insert((person.site.as_deref(), &person.subject));
    }
    let sites: BTreeSet<Option<&str>> = found.keys().map(|place| place.0).collect();
    for site in sites {
        for group in study.group_labels() {
            found.entry((site, Some(group))).or_default();
        }
    }
    found
}

/// What is to be said of a site or of a group there.
fn mark(found: &BTreeMap<Place<'_>, Counted<'_>>, place: &Place<'_>) -> Option<&'static str> {
    let has_spectra = |counted: &Counted<'_>| !counted.spectra.is_empty();
    let groups: Vec<&Counted<'_>> =
        found.iter().filter(|(other, _)| other.0 == place.0 && other.1.is_some()).map(|(_, counted)| counted).collect();
    let n_groups = groups.iter().filter(|counted| has_spectra(counted)).count();
    if place.0.is_none() || place.1.is_none() || groups.len() < 2 {
        None
    } else if n_groups == 0 {
        Some("empty_site")
    } else if n_groups == 1 {
        Some("one_group_site")
    } else {
        found.get(place).filter(|counted| !has_spectra(counted)).map(|_| "empty")
    }
}

pub(crate) fn sites(study: &Study) -> Table<'_> {
    let found = counted(study);
    let count = |of: fn(&Counted<'_>) -> usize| found.values().map(move |counted| i64::try_from(of(counted)).ok());
    let listed = found
        .values()
        .map(|counted| study.has_participants.then(|| i64::try_from(counted.listed.len()).ok()).flatten());
    let columns = vec![
        Column::text("site", "Site", found.keys().map(|place| place.0)),
        Column::text("group", "Group", found.keys().map(|place| place.1)),
        Column::count("n_listed", "People in the list of participants", listed),
        Column::count("n_people", "People with a spectrum", count(|counted| counted.people.len())),
        Column::count("n_spectra", "Spectra", count(|counted| counted.spectra.len())),
        Column::count(
            "n_kept",
            "Spectra that were fitted and pass the gates with every method",
            count(|counted| counted.spectra.len() - counted.lost.len()),
        ),
        Column::text(
            "mark",
            "empty (no spectrum of this group here), one_group_site (spectra of one group alone: the site says nothing of a \
             difference), empty_site",
            found.keys().map(|place| mark(&found, place)),
        ),
    ];
    Table { name: "sites".to_owned(), row: "One row per site and group.", columns }
}

/// What is counted of a group at a site.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SiteCount {
    /// People in the list of participants; `None` without a list.
    pub n_listed: Option<usize>,
    /// People with a spectrum.
    pub n_people: usize,
    /// Spectra that were fitted and pass the gates with every method.
    pub n_kept: usize,
    /// `empty`, `one_group_site` or `empty_site`, as in the table `sites`.
    pub mark: Option<&'static str>,
}

/// The groups of a site.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SiteLine {
    /// The site.
    pub site: Option<String>,
    /// By group.
    pub by_group: BTreeMap<Option<String>, SiteCount>,
}

pub(crate) fn site_lines(study: &Study) -> Vec<SiteLine> {
    let found = counted(study);
    let mut lines: Vec<SiteLine> = Vec::new();
    for (place, counted) in &found {
        let site = place.0.map(str::to_owned);
        let count = SiteCount {
            n_listed: study.has_participants.then_some(counted.listed.len()),
            n_people: counted.people.len(),
            n_kept: counted.spectra.len() - counted.lost.len(),
            mark: mark(&found, place),
        };
        let group = place.1.map(str::to_owned);
        match lines.last_mut().filter(|line| line.site == site) {
            Some(line) => drop(line.by_group.insert(group, count)),
            None => lines.push(SiteLine { site, by_group: BTreeMap::from([(group, count)]) }),
        }
    }
    lines
}

/// Sites that say nothing of a difference, in words.
pub(crate) fn marked(study: &Study) -> Vec<String> {
    let found = counted(study);
    let site = |place: &Place<'_>| place.0.unwrap_or("n/a").to_owned();
    let of = |word: &str| -> Vec<String> {
        let places = found.iter().filter(|(place, counted)| {
            mark(&found, place) == Some(word)
                && (word == "empty_site" || word == "empty" || !counted.spectra.is_empty())
        });
        places.map(|(place, _)| site(place)).collect::<BTreeSet<_>>().into_iter().collect()
    };
    [
        ("one_group_site", "sites with one group"),
        ("empty", "sites that lack a group"),
        ("empty_site", "sites without a spectrum"),
    ]
    .into_iter()
    .filter_map(|(word, what)| {
        let sites = of(word);
        (!sites.is_empty()).then(|| format!("{what}: {}", sites.join(", ")))
    })
    .collect()
}

/// People with a spectrum.
pub(crate) fn n_people(study: &Study) -> usize {
    (0..study.rows.spectra.len()).filter_map(|row| study.person(row)).collect::<BTreeSet<_>>().len()
}

/// A number of the demographics.
struct Figure<'a> {
    site: Option<&'a str>,
    is_of_all: bool,
    group: Option<&'a str>,
    variable: &'a str,
    level: Option<String>,
    n: usize,
    values: Vec<f64>,
    is_withheld: bool,
}

pub(crate) fn demographics(study: &Study, min_n: usize) -> Table<'_> {
    let rows = figures(study, min_n);
    let shown = |row: &Figure<'_>, of: fn(&[f64]) -> Option<f64>| if row.is_withheld { None } else { of(&row.values) };
    let columns = vec![
        Column::text(
            "scope",
            "all: over the sites; site: one of them",
            rows.iter().map(|row| Some(if row.is_of_all { "all" } else { "site" })),
        ),
        Column::text("site", "Site", rows.iter().map(|row| row.site)),
        Column::text("group", "Group", rows.iter().map(|row| row.group)),
        Column::text(
            "variable",
            "people, or a column of the list of participants",
            rows.iter().map(|row| Some(row.variable)),
        ),
        Column::owned("level", "Its value, where it is a class", rows.iter().map(|row| row.level.clone())),
        Column::count(
            "n",
            "People with a fitted spectrum of whom it is known",
            rows.iter().map(|row| i64::try_from(row.n).ok().filter(|_| !(row.is_withheld && row.level.is_some()))),
        ),
        Column::number("mean", "Mean", "", rows.iter().map(|row| shown(row, mean))),
        Column::number("sd", "Standard deviation", "", rows.iter().map(|row| shown(row, sd))),
        Column::number("median", "Median", "", rows.iter().map(|row| shown(row, median))),
        Column::truth(
            "withheld",
            "Whether there are too few people to say it (--min-n)",
            rows.iter().map(|row| Some(row.is_withheld)),
        ),
    ];
    Table { name: "demographics".to_owned(), row: "One row per site, group, variable and class.", columns }
}

/// A variable, or a class of it, over all sites.
#[derive(Debug, Clone, PartialEq)]
pub struct PeopleLine {
    /// `people`, or a column of the list of participants.
    pub variable: String,
    /// Its value, where it is a class.
    pub level: Option<String>,
    /// By group.
    pub by_group: BTreeMap<Option<String>, PeopleFigure>,
}

/// What is known of a variable of a group.
#[derive(Debug, Clone, PartialEq)]
pub struct PeopleFigure {
    /// People of whom it is known.
    pub n: usize,
    /// Mean, of numbers.
    pub mean: Option<f64>,
    /// Standard deviation.
    pub sd: Option<f64>,
    /// Whether there are too few people to say it; their number is 0 then.
    pub is_withheld: bool,
}

pub(crate) fn people_lines(study: &Study, min_n: usize) -> Vec<PeopleLine> {
    let mut lines: Vec<PeopleLine> = Vec::new();
    for figure in figures(study, min_n).into_iter().filter(|figure| figure.is_of_all) {
        let known = PeopleFigure {
            n: if figure.is_withheld { 0 } else { figure.n },
            mean: mean(&figure.values).filter(|_| !figure.is_withheld),
            sd: sd(&figure.values).filter(|_| !figure.is_withheld),
            is_withheld: figure.is_withheld,
        };
        let group = figure.group.map(str::to_owned);
        match lines.iter_mut().find(|line| line.variable == figure.variable && line.level == figure.level) {
            Some(line) => drop(line.by_group.insert(group, known)),
            None => lines.push(PeopleLine {
                variable: figure.variable.to_owned(),
                level: figure.level,
                by_group: BTreeMap::from([(group, known)]),
            }),
        }
    }
    lines
}

fn figures(study: &Study, min_n: usize) -> Vec<Figure<'_>> {
    let Some(list) = study.joined.first().filter(|_| study.has_participants) else { return Vec::new() };
    let fitted: BTreeSet<usize> = (0..study.rows.spectra.len())
        .filter(|&row| is_fitted(&study.rows.spectra[row]))
        .filter_map(|row| list.line_of.get(row).copied().flatten())
        .collect();
    // Sessions of one person: the person is counted once, by the first line.
    let people: Vec<_> = study
        .people
        .iter()
        .filter(|person| {
            let of = |line: usize, key: Key| list.label(line, key);
            let is_theirs = |&line: &usize| {
                of(line, Key::Participant) == Some(&person.subject) && of(line, Key::Site) == of(person.line, Key::Site)
            };
            fitted.contains(&person.line) || fitted.iter().any(is_theirs)
        })
        .collect();
    let mut cells: BTreeMap<Scope<'_>, Vec<usize>> = BTreeMap::new();
    for person in &people {
        let (site, group) = (person.site.as_deref(), person.group.as_deref());
        cells.entry((false, None, group)).or_default().push(person.line);
        cells.entry((true, site, group)).or_default().push(person.line);
    }
    let mut found = Vec::new();
    for ((is_at_site, site, group), lines) in cells {
        let figure = |variable, level, n: usize, values| Figure {
            site,
            group,
            variable,
            level,
            n,
            values,
            is_of_all: !is_at_site,
            is_withheld: n < min_n,
        };
        found.push(Figure { is_withheld: false, ..figure("people", None, lines.len(), Vec::new()) });
        for column in list.columns.iter().filter(|column| is_variable(column)) {
            match typed(column.cells.iter().map(Option::as_deref).collect()) {
                Values::Number(numbers) => {
                    let values: Vec<f64> =
                        lines.iter().filter_map(|&line| numbers.get(line).copied().flatten()).collect();
                    found.push(figure(&column.title, None, values.len(), values));
                }
                Values::Text(_) | Values::Count(_) => {
                    let levels = levels(column);
                    for level in levels.iter().filter(|_| levels.len() <= MOST_LEVELS) {
                        let has = |line: &&usize| column.cells.get(**line).and_then(Option::as_ref) == Some(level);
                        let n = lines.iter().filter(has).count();
                        found.push(figure(&column.title, Some((*level).clone()), n, Vec::new()));
                    }
                }
            }
        }
    }
    found
}

/// Whether a column of the list of participants says something of them beside where they belong.
fn is_variable(column: &JoinedColumn) -> bool {
    !["site", "group"].contains(&column.title.to_lowercase().as_str())
}

fn levels(column: &JoinedColumn) -> BTreeSet<&String> {
    column.cells.iter().flatten().collect()
}

/// Columns of the list of participants that [`demographics`] leaves out: words, and too many different ones to be classes.
pub(crate) fn without_demographics(study: &Study) -> Vec<&str> {
    let list = study.joined.first().filter(|_| study.has_participants);
    let is_left_out = |column: &&JoinedColumn| {
        let is_number = matches!(typed(column.cells.iter().map(Option::as_deref).collect()), Values::Number(_));
        is_variable(column) && !is_number && levels(column).len() > MOST_LEVELS
    };
    list.into_iter().flat_map(|list| &list.columns).filter(is_left_out).map(|column| column.title.as_str()).collect()
}

pub(crate) fn mean(values: &[f64]) -> Option<f64> {
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}

pub(crate) fn sd(values: &[f64]) -> Option<f64> {
    let mean = mean(values)?;
    let n = values.len();
    (n > 1).then(|| (values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (n - 1) as f64).sqrt())
}
