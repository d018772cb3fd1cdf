//! Many rows' values in a few words.

use std::collections::BTreeMap;

use crate::signal::median::median;

/// Most different values that are told one by one.
const MOST: usize = 6;

/// A number with as many digits as anybody reads: `precision` significant ones, no zeros behind.
pub(super) fn number(value: f64, precision: i32) -> String {
    if value == 0.0 || !value.is_finite() {
        return format!("{value}");
    }
    let before = value.abs().log10().floor() as i32 + 1;
    let decimals = usize::try_from(precision - before).unwrap_or(0);
    let text = format!("{value:.decimals$}");
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

/// How many.
pub(super) fn plural(n: usize, one: &str, many: &str) -> String {
    format!("{n} {}", if n == 1 { one } else { many })
}

/// Different values, the most frequent first, each with how many have it where there are several; what is not known is told,
/// too. `None` where nothing is known.
pub(super) fn listed(values: impl IntoIterator<Item = Option<String>>) -> Option<String> {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    let mut n_unknown = 0;
    for value in values {
        match value {
            Some(value) => *counts.entry(value).or_default() += 1,
            None => n_unknown += 1,
        }
    }
    if counts.is_empty() {
        return None;
    }
    let mut sorted: Vec<(String, usize)> = counts.into_iter().collect();
    sorted.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    let is_one = sorted.len() == 1 && n_unknown == 0;
    let mut parts: Vec<String> = sorted
        .iter()
        .take(MOST)
        .map(|(text, n)| if is_one { text.clone() } else { format!("{text} (n = {n})") })
        .collect();
    if sorted.len() > MOST {
        let n: usize = sorted[MOST..].iter().map(|(_, n)| n).sum();
        parts.push(format!("{} more (n = {n})", sorted.len() - MOST));
    }
    if n_unknown > 0 {
        parts.push(format!("not known (n = {n_unknown})"));
    }
    Some(parts.join(", "))
}

/// Numbers with few different values one by one, others by their median and range.
pub(super) fn numbers(values: impl IntoIterator<Item = Option<f64>>, precision: i32, unit: &str) -> Option<String> {
    let all: Vec<Option<f64>> = values.into_iter().map(|value| value.filter(|v| v.is_finite())).collect();
    let text = |value: f64| with_unit(&number(value, precision), unit);
    let mut different: Vec<String> = all.iter().flatten().map(|&v| text(v)).collect();
    different.sort();
    different.dedup();
    if different.len() <= MOST { listed(all.into_iter().map(|v| v.map(text))) } else { spread(all, precision, unit) }
}

/// Median, range and number of the values; `None` where there are none.
pub(super) fn spread(values: impl IntoIterator<Item = Option<f64>>, precision: i32, unit: &str) -> Option<String> {
    let all: Vec<Option<f64>> = values.into_iter().map(|value| value.filter(|v| v.is_finite())).collect();
    let mut known: Vec<f64> = all.iter().flatten().copied().collect();
    known.sort_by(f64::total_cmp);
    let middle = median(&known)?;
    let (least, most) = (known.first()?, known.last()?);
    let middle = with_unit(&number(middle, precision), unit);
    let n_unknown = all.len() - known.len();
    let unknown = if n_unknown > 0 { format!(", not known of {n_unknown}") } else { String::new() };
    Some(if known.len() == 1 {
        format!("{middle} (n = 1{unknown})")
    } else {
        let range = format!("{} to {}", number(*least, precision), number(*most, precision));
        format!("{middle} (median; {range}, n = {}{unknown})", known.len())
    })
}

fn with_unit(text: &str, unit: &str) -> String {
    match unit {
        "" => text.to_owned(),
        "%" => format!("{text} %"),
        unit => format!("{text} {unit}"),
    }
}

/// Sentences' parts that are there, put together.
pub(super) fn joined(parts: impl IntoIterator<Item = Option<String>>, between: &str) -> Option<String> {
    let parts: Vec<String> = parts.into_iter().flatten().filter(|part| !part.is_empty()).collect();
    (!parts.is_empty()).then(|| parts.join(between))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_the_digits_that_are_read() {
        for (value, precision, text) in
            [(2.893_4, 3, "2.89"), (2000.0, 4, "2000"), (12345.6, 3, "12346"), (0.012_34, 2, "0.012"), (30.0, 3, "30")]
        {
            assert_eq!(number(value, precision), text);
        }
        assert_eq!((number(0.0, 3), number(f64::INFINITY, 3)), ("0".into(), "inf".into()));
    }

    #[test]
    fn what_is_not_known_is_told() {
        let of = |all: &[Option<&str>]| listed(all.iter().map(|v| v.map(str::to_owned)));
        assert_eq!(of(&[None, None]), None);
        assert_eq!(of(&[Some("a"), Some("a")]).as_deref(), Some("a"));
        assert_eq!(
            of(&[Some("b"), Some("a"), Some("a"), None]).as_deref(),
            Some("a (n = 2), b (n = 1), not known (n = 1)")
        );
        assert_eq!(
            spread([Some(1.0), None, Some(3.0), Some(f64::NAN)], 3, "Hz").as_deref(),
            Some("2 Hz (median; 1 to 3, n = 2, not known of 2)")
        );
        assert_eq!(spread([None], 3, ""), None);
    }

    #[test]
    fn many_different_numbers_become_a_range() {
        let few = numbers([Some(64.0), Some(64.0), Some(32.0)], 6, "");
        assert_eq!(few.as_deref(), Some("64 (n = 2), 32 (n = 1)"));
        let many = numbers((0..20).map(|i| Some(f64::from(i))), 6, "ml");
        assert_eq!(many.as_deref(), Some("9.5 ml (median; 0 to 19, n = 20)"));
        let texts = listed((0..9).map(|i| Some(i.to_string())));
        assert!(texts.is_some_and(|t| t.ends_with("3 more (n = 3)")));
    }
}
