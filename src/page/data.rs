//! What the script is given: columns, not rows, as that is smaller.

use std::collections::BTreeMap;

use serde::Serialize;

use super::curves::THUMB_POINTS;
use super::details::Details;
use super::encode::base64;
use super::glossary::{Glossary, Meaning};
use super::measures::{Measure, way};
use super::metabolites::Metabolites;
use super::numbers::rounded;
use super::spectra::{Spectra, Spectrum};

/// All of it.
#[derive(Debug, Serialize)]
pub(super) struct Data {
    n: usize,
    ids: Vec<String>,
    /// A word for each row, by its number in the list; −1 where there is none.
    method: Words,
    site: Words,
    protocol: Words,
    subject: Words,
    voi: Words,
    status: Words,
    error: Words,
    gate: Words,
    flag_names: Vec<String>,
    flags: Vec<Vec<usize>>,
    measures: Vec<MeasureOf>,
    metabolites: Vec<String>,
    concentration_unit: &'static str,
    /// Rows with a small picture, and the pictures (base64).
    thumb_points: usize,
    thumb_rows: Vec<usize>,
    thumbs: String,
    meanings: BTreeMap<String, Meaning>,
    errors: BTreeMap<String, Meaning>,
    /// Pieces of the page (base64), by row; in the order of the rows.
    #[serde(skip)]
    pub(super) inside: BTreeMap<usize, String>,
    /// Rows of each file beside the page, and the folder.
    files: Vec<Vec<usize>>,
    folder: String,
}

#[derive(Debug, Serialize)]
struct Words {
    names: Vec<String>,
    of: Vec<i64>,
}

#[derive(Debug, Serialize)]
struct MeasureOf {
    key: String,
    label: String,
    unit: &'static str,
    group: &'static str,
    worse: i8,
    values: Vec<Option<f64>>,
}

fn words(spectra: &Spectra, of: impl Fn(&Spectrum) -> Option<&str>) -> Words {
    let mut names: Vec<String> = spectra.rows.iter().filter_map(|s| of(s).map(str::to_owned)).collect();
    names.sort();
    names.dedup();
    let at = |s: &Spectrum| {
        let place = of(s).and_then(|word| names.binary_search_by(|name| name.as_str().cmp(word)).ok());
        place.and_then(|at| i64::try_from(at).ok()).unwrap_or(-1)
    };
    Words { of: spectra.rows.iter().map(at).collect(), names }
}

impl Data {
    pub(super) fn new(
        spectra: &Spectra,
        measures: &[Measure],
        found: &Metabolites,
        glossary: &Glossary<'_>,
        details: Details,
        folder: &str,
    ) -> Self {
        let rows = &spectra.rows;
        let flag_names: Vec<String> = spectra.all.flags.keys().cloned().collect();
        let number = |flag: &String| flag_names.binary_search(flag).ok();
        let flags = rows.iter().map(|s| s.row.qc_flags.iter().filter_map(number).collect()).collect();
        let thumbs: Vec<u8> = details.thumbs.values().flatten().copied().collect();
        let measure = |m: &Measure| MeasureOf {
            key: m.key.clone(),
            label: m.label.clone(),
            unit: m.unit,
            group: m.group,
            worse: m.worse,
            values: m.values.iter().map(|v| rounded(*v)).collect(),
        };
        Self {
            n: rows.len(),
            ids: rows.iter().map(|s| s.row.spectrum_id.clone()).collect(),
            method: words(spectra, |s| Some(s.row.method.as_str())),
            site: words(spectra, |s| s.row.site.as_deref()),
            protocol: words(spectra, |s| Some(s.protocol.as_str())),
            subject: words(spectra, |s| s.row.subject.as_deref()),
            voi: words(spectra, |s| s.row.voi.as_deref()),
            status: words(spectra, |s| Some(s.row.status.as_str())),
            error: words(spectra, |s| s.row.error_code.as_deref()),
            gate: words(spectra, |s| s.row.gate.as_deref()),
            meanings: flag_names.iter().map(|flag| (flag.clone(), glossary.flag(flag))).collect(),
            errors: spectra.all.causes.keys().map(|code| (code.clone(), glossary.error(code))).collect(),
            flag_names,
            flags,
            measures: measures.iter().map(measure).collect(),
            metabolites: found.names.clone(),
            concentration_unit: way(found).map_or("", |(_, unit)| unit),
            thumb_points: THUMB_POINTS,
            thumb_rows: details.thumbs.into_keys().collect(),
            thumbs: base64(&thumbs),
            inside: details.inside,
            files: details.outside,
            folder: folder.to_owned(),
        }
    }
}
