//! Nothing lost, nothing mixed: a run is stopped at every change that it makes on the disk, and its journal is damaged bit
//! by bit. What `--resume` makes of it are the bytes of an undisturbed run, or a refusal that says why.
//!
//! By day every eighth change is tried, of small chunks. At night all, with
//! `REQUANT_CRASH_STRIDE=1 REQUANT_CRASH_SPECTRA=60 REQUANT_BIT_FLIPS=200`. Figures: benches/SCALE.md.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use requant::run::{RunOptions, Shard, merge, run};
use requant::store::disk::fault;
use requant::store::reader::check_files;
use requant::store::{IfExists, SpectrumRow, read_record, read_table};

use crate::common::kill::{Blocks, Corpus, Silent, Way, copy, count};
use crate::common::tables;

/// The switch is the process's: one test at a time, where they share one.
static ALONE: Mutex<()> = Mutex::new(());

const N_CHUNKS: usize = 7;

type Tables = BTreeMap<PathBuf, Vec<u8>>;

/// What looks complete is complete: the new dataset, or the one that was there before.
fn is_whole_or_none(out: &Path, wholes: &[&Tables]) -> Result<(), String> {
    let Ok(record) = read_record(out) else { return Ok(()) };
    check_files(out, &record).map_err(|e| e.to_string())?;
    read_table::<SpectrumRow>(out).map_err(|e| e.to_string())?;
    let dataset: Tables = tables(out).into_iter().filter(|(path, _)| !path.starts_with(".requant")).collect();
    if wholes.contains(&&dataset) { Ok(()) } else { Err("other tables than any run made".to_owned()) }
}

#[derive(Default)]
struct Outcome {
    changes: u64,
    identical: usize,
    refused: usize,
    bad: Vec<String>,
}

/// Stops `way` at change `at`, in the manner of `set`, and resumes.
fn stop(
    way: Way,
    corpus: &Corpus,
    older: Option<&Path>,
    wholes: &[&Tables],
    at: u64,
    set: fn(u64),
) -> Result<bool, String> {
    let out = "stopped";
    let folder = corpus.at(out);
    let _ = fs::remove_dir_all(&folder);
    if let Some(older) = older {
        copy(older, &folder);
    }
    set(at);
    let _ = way.begin(corpus, out);
    fault::stop_at(None);
    is_whole_or_none(&folder, wholes).map_err(|e| format!("after the stop: {e}"))?;
    let resumed = way.resume(corpus, out);
    is_whole_or_none(&folder, wholes).map_err(|e| format!("after resuming: {e}"))?;
    match resumed {
        Ok(()) if tables(&folder) == *wholes[0] => {
            let left: Vec<PathBuf> = left_over(&folder);
            if left.is_empty() { Ok(true) } else { Err(format!("left: {left:?}")) }
        }
        Ok(()) => Err("exit 0 with other tables".to_owned()),
        Err(error) if error.to_string().len() > 20 => Ok(false),
        Err(error) => Err(format!("a refusal without a reason: {error}")),
    }
}

/// Temporary files and journals that nobody will take away.
fn left_over(folder: &Path) -> Vec<PathBuf> {
    let all = walkdir::WalkDir::new(folder).min_depth(1).into_iter().map(|e| e.unwrap().into_path());
    all.filter(|path| path.file_name().is_some_and(|n| n.to_string_lossy().starts_with('.'))).collect()
}

fn every_change(way: Way, corpus: &Corpus, set: fn(u64)) -> Outcome {
    let whole = {
        let _ = fs::remove_dir_all(corpus.at("whole"));
        fault::stop_at(None);
        let older = older(way, corpus);
        if let Some(older) = &older {
            copy(older, &corpus.at("whole"));
        }
        fault::stop_at(None);
        way.begin(corpus, "whole").unwrap();
        tables(&corpus.at("whole"))
    };
    let mut outcome = Outcome { changes: fault::count(), ..Outcome::default() };
    let older = older(way, corpus);
    let before = older.as_deref().map(tables);
    let wholes: Vec<&Tables> = [Some(&whole), before.as_ref()].into_iter().flatten().collect();
    let stride = count("REQUANT_CRASH_STRIDE", 8);
    for at in (way as u64 % stride as u64..outcome.changes).step_by(stride) {
        match stop(way, corpus, older.as_deref(), &wholes, at, set) {
            Ok(true) => outcome.identical += 1,
            Ok(false) => outcome.refused += 1,
            Err(why) => outcome.bad.push(format!("{way:?}, change {at}: {why}")),
        }
    }
    outcome
}

/// Complete results of another method.
fn older(way: Way, corpus: &Corpus) -> Option<PathBuf> {
    let folder = corpus.at("older");
    if way != Way::OverOlder {
        return None;
    }
    if !folder.exists() {
        let mut options = corpus.options("older");
        options.curves = requant::run::CurvesKept::Full;
        corpus.run(&options).unwrap();
    }
    Some(folder)
}

fn holds(set: fn(u64), what: &str) {
    let _alone = ALONE.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let corpus = Corpus::new(N_CHUNKS, count("REQUANT_CRASH_SPECTRA", 1));
    for way in Way::ALL {
        let outcome = every_change(way, &corpus, set);
        let Outcome { changes, identical, refused, bad } = &outcome;
        println!("{what}, {way:?}: {changes} changes, {identical} identical, {refused} refused, {} bad", bad.len());
        assert!(*changes > 100, "the switch counts nothing");
        assert!(bad.is_empty(), "{bad:#?}");
        // A run that had not begun, or had ended, may be refused; most of them are to be mended.
        assert!(*identical > 9 * *refused, "{refused} refused, {identical} mended");
    }
}

#[test]
fn stopped_at_any_change_a_run_resumes_to_the_same_bytes() {
    holds(|at| fault::stop_at(Some(at)), "stopped");
}

#[test]
fn a_change_that_the_disk_refuses_costs_nothing() {
    holds(fault::refuse, "refused by the disk");
}

#[test]
fn stopped_at_any_change_a_resume_after_new_inputs_mixes_nothing() {
    let _alone = ALONE.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    // Two files a chunk of before, one of now.
    let corpus = Corpus::new(8, 1);
    let go = |out: &str, shard: Option<Shard>, resume: bool| {
        run(&RunOptions { shard, resume, ..corpus.options(out) }, &Blocks(1), &Silent)
    };
    fault::stop_at(None);
    go("old", None, false).unwrap();
    go("half", Some(Shard { index: 0, count: 1 }), false).unwrap();
    fs::copy(corpus.at("in/sub-005/mrs/sub-005_svs.nii"), corpus.at("in/sub-000/mrs/sub-000_svs.nii")).unwrap();
    go("new", None, false).unwrap();
    let [old, new] = ["old", "new"].map(|out| tables(&corpus.at(out)));
    assert!(old != new);
    let anew = |out: &str| {
        let _ = fs::remove_dir_all(corpus.at(out));
    };
    let begin = || {
        anew("stopped");
        copy(&corpus.at("half"), &corpus.at("stopped"));
    };
    begin();
    fault::stop_at(None);
    go("stopped", None, true).unwrap();
    let changes = fault::count();
    for at in (0..changes).step_by(count("REQUANT_CRASH_STRIDE", 8)) {
        begin();
        fault::stop_at(Some(at));
        let _ = go("stopped", None, true);
        fault::stop_at(None);
        is_whole_or_none(&corpus.at("stopped"), &[&old, &new]).unwrap();
        // Nor does a merge of what the stop left.
        anew("merged");
        if merge(&[corpus.at("stopped")], &corpus.at("merged"), IfExists::Refuse).is_ok() {
            let merged = tables(&corpus.at("merged"));
            assert!(merged == old || merged == new, "change {at}: rows of both inputs");
        }
        go("stopped", None, true).unwrap();
        assert!(tables(&corpus.at("stopped")) == new, "change {at}: rows of before");
    }
}

#[test]
fn any_flipped_bit_of_a_journal_is_noticed() {
    let _alone = ALONE.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let corpus = Corpus::new(N_CHUNKS, 1);
    let way = Way::AllTables;
    fault::stop_at(None);
    way.begin(&corpus, "whole").unwrap();
    let (whole, changes) = (tables(&corpus.at("whole")), fault::count());
    // Most of the chunks are done.
    fault::stop_at(Some(changes * 6 / 10));
    assert!(way.begin(&corpus, "half").is_err());
    fault::stop_at(None);
    let mut files: Vec<PathBuf> = walkdir::WalkDir::new(corpus.at("half/.requant"))
        .into_iter()
        .map(Result::unwrap)
        .filter(|e| e.file_type().is_file() && e.metadata().unwrap().len() > 0)
        .map(|e| e.path().strip_prefix(corpus.at("half")).unwrap().to_owned())
        .collect();
    files.sort();
    assert!(files.len() > 20, "{files:?}");
    let mut state = 1_u64;
    let mut draw = |n: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % n
    };
    let (mut redone, mut refused) = (0, 0);
    for flip in 0..count("REQUANT_BIT_FLIPS", 60) {
        let _ = fs::remove_dir_all(corpus.at("flipped"));
        copy(&corpus.at("half"), &corpus.at("flipped"));
        // Every file in turn, a bit of it at random.
        let file = &files[flip % files.len()];
        let path = corpus.at("flipped").join(file);
        let mut bytes = fs::read(&path).unwrap();
        let bit = draw(8 * bytes.len());
        bytes[bit / 8] ^= 1 << (bit % 8);
        fs::write(&path, bytes).unwrap();
        match way.resume(&corpus, "flipped") {
            Ok(()) => {
                assert!(tables(&corpus.at("flipped")) == whole, "{file:?}, bit {bit}: silently other tables");
                redone += 1;
            }
            Err(error) => {
                println!("{file:?}: {error}");
                assert!(error.to_string().len() > 20, "{error}");
                refused += 1;
            }
        }
    }
    println!("{redone} redone, {refused} refused");
}
