//! Voxels of many heads in a common space: how well those of a region overlap.
//!
//! [`write()`] is the whole of it. [`transform`] reads a head's affine transform, `find` says whose it is, [`density`] adds up
//! the voxels of a group and measures each against the place where most of them are, `output` puts it on the disk. This is
//! the check that Osprey (`osp_plotCoreg`'s group maps) and Gannet users make by hand; shares are exact, as those of tissue are.

pub mod density;
mod error;
mod find;
mod itk;
mod output;
pub mod transform;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

pub use error::{OverlapError, TransformError};
use find::Transforms;
pub use transform::Geometry;
use transform::{ToCommon, product};

use crate::formats::image::Image;
use crate::formats::nifti::Form;
use crate::store::reader::check_files;
use crate::store::{IfExists, SpectrumRow, Status, read_run, read_table};
use crate::tissue::anatomy::Anatomy;
use crate::tissue::overlap::ImageBox;
use crate::tissue::place::{Affine, Transform, place};

/// What to compare.
#[derive(Debug, Clone)]
pub struct Asked {
    /// The dataset of a finished run.
    pub results: PathBuf,
    /// Image of the common space.
    pub space: PathBuf,
    /// Folder of transforms, or a table of them.
    pub transforms: PathBuf,
    /// Images of the heads, which FLIRT's matrices need, and folders of such.
    pub images: Vec<PathBuf>,
    /// Folder to write to.
    pub out: PathBuf,
    /// What to do if it holds something.
    pub if_exists: IfExists,
}

/// What was written.
#[derive(Debug, Clone, Default)]
pub struct Written {
    /// Tables and images.
    pub files: Vec<PathBuf>,
    /// Voxels in the common space, and all.
    pub n: [usize; 2],
    /// What somebody who looks at them should know.
    pub notes: Vec<String>,
}

/// The common space: its grid, and the code of the form that places it.
struct Space {
    geometry: Geometry,
    code: i32,
}

/// A voxel of the tables, and where it is.
struct Voxel<'a> {
    row: &'a SpectrumRow,
    placed: Result<Placed, TransformError>,
}

/// A voxel in the common space.
struct Placed {
    own: ImageBox,
    centre_mm: [f64; 3],
    /// Volume there (ml), and its share within the image.
    volume_ml: f64,
    share_in_space: f64,
    file: PathBuf,
    kind: &'static str,
    is_named: bool,
}

/// Compares the voxels of a finished run, each against those of its region, and writes tables and density maps.
///
/// # Errors
/// [`OverlapError`]: nothing can be compared, or it cannot be written. What is wrong with one voxel stands in its row.
pub fn write(asked: &Asked) -> Result<Written, OverlapError> {
    let run = read_run(&asked.results)?;
    check_files(&asked.results, &run)?;
    output::refuse(asked)?;
    let space = space(&asked.space)?;
    let transforms = Transforms::find(&asked.transforms)?;
    let rows: Vec<SpectrumRow> = read_table(&asked.results)?;
    let heads = Heads::new(&rows, &asked.images);
    // Methods and sub-spectra share their voxel.
    let mut seen = BTreeSet::new();
    let is_first = |row: &&SpectrumRow| {
        let voxel = (row.source_path.clone(), row.voxel_i, row.voxel_j, row.voxel_k);
        row.status != Status::Skipped && seen.insert(voxel)
    };
    let voxels: Vec<Voxel<'_>> = rows
        .iter()
        .filter(is_first)
        .map(|row| Voxel { row, placed: placed(row, &transforms, &heads, &space) })
        .collect();
    if voxels.iter().all(|voxel| voxel.placed.is_err()) {
        return Err(none(&voxels));
    }
    let mut written = output::write(asked, &space, &voxels, Some(run.run_id.as_str()))?;
    let unnamed = voxels.iter().filter_map(|voxel| voxel.placed.as_ref().ok()).filter(|p| !p.is_named).count();
    if unnamed > 0 {
        written.notes.push(format!(
            "of {unnamed} voxels no name says which way the transform leads: it was taken for that of a T1 registered onto the common \
             space (ITK: fixed image the space, moving image the T1; FLIRT: -in the T1, -ref the space)"
        ));
    }
    Ok(written)
}

/// Why nothing was placed, with the number of voxels of each reason.
fn none(voxels: &[Voxel<'_>]) -> OverlapError {
    let mut reasons: BTreeMap<&str, (usize, String)> = BTreeMap::new();
    for error in voxels.iter().filter_map(|voxel| voxel.placed.as_ref().err()) {
        reasons.entry(error.code()).or_insert_with(|| (0, error.to_string())).0 += 1;
    }
    let reasons = reasons.into_values().map(|(n, words)| format!("{words} ({n} of them)")).collect();
    OverlapError::None { n: voxels.len(), reasons }
}

/// The common space by its image: templates are placed by their sform, and no code but 0 is wrong.
fn space(path: &Path) -> Result<Space, OverlapError> {
    let fault = |reason: String| OverlapError::Space { path: path.to_owned(), reason };
    let image = Image::open(path).map_err(|e| fault(e.to_string()))?;
    let forms = image.forms();
    let Form { code, affine_mm } = forms
        .sform
        .or(forms.qform)
        .ok_or_else(|| fault("nothing says where it lies (no sform, no qform)".to_owned()))?;
    let is_whole =
        affine_mm.iter().flatten().all(|x| x.is_finite()) && crate::tissue::place::inverse(&affine_mm).is_some();
    if !is_whole || image.grid().iter().any(|n| i16::try_from(*n).is_err()) {
        return Err(fault("its place cannot be right, or it is too large for a NIfTI-1 image".to_owned()));
    }
    Ok(Space { geometry: Geometry { grid: image.grid(), affine_mm }, code })
}

/// Images of heads, for what needs them.
struct Heads {
    anatomy: Anatomy,
    is_one: bool,
}

impl Heads {
    fn new(rows: &[SpectrumRow], images: &[PathBuf]) -> Self {
        let subjects: BTreeSet<Option<&str>> = rows.iter().map(|row| row.subject.as_deref()).collect();
        Self { anatomy: Anatomy::find(images), is_one: subjects.len() == 1 }
    }

    /// Where the image of a row's head lies, or why nobody knows.
    fn geometry(&self, row: &SpectrumRow, stated: Option<&Path>) -> Result<Geometry, String> {
        let of_person = || self.anatomy.of(row.subject.as_deref(), row.session.as_deref(), self.is_one);
        let path = stated.or_else(of_person).ok_or("nobody says which image was registered")?;
        let image = Image::open(path).map_err(|e| e.to_string())?;
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let place = place(&name, image.grid(), &image.forms(), Transform::Qform).map_err(|e| e.to_string())?;
        Ok(Geometry { grid: place.grid, affine_mm: place.affine_mm })
    }
}

/// A row's voxel in the common space.
fn placed(row: &SpectrumRow, transforms: &Transforms, heads: &Heads, space: &Space) -> Result<Placed, TransformError> {
    let is_grid = [row.grid_i, row.grid_j, row.grid_k].iter().any(|n| n.is_some_and(|n| n > 1));
    if is_grid || row.voxel_i.is_some() {
        return Err(TransformError::Grid);
    }
    let [a, b, c] = row.voxel_affine_mm.as_deref().unwrap_or_default().as_chunks::<4>().0 else {
        return Err(TransformError::NoPlace);
    };
    let voxel_mm: Affine = [*a, *b, *c, [0.0, 0.0, 0.0, 1.0]];
    let found = transforms.of(row)?;
    let image = heads.geometry(row, found.image.as_deref());
    let ToCommon { affine_mm, kind } = transform::read(&found.path, found.direction(), image, &space.geometry)?;
    let there = product(&affine_mm, &voxel_mm);
    let grid = space.geometry.grid;
    let own = ImageBox::new(&there, [0; 3], &space.geometry.affine_mm).ok_or(TransformError::NoPlace)?;
    let mut inside = 0.0;
    own.each_share(grid, &mut |_, share| {
        inside += share;
        true
    });
    if inside <= 0.0 {
        return Err(TransformError::Outside);
    }
    Ok(Placed {
        centre_mm: [0, 1, 2].map(|r| there[r][3]),
        volume_ml: own.volume() * voxel_volume_ml(&space.geometry.affine_mm),
        share_in_space: inside / own.volume(),
        own,
        file: found.path.clone(),
        kind,
        is_named: found.is_named,
    })
}

/// Volume of a voxel of an image (ml).
fn voxel_volume_ml(m: &Affine) -> f64 {
    let minor = |a: usize, b: usize| m[1][a] * m[2][b] - m[1][b] * m[2][a];
    (m[0][0] * minor(1, 2) - m[0][1] * minor(0, 2) + m[0][2] * minor(0, 1)).abs() * 1e-3
}
