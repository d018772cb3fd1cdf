//! What the tables say of analysis: item 3.

use super::basis;
use super::protocol::Protocol;
use super::settings::{self, Difference};
use super::values::{joined, listed, numbers, plural, spread};
use crate::store::{MetaboliteRow, RunRecord, SpectrumRow};

/// Output measures: column, what it is, and how a row has it.
type Measure = (&'static str, &'static str, fn(&MetaboliteRow) -> Option<f64>);
pub(super) const MEASURES: [Measure; 6] = [
    ("ratio_tcr", "ratio to total creatine", |row| row.ratio_tcr),
    ("conc_lcmodel_mmol_per_kg", "water-scaled concentration as LCModel defines it (mmol/kg)", |row| {
        row.conc_lcmodel_mmol_per_kg
    }),
    ("conc_csf_mmol_per_kg", "the same, corrected for CSF (mmol/kg)", |row| row.conc_csf_mmol_per_kg),
    (
        "conc_molal_mmol_per_kg",
        "molal concentration in tissue water, corrected for relaxation and tissue (mmol/kg)",
        |row| row.conc_molal_mmol_per_kg,
    ),
    ("conc_molar_mmol_per_l", "molar concentration in tissue, corrected likewise (mmol/l)", |row| {
        row.conc_molar_mmol_per_l
    }),
    ("conc_alpha_iu", "alpha-corrected concentration (i.u.)", |row| row.conc_alpha_iu),
];

/// What the tables and the record say of an item of analysis.
pub(super) fn say(protocol: &Protocol<'_>, record: &RunRecord, differences: &[Difference], id: &str) -> Option<String> {
    match id {
        "3a" => Some(software(record)),
        "3b" => Some(processing(differences)),
        "3c" => output(protocol),
        "3d" => assumptions(protocol, record),
        _ => None,
    }
}

/// Program, build, methods, engine.
pub(super) fn software(record: &RunRecord) -> String {
    let methods: Vec<String> = record
        .methods
        .iter()
        .map(|method| format!("`{}` ({})", method.id, method.sha256.chars().take(12).collect::<String>()))
        .collect();
    let methods = match methods.len() {
        0 => String::new(),
        1 => format!(", method {}", methods.join("")),
        _ => format!(", methods {}", methods.join(", ")),
    };
    let (build, again) = settings::builds(record);
    let again = again.map(|build| format!("; concentrations again from its tables by {build}")).unwrap_or_default();
    let device = if record.device.is_empty() { String::new() } else { format!(" ({})", record.device) };
    format!("{build}, tables of version {}{methods}, engine `{}`{device}{again}", record.schema_version, record.engine)
}

fn processing(differences: &[Difference]) -> String {
    if differences.is_empty() {
        return "none: preparation, methods and constants are the defaults".to_owned();
    }
    let one = |d: &Difference| format!("`{} = {}` (default {})", d.setting, d.value, d.default);
    differences.iter().map(one).collect::<Vec<_>>().join("; ")
}

/// Which measures the tables have, and of how many fitted spectra.
pub(super) fn measures(protocol: &Protocol<'_>) -> Vec<(&'static str, String)> {
    let fitted = with(protocol, |_| true);
    let text = |&(column, what, of): &Measure| {
        let n = with(protocol, |row| of(row).is_some());
        (n > 0).then(|| (column, format!("{what}, `{column}`, of {n} of {}", plural(fitted, "spectrum", "spectra"))))
    };
    MEASURES.iter().filter_map(text).collect()
}

/// Spectra with a row of a metabolite for which it holds.
fn with(protocol: &Protocol<'_>, holds: impl Fn(&MetaboliteRow) -> bool) -> usize {
    let ids: std::collections::BTreeSet<&String> =
        protocol.metabolites.iter().filter(|row| holds(row)).map(|row| &row.spectrum_id).collect();
    ids.len()
}

fn output(protocol: &Protocol<'_>) -> Option<String> {
    let known = measures(protocol);
    if protocol.metabolites.is_empty() {
        return Some("none: nothing was fitted".to_owned());
    }
    let amplitudes = "amplitudes in units of the basis set, `amplitude`".to_owned();
    joined(std::iter::once(Some(amplitudes)).chain(known.into_iter().map(|(_, text)| Some(text))), "; ")
}

fn assumptions(protocol: &Protocol<'_>, record: &RunRecord) -> Option<String> {
    joined(
        [
            basis::of_protocol(protocol, record),
            priors(protocol, record),
            water(protocol),
            relaxation(protocol),
            tissue(protocol),
        ],
        "; ",
    )
}

/// What is held to be usual, and what was learned.
fn priors(protocol: &Protocol<'_>, record: &RunRecord) -> Option<String> {
    let rows = record.config.get("ratio_rows").and_then(|rows| rows.as_array()).map_or(0, Vec::len);
    let active = protocol.rows.iter().any(|row| row.ratio_rows_active.is_some_and(|n| n > 0));
    let ratios = (rows > 0 && active)
        .then(|| format!("{} between amplitudes (run.json, `ratio_rows`)", plural(rows, "soft ratio", "soft ratios")));
    let learned = protocol.any(|row| row.learned_id.is_some()).then(|| {
        listed(protocol.spectra.iter().map(|row| row.learned_id.clone()))
            .map(|id| format!("priors learned from the corpus: {id}"))
    });
    joined([ratios, learned.flatten()], "; ")
}

fn water(protocol: &Protocol<'_>) -> Option<String> {
    let scaled: Vec<&MetaboliteRow> =
        protocol.metabolites.iter().copied().filter(|row| row.conc_lcmodel_mmol_per_kg.is_some()).collect();
    if scaled.is_empty() {
        return Some("no concentrations: no water reference that can be believed".to_owned())
            .filter(|_| !protocol.metabolites.is_empty());
    }
    // One row of each spectrum is enough: all of its metabolites have the same constants.
    let mut seen = std::collections::BTreeSet::new();
    let one: Vec<&MetaboliteRow> =
        scaled.into_iter().filter(|row| seen.insert((&row.spectrum_id, &row.method))).collect();
    let of = |of: fn(&MetaboliteRow) -> Option<f64>, unit: &str| numbers(one.iter().map(|row| of(row)), 6, unit);
    let content = of(|row| row.water_concentration_mmol_per_kg, "mmol/kg");
    let left = spread(one.iter().map(|row| row.water_attenuation), 3, "");
    let metabolites = of(|row| row.metabolite_attenuation, "");
    joined(
        [
            content.map(|content| format!("LCModel's way: water {content}")),
            left.map(|left| format!("attenuation of water {left}")),
            metabolites.map(|m| format!("of metabolites {m}")),
        ],
        ", ",
    )
}

/// Constants of relaxation, by version and field: the entries of metabolites are of one set.
fn relaxation(protocol: &Protocol<'_>) -> Option<String> {
    let mut seen = std::collections::BTreeSet::new();
    let corrected = protocol.metabolites.iter().filter(|row| row.conc_molal_mmol_per_kg.is_some());
    let one: Vec<&MetaboliteRow> =
        corrected.copied().filter(|row| seen.insert((&row.spectrum_id, &row.method))).collect();
    let set = |row: &&MetaboliteRow| {
        let id = row.constants_id.as_ref()?;
        let mut words = id.split('/');
        joined([words.next().map(str::to_owned), words.next().map(|field| format!("{field} T"))], ", ")
    };
    let sets = listed(one.iter().map(set))?;
    let left = spread(one.iter().map(|row| row.water_attenuation_tissue), 3, "");
    Some(format!(
        "relaxation times and water content of {sets}{}",
        left.map(|l| format!("; they leave of tissue water {l}")).unwrap_or_default()
    ))
}

fn tissue(protocol: &Protocol<'_>) -> Option<String> {
    if !protocol.any(|row| row.f_gm.is_some()) {
        return None;
    }
    let share = |of: fn(&SpectrumRow) -> Option<f64>| spread(protocol.spectra.iter().map(|row| of(row)), 3, "");
    let kinds = listed(protocol.spectra.iter().map(|row| row.segmentation_kind.clone()));
    joined(
        [
            Some(format!("tissue by {}", kinds.unwrap_or_else(|| "a table".to_owned()))),
            share(|row| row.f_gm).map(|f| format!("grey matter {f}")),
            share(|row| row.f_wm).map(|f| format!("white matter {f}")),
            share(|row| row.f_csf).map(|f| format!("CSF {f}")),
        ],
        ", ",
    )
}
