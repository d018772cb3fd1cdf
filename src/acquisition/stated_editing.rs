//! What somebody states about the conditions of a file: a manifest's columns `n_conditions` and `edit_order`.

use super::Turns;

/// Conditions as somebody states them; what is stated goes before what the file says.
///
/// `edit_order` holds how transients follow one another (`in_turn`, `abba`, `halves`, `blocks_8`), and then the conditions in the
/// order in which they are measured: `on off`, or the editing pulses of each (`gaba off gsh gaba+gsh`, ppm as well:
/// `1.9 off 4.56 1.9+4.56`). Either part may be left out. For a file with one condition it is what that one is: `on`, `off`,
/// `diff`, `sum`.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct StatedEditing {
    /// Number of conditions; 1: the file is analysed as it is.
    pub n_conditions: Option<usize>,
    /// How transients follow one another.
    pub block: Option<Block>,
    /// The conditions, in their order.
    pub conditions: Vec<Condition>,
}

/// How many transients of one condition follow one another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Block {
    /// So many.
    Of(usize),
    /// One, every second circle of conditions backwards.
    Mirrored,
    /// All of them.
    All,
}

/// One condition.
#[derive(Debug, Clone, PartialEq)]
pub struct Condition {
    /// What it is called.
    pub label: String,
    /// Chemical shifts of its editing pulses (ppm); `None`: the word does not say.
    pub pulses_ppm: Option<Vec<f64>>,
}

/// What editing pulses turn, by the name of what is seen (ppm).
const TARGETS: [(&str, f64); 4] = [("gaba", 1.9), ("gsh", 4.56), ("lac", 4.1), ("asp", 3.9)];
/// Conditions of one file that are combined, or a combination.
const WORDS: [&str; 4] = ["on", "off", "diff", "sum"];
/// How transients may follow one another, and the conditions' names, for messages.
const FORM: &str = "write how transients follow one another (in_turn, abba, halves, blocks_8), the conditions in their order (on off), or both";

impl StatedEditing {
    /// From the texts of the two columns.
    ///
    /// # Errors
    /// A sentence that says what is wrong and what may stand there.
    pub fn parse(n_conditions: Option<&str>, edit_order: Option<&str>) -> Result<Self, String> {
        let mut stated = Self::default();
        if let Some(text) = n_conditions {
            let n = text.parse::<f64>().ok().filter(|n| [1.0, 2.0, 4.0].contains(n));
            let n = n.ok_or_else(|| format!("n_conditions = `{text}` is none of 1, 2 and 4"))?;
            stated.n_conditions = Some(n as usize);
        }
        let text = edit_order.unwrap_or_default().to_lowercase();
        for word in text.split([' ', ',', ';', '/', '|']).filter(|word| !word.is_empty()) {
            match block(word) {
                Some(block) if stated.block.is_none() && stated.conditions.is_empty() => stated.block = Some(block),
                Some(_) => return Err(format!("edit_order = `{text}`: `{word}` stands first and once; {FORM}")),
                None => stated.conditions.push(
                    condition(word).ok_or_else(|| format!("edit_order = `{text}`: `{word}` is not known; {FORM}"))?,
                ),
            }
        }
        let n = stated.conditions.len();
        match stated.n_conditions {
            _ if n == 0 => {}
            None if [1, 2, 4].contains(&n) => stated.n_conditions = Some(n),
            Some(stated) if stated == n => {}
            _ => {
                return Err(format!(
                    "edit_order = `{text}` names {n} conditions; there are 1, 2 or 4, as n_conditions says"
                ));
            }
        }
        let combined = |c: &Condition| ["diff", "sum"].contains(&c.label.as_str());
        let alike = (1..n).any(|i| stated.conditions[..i].contains(&stated.conditions[i]));
        if n > 1 && (stated.conditions.iter().any(combined) || alike) {
            return Err(format!(
                "edit_order = `{text}`: each condition stands once, and none is a combination; {FORM}"
            ));
        }
        Ok(stated)
    }

    /// How `n_transients` follow one another, where that is stated.
    pub fn turns(&self, n_transients: usize) -> Option<Turns> {
        let n_conditions = self.n_conditions.filter(|n| *n > 1)?;
        Some(match self.block? {
            Block::Of(block) => Turns::blocks(n_conditions, block),
            Block::Mirrored => Turns::abba(n_conditions),
            Block::All => Turns::blocks(n_conditions, (n_transients / n_conditions).max(1)),
        })
    }
}

fn block(word: &str) -> Option<Block> {
    let word = word.replace('-', "_");
    match word.as_str() {
        "in_turn" | "interleaved" | "alternating" => Some(Block::Of(1)),
        "abba" => Some(Block::Mirrored),
        "halves" | "quarters" => Some(Block::All),
        _ => word.strip_prefix("blocks_")?.parse().ok().filter(|n| *n > 0).map(Block::Of),
    }
}

fn condition(word: &str) -> Option<Condition> {
    let label = word.to_owned();
    if WORDS.contains(&word) {
        return Some(Condition { label, pulses_ppm: (word == "off").then(Vec::new) });
    }
    let pulse = |part: &str| {
        let named = TARGETS.iter().find(|(name, _)| *name == part).map(|(_, ppm)| *ppm);
        named.or_else(|| part.parse().ok().filter(|ppm| (0.0..20.0).contains(ppm)))
    };
    let pulses_ppm = word.split('+').map(pulse).collect::<Option<Vec<f64>>>()?;
    Some(Condition { label, pulses_ppm: Some(pulses_ppm) })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn orders_as_people_write_them() {
        let of = |text: &str| StatedEditing::parse(None, Some(text)).unwrap();
        let two = of("in_turn on off");
        assert_eq!(two.turns(16), Some(Turns::in_turn(2)));
        assert_eq!(two.conditions.iter().map(|c| c.label.as_str()).collect::<Vec<_>>(), ["on", "off"]);
        assert_eq!(of("halves, off, on").turns(16), Some(Turns::blocks(2, 8)));
        assert_eq!(of("blocks_4 off on").turns(32), Some(Turns::blocks(2, 4)));
        assert_eq!(of("ABBA on off").turns(16), Some(Turns::abba(2)));
        assert_eq!(of("on off").turns(16), None);
        let four = of("in_turn gaba off gsh gaba+gsh");
        let pulses: Vec<_> = four.conditions.iter().map(|c| c.pulses_ppm.clone().unwrap()).collect();
        assert_eq!(pulses, [vec![1.9], vec![], vec![4.56], vec![1.9, 4.56]]);
        assert_eq!(of("1.9 7.5").conditions[1].pulses_ppm, Some(vec![7.5]));
        assert_eq!(of("diff").n_conditions, Some(1));
        assert_eq!(StatedEditing::parse(Some("2"), Some("in_turn")).unwrap().turns(8), Some(Turns::in_turn(2)));
        assert_eq!(StatedEditing::parse(None, None).unwrap(), StatedEditing::default());
    }

    #[test]
    fn what_cannot_be_is_refused_with_advice() {
        for (n, order, says) in [
            (Some("3"), None, "1, 2 and 4"),
            (None, Some("on off on"), "3 conditions"),
            (Some("2"), Some("on"), "1 conditions"),
            (None, Some("on on"), "each condition stands once"),
            (None, Some("on diff"), "none is a combination"),
            (None, Some("on in_turn off"), "stands first"),
            (None, Some("blocks_0 on off"), "`blocks_0` is not known"),
            (None, Some("ABAB"), "`abab` is not known"),
        ] {
            let error = StatedEditing::parse(n, order).unwrap_err();
            assert!(error.contains(says), "{order:?}: {error}");
        }
    }
}
