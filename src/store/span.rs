//! Which part of a run's listing something covers.

use std::fmt;
use std::ops::Range;

use serde::{Deserialize, Serialize};

/// A position in the order of a run's tables: a file of the listing, and a voxel of its grid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Position {
    /// Index of the file in the listing.
    pub file: usize,
    /// Index of the voxel, the grid's first index fastest; 0 is the file's beginning.
    pub voxel: usize,
}

impl Position {
    /// Where file `file` begins.
    pub fn at_file(file: usize) -> Self {
        Self { file, voxel: 0 }
    }
}

impl fmt::Display for Position {
    /// As in the names of chunks: `000012`, or `000012v512` within a grid.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:06}", self.file)?;
        if self.voxel > 0 { write!(f, "v{}", self.voxel) } else { Ok(()) }
    }
}

/// What lies between two positions: whole files, or some voxels of one file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Span {
    /// The first that belongs to it.
    pub from: Position,
    /// The first that does not. The last voxels of a file end where the next file begins.
    pub to: Position,
}

impl Span {
    /// These files as a whole.
    pub fn of_files(files: Range<usize>) -> Self {
        Self { from: Position::at_file(files.start), to: Position::at_file(files.end) }
    }

    /// The files of which it has something.
    pub fn files(&self) -> Range<usize> {
        self.from.file..self.to.file.saturating_add(usize::from(self.to.voxel > 0))
    }

    /// Its voxels, where it is a part of one file; the range may reach past the last voxel.
    pub fn voxels(&self) -> Option<Range<usize>> {
        let to = if self.to.file == self.from.file { self.to.voxel } else { usize::MAX };
        (self.from.voxel > 0 || self.to.voxel > 0).then_some(self.from.voxel..to)
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.from, self.to)
    }
}

/// Of `done`, in any order and perhaps overlapping, those that lie side by side from `from` to `to`; `Err` with the
/// furthest position that can be reached where they leave a gap.
///
/// # Errors
/// The end of what is covered without a gap.
pub fn tile<'a>(done: &'a [Span], from: Position, to: Position) -> Result<Vec<&'a Span>, Position> {
    let mut sorted: Vec<&Span> = done.iter().filter(|span| span.from < span.to).collect();
    sorted.sort();
    // The span through which each position is reached; positions come in their order.
    let mut reached: std::collections::BTreeMap<Position, Option<&'a Span>> = [(from, None)].into();
    for span in sorted {
        if reached.contains_key(&span.from) {
            reached.entry(span.to).or_insert(Some(span));
        }
    }
    let (&furthest, _) = reached.range(..=to).next_back().unwrap_or((&from, &None));
    if furthest != to {
        return Err(furthest);
    }
    let mut chain = Vec::new();
    let mut at = to;
    while let Some(Some(span)) = reached.get(&at) {
        chain.push(*span);
        at = span.from;
    }
    chain.reverse();
    Ok(chain)
}

/// What `done`, which do not overlap, leave open of `whole`.
pub fn gaps(done: &[Span], whole: Span) -> Vec<Span> {
    let mut sorted: Vec<&Span> = done.iter().filter(|s| s.from < whole.to && s.to > whole.from).collect();
    sorted.sort();
    let mut open = Vec::new();
    let mut at = whole.from;
    for span in sorted {
        if at < span.from {
            open.push(Span { from: at, to: span.from });
        }
        at = at.max(span.to);
    }
    if at < whole.to {
        open.push(Span { from: at, to: whole.to });
    }
    open
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    fn span(from: (usize, usize), to: (usize, usize)) -> Span {
        let position = |(file, voxel)| Position { file, voxel };
        Span { from: position(from), to: position(to) }
    }

    #[test]
    fn files_and_voxels_of_a_span() {
        assert_eq!(Span::of_files(3..7).files(), 3..7);
        assert_eq!(Span::of_files(3..7).voxels(), None);
        let part = span((3, 0), (3, 64));
        assert_eq!((part.files(), part.voxels()), (3..4, Some(0..64)));
        let last = span((3, 64), (4, 0));
        assert_eq!((last.files(), last.voxels()), (3..4, Some(64..usize::MAX)));
        assert_eq!(last.to_string(), "000003v64-000004");
    }

    #[test]
    fn spans_side_by_side_tile_the_whole_and_others_do_not() {
        let end = Position::at_file(6);
        let all = [
            Span::of_files(4..6),
            Span::of_files(0..2),
            // Overlaps its neighbours, and leads nowhere.
            Span::of_files(1..5),
            span((3, 8), (4, 0)),
            span((2, 0), (3, 8)),
        ];
        let tiles: Vec<Span> = tile(&all, Position::at_file(0), end).unwrap().into_iter().copied().collect();
        assert_eq!(tiles, [all[1], all[4], all[3], all[0]]);
        assert_eq!(tile(&all[..4], Position::at_file(0), end), Err(Position::at_file(2)));
        assert_eq!(tile(&[], end, end), Ok(Vec::new()));
        // Other cuts of the same files do not hide each other.
        let twice = [Span::of_files(0..2), Span::of_files(0..3), Span::of_files(2..6)];
        assert_eq!(tile(&twice, Position::at_file(0), end).unwrap().len(), 2);
    }

    #[test]
    fn gaps_are_what_is_not_done() {
        let done = [span((2, 0), (2, 5)), Span::of_files(0..1)];
        assert_eq!(gaps(&done, Span::of_files(0..4)), [Span::of_files(1..2), span((2, 5), (4, 0))]);
        assert_eq!(gaps(&[], Span::of_files(0..4)), [Span::of_files(0..4)]);
        assert_eq!(gaps(&done, Span::of_files(0..1)), []);
        assert_eq!(gaps(&[Span::of_files(0..9)], Span::of_files(2..4)), []);
    }
}
