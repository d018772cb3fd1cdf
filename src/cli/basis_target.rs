//! Where and in which form a basis set is written.

use super::error::{CliError, CliResult};
use super::outputs::Reads;
use crate::basis::{BasisSet, SaveError, SetFormat, save};
use clap::{Args, ValueEnum};
use std::path::Path;

/// In which form to write.
#[derive(Args, Debug, Clone, Copy)]
pub(super) struct TargetArgs {
    /// Form to write (default: by the name, .basis is LCModel's)
    #[arg(long, value_enum)]
    format: Option<FormatChoice>,
    /// Replace what is there
    #[arg(long)]
    overwrite: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum FormatChoice {
    /// LCModel's .BASIS, one file.
    Lcmodel,
    /// A folder of LCModel RAW files.
    Raw,
    /// A folder of FSL-MRS JSON files.
    FslJson,
}

impl TargetArgs {
    /// Writes the set and says what its form leaves out.
    pub(super) fn save(self, set: &BasisSet, path: &Path, reads: &Reads<'_>) -> CliResult {
        let format = match self.format {
            Some(FormatChoice::Lcmodel) => SetFormat::Lcmodel,
            Some(FormatChoice::Raw) => SetFormat::Raw,
            Some(FormatChoice::FslJson) => SetFormat::FslJson,
            None => SetFormat::of(path).ok_or_else(|| {
                let message = "the name does not say which form to write: end it with .basis, or give --format";
                CliError::new(2, anyhow::anyhow!("{}: {message} lcmodel, raw or fsl-json", path.display()))
            })?,
        };
        match format {
            SetFormat::Lcmodel => reads.spare(path)?,
            SetFormat::Raw | SetFormat::FslJson => reads.spare_folder(path)?,
        }
        save(set, path, format, self.overwrite).map_err(|e| {
            let code = if matches!(e, SaveError::Clash { .. }) { 1 } else { 73 };
            CliError::new(code, e)
        })?;
        say!("{} members, {} points, {} MHz: {}", set.metabolites.len(), set.fids.ncols(), set.f0_mhz, path.display());
        if !format.leaves_out().is_empty() {
            say!("not kept by this form: {}", format.leaves_out().join(", "));
        }
        Ok(0)
    }
}
