//! Never losing work: killed runs resume, shards merge, and the tables are byte for byte those of one run.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use crate::common::tables;

fn command(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_requant"));
    command.args(args).env_remove("SLURM_ARRAY_TASK_ID").env_remove("SLURM_ARRAY_TASK_COUNT");
    // The least memory depends on the threads.
    command.env("RAYON_NUM_THREADS", "2");
    command
}

fn requant(args: &[&str]) -> Output {
    command(args).output().unwrap()
}

fn done(args: &[&str]) -> Output {
    let output = requant(args);
    assert!(output.status.success(), "{args:?}: {output:?}");
    output
}

/// Memory for a third of the corpus at a time.
const THIRD: &str = "148MiB";

/// A corpus of three chunks and its tables from one undisturbed run.
struct Setup {
    folder: tempfile::TempDir,
    whole: BTreeMap<PathBuf, Vec<u8>>,
}

impl Setup {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let setup = Self { folder, whole: BTreeMap::new() };
        done(&["simulate", "--out", &setup.at("corpus"), "--subjects", "60"]);
        done(&["run", &setup.at("corpus"), "--engine", "cpu", "--memory", THIRD, "--out", &setup.at("whole")]);
        assert!(!Path::new(&setup.at("whole/.requant")).exists(), "the journal goes when the tables are complete");
        Self { whole: tables(Path::new(&setup.at("whole"))), ..setup }
    }

    fn at(&self, name: &str) -> String {
        self.folder.path().join(name).to_str().unwrap().to_owned()
    }

    fn start(&self, out: &str, more: &[&str]) -> Child {
        let (corpus, out) = (self.at("corpus"), self.at(out));
        let args = [&["run", &corpus, "--engine", "cpu", "--memory", THIRD, "--out", &out][..], more].concat();
        command(&args).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
    }

    fn finished_chunks(&self, out: &str) -> usize {
        chunks(Path::new(&self.at(&format!("{out}/.requant")))).len()
    }
}

/// Finished chunks, in their order: one that is being written has another name until it is complete.
fn chunks(journal: &Path) -> Vec<PathBuf> {
    let is_chunk = |e: &fs::DirEntry| e.file_name().to_string_lossy().starts_with("chunk-");
    let mut all: Vec<PathBuf> =
        fs::read_dir(journal).into_iter().flatten().flatten().filter(is_chunk).map(|e| e.path()).collect();
    all.sort();
    all
}

fn wait_until(mut what: impl FnMut() -> bool) {
    let started = Instant::now();
    while !what() {
        assert!(started.elapsed() < Duration::from_secs(120), "waited in vain");
        std::thread::sleep(Duration::from_millis(1));
    }
}

#[test]
fn what_was_killed_resumes_to_the_same_bytes() {
    let setup = Setup::new();
    let kills = std::env::var("REQUANT_KILLS").ok().and_then(|n| n.parse().ok()).unwrap_or(4_u64);
    for kill in 0..kills {
        let out = format!("killed-{kill}");
        let mut child = setup.start(&out, &[]);
        // Spread over the run, at no particular point of any chunk.
        std::thread::sleep(Duration::from_millis(100 + 1500 * kill / kills + 37 * kill % 101));
        child.kill().unwrap();
        child.wait().unwrap();
        let (corpus, out) = (setup.at("corpus"), setup.at(&out));
        done(&["run", &corpus, "--engine", "cpu", "--memory", THIRD, "--threads", "1", "--out", &out, "--resume"]);
        assert!(tables(Path::new(&out)) == setup.whole, "kill {kill}");
        // What is complete is left as it is: a requeued job must not fail on it.
        let again = done(&["run", &corpus, "--engine", "cpu", "--memory", THIRD, "--out", &out, "--resume"]);
        assert!(String::from_utf8_lossy(&again.stdout).contains("complete already"), "{again:?}");
    }
}

/// The last chunk, the merge, `run.json`, the journal's end: all of it lies in the last 300 ms.
#[test]
fn killed_in_its_last_moments_a_run_loses_nothing() {
    let setup = Setup::new();
    let kills = std::env::var("REQUANT_LATE_KILLS").ok().and_then(|n| n.parse().ok()).unwrap_or(8_u64);
    // Chunks of an undisturbed run.
    let mut child = setup.start("watched", &[]);
    let mut n_chunks = 0;
    wait_until(|| {
        n_chunks = n_chunks.max(setup.finished_chunks("watched"));
        child.try_wait().unwrap().is_some()
    });
    let (mut alive, mut merged) = (0, 0);
    for kill in 0..kills {
        let out = "late";
        let _ = fs::remove_dir_all(setup.at(out));
        let mut child = setup.start(out, &[]);
        // Half of them in the last chunk, half when all are there: merge, `run.json` and the journal's end take some 50 ms.
        let (n_done, within_us) = if kill % 2 == 0 { (n_chunks - 1, 200_000) } else { (n_chunks, 50_000) };
        wait_until(|| setup.finished_chunks(out) >= n_done || child.try_wait().unwrap().is_some());
        std::thread::sleep(Duration::from_micros((kill * 7_919_003) % within_us));
        alive += u32::from(child.try_wait().unwrap().is_none());
        child.kill().unwrap();
        child.wait().unwrap();
        merged += u32::from(Path::new(&setup.at("late/run.json")).exists());
        let (corpus, out) = (setup.at("corpus"), setup.at(out));
        done(&["run", &corpus, "--engine", "cpu", "--memory", THIRD, "--out", &out, "--resume"]);
        assert!(tables(Path::new(&out)) == setup.whole, "kill {kill}");
        assert!(!Path::new(&out).join(".requant").exists(), "kill {kill}: something is left");
    }
    println!("{kills} kills, {alive} of them of a run at work, {merged} after run.json was there");
}

#[test]
fn what_is_done_stays_and_what_changed_is_done_again() {
    let setup = Setup::new();
    // A shard is not merged when it ends, however late the kill comes.
    let mut child = setup.start("out", &["--shard", "1/1"]);
    wait_until(|| setup.finished_chunks("out") >= 2);
    child.kill().unwrap();
    child.wait().unwrap();
    let (corpus, out) = (setup.at("corpus"), setup.at("out"));
    // Neither silently overwritten nor continued with other settings.
    for (more, code, says) in [
        (&[][..], 73, "--resume"),
        (&["--resume", "--curves"][..], 73, "differs in --curves"),
        (&["--resume", "--overwrite"][..], 2, "cannot be used"),
    ] {
        let refused =
            requant(&[&["run", &corpus, "--engine", "cpu", "--memory", THIRD, "--out", &out][..], more].concat());
        assert_eq!(refused.status.code(), Some(code), "{refused:?}");
        assert!(String::from_utf8_lossy(&refused.stderr).contains(says), "{refused:?}");
    }
    // A damaged part and a changed input cost their chunks, no more.
    let journal = Path::new(&out).join(".requant");
    let chunks = chunks(&journal);
    let part = chunks[0].join("spectra/part-00000.parquet");
    let bytes = fs::read(&part).unwrap();
    fs::write(&part, &bytes[..bytes.len() / 2]).unwrap();
    let kept = fs::metadata(chunks[1].join("chunk.json")).unwrap().modified().unwrap();
    let redone =
        done(&["run", &corpus, "--engine", "cpu", "--memory", THIRD, "--out", &out, "--shard", "1/1", "--resume"]);
    assert!(String::from_utf8_lossy(&redone.stdout).contains("1 chunk was done again"), "{redone:?}");
    assert_eq!(fs::metadata(chunks[1].join("chunk.json")).unwrap().modified().unwrap(), kept);
    let victim = Path::new(&corpus).join("sub-0060/mrs/sub-0060_voi-acc_svs.nii.gz");
    fs::copy(Path::new(&corpus).join("sub-0059/mrs/sub-0059_voi-acc_svs.nii.gz"), &victim).unwrap();
    done(&["run", &corpus, "--engine", "cpu", "--memory", THIRD, "--out", &out, "--resume"]);
    done(&["run", &corpus, "--engine", "cpu", "--memory", THIRD, "--out", &setup.at("anew")]);
    assert!(tables(Path::new(&out)) == tables(Path::new(&setup.at("anew"))));
    assert!(tables(Path::new(&out)) != setup.whole);
}

#[test]
fn shards_merge_to_the_tables_of_one_run() {
    let setup = Setup::new();
    let (corpus, out) = (setup.at("corpus"), setup.at("shards"));
    // A fifth of the files each.
    for index in ["1/5", "2/5", "4/5", "5/5"] {
        done(&["run", &corpus, "--engine", "cpu", "--memory", THIRD, "--out", &out, "--shard", index]);
    }
    let early = requant(&["merge", &out, "--shards", "5"]);
    assert_eq!(early.status.code(), Some(1), "{early:?}");
    let message = String::from_utf8_lossy(&early.stderr).into_owned();
    assert!(message.contains("48 of 60 files are"), "{message}");
    assert!(message.contains("REQUANT_MISSING_SHARDS 3: 1 of 5 are not done"), "{message}");
    // The last as a task of a job array, numbered from 1, into a folder of its own.
    let third = command(&["run", &corpus, "--engine", "cpu", "--memory", THIRD, "--out", &setup.at("elsewhere")])
        .envs([("SLURM_ARRAY_TASK_ID", "3"), ("SLURM_ARRAY_TASK_COUNT", "5"), ("SLURM_ARRAY_TASK_MIN", "1")])
        .output()
        .unwrap();
    assert!(third.status.success(), "{third:?}");
    done(&["merge", &out, &setup.at("elsewhere"), "--out", &setup.at("merged")]);
    assert!(tables(Path::new(&setup.at("merged"))) == setup.whole);
    let nothing = requant(&["merge", &setup.at("corpus")]);
    assert_eq!(nothing.status.code(), Some(66), "{nothing:?}");
    for wrong in ["0/4", "5/4", "x", "1/0"] {
        assert_eq!(requant(&["run", &corpus, "--out", &setup.at("x"), "--shard", wrong]).status.code(), Some(2));
    }
}

#[cfg(unix)]
#[test]
fn a_signal_stops_between_chunks_and_two_runs_refuse_each_other() {
    let setup = Setup::new();
    let mut child = setup.start("out", &[]);
    wait_until(|| setup.finished_chunks("out") >= 1);
    let (corpus, out) = (setup.at("corpus"), setup.at("out"));
    let busy = requant(&["run", &corpus, "--engine", "cpu", "--memory", THIRD, "--out", &out, "--resume"]);
    assert_eq!(busy.status.code(), Some(73), "{busy:?}");
    assert!(String::from_utf8_lossy(&busy.stderr).contains("another run is writing"), "{busy:?}");
    Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap();
    let ended = child.wait().unwrap();
    assert_eq!(ended.code(), Some(75), "{ended:?}");
    done(&["run", &corpus, "--engine", "cpu", "--memory", THIRD, "--out", &out, "--resume"]);
    assert!(tables(Path::new(&out)) == setup.whole);
}
