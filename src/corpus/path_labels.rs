//! Labels out of paths: a pattern such as `{site}/{subject}_{session}/*` over paths relative to INPUT.

use std::str::FromStr;

use thiserror::Error;

use super::identity::{split_extension, without_way_up};

/// Most `*` of one part: each of them may end anywhere.
const MOST_FREE: usize = 3;
/// Longest part of a path that is looked at (bytes): no file system has longer ones.
const LONGEST_PART: usize = 1024;

/// A label that a path may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Label {
    /// The site.
    Site,
    /// The subject.
    Subject,
    /// The session.
    Session,
    /// The volume of interest.
    Voi,
}

impl Label {
    const ALL: [Self; 4] = [Self::Site, Self::Subject, Self::Session, Self::Voi];

    const fn name(self) -> &'static str {
        match self {
            Self::Site => "site",
            Self::Subject => "subject",
            Self::Session => "session",
            Self::Voi => "voi",
        }
    }

    /// What BIDS puts before it.
    const fn prefix(self) -> &'static str {
        match self {
            Self::Site => "site-",
            Self::Subject => "sub-",
            Self::Session => "ses-",
            Self::Voi => "voi-",
        }
    }
}

/// Why a pattern is refused.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum PatternError {
    /// A name in braces that is no label.
    #[error("{{{0}}} is no label; there are {{site}}, {{subject}}, {{session}} and {{voi}}, and `*` for what is none")]
    Unknown(String),
    /// No label.
    #[error("it holds no label; give it at least one of {{site}}, {{subject}}, {{session}} and {{voi}}")]
    NoLabel,
    /// A label twice.
    #[error("{{{0}}} stands in it twice; write `*` where the second one stands")]
    Twice(&'static str),
    /// A brace that is not closed, or not opened.
    #[error("a brace is not closed or not opened; a label is written as {{site}}")]
    Brace,
    /// Nothing between two placeholders.
    #[error("nothing stands between two placeholders of `{0}`, so that nobody knows where the first one ends")]
    Touching(String),
    /// A part without content, or one that leads out of INPUT.
    #[error("`{0}` is no part of a path below INPUT; write it as `{{site}}/{{subject}}/*`")]
    Part(String),
    /// Too many `*` in one part.
    #[error("`{0}` has more than {MOST_FREE} `*`; write fewer")]
    TooFree(String),
    /// What stands for the rest is not at the end.
    #[error("`**` (or `…`) stands for all that follows, so nothing may follow it")]
    Rest,
}

/// What a part of a pattern is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Token {
    Text(String),
    Label(Label),
    Anything,
}

/// A pattern over paths relative to INPUT.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PathLabels {
    pattern: String,
    parts: Vec<Vec<Token>>,
    /// Whether more folders may follow.
    is_open: bool,
}

/// Labels that a path was found to hold.
pub(super) type Found = Vec<(Label, String)>;

impl FromStr for PathLabels {
    type Err = PatternError;

    fn from_str(pattern: &str) -> Result<Self, PatternError> {
        let mut texts: Vec<&str> = pattern.trim().trim_start_matches("./").split('/').collect();
        let is_rest = |text: &&str| ["**", "…", "..."].contains(text);
        let is_open = texts.last().is_some_and(is_rest);
        if is_open {
            texts.pop();
        }
        if texts.iter().any(is_rest) {
            return Err(PatternError::Rest);
        }
        let parts: Vec<Vec<Token>> = texts.iter().map(|text| part(text)).collect::<Result<_, _>>()?;
        let labels: Vec<Label> = parts.iter().flatten().filter_map(label_of).collect();
        if labels.is_empty() {
            return Err(PatternError::NoLabel);
        }
        for label in Label::ALL {
            if labels.iter().filter(|other| **other == label).count() > 1 {
                return Err(PatternError::Twice(label.name()));
            }
        }
        Ok(Self { pattern: pattern.to_owned(), parts, is_open })
    }
}

fn label_of(token: &Token) -> Option<Label> {
    match token {
        Token::Label(label) => Some(*label),
        Token::Text(_) | Token::Anything => None,
    }
}

fn part(text: &str) -> Result<Vec<Token>, PatternError> {
    if ["", ".", ".."].contains(&text) {
        return Err(PatternError::Part(text.to_owned()));
    }
    let mut tokens = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let (token, after) = match first {
            '*' => (Token::Anything, &rest[1..]),
            '{' => {
                let (name, after) = rest[1..].split_once('}').ok_or(PatternError::Brace)?;
                (placeholder(name)?, after)
            }
            '}' => return Err(PatternError::Brace),
            _ => {
                let end = rest.find(['*', '{', '}']).unwrap_or(rest.len());
                (Token::Text(rest[..end].to_owned()), &rest[end..])
            }
        };
        if !matches!(token, Token::Text(_)) && tokens.last().is_some_and(|last| !matches!(last, Token::Text(_))) {
            return Err(PatternError::Touching(text.to_owned()));
        }
        tokens.push(token);
        rest = after;
    }
    if tokens.iter().filter(|token| **token == Token::Anything).count() > MOST_FREE {
        return Err(PatternError::TooFree(text.to_owned()));
    }
    Ok(tokens)
}

fn placeholder(name: &str) -> Result<Token, PatternError> {
    let name = name.trim();
    if name.is_empty() || name == "*" {
        return Ok(Token::Anything);
    }
    let label = Label::ALL.into_iter().find(|label| label.name() == name.to_lowercase());
    label.map(Token::Label).ok_or_else(|| PatternError::Unknown(name.to_owned()))
}

impl PathLabels {
    /// The pattern as it was written.
    pub fn pattern(&self) -> &str {
        &self.pattern
    }

    /// The labels in a path relative to INPUT; `None` where it does not fit, or fits in more than one way. Folders are
    /// compared whole; of the file's name the extension may be left out.
    pub(super) fn labels(&self, source_path: &str) -> Option<Found> {
        let path = without_way_up(source_path);
        let given: Vec<&str> = path.split('/').collect();
        // What follows is one part at least: the file itself.
        let fits = if self.is_open { given.len() > self.parts.len() } else { given.len() == self.parts.len() };
        if !fits {
            return None;
        }
        let mut all = Found::new();
        for (at, (tokens, text)) in self.parts.iter().zip(&given).enumerate() {
            let is_file = at + 1 == given.len();
            let names_extension = tokens.iter().any(|token| matches!(token, Token::Text(own) if own.contains('.')));
            let stem = if is_file { split_extension(text).0 } else { text };
            let found = only(tokens, stem);
            all.extend(if names_extension { found.or_else(|| only(tokens, text)) } else { found }?);
        }
        Some(all)
    }
}

/// The labels of a part, if there is one way only to find them.
fn only(tokens: &[Token], text: &str) -> Option<Found> {
    let mut ways = Vec::new();
    if text.len() <= LONGEST_PART {
        fit(tokens, text, None, &mut Found::new(), &mut ways);
    }
    match ways.len() {
        1 => ways.pop(),
        _ => None,
    }
}

/// Collects the ways in which `tokens` fit `text`, up to two. A label holds nothing of the text beside its placeholder
/// (`{subject}_{session}`: no label has a `_`): where it would, nobody knows where it ends.
fn fit(tokens: &[Token], text: &str, before: Option<&str>, found: &mut Found, ways: &mut Vec<Found>) {
    if ways.len() > 1 {
        return;
    }
    let Some((token, rest)) = tokens.split_first() else {
        if text.is_empty() && !ways.contains(found) {
            ways.push(found.clone());
        }
        return;
    };
    let next = rest.first().and_then(|token| match token {
        Token::Text(next) => Some(next.as_str()),
        Token::Label(_) | Token::Anything => None,
    });
    match token {
        Token::Text(own) => {
            if let Some(after) = text.strip_prefix(own.as_str()) {
                fit(rest, after, Some(own), found, ways);
            }
        }
        Token::Label(label) => {
            let end = next.map_or(Some(text.len()), |next| text.find(next));
            let Some(end) = end else { return };
            let value = text[..end].strip_prefix(label.prefix()).unwrap_or(&text[..end]);
            if value.is_empty() || before.is_some_and(|before| value.contains(before)) {
                return;
            }
            found.push((*label, value.to_owned()));
            fit(rest, &text[end..], None, found, ways);
            found.pop();
        }
        Token::Anything => {
            let ends: Vec<usize> = match next {
                None => vec![text.len()],
                Some(next) => text.match_indices(next).map(|(at, _)| at).collect(),
            };
            for end in ends {
                fit(rest, &text[end..], None, found, ways);
            }
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    fn labels(pattern: &str, path: &str) -> Option<String> {
        let found = pattern.parse::<PathLabels>().unwrap().labels(path)?;
        let shown: Vec<String> = found.iter().map(|(label, value)| format!("{}={value}", label.name())).collect();
        Some(shown.join(" "))
    }

    #[test]
    fn paths_give_their_labels() {
        for (pattern, path, expected) in [
            ("{site}/{subject}/*", "oslo/01/x.SDAT", "site=oslo subject=01"),
            ("{site}/{subject}_{session}/*", "oslo/01_a/x.SDAT", "site=oslo subject=01 session=a"),
            ("{site}/{subject}/**", "oslo/01/a/b/x.SDAT", "site=oslo subject=01"),
            ("{site}/…", "oslo/01/a/b/x.SDAT", "site=oslo"),
            ("./{site}/{}/{subject}", "oslo/any/sub-07.nii.gz", "site=oslo subject=07"),
            ("{site}_{subject}_*", "oslo_01_press_35.dat", "site=oslo subject=01"),
            ("*_{subject}", "a_b_01.dat", "subject=01"),
            ("data-{site}/{subject}.SDAT", "data-oslo/01.SDAT", "site=oslo subject=01"),
            ("{site}/*", "../../oslo/x.dat", "site=oslo"),
            ("{SITE}/Müller {voi}.*", "Süd/Müller PCC.dat", "site=Süd voi=PCC"),
        ] {
            assert_eq!(labels(pattern, path).as_deref(), Some(expected), "{pattern} {path}");
        }
    }

    #[test]
    fn what_does_not_fit_or_fits_in_two_ways_gives_none() {
        for (pattern, path) in [
            ("{site}/{subject}/*", "oslo/x.SDAT"),
            ("{site}/{subject}/*", "oslo/01/deeper/x.SDAT"),
            ("{site}/**", "x.SDAT"),
            ("{subject}_{session}", "a_b_c.dat"),
            ("{site}/{subject}_*", "oslo/plain.dat"),
            ("{site}/sub-{subject}", "oslo/sub-.dat"),
            ("*_{subject}_*", "a_b_c_d.dat"),
        ] {
            assert_eq!(labels(pattern, path), None, "{pattern} {path}");
        }
    }

    #[test]
    fn patterns_that_cannot_be_meant_are_refused() {
        for (pattern, error) in [
            ("{center}/*", PatternError::Unknown("center".into())),
            ("*/*", PatternError::NoLabel),
            ("", PatternError::Part(String::new())),
            ("{site}/{site}", PatternError::Twice("site")),
            ("{site/*", PatternError::Brace),
            ("site}/*", PatternError::Brace),
            ("{site}{subject}", PatternError::Touching("{site}{subject}".into())),
            ("{site}/**/x", PatternError::Rest),
            ("/{site}/*", PatternError::Part(String::new())),
            ("../{site}", PatternError::Part("..".into())),
            ("{site}*", PatternError::Touching("{site}*".into())),
            ("{site}_*_*_*_*", PatternError::TooFree("{site}_*_*_*_*".into())),
        ] {
            assert_eq!(pattern.parse::<PathLabels>().unwrap_err(), error, "{pattern}");
        }
    }
}
