//! `requant plot`: pictures that need no fit: those of a run from its tables, and a voxel on an image.

use std::path::{Path, PathBuf};

use clap::Args;

use super::error::{CliError, CliResult};
use super::outputs::{Reads, picture_format};
use super::plot_fits::{self, FitsArgs};
use crate::formats;
use crate::printable::printable_path;
use crate::report::voxel_plot;
use crate::tissue::{Transform, VoxelBox};

/// Arguments of `requant plot`.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  requant plot results --spectrum sub-01/mrs/sub-01_svs --out fit.pdf
  requant plot results --flagged --format png --out flagged     one picture for each flagged fit
  requant plot --voxel sub-01_svs.nii.gz --image sub-01_T1w.nii.gz --out voxel.svg
  requant plot --voxel mrsi.nii.gz --select 7,9,0 --image T1.nii.gz --out voxel.svg")]
pub(super) struct PlotArgs {
    /// Folder with the tables of a run, whose fits are drawn
    #[arg(value_name = "RESULTS", required_unless_present = "voxel")]
    results: Option<PathBuf>,
    #[command(flatten)]
    fits: FitsArgs,
    /// Spectrum whose voxel is drawn
    #[arg(long, value_name = "SPECTRUM", conflicts_with = "results", requires = "image")]
    voxel: Option<PathBuf>,
    /// Image of the head (NIfTI) to draw it on, in its sagittal, coronal and axial plane through the voxel's middle
    #[arg(long, value_name = "T1.nii.gz", requires = "voxel")]
    image: Option<PathBuf>,
    /// Which voxel of a grid
    #[arg(long, value_name = "I,J,K", default_value = "0,0,0")]
    select: String,
    /// Picture to write (.svg, .png or .pdf); of a run's fits a folder, too [default for those: fits]
    #[arg(long, value_name = "FILE|DIR", required_unless_present = "results")]
    out: Option<PathBuf>,
}

pub(super) fn run(args: &PlotArgs) -> CliResult {
    match (&args.results, &args.voxel, &args.image, &args.out) {
        (Some(results), ..) => plot_fits::run(results, &args.fits, args.out.as_deref()),
        (None, Some(voxel), Some(image), Some(out)) => plot_voxel(voxel, image, &args.select, out),
        _ => Err(usage("give the folder of a run, or --voxel, --image and --out".to_owned())),
    }
}

fn usage(message: String) -> CliError {
    CliError::new(2, anyhow::anyhow!(message))
}

fn plot_voxel(file: &Path, image: &Path, select: &str, out: &Path) -> CliResult {
    picture_format(out).map_err(usage)?;
    let data = formats::read(file).map_err(|e| CliError::new(1, e))?;
    let parsed: Result<Vec<usize>, _> = select.split(',').map(str::trim).map(str::parse).collect();
    let index: Option<[usize; 3]> = parsed.ok().and_then(|all| all.try_into().ok());
    let inside = |index: &[usize; 3]| index.iter().zip(data.grid).all(|(i, n)| *i < n);
    let [x, y, z] = data.grid;
    let index = index
        .filter(inside)
        .ok_or_else(|| usage(format!("--select {select}: give three numbers such as 0,0,0, below {x},{y},{z}")))?;
    let Some(affine_mm) = data.affine_mm else {
        let why = data.remarks.join("; ");
        return Err(CliError::new(1, anyhow::anyhow!("{}: the voxel has no place: {why}", printable_path(file))));
    };
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    let title = if data.n_voxels() > 1 { format!("{name} {select}") } else { name.into_owned() };
    let svg =
        voxel_plot(image, &VoxelBox { affine_mm, index }, &title, Transform::Qform).map_err(|e| CliError::new(1, e))?;
    Reads::of([file, image]).write_picture(out, svg)?;
    say!("{}", printable_path(out));
    Ok(0)
}
