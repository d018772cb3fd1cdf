//! `requant plot`: pictures that need no fit.

use std::path::PathBuf;

use clap::Args;

use super::error::{CliError, CliResult};
use super::outputs::Reads;
use crate::formats;
use crate::printable::printable_path;
use crate::report::voxel_plot;
use crate::tissue::{Transform, VoxelBox};

/// Arguments of `requant plot`.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  requant plot --voxel sub-01_svs.nii.gz --image sub-01_T1w.nii.gz --out voxel.svg
  requant plot --voxel mrsi.nii.gz --select 7,9,0 --image T1.nii.gz --out voxel.svg")]
pub(super) struct PlotArgs {
    /// Spectrum whose voxel is drawn
    #[arg(long, value_name = "SPECTRUM")]
    voxel: PathBuf,
    /// Image of the head (NIfTI) to draw it on, in its sagittal, coronal and axial plane through the voxel's middle
    #[arg(long, value_name = "T1.nii.gz")]
    image: PathBuf,
    /// Which voxel of a grid
    #[arg(long, value_name = "I,J,K", default_value = "0,0,0")]
    select: String,
    /// Picture to write
    #[arg(long, value_name = "FILE.svg")]
    out: PathBuf,
}

pub(super) fn run(args: &PlotArgs) -> CliResult {
    let data = formats::read(&args.voxel).map_err(|e| CliError::new(1, e))?;
    let usage = |message: String| CliError::new(2, anyhow::anyhow!(message));
    let parsed: Result<Vec<usize>, _> = args.select.split(',').map(str::trim).map(str::parse).collect();
    let index: Option<[usize; 3]> = parsed.ok().and_then(|all| all.try_into().ok());
    let inside = |index: &[usize; 3]| index.iter().zip(data.grid).all(|(i, n)| *i < n);
    let [x, y, z] = data.grid;
    let index = index.filter(inside).ok_or_else(|| {
        usage(format!("--select {}: give three numbers such as 0,0,0, below {x},{y},{z}", args.select))
    })?;
    let Some(affine_mm) = data.affine_mm else {
        let why = data.remarks.join("; ");
        return Err(CliError::new(
            1,
            anyhow::anyhow!("{}: the voxel has no place: {why}", printable_path(&args.voxel)),
        ));
    };
    let name = args.voxel.file_name().unwrap_or_default().to_string_lossy();
    let title = if data.n_voxels() > 1 { format!("{name} {}", args.select) } else { name.into_owned() };
    let svg = voxel_plot(&args.image, &VoxelBox { affine_mm, index }, &title, Transform::Qform)
        .map_err(|e| CliError::new(1, e))?;
    Reads::of([args.voxel.as_path(), args.image.as_path()]).write(&args.out, svg)?;
    say!("{}", printable_path(&args.out));
    Ok(0)
}
