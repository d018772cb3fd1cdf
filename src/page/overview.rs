//! Counts: tiles, sites and protocols, failures, flags, and why concentrations are missing.

use std::collections::BTreeMap;

use super::glossary::{Glossary, Meaning};
use super::metabolites::Metabolites;
use super::numbers::{fixed, written};
use super::spectra::{Group, Spectra};
use super::view;
use crate::signal::median::median;
use crate::store::Status;

/// Flags that tell why nothing was scaled to water begin with these.
const OF_WATER: [&str; 2] = ["no_water_reference", "water_reference_"];
const NO_SITE: &str = "no site named";

fn site(name: &str) -> String {
    if name.is_empty() { NO_SITE.to_owned() } else { name.to_owned() }
}

fn percent(part: usize, of: usize) -> String {
    let share = 100.0 * part as f64 / of.max(1) as f64;
    if part > 0 && share < 1.0 { "below 1 %".to_owned() } else { format!("{share:.0} %") }
}

/// The numbers that are seen first.
pub(super) fn tiles(spectra: &Spectra) -> Vec<view::Tile> {
    let groups: Vec<&Group> = spectra.all.groups.values().collect();
    let sum = |of: fn(&Group) -> usize| groups.iter().map(|group| of(group)).sum::<usize>();
    let (rows, fitted) = (sum(|g| g.rows), sum(|g| g.fitted));
    let (failed, skipped, flagged) = (sum(|g| g.failed), sum(|g| g.skipped), sum(|g| g.flagged));
    let all = |of: fn(&Group) -> &Vec<f64>| median(&groups.iter().flat_map(|g| of(g)).copied().collect::<Vec<f64>>());
    let names = |of: fn(&(String, String, String)) -> &String| {
        let mut all: Vec<&String> = spectra.all.groups.keys().map(of).collect();
        all.sort();
        all.dedup();
        all.len()
    };
    let sites = names(|key| &key.0);
    let (protocols, methods) = (names(|key| &key.1), spectra.methods.len());
    let tile = |number: String, label, note: String, tone| view::Tile { number, label, note, tone };
    let plural = |n: usize, one: &str| format!("{n} {one}{}", if n == 1 { "" } else { "s" });
    let bad = |n: usize| if n > 0 { "bad" } else { "good" };
    let named = spectra.all.groups.keys().any(|key| !key.0.is_empty());
    vec![
        tile(
            rows.to_string(),
            if methods > 1 { "spectra × methods" } else { "spectra" },
            plural(methods, "method"),
            "",
        ),
        tile(fitted.to_string(), "fitted", percent(fitted, rows), ""),
        tile(
            failed.to_string(),
            "failed",
            if skipped > 0 { format!("{skipped} skipped") } else { percent(failed, rows) },
            bad(failed),
        ),
        tile(
            flagged.to_string(),
            "flagged",
            format!("{} of the fitted", percent(flagged, fitted)),
            if flagged > 0 { "warn" } else { "good" },
        ),
        tile(if named { sites.to_string() } else { "–".to_owned() }, "sites", plural(protocols, "protocol"), ""),
        tile(written(all(|g| &g.snr), 3), "SNR", "median".to_owned(), ""),
        tile(written(all(|g| &g.fwhm_hz), 3), "FWHM, Hz", "median".to_owned(), ""),
        tile(written(all(|g| &g.error_percent), 2), "expected error, %", "quality score".to_owned(), ""),
    ]
}

/// Sites and protocols with their counts.
pub(super) fn groups(spectra: &Spectra) -> view::Groups {
    let keys = || spectra.all.groups.keys();
    let rows = spectra.all.groups.iter().map(|((name, protocol, method), group)| view::Group {
        site: site(name),
        protocol: protocol.clone(),
        method: method.clone(),
        rows: group.rows,
        fitted: group.fitted,
        failed: group.failed,
        skipped: group.skipped,
        flagged: group.flagged,
        snr: fixed(median(&group.snr), 1),
        fwhm: fixed(median(&group.fwhm_hz), 1),
        error: fixed(median(&group.error_percent), 1),
    });
    view::Groups {
        has_sites: keys().any(|key| !key.0.is_empty()),
        has_methods: spectra.methods.len() > 1,
        rows: rows.collect(),
    }
}

fn most_first(counts: &BTreeMap<String, usize>) -> Vec<String> {
    let mut all: Vec<(&String, &usize)> = counts.iter().filter(|(name, _)| !name.is_empty()).collect();
    all.sort_by_key(|(name, n)| (std::cmp::Reverse(**n), *name));
    all.into_iter().map(|(name, n)| format!("{name} ({n})")).collect()
}

/// Rows without a result, by cause, what concerns most rows first; failures before what was left out on purpose.
pub(super) fn failures(spectra: &Spectra, glossary: &Glossary<'_>) -> Vec<view::Failure> {
    let mut all: Vec<view::Failure> = spectra
        .all
        .causes
        .iter()
        .map(|(code, cause)| (code.clone(), cause))
        .map(|(code, cause)| view::Failure {
            meaning: glossary.error(&code),
            code,
            rows: cause.rows,
            is_skip: cause.is_skip,
            protocols: most_first(&cause.protocols),
            sites: most_first(&cause.sites),
            examples: cause.examples.clone(),
        })
        .collect();
    all.sort_by_key(|failure| (failure.is_skip, std::cmp::Reverse(failure.rows)));
    all
}

/// Flags by the number of their rows.
pub(super) fn flags(spectra: &Spectra, glossary: &Glossary<'_>) -> Vec<view::Flag> {
    by_number(&spectra.all.flags, glossary)
}

fn by_number(counts: &BTreeMap<String, usize>, glossary: &Glossary<'_>) -> Vec<view::Flag> {
    let flag = |(code, rows): (&String, &usize)| {
        let (code, meaning) = (code.clone(), glossary.flag(code));
        view::Flag { code, rows: *rows, meaning }
    };
    let mut all: Vec<view::Flag> = counts.iter().map(flag).collect();
    all.sort_by_key(|flag| std::cmp::Reverse(flag.rows));
    all
}

/// Sites with fitted rows that nothing was scaled to water for, and the flags that say why.
pub(super) fn lacking(spectra: &Spectra, found: &Metabolites, glossary: &Glossary<'_>) -> Vec<view::Lacking> {
    let mut sites: BTreeMap<String, (usize, usize, BTreeMap<String, usize>)> = BTreeMap::new();
    for (spectrum, values) in spectra.rows.iter().zip(&found.of_row) {
        if spectrum.row.status != Status::Ok {
            continue;
        }
        let (of, without, causes) = sites.entry(spectrum.row.site.clone().unwrap_or_default()).or_default();
        *of += 1;
        if values.iter().any(|value| value.concentrations[0][0].is_finite()) {
            continue;
        }
        *without += 1;
        let told = |flag: &&String| OF_WATER.iter().any(|begin| flag.starts_with(begin));
        let mut flags = spectrum.row.qc_flags.iter().filter(told).peekable();
        if flags.peek().is_none() {
            *causes.entry("no flag says why".to_owned()).or_default() += 1;
        }
        for flag in flags {
            *causes.entry(flag.clone()).or_default() += 1;
        }
    }
    let told = |causes: BTreeMap<String, usize>| {
        let mut all = by_number(&causes, glossary);
        for flag in all.iter_mut().filter(|flag| flag.meaning == Meaning::default()) {
            flag.meaning.meaning = "The warnings beside the fit may tell.".to_owned();
        }
        all
    };
    let of_site = |(name, (of, rows, causes)): (String, (usize, usize, BTreeMap<String, usize>))| {
        (rows > 0).then(|| view::Lacking { site: site(&name), rows, of, causes: told(causes) })
    };
    sites.into_iter().filter_map(of_site).collect()
}
