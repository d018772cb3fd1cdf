//! Where transients of an edited scan stand among all: by the counters of the index, so that one that was rejected or is not whole
//! leaves its place empty, and the others keep theirs.

use std::collections::BTreeSet;

use super::index::{COLUMNS, TRANSIENTS, Vector};

/// Places that counters span, over those that the index names, at most (numerator, denominator): where there are more, the
/// counters are no grid, as where two of them rise together.
const MOST_PLACES: (usize, usize) = (3, 2);

/// Counters of all transients of the first mix, in their order: those that the index names, rejected ones too, and those that
/// are missing between them.
pub(super) fn places(vectors: &[Vector], rejected: &[[i64; COLUMNS]]) -> Vec<[i64; 5]> {
    let first = vectors.iter().map(|v| v.attributes[0]).min().unwrap_or(0);
    let all = vectors.iter().map(|v| &v.attributes).chain(rejected).filter(|a| a[0] == first);
    let named: BTreeSet<[i64; 5]> = all.map(|a| TRANSIENTS.map(|k| a[k])).collect();
    let most = named.len() * MOST_PLACES.0 / MOST_PLACES.1;
    let mut grid: Vec<Vec<i64>> = vec![Vec::new()];
    for k in 0..TRANSIENTS.len() {
        let values: BTreeSet<i64> = named.iter().map(|place| place[k]).collect();
        let (low, high) = (values.first().copied().unwrap_or(0), values.last().copied().unwrap_or(0));
        let span = usize::try_from(high.saturating_sub(low)).unwrap_or(usize::MAX).saturating_add(1);
        if grid.len().saturating_mul(span) > most {
            return named.into_iter().collect();
        }
        grid = grid.iter().flat_map(|start| (low..=high).map(|v| [start.as_slice(), &[v]].concat())).collect();
    }
    grid.into_iter().filter_map(|place| place.try_into().ok()).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::super::index::{rejected, vectors};
    use super::*;

    fn of(lines: &str) -> Vec<[i64; 5]> {
        places(&vectors(lines).unwrap(), &rejected(lines))
    }

    fn line(kind: &str, dynamic: usize, average: usize) -> String {
        format!("{kind} 0 {dynamic} 0 0 0 1 0 0 0 0 0 {average} 1 0 0 0 0 0 64 0\n")
    }

    #[test]
    fn a_transient_that_is_not_there_has_its_place() {
        let averages = |kind: &dyn Fn(usize) -> Option<&'static str>| -> String {
            (0..8).filter_map(|k| Some(line(kind(k)?, 0, k))).collect()
        };
        let whole = of(&averages(&|_| Some("STD")));
        assert_eq!(whole.iter().map(|place| place[2]).collect::<Vec<_>>(), [0, 1, 2, 3, 4, 5, 6, 7]);
        for k in [0, 3, 7] {
            assert_eq!(of(&averages(&|n| Some(if n == k { "REJ" } else { "STD" }))), whole, "{k}");
        }
        // Without a line of its own.
        assert_eq!(of(&averages(&|n| (n != 3).then_some("STD"))), whole);
    }

    #[test]
    fn counters_that_are_no_grid_are_taken_as_they_are() {
        let together: String = (0..4).map(|k| line("STD", k, k)).collect();
        assert_eq!(of(&together).len(), 4);
        let far: String = [0, 1, usize::from(u16::MAX)].map(|k| line("STD", 0, k)).concat();
        assert_eq!(of(&far).len(), 3);
        let grid: String = (0..6).filter(|k| *k != 2).map(|k| line("STD", k / 2, k % 2)).collect();
        assert_eq!(of(&grid).len(), 6);
    }
}
