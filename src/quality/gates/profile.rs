//! A profile of gates: built in by name, or a TOML file.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::evaluate::Row;
use super::expression::{Expression, ExpressionError};
use super::kinds::{KindError, ValueKind};
use crate::basis::names::canonical;

/// Profiles that are built in.
const BUILT_IN: [(&str, &str); 3] = [
    ("none", include_str!("profiles/none.toml")),
    ("robust", include_str!("profiles/robust.toml")),
    ("seed2020", include_str!("profiles/seed2020.toml")),
];
/// Most gates of a profile.
const MOST_GATES: usize = 100;

/// A list of gates.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Gates {
    /// Name of the profile.
    pub name: String,
    /// One sentence.
    #[serde(default)]
    pub description: String,
    /// In the order in which they are asked.
    #[serde(default)]
    pub gates: Vec<Gate>,
}

/// One gate.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Gate {
    /// What stands in the column `gate` where it does not hold.
    pub name: String,
    /// What must hold, over columns of `spectra` and `metabolites`.
    pub keep: String,
    /// The metabolites that it is asked of; left out: all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metabolites: Option<Vec<String>>,
    /// What it biases, for whoever uses it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub biases: Option<String>,
}

/// Why gates cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum GatesError {
    /// No TOML, or other keys.
    #[error("{0}")]
    Toml(#[from] Box<toml::de::Error>),
    /// Nothing in it that can be meant.
    #[error("gate `{gate}`: {fault}")]
    Gate {
        /// Name, or number from 1.
        gate: String,
        /// What is wrong.
        fault: String,
    },
    /// Its expression cannot be read.
    #[error("gate `{gate}`: keep: {source}")]
    Expression {
        /// Its name.
        gate: String,
        /// What is wrong.
        source: ExpressionError,
    },
    /// Its expression does not fit the tables.
    #[error("gate `{gate}`: keep: {source}")]
    Columns {
        /// Its name.
        gate: String,
        /// What is wrong.
        source: KindError,
    },
}

/// What a gate says of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It holds.
    Passes,
    /// It does not.
    Fails,
    /// That hangs on a value which is null.
    Unknown,
}

impl Gates {
    /// The profile of that name; `None` if there is none.
    ///
    /// # Errors
    /// Never for the profiles as they are shipped.
    pub fn built_in(name: &str) -> Option<Result<Self, GatesError>> {
        BUILT_IN.iter().find(|(known, _)| *known == name).map(|(_, text)| Self::from_toml(text))
    }

    /// Names of the built-in profiles.
    pub fn built_in_names() -> impl Iterator<Item = &'static str> {
        BUILT_IN.iter().map(|(name, _)| *name)
    }

    /// Reads a profile.
    ///
    /// # Errors
    /// [`GatesError`], which names the gate and what is wrong with it.
    pub fn from_toml(text: &str) -> Result<Self, GatesError> {
        let mut gates: Self = toml::from_str(text).map_err(Box::new)?;
        if gates.gates.len() > MOST_GATES {
            let fault = format!("{} gates; at most {MOST_GATES} are asked", gates.gates.len());
            return Err(GatesError::Gate { gate: gates.name, fault });
        }
        let mut names = BTreeSet::new();
        for (number, gate) in gates.gates.iter_mut().enumerate() {
            let refused =
                |fault: &str| GatesError::Gate { gate: gate_name(&gate.name, number), fault: fault.to_owned() };
            let is_word = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
            if gate.name.is_empty() || gate.name.len() > 64 || !gate.name.chars().all(is_word) {
                return Err(refused("a name has letters a to z, digits and _, at most 64"));
            }
            if !names.insert(gate.name.clone()) {
                return Err(refused("two gates have this name: the column could not tell them apart"));
            }
            if gate.metabolites.as_ref().is_some_and(Vec::is_empty) {
                return Err(refused("its list of metabolites is empty; leave the key out for all of them"));
            }
            if let Some(metabolites) = &mut gate.metabolites {
                metabolites.iter_mut().for_each(|name| *name = canonical(name));
            }
            gate.expression()?;
        }
        Ok(gates)
    }

    /// What its gates bias, a line each.
    pub fn biases(&self) -> Vec<String> {
        let said = |gate: &Gate| Some(format!("gate {}: {}", gate.name, gate.biases.as_ref()?));
        self.gates.iter().filter_map(said).collect()
    }

    /// Its gates, ready to be asked, held to the columns of the tables.
    ///
    /// # Errors
    /// [`GatesError::Columns`]: a column that there is not, or one of another kind.
    pub fn ready(
        &self,
        spectra: &dyn Fn(&str) -> Option<ValueKind>,
        metabolites: &dyn Fn(&str) -> Option<ValueKind>,
        names: &[&str],
    ) -> Result<Vec<ReadyGate>, GatesError> {
        let ready = |gate: &Gate| {
            let expression = gate.expression()?;
            let of_spectra =
                gate.metabolites.is_none() && expression.columns().iter().all(|column| spectra(column).is_some());
            let columns = |column: &str| match of_spectra {
                true => spectra(column),
                false => metabolites(column).or_else(|| spectra(column)),
            };
            expression.check(&columns).map_err(|source| GatesError::Columns {
                gate: gate.name.clone(),
                source: with_near_names(source, names),
            })?;
            Ok(ReadyGate { name: gate.name.clone(), metabolites: gate.metabolites.clone(), of_spectra, expression })
        };
        self.gates.iter().map(ready).collect()
    }
}

impl Gate {
    fn expression(&self) -> Result<Expression, GatesError> {
        self.keep.parse().map_err(|source| GatesError::Expression { gate: self.name.clone(), source })
    }
}

fn gate_name(name: &str, number: usize) -> String {
    if name.is_empty() { (number + 1).to_string() } else { name.chars().take(64).collect() }
}

/// Names what may have been meant.
fn with_near_names(error: KindError, names: &[&str]) -> KindError {
    let KindError::Column { column, .. } = error else { return error };
    let plain = |text: &str| text.to_lowercase();
    let wanted = plain(&column);
    let parts: Vec<&str> = wanted.split('_').filter(|part| part.len() > 2).collect();
    let is_near = |name: &&&str| parts.iter().any(|part| plain(name).contains(part));
    let near: Vec<&str> = names.iter().filter(is_near).take(6).copied().collect();
    let near = match near.is_empty() {
        true => "; docs/reference/columns.md lists them".to_owned(),
        false => format!("; is one of these meant: {}?", near.join(", ")),
    };
    KindError::Column { column, near }
}

/// A gate whose columns are known.
#[derive(Debug, Clone, PartialEq)]
pub struct ReadyGate {
    /// Its name.
    pub name: String,
    /// The metabolites that it is asked of; `None`: all.
    pub metabolites: Option<Vec<String>>,
    /// Whether it asks for columns of `spectra` alone.
    pub of_spectra: bool,
    /// What must hold.
    pub expression: Expression,
}

impl ReadyGate {
    /// Whether it is asked of this metabolite.
    pub fn asks(&self, metabolite: &str) -> bool {
        self.metabolites.as_ref().is_none_or(|names| names.iter().any(|name| name == metabolite))
    }

    /// What it says of `row`, whose group has these medians.
    pub fn verdict(&self, row: &dyn Row, medians: &[Option<f64>]) -> Verdict {
        match self.expression.holds(row, medians) {
            Some(true) => Verdict::Passes,
            Some(false) => Verdict::Fails,
            None => Verdict::Unknown,
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn profile(gate: &str) -> Result<Gates, GatesError> {
        Gates::from_toml(&format!("name = \"mine\"\n[[gates]]\n{gate}"))
    }

    #[test]
    fn built_in_profiles_are_read_and_say_what_they_bias() {
        for name in Gates::built_in_names() {
            let gates = Gates::built_in(name).unwrap().unwrap();
            assert_eq!(gates.name, name);
            assert_eq!(Gates::from_toml(&toml::to_string(&gates).unwrap()).unwrap(), gates);
        }
        let of = |name: &str| Gates::built_in(name).unwrap().unwrap().biases();
        assert!(of("seed2020")[0].contains("low"), "{:?}", of("seed2020"));
        assert!(of("none").is_empty());
        assert!(Gates::built_in("seed").is_none());
    }

    #[test]
    fn profiles_that_cannot_be_meant_are_refused() {
        for (gate, words) in [
            ("name = \"a\"", "missing field `keep`"),
            ("name = \"a\"\nkep = \"snr > 3\"", "unknown field `kep`"),
            ("name = \"\"\nkeep = \"snr > 3\"", "gate `1`"),
            ("name = \"Low SNR\"\nkeep = \"snr > 3\"", "letters a to z"),
            ("name = \"a\"\nkeep = \"snr >\"", "gate `a`: keep: at character 6"),
            ("name = \"a\"\nkeep = \"snr > 3\"\nmetabolites = []", "empty"),
            ("name = \"a\"\nkeep = \"snr > 3\"\n[[gates]]\nname = \"a\"\nkeep = \"snr > 4\"", "two gates"),
        ] {
            let message = profile(gate).unwrap_err().to_string();
            assert!(message.contains(words), "{gate}: {message}");
        }
        let own = profile("name = \"a\"\nkeep = \"snr > 3\"\nmetabolites = [\"mI\"]").unwrap();
        assert_eq!(own.gates[0].metabolites.as_ref().unwrap(), &["Ins"]);
    }

    #[test]
    fn columns_are_held_to_the_tables() {
        let spectra = |name: &str| match name {
            "snr" | "shift_hz" => Some(ValueKind::Number),
            "method" => Some(ValueKind::Text),
            "qc_flags" => Some(ValueKind::Texts),
            _ => None,
        };
        let metabolites = |name: &str| ["amplitude", "shift_hz"].contains(&name).then_some(ValueKind::Number);
        let ready = |keep: &str| {
            profile(&format!("name = \"a\"\nkeep = \"{keep}\"")).unwrap().ready(
                &spectra,
                &metabolites,
                &["snr", "fwhm_hz"],
            )
        };
        assert!(ready("snr > 3 and shift_hz < 2").unwrap()[0].of_spectra);
        assert!(!ready("snr > 3 and amplitude > 0").unwrap()[0].of_spectra);
        for (keep, words) in [
            ("fwhm > 3", "no column `fwhm` in `spectra` or `metabolites`; is one of these meant: fwhm_hz?"),
            ("linewidht > 3", "columns.md"),
            ("snr", "a number where true or false was to come, in `keep`"),
            ("snr > 'a'", "a text where a number"),
            ("method > 3", "a text where a number"),
            ("qc_flags == 'low_snr'", "where a list of texts"),
            ("has(method, 'a')", "a text where a list"),
            ("median(method) > 3", "in `median`"),
            ("not snr", "in `not`"),
            ("coalesce(snr, method) > 1", "in `coalesce`"),
        ] {
            let message = ready(keep).unwrap_err().to_string();
            assert!(message.starts_with("gate `a`: keep:") && message.contains(words), "{keep}: {message}");
        }
    }
}
