//! A table on its way to files: columns with what they mean, cells of one kind a column.

use std::borrow::Cow;
use std::collections::BTreeMap;

/// The cells of a column; `None` is missing.
#[derive(Debug, Clone)]
pub(crate) enum Values<'a> {
    /// Labels.
    Text(Vec<Option<Cow<'a, str>>>),
    /// Numbers; none of them is infinite.
    Number(Vec<Option<f64>>),
    /// Counts, and 0 or 1.
    Count(Vec<Option<i64>>),
}

impl Values<'_> {
    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Text(cells) => cells.len(),
            Self::Number(cells) => cells.len(),
            Self::Count(cells) => cells.len(),
        }
    }

    /// Whether all of them are missing.
    pub(crate) fn is_blank(&self) -> bool {
        match self {
            Self::Text(cells) => cells.iter().all(Option::is_none),
            Self::Number(cells) => cells.iter().all(Option::is_none),
            Self::Count(cells) => cells.iter().all(Option::is_none),
        }
    }
}

/// A column.
#[derive(Debug, Clone)]
pub(crate) struct Column<'a> {
    pub(crate) name: String,
    /// What it holds, in a sentence.
    pub(crate) description: String,
    /// Empty for what has none.
    pub(crate) unit: &'static str,
    /// What its values stand for, where they are codes.
    pub(crate) levels: BTreeMap<&'static str, &'static str>,
    pub(crate) values: Values<'a>,
}

impl<'a> Column<'a> {
    pub(crate) fn text(
        name: impl Into<String>,
        description: impl Into<String>,
        cells: impl Iterator<Item = Option<&'a str>>,
    ) -> Self {
        Self::new(name, description, "", Values::Text(cells.map(|cell| cell.map(Cow::Borrowed)).collect()))
    }

    pub(crate) fn owned(
        name: impl Into<String>,
        description: impl Into<String>,
        cells: impl Iterator<Item = Option<String>>,
    ) -> Self {
        Self::new(name, description, "", Values::Text(cells.map(|cell| cell.map(Cow::Owned)).collect()))
    }

    pub(crate) fn number(
        name: impl Into<String>,
        description: impl Into<String>,
        unit: &'static str,
        cells: impl Iterator<Item = Option<f64>>,
    ) -> Self {
        let finite = cells.map(|cell| cell.filter(|value| value.is_finite()));
        Self::new(name, description, unit, Values::Number(finite.collect()))
    }

    pub(crate) fn count(
        name: impl Into<String>,
        description: impl Into<String>,
        cells: impl Iterator<Item = Option<i64>>,
    ) -> Self {
        Self::new(name, description, "", Values::Count(cells.collect()))
    }

    /// 1 for yes and 0 for no.
    pub(crate) fn truth(
        name: impl Into<String>,
        description: impl Into<String>,
        cells: impl Iterator<Item = Option<bool>>,
    ) -> Self {
        let mut column = Self::count(name, description, cells.map(|cell| cell.map(i64::from)));
        column.levels = BTreeMap::from([("0", "no"), ("1", "yes")]);
        column
    }

    pub(crate) fn new(
        name: impl Into<String>,
        description: impl Into<String>,
        unit: &'static str,
        values: Values<'a>,
    ) -> Self {
        Self { name: name.into(), description: description.into(), unit, levels: BTreeMap::new(), values }
    }
}

/// A table.
#[derive(Debug, Clone)]
pub(crate) struct Table<'a> {
    /// Name of its files, without an extension.
    pub(crate) name: String,
    /// What one row stands for.
    pub(crate) row: &'static str,
    pub(crate) columns: Vec<Column<'a>>,
}

impl Table<'_> {
    pub(crate) fn n_rows(&self) -> usize {
        self.columns.first().map_or(0, |column| column.values.len())
    }
}

/// The shortest decimal number that reads back as `value`.
pub(crate) fn decimal(value: f64) -> String {
    let size = value.abs();
    if size == 0.0 {
        "0".to_owned()
    } else if (1e-5..1e15).contains(&size) {
        value.to_string()
    } else {
        format!("{value:e}")
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_back() {
        for value in [0.1 + 0.2, 1.0 / 3.0, 1e-300, 6.02e23, -12.0, f64::MIN_POSITIVE, 123_456_789.123_456_78] {
            assert_eq!(decimal(value).parse::<f64>().unwrap().to_bits(), value.to_bits(), "{}", decimal(value));
            assert!(decimal(value).len() < 25);
        }
        assert_eq!((decimal(33.0), decimal(-0.0), decimal(0.05)), ("33".into(), "0".into(), "0.05".into()));
    }
}
