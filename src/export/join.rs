//! Tables beside the results, joined by participant, session, region or spectrum. What finds nobody is listed.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use super::error::ExportError;
use super::key::{Key, plain};
use crate::corpus::{NOT_KNOWN, Sheet, read_parquet, read_text};
use crate::printable::{LABEL_CHARS, printable};
use crate::store::SpectrumRow;

/// A table that was joined.
#[derive(Debug, Clone)]
pub(crate) struct Joined {
    /// Its file's name.
    pub(crate) name: String,
    /// What lines are known by.
    pub(crate) keys: Vec<Key>,
    /// Columns that are no keys.
    pub(crate) columns: Vec<JoinedColumn>,
    /// The line of each row of the results.
    pub(crate) line_of: Vec<Option<usize>>,
    /// Key of each line.
    pub(crate) lines: Vec<Line>,
    pub(crate) unmatched: Vec<Unmatched>,
    pub(crate) notes: Vec<String>,
}

/// One of its columns.
#[derive(Debug, Clone)]
pub(crate) struct JoinedColumn {
    pub(crate) title: String,
    /// By line.
    pub(crate) cells: Vec<Option<String>>,
}

/// What a line is known by.
#[derive(Debug, Clone)]
pub(crate) struct Line {
    pub(crate) number: usize,
    pub(crate) key: Vec<Option<String>>,
}

/// What found nothing on the other side.
#[derive(Debug, Clone)]
pub(crate) struct Unmatched {
    /// Whether it is one of the results.
    pub(crate) is_of_results: bool,
    pub(crate) keys: Vec<(Key, Option<String>)>,
    /// Line of the file.
    pub(crate) line: Option<usize>,
    /// Rows of the results.
    pub(crate) n_rows: usize,
    /// What may be meant, on the other side.
    pub(crate) looks_like: Option<String>,
}

impl Joined {
    /// Reads the table at `path` and finds the line of each row.
    ///
    /// # Errors
    /// [`ExportError::Join`]: no table, no key, a key that is there twice, or none that is in the results.
    pub(crate) fn read(path: &Path, spectra: &[SpectrumRow]) -> Result<Self, ExportError> {
        let refused = |message: String| ExportError::Join { path: path.to_owned(), message };
        let sheet = sheet(path).map_err(refused)?;
        let stated = participant_of_name(path);
        let mut keys = keys(&sheet.header, stated.is_some(), spectra).map_err(refused)?;
        let mut lines = lines(&sheet, &keys, stated.as_deref());
        let mut notes = Vec::new();
        let mut index = index(&lines);
        let of_site = Key::Site.find(&sheet.header).filter(|_| spectra.iter().any(|row| row.site.is_some()));
        if index.is_err() && !keys.contains(&Key::Spectrum) && of_site.is_some() {
            keys.push(Key::Site);
            lines = self::lines(&sheet, &keys, stated.as_deref());
            index = self::index(&lines);
            notes.push("people of different sites have one name: joined by site as well".to_owned());
        }
        let index = index.map_err(|twice| refused(doubled(&lines, twice, &keys)))?;
        let line_of: Vec<Option<usize>> = spectra.iter().map(|row| index.get(&key_of(row, &keys)).copied()).collect();
        let columns = columns(&sheet, &keys, &mut notes);
        let unmatched = unmatched(spectra, &line_of, &lines, &keys);
        drop(index);
        let name = path.file_name().map(|name| printable(&name.to_string_lossy(), LABEL_CHARS)).unwrap_or_default();
        let joined = Self { name, keys, columns, line_of, lines, unmatched, notes };
        match joined.line_of.iter().any(Option::is_some) || joined.lines.is_empty() {
            true => Ok(joined),
            false => Err(refused(joined.none_known(spectra))),
        }
    }

    /// The cell of a column for a row of the results.
    pub(crate) fn cell(&self, column: usize, row: usize) -> Option<&str> {
        let line = self.line_of.get(row).copied().flatten()?;
        self.columns.get(column)?.cells.get(line)?.as_deref()
    }

    /// Which column has one of these titles.
    pub(crate) fn column(&self, titles: &[&str]) -> Option<usize> {
        let at = |title: &&str| self.columns.iter().position(|column| column.title.eq_ignore_ascii_case(title));
        titles.iter().find_map(at)
    }

    /// What a line's key has for `key`.
    pub(crate) fn label(&self, line: usize, key: Key) -> Option<&str> {
        let at = self.keys.iter().position(|own| *own == key)?;
        self.lines.get(line)?.key.get(at)?.as_deref()
    }

    fn none_known(&self, spectra: &[SpectrumRow]) -> String {
        let by = words(&self.keys);
        let example = |is_of_results: bool| {
            let one = self.unmatched.iter().find(|one| one.is_of_results == is_of_results);
            one.map(|one| in_words(&one.keys)).unwrap_or_else(|| "nothing".to_owned())
        };
        let unlabelled = self.keys.iter().find(|key| spectra.iter().all(|row| key.of(row).is_none()));
        let why = match unlabelled {
            Some(key) => format!("the results have no {}: name it in a manifest or with --site-from", key.name()),
            None => format!("there is {} in the results and {} here", example(true), example(false)),
        };
        format!("none of its lines is in the results, by {by}; {why}")
    }
}

fn sheet(path: &Path) -> Result<Sheet, String> {
    let extension = path.extension().map(|e| e.to_string_lossy().to_lowercase()).unwrap_or_default();
    let sheet = match extension.as_str() {
        "parquet" => read_parquet(path, &Key::is_title),
        other => read_text(path, matches!(other, "tsv" | "txt" | "tab"), &Key::is_title),
    };
    let sheet = sheet?;
    let is_long = |cells: &[String]| cells.iter().skip(sheet.header.len()).any(|cell| !cell.is_empty());
    match sheet.rows.iter().find(|(_, cells)| is_long(cells)) {
        Some((line, _)) => {
            Err(format!("line {line} has more cells than the header; put text with separators in quotes"))
        }
        None => Ok(sheet),
    }
}

/// The participant whose sessions a file `sub-01_sessions.tsv` lists.
fn participant_of_name(path: &Path) -> Option<String> {
    let stem = path.file_stem()?.to_str()?;
    let label = stem.strip_prefix("sub-")?.split('_').next()?;
    (stem.contains('_') && !label.is_empty()).then(|| label.to_owned())
}

fn keys(header: &[String], is_of_one: bool, spectra: &[SpectrumRow]) -> Result<Vec<Key>, String> {
    let has = |key: Key| key.find(header).is_some();
    if has(Key::Spectrum) {
        return Ok(vec![Key::Spectrum]);
    }
    if !has(Key::Participant) && !is_of_one {
        let titles: Vec<String> = header.iter().map(|title| printable(title, LABEL_CHARS)).collect();
        return Err(format!("no column participant_id or spectrum_id; there are {}", titles.join(", ")));
    }
    let told = |key: Key| has(key) && spectra.iter().any(|row| key.of(row).is_some());
    let others = [Key::Session, Key::Voi].into_iter().filter(|key| told(*key));
    Ok(std::iter::once(Key::Participant).chain(others).collect())
}

fn known(cell: Option<&String>) -> Option<&str> {
    cell.map(String::as_str).filter(|text| !text.is_empty() && !NOT_KNOWN.contains(text))
}

fn lines(sheet: &Sheet, keys: &[Key], stated: Option<&str>) -> Vec<Line> {
    let places: Vec<(Key, Option<usize>)> = keys.iter().map(|key| (*key, key.find(&sheet.header))).collect();
    let label = |cells: &[String], (key, place): &(Key, Option<usize>)| match place {
        // A number for a label lost what stood before it; it is a label all the same.
        Some(place) => cells.get(*place).filter(|text| !text.is_empty()).map(|text| key.label(text)),
        None => stated.map(str::to_owned),
    };
    let key = |cells: &[String]| {
        let labels = places.iter().map(|place| label(cells, place));
        labels.map(|label| label.filter(|text| text != "n/a")).collect()
    };
    sheet.rows.iter().map(|(number, cells)| Line { number: *number, key: key(cells) }).collect()
}

type Index<'a> = HashMap<Vec<Option<&'a str>>, usize>;

/// Lines by key; two of one key are the error. Those without a label of who it is are known by nobody.
fn index(lines: &[Line]) -> Result<Index<'_>, (usize, usize)> {
    let mut index = HashMap::new();
    for (number, line) in lines.iter().enumerate().filter(|(_, line)| line.key.first().is_some_and(Option::is_some)) {
        if let Some(earlier) = index.insert(line.key.iter().map(Option::as_deref).collect(), number) {
            return Err((earlier, number));
        }
    }
    Ok(index)
}

fn key_of<'a>(row: &'a SpectrumRow, keys: &[Key]) -> Vec<Option<&'a str>> {
    keys.iter().map(|key| key.of(row)).collect()
}

fn words(keys: &[Key]) -> String {
    keys.iter().map(|key| key.name()).collect::<Vec<_>>().join(" and ")
}

/// Labels as people read them.
fn in_words(keys: &[(Key, Option<String>)]) -> String {
    let one = |(key, label): &(Key, Option<String>)| {
        label.as_deref().map_or("n/a".to_owned(), |label| printable(&key.written(label), LABEL_CHARS))
    };
    keys.iter().map(one).collect::<Vec<_>>().join(" ")
}

fn doubled(lines: &[Line], (a, b): (usize, usize), keys: &[Key]) -> String {
    let number = |at: usize| lines.get(at).map_or(0, |line| line.number);
    let labels = lines.get(a).map(|line| keys.iter().copied().zip(line.key.iter().cloned()).collect::<Vec<_>>());
    format!(
        "lines {} and {} are both of {}, and lines are told apart by {} here: keep one, or add a column that the results have as \
         well (session_id, voi, site)",
        number(a),
        number(b),
        in_words(&labels.unwrap_or_default()),
        words(keys)
    )
}

fn columns(sheet: &Sheet, keys: &[Key], notes: &mut Vec<String>) -> Vec<JoinedColumn> {
    let of_keys: Vec<usize> =
        keys.iter().filter(|key| **key != Key::Site).filter_map(|key| key.find(&sheet.header)).collect();
    let lines: Vec<usize> = sheet.rows.iter().map(|(line, _)| *line).collect();
    let mut columns = Vec::new();
    for (place, title) in sheet.header.iter().enumerate().filter(|(place, _)| !of_keys.contains(place)) {
        let cell = |cells: &Vec<String>| known(cells.get(place)).map(|text| printable(text, LABEL_CHARS));
        let mut cells: Vec<Option<String>> = sheet.rows.iter().map(|(_, cells)| cell(cells)).collect();
        let title = printable(title.trim(), LABEL_CHARS);
        if sheet.may_have_decimal_commas && with_points(&mut cells) {
            notes.push(format!("`{title}`: commas were read as decimal points"));
        }
        notes.extend(words_among_numbers(&title, &cells, &lines));
        columns.push(JoinedColumn { title, cells });
    }
    columns
}

/// Says which lines make words of a column that would be one of numbers: it has no mean then, and fits into no model as it
/// is. What stands there is somebody's data and stays untold.
fn words_among_numbers(title: &str, cells: &[Option<String>], lines: &[usize]) -> Option<String> {
    /// Lines that are named.
    const SHOWN: usize = 3;
    let is_word = |text: &String| !text.parse::<f64>().is_ok_and(f64::is_finite);
    let words: Vec<usize> =
        cells.iter().zip(lines).filter(|(cell, _)| cell.as_ref().is_some_and(is_word)).map(|(_, line)| *line).collect();
    let n = cells.iter().flatten().count();
    let shown: Vec<String> = words.iter().take(SHOWN).map(ToString::to_string).collect();
    let more = if words.len() > SHOWN { ", …" } else { "" };
    let lines = if words.len() == 1 { "line" } else { "lines" };
    (!words.is_empty() && 2 * words.len() < n).then(|| {
        format!(
            "`{title}`: {} of {n} cells are no numbers ({lines} {}{more}), so all are taken as words; correct them, or write n/a",
            words.len(),
            shown.join(", ")
        )
    })
}

/// Puts points for the commas of numbers, where all of a column are numbers then and some were not.
fn with_points(cells: &mut [Option<String>]) -> bool {
    let is_number = |text: &str| text.parse::<f64>().is_ok();
    let pointed = |text: &str| if text.matches(',').count() == 1 { text.replace(',', ".") } else { text.to_owned() };
    let any = cells.iter().flatten().any(|text| text.contains(','));
    if !any || !cells.iter().flatten().all(|text| is_number(&pointed(text))) {
        return false;
    }
    cells.iter_mut().flatten().for_each(|text| *text = pointed(text));
    true
}

fn unmatched(spectra: &[SpectrumRow], line_of: &[Option<usize>], lines: &[Line], keys: &[Key]) -> Vec<Unmatched> {
    let labelled = |key: &[Option<String>]| keys.iter().copied().zip(key.iter().cloned()).collect::<Vec<_>>();
    let mut rows: BTreeMap<Vec<Option<String>>, usize> = BTreeMap::new();
    for (row, _) in spectra.iter().zip(line_of).filter(|(_, line)| line.is_none()) {
        let key = key_of(row, keys).into_iter().map(|label| label.map(str::to_owned)).collect();
        *rows.entry(key).or_default() += 1;
    }
    let used: std::collections::HashSet<usize> = line_of.iter().flatten().copied().collect();
    let unused: Vec<&Line> =
        lines.iter().enumerate().filter(|(at, _)| !used.contains(at)).map(|(_, line)| line).collect();
    let plain_of = |key: &[Option<String>]| key.iter().map(|label| label.as_deref().map(plain)).collect::<Vec<_>>();
    let of_rows: HashMap<_, _> = rows.keys().map(|key| (plain_of(key), key)).collect();
    let of_lines: HashMap<_, _> = unused.iter().map(|line| (plain_of(&line.key), &line.key)).collect();
    let near_line = |key: &[Option<String>]| of_lines.get(&plain_of(key)).map(|key| in_words(&labelled(key)));
    let near_row = |key: &[Option<String>]| of_rows.get(&plain_of(key)).map(|key| in_words(&labelled(key)));
    let of_results = rows.iter().map(|(key, n)| Unmatched {
        is_of_results: true,
        keys: labelled(key),
        line: None,
        n_rows: *n,
        looks_like: near_line(key),
    });
    let of_file = unused.iter().map(|line| Unmatched {
        is_of_results: false,
        keys: labelled(&line.key),
        line: Some(line.number),
        n_rows: 0,
        looks_like: near_row(&line.key),
    });
    of_results.chain(of_file).collect()
}
