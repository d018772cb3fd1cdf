//! The text index: which vectors there are, what each belongs to, and where it lies.

use std::collections::{BTreeMap, BTreeSet};

use super::error::DecodeError;

/// Numbers behind the type of a vector: mix, dyn, card, echo, loca, chan, extr1, extr2, kx, ky, kz, aver, sign, rf,
/// grad, enc, rtop, rr, size, offset.
pub(super) const COLUMNS: usize = 20;
const LOCATION: usize = 4;
pub(super) const CHANNEL: usize = 5;
const K_SPACE: std::ops::Range<usize> = 8..11;
/// Attributes whose values tell conditions apart.
pub(super) const CONDITIONS: [(usize, &str); 3] = [(3, "echo"), (6, "extr1-"), (7, "extr2-")];
/// Attributes that count transients: dynamic, cardiac phase, average, echoes within a train.
pub(super) const TRANSIENTS: [usize; 5] = [1, 2, 11, 13, 14];

/// Where the vectors of one transient lie, by channel.
pub(super) type Coils = BTreeMap<i64, usize>;
/// The transients of one condition.
pub(super) type Transients = BTreeMap<[i64; 5], Coils>;

/// One line of the index.
pub(super) struct Vector {
    pub(super) attributes: [i64; COLUMNS],
    size: usize,
    offset: usize,
}

/// The vectors that hold signal; noise, corrections, navigators and rejected ones are left out.
pub(super) fn vectors(list: &str) -> Result<Vec<Vector>, DecodeError> {
    let lines = list.lines().enumerate();
    let mut vectors = Vec::new();
    for (index, line) in lines {
        let Some(rest) = line.trim_start().strip_prefix("STD ") else { continue };
        let fault = DecodeError::Line { line: index + 1 };
        let mut attributes = [0; COLUMNS];
        let mut words = rest.split_whitespace();
        for value in &mut attributes {
            *value = words.next().and_then(|w| w.parse().ok()).ok_or(fault.clone())?;
        }
        let place = |k: usize| usize::try_from(attributes[k]).map_err(|_| fault.clone());
        let (size, offset) = (place(COLUMNS - 2)?, place(COLUMNS - 1)?);
        vectors.push(Vector { attributes, size, offset });
    }
    Ok(vectors)
}

/// Attributes of the vectors that the scanner rejected. What they hold is not looked at: they say that there was a transient.
pub(super) fn rejected(list: &str) -> Vec<[i64; COLUMNS]> {
    let of_line = |line: &str| -> Option<[i64; COLUMNS]> {
        let words = line.trim_start().strip_prefix("REJ ")?.split_whitespace().take(COLUMNS);
        let numbers: Vec<i64> = words.map(|word| word.parse().ok()).collect::<Option<_>>()?;
        numbers.try_into().ok()
    };
    list.lines().filter_map(of_line).collect()
}

/// The bytes of every vector, which are as many for all.
pub(super) fn common_size(vectors: &[Vector]) -> Result<usize, DecodeError> {
    let size = vectors.first().ok_or(DecodeError::NoVectors)?.size;
    if let Some(other) = vectors.iter().find(|v| v.size != size) {
        return Err(DecodeError::Sizes { first: size, other: other.size });
    }
    let is_encoded = |v: &Vector| v.attributes[K_SPACE].iter().any(|k| *k != 0) || v.attributes[LOCATION] != 0;
    if vectors.iter().any(is_encoded) {
        return Err(DecodeError::Imaging);
    }
    Ok(size)
}

/// The conditions of a mix.
pub(super) type Mix = BTreeMap<[i64; 3], Transients>;

/// What the index lists and the data hold.
pub(super) struct Mixes {
    pub(super) signal: Mix,
    pub(super) water: Option<Mix>,
    /// Number of mixes beyond the second.
    pub(super) n_others: usize,
    /// Whether all that is listed is there.
    pub(super) is_whole: bool,
    pub(super) n_coils: usize,
}

/// Sorts the vectors that lie inside the data of `length` bytes; transients that lack a coil are left out.
pub(super) fn mixes(vectors: &[Vector], size: usize, length: usize) -> Result<Mixes, DecodeError> {
    let inside: Vec<&Vector> =
        vectors.iter().filter(|v| v.offset.checked_add(size).is_some_and(|end| end <= length)).collect();
    // Or a few lines could ask for the same bytes over and over.
    let places: BTreeSet<usize> = inside.iter().map(|v| v.offset).collect();
    let needed = inside.len().saturating_mul(size);
    if places.len() < inside.len() || needed > length {
        return Err(DecodeError::Overlap { got: length, needed });
    }
    let channels: BTreeSet<i64> = vectors.iter().map(|v| v.attributes[CHANNEL]).collect();
    let n_coils = channels.len();
    let mut mixes: BTreeMap<i64, Mix> = BTreeMap::new();
    for vector in &inside {
        let a = &vector.attributes;
        let condition = CONDITIONS.map(|(k, _)| a[k]);
        let transients = mixes.entry(a[0]).or_default().entry(condition).or_default();
        transients.entry(TRANSIENTS.map(|k| a[k])).or_default().insert(a[CHANNEL], vector.offset);
    }
    let mut is_whole = inside.len() == vectors.len();
    for transients in mixes.values_mut().flat_map(BTreeMap::values_mut) {
        let before = transients.len();
        transients.retain(|_, coils| coils.len() == n_coils);
        is_whole &= transients.len() == before;
    }
    // What is left of a later mix is not the first.
    let first = vectors.iter().map(|v| v.attributes[0]).min().unwrap_or(0);
    let is_there = |mix: &Mix| mix.values().any(|t| !t.is_empty());
    let signal = mixes.remove(&first).filter(is_there).ok_or(DecodeError::Truncated { got: length })?;
    let mut mixes = mixes.into_values().filter(is_there);
    let water = mixes.next();
    Ok(Mixes { signal, water, n_others: mixes.count(), is_whole, n_coils })
}

/// What somebody called the scan: `# Scan name : MEGA`.
pub(super) fn scan_name(list: &str) -> Option<&str> {
    let comments = list.lines().take_while(|line| line.trim_start().starts_with(['#', '.']) || line.trim().is_empty());
    let (_, name) = comments
        .filter_map(|line| line.split_once(':'))
        .find(|(field, _)| field.trim_start_matches(['#', ' ', '\t']).trim_end().eq_ignore_ascii_case("scan name"))?;
    Some(name.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scans_name_stands_among_the_comments() {
        let list = "# === DATA ===\n#\n# Scan name   : MEGA : 68 \n# Dataset name: RAW\n.  0 0 0 x : 1\n STD 0\n# Scan name : no\n";
        assert_eq!(scan_name(list), Some("MEGA : 68"));
        assert_eq!(scan_name("STD 0\n# Scan name : no\n"), None);
        assert_eq!(scan_name(""), None);
    }
}
