//! What is missing to fit spectra and to quantify them, in words: for whoever fills it in.

use std::collections::BTreeSet;

use super::load::{Failure, Header};
use crate::acquisition::Facts;
use crate::basis::simulate::{Recipe, Timing};
use crate::corpus::titles::columns;
use crate::prepare::Spectrum;

/// Flags of edit conditions that have no names, or perhaps each other's.
const OF_ORDER: [(&str, &str); 3] = [
    ("edit_order_unknown", "nobody knows which edit condition is which"),
    ("edit_order_contradicted", "the data contradict the stated order of edit conditions"),
    ("transients_differ_in_turn", "transients lack NAA in turn, as in an edited scan, and nobody calls it one"),
];

/// What a gap costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Cost {
    /// The spectrum is not fitted.
    Fit,
    /// There is no difference of its edit conditions, or it may be the wrong way round.
    Difference,
    /// Its amplitudes are not scaled by water.
    Concentrations,
    /// Nobody knows how saturated it is.
    Saturation,
}

impl Cost {
    /// What follows from it.
    pub const fn in_words(self) -> &'static str {
        match self {
            Self::Fit => "will not be fitted",
            Self::Difference => "no difference of the edit conditions, or a doubtful one",
            Self::Concentrations => "no concentrations, no eddy-current correction",
            Self::Saturation => "no correction for saturation",
        }
    }

    /// The same in a cell.
    pub const fn short(self) -> &'static str {
        match self {
            Self::Fit => "no fit",
            Self::Difference => "no difference",
            Self::Concentrations => "no concentrations",
            Self::Saturation => "no correction for saturation",
        }
    }
}

/// Something that is missing.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Gap {
    /// What it costs.
    pub cost: Cost,
    /// What is missing, or the error code.
    pub what: String,
    /// What to do; empty where only the message tells.
    pub advice: String,
    /// Columns of a manifest that help.
    pub columns: Vec<String>,
}

impl Gap {
    /// A fact of the header that is not stated. What options give fills gaps; what a file states only a manifest overrules.
    fn of_fact(cost: Cost, column: &str, what: String, is_stated: bool) -> Self {
        let option = if is_stated { String::new() } else { format!("give {}, or ", option(column)) };
        let or_basis = if cost == Cost::Fit { ", or give a basis set with --basis" } else { "" };
        let advice = format!("{option}fill in `{column}` in a manifest{or_basis}");
        Self { cost, what, advice, columns: vec![column.to_owned()] }
    }
}

/// The option that gives a fact.
fn option(column: &str) -> String {
    format!("--{}", column.replace('_', "-"))
}

/// The facts that options give.
fn facts() -> impl Iterator<Item = &'static str> {
    std::iter::once("sequence").chain(Facts::NUMBERS.iter().map(|number| number.name))
}

/// What a spectrum lacks that will not be fitted.
pub(super) fn of_failure(failure: &Failure, header: &Header) -> Vec<Gap> {
    if failure.code == "basis_header" && failure.message.contains("recipe") {
        let advice = "mend the recipe, or fill in another one in `recipe` of a manifest".to_owned();
        let columns = vec!["recipe".to_owned()];
        return vec![Gap {
            cost: Cost::Fit,
            what: "the recipe of the basis set cannot be used".to_owned(),
            advice,
            columns,
        }];
    }
    if failure.code == "basis_header"
        && let Err(gaps) = Recipe::from_protocol(&header.protocol, &Timing::of(&header.facts))
    {
        return gaps.missing.iter().map(|entry| of_header(entry)).collect();
    }
    let message = &failure.message;
    let implausible = facts().find(|column| message.contains(&format!("{column} = ")));
    if let (Some(column), true) = (implausible, failure.code == "implausible_field") {
        return vec![Gap::of_fact(Cost::Fit, column, format!("{column} as stated cannot be right"), false)];
    }
    // Words in backticks name columns; so do options.
    let is_named = |column: &&str| message.contains(&format!("`{column}`"));
    let has_option =
        |column: &&str| message.split_whitespace().any(|word| word.trim_end_matches([',', ';', '.']) == option(column));
    let by_option: Vec<&str> = facts().filter(has_option).collect();
    if let (Some(column), "missing_field") = (by_option.first(), failure.code.as_str()) {
        return vec![Gap::of_fact(Cost::Fit, column, format!("{column} not stated"), false)];
    }
    let named: BTreeSet<&str> = columns().into_iter().filter(is_named).chain(by_option).collect();
    let in_ticks: Vec<String> = named.iter().map(|column| format!("`{column}`")).collect();
    let advice =
        if named.is_empty() { String::new() } else { format!("fill in {} in a manifest", in_ticks.join(" or ")) };
    let columns = named.into_iter().map(str::to_owned).collect();
    vec![Gap { cost: Cost::Fit, what: failure.code.clone(), advice, columns }]
}

/// An entry of what a header lacks for a simulation: a column's name, and perhaps why what stands there is of no use.
fn of_header(entry: &str) -> Gap {
    let (column, why) = entry.split_once(' ').unwrap_or((entry, ""));
    // What the header does state stands in backticks.
    let Some(why) = Some(why).filter(|why| why.contains('`')) else {
        return Gap::of_fact(Cost::Fit, column, format!("{entry} not stated"), false);
    };
    let what = format!("{column}: {}", why.trim_start_matches('(').trim_end_matches(')'));
    Gap::of_fact(Cost::Fit, column, what, true)
}

/// What a spectrum lacks that will be fitted.
pub(super) fn of_spectrum(spectrum: &Spectrum, header: &Header) -> Vec<Gap> {
    let mut gaps = Vec::new();
    for (_, what) in
        OF_ORDER.iter().filter(|(flag, _)| header.flags.iter().chain(&spectrum.record.flags).any(|f| f == flag))
    {
        gaps.push(Gap {
            cost: Cost::Difference,
            what: (*what).to_owned(),
            advice: "fill in `edit_order` in a manifest".to_owned(),
            columns: vec!["edit_order".to_owned()],
        });
    }
    if spectrum.record.water_amplitude.is_none() {
        let flag = spectrum.record.flags.iter().find(|flag| flag.starts_with("water_reference"));
        gaps.push(Gap {
            cost: Cost::Concentrations,
            what: flag.map_or("no water reference".to_owned(), |flag| format!("water reference not used ({flag})")),
            advice: "fill in `water_path` in a manifest".to_owned(),
            columns: vec!["water_path".to_owned()],
        });
    }
    if header.facts.tr_s.is_none() {
        gaps.push(Gap::of_fact(Cost::Saturation, "tr_s", "tr_s not stated".to_owned(), false));
    }
    gaps
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;
    use crate::basis::check::Protocol;

    fn header(sequence: Option<&str>) -> Header {
        let facts = Facts { sequence: sequence.map(str::to_owned), te_s: Some(0.035), ..Facts::default() };
        let protocol = Protocol {
            sequence: facts.sequence.clone(),
            te_s: facts.te_s,
            f0_mhz: Some(127.8),
            dwell_s: Some(5e-4),
            n_points: Some(2048),
        };
        Header { facts, protocol, ..Header::default() }
    }

    fn of(code: &str, message: &str, header: &Header) -> Gap {
        let mut gaps = of_failure(&Failure::new(code, message), header);
        assert_eq!(gaps.len(), 1, "{gaps:?}");
        gaps.remove(0)
    }

    #[test]
    fn what_is_not_stated_options_give_and_what_is_stated_only_a_manifest_overrules() {
        let gap = of("basis_header", "", &header(None));
        assert_eq!((gap.what.as_str(), &gap.columns[..]), ("sequence not stated", &["sequence".to_owned()][..]));
        assert!(gap.advice.starts_with("give --sequence, or fill in `sequence`"), "{}", gap.advice);
        let gap = of("basis_header", "", &header(Some("GABA")));
        assert!(gap.what.contains("`GABA`") && !gap.advice.contains("--sequence"), "{gap:?}");
        assert_eq!(of("basis_header", "", &header(Some("STEAM"))).columns, ["tm_s"]);
        assert_eq!(of("basis_header", "", &header(Some("MEGA-PRESS"))).columns, ["edit_order"]);
    }

    #[test]
    fn messages_name_the_columns_to_fill_in() {
        let known = header(Some("PRESS"));
        let gap = of("missing_field", "x: dwell time is not in the file; give it with --dwell-s, or elsewhere", &known);
        assert_eq!((gap.what.as_str(), &gap.columns[..]), ("dwell_s not stated", &["dwell_s".to_owned()][..]));
        let gap = of("ambiguous_water_reference", "x: name one in the column `water_path` of a manifest", &known);
        assert_eq!(
            (gap.what.as_str(), gap.advice.as_str()),
            ("ambiguous_water_reference", "fill in `water_path` in a manifest")
        );
        let gap = of("implausible_field", "x: te_s = 35 s cannot be right: is it milliseconds (te_s = 0.035)?", &known);
        assert_eq!((gap.what.as_str(), &gap.columns[..]), ("te_s as stated cannot be right", &["te_s".to_owned()][..]));
        let gap = of("unknown_format", "x: no known format", &known);
        assert_eq!((gap.columns.len(), gap.advice.as_str()), (0, ""));
    }
}
