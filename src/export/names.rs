//! Names of columns that R, SPSS, JASP, jamovi and pandas take: letters, digits and `_`, at most 64 characters, no word of
//! their languages, and no two alike whatever their case.

use std::collections::HashSet;

/// Longest name that SPSS takes (bytes; all of them are ASCII here).
const LONGEST: usize = 64;
/// Words of SPSS, R and pandas, in small letters.
const RESERVED: [&str; 31] = [
    "all", "and", "by", "eq", "ge", "gt", "le", "lt", "ne", "not", "or", "to", "with", "if", "else", "repeat", "while",
    "function", "for", "next", "break", "true", "false", "null", "inf", "nan", "na", "in", "flags", "index", "size",
];

/// `text` as such a name, at most `longest` characters of it.
pub(crate) fn safe(text: &str, longest: usize) -> String {
    let trimmed = text.trim();
    let (is_negative, body) = match trimmed.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, trimmed),
    };
    let (is_plus, body) = match body.strip_suffix('+') {
        Some(rest) => (true, rest),
        None => (false, body),
    };
    let mut name = String::from(if is_negative { "neg_" } else { "" });
    for c in body.chars() {
        if c.is_ascii_alphanumeric() {
            name.push(c);
        } else if !name.is_empty() && !name.ends_with('_') {
            name.push('_');
        }
    }
    let mut name = name.trim_end_matches('_').to_owned();
    if is_plus {
        name.push_str("plus");
    }
    if !name.starts_with(|c: char| c.is_ascii_alphabetic()) || RESERVED.contains(&name.to_ascii_lowercase().as_str()) {
        name.insert_str(0, "v_");
    }
    name.truncate(longest);
    name.trim_end_matches('_').to_owned()
}

/// The names of a table so far.
#[derive(Debug, Default)]
pub(crate) struct Names {
    taken: HashSet<String>,
}

impl Names {
    /// The name of a column called `text`; numbered where another has it.
    pub(crate) fn take(&mut self, text: &str) -> String {
        self.take_up_to(text, LONGEST)
    }

    /// The same with at most `longest` characters: endings will follow.
    pub(crate) fn take_up_to(&mut self, text: &str, longest: usize) -> String {
        let wanted = safe(text, longest);
        let mut name = wanted.clone();
        let mut number = 2;
        while !self.taken.insert(name.to_ascii_lowercase()) {
            let ending = format!("_{number}");
            name = format!("{}{ending}", safe(&wanted, longest.saturating_sub(ending.len())));
            number += 1;
        }
        name
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_words_that_every_program_takes() {
        for (text, name) in [
            ("Glu", "Glu"),
            ("Ins+Gly", "Ins_Gly"),
            ("GABA+", "GABAplus"),
            ("-CrCH2", "neg_CrCH2"),
            ("unknown 3.42 ppm", "unknown_3_42_ppm"),
            ("2HG", "v_2HG"),
            ("_x_", "x"),
            ("flags", "v_flags"),
            ("All", "v_All"),
            ("PANSS total (T1)", "PANSS_total_T1"),
            ("年齢", "v"),
            ("", "v"),
        ] {
            assert_eq!(safe(text, LONGEST), name, "{text}");
        }
        assert_eq!(safe(&"x".repeat(200), LONGEST).len(), LONGEST);
    }

    #[test]
    fn no_two_are_alike() {
        let mut names = Names::default();
        let long = "y".repeat(80);
        let all: Vec<String> =
            ["Cr", "CR", "cr", "a b", "a-b", &long, &long].iter().map(|text| names.take(text)).collect();
        assert_eq!(all[..5], ["Cr", "CR_2", "cr_3", "a_b", "a_b_2"]);
        assert!(all[5] != all[6] && all.iter().all(|name| name.len() <= LONGEST));
    }
}
