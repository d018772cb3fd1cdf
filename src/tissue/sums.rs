//! What maps say of image voxels, summed over boxes.

use std::collections::HashSet;

use super::error::TissueError;
use super::labels::{Labels, Meaning, Tissue};
use crate::formats::image::Image;

/// Largest number that a map of shares may hold, as interpolation leaves it; the least is as much below zero.
pub const MOST_SHARE: f64 = 1.01;
/// How far a label may be from a whole number.
const WHOLE: f64 = 1e-3;

/// A part of an image voxel that is in a box.
pub(super) struct Share {
    /// Place of the image voxel in its file.
    pub(super) at: u32,
    /// Number of the box.
    pub(super) voxel: u32,
    pub(super) part: f64,
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

/// Adds the shares of one tissue's map.
pub(super) fn of_map(
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

/// Adds the shares of labels.
pub(super) fn of_labels(
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
