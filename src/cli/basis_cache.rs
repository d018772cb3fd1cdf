//! `requant basis cache`: what simulated sets are kept on disk, and how to be rid of them.

use clap::Args;

use super::error::CliResult;
use crate::basis::simulate::SetCache;

/// Arguments of `requant basis cache`.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  requant basis cache
  requant basis cache --clear

Simulated sets with a scanner's pulses are kept, and found by a hash of all that they depend on.
REQUANT_CACHE_DIR names another folder; empty, nothing is kept: REQUANT_CACHE_DIR= requant run …")]
pub(super) struct CacheArgs {
    /// Remove the sets that are kept
    #[arg(long)]
    clear: bool,
}

/// Bytes of a MiB.
const MIB: f64 = (1 << 20) as f64;

pub(super) fn cache(args: &CacheArgs) -> CliResult {
    let Some(cache) = SetCache::of_user() else {
        say!("no simulated sets are kept: REQUANT_CACHE_DIR is empty, or there is no folder for caches");
        return Ok(0);
    };
    let (sets, bytes, most) = cache.held();
    say!("{}", cache.folder().display());
    say!("{sets} simulated sets, {:.1} of at most {:.0} MiB", bytes as f64 / MIB, most as f64 / MIB);
    if args.clear {
        let gone = cache.clear().map_err(|e| anyhow::anyhow!("{}: {e}", cache.folder().display()))?;
        say!("{gone} removed");
    }
    Ok(0)
}
