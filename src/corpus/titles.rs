//! What the columns of a manifest mean, by their titles as people write them.

use std::collections::HashSet;

use crate::acquisition::Facts;
use crate::printable::{LABEL_CHARS, printable};

/// Columns that are no facts of a header. `path` must be there.
const OWN_COLUMNS: [&str; 19] = [
    "path",
    "water_path",
    "id",
    "basis",
    "recipe",
    "subject",
    "session",
    "site",
    "voi",
    "sequence",
    "pulses",
    "n_conditions",
    "edit_order",
    "segmentation_path",
    "f_gm",
    "f_wm",
    "f_csf",
    "water_te_s",
    "water_tr_s",
];

/// The columns that a manifest may have.
pub fn columns() -> Vec<&'static str> {
    OWN_COLUMNS.into_iter().chain(Facts::NUMBERS.iter().map(|number| number.name)).collect()
}

/// Other titles of the column `path`.
const PATH_TITLES: [&str; 8] =
    ["file", "filename", "file_name", "filepath", "file_path", "full_path", "source_path", "data_path"];

/// Column that `requant plan` writes for people: what is to be filled in.
pub const TO_FILL_IN: &str = "to_fill_in";
/// Column with what is wrong, likewise.
pub const PROBLEM: &str = "problem";
/// Begins the titles of the columns with what a run takes now, likewise.
pub const KNOWN_PREFIX: &str = "known_";
/// The facts that such columns show.
pub const KNOWN: [&str; 6] = ["vendor", "sequence", "te_s", "tr_s", "f0_mhz", "dwell_s"];

/// Begins the names of a manifest's own columns in the tables.
const PREFIX: &str = "x_";
/// Most columns of its own that a manifest may have.
const MOST_EXTRA: usize = 256;

/// Titles that mean a person and not a measurement: they go into no table.
const PERSONAL: [&str; 22] = [
    "name",
    "patient_name",
    "patientname",
    "subject_name",
    "full_name",
    "first_name",
    "last_name",
    "given_name",
    "family_name",
    "surname",
    "patient_id",
    "patientid",
    "mrn",
    "ssn",
    "birth_date",
    "birthdate",
    "date_of_birth",
    "dob",
    "address",
    "phone",
    "email",
    "physician",
];

/// Titles that stand for a column that requant has; it is not known whether their values are in its unit.
const MEANT: [(&str, &[&str]); 17] = [
    ("path", &["scan", "data", "nifti", "dicom", "spectrum_path"]),
    (
        "water_path",
        &[
            "water",
            "water_file",
            "water_ref",
            "water_reference",
            "water_reference_path",
            "wref",
            "ref",
            "ref_path",
            "mrsref",
        ],
    ),
    ("subject", &["participant", "participant_id", "subject_id", "subj", "sub"]),
    ("session", &["ses", "session_id"]),
    ("site", &["site_id", "site_name", "center", "centre"]),
    ("voi", &["voxel", "roi", "region"]),
    ("sequence", &["seq", "pulse_sequence", "sequence_name"]),
    ("te_s", &["te", "te_ms", "te_us", "te_sec", "echo_time", "echotime"]),
    ("tr_s", &["tr", "tr_ms", "tr_us", "tr_sec", "repetition_time", "repetitiontime"]),
    ("tm_s", &["tm", "tm_ms", "mixing_time", "mixingtime"]),
    ("te1_s", &["te1", "te1_ms"]),
    ("f0_mhz", &["f0", "f0_hz", "frequency", "frequency_mhz", "imaging_frequency", "spectrometer_frequency"]),
    (
        "segmentation_path",
        &["segmentation", "seg", "seg_path", "tissue", "tissue_path", "pve", "probseg", "dseg", "aseg"],
    ),
    ("f_gm", &["gm", "fgm", "gm_fraction", "gm_frac", "fraction_gm", "frac_gm"]),
    ("f_wm", &["wm", "fwm", "wm_fraction", "wm_frac", "fraction_wm", "frac_wm"]),
    ("f_csf", &["csf", "fcsf", "csf_fraction", "csf_frac", "fraction_csf", "frac_csf"]),
    ("dwell_s", &["dwell", "dwell_ms", "dwell_us", "dwell_time", "dwelltime"]),
];

/// What a column is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Title {
    /// One that requant knows, by its name.
    Known(&'static str),
    /// One that is carried through to the tables, by its name there.
    Extra(String),
    /// One that is not read.
    Ignored,
}

/// The columns of a manifest, with what the user should know about them.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Titles {
    pub(super) of_columns: Vec<Title>,
    /// The title that stands for `path`, where it is another.
    pub(super) path_is: Option<String>,
    /// Columns that are probably meant to be others.
    pub(super) misspelt: Vec<String>,
    /// Columns that name persons.
    pub(super) personal: Vec<String>,
}

/// A title as it is compared: small letters, underscores for whatever stands between words.
fn plain(title: &str) -> String {
    let title = title.trim_matches(|c: char| c.is_whitespace() || c == '\u{feff}' || c == '\u{200b}').to_lowercase();
    title
        .split(|c: char| !c.is_alphanumeric() && c != '*')
        .filter(|word| !word.is_empty())
        .collect::<Vec<_>>()
        .join("_")
}

/// Whether a title is one that a manifest has, for whoever looks for the separator.
pub(super) fn is_known(title: &str) -> bool {
    let plain = plain(title);
    columns().contains(&plain.as_str()) || PATH_TITLES.contains(&plain.as_str())
}

impl Titles {
    /// Reads the titles.
    ///
    /// # Errors
    /// There is no column `path`, one column occurs twice, or there are too many.
    pub(super) fn read(header: &[String]) -> Result<Self, String> {
        let plain_titles: Vec<String> = header.iter().map(|title| plain(title)).collect();
        let path = path_title(header, &plain_titles)?;
        let mut titles =
            Self { path_is: (path != "path").then(|| header_of(header, &plain_titles, path)), ..Self::default() };
        let mut seen = HashSet::new();
        for (shown, name) in header.iter().zip(&plain_titles) {
            let title = titles.one(shown, name, path);
            let key = match &title {
                Title::Known(name) => Some((*name).to_owned()),
                Title::Extra(name) => Some(name.clone()),
                Title::Ignored => None,
            };
            if key.is_some_and(|key| !seen.insert(key)) {
                return Err(format!("the column `{}` occurs twice", printable(shown, LABEL_CHARS)));
            }
            titles.of_columns.push(title);
        }
        let n_extra = titles.extra().count();
        if n_extra > MOST_EXTRA {
            return Err(format!(
                "{n_extra} columns of its own, more than the {MOST_EXTRA} that tables take; leave some out"
            ));
        }
        Ok(titles)
    }

    /// Names of the columns that are carried through.
    pub(super) fn extra(&self) -> impl Iterator<Item = &String> {
        self.of_columns.iter().filter_map(|title| match title {
            Title::Extra(name) => Some(name),
            Title::Known(_) | Title::Ignored => None,
        })
    }

    fn one(&mut self, shown: &str, name: &str, path: &str) -> Title {
        if name == path {
            return Title::Known("path");
        }
        if let Some(known) = columns().into_iter().find(|known| *known == name) {
            return Title::Known(known);
        }
        if name.is_empty() || is_for_people(name) {
            return Title::Ignored;
        }
        if PERSONAL.contains(&name) {
            self.personal.push(printable(shown, LABEL_CHARS));
            return Title::Ignored;
        }
        if let Some(meant) = meant(name) {
            self.misspelt.push(format!("`{}` (is `{meant}` meant?)", printable(shown, LABEL_CHARS)));
        }
        Title::Extra(printable(&format!("{PREFIX}{}", name.strip_prefix(PREFIX).unwrap_or(name)), LABEL_CHARS))
    }
}

/// The title of the column with the paths.
fn path_title<'a>(header: &[String], plain_titles: &'a [String]) -> Result<&'a str, String> {
    if let Some(path) = plain_titles.iter().find(|title| *title == "path") {
        return Ok(path);
    }
    let others: Vec<&String> = plain_titles.iter().filter(|title| PATH_TITLES.contains(&title.as_str())).collect();
    match others[..] {
        [one] => Ok(one),
        [] => {
            let seen: Vec<String> =
                header.iter().take(8).map(|title| format!("`{}`", printable(title, LABEL_CHARS))).collect();
            Err(format!("there is no column `path`; its first columns are {}", seen.join(", ")))
        }
        [first, second, ..] => Err(format!("`{first}` or `{second}` may be the column `path`; call one of them so")),
    }
}

fn header_of(header: &[String], plain_titles: &[String], name: &str) -> String {
    let at = plain_titles.iter().position(|title| title == name);
    printable(at.and_then(|at| header.get(at)).map_or(name, String::as_str), LABEL_CHARS)
}

/// Whether `requant plan` writes the column to be read by people.
fn is_for_people(name: &str) -> bool {
    let shows_known = name.strip_prefix(KNOWN_PREFIX).is_some_and(|fact| KNOWN.contains(&fact));
    shows_known || [TO_FILL_IN, PROBLEM].contains(&name)
}

/// The column that is probably meant by an unknown title: by another unit or word, or all but one letter of it.
fn meant(name: &str) -> Option<&'static str> {
    let by_word = MEANT.iter().find(|(_, others)| others.contains(&name)).map(|(known, _)| *known);
    by_word.or_else(|| columns().into_iter().find(|known| known.len() > 3 && is_one_letter_off(known, name)))
}

/// Whether two names differ in one letter: one more, one less, another, or two that changed places.
pub(crate) fn is_one_letter_off(a: &str, b: &str) -> bool {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let (short, long) = if a.len() <= b.len() { (a, b) } else { (b, a) };
    let start = short.iter().zip(&long).take_while(|(x, y)| x == y).count();
    let (short, long) = (short.get(start..).unwrap_or_default(), long.get(start..).unwrap_or_default());
    match (short, long) {
        ([], []) => false,
        ([x1, x2, x_rest @ ..], [y1, y2, y_rest @ ..]) if x1 == y2 && x2 == y1 && x_rest == y_rest => true,
        ([_, x_rest @ ..], [_, y_rest @ ..]) if short.len() == long.len() => x_rest == y_rest,
        (_, [_, y_rest @ ..]) => short.len() + 1 == long.len() && short == y_rest,
        _ => false,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    fn read(titles: &[&str]) -> Result<Titles, String> {
        Titles::read(&titles.iter().map(|title| (*title).to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn known_titles_are_known_however_they_are_written() {
        let titles = read(&["\u{feff} Path ", "Water Path", "TE_s", "te-s ", ""]);
        assert!(titles.unwrap_err().contains("occurs twice"));
        let titles = read(&["\u{feff} Path ", "Water Path", "TE_s", ""]).unwrap();
        let known = ["path", "water_path", "te_s"].map(Title::Known);
        assert_eq!(titles.of_columns[..3], known);
        assert_eq!(titles.of_columns[3], Title::Ignored);
        for title in ["File", "file", "filename", "Filename", "file_path", "File Name", "FilePath"] {
            let titles = read(&["id", title]).unwrap();
            assert_eq!(titles.of_columns[1], Title::Known("path"), "{title}");
            assert_eq!(titles.path_is.as_deref(), Some(title));
        }
        // What is called `path` is it, and the other one is the user's own.
        let titles = read(&["file", "path"]).unwrap();
        assert_eq!(titles.of_columns, [Title::Extra("x_file".into()), Title::Known("path")]);
        assert!(read(&["file", "filename"]).unwrap_err().contains("`file` or `filename`"));
        assert!(read(&["Subject", "Scan date"]).unwrap_err().contains("`Subject`, `Scan date`"));
    }

    #[test]
    fn other_columns_are_carried_and_never_clash() {
        let titles = read(&["path", "Age", "Scanner Model", "x_group", "snr", "größe"]).unwrap();
        let extra: Vec<&String> = titles.extra().collect();
        assert_eq!(extra, ["x_age", "x_scanner_model", "x_group", "x_snr", "x_größe"]);
        assert_eq!(titles.misspelt, Vec::<String>::new());
        assert!(read(&["path", "age", "Age "]).unwrap_err().contains("occurs twice"));
        let many: Vec<String> = (0..300).map(|n| format!("c{n}")).chain(["path".to_owned()]).collect();
        assert!(Titles::read(&many).unwrap_err().contains("300 columns"));
    }

    #[test]
    fn what_plan_writes_for_people_and_what_names_persons_is_not_carried() {
        let titles =
            read(&["path", "to_fill_in", "known_te_s", "problem", "Patient Name", "dob", "known_issue"]).unwrap();
        assert_eq!(titles.extra().collect::<Vec<_>>(), ["x_known_issue"]);
        assert_eq!(titles.personal, ["Patient Name", "dob"]);
    }

    #[test]
    fn misspelt_columns_are_told_with_what_is_meant() {
        for (title, known) in [
            ("te_ms", "te_s"),
            ("TE", "te_s"),
            ("echo_time", "te_s"),
            ("EchoTime", "te_s"),
            ("tr", "tr_s"),
            ("squence", "sequence"),
            ("sequnece", "sequence"),
            ("subjct", "subject"),
            ("participant_id", "subject"),
            ("water", "water_path"),
            ("waterpath", "water_path"),
            ("dwell_us", "dwell_s"),
            ("sites", "site"),
        ] {
            let titles = read(&["path", title]).unwrap();
            assert_eq!(titles.misspelt, [format!("`{title}` (is `{known}` meant?)")]);
        }
        for title in ["age", "sex", "group", "scanner", "diagnosis", "notes", "iq", "visit_date"] {
            assert!(read(&["path", title]).unwrap().misspelt.is_empty(), "{title}");
        }
    }
}
