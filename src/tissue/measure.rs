//! A segmentation's maps, read once, weighed by the shares of their voxels in the boxes of spectroscopy voxels.

use std::path::Path;

use super::error::TissueError;
use super::given::given;
use super::kinds::Kind;
use super::labels::{Labels, Tissue};
use super::overlap::ImageBox;
use super::place::{APART_MM, Affine, Place, Transform, place};
use super::source::Segmentation;
use super::sums::{Share, of_labels, of_map};
use super::table;
use super::voxel_tissue::VoxelTissue;
use crate::acquisition::TRANSFORMS_DISAGREE;
use crate::formats::image::Image;
use crate::hash::{sha256_file, sha256_hex};

/// Sum of the three shares in a voxel above which they are not those of one segmentation.
const MOST_SUM: f64 = 1.02;
/// Image voxels in all boxes together (16 bytes each): a head of half a millimetre has fewer.
const MOST_SHARES: usize = 1 << 25;

/// A voxel of spectroscopy: its grid's transform, and which voxel of that it is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct VoxelBox {
    /// Voxel to scanner (mm).
    pub affine_mm: Affine,
    /// Which voxel.
    pub index: [usize; 3],
}

/// What a segmentation says of some voxels.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Measured {
    /// SHA-256 of its file, or of the lines `name`, tab, SHA-256, line feed of its maps.
    pub sha256: Option<String>,
    /// Mean distance (mm) of the image's corners between its two forms, where both are the scanner's.
    pub transforms_differ_mm: Option<f64>,
    /// Flags of all voxels.
    pub flags: Vec<&'static str>,
    /// What had to be assumed.
    pub remarks: Vec<String>,
    /// The voxels, in their order.
    pub voxels: Vec<VoxelTissue>,
}

/// The tissue of voxels, those without a place among them, by a segmentation.
///
/// # Errors
/// [`TissueError`]: the segmentation cannot be read, or does not say what it would have to.
pub fn measure(
    segmentation: &Segmentation,
    voxels: &[Option<VoxelBox>],
    first: Transform,
) -> Result<Measured, TissueError> {
    let hashes: Vec<Option<String>> = segmentation.files.iter().map(|file| sha256_file(file).ok()).collect();
    let mut measured = Measured { sha256: sha256_of(segmentation, &hashes), ..Measured::default() };
    if segmentation.kind == Kind::FslSegmentation {
        let path = segmentation.files.first().map(AsRef::as_ref).unwrap_or(Path::new(""));
        let (fractions, remark) = given(path, &segmentation.shown_as)?;
        measured.remarks.extend(remark);
        measured.voxels = vec![VoxelTissue::stated(fractions); voxels.len()];
        return Ok(measured);
    }
    let images = Images::open(segmentation, &hashes, first)?;
    measured.say(&images, segmentation);
    let boxes: Vec<Option<ImageBox>> = voxels
        .iter()
        .map(|voxel| voxel.and_then(|voxel| ImageBox::new(&voxel.affine_mm, voxel.index, &images.place.affine_mm)))
        .collect();
    let shares = shares(&boxes, &images)?;
    let name = images.name.clone();
    let sums = images.sums(&shares, segmentation, boxes.len())?;
    let mut covered = vec![0.0; boxes.len()];
    shares.iter().for_each(|share| covered[share.voxel as usize] += share.part);
    for ((own, covered), sums) in boxes.iter().zip(covered).zip(sums) {
        let sum: f64 = sums.iter().sum();
        if covered > 0.0 && sum > MOST_SUM * covered {
            return Err(TissueError::MoreThanAll { file: name, sum: sum / covered });
        }
        measured.voxels.push(match own {
            Some(own) => VoxelTissue::new(own.volume(), covered, sums),
            None => VoxelTissue::without_place(),
        });
    }
    Ok(measured)
}

impl Measured {
    /// What should be known of the images' place.
    fn say(&mut self, images: &Images, segmentation: &Segmentation) {
        let Place { apart_mm, by, .. } = images.place;
        self.transforms_differ_mm = apart_mm;
        let taken = if by == Transform::Qform { "qform" } else { "sform" };
        if let Some(mm) = apart_mm.filter(|mm| mm.is_nan() || *mm > APART_MM) {
            self.flags.push(TRANSFORMS_DISAGREE);
            self.remarks.push(format!(
                "qform and sform of the segmentation put its corners {mm:.2} mm apart: the {taken} was taken"
            ));
        } else if by == Transform::Sform && apart_mm.is_none() {
            self.remarks.push(
                "the segmentation's place was taken from its sform, as its qform is not the scanner's".to_owned(),
            );
        }
        if segmentation.kind == Kind::FslFastLabels {
            self.remarks.push("the segmentation's labels were taken as FAST's: 1 CSF, 2 GM, 3 WM".to_owned());
        }
    }
}

fn sha256_of(segmentation: &Segmentation, hashes: &[Option<String>]) -> Option<String> {
    if let [only] = hashes {
        return only.clone();
    }
    let lines: Option<String> = segmentation
        .files
        .iter()
        .zip(hashes)
        .map(|(file, hash)| Some(format!("{}\t{}\n", name_of(file), hash.as_ref()?)))
        .collect();
    lines.map(|lines| sha256_hex(lines.as_bytes()))
}

pub(super) fn name_of(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// The parts of all image voxels in all boxes, in the order of the file.
fn shares(boxes: &[Option<ImageBox>], images: &Images) -> Result<Vec<Share>, TissueError> {
    let grid = images.place.grid;
    let mut all: Vec<Share> = Vec::new();
    let mut is_too_fine = false;
    for (voxel, own) in (0_u32..).zip(boxes) {
        let Some(own) = own else { continue };
        own.each_share(grid, &mut |[i, j, k], part| {
            let at = i + grid[0] * (j + grid[1] * k);
            is_too_fine |= all.len() >= MOST_SHARES;
            match u32::try_from(at) {
                Ok(at) if !is_too_fine => all.push(Share { at, voxel, part }),
                _ => is_too_fine = true,
            }
            !is_too_fine
        });
    }
    if is_too_fine {
        return Err(TissueError::TooFine { file: images.name.clone(), most: MOST_SHARES });
    }
    all.sort_by_key(|share| share.at);
    Ok(all)
}

/// The maps of a segmentation, which lie one upon another.
struct Images {
    /// Name of the first one.
    name: String,
    place: Place,
    all: Vec<(String, Image)>,
}

impl Images {
    /// Reads the headers.
    fn open(segmentation: &Segmentation, hashes: &[Option<String>], first: Transform) -> Result<Self, TissueError> {
        let mut all = Vec::new();
        let mut places: Vec<(String, Place)> = Vec::new();
        for (n, file) in segmentation.files.iter().enumerate() {
            let name = name_of(file);
            let unreadable =
                |e: &dyn std::fmt::Display| TissueError::Unreadable { file: name.clone(), reason: e.to_string() };
            let image = Image::open(file).map_err(|e| unreadable(&e))?;
            image.check_length().map_err(|e| unreadable(&e))?;
            let place = place(&name, image.grid(), &image.forms(), first)?;
            if let Some((first, other)) = places.first()
                && let Some(reason) = place.differs_from(other)
            {
                return Err(TissueError::OtherGrid { file: name, first: first.clone(), reason });
            }
            if let Some(twin) = hashes.iter().take(n).position(|hash| hash.is_some() && Some(hash) == hashes.get(n)) {
                return Err(TissueError::Alike { file: name, first: places[twin].0.clone() });
            }
            places.push((name.clone(), place));
            all.push((name, image));
        }
        let Some((name, place)) = places.into_iter().next() else {
            return Err(TissueError::Incomplete {
                file: segmentation.shown_as.clone(),
                reason: "there is no map".to_owned(),
            });
        };
        Ok(Self { name, place, all })
    }

    /// The shares times the tissue of their image voxels, summed over each box.
    fn sums(self, shares: &[Share], segmentation: &Segmentation, n: usize) -> Result<Vec<[f64; 3]>, TissueError> {
        let mut sums = vec![[0.0; 3]; n];
        if let [only] = &segmentation.files[..] {
            let labels = match segmentation.kind {
                Kind::FslFastLabels => Labels::Fast,
                Kind::FreeSurfer => Labels::FreeSurfer,
                _ => table::labels(&name_of(only), segmentation.table.as_deref())?,
            };
            for (name, image) in self.all {
                of_labels(&name, image, &labels, shares, &mut sums)?;
            }
            return Ok(sums);
        }
        for (tissue, (name, image)) in [Tissue::Gm, Tissue::Wm, Tissue::Csf].into_iter().zip(self.all) {
            of_map(&name, image, tissue, shares, &mut sums)?;
        }
        Ok(sums)
    }
}
