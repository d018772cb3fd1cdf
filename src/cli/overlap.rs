//! `requant overlap`: the voxels of many heads in a common space.

use std::path::PathBuf;

use clap::Args;

use super::error::{CliError, CliResult};
use crate::overlap::{self, Asked};
use crate::printable::printable_path;
use crate::store::IfExists;

/// Arguments of `requant overlap`.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  requant overlap results --space MNI152_T1_1mm.nii.gz --transforms bids/derivatives --out overlap
  requant overlap results --space MNI152_T1_1mm.nii.gz --transforms list.tsv --image bids/ --out overlap

Transforms are affine: ITK's or ANTs' (text, or …0GenericAffine.mat), or FLIRT's (.mat; needs the T1 that was
registered: --image, or the column image_path). In a folder BIDS' names tell whose they are
(sub-01_from-T1w_to-MNI152NLin6Asym_mode-image_xfm.txt); a table (.tsv, .csv, a manifest will do) has the column
transform_path and one of spectrum_id, path, subject (with session), paths relative to the table.

Written: voxels.tsv, a line a voxel: its place there, the share of it in the core of its region (where half of
the region's voxels are or more) and its Dice coefficient with that, by site and over all sites; groups.tsv,
a line a site and region; a density map (NIfTI) for each of them. Voxels that do not get there keep a line
with the reason.")]
pub(super) struct OverlapArgs {
    /// Output folder of a finished run
    results: PathBuf,
    /// Image of the common space (NIfTI), such as the template that the transforms lead to
    #[arg(long, value_name = "TEMPLATE.nii.gz")]
    space: PathBuf,
    /// Folder of BIDS derivatives with transforms, or a table that lists them
    #[arg(long, value_name = "DIR|TABLE")]
    transforms: PathBuf,
    /// Image of a head that was registered, or a folder with such images: FLIRT's matrices need it
    #[arg(long, value_name = "T1.nii.gz|DIR")]
    image: Vec<PathBuf>,
    /// Folder to write to
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Replace files of the same names in the output folder; others stay
    #[arg(long)]
    overwrite: bool,
}

pub(super) fn run(args: &OverlapArgs) -> CliResult {
    let asked = Asked {
        results: args.results.clone(),
        space: args.space.clone(),
        transforms: args.transforms.clone(),
        images: args.image.clone(),
        out: args.out.clone(),
        if_exists: if args.overwrite { IfExists::Overwrite } else { IfExists::Refuse },
    };
    let written = overlap::write(&asked).map_err(|e| CliError::new(e.exit_code(), e))?;
    for file in &written.files {
        say!("{}", printable_path(file));
    }
    for note in &written.notes {
        tell!("note: {note}");
    }
    let [n, all] = written.n;
    say!("{n} of {all} voxels in the common space");
    Ok(0)
}
