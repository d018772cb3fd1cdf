//! The voxels of one subject on the image of its head.

use std::collections::BTreeMap;

use crate::page::voxel::{Images, voxel_of};
use crate::report::voxel_plot;
use crate::store::SpectrumRow;
use crate::tissue::anatomy::Anatomy;

/// Most voxels that are drawn (some 100 kB each): a grid has thousands, whose rows differ by little.
const MOST_VOXELS: usize = 16;

/// Pictures (SVG) of voxels.
#[derive(Debug, Default)]
pub(super) struct Voxels {
    /// Those of each spectrum, by its id.
    pub(super) of_spectrum: BTreeMap<String, String>,
    /// Why some are missing.
    pub(super) notes: Vec<String>,
}

/// Draws the voxels of `rows`; `is_only_head` where the run has no other subject.
pub(super) fn draw(rows: &[SpectrumRow], images: &Images, is_only_head: bool) -> Voxels {
    let anatomy = Anatomy::find(&images.places);
    let mut voxels = Voxels::default();
    let mut n_left_out = 0;
    for row in rows {
        if voxels.of_spectrum.contains_key(&row.spectrum_id) {
            continue;
        }
        let image = anatomy.of(row.subject.as_deref(), row.session.as_deref(), is_only_head);
        let Some((image, voxel)) = image.zip(voxel_of(row)) else { continue };
        if voxels.of_spectrum.len() == MOST_VOXELS {
            n_left_out += 1;
            continue;
        }
        match voxel_plot(image, &voxel, "", images.transform) {
            Ok(svg) => {
                voxels.of_spectrum.insert(row.spectrum_id.clone(), svg);
            }
            Err(error) => {
                let note = format!("no voxel is drawn on {error}");
                if !voxels.notes.contains(&note) {
                    voxels.notes.push(note);
                }
            }
        }
    }
    if n_left_out > 0 {
        voxels.notes.push(format!(
            "the first {MOST_VOXELS} are drawn, and not those of {n_left_out} more rows; `requant plot --voxel` draws any"
        ));
    }
    voxels
}
