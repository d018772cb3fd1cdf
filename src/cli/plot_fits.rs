//! `requant plot RESULTS`: fits of a run as pictures, from its tables.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};

use super::error::{CliError, CliResult};
use super::outputs::{EXIT_OUTPUT, Reads, in_folder};
use crate::output_path::safe_name_from;
use crate::printable::printable_path;
use crate::report::{FitPlot, FitsOfRun, PictureFormat};
use crate::store::SpectrumRow;

/// Ids that are named where one is not found.
const MOST_NAMED: usize = 5;
/// Longest name of a picture (bytes), without number and suffix.
const NAME_BYTES: usize = 110;
const FOLDER: &str = "fits";

/// Which fits of a run are drawn, and how.
#[derive(Args, Debug)]
#[command(next_help_heading = "Fits of a run")]
pub(super) struct FitsArgs {
    /// Id of a spectrum to draw; may be given several times
    #[arg(long, value_name = "ID", requires = "results", conflicts_with_all = ["flagged", "all"])]
    spectrum: Vec<String>,
    /// Draw every fit that has a flag
    #[arg(long, requires = "results", conflicts_with = "all")]
    flagged: bool,
    /// Draw every fit
    #[arg(long, requires = "results")]
    all: bool,
    /// Of this method alone [default: of each]
    #[arg(long, value_name = "NAME", requires = "results")]
    method: Option<String>,
    /// Form of the pictures in a folder
    #[arg(long, value_enum, default_value = "svg", requires = "results")]
    format: FormatChoice,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum FormatChoice {
    /// Scalable Vector Graphics.
    Svg,
    /// Portable Network Graphics.
    Png,
    /// Portable Document Format.
    Pdf,
}

impl FormatChoice {
    fn format(self) -> PictureFormat {
        match self {
            Self::Svg => PictureFormat::Svg,
            Self::Png => PictureFormat::Png,
            Self::Pdf => PictureFormat::Pdf,
        }
    }
}

fn usage(message: String) -> CliError {
    CliError::new(2, anyhow::anyhow!(message))
}

impl FitsArgs {
    fn wants(&self, row: &SpectrumRow) -> bool {
        self.method.as_ref().is_none_or(|method| *method == row.method)
            && (self.all || self.flagged && !row.qc_flags.is_empty() || self.spectrum.contains(&row.spectrum_id))
    }
}

pub(super) fn run(results: &Path, args: &FitsArgs, out: Option<&Path>) -> CliResult {
    if args.spectrum.is_empty() && !args.flagged && !args.all {
        return Err(usage("which fits? give --spectrum ID, --flagged or --all".to_owned()));
    }
    let out = out.unwrap_or_else(|| Path::new(FOLDER));
    let is_file = PictureFormat::of(out).is_some() && !out.is_dir();
    if !is_file && out.extension().is_some() && !out.is_dir() {
        let out = printable_path(out);
        return Err(usage(format!("--out {out}: give a folder, or a name that ends with .svg, .png or .pdf")));
    }
    let mut fits = FitsOfRun::open(results, |row| args.wants(row)).map_err(|e| CliError::new(1, e))?;
    check_found(results, args, &fits)?;
    let (drawable, failed) = fits.split_by_status();
    if is_file && drawable > 1 {
        return Err(usage(format!("--out {}: {drawable} fits are drawn; give a folder", printable_path(out))));
    }
    let mut names = Names { out, of_method: fits.has_methods(), format: args.format.format(), used: BTreeSet::new() };
    if !is_file {
        Reads::of([results]).spare_folder(out)?;
        std::fs::create_dir_all(out)
            .map_err(|e| CliError::new(EXIT_OUTPUT, anyhow::anyhow!("{}: cannot be made: {e}", printable_path(out))))?;
    }
    let reads = Reads::of([results]);
    let mut failure = None;
    let drawn = fits.draw(|row: &SpectrumRow, plot: &FitPlot| {
        let path = if is_file { Ok(out.to_owned()) } else { names.of(row) };
        let written = path.and_then(|path| reads.write_picture(&path, plot.render_svg()?).map(|()| path));
        match written {
            Ok(path) if drawable <= MOST_NAMED => say!("{}", printable_path(&path)),
            Ok(_) => {}
            Err(error) => failure = Some(error),
        }
        failure.is_none()
    })?;
    if let Some(error) = failure {
        return Err(error);
    }
    told(drawn, drawable, failed, out)
}

/// Says what was drawn and what was not.
fn told(drawn: usize, drawable: usize, failed: usize, out: &Path) -> CliResult {
    if drawable > MOST_NAMED {
        say!("{drawn} fits in {}", printable_path(out));
    }
    if failed > 0 {
        tell!("note: {failed} of the rows asked for were not fitted, so that there is nothing to draw");
    }
    if drawn < drawable {
        let n = drawable - drawn;
        tell!("note: {n} fits have no curves in the tables: the run had --no-curves, or is of an older version");
    }
    if drawn == 0 {
        let message = "nothing was drawn: no fit that was asked for has curves in the tables";
        return Err(CliError::new(1, anyhow::anyhow!(message)));
    }
    Ok(0)
}

/// Names of pictures in a folder, no two alike.
struct Names<'a> {
    out: &'a Path,
    of_method: bool,
    format: PictureFormat,
    used: BTreeSet<String>,
}

impl Names<'_> {
    fn of(&mut self, row: &SpectrumRow) -> Result<PathBuf, CliError> {
        let mut text = row.spectrum_id.clone();
        if self.of_method {
            text = format!("{text}_{}", row.method);
        }
        let plain = safe_name_from(&text, NAME_BYTES);
        let numbered = (2..).map(|n| format!("{plain}_{n}"));
        // Case is no difference on some systems.
        let is_new = |name: &String| !self.used.contains(&name.to_lowercase());
        let name = std::iter::once(plain.clone()).chain(numbered).find(is_new).unwrap_or_default();
        self.used.insert(name.to_lowercase());
        in_folder(self.out, &format!("{name}.{}", self.format.suffix()))
    }
}

/// Every id that was named is there.
fn check_found(results: &Path, args: &FitsArgs, fits: &FitsOfRun) -> Result<(), CliError> {
    let missing = args.spectrum.iter().find(|id| !fits.rows().iter().any(|row| row.spectrum_id == **id));
    if let Some(id) = missing {
        let near = fits.near(id, MOST_NAMED).map_err(|e| CliError::new(1, e))?;
        let near = if near.is_empty() { String::new() } else { format!("; there are {}", near.join(", ")) };
        return Err(usage(format!("{}: no row of a spectrum `{id}`{near}", printable_path(results))));
    }
    if fits.rows().is_empty() {
        let of = args.method.as_ref().map(|method| format!(" of method {method}")).unwrap_or_default();
        let what = if args.flagged { "no row has a flag" } else { "there are no rows" };
        return Err(CliError::new(1, anyhow::anyhow!("{}: {what}{of}", printable_path(results))));
    }
    Ok(())
}
