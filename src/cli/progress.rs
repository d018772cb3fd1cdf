//! A run as people watch it: a bar on a terminal, plain lines in a log; and what it came to.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::notes;
use super::pace::Pace;
use crate::corpus::in_words;
use crate::printable::{PATH_CHARS, printable};
use crate::pulse;
use crate::run::{Inputs, Progress, Shard, Summary, Tally};
use crate::store::{SpectrumRow, Told};

/// Failures that are shown one by one on a terminal; a log has them all.
const SHOWN_FAILURES: usize = 10;
/// Lines of the summary by site and protocol.
const SHOWN_GROUPS: usize = 60;

/// Parts of the bar in its whole length.
const BAR: u64 = 10_000;
/// Part of the work that reading is.
const OF_READING: f64 = 0.03;
/// Most that fits of a chunk count before its rows are written.
const OF_FITTING: f64 = 0.98;
/// How often a terminal is told, a log, and other terminals.
const TICK: Duration = Duration::from_millis(250);
const LOG_EVERY: Duration = Duration::from_secs(30);
/// A chunk that ends is told to a log, unless a line is as young as this: large runs have hundreds of chunks.
const LOG_AT_MOST_EVERY: Duration = Duration::from_secs(10);
const TELL_EVERY: Duration = Duration::from_secs(2);

/// Files that are being fitted.
struct AtWork {
    files: f64,
    fits: f64,
    fitted_before: u64,
}

/// How far it is.
struct Done {
    total: usize,
    /// Files whose rows are safe.
    written: usize,
    /// Those of an earlier process, which were not read again.
    kept: usize,
    read_before: u64,
    at_work: Option<AtWork>,
    pace: Pace,
    /// What the pass of learning is.
    learning: Option<String>,
    last_line: Instant,
    last_told: Instant,
}

impl Done {
    fn new(total: usize, now: Instant) -> Self {
        Self {
            total,
            written: 0,
            kept: 0,
            read_before: pulse::read(),
            at_work: None,
            pace: Pace::new(total, now),
            learning: None,
            last_line: now,
            last_told: now,
        }
    }

    fn read(&self) -> usize {
        let read = usize::try_from(pulse::read().saturating_sub(self.read_before)).unwrap_or(usize::MAX);
        read.saturating_add(self.kept).clamp(self.written, self.total.max(self.written))
    }

    /// Files fitted, parts of those at work included.
    fn fitted(&self) -> f64 {
        let of_chunk = self.at_work.as_ref().map_or(0.0, |at_work| {
            let fits = pulse::fitted().saturating_sub(at_work.fitted_before) as f64;
            OF_FITTING * at_work.files * (fits / at_work.fits.max(1.0)).min(1.0)
        });
        self.written as f64 + of_chunk
    }

    fn follow(&mut self, now: Instant) {
        let fitted = self.fitted();
        if fitted > self.kept as f64 {
            self.pace.is_at_work();
        }
        let done = OF_READING * self.read() as f64 + (1.0 - OF_READING) * fitted;
        self.pace.reached(done, now);
    }

    /// `read 130 · fitted 96 · written 64 of 600 files · 3.2/s · about 40 s left`.
    fn said(&self, now: Instant) -> String {
        let of = if self.learning.is_some() { "spectra" } else { "files" };
        let (read, fitted) = (self.read(), self.fitted().floor());
        let counts = match &self.learning {
            Some(pass) => format!("{pass} · {fitted:.0} of {} {of}", self.total),
            None => format!("read {read} · fitted {fitted:.0} · written {} of {} {of}", self.written, self.total),
        };
        format!("{counts} · {}", self.pace.said(now))
    }
}

/// What is watched, shared with the thread that shows it.
struct Inner {
    bar: ProgressBar,
    done: Mutex<Done>,
    n_failed: AtomicUsize,
    is_over: AtomicBool,
    /// The run's folder, where other terminals look.
    out: Option<PathBuf>,
}

impl Inner {
    fn done(&self) -> MutexGuard<'_, Done> {
        self.done.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn show(&self) {
        let now = Instant::now();
        let mut done = self.done();
        done.follow(now);
        let n_failed = self.n_failed.load(Ordering::Relaxed);
        let failed = if n_failed > 0 { format!(" · {n_failed} rows failed") } else { String::new() };
        if self.bar.is_hidden() {
            if now.duration_since(done.last_line) >= LOG_EVERY && done.total > 0 {
                done.last_line = now;
                tell!("{}", done.said(now));
            }
        } else {
            self.bar.set_position((BAR as f64 * done.pace.part()) as u64);
            self.bar.set_message(format!("{}{failed}", done.said(now)));
        }
        // When all is written the run ends, and nothing may be made in its folder.
        let is_open = done.learning.is_none() && done.written < done.total;
        if let (Some(out), true) = (&self.out, is_open && now.duration_since(done.last_told) >= TELL_EVERY) {
            done.last_told = now;
            Told {
                of_files: done.total,
                written: done.written,
                read: done.read(),
                fitted: done.fitted(),
                per_s: done.pace.per_s(now),
                left_s: done.pace.left_s(now),
            }
            .write(out);
        }
    }
}

/// A bar on a terminal, plain lines otherwise.
pub(super) struct Shown(Arc<Inner>);

impl Shown {
    pub(super) fn new() -> Self {
        Self::made(None)
    }

    /// The same for a run in `out`, whose state `requant status` tells at another terminal.
    pub(super) fn of_run(out: &Path) -> Self {
        Self::made(Some(out.to_owned()))
    }

    fn made(out: Option<PathBuf>) -> Self {
        let bar = ProgressBar::with_draw_target(Some(BAR), ProgressDrawTarget::stderr());
        if let Ok(style) = ProgressStyle::with_template("{wide_bar} {msg}") {
            bar.set_style(style);
        }
        let done = Mutex::new(Done::new(0, Instant::now()));
        let (n_failed, is_over) = (AtomicUsize::default(), AtomicBool::default());
        let inner = Arc::new(Inner { bar, done, n_failed, is_over, out });
        let watched = Arc::clone(&inner);
        // It is not waited for: it ends by itself once all is over.
        let _ = std::thread::Builder::new().name("progress".to_owned()).spawn(move || {
            while !watched.is_over.load(Ordering::Relaxed) {
                watched.show();
                std::thread::sleep(TICK);
            }
        });
        Self(inner)
    }

    /// Takes the bar away.
    pub(super) fn finish(&self) {
        self.0.is_over.store(true, Ordering::Relaxed);
        // Under the lock: nothing is told any more.
        let mut done = self.0.done();
        done.total = done.written;
        if let Some(out) = &self.0.out {
            Told::forget(out);
        }
        self.0.bar.finish_and_clear();
    }
}

impl Drop for Shown {
    fn drop(&mut self) {
        self.0.is_over.store(true, Ordering::Relaxed);
    }
}

impl Progress for Shown {
    // A benchmark has many runs, one after another.
    fn found(&self, n_files: usize) {
        *self.0.done() = Done::new(n_files, Instant::now());
        if self.0.bar.is_hidden() {
            tell!("{n_files} files to process");
        }
    }

    fn begun(&self, n_files: usize, n_fits: usize) {
        let mut done = self.0.done();
        done.at_work = Some(AtWork { files: n_files as f64, fits: n_fits as f64, fitted_before: pulse::fitted() });
    }

    fn learning(&self, pass: usize, n_groups: usize, n_spectra: usize) {
        let message = format!("learning, pass {pass} over {n_groups} protocols");
        if self.0.bar.is_hidden() {
            tell!("{message}");
        }
        let mut done = self.0.done();
        *done = Done::new(n_spectra, Instant::now());
        done.learning = Some(message);
        let n = n_spectra as f64;
        done.at_work = Some(AtWork { files: n, fits: n, fitted_before: pulse::fitted() });
    }

    fn noted(&self, words: &str) {
        self.0.bar.suspend(|| tell!("{words}"));
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
        let n_failed = self.0.n_failed.fetch_add(1, Ordering::Relaxed) + 1;
        if self.0.bar.is_hidden() {
            tell!("{line}");
        } else if n_failed <= SHOWN_FAILURES {
            self.0.bar.println(line);
        }
    }

    fn advanced(&self, n_files: usize) {
        let now = Instant::now();
        let mut done = self.0.done();
        done.written += n_files;
        if done.at_work.take().is_none() {
            // Of an earlier process, or of learning: no pace of fits.
            done.kept += n_files;
            let written = done.written as f64;
            done.pace.begin_at(written, now);
        }
        done.follow(now);
        if done.written >= done.total
            && let Some(out) = &self.0.out
        {
            Told::forget(out);
        }
        let is_due = done.written >= done.total || now.duration_since(done.last_line) >= LOG_AT_MOST_EVERY;
        if self.0.bar.is_hidden() && is_due {
            done.last_line = now;
            tell!("{}", done.said(now));
        }
    }
}

/// A name that holds line ends must not look like two lines of a log.
fn one_line(text: &str) -> String {
    printable(text, PATH_CHARS)
}

/// Whose fits a summary counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fits {
    /// Those of this process, unless an earlier one had done all.
    New,
    /// Those of earlier ones: there is no rate of them.
    Old,
}

pub(super) fn print_summary(summary: &Summary, fits: Fits) {
    print_tally(&summary.tally, &took(summary, fits, pulse::fitted()));
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

/// ` · 1.6 s · 15.1 fits/s`; without the rate where this process made none of the fits.
fn took(summary: &Summary, fits: Fits, n_fitted: u64) -> String {
    let s = summary.wall_s;
    let has_rate = fits == Fits::New && !summary.was_complete && n_fitted > 0;
    let rate = summary.tally.counts.ok as f64 / s.max(1e-9);
    if has_rate { format!(" · {s:.1} s · {rate:.1} fits/s") } else { format!(" · {s:.1} s") }
}

/// Counts, reasons and flags, and a line for each site and protocol.
pub(super) fn print_tally(tally: &Tally, took: &str) {
    let counts = &tally.counts;
    say!("{} rows: {} ok, {} failed, {} skipped{took}", counts.spectra, counts.ok, counts.failed, counts.skipped);
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_fits_of_this_process_have_a_rate() {
        let mut tally = Tally::default();
        tally.counts.ok = 24;
        let summary =
            Summary { tally, warnings: Vec::new(), files: Vec::new(), wall_s: 2.0, shard: None, was_complete: false };
        assert_eq!(took(&summary, Fits::New, 24), " · 2.0 s · 12.0 fits/s");
        assert_eq!(took(&summary, Fits::Old, 24), " · 2.0 s");
        assert_eq!(took(&summary, Fits::New, 0), " · 2.0 s");
        assert_eq!(took(&Summary { was_complete: true, ..summary }, Fits::New, 24), " · 2.0 s");
    }
}
