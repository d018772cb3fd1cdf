//! Spectral editing: which conditions a measurement has, and whether the file keeps them apart.

/// What is known of the spectral editing of a measurement.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Editing {
    /// Chemical shifts of each condition's editing pulses (ppm), in the order in which conditions are measured. Empty lists
    /// where the file does not say; no list at all where it does not even say for which.
    pub pulses_ppm: Vec<Vec<f64>>,
    /// Where the conditions stand.
    pub conditions: Conditions,
    /// How transients followed one another in the file, where they had to be sorted.
    pub turns: Option<Turns>,
    /// Who told which transient is of which condition.
    pub origin: Origin,
}

/// Who told which transient is of which condition.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub enum Origin {
    /// The file: its counters or labels.
    #[default]
    File,
    /// A manifest.
    Manifest,
    /// The data, with this probability.
    Data(f64),
}

impl Origin {
    /// The word in the tables.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::File => "file",
            Self::Manifest => "manifest",
            Self::Data(_) => "data",
        }
    }
}

/// Where the conditions of an edited measurement stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Conditions {
    /// On the axis of conditions: the file's counters or labels say so.
    #[default]
    Apart,
    /// All on the axis of transients, in an order that the file does not state: so many, or two or four.
    Mixed(Option<usize>),
}

/// How transients of several conditions follow one another: `block` of one condition, then as many of the next, and so on in
/// a circle. With `block = 1` they are measured in turn; mirrored, every second circle runs backwards (ABBA).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Turns {
    /// Number of conditions.
    pub n_conditions: usize,
    /// Transients of one condition that follow one another.
    pub block: usize,
    /// Whether every second circle runs backwards: on, off, off, on.
    pub is_mirrored: bool,
}

impl std::fmt::Display for Turns {
    /// As a manifest's column `edit_order` has it.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.block {
            _ if self.is_mirrored => f.write_str("abba"),
            1 => f.write_str("in_turn"),
            block => write!(f, "blocks_{block}"),
        }
    }
}

impl Turns {
    /// Conditions measured one after the other, transient by transient.
    pub fn in_turn(n_conditions: usize) -> Self {
        Self::blocks(n_conditions, 1)
    }

    /// Blocks of so many transients of one condition.
    pub fn blocks(n_conditions: usize, block: usize) -> Self {
        Self { n_conditions, block, is_mirrored: false }
    }

    /// Transient by transient, every second circle backwards: of two conditions A B B A.
    pub fn abba(n_conditions: usize) -> Self {
        Self { n_conditions, block: 1, is_mirrored: true }
    }

    /// The condition of a transient.
    pub fn condition(&self, transient: usize) -> usize {
        let (block, n) = (self.block.max(1), self.n_conditions.max(1));
        self.in_circle(transient / block / n, transient / block % n)
    }

    /// The condition at a place of a circle, and the place of a condition in it.
    fn in_circle(&self, circle: usize, place: usize) -> usize {
        let is_backwards = self.is_mirrored && circle % 2 == 1;
        if is_backwards { self.n_conditions.saturating_sub(1 + place) } else { place }
    }

    /// Transients of each condition, where there are `n_transients` in all; those of the last circle that are not whole are
    /// left out.
    pub fn of_each(&self, n_transients: usize) -> usize {
        let counts = (0..self.n_conditions).map(|c| (0..n_transients).filter(|t| self.condition(*t) == c).count());
        counts.min().unwrap_or(0)
    }

    /// Where the `number`-th transient of a condition stands among all.
    pub fn place(&self, condition: usize, number: usize) -> usize {
        let block = self.block.max(1);
        let circle = number / block;
        (circle * self.n_conditions + self.in_circle(circle, condition)) * block + number % block
    }
}

/// Kind of spectral editing, by the words that sequences and files are named with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Named {
    /// Number of conditions; `None`: the word does not tell.
    pub n_conditions: Option<usize>,
}

/// Words that sequences for editing are named with, and how many conditions they have. `j-difference` and the like come as
/// `edit`; `gaba` alone is GE's sequence and what sites call their scans.
const WORDS: [(&str, Option<usize>); 12] = [
    ("hermes", Some(4)),
    ("hercules", Some(4)),
    ("svs_herc", Some(4)),
    ("mega", Some(2)),
    ("svs_edit", None),
    ("svs_ed", None),
    ("press_ed", None),
    ("edited", None),
    ("gaba", None),
    ("editing", None),
    ("_edit", None),
    ("jdiff", Some(2)),
];

/// What a name says about editing: `None` where it says nothing.
pub fn named_editing(name: &str) -> Option<Named> {
    let name = name.to_lowercase().replace(['-', ' '], "_");
    // Not what is called so to deny it.
    if ["unedited", "non_edited", "nonedited", "not_edited", "noedit", "no_edit"].iter().any(|no| name.contains(no)) {
        return None;
    }
    let (_, n_conditions) = WORDS.into_iter().find(|(word, _)| name.contains(word))?;
    Some(Named { n_conditions })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn transients_in_turn_and_in_blocks() {
        let turns = Turns::in_turn(4);
        assert_eq!((0..6).map(|t| turns.condition(t)).collect::<Vec<_>>(), [0, 1, 2, 3, 0, 1]);
        assert_eq!((turns.of_each(16), turns.of_each(18)), (4, 4));
        let blocks = Turns::blocks(2, 8);
        assert_eq!((blocks.condition(7), blocks.condition(8), blocks.condition(16)), (0, 1, 0));
        assert_eq!((0..8).map(|t| Turns::abba(2).condition(t)).collect::<Vec<_>>(), [0, 1, 1, 0, 0, 1, 1, 0]);
        assert_eq!((Turns::abba(2).of_each(8), Turns::abba(2).of_each(7)), (4, 3));
        for turns in [turns, blocks, Turns::blocks(2, 3), Turns::abba(2), Turns::abba(4)] {
            for condition in 0..turns.n_conditions {
                for number in 0..turns.of_each(48) {
                    let place = turns.place(condition, number);
                    assert_eq!(turns.condition(place), condition);
                    let before = (0..place).filter(|t| turns.condition(*t) == condition).count();
                    assert_eq!(before, number);
                }
            }
        }
    }

    #[test]
    fn names_of_editing() {
        let n = |name| named_editing(name).map(|named| named.n_conditions);
        for (name, expected) in [
            ("MEGA-PRESS", Some(Some(2))),
            ("smm_svs_herc", Some(Some(4))),
            ("sub-01_acq-HERMES_svs", Some(Some(4))),
            ("%CustomerSeq%\\svs_edit", Some(None)),
            ("mgs_svs_ed_univ", Some(None)),
            ("gaba", Some(None)),
            ("svs_se", None),
            ("PROBE-P", None),
            ("sub-01_PRESS_unedited_act", None),
        ] {
            assert_eq!(n(name), expected, "{name}");
        }
    }
}
