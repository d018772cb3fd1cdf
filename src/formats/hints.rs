//! What free text of a site, a protocol's or a series' name, hints about the sequence: a recognised word, never the text
//! itself, which may hold a person's name.

/// Echo times that a name may mean (ms); other numbers behind `TE` count something.
const TE_MS: std::ops::RangeInclusive<f64> = 5.0..=500.0;

/// Sequences by the words that sites write.
const SEQUENCES: [(&str, &str); 7] = [
    ("press", "PRESS"),
    ("svpress", "PRESS"),
    ("steam", "STEAM"),
    ("slaser", "sLASER"),
    ("semilaser", "sLASER"),
    ("laser", "LASER"),
    ("isis", "ISIS"),
];
/// Kinds of spectral editing by the words that sites write, the more particular first.
const EDITING: [(&str, &str); 7] = [
    ("hercules", "HERCULES"),
    ("hermes", "HERMES"),
    ("mega", "MEGA"),
    ("mescher", "MEGA"),
    ("edited", "edited"),
    ("editing", "edited"),
    ("gaba", "GABA-edited"),
];
/// Resolves couplings along a second time axis: not what is read here.
const RESOLVED: &str = "J-PRESS";
/// Words that deny the next.
const DENIALS: [&str; 4] = ["no", "non", "not", "un"];

/// The sequence that a text names, where it names exactly one: `PRESS`, `STEAM`, `sLASER`, `LASER`, `SPECIAL`, `ISIS`, and
/// with editing pulses `MEGA`, `MEGA-PRESS`, `MEGA-sLASER`, `MEGA-SPECIAL`, `HERMES`, `HERCULES`, `GABA-edited`, `edited`.
///
/// `GABA` in a name counts as editing: whoever takes an edited measurement for another one gets wrong numbers, the other way
/// round a question.
pub(crate) fn sequence_hint(text: &str) -> Option<&'static str> {
    let words = words(text);
    let mut sequences = Vec::new();
    let mut editing = Vec::new();
    for (i, word) in words.iter().enumerate() {
        let before = i.checked_sub(1).and_then(|b| words.get(b)).map(|w| w.to_lowercase()).unwrap_or_default();
        if DENIALS.contains(&before.as_str()) {
            continue;
        }
        let plain = word.to_lowercase();
        let rest = plain.strip_prefix("mega").filter(|rest| !rest.is_empty());
        // `MEGAPRESS`; `MEGABRAIN` names nothing.
        let own = rest.filter(|rest| of_word(rest, "").is_some()).unwrap_or(&plain);
        if own.len() < plain.len() {
            editing.push("MEGA");
        }
        editing.extend(EDITING.iter().find(|(name, _)| *name == plain).map(|(_, kind)| *kind));
        // In small letters it is a word of everyday language.
        let is_special = word == "SPECIAL" || own != plain && own == "special";
        sequences.extend(if is_special { Some("SPECIAL") } else { of_word(own, &before) });
    }
    sequences.sort_unstable();
    sequences.dedup();
    let sequence = match sequences[..] {
        [] => None,
        [one] if one != RESOLVED => Some(one),
        _ => return None,
    };
    let Some((_, kind)) = EDITING.iter().find(|(_, kind)| editing.contains(kind)) else { return sequence };
    Some(match (*kind, sequence) {
        ("MEGA", Some("PRESS")) => "MEGA-PRESS",
        ("MEGA", Some("sLASER")) => "MEGA-sLASER",
        ("MEGA", Some("SPECIAL")) => "MEGA-SPECIAL",
        (kind, _) => kind,
    })
}

/// The sequence that one word names, where `before` stands before it.
fn of_word(word: &str, before: &str) -> Option<&'static str> {
    match (before, word) {
        ("j", "press") | (_, "jpress") => Some(RESOLVED),
        ("s" | "semi", "laser") => Some("sLASER"),
        (_, "special") => None,
        _ => SEQUENCES.iter().find(|(name, _)| *name == word).map(|(_, kind)| *kind),
    }
}

/// The echo time (s) that a text names (`TE 35`, `TE35ms`, `te=35`), where it names exactly one.
pub(crate) fn te_hint_s(text: &str) -> Option<f64> {
    let words = words(text);
    let mut found: Option<f64> = None;
    for pair in words.windows(2) {
        let [name, value] = pair else { continue };
        let Some(ms) = value.replace(',', ".").parse::<f64>().ok().filter(|ms| TE_MS.contains(ms)) else { continue };
        if !name.eq_ignore_ascii_case("te") {
            continue;
        }
        if found.is_some_and(|other| other != ms) {
            return None;
        }
        found = Some(ms);
    }
    found.map(|ms| ms * 1e-3)
}

/// The words of a text: letters, or digits with a decimal sign between them. `shortTE30` holds three.
fn words(text: &str) -> Vec<String> {
    let letters: Vec<char> = text.chars().take(256).collect();
    let mut words: Vec<String> = Vec::new();
    let mut last = Kind::Other;
    for (i, &letter) in letters.iter().enumerate() {
        let is_decimal = ".,".contains(letter)
            && last == Kind::Digit
            && letters.get(i + 1).is_some_and(char::is_ascii_digit)
            && words.last().is_some_and(|word| word.chars().all(|c| c.is_ascii_digit()));
        let kind = if is_decimal { Kind::Digit } else { Kind::of(letter) };
        let goes_on = kind == last || last == Kind::Upper && kind == Kind::Lower;
        match words.last_mut().filter(|_| goes_on) {
            _ if kind == Kind::Other => {}
            Some(word) => word.push(letter),
            None => words.push(letter.to_string()),
        }
        last = kind;
    }
    words
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Upper,
    Lower,
    Digit,
    Other,
}

impl Kind {
    fn of(letter: char) -> Self {
        if letter.is_ascii_digit() {
            Self::Digit
        } else if letter.is_uppercase() {
            Self::Upper
        } else if letter.is_alphabetic() {
            Self::Lower
        } else {
            Self::Other
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sequences_as_sites_name_them() {
        for (text, expected) in [
            ("PRESS PAR 35", Some("PRESS")),
            ("SV_PRESS_35", Some("PRESS")),
            ("mv4 medv_PRESS_55_tr1500", Some("PRESS")),
            ("press35", Some("PRESS")),
            ("Press_TE144", Some("PRESS")),
            ("STEAM_20", Some("STEAM")),
            ("sLASER_30", Some("sLASER")),
            ("semi-LASER TE 28", Some("sLASER")),
            ("SEMI_LASER", Some("sLASER")),
            ("semilaser", Some("sLASER")),
            ("slaser_R/N=20+/1_longTE", Some("sLASER")),
            ("hd-SPECIAL", Some("SPECIAL")),
            ("MEGA-PRESS", Some("MEGA-PRESS")),
            ("MEGAPRESS_68", Some("MEGA-PRESS")),
            ("MEGA_sLASER", Some("MEGA-sLASER")),
            ("HERMES GSH/Lac 120", Some("HERMES")),
            ("HERCULES PRESS", Some("HERCULES")),
            ("GABA_PRESS_68", Some("GABA-edited")),
            ("PRESS unedited", Some("PRESS")),
            ("PRESS non-edited", Some("PRESS")),
            ("PRESS PRESS", Some("PRESS")),
        ] {
            assert_eq!(sequence_hint(text), expected, "{text}");
        }
    }

    #[test]
    fn what_names_no_sequence_or_two_hints_nothing() {
        for text in [
            "",
            "MRS-shortTE-LN",
            "water_suppressed",
            "depression study",
            "express protocol",
            "a special exam",
            "PRESS or STEAM",
            "PRESS/sLASER",
            "J-PRESS_30",
            "jpress",
            "megabrain",
            "Brain      1VOI_27_exc",
            "\u{1f600}\u{0}..,,",
        ] {
            assert_eq!(sequence_hint(text), None, "{text}");
        }
    }

    #[test]
    fn echo_times_as_sites_name_them() {
        for (text, expected) in [
            ("TE 35", Some(0.035)),
            ("press_TE30ms", Some(0.03)),
            ("te=35,5", Some(0.0355)),
            ("TE 35.4 PRESS TE_35.4", Some(0.0354)),
            ("shortTE30", Some(0.03)),
            ("MRS_te288_15x25x15", Some(0.288)),
            ("TE 35 TE 144", None),
            ("TE1 7", None),
            ("PRESS_35", None),
            ("suite 35", None),
            ("TE 35000", None),
        ] {
            let hint = te_hint_s(text);
            assert!(hint.zip(expected).map_or(hint == expected, |(a, b)| (a - b).abs() < 1e-12), "{text}: {hint:?}");
        }
    }
}
