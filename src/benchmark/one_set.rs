//! One set: its spectra on disk, the methods run on them, their figures beside the peers'.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use super::sets::{Set, Source};
use super::{BenchmarkError, BenchmarkOptions, Entry, SetResult, Time, Watch, peers, robust, score, states};
use crate::compare::{CompareError, Truth, against};
use crate::engine::Engine;
use crate::fit::Method;
use crate::learn::{self, LearnOptions, Scope};
use crate::output_path::path_inside;
use crate::run::{Config, CurvesKept, RunError, RunOptions, TissueOptions, run as run_corpus};
use crate::simulate::Recipe;
use crate::store::IfExists;
use crate::store::{MetaboliteRow, SpectrumRow, read_table};
use crate::tissue::find::Search;

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
            recipe.subjects *= recipe.all_sites().len() * if recipe.matched { recipe.group.len() } else { 1 };
            let written = crate::simulate::write(&path_inside(&options.out, &["sets", &set.name])?, &recipe)?;
            let mut truth = Truth::read(&written.truth)?;
            truth.read_drawn(&written.drawn)?;
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

/// Runs the methods on a set, and scores them and its peers.
pub(super) fn run_set(
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
            let method = if learned { format!("{}+learned", settings.name()) } else { settings.name().to_owned() };
            watch.begins(&set.name, &method);
            let out = path_inside(&options.out, &["runs", &set.name, &method])?;
            let run = run_options(&set, &prepared, settings, options, &out);
            let scope = options.learn.filter(|_| learned);
            let time = fit(run, scope, engine, watch)
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
        for peer in peers::peers_of(&set.peers, folder)? {
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

/// The run of one method over a set.
fn run_options(
    set: &Set,
    prepared: &Prepared,
    settings: &Method,
    options: &BenchmarkOptions,
    out: &Path,
) -> RunOptions {
    let mut method = settings.clone();
    if let Method::Map(settings) = &mut method {
        (set.adapt)(settings);
    }
    RunOptions {
        inputs: vec![prepared.spectra.clone()],
        out: out.to_owned(),
        if_exists: IfExists::Refuse,
        basis: prepared.basis.clone(),
        recipe: None,
        methods: vec![method],
        varied: Vec::new(),
        learned: None,
        gaps: prepared.config.gaps.clone(),
        preparation: prepared.config.prepare.clone(),
        water_scaling: prepared.config.water_scaling.clone().unwrap_or_else(|| options.water_scaling.clone()),
        gates: None,
        curves: CurvesKept::None,
        transients: false,
        resume: false,
        shard: None,
        memory_bytes: options.memory_bytes,
        site_from: None,
        tissue: TissueOptions { search: Search::None, ..TissueOptions::default() },
        participants: prepared.participants.clone(),
        sessions: Vec::new(),
        filter: None,
    }
}

/// Runs; learns from the spectra first where `scope` says from which together.
fn fit(mut run: RunOptions, scope: Option<Scope>, engine: &dyn Engine, watch: &dyn Watch) -> Result<Time, RunError> {
    if let Some(scope) = scope {
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
    let flagged = spectra.map(|spectra| states::flagged(spectra, truth));
    let ratios = robust::ratios(rows, truth, set.column)?;
    let robust = robust::robust(&ratios, factor, truth, flagged.as_deref());
    let is_peer = spectra.is_none();
    let method = method.to_owned();
    Ok(Entry { condition, method, is_peer, scored, robust, comparison, states, time: None, to_best_peer: None })
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
