//! Sites of a BIDS dataset's participants: column `site` of `participants.tsv` (specification 1.10, "Participants file").
//! No other column is looked at.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use super::bids::dataset_root;
use super::found::FindWarning;
use super::sheet::Sheet;
use super::sheet_text::read_text;

const FILE: &str = "participants.tsv";
const PARTICIPANT_COLUMN: &str = "participant_id";
const SITE_COLUMNS: [&str; 3] = ["site", "site_id", "site_name"];

/// Sites by participant, each dataset read once.
#[derive(Debug, Default)]
pub(crate) struct Participants {
    root_of: HashMap<PathBuf, PathBuf>,
    sites: HashMap<PathBuf, HashMap<String, String>>,
    pub(crate) warnings: Vec<FindWarning>,
}

impl Participants {
    /// The site of the participant `subject` (without `sub-`) whose file lies in `folder`.
    pub(crate) fn site(&mut self, folder: &Path, subject: &str) -> Option<String> {
        let root = self.root_of.entry(folder.to_owned()).or_insert_with(|| dataset_root(folder)).clone();
        let warnings = &mut self.warnings;
        let sites = self.sites.entry(root).or_insert_with_key(|root| read(&root.join(FILE), warnings));
        sites.get(subject).cloned()
    }
}

fn read(path: &Path, warnings: &mut Vec<FindWarning>) -> HashMap<String, String> {
    if path.symlink_metadata().is_err() {
        return HashMap::new();
    }
    let is_known = |title: &str| {
        let names = SITE_COLUMNS.into_iter().chain(std::iter::once(PARTICIPANT_COLUMN));
        names.into_iter().any(|name| title.eq_ignore_ascii_case(name))
    };
    match read_text(path, true, &is_known) {
        Ok(sheet) => sites(&sheet).unwrap_or_default(),
        // The spectra are there all the same; their site stays unknown.
        Err(message) => {
            warnings.push(FindWarning::Unreadable { path: path.to_owned(), message });
            HashMap::new()
        }
    }
}

fn sites(sheet: &Sheet) -> Option<HashMap<String, String>> {
    let column = |names: &[&str]| {
        names.iter().find_map(|name| sheet.header.iter().position(|title| title.eq_ignore_ascii_case(name)))
    };
    let (id, site) = (column(&[PARTICIPANT_COLUMN])?, column(&SITE_COLUMNS)?);
    let known = |text: &&String| !text.is_empty() && text.as_str() != "n/a";
    let row = |cells: &Vec<String>| {
        let label = cells.get(id)?;
        let label = label.strip_prefix("sub-").unwrap_or(label);
        Some((label.to_owned(), cells.get(site).filter(known)?.clone()))
    };
    Some(sheet.rows.iter().filter_map(|(_, cells)| row(cells)).collect())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn sites_come_from_the_dataset_above() {
        let dataset = tempfile::tempdir().unwrap();
        let folder = dataset.path().join("sub-02/mrs");
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(dataset.path().join("dataset_description.json"), "{}").unwrap();
        std::fs::write(dataset.path().join(FILE), "participant_id\tage\tsite\nsub-01\t30\tn/a\nsub-02\t40\tOslo\n")
            .unwrap();
        let mut participants = Participants::default();
        assert_eq!(participants.site(&folder, "02").as_deref(), Some("Oslo"));
        assert_eq!(participants.site(&folder, "01"), None);
        assert_eq!(participants.site(&folder, "03"), None);
    }
}
