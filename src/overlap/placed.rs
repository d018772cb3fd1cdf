//! A voxel in the common space: its head's transform, its box there, or why there is none.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::error::{OverlapError, TransformError};
use super::find::Transforms;
use super::transform::{self, Geometry, ToCommon, product};
use crate::formats::image::Image;
use crate::formats::nifti::Form;
use crate::printable::{PATH_CHARS, printable};
use crate::store::SpectrumRow;
use crate::tissue::anatomy::Anatomy;
use crate::tissue::overlap::ImageBox;
use crate::tissue::place::{Affine, Transform, inverse, place};

/// The common space: its grid, and the code of the form that places it.
pub(super) struct Space {
    pub(super) geometry: Geometry,
    pub(super) code: i32,
}

/// A voxel of the tables, and where it is.
pub(super) struct Voxel<'a> {
    pub(super) row: &'a SpectrumRow,
    pub(super) placed: Result<Placed, TransformError>,
}

/// A voxel in the common space.
pub(super) struct Placed {
    pub(super) own: ImageBox,
    pub(super) centre_mm: [f64; 3],
    /// Volume there (ml), and its share within the image.
    pub(super) volume_ml: f64,
    pub(super) share_in_space: f64,
    pub(super) file: PathBuf,
    pub(super) kind: &'static str,
    /// The image that FLIRT's matrix was taken to be of.
    pub(super) image: Option<String>,
    pub(super) is_named: bool,
}

/// The common space by its image: templates are placed by their sform, and no code but 0 is wrong.
pub(super) fn space(path: &Path) -> Result<Space, OverlapError> {
    let fault = |reason: String| OverlapError::Space { path: path.to_owned(), reason };
    let image = Image::open(path).map_err(|e| fault(e.to_string()))?;
    let forms = image.forms();
    let Form { code, affine_mm } = forms
        .sform
        .or(forms.qform)
        .ok_or_else(|| fault("nothing says where it lies (no sform, no qform)".to_owned()))?;
    let is_whole = affine_mm.iter().flatten().all(|x| x.is_finite()) && inverse(&affine_mm).is_some();
    if !is_whole || image.grid().iter().any(|n| i16::try_from(*n).is_err()) {
        return Err(fault("its place cannot be right, or it is too large for a NIfTI-1 image".to_owned()));
    }
    Ok(Space { geometry: Geometry { grid: image.grid(), affine_mm }, code })
}

/// Images of heads, for what needs them.
pub(super) struct Heads {
    pub(super) anatomy: Anatomy,
    pub(super) is_one: bool,
}

impl Heads {
    pub(super) fn new(rows: &[SpectrumRow], images: &[PathBuf]) -> Self {
        let subjects: BTreeSet<Option<&str>> = rows.iter().map(|row| row.subject.as_deref()).collect();
        Self { anatomy: Anatomy::find(images), is_one: subjects.len() == 1 }
    }

    /// The image of a row's head and where it lies, or why nobody knows.
    fn image(&self, row: &SpectrumRow, stated: Option<&Path>) -> Result<(String, Geometry), String> {
        let of_person = || self.anatomy.of(row.subject.as_deref(), row.session.as_deref(), self.is_one);
        let path = stated.or_else(of_person).ok_or("nobody says which image was registered")?;
        let image = Image::open(path).map_err(|e| e.to_string())?;
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let place = place(&name, image.grid(), &image.forms(), Transform::Qform).map_err(|e| e.to_string())?;
        Ok((printable(&name, PATH_CHARS), Geometry { grid: place.grid, affine_mm: place.affine_mm }))
    }
}

/// A row's voxel in the common space.
pub(super) fn placed(
    row: &SpectrumRow,
    transforms: &Transforms,
    heads: &Heads,
    space: &Space,
) -> Result<Placed, TransformError> {
    let is_grid = [row.grid_i, row.grid_j, row.grid_k].iter().any(|n| n.is_some_and(|n| n > 1));
    if is_grid || row.voxel_i.is_some() {
        return Err(TransformError::Grid);
    }
    let [a, b, c] = row.voxel_affine_mm.as_deref().unwrap_or_default().as_chunks::<4>().0 else {
        return Err(TransformError::NoPlace);
    };
    let voxel_mm: Affine = [*a, *b, *c, [0.0, 0.0, 0.0, 1.0]];
    let found = transforms.of(row)?;
    let (image, geometry) = match heads.image(row, found.image.as_deref()) {
        Ok((name, geometry)) => (Some(name), Ok(geometry)),
        Err(reason) => (None, Err(reason)),
    };
    let ToCommon { affine_mm, kind } = transform::read(&found.path, found.direction(), geometry, &space.geometry)?;
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
        image: image.filter(|_| kind == transform::FLIRT),
        kind,
        is_named: found.is_named,
    })
}

/// Volume of a voxel of an image (ml).
pub(super) fn voxel_volume_ml(m: &Affine) -> f64 {
    let minor = |a: usize, b: usize| m[1][a] * m[2][b] - m[1][b] * m[2][a];
    (m[0][0] * minor(1, 2) - m[0][1] * minor(0, 2) + m[0][2] * minor(0, 1)).abs() * 1e-3
}
