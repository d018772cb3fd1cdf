//! Numbers as the page has them.

/// Digits of the numbers that the script gets: more than anybody sees, few enough for a small page.
const DIGITS: usize = 6;

/// `value` to six digits; `None` where it is no number.
pub(super) fn rounded(value: f64) -> Option<f64> {
    to_digits(value, DIGITS)
}

/// `value` to `digits` digits.
pub(super) fn to_digits(value: f64, digits: usize) -> Option<f64> {
    if !value.is_finite() {
        return None;
    }
    format!("{value:.*e}", digits.saturating_sub(1)).parse().ok()
}

/// `value` as people write it, to `digits` digits: `35`, `0.12`, `0`; a dash where it is no number.
pub(super) fn written(value: Option<f64>, digits: usize) -> String {
    match value.and_then(|value| to_digits(value, digits)) {
        None => "–".to_owned(),
        Some(value) if value != 0.0 && !(1e-4..1e7).contains(&value.abs()) => format!("{value:e}"),
        Some(value) => format!("{value}").replace('-', "−"),
    }
}

/// `value` with `decimals` decimals; a dash where it is no number.
pub(super) fn fixed(value: Option<f64>, decimals: usize) -> String {
    match value.filter(|value| value.is_finite()) {
        None => "–".to_owned(),
        Some(value) => format!("{value:.decimals$}").replace('-', "−"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_as_people_write_them() {
        let one = |value: f64| written(Some(value), 3);
        assert_eq!([one(34.999_999_999), one(0.0), one(0.12), one(-2.0)], ["35", "0", "0.12", "−2"]);
        assert_eq!([one(1234.5), one(1.5e-7), one(f64::NAN), written(None, 3)], ["1230", "1.5e-7", "–", "–"]);
        assert_eq!((fixed(Some(1.0), 2), fixed(Some(-0.126), 2)), ("1.00".to_owned(), "−0.13".to_owned()));
        assert_eq!((rounded(1.234_567_89), rounded(f64::INFINITY)), (Some(1.23457), None));
    }
}
