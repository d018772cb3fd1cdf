//! Medians, of which there are two: of an even number of values they differ.

/// The mean of the middle two of an even number of values; `None` where there are no values.
pub(crate) fn median(values: &[f64]) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let n = sorted.len();
    (n > 0).then(|| 0.5 * (sorted[(n - 1) / 2] + sorted[n / 2]))
}

/// The larger of the middle two of an even number of values, so always one of the values, found in linear time; 0 where
/// there are no values.
pub(crate) fn upper_median(values: impl Iterator<Item = f64>) -> f64 {
    let mut all: Vec<f64> = values.collect();
    if all.is_empty() {
        return 0.0;
    }
    let half = all.len() / 2;
    *all.select_nth_unstable_by(half, f64::total_cmp).1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn medians_differ_where_the_number_of_values_is_even() {
        assert_eq!(median(&[4.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(&[4.0, 1.0, 2.0, 3.0]), Some(2.5));
        assert_eq!(median(&[]), None);
        assert_eq!(upper_median([4.0, 1.0, 2.0].into_iter()), 2.0);
        assert_eq!(upper_median([4.0, 1.0, 2.0, 3.0].into_iter()), 3.0);
        assert_eq!(upper_median(std::iter::empty()), 0.0);
    }
}
