//! Which pieces the page holds itself, and which lie in files beside it.

use std::collections::BTreeMap;

use super::encode::base64;
use super::error::PageError;
use super::files::Beside;
use super::spectra::Spectra;
use crate::store::Status;

/// What the page holds of pieces (bytes before base64): with the rest of it well below 15 MB.
const MOST_BYTES: usize = 4 << 20;

/// Shares pieces out as they come, so that no more of them are held than the page has room for: what failed goes first, then
/// what is flagged, then all others, within each evenly over the rows.
#[derive(Debug)]
pub(super) struct Dealer {
    /// Place of each row in the order in which the page is filled.
    place: Vec<usize>,
    /// Row and piece by place.
    held: BTreeMap<usize, (usize, Vec<u8>)>,
    held_bytes: usize,
    most_bytes: usize,
    /// From this place on there is no room, whatever comes.
    end: usize,
}

impl Dealer {
    pub(super) fn new(spectra: &Spectra) -> Self {
        let rank = |row: &usize| {
            let of = &spectra.rows[*row].row;
            match (of.status, of.qc_flags.is_empty()) {
                (Status::Ok, true) => 2,
                (Status::Ok, false) => 1,
                _ => 0,
            }
        };
        Self::of_ranks(&(0..spectra.rows.len()).map(|row| rank(&row)).collect::<Vec<u8>>(), MOST_BYTES)
    }

    fn of_ranks(ranks: &[u8], most_bytes: usize) -> Self {
        const GOLDEN: f64 = 0.618_033_988_749_894_9;
        let mut order: Vec<usize> = (0..ranks.len()).collect();
        // Multiples of the golden ratio are spread evenly wherever one stops.
        let spread = |row: usize| (row as f64 * GOLDEN).fract();
        order.sort_by(|a, b| ranks[*a].cmp(&ranks[*b]).then(spread(*a).total_cmp(&spread(*b))));
        let mut place = vec![0; ranks.len()];
        order.iter().enumerate().for_each(|(at, row)| place[*row] = at);
        Self { place, held: BTreeMap::new(), held_bytes: 0, most_bytes, end: ranks.len() }
    }

    /// Takes the piece of a row, or gives to `beside` what there is no room for.
    pub(super) fn add(&mut self, row: usize, piece: Vec<u8>, beside: &mut Beside) -> Result<(), PageError> {
        let place = self.place[row];
        if place >= self.end {
            return beside.add(row, &piece);
        }
        self.held_bytes += piece.len();
        self.held.insert(place, (row, piece));
        while self.held_bytes > self.most_bytes {
            // More can only come in front of it: it will not fit again.
            let Some((place, (row, piece))) = self.held.pop_last() else { break };
            self.held_bytes -= piece.len();
            self.end = place;
            beside.add(row, &piece)?;
        }
        Ok(())
    }

    /// The pieces (base64) of the page by their rows.
    pub(super) fn inside(self) -> BTreeMap<usize, String> {
        self.held.into_values().map(|(row, piece)| (row, base64(&piece))).collect()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn what_the_page_holds_does_not_depend_on_the_order_in_which_pieces_come() {
        let n = 200;
        let ranks: Vec<u8> = (0..n).map(|row| if row % 10 == 3 { 0 } else { 2 }).collect();
        let length = |row: usize| 50 + row * 37 % 91;
        let dealt = |rows: &mut dyn Iterator<Item = usize>| {
            let folder = tempfile::tempdir().unwrap();
            let mut beside = Beside::new(&folder.path().join("report.html")).unwrap();
            let mut dealer = Dealer::of_ranks(&ranks, 5_000);
            rows.for_each(|row| dealer.add(row, vec![0; length(row)], &mut beside).unwrap());
            let inside: Vec<usize> = dealer.inside().into_keys().collect();
            let rows = beside.end().unwrap();
            let page = folder.path().join("report.html");
            assert_eq!(beside.with_page(&page, "").unwrap().len(), rows.len() + 1);
            assert!(page.is_file());
            (inside, rows.concat())
        };
        let (inside, mut outside) = dealt(&mut (0..n));
        let (again, _) = dealt(&mut (0..n).rev());
        assert_eq!(inside, again);
        let bytes: usize = inside.iter().map(|row| length(*row)).sum();
        assert!((4_850..=5_000).contains(&bytes), "{bytes}");
        assert!((3..n).step_by(10).all(|row| inside.contains(&row)), "what failed is there first");
        outside.extend(inside);
        outside.sort_unstable();
        assert_eq!(outside, (0..n).collect::<Vec<_>>(), "every row once");
    }
}
