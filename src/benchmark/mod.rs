//! The benchmark: methods over sets of spectra with known truth, beside other programs' results, as one report.
//!
//! [`sets`] says what there is, [`mod@score`] how results are judged, [`peers`] reads other programs', [`states`] counts
//! warnings, [`rows`] makes the table and [`html`] the report.

mod html;
pub mod peers;
mod plots;
mod rows;
pub mod score;
pub mod sets;
mod states;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use crate::compare::agreement::Figure;
use crate::compare::{CompareError, Comparison, Truth, against};
use crate::engine::Engine;
use crate::fit::Settings;
use crate::learn::{self, LearnOptions, Scope};
use crate::quantify::WaterScaling;
use crate::run::{Config, Progress, RunError, RunOptions, run as run_corpus};
use crate::simulate::{Recipe, SimulateError};
use crate::store::writer::IfExists;
use crate::store::{BenchmarkRow, MetaboliteRow, ReadTableError, SpectrumRow, StoreError, read_table, write_table};

pub use peers::Peer;
pub use rows::rows;
pub use score::{Scored, USUAL};
pub use sets::{Set, Source};
pub use states::States;

/// File that says that a folder is a benchmark's, so that it may be replaced.
const MARKER: &str = ".requant-benchmark";
/// Name of the report in the output folder.
pub const REPORT: &str = "report.html";

/// Why there is no benchmark.
#[derive(Debug, thiserror::Error)]
pub enum BenchmarkError {
    /// The data folder is not there, or holds no set.
    #[error(
        "{}: no sets there; a data folder has benchmark/NAME/ with truth.csv, or challenge2016/; without --data the simulated families run alone",
        path.display()
    )]
    NoData {
        /// The folder.
        path: PathBuf,
    },
    /// A set in the data folder lacks a file.
    #[error("set {set}: {} is missing; add it or move the set elsewhere", missing.display())]
    Incomplete {
        /// The set.
        set: String,
        /// What it lacks.
        missing: PathBuf,
    },
    /// No set of that name.
    #[error("no set `{name}`; there are: {known}")]
    UnknownSet {
        /// The name asked for.
        name: String,
        /// All names.
        known: String,
    },
    /// Other programs' results are not there.
    #[error("{}: no such folder; it must hold benchmark/SET_PROGRAM.csv", path.display())]
    NoPeers {
        /// The folder.
        path: PathBuf,
    },
    /// A file of another program's results.
    #[error("{}: {reason}", path.display())]
    Peer {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// Two estimates of the same thing.
    #[error("two rows for {metabolite} of {id}: a truth must name its spectra so that each is one")]
    Twice {
        /// The spectrum.
        id: String,
        /// Metabolite or sum.
        metabolite: String,
    },
    /// The challenge's constants do not read.
    #[error("constants of the challenge: {reason}")]
    Constants {
        /// What is wrong.
        reason: String,
    },
    /// The output folder is somebody else's or may not be replaced.
    #[error("{}: exists and is not empty; give another --out, or --overwrite for an earlier benchmark", path.display())]
    Exists {
        /// The folder.
        path: PathBuf,
    },
    /// A file cannot be written or taken away.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// A family cannot be simulated.
    #[error(transparent)]
    Simulate(#[from] SimulateError),
    /// A set cannot be fitted.
    #[error("set {set}: {source}")]
    Run {
        /// The set.
        set: String,
        /// Why.
        source: RunError,
    },
    /// A truth cannot be read.
    #[error(transparent)]
    Compare(#[from] CompareError),
    /// Tables cannot be read back.
    #[error(transparent)]
    Read(#[from] ReadTableError),
    /// The table cannot be written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The report cannot be drawn.
    #[error("report: {0}")]
    Draw(String),
}

impl BenchmarkError {
    /// Exit code of the command.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::NoData { .. } | Self::Incomplete { .. } | Self::UnknownSet { .. } | Self::NoPeers { .. } => 2,
            Self::Exists { .. } | Self::Io { .. } => 73,
            Self::Run { source, .. } => source.exit_code(),
            Self::Simulate(error) => error.exit_code(),
            Self::Store(error) => error.exit_code(),
            _ => 1,
        }
    }
}

fn io(path: &Path) -> impl FnOnce(std::io::Error) -> BenchmarkError + use<> {
    let path = path.to_owned();
    move |source| BenchmarkError::Io { path, source }
}

/// What to run.
#[derive(Debug, Clone)]
pub struct BenchmarkOptions {
    /// Output folder.
    pub out: PathBuf,
    /// Whether an earlier benchmark there may be replaced.
    pub overwrite: bool,
    /// Folder with sets of spectra.
    pub data: Option<PathBuf>,
    /// Folder with other programs' results.
    pub peers: Option<PathBuf>,
    /// Methods.
    pub methods: Vec<Settings>,
    /// Whether each method runs once more, having learned from the set's own spectra.
    pub learn: Option<Scope>,
    /// Names of the sets; empty: all.
    pub only: Vec<String>,
    /// Spectra of each condition of a simulated family, and of a set in the data folder at most; `None`: the recipe's
    /// number, all.
    pub spectra: Option<usize>,
    /// Constants of water scaling of sets that have none of their own.
    pub water_scaling: WaterScaling,
    /// Memory to stay below, roughly (bytes).
    pub memory_bytes: u64,
}

/// Told how far a benchmark is.
pub trait Watch: Progress {
    /// A method begins on a set.
    fn begins(&self, set: &str, method: &str);
}

/// How long a method took.
#[derive(Debug, Clone, Copy)]
pub struct Time {
    /// Processor time a spectrum, all threads (ms); `None` where the system does not say.
    pub cpu_ms: Option<f64>,
    /// Wall time a spectrum (ms).
    pub wall_ms: f64,
}

/// One program or method on one set, or on one condition of it.
#[derive(Debug, Clone)]
pub struct Entry {
    /// Name of the condition; `None` over the whole set.
    pub condition: Option<String>,
    /// Method, or name of the other program.
    pub method: String,
    /// Whether it is another program's.
    pub is_peer: bool,
    /// The figures.
    pub scored: Scored,
    /// The figures of `requant compare`.
    pub comparison: Option<Comparison>,
    /// Warnings; only of our own.
    pub states: Option<States>,
    /// Only of our own, over the whole set.
    pub time: Option<Time>,
    /// Mean summed squared error over the best peer's (both aligned).
    pub to_best_peer: Option<Figure>,
}

impl Entry {
    /// The errors by which the entry is shown: with the common factor taken out where units differ.
    pub fn errors(&self, set: &Set) -> &score::Errors {
        if set.same_unit { &self.scored.plain } else { &self.scored.aligned }
    }
}

/// All that ran on one set.
#[derive(Debug, Clone)]
pub struct SetResult {
    /// The set.
    pub set: Set,
    /// Its conditions, in order; empty where there is one.
    pub conditions: Vec<String>,
    /// Our methods first, then peers; the whole set first, then its conditions.
    pub entries: Vec<Entry>,
}

impl SetResult {
    /// Entries over the whole set.
    pub fn whole(&self) -> impl Iterator<Item = &Entry> {
        self.entries.iter().filter(|e| e.condition.is_none())
    }

    /// Entries of one condition.
    pub fn of(&self, condition: &str) -> impl Iterator<Item = &Entry> {
        self.entries.iter().filter(move |e| e.condition.as_deref() == Some(condition))
    }
}

/// What was written.
#[derive(Debug, Clone)]
pub struct Benchmark {
    /// The results, set by set.
    pub sets: Vec<SetResult>,
    /// Files written: the report, the table's parts.
    pub files: Vec<PathBuf>,
}

/// The sets that the options name, in order.
///
/// # Errors
/// [`BenchmarkError::NoData`], [`BenchmarkError::Incomplete`], [`BenchmarkError::UnknownSet`].
pub fn chosen(options: &BenchmarkOptions) -> Result<Vec<Set>, BenchmarkError> {
    let mut all = match &options.data {
        Some(data) => sets::sets_in(data)?,
        None => Vec::new(),
    };
    all.extend(sets::own_sets());
    if let Some(name) = options.only.iter().find(|name| !all.iter().any(|s| s.name == **name)) {
        let known = all.iter().map(|s| s.name.as_str()).collect::<Vec<_>>().join(", ");
        return Err(BenchmarkError::UnknownSet { name: name.clone(), known });
    }
    all.retain(|s| options.only.is_empty() || options.only.contains(&s.name));
    Ok(all)
}

/// Runs the benchmark and writes `report.html` and the table `benchmark` to the output folder; spectra that were
/// simulated and runs stay in its `sets/` and `runs/`.
///
/// # Errors
/// [`BenchmarkError`]. A spectrum that cannot be fitted is none: it counts as all zeros.
pub fn benchmark(
    options: &BenchmarkOptions,
    engine: &dyn Engine,
    watch: &dyn Watch,
) -> Result<Benchmark, BenchmarkError> {
    let sets = chosen(options)?;
    if let Some(path) = options.peers.as_ref().filter(|p| !p.is_dir()) {
        return Err(BenchmarkError::NoPeers { path: path.clone() });
    }
    claim(&options.out, options.overwrite)?;
    let mut results = Vec::with_capacity(sets.len());
    for set in sets {
        results.push(run_set(set, options, engine, watch)?);
    }
    let rows: Vec<BenchmarkRow> = results.iter().flat_map(rows::rows).collect();
    let path = options.out.join(REPORT);
    let report = html::report(&results, options, engine).map_err(BenchmarkError::Draw)?;
    fs::write(&path, report).map_err(io(&path))?;
    let mut files = vec![path];
    files.extend(write_table(&options.out, IfExists::Overwrite, rows)?);
    Ok(Benchmark { sets: results, files })
}

/// Makes the output folder ours: new, empty, or an earlier benchmark's, whose parts go.
fn claim(out: &Path, overwrite: bool) -> Result<(), BenchmarkError> {
    fs::create_dir_all(out).map_err(io(out))?;
    let marker = out.join(MARKER);
    let taken = fs::read_dir(out).map_err(io(out))?.next().is_some();
    if taken && !(overwrite && marker.is_file()) {
        return Err(BenchmarkError::Exists { path: out.to_owned() });
    }
    for part in ["sets", "runs", "benchmark"] {
        let path = out.join(part);
        if path.is_dir() {
            fs::remove_dir_all(&path).map_err(io(&path))?;
        }
    }
    fs::write(&marker, "The folders benchmark, runs and sets are replaced by `requant benchmark --overwrite`.\n")
        .map_err(io(&marker))
}

/// Spectra of a set on disk.
struct Prepared {
    spectra: PathBuf,
    basis: Option<PathBuf>,
    config: Config,
    truth: Truth,
    /// Labels of the participants to take; empty: all.
    participants: Vec<String>,
}

fn prepare(set: &Set, options: &BenchmarkOptions) -> Result<Prepared, BenchmarkError> {
    match &set.source {
        Source::Recipe(text) => {
            let mut recipe = Recipe::from_toml(text)?;
            if let Some(n) = options.spectra {
                recipe.subjects = n;
            }
            recipe.subjects *= recipe.all_sites().len();
            let written = crate::simulate::write(&options.out.join("sets").join(&set.name), &recipe)?;
            let truth = Truth::read(&written.truth)?;
            let (spectra, config) = (written.spectra, Config::default());
            Ok(Prepared { spectra, basis: None, config, truth, participants: Vec::new() })
        }
        Source::Files { spectra, basis, truth, config } => {
            let mut truth = Truth::read(truth)?;
            let mut participants = Vec::new();
            // Only BIDS names say which file is whose before it is read.
            if let Some(n) = options.spectra.filter(|_| truth.ids.iter().all(|id| id.starts_with("sub-"))) {
                truth = truth.first(n);
                participants = truth.ids.iter().map(|id| id.trim_start_matches("sub-").to_owned()).collect();
            }
            let (spectra, basis, config) = (spectra.clone(), basis.clone(), (**config).clone());
            Ok(Prepared { spectra, basis, config, truth, participants })
        }
    }
}

fn run_set(
    set: Set,
    options: &BenchmarkOptions,
    engine: &dyn Engine,
    watch: &dyn Watch,
) -> Result<SetResult, BenchmarkError> {
    let prepared = prepare(&set, options)?;
    let mut result = SetResult { set: set.clone(), conditions: Vec::new(), entries: Vec::new() };
    let passes: &[bool] = if options.learn.is_some() { &[false, true] } else { &[false] };
    for settings in &options.methods {
        for &learned in passes {
            let method = if learned { format!("{}+learned", settings.name) } else { settings.name.clone() };
            watch.begins(&set.name, &method);
            let out = options.out.join("runs").join(&set.name).join(&method);
            let time = fit(&set, &prepared, settings, learned, options, &out, engine, watch)
                .map_err(|source| BenchmarkError::Run { set: set.name.clone(), source })?;
            let spectra: Vec<SpectrumRow> = read_table(&out)?;
            let rows: Vec<MetaboliteRow> = read_table(&out)?;
            if result.conditions.is_empty() && matches!(set.source, Source::Recipe(_)) {
                result.conditions = conditions(&spectra);
            }
            let whole = entry(&set, &prepared.truth, &method, &rows, Some(&spectra), None)?;
            result.entries.push(Entry { time: Some(time), ..whole });
            for condition in result.conditions.clone() {
                let ids: Vec<&str> = spectra
                    .iter()
                    .filter(|s| s.site.as_deref() == Some(&condition))
                    .map(|s| s.spectrum_id.as_str())
                    .collect();
                let truth = prepared.truth.only(|id| ids.contains(&id));
                result.entries.push(entry(&set, &truth, &method, &rows, Some(&spectra), Some(condition))?);
            }
        }
    }
    if let Some(folder) = &options.peers {
        for peer in peers::peers_of(&set.name, folder)? {
            result.entries.push(entry(&set, &prepared.truth, &peer.label, &peer.rows, None, None)?);
        }
    }
    compare_with_best_peer(&mut result);
    Ok(result)
}

/// The sites of a simulated family where it has several.
fn conditions(spectra: &[SpectrumRow]) -> Vec<String> {
    let mut sites: Vec<String> = Vec::new();
    for site in spectra.iter().filter_map(|s| s.site.as_ref()) {
        if !sites.contains(site) {
            sites.push(site.clone());
        }
    }
    if sites.len() < 2 { Vec::new() } else { sites }
}

fn fit(
    set: &Set,
    prepared: &Prepared,
    settings: &Settings,
    learned: bool,
    options: &BenchmarkOptions,
    out: &Path,
    engine: &dyn Engine,
    watch: &dyn Watch,
) -> Result<Time, RunError> {
    let mut method = settings.clone();
    (set.adapt)(&mut method);
    let mut run = RunOptions {
        inputs: vec![prepared.spectra.clone()],
        out: out.to_owned(),
        if_exists: IfExists::Refuse,
        basis: prepared.basis.clone(),
        methods: vec![method],
        learned: None,
        gaps: prepared.config.gaps.clone(),
        water_scaling: prepared.config.water_scaling.clone().unwrap_or_else(|| options.water_scaling.clone()),
        curves: false,
        transients: false,
        resume: false,
        shard: None,
        memory_bytes: options.memory_bytes,
        participants: prepared.participants.clone(),
        sessions: Vec::new(),
    };
    if let Some(scope) = options.learn.filter(|_| learned) {
        run.learned = Some(learn::learn(&run, &LearnOptions::new(scope), engine, watch)?);
    }
    let (started, cpu_before) = (Instant::now(), cpu_s());
    let summary = run_corpus(&run, engine, watch)?;
    let n = summary.tally.counts.spectra.max(1) as f64;
    let cpu_ms = cpu_s().zip(cpu_before).map(|(after, before)| 1e3 * (after - before) / n);
    Ok(Time { cpu_ms, wall_ms: 1e3 * started.elapsed().as_secs_f64() / n })
}

fn entry(
    set: &Set,
    truth: &Truth,
    method: &str,
    rows: &[MetaboliteRow],
    spectra: Option<&[SpectrumRow]>,
    condition: Option<String>,
) -> Result<Entry, BenchmarkError> {
    let scored = score::score(rows, truth, set.column)?;
    let comparison = match against(rows, truth, set.column) {
        Ok(comparison) => Some(comparison),
        // Nothing was fitted: all zeros, as scored.
        Err(CompareError::NothingInCommon { .. }) => None,
        Err(error) => return Err(error.into()),
    };
    let factor = if set.same_unit { 1.0 } else { scored.scale };
    let states = spectra.map(|spectra| states::of(spectra, rows, truth, set.column, factor));
    let is_peer = spectra.is_none();
    let method = method.to_owned();
    Ok(Entry { condition, method, is_peer, scored, comparison, states, time: None, to_best_peer: None })
}

/// Sets every own entry's ratio to the peer with the lowest mean error, over the same spectra.
fn compare_with_best_peer(result: &mut SetResult) {
    let value = |e: &&Entry| e.scored.aligned.mean.value;
    let best = result.whole().filter(|e| e.is_peer).min_by(|a, b| value(a).total_cmp(&value(b)));
    let Some(best) = best.map(|e| e.scored.aligned.summed_squares.clone()) else { return };
    for entry in result.entries.iter_mut().filter(|e| !e.is_peer && e.condition.is_none()) {
        entry.to_best_peer = Some(score::ratio_of_means(&entry.scored.aligned.summed_squares, &best));
    }
}

/// Processor time of this process so far, all threads (s); `None` where the system has no `/proc`.
fn cpu_s() -> Option<f64> {
    /// Ticks a second in `/proc`, whatever the kernel's own clock (proc(5), sysconf(_SC_CLK_TCK) on Linux).
    const TICKS_PER_S: f64 = 100.0;
    let text = fs::read_to_string("/proc/self/stat").ok()?;
    // The second field is the program's name in brackets, which may hold blanks.
    let mut fields = text.rsplit_once(')')?.1.split_whitespace().skip(11);
    let mut ticks = || fields.next()?.parse::<f64>().ok();
    Some((ticks()? + ticks()?) / TICKS_PER_S)
}
