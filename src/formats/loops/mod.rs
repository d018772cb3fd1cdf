//! What scanners' loop counters mean, as data: a table per vendor (`*.toml`), one row a known sequence.
//!
//! A row says which counter counts transients, which tells conditions of editing apart and in which order they come, which
//! readouts are the water reference, and where TE stands. Rows without `sequences` are the rule of a software generation:
//! sequences that no row names fall back on it. To add a sequence: add a row with its source, and a test.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::Deserialize;

/// What is known of the loops of one sequence.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Row {
    /// What it is, for remarks.
    pub(crate) name: String,
    /// Where this is known from.
    #[allow(dead_code, reason = "for those who read the table")]
    pub(crate) source: String,
    /// How the software calls itself, by its beginning (`VB`, `XA`, a revision); none: any.
    #[serde(default)]
    pub(crate) software: Vec<String>,
    /// Names of sequences in lower case; `*` stands for any text. None: the rule for all others.
    #[serde(default)]
    pub(crate) sequences: Vec<String>,
    /// Numbers that the header must state, by their fields; what it does not state is zero.
    #[serde(default)]
    pub(crate) when: BTreeMap<String, f64>,
    /// Counters that count transients.
    #[serde(default)]
    pub(crate) transients: Vec<String>,
    /// Conditions of spectral editing.
    #[serde(default)]
    pub(crate) conditions: Option<Conditions>,
    /// The water reference among the readouts.
    #[serde(default)]
    pub(crate) water: Option<Water>,
    /// Steps that are added with signs: SPECIAL, ISIS.
    #[serde(default)]
    pub(crate) steps: Option<Steps>,
    /// Two measurements of different echo time in one, with water readouts between them.
    #[serde(default)]
    pub(crate) parts: Option<Parts>,
    /// Fields whose sum is the echo time; none: as the format has it.
    #[serde(default)]
    pub(crate) te: Vec<String>,
    /// Where points before the echo are counted, beside what the format cuts off itself.
    #[serde(default)]
    pub(crate) points_before: Vec<String>,
}

/// Conditions of spectral editing.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Conditions {
    /// What tells them apart, the first that does: a counter that varies, or [`IN_TURN`]. None: nobody knows.
    #[serde(default)]
    pub(crate) along: Vec<String>,
    /// How many there are, where that is known.
    #[serde(default)]
    pub(crate) number: Option<usize>,
    /// What they are called, in the order in which they are measured.
    #[serde(default)]
    pub(crate) labels: Vec<String>,
    /// The editing pulses of each.
    #[serde(default)]
    pub(crate) pulses: Vec<Vec<Pulse>>,
}

/// Transients of all conditions one after the other.
pub(crate) const IN_TURN: &str = "in_turn";

/// Chemical shift of an editing pulse.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(untagged)]
pub(crate) enum Pulse {
    /// So many ppm.
    Ppm(f64),
    /// As a field of the header says (ppm).
    Field(String),
}

/// Readouts that are the water reference.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Water {
    /// The counter that tells them: those where it is zero, in a file that has others as well.
    #[serde(default)]
    pub(crate) zero_of: Option<String>,
    /// Before and after the transients, as many as header fields say.
    #[serde(default)]
    pub(crate) around: bool,
}

/// Steps that are added with signs.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Steps {
    /// What tells them apart: a counter that varies, or [`IN_TURN`].
    pub(crate) along: Vec<String>,
    /// The voxels that they give, each with the sign of every step.
    pub(crate) voxels: Vec<Vec<f64>>,
}

/// Two measurements of different echo time in one: water, transients of the first, water, transients of the second …
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Parts {
    /// Readouts from one of water to the next, where the header does not tell.
    pub(crate) water_every: usize,
    /// Fields with the numbers of water readouts, and of transients of either part.
    pub(crate) n_water: String,
    /// Of the first.
    pub(crate) n_first: String,
    /// Of the second.
    pub(crate) n_second: String,
    /// Field with the first part's echo time (µs).
    pub(crate) te_first: String,
    /// Names of both; the echo time in milliseconds is appended.
    pub(crate) names: [String; 2],
}

/// A table.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    row: Vec<Row>,
}

/// Rows of a table; none where it is broken, which a test rules out.
fn rows(table: &str) -> Vec<Row> {
    toml::from_str::<Table>(table).map(|table| table.row).unwrap_or_default()
}

/// Siemens' sequences.
pub(crate) static SIEMENS: LazyLock<Vec<Row>> = LazyLock::new(|| rows(include_str!("siemens.toml")));

/// GE's sequences.
pub(crate) static GE: LazyLock<Vec<Row>> = LazyLock::new(|| rows(include_str!("ge.toml")));

/// A vendor's row for a sequence: the first that fits. `field` gives the header's numbers.
pub(crate) fn row_of<'a>(
    rows: &'a [Row],
    software: &str,
    sequence: &str,
    field: impl Fn(&str) -> Option<f64>,
) -> Option<&'a Row> {
    let sequence = sequence.to_lowercase();
    rows.iter().find(|row| {
        let by_software = row.software.is_empty() || row.software.iter().any(|start| software.starts_with(start));
        let by_name = row.is_rule() || row.sequences.iter().any(|pattern| fits(pattern, &sequence));
        let by_header = || row.when.iter().all(|(name, value)| field(name).unwrap_or(0.0) == *value);
        by_software && by_name && by_header()
    })
}

impl Row {
    /// Whether it is the rule for sequences that no row names.
    pub(crate) fn is_rule(&self) -> bool {
        self.sequences.is_empty()
    }
}

impl Conditions {
    /// The editing pulses of each condition (ppm); none at all where the header lacks one of them.
    pub(crate) fn pulses_ppm(&self, field: impl Fn(&str) -> Option<f64>) -> Vec<Vec<f64>> {
        let ppm = |pulse: &Pulse| match pulse {
            Pulse::Ppm(ppm) => Some(*ppm),
            Pulse::Field(name) => field(name),
        };
        let of_each = self.pulses.iter().map(|pulses| pulses.iter().map(ppm).collect::<Option<Vec<f64>>>());
        of_each.collect::<Option<_>>().unwrap_or_default()
    }
}

/// Whether `text` is what `pattern` describes, in which `*` stands for any text.
fn fits(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let Some(mut rest) = parts.next().and_then(|start| text.strip_prefix(start)) else { return false };
    let mut parts = parts.peekable();
    if parts.peek().is_none() {
        return rest.is_empty();
    }
    while let Some(part) = parts.next() {
        if parts.peek().is_none() {
            return rest.ends_with(part);
        }
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_of_names() {
        for (pattern, text, expected) in [
            ("svs_se", "svs_se", true),
            ("svs_se", "svs_se_30", false),
            ("svs_se*", "svs_se_30", true),
            ("*special*", "jn_svs_special", true),
            ("*slaser*dkd*", "svs_slaservoi_dkd2", true),
            ("*slaser*dkd*", "dkd_svs_slaser", false),
            ("*_ref", "svs_ref", true),
            ("*_ref", "svs_ref_2", false),
            ("*", "", true),
            ("a*a", "a", false),
        ] {
            assert_eq!(fits(pattern, text), expected, "{pattern} {text}");
        }
    }

    #[test]
    fn tables_are_whole_and_end_with_the_rules() {
        for (name, text) in [("siemens", include_str!("siemens.toml")), ("ge", include_str!("ge.toml"))] {
            let table = toml::from_str::<Table>(text);
            assert!(table.is_ok(), "{name}: {:?}", table.err());
            let rows = rows(text);
            let first_rule = rows.iter().position(Row::is_rule).unwrap_or(rows.len());
            assert!(first_rule < rows.len() && rows[first_rule..].iter().all(Row::is_rule), "{name}: rules stand last");
            for row in &rows {
                assert!(!row.name.is_empty() && !row.source.is_empty(), "{name}: {row:?}");
                assert!(row.sequences.iter().all(|s| *s == s.to_lowercase()), "{name}: {row:?}");
                if let Some(conditions) = &row.conditions {
                    let n = conditions.number.unwrap_or(0);
                    assert!(conditions.pulses.is_empty() || conditions.pulses.len() == n, "{name}: {row:?}");
                    assert!(conditions.labels.is_empty() || conditions.labels.len() == n, "{name}: {row:?}");
                }
                for signs in row.steps.iter().flat_map(|steps| &steps.voxels) {
                    assert!(signs.iter().all(|sign| sign.abs() == 1.0), "{name}: {row:?}");
                }
            }
        }
    }

    #[test]
    fn numbers_of_the_header_tell_rows_apart() {
        let name = |software: &str, sequence: &str, mode: Option<f64>| {
            let field = |field: &str| mode.filter(|_| field == "sWipMemBlock.alFree[7]");
            row_of(&SIEMENS, software, sequence, field).map(|row| row.name.as_str())
        };
        assert_eq!(name("VE", "mgs_svs_ed", None), Some("universal editing, MEGA"));
        assert_eq!(name("XA", "smm_svs_herc_v2_hermes", Some(1.0)), Some("universal editing, HERMES of GABA and GSH"));
        assert_eq!(name("XA", "SMM_SVS_HERC", Some(3.0)), Some("universal editing, HERCULES"));
        assert_eq!(name("VE", "mgs_svs_ed", Some(9.0)), Some("universal editing, a mode that is not known"));
        assert_eq!(name("VE", "svs_isthmus", Some(3.0)), Some("ISTHMUS"));
        assert_eq!(name("VB", "my_own", None), Some("VB"));
        assert_eq!(name("VD", "my_own", None), Some("VD, VE and XA"));
    }
}
