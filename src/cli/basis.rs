//! `requant basis`: look at basis sets, translate them, make them.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};

use super::basis_cache::{CacheArgs, cache};
use super::basis_choose::{self, ChooseArgs};
use super::basis_recipe::{is_recipe, show_recipe};
use super::basis_simulate::{SimulateArgs, simulate};
use super::basis_target::TargetArgs;
use super::error::{CliError, CliResult};
use super::inputs::must_exist;
use super::outputs::{Reads, picture_name};
use super::shared::GapArgs;
use crate::basis::names::kind;
use crate::basis::{BasisSet, Grid};
use crate::quantify::singlet::signal_per_proton;
use crate::report::basis_plot;

/// Sub-commands of `requant basis`.
#[derive(Subcommand, Debug)]
pub(super) enum BasisCommand {
    /// Show what a basis set holds, as a table and a picture
    Show(ShowArgs),
    /// Write a basis set in another form
    Convert(ConvertArgs),
    /// Simulate a basis set from spin systems by density matrix
    Simulate(Box<SimulateArgs>),
    /// Say which pulses the spectra of each protocol speak for
    Choose(Box<ChooseArgs>),
    /// Show what simulated sets are kept on disk, or remove them
    Cache(CacheArgs),
}

/// Arguments of `requant basis show`.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  requant basis show press35.basis
  requant basis show press35.basis --plot press35.svg
  requant basis show site.toml --te-s 0.035 --plot sequence.svg      the sequence of a recipe, and its pulses")]
pub(super) struct ShowArgs {
    /// LCModel .BASIS, or a folder of .RAW, FSL-MRS JSON or NIfTI-MRS files; or a recipe (.toml, .json)
    path: PathBuf,
    /// Draw every member, or the sequence of a recipe with its pulses' profiles
    #[arg(long, value_name = "FILE.svg|.png|.pdf", value_parser = picture_name())]
    plot: Option<PathBuf>,
    #[command(flatten)]
    gaps: GapArgs,
}

/// Arguments of `requant basis convert`.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  requant basis convert press35.basis fsl/ --format fsl-json
  requant basis convert raw/ set.basis --f0-mhz 123.2 --dwell-s 0.00025 --te-s 0.03")]
pub(super) struct ConvertArgs {
    /// LCModel .BASIS, or a folder of .RAW, FSL-MRS JSON or NIfTI-MRS files
    input: PathBuf,
    /// File (.basis) or folder to write
    output: PathBuf,
    #[command(flatten)]
    target: TargetArgs,
    #[command(flatten)]
    gaps: GapArgs,
}

pub(super) fn run(command: &BasisCommand) -> CliResult {
    match command {
        BasisCommand::Show(args) => show(args),
        BasisCommand::Convert(args) => {
            args.target.save(&read(&args.input, &args.gaps)?, &args.output, &Reads::of([args.input.as_path()]))
        }
        BasisCommand::Simulate(args) => simulate(args),
        BasisCommand::Choose(args) => basis_choose::run(args),
        BasisCommand::Cache(args) => cache(args),
    }
}

fn read(path: &Path, gaps: &GapArgs) -> Result<BasisSet, CliError> {
    must_exist("", [path])?;
    let gaps = gaps.gaps();
    let grid = Grid { dwell_s: gaps.dwell_s, f0_mhz: gaps.f0_mhz, te_s: gaps.te_s };
    BasisSet::read_with(path, &grid).map_err(|e| CliError::new(1, e))
}

fn show(args: &ShowArgs) -> CliResult {
    if is_recipe(&args.path) {
        return show_recipe(&args.path, &args.gaps.gaps(), args.plot.as_deref());
    }
    let set = read(&args.path, &args.gaps)?;
    let te = set.te_s.map_or("unknown".to_owned(), |t| format!("{:.1} ms", t * 1e3));
    say!("{}", set.id);
    say!("f0 {} MHz · TE {te} · sequence {}", set.f0_mhz, set.sequence.as_deref().unwrap_or("unknown"));
    say!(
        "{} members · {} points · dwell {} s · sha256 {}",
        set.metabolites.len(),
        set.fids.ncols(),
        set.dwell_s,
        set.sha256
    );
    match set.offset_ppm() {
        Some(offset) => say!("singlets lie {offset:+.4} ppm from where they belong"),
        None => say!("none of the usual singlets, from which the offset is found"),
    }
    if let Some((signal, name)) = signal_per_proton(&set) {
        say!("signal of one proton at amplitude 1: {signal:.6e} (from {name})");
    }
    say!("\n{:12} {:>12} {:>12}  kind", "member", "|first|", "norm");
    for (name, fid) in set.metabolites.iter().zip(set.fids.outer_iter()) {
        let norm = fid.iter().map(|z| z.norm_sqr()).sum::<f64>().sqrt();
        say!("{name:12} {:>12.4e} {norm:>12.4e}  {:?}", fid[0].norm(), kind(name));
    }
    for remark in &set.remarks {
        say!("remark: {remark}");
    }
    if let Some(path) = &args.plot {
        let svg = basis_plot(&set)?;
        Reads::of([args.path.as_path()]).write_picture(path, svg)?;
        say!("{}", path.display());
    }
    Ok(0)
}
