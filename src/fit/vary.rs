//! One method into many: settings varied over lists of values, all combinations – a multiverse of analyses (Steegen et al.
//! 2016, <https://doi.org/10.1177/1745691616658637>).

use toml::{Table, Value};

use super::method::{Method, MethodError};
use super::settings_error::SettingsError;

/// Most methods that variations may make of one: each multiplies the run's work and tables.
pub const MAX_METHODS: usize = 1000;

/// Settings by which a row knows its method; they follow from the others.
pub const NOT_VARIED: [&str; 3] = ["name", "description", "family"];

/// One setting and the values that it takes.
#[derive(Debug, Clone, PartialEq)]
pub struct Variation {
    /// Dotted path of the setting in the method's file.
    pub key: String,
    /// Its values, in the order given.
    pub values: Vec<Value>,
    /// What the user wrote, for messages.
    pub text: String,
}

/// One setting of one method among those that vary.
#[derive(Debug, Clone, PartialEq)]
pub struct Setting {
    /// Dotted path of the setting.
    pub key: String,
    /// Its value here.
    pub value: Value,
}

/// A method with varied settings.
#[derive(Debug, Clone, PartialEq)]
pub struct Varied {
    /// The method, under a name of its own.
    pub method: Method,
    /// Name of the method that it was made of.
    pub base: String,
    /// Its values of what varies, in the order of the variations.
    pub settings: Vec<Setting>,
}

/// Why a method cannot be varied so.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VaryError {
    /// The method has no such setting.
    #[error(
        "--vary {argument}: method `{method}` has no setting `{key}`; {place} has {}",
        known.join(", ")
    )]
    Unknown {
        /// The argument.
        argument: String,
        /// The method's name.
        method: String,
        /// The setting.
        key: String,
        /// The table that it would be in.
        place: String,
        /// The settings that are there.
        known: Vec<String>,
    },
    /// A value is of the wrong type or out of range, or values cannot go together.
    #[error("--vary {arguments}: method `{method}` cannot have {combination}: {why}")]
    Refused {
        /// The arguments that it takes to fail.
        arguments: String,
        /// The method's name.
        method: String,
        /// Settings with their values.
        combination: String,
        /// What is wrong with them.
        why: String,
    },
    /// Two arguments are about one setting.
    #[error("--vary {first} and --vary {second} set the same: give all values in one of them")]
    Overlap {
        /// The earlier argument.
        first: String,
        /// The later one.
        second: String,
    },
    /// More methods than anybody means.
    #[error("--vary: the variations make {n} methods, at most {MAX_METHODS} are run together: give fewer values")]
    TooMany {
        /// How many there would be.
        n: usize,
    },
}

/// `method` with every combination of the variations' values; the last variation changes fastest.
///
/// # Errors
/// [`VaryError`]: a setting that is not there, a value that it cannot take, values that cannot go together.
pub fn expand(method: &Method, variations: &[Variation]) -> Result<Vec<Varied>, VaryError> {
    for (i, second) in variations.iter().enumerate() {
        let within = |a: &str, b: &str| a == b || a.strip_prefix(b).is_some_and(|rest| rest.starts_with('.'));
        let clash = |first: &&Variation| within(&first.key, &second.key) || within(&second.key, &first.key);
        if let Some(first) = variations[..i].iter().find(clash) {
            return Err(VaryError::Overlap { first: first.text.clone(), second: second.text.clone() });
        }
    }
    let n = variations.iter().fold(1_usize, |n, v| n.saturating_mul(v.values.len()));
    if n > MAX_METHODS {
        return Err(VaryError::TooMany { n });
    }
    (0..n)
        .map(|index| {
            let mut rest = index;
            let mut chosen: Vec<usize> =
                variations.iter().rev().map(|v| take_digit(&mut rest, v.values.len())).collect();
            chosen.reverse();
            one(method, variations, &chosen)
        })
        .collect()
}

fn take_digit(rest: &mut usize, base: usize) -> usize {
    let digit = *rest % base;
    *rest /= base;
    digit
}

/// The method with value `chosen[i]` of each variation.
fn one(method: &Method, variations: &[Variation], chosen: &[usize]) -> Result<Varied, VaryError> {
    let picked: Vec<(&Variation, &Value)> = variations.iter().zip(chosen).map(|(v, &i)| (v, &v.values[i])).collect();
    let name = format!("{}[{}]", method.name(), label(&picked));
    let made = with(method, &name, &picked)?;
    let settings = picked.iter().map(|(v, value)| Setting { key: v.key.clone(), value: (*value).clone() }).collect();
    Ok(Varied { method: made, base: method.name().to_owned(), settings })
}

/// The method with these values, or which of them it cannot have.
fn with(method: &Method, name: &str, picked: &[(&Variation, &Value)]) -> Result<Method, VaryError> {
    let refused = |of: &[(&Variation, &Value)], why: String| VaryError::Refused {
        arguments: of.iter().map(|(v, _)| v.text.as_str()).collect::<Vec<_>>().join(" --vary "),
        method: method.name().to_owned(),
        combination: of.iter().map(|(v, value)| format!("{} = {value}", v.key)).collect::<Vec<_>>().join(", "),
        why,
    };
    let table = Table::try_from(method).map_err(|e| refused(picked, e.to_string()))?;
    let mut varied = table.clone();
    varied.insert("name".to_owned(), Value::String(name.to_owned()));
    for (variation, value) in picked {
        put(&mut varied, &variation.key, value);
    }
    let error = match parsed(&varied) {
        Ok(made) => return Ok(made),
        Err(error) => error,
    };
    // Where one of them fails by itself it is told alone.
    for one in picked {
        let mut alone = table.clone();
        let was_there = put(&mut alone, &one.0.key, one.1);
        match parsed(&alone) {
            Err(_) if !was_there => return Err(unknown(method, &table, one.0)),
            Err(error @ MethodError::Toml(_)) => return Err(refused(&[*one], told(&error))),
            Err(error) if picked.len() == 1 => return Err(refused(&[*one], told(&error))),
            _ => {}
        }
    }
    Err(refused(picked, told(&error)))
}

fn parsed(table: &Table) -> Result<Method, MethodError> {
    Method::from_toml(&table.to_string())
}

/// The message of an error about a text that the user has not written: without its line.
fn told(error: &MethodError) -> String {
    match error {
        MethodError::Toml(error) => error.message().trim_end().replace('\n', " "),
        MethodError::Settings(SettingsError { field, why, .. }) => format!("`{field}`: {why}"),
    }
}

/// Sets the value at a dotted path; whether there was one. A path into a choice (`"evidence"`, `{ lambda = 1.0 }`) makes
/// that choice.
fn put(table: &mut Table, key: &str, value: &Value) -> bool {
    match key.split_once('.') {
        None => {
            let was_there = table.contains_key(key);
            table.insert(key.to_owned(), value.clone());
            was_there
        }
        Some((first, rest)) => match table.get_mut(first) {
            Some(Value::Table(inner)) => {
                // One entry alone may be a choice with its number: another choice replaces it.
                if inner.len() == 1 && !rest.contains('.') && !inner.contains_key(rest) {
                    inner.clear();
                }
                put(inner, rest, value)
            }
            Some(other) => {
                let mut inner = Table::new();
                put(&mut inner, rest, value);
                *other = Value::Table(inner);
                // What the choice is called only its parser knows; it was there as far as the path goes.
                true
            }
            None => {
                let mut inner = Table::new();
                put(&mut inner, rest, value);
                table.insert(first.to_owned(), Value::Table(inner));
                false
            }
        },
    }
}

fn unknown(method: &Method, table: &Table, variation: &Variation) -> VaryError {
    let (mut here, mut path) = (table, Vec::new());
    for part in variation.key.split('.') {
        match here.get(part) {
            Some(Value::Table(inner)) => {
                here = inner;
                path.push(part);
            }
            _ => break,
        }
    }
    let known = here.keys().filter(|k| !(path.is_empty() && NOT_VARIED.contains(&k.as_str())));
    VaryError::Unknown {
        argument: variation.text.clone(),
        method: method.name().to_owned(),
        key: variation.key.clone(),
        place: if path.is_empty() { "it".to_owned() } else { format!("[{}]", path.join(".")) },
        known: known.cloned().collect(),
    }
}

/// What varies, as short as it can be told apart: `max_ed_per_ppm=4 window_ppm=0.2..4.2`.
fn label(picked: &[(&Variation, &Value)]) -> String {
    let last = |key: &str| key.rsplit('.').next().unwrap_or_default().to_owned();
    let parts = picked.iter().map(|(v, value)| {
        let short = last(&v.key);
        let is_unique = picked.iter().filter(|(other, _)| last(&other.key) == short).count() == 1;
        format!("{}={}", if is_unique { &short } else { &v.key }, value_label(value))
    });
    parts.collect::<Vec<_>>().join(" ")
}

/// A value as names show it: without quotes, brackets and braces.
pub fn value_label(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(value_label).collect::<Vec<_>>().join(".."),
        Value::Table(table) => {
            table.iter().map(|(k, v)| format!("{k}:{}", value_label(v))).collect::<Vec<_>>().join("+")
        }
        other => other.to_string(),
    }
}
