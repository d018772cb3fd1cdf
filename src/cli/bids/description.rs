//! What the output folder is, as BIDS wants it of derivatives.

use std::path::Path;

use crate::cli::error::CliError;
use crate::cli::outputs::{Reads, in_folder};
use crate::corpus::relative_path;

/// File that says what a BIDS folder is.
const DATASET_DESCRIPTION: &str = "dataset_description.json";
/// File that says which others validators pass over, and what it holds: tables for programs, pages, pictures.
const BIDS_IGNORE: (&str, &str) = (
    ".bidsignore",
    "*.html\n*_data\ngroup\ngroup_*\nspectra\nmetabolites\ncurves\ntransients\nlearned\n.requant\nrun.json\nfigures\nmrs\n",
);

/// What a person finds there first.
const README: (&str, &str) = (
    "README",
    "\
Quantified MR spectra, made by requant. sub-*.html shows the fits of one participant, group.html those of all. Tables for
programs: spectra/ and metabolites/ (Parquet), for all participants in group/; the same as text in mrs/, with what each column
means beside it. run.json has all settings.
",
);

/// Says what the output folder is, as BIDS wants it of derivatives.
pub(super) fn write(bids_dir: &Path, out: &Path) -> Result<(), CliError> {
    let absolute = |path: &Path| path.canonicalize().ok();
    // Where the sources lie, as seen from the results: both are moved together, and no name of a machine is told.
    let raw = absolute(bids_dir).zip(absolute(out)).map(|(raw, out)| relative_path(&raw, &out));
    let text = serde_json::json!({
        "Name": "requant: quantified MR spectra",
        "BIDSVersion": "1.10.0",
        "DatasetType": "derivative",
        "GeneratedBy": [{
            "Name": "requant",
            "Version": env!("CARGO_PKG_VERSION"),
            "Description": "Reads, prepares, fits and quantifies MR spectra; every sub-XX/run.json has all settings.",
        }],
        "DatasetLinks": { "raw": raw.unwrap_or_else(|| "..".to_owned()) },
    });
    let path = in_folder(out, DATASET_DESCRIPTION)?;
    Reads::default().write(&path, format!("{text:#}\n"))?;
    for (name, text) in [BIDS_IGNORE, README] {
        let path = out.join(name);
        // A link would lead somebody's text elsewhere; a file is one of ours or the user's own.
        if path.symlink_metadata().is_err() {
            Reads::default().write(&path, text)?;
        }
    }
    Ok(())
}
