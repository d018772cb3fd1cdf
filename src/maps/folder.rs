//! The images of one grid in a folder of their own, with an index that says what each of them is.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde_json::json;

use super::error::MapsError;
use super::grid::Grid;
use super::legend::Meaning;
use super::quantity::{Quantities, Quantity, STATUS};
use super::source::{Rows, Source};
use crate::formats::nifti;
use crate::output_path::{path_inside, safe_name_from};
use crate::printable::printable_message;
use crate::store::Status;

/// What each image of a folder is.
pub const INDEX_FILE: &str = "maps.json";
/// Ending of an image.
const IMAGE_END: &str = ".nii.gz";
/// Longest name of a folder, and of a metabolite in the name of an image (bytes): a quantity's is added.
const FOLDER_BYTES: usize = 120;
const METABOLITE_BYTES: usize = 60;

/// What the index says of one image.
#[derive(Debug, Serialize)]
struct Entry {
    file: String,
    quantity: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    metabolite: Option<String>,
    unit: &'static str,
    definition: String,
    /// Voxels that have a number.
    n_values: usize,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    legend: Vec<Meaning>,
}

/// One grid's images on their way to the disk.
pub(super) struct Folder<'a> {
    out: &'a Path,
    grid: &'a Grid,
    /// Names of the folders below `out`.
    parts: Vec<String>,
    entries: Vec<Entry>,
    names: Taken,
}

/// Names and what has them: by their letters, as some systems have it.
pub(super) type Taken = BTreeMap<String, String>;

/// `name`, or with a number behind it where something other than `owner` has it.
fn distinct(name: &str, owner: &str, taken: &mut Taken) -> String {
    let numbered = (2_usize..).map(|number| format!("{name}-{number}"));
    let mut names = std::iter::once(name.to_owned()).chain(numbered);
    let is_free = |name: &String| taken.entry(name.to_lowercase()).or_insert_with(|| owner.to_owned()) == owner;
    names.find(is_free).unwrap_or_default()
}

impl<'a> Folder<'a> {
    /// The folder of a grid: the path of its file, its condition and part, and the method.
    pub(super) fn new(out: &'a Path, grid: &'a Grid, taken: &mut Taken) -> Self {
        let safe: Vec<String> = grid.id.split('/').map(|part| safe_name_from(part, FOLDER_BYTES)).collect();
        let file = distinct(&safe.join("/"), &grid.id, taken);
        let method = format!("{file}/{}", safe_name_from(&grid.method, FOLDER_BYTES));
        let path = distinct(&method, &format!("{}/{}", grid.id, grid.method), taken);
        let parts = path.split('/').map(str::to_owned).collect();
        Self { out, grid, parts, entries: Vec::new(), names: Taken::new() }
    }

    pub(super) fn path(&self) -> PathBuf {
        self.parts.iter().fold(self.out.to_owned(), |path, part| path.join(part))
    }

    pub(super) fn n_images(&self) -> usize {
        self.entries.len()
    }

    /// Draws what there is, and returns what was asked for and is not there.
    pub(super) fn draw(
        &mut self,
        source: &Source,
        quantities: &Quantities,
        metabolites: &[&(String, Rows)],
    ) -> Result<Vec<String>, MapsError> {
        let mut notes = Vec::new();
        for quantity in &quantities.of_spectra {
            let is_drawn = |voxel: usize| {
                let status = source.spectra.get(voxel).map(|row| row.status);
                status == Some(Status::Ok) || quantity.name == STATUS
            };
            let rows = self.grid.voxels.iter().map(|voxel| (voxel.row, voxel.place));
            let rows: Rows = rows.filter(|(row, _)| is_drawn(*row)).collect();
            if !self.image(quantity, None, &rows)? && quantity.is_asked {
                notes.push(self.lacks(quantity, None));
            }
        }
        for quantity in &quantities.of_metabolites {
            let mut without = Vec::new();
            for (metabolite, rows) in metabolites {
                if !self.image(quantity, Some(metabolite), rows)? {
                    without.push(metabolite.as_str());
                }
            }
            if quantity.is_asked && !without.is_empty() {
                notes.push(self.lacks(quantity, Some(&without.join(", "))));
            }
        }
        Ok(notes)
    }

    fn lacks(&self, quantity: &Quantity, metabolites: Option<&str>) -> String {
        let of = metabolites.map(|names| format!(" of {names}")).unwrap_or_default();
        let (id, method) = (&self.grid.id, &self.grid.method);
        printable_message(&format!("{id} ({method}): no map of `{}`{of}: no voxel has a value", quantity.name))
    }

    /// Writes one image, unless no voxel has a value.
    fn image(&mut self, quantity: &Quantity, metabolite: Option<&str>, rows: &Rows) -> Result<bool, MapsError> {
        let mut values = vec![f32::NAN; self.grid.n_voxels()];
        for (row, place) in rows {
            if let (Some(value), Some(voxel)) = (quantity.values.get(*row), values.get_mut(*place)) {
                *voxel = *value;
            }
        }
        let n_values = values.iter().filter(|value| value.is_finite()).count();
        let is_empty = if quantity.is_mask { !values.iter().any(|value| *value > 0.0) } else { n_values == 0 };
        if is_empty {
            return Ok(false);
        }
        let of = metabolite.map(|name| safe_name_from(name, METABOLITE_BYTES) + "_").unwrap_or_default();
        let owner = format!("{}/{}", metabolite.unwrap_or_default(), quantity.name);
        let name = distinct(&format!("{of}{}", quantity.name), &owner, &mut self.names);
        let file = format!("{name}{IMAGE_END}");
        let path = self.place(&file)?;
        let failed = |source: std::io::Error| MapsError::Write { path: path.clone(), source };
        let what = self.in_words(quantity, metabolite);
        let image = nifti::image(self.grid.size, self.grid.affine_mm.as_ref(), &values, &what)
            .ok_or_else(|| failed(std::io::Error::other("the grid is larger than a NIfTI-1 file can hold")))?;
        let bytes = nifti::packed(&image).map_err(failed)?;
        fs::write(&path, bytes).map_err(failed)?;
        self.entries.push(Entry {
            file,
            quantity: quantity.name.clone(),
            metabolite: metabolite.map(str::to_owned),
            unit: quantity.unit,
            definition: quantity.definition.clone(),
            n_values,
            legend: quantity.legend.clone(),
        });
        Ok(true)
    }

    /// What an image is, for its header: it may go elsewhere without the index.
    fn in_words(&self, quantity: &Quantity, metabolite: Option<&str>) -> String {
        let of = metabolite.map(|name| format!("{name} ")).unwrap_or_default();
        let unit = if quantity.unit.is_empty() { String::new() } else { format!(" ({})", quantity.unit) };
        format!("{of}{}{unit}, {}, requant {}", quantity.name, self.grid.method, env!("CARGO_PKG_VERSION"))
    }

    /// Where a file of the folder goes; makes the folder.
    fn place(&self, file: &str) -> Result<PathBuf, MapsError> {
        let parts: Vec<&str> = self.parts.iter().map(String::as_str).chain([file]).collect();
        let path = path_inside(self.out, &parts)?;
        let folder = path.parent().unwrap_or(self.out);
        fs::create_dir_all(folder).map_err(|source| MapsError::Write { path: folder.to_owned(), source })?;
        // What is no file might never take what is written to it.
        if fs::metadata(&path).is_ok_and(|data| !data.is_file()) {
            return Err(MapsError::InTheWay { path });
        }
        Ok(path)
    }

    /// Writes the index, and returns a note where images of an earlier call are beside these.
    pub(super) fn finish(&self, source: &Source) -> Result<Option<String>, MapsError> {
        let of_status = |wanted: Status| {
            let status = |row: usize| source.spectra.get(row).map(|row| row.status);
            self.grid.voxels.iter().filter(|voxel| status(voxel.row) == Some(wanted)).count()
        };
        let first = self.grid.voxels.iter().find_map(|voxel| source.spectra.get(voxel.row));
        let index = json!({
            "kind": "requant-maps",
            "requant_version": env!("CARGO_PKG_VERSION"),
            "run_id": source.run.run_id,
            "spectrum": self.grid.id,
            "source_path": first.map(|row| &row.source_path),
            "method": self.grid.method,
            "grid": self.grid.size,
            "affine_mm": self.grid.affine_mm,
            "placed_by": first.and_then(|row| row.voxel_placed_by.as_ref()),
            "n_voxels": {
                "fitted": of_status(Status::Ok),
                "failed": of_status(Status::Failed),
                "skipped": of_status(Status::Skipped),
                "without_row": self.grid.n_voxels() - self.grid.voxels.len(),
            },
            "maps": self.entries,
        });
        let path = self.place(INDEX_FILE)?;
        fs::write(&path, format!("{index:#}\n")).map_err(|source| MapsError::Write { path: path.clone(), source })?;
        Ok(self.left_over())
    }

    fn left_over(&self) -> Option<String> {
        let is_image = |name: &str| name.ends_with(IMAGE_END) && !self.entries.iter().any(|entry| entry.file == name);
        let entries = fs::read_dir(self.path()).ok()?.flatten();
        let n = entries.filter(|entry| entry.file_name().to_str().is_some_and(is_image)).count();
        let folder = self.parts.join("/");
        (n > 0).then(|| printable_message(&format!("{folder}: {n} images of an earlier call lie beside these")))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn folders_have_safe_names_of_their_own() {
        let (out, mut taken) = (Path::new("out"), Taken::new());
        let mut folder = |id: &str, method: &str| {
            let grid = Grid {
                id: id.to_owned(),
                method: method.to_owned(),
                size: [1; 3],
                affine_mm: None,
                voxels: Vec::new(),
            };
            Folder::new(out, &grid, &mut taken).path()
        };
        for (id, method, path) in [
            ("sub-01/mrs/x#diff#t0", "map", "sub-01/mrs/x_diff_t0/map"),
            ("sub-01/mrs/x#diff#t0", "lcmodel", "sub-01/mrs/x_diff_t0/lcmodel"),
            ("sub-01/mrs/x_diff t0", "map", "sub-01/mrs/x_diff_t0-2/map"),
            ("SUB-01/mrs/x_diff_t0", "map", "SUB-01/mrs/x_diff_t0-3/map"),
            ("../../etc/con", "a/b", "_/_/etc/_con/a_b"),
            ("/x", "a b", "_/x/a_b"),
            ("/x", "a_b", "_/x/a_b-2"),
        ] {
            assert_eq!(folder(id, method), out.join(path), "{id} {method}");
        }
    }
}
