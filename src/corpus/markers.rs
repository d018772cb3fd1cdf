//! Words in names that say what a file is: the spectrum, or its water reference.

/// What a marker says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Spectrum,
    Reference,
}

/// Markers that are used together. A partner from the same family goes first, so that a folder with
/// `x_act`, `x_ref`, `x_WS` and `x_W` makes two pairs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Family {
    Philips,
    Suppression,
    Words,
}

use Family::{Philips, Suppression, Words};
use Kind::{Reference, Spectrum};

/// The words of a marker, one or two; what they say; whether they say it in the middle of a name as well.
type Marker = (&'static [&'static str], Kind, Family, Place);

/// Where in a name a marker counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// At its beginning or end: plain words also stand inside names (`Cr_test_water_scaling`, `sub_w_01`).
    Ends,
    /// At its end, where there is a partner.
    End,
    /// Anywhere.
    Any,
    /// Anywhere, but inside a name only if there is a partner.
    AnyOfTwo,
}
use Place::{Any, AnyOfTwo, End, Ends};

const MARKERS: [Marker; 36] = [
    (&["act"], Spectrum, Philips, Any),
    (&["ref"], Reference, Philips, Any),
    (&["ws"], Spectrum, Suppression, AnyOfTwo),
    (&["w"], Reference, Suppression, Ends),
    (&["nws"], Reference, Suppression, AnyOfTwo),
    (&["nows"], Reference, Suppression, AnyOfTwo),
    (&["no", "ws"], Reference, Suppression, AnyOfTwo),
    (&["non", "ws"], Reference, Suppression, AnyOfTwo),
    (&["wson"], Spectrum, Suppression, AnyOfTwo),
    (&["wsoff"], Reference, Suppression, AnyOfTwo),
    (&["ws", "on"], Spectrum, Suppression, AnyOfTwo),
    (&["ws", "off"], Reference, Suppression, AnyOfTwo),
    (&["supp"], Spectrum, Suppression, AnyOfTwo),
    (&["sup"], Spectrum, Suppression, Ends),
    (&["unsupp"], Reference, Suppression, AnyOfTwo),
    (&["unsup"], Reference, Suppression, AnyOfTwo),
    (&["nosupp"], Reference, Suppression, AnyOfTwo),
    (&["no", "supp"], Reference, Suppression, AnyOfTwo),
    (&["metab"], Spectrum, Words, Ends),
    (&["metabolite"], Spectrum, Words, Ends),
    (&["metabolites"], Spectrum, Words, Ends),
    (&["spec"], Spectrum, Words, Ends),
    (&["svs"], Spectrum, Words, End),
    (&["suppressed"], Spectrum, Words, Ends),
    (&["unsuppressed"], Reference, Words, AnyOfTwo),
    (&["nonsuppressed"], Reference, Words, AnyOfTwo),
    (&["non", "suppressed"], Reference, Words, AnyOfTwo),
    (&["un", "suppressed"], Reference, Words, AnyOfTwo),
    (&["not", "suppressed"], Reference, Words, AnyOfTwo),
    (&["water"], Reference, Words, Ends),
    (&["waterref"], Reference, Words, AnyOfTwo),
    (&["reference"], Reference, Words, Ends),
    (&["wref"], Reference, Words, AnyOfTwo),
    (&["w", "ref"], Reference, Words, AnyOfTwo),
    (&["mrsref"], Reference, Words, AnyOfTwo),
    (&["h2o"], Reference, Words, Ends),
];

/// Words of edited sequences, in which `on` and `off` are the editing pulses'.
const EDITED: [&str; 5] = ["mega", "edit", "gaba", "hermes", "hercules"];

pub(super) const DELIMITERS: [char; 4] = ['_', '-', '.', ' '];

/// A name with its marker cut out, in lower case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Marked {
    pub(super) kind: Kind,
    pub(super) family: Family,
    pub(super) before: String,
    pub(super) after: String,
    /// Whether the marker counts only beside a partner.
    pub(super) is_weak: bool,
}

impl Marked {
    /// The name that is left: the spectrum's, where the reference has a marker more than it.
    pub(super) fn rest(&self) -> Option<String> {
        let before = self.before.strip_suffix(DELIMITERS)?;
        (!before.is_empty()).then(|| format!("{before}{}", self.after))
    }
}

/// The last marker in a stem (lower case) decides.
pub(super) fn marked(stem: &str) -> Option<Marked> {
    let mut starts = vec![0];
    starts.extend(stem.match_indices(DELIMITERS).map(|(at, _)| at + 1));
    let ends: Vec<usize> = starts.iter().skip(1).map(|at| at - 1).chain([stem.len()]).collect();
    // Of two words that end alike the longer marker goes first.
    (0..starts.len()).rev().find_map(|last| {
        [last.checked_sub(1), Some(last)].into_iter().flatten().find_map(|first| {
            let words: Vec<&str> = (first..=last).map(|i| &stem[starts[i]..ends[i]]).collect();
            let (_, kind, family, place) = MARKERS.iter().find(|(marker, ..)| *marker == words)?;
            let (start, end) = (starts[first], ends[last]);
            let is_outermost = start == 0 || end == stem.len();
            let counts = match place {
                Any | AnyOfTwo => true,
                End => end == stem.len() && start > 0,
                Ends => is_outermost,
            };
            let is_editing =
                matches!(words.as_slice(), ["ws", "on" | "off"]) && EDITED.iter().any(|w| stem.contains(w));
            (counts && !is_editing).then(|| Marked {
                kind: *kind,
                family: *family,
                before: stem[..start].to_owned(),
                after: stem[end..].to_owned(),
                is_weak: *place == End || (*place == AnyOfTwo && !is_outermost),
            })
        })
    })
}

/// A stem (lower case) without what a scanner counts, and its count: `meas_MID00123_FID45_svs_se_30_ws` is `svs_se_30_ws`,
/// number 123. Dates and times go as well; other names stay as they are.
pub(super) fn without_count(stem: &str) -> (String, Option<u32>) {
    let digits_after = |token: &str, word: &str| -> Option<u32> { token.strip_prefix(word)?.parse().ok() };
    let tokens: Vec<&str> = stem.split('_').collect();
    let Some(number) = tokens.iter().find_map(|token| digits_after(token, "mid")) else {
        return (stem.to_owned(), None);
    };
    let is_time = |token: &str| token.len() >= 6 && token.bytes().all(|b| b.is_ascii_digit());
    let counts = |token: &&str| {
        *token == "meas" || ["mid", "fid"].iter().any(|word| digits_after(token, word).is_some()) || is_time(token)
    };
    let kept: Vec<&str> = tokens.iter().copied().filter(|token| !counts(token)).collect();
    (kept.join("_"), Some(number))
}

/// The name of a series' folder (lower case) without the number that exports put before or behind it.
pub(super) fn series_name(folder: &str) -> (String, Option<u32>) {
    let name = folder.strip_suffix(".fid").unwrap_or(folder);
    let mut tokens: Vec<&str> = name.split(DELIMITERS).filter(|token| !token.is_empty()).collect();
    let number = |token: Option<&&str>| token.and_then(|token| token.parse::<u32>().ok());
    let (first, last) = (number(tokens.first()), number(tokens.last()));
    // `svs_se_30` ends with its echo time: only what is written as a series' number is one.
    let is_count = |token: &str| token.len() >= 3 || name.contains(&format!("_-_{token}"));
    if tokens.len() > 1 && last.is_some() && tokens.last().is_some_and(|token| is_count(token)) {
        tokens.pop();
        return (tokens.join("_"), last);
    }
    if tokens.len() > 1 && first.is_some() {
        tokens.remove(0);
        return (tokens.join("_"), first);
    }
    (tokens.join("_"), None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_and_dates_are_no_part_of_a_protocol() {
        let name = |stem: &str| without_count(stem);
        assert_eq!(name("meas_mid00123_fid45678_svs_se_30_ws"), ("svs_se_30_ws".to_owned(), Some(123)));
        assert_eq!(name("20160812_meas_mid9_fid1_press"), ("press".to_owned(), Some(9)));
        assert_eq!(name("s01_meas_mid9_fid1_press"), ("s01_press".to_owned(), Some(9)));
        assert_eq!(name("midline_svs_30"), ("midline_svs_30".to_owned(), None));
    }

    #[test]
    fn folders_of_series_have_numbers_at_either_end() {
        let name = |folder: &str| series_name(folder);
        assert_eq!(name("svs_se_30_w"), ("svs_se_30_w".to_owned(), None));
        assert_eq!(name("svs_se_30"), ("svs_se_30".to_owned(), None));
        assert_eq!(name("svs_se_30_0005"), ("svs_se_30".to_owned(), Some(5)));
        assert_eq!(name("0006_svs_se_30_w"), ("svs_se_30_w".to_owned(), Some(6)));
        assert_eq!(name("mrs_se_30__ln_ref_-_30"), ("mrs_se_30_ln_ref".to_owned(), Some(30)));
        assert_eq!(name("press_w.fid"), ("press_w".to_owned(), None));
    }

    #[test]
    fn on_and_off_are_the_suppression_s_unless_the_sequence_edits() {
        let kind = |stem: &str| marked(stem).map(|m| m.kind);
        assert_eq!((kind("x_ws_on"), kind("x_ws_off")), (Some(Kind::Spectrum), Some(Kind::Reference)));
        assert_eq!((kind("x_mega_ws_on"), kind("x_mega_ws_off")), (Some(Kind::Spectrum), Some(Kind::Spectrum)));
        assert_eq!(marked("x_ref_edited").and_then(|m| m.rest()), Some("x_edited".to_owned()));
        assert_eq!(marked("ref_x").and_then(|m| m.rest()), None);
    }
}
