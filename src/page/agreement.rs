//! Methods beside one another, where several ran.

use super::metabolites::Metabolites;
use super::numbers::{fixed, written};
use super::spectra::Spectra;
use super::view;
use crate::compare::figure::Figure;
use crate::compare::{Agreement, Column, Source, agreement, matrices};
use crate::report::agreement_plot;
use crate::store::{MetaboliteRow, RunRecord};

/// What is compared, where the run has it.
const COMPARED: [&str; 8] = ["tNAA", "tCho", "Ins", "Glx", "Glu", "Gln", "GABA", "GSH"];
/// Most spectra that are compared: of more, figures move by less than their intervals.
const MOST_SPECTRA: usize = 2000;
/// Most dots of a panel.
const MOST_DOTS: usize = 400;
/// More methods than this make more pairs than a page has room for.
const MOST_METHODS: usize = 6;

/// The section; `None` where one method ran, or spectra are too few.
pub(super) fn of(run: &RunRecord, spectra: &Spectra, found: &Metabolites) -> Option<view::Agreement> {
    let methods: Vec<&String> = spectra.methods.iter().take(MOST_METHODS).collect();
    if methods.len() < 2 {
        return None;
    }
    let n_spectra = spectra.rows.len() / spectra.methods.len();
    let stride = n_spectra.div_ceil(MOST_SPECTRA).max(1);
    let sources: Vec<Source> = methods.iter().map(|method| source(method, stride, spectra, found)).collect();
    let mut agreements = agreement(&matrices(&sources, Column::Ratio));
    if agreements.is_empty() {
        return None;
    }
    let rows = agreements.iter().map(|a| view::Agreed {
        metabolite: a.metabolite.clone(),
        n: a.n,
        icc: with_interval(&a.icc),
        cv: fixed(Some(100.0 * a.cv.value), 1),
    });
    let rows = rows.collect();
    let pairs = agreements.iter().flat_map(|a| pairs(a, &sources)).collect();
    for between in agreements.iter_mut().flat_map(|a| &mut a.between) {
        let stride = between.pairs.len().div_ceil(MOST_DOTS).max(1);
        between.pairs = between.pairs.iter().copied().step_by(stride).collect();
    }
    let beyond = spectra.methods.len().saturating_sub(MOST_METHODS);
    let mut note = String::new();
    if beyond > 0 {
        note = format!("{beyond} more methods are left out here; `requant compare` has all. ");
    }
    if stride > 1 {
        note.push_str(&format!("Of every {stride} spectra one is compared. "));
    }
    // What varied settings made has its own page.
    if !run.varied().is_empty() {
        note.push_str("`requant compare` says which of the varied settings matters.");
    }
    Some(view::Agreement {
        methods: methods.iter().map(|method| method.as_str()).collect::<Vec<_>>().join(", "),
        rows,
        pairs,
        picture: agreement_plot(&sources, &agreements, Column::Ratio.unit()).unwrap_or_default(),
        note,
    })
}

fn source(method: &str, stride: usize, spectra: &Spectra, found: &Metabolites) -> Source {
    let mut rows = Vec::new();
    let own = spectra.rows.iter().zip(&found.of_row).filter(|(spectrum, _)| spectrum.row.method == method);
    for (spectrum, values) in own.step_by(stride) {
        for value in values {
            let Some(name) = found.names.get(usize::from(value.name)).filter(|n| COMPARED.contains(&n.as_str())) else {
                continue;
            };
            rows.push(MetaboliteRow {
                spectrum_id: spectrum.row.spectrum_id.clone(),
                method: method.to_owned(),
                metabolite: name.clone(),
                amplitude: Some(value.amplitude.into()),
                ratio_tcr: Some(value.ratio[0].into()),
                ..MetaboliteRow::default()
            });
        }
    }
    Source { label: method.to_owned(), rows, ..Source::default() }
}

fn with_interval(figure: &Figure) -> String {
    let [value, low, high] = [figure.value, figure.interval.0, figure.interval.1].map(|v| fixed(Some(v), 2));
    format!("{value} ({low} … {high})")
}

fn pairs<'a>(agreement: &'a Agreement, sources: &'a [Source]) -> impl Iterator<Item = view::Pair> + 'a {
    agreement.between.iter().map(move |between| {
        let (a, b) = between.sources;
        let [low, high] = &between.limits;
        view::Pair {
            methods: format!("{} − {}", sources[b].label, sources[a].label),
            metabolite: agreement.metabolite.clone(),
            bias: written(Some(between.bias.value), 2),
            limits: format!("{} … {}", written(Some(low.value), 2), written(Some(high.value), 2)),
            concordance: fixed(Some(between.concordance.value), 2),
        }
    })
}
