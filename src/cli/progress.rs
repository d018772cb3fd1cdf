//! A run as people watch it: a bar on a terminal, plain lines in a log; and what it came to.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::notes;
use super::pace::Pace;
use crate::corpus::in_words;
use crate::printable::{PATH_CHARS, printable};
use crate::run::{Inputs, Progress, Shard, Summary, Tally};
use crate::store::SpectrumRow;

/// Failures that are shown one by one on a terminal; a log has them all.
const SHOWN_FAILURES: usize = 10;
/// Lines of the summary by site and protocol.
const SHOWN_GROUPS: usize = 60;

/// A bar on a terminal, plain lines otherwise.
pub(super) struct Shown {
    bar: ProgressBar,
    pace: Mutex<Pace>,
    n_failed: AtomicUsize,
}

impl Shown {
    pub(super) fn new() -> Self {
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
        if let Ok(style) = ProgressStyle::with_template("{wide_bar} {pos}/{len} files · {per_sec} · {eta} left · {msg}")
        {
            bar.set_style(style);
        }
        bar.enable_steady_tick(Duration::from_millis(250));
        Self { bar, pace: Mutex::new(Pace::new(0, Instant::now())), n_failed: AtomicUsize::default() }
    }

    /// Takes the bar away.
    pub(super) fn finish(&self) {
        self.bar.finish_and_clear();
    }
}

impl Progress for Shown {
    // A benchmark has many runs, one after another.
    fn found(&self, n_files: usize) {
        self.bar.reset();
        self.bar.set_length(n_files as u64);
        *self.pace.lock().unwrap_or_else(PoisonError::into_inner) = Pace::new(n_files, Instant::now());
        if self.bar.is_hidden() {
            tell!("{n_files} files to process");
        }
    }

    fn learning(&self, pass: usize, n_groups: usize) {
        let message = format!("learning, pass {pass} over {n_groups} protocols");
        if self.bar.is_hidden() {
            tell!("{message}");
        }
        self.bar.set_message(message);
    }

    // One line a failure, with words that batch systems can look for.
    fn failed(&self, row: &SpectrumRow) {
        let line = format!(
            "REQUANT_ERROR code={} spectrum={} method={} {}",
            row.error_code.as_deref().unwrap_or("unknown"),
            one_line(&row.spectrum_id),
            one_line(&row.method),
            one_line(row.error_message.as_deref().unwrap_or_default())
        );
        let n_failed = self.n_failed.fetch_add(1, Ordering::Relaxed) + 1;
        self.bar.set_message(format!("{n_failed} rows failed"));
        if self.bar.is_hidden() {
            tell!("{line}");
        } else if n_failed <= SHOWN_FAILURES {
            self.bar.println(line);
        }
    }

    fn advanced(&self, n_files: usize) {
        self.bar.inc(n_files as u64);
        let now = Instant::now();
        let mut pace = self.pace.lock().unwrap_or_else(PoisonError::into_inner);
        pace.advance(n_files, now);
        if self.bar.is_hidden() {
            tell!("{}", pace.said(now));
        }
    }
}

/// A name that holds line ends must not look like two lines of a log.
fn one_line(text: &str) -> String {
    printable(text, PATH_CHARS)
}

pub(super) fn print_summary(summary: &Summary) {
    print_tally(&summary.tally, Some(summary.wall_s));
    for note in notes::told_once(&summary.warnings) {
        say!("note: {}", one_line(&note));
    }
    for file in &summary.files {
        say!("{}", file.display());
    }
    if let Some(Shard { index, count }) = summary.shard {
        say!("shard {} of {count} is done; `requant merge` makes the tables once all are", index + 1);
    }
}

/// What was seen beside the spectra.
pub(super) fn print_left_out(inputs: &Inputs) {
    let counts = inputs.left_out();
    if !counts.is_empty() {
        say!("left out: {} (`requant plan` lists them)", in_words(&counts));
    }
}

/// Counts, reasons and flags, and a line for each site and protocol.
pub(super) fn print_tally(tally: &Tally, wall_s: Option<f64>) {
    let counts = &tally.counts;
    let rate = wall_s.map(|s| format!(" · {s:.1} s · {:.1} fits/s", counts.ok as f64 / s.max(1e-9)));
    say!(
        "{} rows: {} ok, {} failed, {} skipped{}",
        counts.spectra,
        counts.ok,
        counts.failed,
        counts.skipped,
        rate.unwrap_or_default()
    );
    list("not fitted", &tally.reasons);
    list("flagged", &tally.flags);
    if tally.groups.len() > 1 {
        say!("{:>6} {:>6} {:>7} {:>6} {:>8}  site · protocol", "ok", "not", "flagged", "SNR", "FWHM/Hz");
        let number = |value: Option<f64>| value.map_or_else(|| "–".to_owned(), |v| format!("{v:.1}"));
        for ((site, protocol), group) in tally.groups.iter().take(SHOWN_GROUPS) {
            let site = if site.is_empty() { String::new() } else { format!("{} · ", one_line(site)) };
            say!(
                "{:>6} {:>6} {:>7} {:>6} {:>8}  {site}{}",
                group.ok,
                group.not_fitted,
                group.flagged,
                number(group.median_snr()),
                number(group.median_fwhm_hz()),
                one_line(protocol)
            );
        }
        if let Some(more) = tally.groups.len().checked_sub(SHOWN_GROUPS).filter(|&n| n > 0) {
            say!("… and {more} more sites and protocols");
        }
    }
}

fn list(title: &str, counts: &BTreeMap<String, usize>) {
    if !counts.is_empty() {
        let parts: Vec<String> = counts.iter().map(|(name, n)| format!("{name} {n}")).collect();
        say!("{title}: {}", parts.join(" · "));
    }
}
