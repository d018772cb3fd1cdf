//! What a study should know about its rows before it analyses them, a line each.

use std::collections::{BTreeMap, BTreeSet};

use super::people::without_demographics;
use super::study::Study;

/// Labels that are shown of a list.
const SHOWN: usize = 4;

/// Adds the notes to those that the study has.
pub(crate) fn tell(study: &mut Study) {
    let mut notes: Vec<String> = several(study).into_iter().collect();
    notes.extend(people(study));
    notes.extend(labels(study));
    for joined in &study.joined {
        notes.extend(joined.notes.iter().map(|note| format!("{}: {note}", joined.name)));
    }
    notes.extend(study.gates.biases());
    let absent: Vec<&str> = super::quantity::Quantity::ALL
        .into_iter()
        .filter(|q| !study.quantities.contains(q))
        .map(super::quantity::Quantity::name)
        .collect();
    if !absent.is_empty() && !study.rows.metabolites.is_empty() {
        notes.push(format!("no row has these, so there are no columns of them: {}", absent.join(", ")));
    }
    study.notes.append(&mut notes);
}

/// Rows are not people.
fn several(study: &Study) -> Option<String> {
    let spectra = &study.rows.spectra;
    let texts =
        |of: fn(&crate::store::SpectrumRow) -> Option<&str>| spectra.iter().filter_map(of).collect::<BTreeSet<_>>();
    let n = |set: BTreeSet<&str>, what: &str, by: &'static str| {
        let shown: Vec<&str> = set.iter().take(SHOWN).copied().collect();
        let more = if set.len() > SHOWN { ", …" } else { "" };
        (set.len() > 1).then(|| (format!("{} {what} ({}{more})", set.len(), shown.join(", ")), by))
    };
    let several: Vec<(String, &str)> = [
        n(texts(|row| Some(row.method.as_str())), "methods", "--method"),
        n(texts(|row| row.session.as_deref()), "sessions", "its session_id"),
        n(texts(|row| row.voi.as_deref()), "regions", "its voi"),
        n(texts(|row| row.subspec.as_deref()), "sub-spectra", "its subspec"),
    ]
    .into_iter()
    .flatten()
    .collect();
    let by: Vec<&str> = several.iter().map(|(_, by)| *by).collect();
    let mut found: Vec<String> = several.iter().map(|(what, _)| what.clone()).collect();
    found.extend(spectra.iter().any(|row| row.voxel_i.is_some()).then(|| "voxels of grids".to_owned()));
    found.extend(spectra.iter().any(|row| row.dynamic_index.is_some()).then(|| "parts of time courses".to_owned()));
    let mut of_person: BTreeMap<_, usize> = BTreeMap::new();
    (0..spectra.len())
        .filter_map(|row| study.person(row))
        .for_each(|person| *of_person.entry(person).or_default() += 1);
    let most = of_person.values().copied().max().unwrap_or(0);
    (most > 1).then(|| {
        let why = if found.is_empty() { "several spectra of one region".to_owned() } else { found.join(", ") };
        let by = if by.is_empty() { String::new() } else { format!(" by {}", by.join(" and ")) };
        format!("rows are not people: up to {most} rows a person, from {why}; analyse one{by}, or model the person")
    })
}

fn people(study: &Study) -> Vec<String> {
    let mut notes = Vec::new();
    let n_without = study.rows.spectra.iter().filter(|row| row.subject.is_none()).count();
    if n_without > 0 {
        notes.push(format!("{n_without} rows have no subject: name it in a manifest or with --site-from"));
    }
    let count = |what: &dyn Fn(&Option<String>) -> bool| study.groups.iter().filter(|group| what(group)).count();
    if study.group_from.is_some() {
        let n_blank = (0..study.groups.len())
            .filter(|&row| study.groups[row].is_none() && study.is_participant(row) != Some(false))
            .count();
        if n_blank > 0 && count(&|group| group.is_some()) > 0 {
            notes.push(format!(
                "{n_blank} rows have no group (n/a) in {}",
                study.group_from.as_deref().unwrap_or_default()
            ));
        }
    }
    let left_out = without_demographics(study);
    if !left_out.is_empty() {
        notes.push(format!("too many different words for the table of demographics: {}", left_out.join(", ")));
    }
    notes
}

/// Labels that programs take for something else.
fn labels(study: &Study) -> Vec<String> {
    let mut notes = Vec::new();
    let sites: BTreeSet<&str> = study.rows.spectra.iter().filter_map(|row| row.site.as_deref()).collect();
    for (what, labels) in [("groups", study.group_labels()), ("sites", sites.into_iter().collect())] {
        let mut small: BTreeMap<String, Vec<&str>> = BTreeMap::new();
        labels.iter().for_each(|label| small.entry(label.to_lowercase()).or_default().push(label));
        notes.extend(
            small.values().filter(|alike| alike.len() > 1).map(|alike| {
                format!("{what} that differ in capitals alone are taken as different: {}", alike.join(", "))
            }),
        );
        if !labels.is_empty() && labels.iter().all(|label| label.parse::<f64>().is_ok()) {
            notes.push(format!("the {what} are numbers ({}, …): tell your program that they are labels", labels[0]));
        }
    }
    notes
}
