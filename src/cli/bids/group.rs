//! The group level: results of all participants that the BIDS dataset still has, as one dataset.

use std::collections::BTreeSet;
use std::path::Path;

use super::pages::{page, subject};
use super::participants::{EXIT_ABSENT, folder_of, name_absent, not_in, subjects};
use super::{derivatives, description};
use crate::cli::error::{CliError, CliResult};
use crate::cli::outputs::in_folder;
use crate::cli::progress::{Fits, print_summary};
use crate::printable::printable_path;
use crate::run::union::union;
use crate::store::{IfExists, Journal, ReadTableError, SpectrumRow, read_batches};

/// Folder of the group level in the output folder.
const GROUP: &str = "group";

/// Why a participant is not in the group.
#[derive(Default)]
struct LeftOut {
    /// Nothing was fitted.
    missing: Vec<String>,
    /// A run of the participant was begun and not finished: the tables beside it are of before.
    unfinished: Vec<String>,
    /// Files of the results are no longer in the dataset: renamed, or withdrawn.
    gone: Vec<String>,
}

impl LeftOut {
    fn tell(&self) {
        name_absent("participants without results", &self.missing);
        name_absent(
            "participants whose run was not finished are left out (the participant level goes on with it)",
            &self.unfinished,
        );
        name_absent(
            "participants have results of spectra that are no longer in BIDS_DIR, and are left out (renamed or withdrawn: \
             remove their folders from OUTPUT_DIR; where only some files went: participant level with --overwrite)",
            &self.gone,
        );
    }

    fn has(&self, label: &String) -> bool {
        [&self.missing, &self.unfinished, &self.gone].iter().any(|labels| labels.contains(label))
    }
}

pub(super) fn run(bids_dir: &Path, output_dir: &Path, wanted: &[String]) -> CliResult {
    let group = in_folder(output_dir, GROUP)?;
    let (mut there, mut left_out) = (Vec::new(), LeftOut::default());
    let mut labels = done(output_dir)?;
    let has_dataset = bids_dir.is_dir();
    let in_dataset: BTreeSet<String> =
        if has_dataset { subjects(bids_dir)?.into_iter().collect() } else { BTreeSet::new() };
    if !has_dataset {
        let path = printable_path(bids_dir);
        tell!("note: {path} is not there: nobody can tell which participants were renamed or withdrawn");
    }
    labels.extend(in_dataset.iter().cloned());
    labels.sort();
    labels.dedup();
    let known = labels.clone();
    labels.retain(|label| wanted.is_empty() || wanted.contains(label));
    for label in labels {
        let Ok(folder) = folder_of(output_dir, &label) else {
            left_out.missing.push(label);
            continue;
        };
        if Journal::at(&folder).plan().is_some() {
            left_out.unfinished.push(label);
        } else if !folder.join("run.json").is_file() {
            left_out.missing.push(label);
        } else if has_dataset && !holds_all_sources(bids_dir, &folder, in_dataset.contains(&label))? {
            left_out.gone.push(label);
        } else {
            there.push(folder);
        }
    }
    left_out.tell();
    if there.is_empty() {
        let message = "no participant of BIDS_DIR has finished results in OUTPUT_DIR; run the participant level first";
        return Err(CliError::new(EXIT_ABSENT, anyhow::anyhow!(message)));
    }
    // The group's tables are made of the participants' and of nothing else: they can be made again at any time.
    let summary = union(&there, &group, IfExists::Overwrite).map_err(|e| CliError::new(e.exit_code(), e))?;
    print_summary(&summary, Fits::Old);
    derivatives::tables(&group, output_dir, GROUP)?;
    there.iter().try_for_each(|folder| subject(folder, output_dir, &group, bids_dir))?;
    page(&group, output_dir, "group.html", bids_dir)?;
    description::write(bids_dir, output_dir)?;
    // Whoever names a participant counts on it; of all there are, some may not be done yet.
    let named = wanted.iter().any(|label| left_out.has(label) || !known.contains(label));
    name_absent("participants that nobody knows", &not_in(wanted, &known));
    Ok(if named { EXIT_ABSENT } else { 0 })
}

/// Whether the dataset still has all files that the results in `folder` are of. Links that lead nowhere count: content that
/// git-annex dropped is still part of a dataset.
fn holds_all_sources(bids_dir: &Path, folder: &Path, has_folder: bool) -> Result<bool, ReadTableError> {
    let mut sources = BTreeSet::new();
    read_batches::<SpectrumRow>(folder, &["source_path"], |rows| {
        sources.extend(rows.into_iter().map(|row| row.source_path));
    })?;
    // What a table shows of a path with characters that do not show is not the path.
    let is_as_on_disk = |path: &str| !path.contains("\\u{") && !path.ends_with('…');
    Ok(sources.iter().all(|path| {
        let is_there = bids_dir.join(path).symlink_metadata().is_ok();
        is_there || (has_folder && !is_as_on_disk(path))
    }))
}

/// Participants with a folder of results.
fn done(out: &Path) -> Result<Vec<String>, CliError> {
    subjects(out).map_err(|e| {
        CliError::new(66, anyhow::anyhow!("{}: {e}; run the participant level first", printable_path(out)))
    })
}
