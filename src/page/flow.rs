//! From people to kept values: where people, spectra and values ended, groups at sites, and who the people are.

use std::collections::BTreeMap;

use minijinja::context;
use serde::Serialize;

use super::assemble::environment;
use super::error::PageError;
use crate::export::{EndLine, FlowLine, MAJOR_METABOLITES, PeopleLine, SiteLine, Survey, UnequalShare, WARNED_POINTS};

const TEMPLATE: &str = include_str!("flow.html");
/// Warnings that are shown; the table has all.
const MOST_WARNINGS: usize = 8;
/// Sites that are shown without being asked for.
const MOST_OPEN: usize = 12;

/// A row of numbers under the groups.
#[derive(Debug, Serialize)]
struct Row {
    name: String,
    /// Beside the name: code, gate, or whose it is.
    detail: String,
    all: String,
    cells: Vec<Cell>,
    /// At its end.
    note: String,
}

#[derive(Debug, Serialize)]
struct Cell {
    text: String,
    /// `warn` or nothing.
    tone: &'static str,
}

/// The section, as HTML.
pub(super) fn section(survey: &Survey) -> Result<String, PageError> {
    let failed = |error: minijinja::Error| PageError::Template(error.to_string());
    let mut environment = environment();
    environment.add_template("flow", TEMPLATE).map_err(failed)?;
    let methods: Vec<&str> = methods(survey);
    let groups: Vec<String> = survey.groups.iter().map(|group| label(group.as_ref()).to_owned()).collect();
    let template = environment.get_template("flow").map_err(failed)?;
    template
        .render(context! {
            sentence => sentence(survey),
            has_list => survey.n_listed.is_some(),
            group_from => survey.group_from.clone(),
            joined => survey.joined.clone(),
            notes => survey.notes.clone(),
            groups => if groups.len() > 1 { groups } else { Vec::new() },
            ends => minijinja::value::Serde(ends(survey, &methods)),
            warnings => warnings(survey),
            n_more => survey.unequal.len().saturating_sub(MOST_WARNINGS),
            quantity => survey.values.first().map(|line| line.quantity),
            values => minijinja::value::Serde(values(survey, &methods)),
            sites => minijinja::value::Serde(survey.sites.iter().map(|line| site(line, survey)).collect::<Vec<_>>()),
            is_open => survey.sites.len() <= MOST_OPEN,
            marked => survey.marked.clone(),
            people => minijinja::value::Serde(survey.people.iter().map(|line| who(line, survey)).collect::<Vec<_>>()),
            min_n => survey.min_n,
        })
        .map_err(failed)
}

fn label(group: Option<&String>) -> &str {
    group.map_or("no group", String::as_str)
}

fn methods(survey: &Survey) -> Vec<&str> {
    let mut found: Vec<&str> = survey.ends.iter().map(|line| line.method.as_str()).collect();
    found.dedup();
    found
}

fn of(line: &EndLine) -> usize {
    line.by_group.values().sum()
}

fn sentence(survey: &Survey) -> String {
    let is = |line: &&EndLine, end: &str| line.end == end;
    let count = |end: &str| survey.ends.iter().filter(|line| is(line, end)).map(of).sum::<usize>();
    let kept = count("kept");
    let rows = format!(
        "{} of {}; {kept} of them are fitted and kept by the gates {}.",
        counted(survey.n_rows, "row", "rows"),
        counted(survey.n_people, "person", "people"),
        survey.gates
    );
    match survey.n_listed {
        Some(n) => format!("{} in the list of participants. {rows}", counted(n, "person is", "people are")),
        None => rows,
    }
}

fn counted(n: usize, one: &str, many: &str) -> String {
    format!("{n} {}", if n == 1 { one } else { many })
}

/// What a step is, for people who do not know its name.
fn plain(end: &str) -> &str {
    match end {
        "no_spectrum" => "in the list, without a spectrum",
        "not_in_participants" => "spectrum of nobody in the list",
        "skipped" => "left out on purpose",
        "failed" => "not fitted",
        "gate" => "stopped by a gate",
        "kept" => "fitted and kept",
        other => other,
    }
}

/// Where people and spectra ended, and what that adds up to.
fn ends(survey: &Survey, methods: &[&str]) -> Vec<Row> {
    let cells = |by_group: &BTreeMap<Option<String>, usize>| {
        let one = |group| Cell { text: by_group.get(group).copied().unwrap_or(0).to_string(), tone: "" };
        survey.groups.iter().map(one).collect()
    };
    let mut rows = Vec::new();
    for method in methods {
        let mut all: BTreeMap<Option<String>, usize> = BTreeMap::new();
        for line in survey.ends.iter().filter(|line| line.method == *method) {
            line.by_group.iter().for_each(|(group, n)| *all.entry(group.clone()).or_default() += n);
            rows.push(Row {
                name: plain(line.end).to_owned(),
                detail: line.reason.clone().unwrap_or_default(),
                all: of(line).to_string(),
                cells: cells(&line.by_group),
                note: if methods.len() > 1 { (*method).to_owned() } else { String::new() },
            });
        }
        rows.push(Row {
            name: "all spectra, and people without one".to_owned(),
            detail: String::new(),
            all: all.values().sum::<usize>().to_string(),
            cells: cells(&all),
            note: if methods.len() > 1 { (*method).to_owned() } else { String::new() },
        });
    }
    rows
}

/// Where the values of the metabolites that studies look at went.
fn values(survey: &Survey, methods: &[&str]) -> Vec<Row> {
    let major = survey.values.iter().filter(|line| MAJOR_METABOLITES.contains(&line.metabolite.as_str()));
    let row = |line: &FlowLine| {
        let kept: usize = line.by_group.values().map(|(_, kept)| kept).sum();
        let differs = points(line, survey.min_n).is_some_and(|points| points >= WARNED_POINTS);
        let cell = |group: &Option<String>| match line.by_group.get(group) {
            Some((n, kept)) if *n > 0 => Cell {
                text: format!("{kept} of {n} ({:.0} %)", 100.0 * *kept as f64 / *n as f64),
                tone: if differs && group.is_some() { "warn" } else { "" },
            },
            _ => Cell { text: "–".to_owned(), tone: "" },
        };
        let of = [(methods.len() > 1).then_some(line.method.as_str()), line.voi.as_deref(), line.subspec.as_deref()];
        let lost: Vec<String> = line.lost.iter().map(|(end, n)| format!("{n} {}", end.replace('_', " "))).collect();
        Row {
            name: line.metabolite.clone(),
            detail: of.into_iter().flatten().collect::<Vec<_>>().join(" · "),
            all: format!("{kept} of {}", line.n),
            cells: survey.groups.iter().map(cell).collect(),
            note: lost.join(", "),
        }
    };
    major.map(row).collect()
}

/// Largest difference of kept shares between groups of at least `least` spectra (percentage points).
fn points(line: &FlowLine, least: usize) -> Option<f64> {
    let of_groups = line.by_group.iter().filter(|(group, (n, _))| group.is_some() && *n >= least.max(1));
    let shares: Vec<f64> = of_groups.map(|(_, (n, kept))| 100.0 * *kept as f64 / *n as f64).collect();
    let most = shares.iter().copied().reduce(f64::max)?;
    Some(most - shares.iter().copied().reduce(f64::min)?)
}

/// Of what studies look at first.
fn warnings(survey: &Survey) -> Vec<String> {
    let mut shares: Vec<&UnequalShare> = survey.unequal.iter().collect();
    shares.sort_by_key(|share| !share.quantity.is_empty() && !MAJOR_METABOLITES.contains(&share.metabolite.as_str()));
    shares.into_iter().take(MOST_WARNINGS).map(in_words).collect()
}

fn in_words(share: &UnequalShare) -> String {
    let groups: Vec<String> = share.groups.iter().map(|(group, kept, n)| format!("{kept} of {n} {group}")).collect();
    let of = [share.metabolite.as_str(), share.quantity, share.of.as_str(), share.method.as_str()];
    let of: Vec<&str> = of.into_iter().filter(|part| !part.is_empty()).collect();
    format!("{}: {}, {:.0} points apart", of.join(" · "), groups.join(", "), share.points)
}

fn site(line: &SiteLine, survey: &Survey) -> Row {
    let cell = |group: &Option<String>| match line.by_group.get(group) {
        Some(count) => Cell {
            text: match count.n_listed {
                Some(listed) => format!("{} of {listed}, {} kept", count.n_people, count.n_kept),
                None => format!("{}, {} kept", count.n_people, count.n_kept),
            },
            tone: if count.mark.is_some() { "warn" } else { "" },
        },
        None => Cell { text: "–".to_owned(), tone: "" },
    };
    let marks: Vec<&str> = line.by_group.values().filter_map(|count| count.mark).collect();
    let note = match marks.first() {
        Some(&"one_group_site") => "one group only: the site says nothing of a difference",
        Some(&"empty_site") => "no spectrum",
        Some(_) => "lacks a group",
        None => "",
    };
    let all = |of: fn(&crate::export::SiteCount) -> usize| line.by_group.values().map(of).sum::<usize>();
    Row {
        name: line.site.clone().unwrap_or_else(|| "no site".to_owned()),
        detail: String::new(),
        all: format!("{}, {} kept", all(|count| count.n_people), all(|count| count.n_kept)),
        cells: survey.groups.iter().map(cell).collect(),
        note: note.to_owned(),
    }
}

fn who(line: &PeopleLine, survey: &Survey) -> Row {
    let cell = |group: &Option<String>| {
        let text = match line.by_group.get(group) {
            None => "–".to_owned(),
            Some(figure) if figure.is_withheld => format!("fewer than {}", survey.min_n),
            Some(figure) => match (figure.mean, figure.sd) {
                (Some(mean), Some(sd)) => format!("{mean:.1} ± {sd:.1} (n {})", figure.n),
                _ => figure.n.to_string(),
            },
        };
        Cell { text, tone: "" }
    };
    Row {
        name: line.variable.clone(),
        detail: line.level.clone().unwrap_or_default(),
        all: String::new(),
        cells: survey.groups.iter().map(cell).collect(),
        note: String::new(),
    }
}
