//! `requant basis choose`: which pulses the spectra of each protocol speak for.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;

use super::basis_recipe::is_recipe;
use super::error::{CliError, CliResult};
use super::numbers::at_least_one;
use super::progress::Shown;
use super::run::stop_on_signals;
use super::shared::JobArgs;
use crate::basis::simulate::Stated;
use crate::basis::simulate::pulses::Vendor;
use crate::learn::choose::{CLEAR_ERRORS, CLEAR_PART, Candidate, Chosen, FEWEST_HEADS, MOST_SPECTRA, Scored, choose};
use crate::printable::printable;
use crate::store::IfExists;

/// Characters of a failure's message.
const MESSAGE_CHARS: usize = 100;

/// Arguments of `requant basis choose`.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  requant basis choose scans/
  requant basis choose scans/ --candidate site.toml --candidate press35.basis

Fits the same spectra of each protocol with simulated sets of GE's, Philips' and Siemens' pulses, of
generic and of ideal ones, and with each --candidate, and compares the mean of chi2. What a run takes
today (--basis, --recipe, the header) is left unless another one is better by more than 3 standard
errors over 5 subjects or more, and by a quarter of what it leaves beyond the noise. Writes nothing:
prints what to put into a manifest or a recipe.")]
pub(super) struct ChooseArgs {
    #[command(flatten)]
    job: JobArgs,
    /// Another candidate: a recipe (.toml, .json) or a basis set (.basis, folder)
    #[arg(long, value_name = "PATH", help_heading = "Candidates")]
    candidate: Vec<PathBuf>,
    /// Most spectra of a protocol that are fitted
    #[arg(long, value_name = "N", default_value_t = MOST_SPECTRA, value_parser = at_least_one, help_heading = "Candidates")]
    spectra: usize,
}

pub(super) fn run(args: &ChooseArgs) -> CliResult {
    let options = args.job.options(PathBuf::new(), IfExists::Refuse)?;
    if options.methods.len() > 1 {
        return Err(CliError::new(2, anyhow::anyhow!("one --method at a time: its chi2 is what is compared")));
    }
    let mut candidates: Vec<Candidate> = Vendor::ALL.map(Candidate::Pulses).to_vec();
    for path in &args.candidate {
        candidates.push(candidate(path)?);
    }
    stop_on_signals();
    let engine = args.job.how.engine.open()?;
    let shown = Shown::new();
    let pool = args.job.how.pool()?;
    let chosen = pool.install(|| choose(&options, &candidates, args.spectra, engine.as_ref(), &shown));
    shown.finish();
    let chosen = chosen.map_err(|e| CliError::new(e.exit_code(), e))?;
    if chosen.is_empty() {
        return Err(CliError::new(
            66,
            anyhow::anyhow!("no spectrum of the inputs can be prepared; see `requant plan`"),
        ));
    }
    for (k, one) in chosen.iter().enumerate() {
        if k > 0 {
            say!();
        }
        print(one);
    }
    Ok(0)
}

/// A recipe by its ending, else a basis set.
fn candidate(path: &Path) -> Result<Candidate, CliError> {
    if is_recipe(path) {
        return Stated::read(path).map(|stated| Candidate::Recipe(Arc::new(stated))).map_err(|e| CliError::new(2, e));
    }
    Ok(Candidate::Basis(path.to_owned()))
}

fn print(chosen: &Chosen) {
    let heads = if chosen.heads == 1 { "subject" } else { "subjects" };
    let vendor = chosen.vendor.as_ref().map(|vendor| format!(" · {vendor}")).unwrap_or_default();
    say!("{}{vendor} · {} spectra of {} {heads} that all fit", chosen.protocol, chosen.spectra, chosen.heads);
    say!("{:28} {:>9} {:>22}  pulses", "candidate", "mean chi2", "beyond the best ± se");
    let mut order: Vec<(usize, &Scored)> = chosen.candidates.iter().enumerate().collect();
    order.sort_by(|(_, a), (_, b)| a.chi2.total_cmp(&b.chi2));
    for (k, one) in order {
        let (margin, error) = one.beyond;
        let beyond = match (&one.failure, chosen.best == Some(k)) {
            (Some(_), _) => "–".to_owned(),
            (None, true) => "best".to_owned(),
            // One subject has no spread.
            (None, false) if error.is_finite() => format!("{margin:.4} ± {error:.4}"),
            (None, false) => format!("{margin:.4}"),
        };
        let failure = one.failure.as_ref().map(|message| printable(message, MESSAGE_CHARS));
        let chi2 = if one.chi2.is_finite() { format!("{:.4}", one.chi2) } else { "–".to_owned() };
        say!("{:28} {chi2:>9} {beyond:>22}  {}", one.name, failure.as_ref().unwrap_or(&one.what));
    }
    say!("{}", verdict(chosen));
}

/// What to do, in words.
fn verdict(chosen: &Chosen) -> String {
    let today = &chosen.candidates[0];
    let Some(better) = chosen.better() else {
        return match chosen.best {
            None => "no candidate fits any of them: nothing is said".to_owned(),
            Some(0) => "today's fits best: nothing to change".to_owned(),
            Some(_) if chosen.heads < FEWEST_HEADS => {
                format!("too few subjects to judge ({FEWEST_HEADS} at least): today's stays")
            }
            Some(best) => {
                let best = &chosen.candidates[best];
                let (gain, error) = best.gain;
                let why = if gain > CLEAR_ERRORS * error {
                    let left = best.unexplained();
                    format!(
                        "which is less than {:.0} % of what it leaves beyond the noise ({left:.3}): a wrong set may gain as much",
                        100.0 * CLEAR_PART
                    )
                } else {
                    format!("less than {CLEAR_ERRORS:.0} standard errors")
                };
                format!("today's stays: {} is better by {gain:.4} ± {error:.4}, {why}", best.name)
            }
        };
    };
    let (gain, error) = better.gain;
    let what_to_do = match &better.pulses {
        Some((vendor, te1_s)) => {
            let te1 = te1_s.map(|s| (format!(" and te1_s = {s:.5}"), format!("; te1_ms = {:.2}", 1e3 * s)));
            let (column, key) = te1.unwrap_or_default();
            format!(
                "manifest: pulses = {}{column}; recipe: [sequence] vendor = \"{}\"{key}",
                vendor.name(),
                vendor.name().to_lowercase()
            )
        }
        None => format!("give {} as --basis or --recipe, or in a manifest", better.name),
    };
    format!("{} is better than {} by {gain:.4} ± {error:.4} of chi2\n{what_to_do}", better.name, today.name)
}
