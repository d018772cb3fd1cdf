//! One argument of `--vary`: a setting and the values that it takes.

use toml::{Table, Value};

use crate::fit::vary::{NOT_VARIED, Variation};

/// An argument that is not `KEY=VALUE,VALUE,…`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("--vary {argument}: {why}")]
pub(super) struct ArgumentError {
    argument: String,
    why: String,
}

/// Reads `KEY=VALUE,VALUE,…`: TOML values, apart at commas outside brackets and quotes; a bare word is a text.
///
/// # Errors
/// [`ArgumentError`] with the value that is none, or that is there twice.
pub(super) fn parse(argument: &str) -> Result<Variation, ArgumentError> {
    let fail = |why: String| ArgumentError { argument: argument.to_owned(), why };
    let Some((key, list)) = argument.split_once('=') else {
        return Err(fail("give KEY=VALUE,VALUE,…, such as window_ppm=[0.2,4.2],[0.5,4.0]".to_owned()));
    };
    let key = key.trim();
    if key.split('.').any(|part| part.trim().is_empty() || part != part.trim()) {
        return Err(fail(format!("`{key}` names no setting: give its path in the method's file, table.key")));
    }
    if NOT_VARIED.contains(&key) {
        return Err(fail(format!("`{key}` cannot vary: give the methods themselves with --method")));
    }
    let mut values: Vec<Value> = Vec::new();
    for piece in at_top_commas(list).map_err(&fail)? {
        let value = value(piece).ok_or_else(|| match piece {
            "" => fail("a value is missing: give KEY=VALUE,VALUE,…".to_owned()),
            _ => fail(format!("`{piece}` is no TOML value")),
        })?;
        if values.iter().any(|other| is_same(other, &value)) {
            return Err(fail(format!("`{piece}` is there twice")));
        }
        values.push(value);
    }
    Ok(Variation { key: key.to_owned(), values, text: argument.to_owned() })
}

/// The pieces of `text` between commas that stand in no bracket, brace or quote.
fn at_top_commas(text: &str) -> Result<Vec<&str>, String> {
    let (mut pieces, mut start, mut open, mut quote) = (Vec::new(), 0, Vec::new(), None);
    let mut escaped = false;
    for (i, c) in text.char_indices() {
        match (quote, c) {
            (Some('"'), _) if escaped => escaped = false,
            (Some('"'), '\\') => escaped = true,
            (Some(q), _) if c == q => quote = None,
            (Some(_), _) => {}
            (None, '"' | '\'') => quote = Some(c),
            (None, '[') => open.push(']'),
            (None, '{') => open.push('}'),
            (None, ']' | '}') if open.pop() != Some(c) => return Err(format!("`{c}` closes nothing")),
            (None, ',') if open.is_empty() => {
                pieces.push(text[start..i].trim());
                start = i + 1;
            }
            (None, _) => {}
        }
    }
    match (quote, open.pop()) {
        (Some(q), _) => Err(format!("a {q} is not closed")),
        (None, Some(bracket)) => Err(format!("a `{bracket}` is missing")),
        (None, None) => {
            pieces.push(text[start..].trim());
            Ok(pieces)
        }
    }
}

/// A TOML value, or a bare word as a text.
fn value(piece: &str) -> Option<Value> {
    let table = toml::from_str::<Table>(&format!("v = {piece}")).ok().filter(|t| t.len() == 1);
    if let Some(value) = table.and_then(|mut t| t.remove("v")) {
        return Some(value);
    }
    let is_word = piece.starts_with(|c: char| c.is_ascii_alphabetic())
        && piece.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_');
    is_word.then(|| Value::String(piece.to_owned()))
}

/// Whether two values mean the same setting: 4 and 4.0 do.
fn is_same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Integer(i), Value::Float(f)) | (Value::Float(f), Value::Integer(i)) => *i as f64 == *f,
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| is_same(a, b)),
        _ => a == b,
    }
}

#[cfg(test)]
#[path = "vary_tests.rs"]
mod tests;
