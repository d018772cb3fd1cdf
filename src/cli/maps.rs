//! `requant maps`: the grids of a finished run as images.

use std::path::PathBuf;

use clap::Args;

use super::error::{CliError, CliResult};
use super::notes::told_once;
use crate::maps::{self, Asked};
use crate::printable::printable_path;
use crate::store::IfExists;

/// Arguments of `requant maps`.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  requant maps results --out maps
  requant maps results --out maps --metabolite tNAA,tCho --quantity ratio_tcr,ratio_tcr_sd
  requant maps results --out maps --quantity flags,status,snr,fwhm_hz
  fsleyes T1w.nii.gz maps/sub-01/mrs/sub-01_mrsi/map/tNAA_ratio_tcr.nii.gz

Each grid has a folder for each method. Images are NIfTI-1 of single precision, where the grid is in
the scanner's space; voxels that were not fitted are NaN. maps.json beside them says what each image
is, its unit, and what numbers stand for: flags (one for each set of flags that occurs in the run;
flag_… are 0 and 1), gate (0: passes all) and status (0: fitted, else why not).

Without --quantity: amplitude, sd_posterior, crlb_percent, ratio_tcr and all concentrations with their
standard deviations, snr, fwhm_hz, flags, status, gate; what no voxel has is left out. Any column of
numbers of the tables spectra and metabolites can be asked for.")]
pub(super) struct MapsArgs {
    /// Output folder of a finished run
    results: PathBuf,
    /// Folder to write the images to
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Metabolites and sums [default: all]
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    metabolite: Vec<String>,
    /// Columns of the tables, and flags, status, gate
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    quantity: Vec<String>,
    /// Replace images of the same names in the output folder; others stay
    #[arg(long)]
    overwrite: bool,
}

pub(super) fn run(args: &MapsArgs) -> CliResult {
    let asked = Asked {
        results: args.results.clone(),
        out: args.out.clone(),
        if_exists: if args.overwrite { IfExists::Overwrite } else { IfExists::Refuse },
        metabolites: args.metabolite.clone(),
        quantities: args.quantity.clone(),
    };
    let written = maps::write(&asked).map_err(|e| CliError::new(e.exit_code(), e))?;
    for folder in &written.folders {
        say!("{}", printable_path(folder));
    }
    for note in told_once(&written.notes) {
        tell!("note: {note}");
    }
    say!("{} images in {} folders", written.n_images, written.folders.len());
    Ok(0)
}
