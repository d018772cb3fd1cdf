//! `requant convert`: any file that is read, as NIfTI-MRS; folders and manifests as folders or BIDS datasets.

mod bids;
mod names;
mod several;
mod written;

use std::path::{Path, PathBuf};

use clap::Args;

use super::error::{CliError, CliResult};
use super::outputs::Reads;
use super::shared::GapArgs;
use crate::acquisition::Acquisition;
use crate::corpus::PathLabels;
use crate::corpus::manifest::is_manifest;
use crate::formats::{self, nifti, nifti_mrs};

/// Arguments of `requant convert`.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  requant convert meas_MID00042.dat sub-01_svs.nii.gz
  requant convert data.RAW data.nii --f0-mhz 123.2 --dwell-s 0.00025
  requant convert scans/ nifti                                 every spectrum of a folder
  requant convert sites.csv dataset --bids                     a BIDS dataset of what a manifest lists
  requant convert scans/ dataset --bids --site-from '{site}/{subject}/**'

Samples are kept exactly; coils, transients and conditions become dimensions. Nothing is processed,
and nothing about a person is written. A water reference inside the file goes to a second file,
…_ref.nii.gz beside OUTPUT. Of a folder or manifest each file becomes one or says why not, in a table in
OUTPUT (conversion.tsv; of a dataset code/conversion.tsv).")]
pub(super) struct ConvertArgs {
    /// File to convert; a folder or a manifest: all spectra of it
    file: PathBuf,
    /// File to write: .nii or .nii.gz; of a folder or manifest: a new folder
    output: PathBuf,
    /// Write a BIDS dataset: subjects by manifest, --site-from or BIDS names
    #[arg(long)]
    bids: bool,
    /// Labels out of paths relative to FILE, as `requant run` has them
    #[arg(long, value_name = "PATTERN")]
    site_from: Option<PathLabels>,
    /// Replace OUTPUT if it exists; for one file
    #[arg(long)]
    overwrite: bool,
    #[command(flatten)]
    gaps: GapArgs,
}

pub(super) fn run(args: &ConvertArgs) -> CliResult {
    let name = args.output.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
    let stem = name.strip_suffix(".nii.gz").or_else(|| name.strip_suffix(".nii"));
    // The name of the output says whether it is one file.
    let is_folder = stem.is_none() && args.file.is_dir() && formats::in_folder(&args.file).is_none();
    if args.bids || args.site_from.is_some() || is_folder || (stem.is_none() && is_manifest(&args.file)) {
        if args.overwrite {
            return Err(CliError::new(2, anyhow::anyhow!("--overwrite is for one file; give a new folder")));
        }
        return several::run(&several::Asked {
            input: &args.file,
            out: &args.output,
            is_bids: args.bids,
            site_from: args.site_from.as_ref(),
            gaps: args.gaps.gaps(),
        });
    }
    let Some(stem) = stem else {
        return Err(CliError::new(2, anyhow::anyhow!("{}: name the output .nii or .nii.gz", args.output.display())));
    };
    let reads = Reads::of([args.file.as_path()]);
    reads.spare(&args.output)?;
    let mut data = formats::read(&args.file).map_err(|e| CliError::new(1, e))?;
    data.facts = data.facts.or(args.gaps.gaps());
    for (field, value) in [("f0-mhz", data.facts.f0_mhz), ("dwell-s", data.facts.dwell_s)] {
        if value.is_none() {
            return Err(CliError::new(
                2,
                anyhow::anyhow!("{}: give --{field}, the file lacks it", args.file.display()),
            ));
        }
    }
    let water = data.take_water();
    write(&args.output, &data, args.overwrite, &reads)?;
    if let Some(water) = water {
        let reference = args.output.with_file_name(name.replacen(stem, &format!("{stem}_ref"), 1));
        write(&reference, &water, args.overwrite, &reads)?;
    }
    for flag in &data.flags {
        say!("flag: {flag}");
    }
    for remark in &data.remarks {
        say!("remark: {remark}");
    }
    Ok(0)
}

fn write(path: &Path, data: &Acquisition, overwrite: bool, reads: &Reads<'_>) -> Result<(), CliError> {
    if path.exists() && !overwrite {
        return Err(CliError::new(73, anyhow::anyhow!("{}: exists; --overwrite to replace it", path.display())));
    }
    let mut bytes = nifti_mrs::encode(data);
    if path.extension().is_some_and(|e| e == "gz") {
        bytes = nifti::packed(&bytes)?;
    }
    reads.write(path, bytes)?;
    say!("{}", path.display());
    Ok(())
}
