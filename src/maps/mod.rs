//! Values of a finished run's grids of voxels as images on these grids.
//!
//! [`write()`] is the whole of it: `grid` finds the grids in the tables, `quantity` says what there is to be drawn, `legend`
//! gives words a number, `folder` puts one grid's images and their index on the disk.

mod error;
mod folder;
mod grid;
mod legend;
mod quantity;
mod source;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::PathBuf;

pub use error::MapsError;
pub use folder::INDEX_FILE;
use folder::{Folder, Taken};
use grid::Grid;
use quantity::Quantities;
use source::{Rows, Source};

use crate::store::{IfExists, RunRecord, Status, read_run, read_table};

/// What to write.
#[derive(Debug, Clone)]
pub struct Asked {
    /// The dataset of a finished run.
    pub results: PathBuf,
    /// Folder for the images.
    pub out: PathBuf,
    /// What to do if it holds something.
    pub if_exists: IfExists,
    /// Metabolites and sums; empty: all.
    pub metabolites: Vec<String>,
    /// Columns, and `flags`, `status`; empty: [`usual_quantities`].
    pub quantities: Vec<String>,
}

/// What was written.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Written {
    /// One folder for each grid and method.
    pub folders: Vec<PathBuf>,
    /// Images in all of them.
    pub n_images: usize,
    /// What somebody who looks at them should know.
    pub notes: Vec<String>,
}

/// Quantities that are drawn where none is asked for.
pub fn usual_quantities() -> Vec<&'static str> {
    quantity::USUAL.to_vec()
}

/// Writes a folder of images for each grid and method of a finished run.
///
/// # Errors
/// [`MapsError`]: the tables cannot be read, have no grid or not what was asked for, or the images cannot be written. What is
/// wrong with one grid of several is a note.
pub fn write(asked: &Asked) -> Result<Written, MapsError> {
    let run = read_run(&asked.results)?;
    refuse_output(asked)?;
    let source = Source { run, spectra: read_table(&asked.results)?, metabolites: read_table(&asked.results)? };
    let (grids, mut notes) = grid::find(&source.spectra);
    if grids.is_empty() {
        let path = asked.results.clone();
        return Err(match notes.is_empty() {
            true => MapsError::NoGrid { path, n: source.spectra.len() },
            false => MapsError::NothingToDraw { path, faults: notes },
        });
    }
    let quantities = Quantities::of(&asked.quantities, has_gates(&source.run), &source)?;
    notes.extend(quantities.notes.iter().cloned());
    let rows = metabolite_rows(&source, &grids);
    let wanted = metabolites(asked, &rows)?;
    let mut written = Written::default();
    let mut taken = Taken::new();
    for (grid, rows) in grids.iter().zip(&rows) {
        let rows: Vec<&(String, Rows)> = rows.iter().filter(|(name, _)| wanted.contains(name)).collect();
        let mut folder = Folder::new(&asked.out, grid, &mut taken);
        notes.extend(folder.draw(&source, &quantities, &rows)?);
        notes.extend(folder.finish(&source)?);
        written.n_images += folder.n_images();
        written.folders.push(folder.path());
    }
    written.notes = notes;
    Ok(written)
}

/// Whether the run was held to gates, though every row may have passed.
fn has_gates(run: &RunRecord) -> bool {
    run.config.get("gates").is_some_and(|gates| !gates.is_null())
}

fn refuse_output(asked: &Asked) -> Result<(), MapsError> {
    let Ok(out) = asked.out.canonicalize() else { return Ok(()) };
    if asked.results.canonicalize().is_ok_and(|results| results.starts_with(&out)) {
        return Err(MapsError::OntoResults { path: asked.out.clone() });
    }
    let is_empty = std::fs::read_dir(&out).is_ok_and(|mut entries| entries.next().is_none());
    if !is_empty && asked.if_exists == IfExists::Refuse {
        return Err(MapsError::OutputExists { path: asked.out.clone() });
    }
    Ok(())
}

/// For each grid its metabolites, in the order in which the table has them, with their rows.
fn metabolite_rows(source: &Source, grids: &[Grid]) -> Vec<Vec<(String, Rows)>> {
    let mut places: HashMap<(&str, &str), (usize, usize)> = HashMap::new();
    for (number, grid) in grids.iter().enumerate() {
        for voxel in &grid.voxels {
            if let Some(row) = source.spectra.get(voxel.row).filter(|row| row.status == Status::Ok) {
                places.insert((&row.spectrum_id, &row.method), (number, voxel.place));
            }
        }
    }
    let mut all: Vec<Vec<(String, Rows)>> = vec![Vec::new(); grids.len()];
    let mut numbers: BTreeMap<(usize, &str), usize> = BTreeMap::new();
    for (index, row) in source.metabolites.iter().enumerate() {
        let Some(&(grid, place)) = places.get(&(row.spectrum_id.as_str(), row.method.as_str())) else { continue };
        let Some(of_grid) = all.get_mut(grid) else { continue };
        let number = *numbers.entry((grid, &row.metabolite)).or_insert_with(|| {
            of_grid.push((row.metabolite.clone(), Rows::new()));
            of_grid.len() - 1
        });
        if let Some((_, rows)) = of_grid.get_mut(number) {
            rows.push((index, place));
        }
    }
    all
}

/// The metabolites that are drawn; those that were asked for must be there.
fn metabolites(asked: &Asked, rows: &[Vec<(String, Rows)>]) -> Result<BTreeSet<String>, MapsError> {
    let known: BTreeSet<&str> = rows.iter().flatten().map(|(name, _)| name.as_str()).collect();
    if let Some(unknown) = asked.metabolites.iter().find(|name| !known.contains(name.as_str())) {
        let known = known.into_iter().collect::<Vec<_>>().join(", ");
        return Err(MapsError::UnknownMetabolite { asked: unknown.clone(), known });
    }
    if asked.metabolites.is_empty() {
        return Ok(known.into_iter().map(str::to_owned).collect());
    }
    Ok(asked.metabolites.iter().cloned().collect())
}
