//! `requant basis`: look at basis sets.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::shared::GapArgs;
use super::{CliError, CliResult};
use crate::basis::names::kind;
use crate::basis::{BasisSet, Grid};
use crate::quantify::singlet::signal_per_proton;

/// Sub-commands of `requant basis`.
#[derive(Subcommand, Debug)]
pub(super) enum BasisCommand {
    /// What a basis set holds
    Show(ShowArgs),
}

/// Arguments of `requant basis show`.
#[derive(Args, Debug)]
pub(super) struct ShowArgs {
    /// LCModel .BASIS, or a folder of .RAW, FSL-MRS JSON or NIfTI-MRS files
    path: PathBuf,
    #[command(flatten)]
    gaps: GapArgs,
}

pub(super) fn run(command: &BasisCommand) -> CliResult {
    let BasisCommand::Show(args) = command;
    let gaps = args.gaps.gaps();
    let grid = Grid { dwell_s: gaps.dwell_s, f0_mhz: gaps.f0_mhz, te_s: gaps.te_s };
    let set = BasisSet::read_with(&args.path, &grid).map_err(|e| CliError::new(1, e))?;
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
        None => say!("no usual singlets to tell the offset by"),
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
    Ok(0)
}
