//! What BIDS wants of derivatives: text tables with sidecars and pictures, named after the files that they are of.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde_json::json;

use super::stale;
use super::text_table::{sidecar, tsv};
use crate::cli::error::CliError;
use crate::cli::outputs::{EXIT_OUTPUT, Reads};
use crate::corpus::source_name;
use crate::output_path::{path_inside, safe_name_from};
use crate::printable::printable_path;
use crate::report::{FitPlot, FitsOfRun};
use crate::store::{MetaboliteRow, SpectrumRow, Table, read_table};

/// Longest name that a file gives its derivatives (bytes).
const NAME_BYTES: usize = 80;
/// Pictures of one file: a grid of voxels has thousands, which the page shows.
const MOST_FIGURES: usize = 16;

/// A file's rows and where what is made of it goes.
#[derive(Default)]
struct Derived {
    session: Option<String>,
    sources: Vec<String>,
    spectra: Vec<SpectrumRow>,
    metabolites: Vec<MetaboliteRow>,
}

/// The tables of all that was fitted, as text; returns what was written.
pub(super) fn tables(results: &Path, out: &Path, name: &str) -> Result<(), CliError> {
    let spectra: Vec<SpectrumRow> = read_table(results)?;
    let metabolites: Vec<MetaboliteRow> = read_table(results)?;
    write_table(out, &[], &format!("{name}_spectra"), &spectra, &[])?;
    write_table(out, &[], &format!("{name}_metabolites"), &metabolites, &[])?;
    Ok(())
}

/// The tables of each file of a participant, and the pictures of its fits where the tables have curves. What an earlier run
/// left of other files goes, and its pictures where the fits are new.
pub(super) fn participant(results: &Path, label: &str, with_figures: bool, is_new: bool) -> Result<usize, CliError> {
    let derived = by_file(results, label)?;
    let mut written = BTreeSet::new();
    for (name, of_file) in &derived {
        let session = of_file.session.as_ref().map(|session| format!("ses-{session}"));
        let folder: Vec<&str> = session.as_deref().into_iter().chain(["mrs"]).collect();
        let (entities, suffix) = name.rsplit_once('_').unwrap_or((name, "mrs"));
        let named = |what: &str| format!("{entities}_desc-{what}_{suffix}");
        let sources = &of_file.sources;
        written.extend(write_table(results, &folder, &named("spectra"), &of_file.spectra, sources)?);
        written.extend(write_table(results, &folder, &named("metabolites"), &of_file.metabolites, sources)?);
    }
    let without_figure = if with_figures { figures(results, &derived, &mut written)? } else { 0 };
    stale::remove(results, &written, with_figures || is_new)?;
    Ok(without_figure)
}

/// Rows by the name that BIDS gives what is made of their file.
fn by_file(results: &Path, label: &str) -> Result<BTreeMap<String, Derived>, CliError> {
    let spectra: Vec<SpectrumRow> = read_table(results)?;
    let metabolites: Vec<MetaboliteRow> = read_table(results)?;
    let mut derived: BTreeMap<String, Derived> = BTreeMap::new();
    let mut name_of_spectrum = BTreeMap::new();
    for row in spectra {
        let name = derived_name(&row, label);
        name_of_spectrum.insert(row.spectrum_id.clone(), name.clone());
        let own = derived.entry(name).or_default();
        own.session.clone_from(&row.session);
        let source = format!("bids:raw:{}", row.source_path);
        if !own.sources.contains(&source) {
            own.sources.push(source);
        }
        own.spectra.push(row);
    }
    for row in metabolites {
        if let Some(own) = name_of_spectrum.get(&row.spectrum_id).and_then(|name| derived.get_mut(name)) {
            own.metabolites.push(row);
        }
    }
    Ok(derived)
}

/// `sub-01_voi-acc_svs` for a file of that name; of any other file its stem as one entity.
fn derived_name(row: &SpectrumRow, label: &str) -> String {
    let (stem, is_bids) = source_name(&row.source_path);
    if is_bids {
        return safe_name_from(&stem, NAME_BYTES);
    }
    let letters: String = stem.chars().filter(char::is_ascii_alphanumeric).take(40).collect();
    let session = row.session.as_ref().map(|session| format!("_ses-{session}")).unwrap_or_default();
    safe_name_from(&format!("sub-{label}{session}_acq-{letters}_mrs"), NAME_BYTES)
}

/// A table and its sidecar; returns both.
fn write_table<T: Table>(
    out: &Path,
    folder: &[&str],
    name: &str,
    rows: &[T],
    sources: &[String],
) -> Result<[PathBuf; 2], CliError> {
    let text = tsv(rows)?;
    let table = write(out, folder, &format!("{name}.tsv"), text.as_bytes())?;
    let mut columns = sidecar::<T>();
    if !sources.is_empty() {
        columns.insert("Sources".to_owned(), json!(sources));
    }
    Ok([table, write(out, folder, &format!("{name}.json"), format!("{:#}\n", json!(columns)).as_bytes())?])
}

/// Writes a file of the output folder, its folders made.
fn write(out: &Path, folder: &[&str], name: &str, bytes: &[u8]) -> Result<PathBuf, CliError> {
    let refused = |e: crate::output_path::OutputPathError| CliError::new(EXIT_OUTPUT, e);
    let parent: PathBuf = path_inside(out, folder).map_err(refused)?;
    std::fs::create_dir_all(&parent)
        .map_err(|e| CliError::new(EXIT_OUTPUT, anyhow::anyhow!("{}: cannot be made: {e}", printable_path(&parent))))?;
    let path = path_inside(&parent, &[name]).map_err(refused)?;
    Reads::default().write(&path, bytes)?;
    Ok(path)
}

/// The pictures of the fits; returns how many fits have none because their file has too many.
fn figures(
    results: &Path,
    derived: &BTreeMap<String, Derived>,
    written: &mut BTreeSet<PathBuf>,
) -> Result<usize, CliError> {
    let mut names = BTreeMap::new();
    let mut without = 0;
    for (name, of_file) in derived {
        let (entities, suffix) = name.rsplit_once('_').unwrap_or((name, "mrs"));
        for (number, row) in of_file.spectra.iter().enumerate() {
            if number >= MOST_FIGURES {
                without += 1;
                continue;
            }
            // What comes after `#` tells the spectra of one file apart.
            let part = row.spectrum_id.split_once('#').map(|(_, part)| part).unwrap_or_default();
            let description: String =
                format!("{part}{}fit", row.method).chars().filter(char::is_ascii_alphanumeric).collect();
            let picture = format!("{entities}_desc-{description}_{suffix}.svg");
            names.insert((row.spectrum_id.clone(), row.method.clone()), picture);
        }
    }
    let key = |row: &SpectrumRow| (row.spectrum_id.clone(), row.method.clone());
    let mut failure = None;
    FitsOfRun::open(results, |row| names.contains_key(&key(row)))?.draw(|row: &SpectrumRow, plot: &FitPlot| {
        if let Some(picture) = names.get(&key(row)) {
            let drawn = plot.render_svg().map_err(CliError::from);
            match drawn.and_then(|svg| write(results, &["figures"], picture, svg.as_bytes())) {
                Ok(path) => drop(written.insert(path)),
                Err(error) => failure = Some(error),
            }
        }
        failure.is_none()
    })?;
    failure.map_or(Ok(without), Err)
}
