//! A segmentation's maps, read once, weighed by the shares of their voxels in the boxes of spectroscopy voxels.

use std::collections::HashSet;
use std::path::Path;

use super::error::{TissueError, flag};
use super::given::given;
use super::kinds::Kind;
use super::labels::{Labels, Meaning, Tissue};
use super::overlap::ImageBox;
use super::place::{APART_MM, Affine, Place, Transform, place};
use super::source::Segmentation;
use super::table;
use crate::acquisition::TRANSFORMS_DISAGREE;
use crate::formats::nifti::image::Image;
use crate::hash::{sha256_file, sha256_hex};
use crate::quantify::Fractions;

/// Part of the voxel in the image below which no concentration is corrected by the fractions of that part.
pub const LEAST_SHARE_IN_IMAGE: f64 = 0.9;
/// Part of what is in the image that must be tissue.
pub const LEAST_TISSUE_SHARE: f64 = 0.9;
/// Largest number that a map of shares may hold, as interpolation leaves it; the least is as much below zero.
pub const MOST_SHARE: f64 = 1.01;
/// Sum of the three shares in a voxel above which they are not those of one segmentation.
const MOST_SUM: f64 = 1.02;
/// Part of a voxel below which it is nothing, or all.
const NOTHING: f64 = 1e-9;
const ALL: f64 = 1.0 - 1e-6;
/// Image voxels in all boxes together (16 bytes each): a head of half a millimetre has fewer.
const MOST_SHARES: usize = 1 << 25;
/// How far a label may be from a whole number.
const WHOLE: f64 = 1e-3;

/// A voxel of spectroscopy: its grid's transform, and which voxel of that it is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct VoxelBox {
    /// Voxel to scanner (mm).
    pub affine_mm: Affine,
    /// Which voxel.
    pub index: [usize; 3],
}

/// Of what tissue a voxel is.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct VoxelTissue {
    /// Shares of the three tissues; `None` where no tissue is in the voxel.
    pub fractions: Option<Fractions>,
    /// Share of the voxel that is tissue.
    pub tissue_share: Option<f64>,
    /// Share of the voxel that is in the image.
    pub share_in_image: Option<f64>,
    /// What a person should know.
    pub flags: Vec<&'static str>,
}

impl VoxelTissue {
    /// A voxel that somebody states the fractions of.
    pub fn stated(fractions: Fractions) -> Self {
        Self { fractions: Some(fractions), ..Self::default() }
    }

    /// The fractions, where so much of the voxel is known that concentrations may be corrected by them.
    pub fn to_correct_by(&self) -> Option<Fractions> {
        self.fractions.filter(|_| self.share_in_image.is_none_or(|share| share >= LEAST_SHARE_IN_IMAGE))
    }

    /// A voxel of which nobody knows where it is.
    fn without_place() -> Self {
        let mut voxel = Self::default();
        voxel.flags.push(flag::VOXEL_HAS_NO_PLACE);
        voxel
    }

    /// By the sums over a box: of the shares of its image voxels, and of those times their tissue.
    fn new(volume: f64, covered: f64, tissue: [f64; 3]) -> Self {
        let total: f64 = tissue.iter().sum();
        let (share_in_image, tissue_share) = ((covered / volume).min(1.0), total / volume);
        let mut flags = Vec::new();
        if share_in_image <= NOTHING {
            flags.push(flag::VOXEL_OUTSIDE_IMAGE);
        } else if share_in_image < ALL {
            flags.push(flag::VOXEL_PARTLY_OUTSIDE_IMAGE);
        }
        if share_in_image > NOTHING && tissue_share < LEAST_TISSUE_SHARE * share_in_image {
            flags.push(flag::VOXEL_OUTSIDE_TISSUE);
        }
        let [gm, wm, csf] = tissue.map(|of| of / total);
        let fractions = (tissue_share > NOTHING).then_some(Fractions { gm, wm, csf });
        Self { fractions, tissue_share: Some(tissue_share), share_in_image: Some(share_in_image), flags }
    }
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
        if let Some(mm) = apart_mm.filter(|mm| !(*mm <= APART_MM)) {
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

/// A part of an image voxel that is in a box.
struct Share {
    /// Place of the image voxel in its file.
    at: u32,
    voxel: u32,
    part: f64,
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
            let labels = match Labels::of(segmentation.kind) {
                Some(labels) => labels,
                None => table::labels(&name_of(only), segmentation.table.as_deref())?,
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

/// Hands on each number of an image, and the shares of its voxel.
fn scan(name: &str, image: Image, shares: &[Share], mut take: impl FnMut(f64, &[Share])) -> Result<(), TissueError> {
    let mut left = shares;
    let read = image.scan(|at, number| {
        let n = left.iter().take_while(|share| share.at as usize == at).count();
        let (own, behind) = left.split_at(n);
        left = behind;
        take(number, own);
    });
    read.map_err(|e| TissueError::Unreadable { file: name.to_owned(), reason: e.to_string() })
}

fn of_map(
    name: &str,
    image: Image,
    tissue: Tissue,
    shares: &[Share],
    sums: &mut [[f64; 3]],
) -> Result<(), TissueError> {
    let (mut least, mut most) = (0.0_f64, 0.0_f64);
    scan(name, image, shares, |number, own| {
        // Outside of the head some programs write what is no number (`max` and `min` pass over it).
        (least, most) = (least.min(number), most.max(number));
        for share in own.iter().filter(|_| number > 0.0) {
            sums[share.voxel as usize][tissue.index()] += share.part * number;
        }
    })?;
    if most > MOST_SHARE || least < 1.0 - MOST_SHARE {
        return Err(TissueError::NotProbabilities { file: name.to_owned(), least, most });
    }
    Ok(())
}

fn of_labels(
    name: &str,
    image: Image,
    labels: &Labels,
    shares: &[Share],
    sums: &mut [[f64; 3]],
) -> Result<(), TissueError> {
    let mut seen = HashSet::new();
    let (mut last, mut meaning) = (0, Meaning::Other);
    let (mut no_label, mut unknown): (Option<f64>, Option<i64>) = (None, None);
    scan(name, image, shares, |number, own| {
        let number = if number.is_nan() { 0.0 } else { number };
        let label = number.round();
        if (number - label).abs() > WHOLE || label.abs() > 1e9 {
            no_label = no_label.or(Some(number));
            return;
        }
        if label as i64 != last {
            last = label as i64;
            meaning = labels.meaning(last);
            // Labels that have a meaning are few.
            match meaning {
                Meaning::Unknown => unknown = unknown.or(Some(last)),
                Meaning::Tissue(_) => drop(seen.insert(last)),
                Meaning::Other => {}
            }
        }
        if let Meaning::Tissue(tissue) = meaning {
            own.iter().for_each(|share| sums[share.voxel as usize][tissue.index()] += share.part);
        }
    })?;
    let unnamed = |reason: String| TissueError::LabelsNotNamed { file: name.to_owned(), reason };
    if let Some(number) = no_label {
        return Err(unnamed(format!(
            "{number} is no label; labels are whole numbers, so it was interpolated or is another kind of image"
        )));
    }
    if let Some(label) = unknown {
        return Err(unnamed(format!("nothing says what its label {label} is; name it in the table beside it")));
    }
    if let Some(label) = labels.needed().iter().find(|label| !seen.contains(*label)) {
        return Err(unnamed(format!(
            "no voxel has the label {label}, so it is not what its name says; give maps of grey matter, white matter and CSF"
        )));
    }
    Ok(())
}
