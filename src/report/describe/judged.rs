//! What the tables say of quality: item 4.

use std::collections::{BTreeMap, BTreeSet};

use super::acquired::percent;
use super::protocol::Protocol;
use super::settings::{self, Asked};
use super::values::{joined, plural, spread};
use crate::signal::median::median;
use crate::store::{RunRecord, SpectrumRow, Status};

/// Measures of SNR and linewidth with their definitions in short: the columns' pages have them in full.
type Figure = (&'static str, &'static str, &'static str, fn(&SpectrumRow) -> Option<f64>);
const FIGURES: [Figure; 7] = [
    ("snr", "highest point of the fitted metabolites over twice the standard deviation of the noise", "", |row| {
        row.snr
    }),
    (
        "snr_lcmodel",
        "LCModel: highest point of the fit above its baseline over twice the root mean square of the residual",
        "",
        |row| row.snr_lcmodel,
    ),
    ("snr_tcr", "Osprey: height of creatine over the standard deviation of the noise, no factor 2", "", |row| {
        row.snr_tcr
    }),
    ("fwhm_hz", "full width at half maximum of the fitted lineshape, basis set included", "Hz", |row| row.fwhm_hz),
    ("fwhm_tcr_hz", "Osprey: width of creatine at 3.03 ppm in the spectrum", "Hz", |row| row.fwhm_tcr_hz),
    ("fwhm_water_hz", "width of the water reference's line", "Hz", |row| row.fwhm_water_hz),
    ("drift_hz", "linear drift of the frequency over the measurement, taken out", "Hz", |row| row.drift_hz),
];

/// Metabolites whose errors are told, where they were fitted.
const USUAL: [&str; 8] = ["tNAA", "tCr", "tCho", "Ins", "Glx", "GABA+", "GABA", "GSH"];

/// What the tables say of an item of quality.
pub(super) fn say(protocol: &Protocol<'_>, record: &RunRecord, id: &str) -> Option<String> {
    match id {
        "4a" => by_group(protocol, figures),
        "4b" => Some(exclusion(protocol, record)),
        "4c" => by_group(protocol, |rows| fit(protocol, rows)),
        "4d" => by_group(protocol, typical),
        _ => None,
    }
}

/// What is told of each method and sub-spectrum.
fn by_group(protocol: &Protocol<'_>, of: impl Fn(&[&SpectrumRow]) -> Option<String>) -> Option<String> {
    let told = protocol.groups().into_iter().map(|(name, rows)| {
        let text = of(&rows.into_iter().filter(|row| row.status == Status::Ok).collect::<Vec<_>>())?;
        Some(name.map_or(text.clone(), |name| format!("{name}: {text}")))
    });
    joined(told, ". ")
}

fn figures(rows: &[&SpectrumRow]) -> Option<String> {
    joined(
        FIGURES.iter().map(|(column, what, unit, of)| {
            spread(rows.iter().map(|row| of(row)), 3, unit).map(|values| format!("`{column}` ({what}) {values}"))
        }),
        "; ",
    )
}

fn counted(counts: &BTreeMap<String, usize>) -> String {
    let mut all: Vec<(&String, &usize)> = counts.iter().collect();
    all.sort_by(|a, b| b.1.cmp(a.1).then_with(|| a.0.cmp(b.0)));
    all.into_iter().map(|(word, n)| format!("`{word}` {n}")).collect::<Vec<_>>().join(", ")
}

/// How many rows were not fitted and why, which transients were left out, what the gates stopped, and what is flagged.
fn exclusion(protocol: &Protocol<'_>, record: &RunRecord) -> String {
    let n = protocol.rows.len();
    let mut reasons: BTreeMap<String, usize> = BTreeMap::new();
    let mut flags: BTreeMap<String, usize> = BTreeMap::new();
    for row in &protocol.rows {
        if row.status != Status::Ok {
            let code = row.error_code.clone().unwrap_or_else(|| row.status.to_string());
            *reasons.entry(code).or_default() += 1;
        }
        for flag in row.qc_flags.iter().collect::<BTreeSet<_>>() {
            *flags.entry(flag.clone()).or_default() += 1;
        }
    }
    let n_out: usize = reasons.values().sum();
    let rows = plural(n, "analysis", "analyses");
    let fitted = match n_out {
        0 => format!("{rows}, all of them fitted"),
        out => format!("{rows}, {out} not fitted ({})", counted(&reasons)),
    };
    let flagged = (!flags.is_empty()).then(|| format!("flagged, not excluded: {}", counted(&flags)));
    joined([Some(fitted), transients(protocol), Some(gates(protocol, record)), flagged], "; ").unwrap_or_default()
}

fn transients(protocol: &Protocol<'_>) -> Option<String> {
    let pairs = protocol.spectra.iter().filter_map(|row| Some((row.n_transients?, row.n_transients_kept?)));
    let (n, out) =
        pairs.fold((0, 0), |(n, out), (all, kept)| (n + u64::from(all), out + u64::from(all.saturating_sub(kept))));
    (out > 0).then(|| format!("{out} of {n} transients were left out ({})", percent(out, n)))
}

fn gates(protocol: &Protocol<'_>, record: &RunRecord) -> String {
    let profile = match settings::gates(record) {
        Asked::Gates(profile) => profile,
        Asked::Not => return "no gates were asked for".to_owned(),
        Asked::Unreadable => return "gates were asked for that this version cannot read".to_owned(),
    };
    if profile.gates.is_empty() {
        return format!("gates `{}`: every row passes", profile.name);
    }
    let rules: Vec<String> =
        profile.gates.iter().map(|gate| format!("`{}`: keep where `{}`", gate.name, gate.keep)).collect();
    let mut spectra: BTreeMap<String, usize> = BTreeMap::new();
    let mut values: BTreeMap<String, usize> = BTreeMap::new();
    let mut stopped = BTreeSet::new();
    for row in &protocol.rows {
        if let Some(gate) = &row.gate {
            *spectra.entry(gate.clone()).or_default() += 1;
            stopped.insert((&row.spectrum_id, &row.method));
        }
    }
    for row in &protocol.metabolites {
        if let Some(gate) = row.gate.as_ref().filter(|_| !stopped.contains(&(&row.spectrum_id, &row.method))) {
            *values.entry(gate.clone()).or_default() += 1;
        }
    }
    let told = |counts: &BTreeMap<String, usize>, what: &str| match counts.is_empty() {
        true => format!("no {what} is stopped"),
        false => format!("{what} stopped: {}", counted(counts)),
    };
    format!(
        "gates `{}` ({}); {}; {}",
        profile.name,
        rules.join(", "),
        told(&spectra, "spectrum"),
        told(&values, "value of a metabolite in other spectra")
    )
}

fn fit(protocol: &Protocol<'_>, rows: &[&SpectrumRow]) -> Option<String> {
    let own: BTreeSet<(&str, &str)> = rows.iter().map(|row| (&*row.spectrum_id, &*row.method)).collect();
    let errors = USUAL.iter().map(|name| {
        let of = protocol.metabolites.iter().filter(|row| row.metabolite == *name);
        let values: Vec<Option<f64>> =
            of.filter(|row| own.contains(&(&*row.spectrum_id, &*row.method))).map(|row| row.crlb_percent).collect();
        spread(values, 3, "%").map(|text| format!("{name} {text}"))
    });
    let errors =
        joined(errors, ", ").map(|text| format!("Cramér–Rao bound of the measured noise, `crlb_percent`: {text}"));
    let residual = spread(rows.iter().map(|row| row.residual_sd_over_noise_sd), 3, "")
        .map(|text| format!("residual over noise, `residual_sd_over_noise_sd`: {text}"));
    let mut states: BTreeMap<String, usize> = BTreeMap::new();
    rows.iter().filter_map(|row| row.state.clone()).for_each(|state| *states.entry(state).or_default() += 1);
    let states = (!states.is_empty()).then(|| format!("ends of fits: {}", counted(&states)));
    joined([errors, residual, states], "; ")
}

/// The spectrum whose SNR is nearest to the median: what most look like.
fn typical(rows: &[&SpectrumRow]) -> Option<String> {
    let known: Vec<f64> = rows.iter().filter_map(|row| row.snr).collect();
    let middle = median(&known)?;
    let distance = |row: &&SpectrumRow| (row.snr.unwrap_or(f64::INFINITY) - middle).abs();
    let row = rows.iter().copied().min_by(|a, b| distance(a).total_cmp(&distance(b)))?;
    Some(format!(
        "`{}` has the median SNR (draw it: `requant fit {} --plot sample.svg`)",
        row.spectrum_id, row.source_path
    ))
}
