//! A corpus at a cluster's hands: plans, status, memory, the BIDS-App form, disks that fill, inputs that vanish, and
//! folders that nobody should have made.

#![cfg(unix)]

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use requant::store::{PlannedRow, SpectrumRow, Status, read_table};

use crate::common::tables;

struct Setup(tempfile::TempDir);

impl Setup {
    fn new(subjects: &str) -> Self {
        let setup = Self(tempfile::tempdir().unwrap());
        setup.done(&["simulate", "--out", "corpus", "--subjects", subjects]);
        setup
    }

    fn at(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_requant"));
        command.args(args).current_dir(self.0.path());
        command.env_remove("SLURM_ARRAY_TASK_ID").env_remove("SLURM_ARRAY_TASK_COUNT");
        // The least memory depends on the threads.
        command.env("RAYON_NUM_THREADS", "2");
        command
    }

    fn requant(&self, args: &[&str]) -> Output {
        self.command(args).output().unwrap()
    }

    fn done(&self, args: &[&str]) -> String {
        let output = self.requant(args);
        assert!(output.status.success(), "{args:?}: {output:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    fn spectra(&self, out: &str) -> Vec<SpectrumRow> {
        read_table(&self.at(out)).unwrap()
    }

    fn start(&self, args: &[&str]) -> Child {
        self.command(args).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
    }

    fn wait_for(&self, name: &str) {
        let started = Instant::now();
        while !self.at(name).exists() {
            assert!(started.elapsed() < Duration::from_secs(120), "waited in vain");
            std::thread::sleep(Duration::from_millis(2));
        }
    }
}

/// Small enough that every file is a chunk by itself.
const TIGHT: &str = "86MiB";

#[test]
fn a_plan_says_what_the_run_does() {
    let setup = Setup::new("6");
    fs::remove_file(setup.at("corpus/sub-0002/mrs/sub-0002_voi-acc_mrsref.nii.gz")).unwrap();
    fs::write(setup.at("corpus/sub-0003/mrs/sub-0003_voi-acc_svs.nii.gz"), b"no gzip").unwrap();
    let printed = setup.done(&["plan", "corpus", "--out", "planned", "--engine", "cpu"]);
    assert!(printed.contains("6 rows in 3 batches") && printed.contains("will not be fitted"), "{printed}");
    let mut planned: Vec<PlannedRow> = read_table(&setup.at("planned")).unwrap();
    // What is left out has no chunk, and no row in a run.
    planned.retain(|row| row.chunk.is_some());
    setup.done(&["run", "corpus", "--out", "results", "--engine", "cpu"]);
    let rows = setup.spectra("results");
    assert_eq!(planned.len(), rows.len());
    for (plan, row) in planned.iter().zip(&rows) {
        assert_eq!((&plan.spectrum_id, &plan.error_code), (&row.spectrum_id, &row.error_code));
        assert_eq!(&plan.error_message, &row.error_message);
        let will_scale = plan.steps.iter().any(|s| s.contains("water-scaled"));
        assert_eq!(will_scale, row.water_amplitude.is_some(), "{plan:?}");
        assert_eq!(plan.missing.iter().any(|m| m.contains("water reference")), row.status == Status::Ok && !will_scale);
    }
    assert_eq!(planned[1].missing.len(), 1, "{:?}", planned[1]);
    assert_eq!(setup.requant(&["plan", "corpus", "--out", "planned"]).status.code(), Some(73));
}

#[test]
fn memory_cuts_the_work_and_not_the_tables() {
    let setup = Setup::new("8");
    setup.done(&["run", "corpus", "--out", "wide", "--engine", "cpu"]);
    setup.done(&["run", "corpus", "--out", "tight", "--engine", "cpu", "--memory", TIGHT]);
    assert!(tables(&setup.at("tight")) == tables(&setup.at("wide")));
    for wrong in ["much", "-3GB", ""] {
        let refused = setup.requant(&["run", "corpus", "--out", "x", "--memory", wrong]);
        assert_eq!(refused.status.code(), Some(2), "{refused:?}");
    }
}

#[test]
fn sixteen_shards_make_one_run() {
    let setup = Setup::new("20");
    setup.done(&["run", "corpus", "--out", "whole", "--engine", "cpu"]);
    for shard in 1..=16 {
        let shard = format!("{shard}/16");
        setup.done(&["run", "corpus", "--out", "parts", "--engine", "cpu", "--memory", TIGHT, "--shard", &shard]);
    }
    let waiting = setup.done(&["status", "parts"]);
    assert!(waiting.contains("done, not merged: 20 of 20 files"), "{waiting}");
    setup.done(&["merge", "parts"]);
    assert!(tables(&setup.at("parts")) == tables(&setup.at("whole")));
}

#[test]
fn status_follows_a_run() {
    let setup = Setup::new("60");
    let run = ["run", "corpus", "--out", "out", "--engine", "cpu", "--memory", TIGHT];
    let mut child = setup.start(&run);
    setup.wait_for("out/.requant/chunk-000002-000003/chunk.json");
    let printed = setup.done(&["status", "out"]);
    assert!(printed.contains("at work (1 process)") && printed.contains("of 60 files"), "{printed}");
    child.kill().unwrap();
    child.wait().unwrap();
    let printed = setup.done(&["status", "out"]);
    assert!(printed.contains("stopped") && printed.contains("--resume"), "{printed}");
    setup.done(&[&run[..], &["--resume"]].concat());
    let printed = setup.done(&["status", "out"]);
    assert!(printed.contains("complete: 60 files") && printed.contains("60 rows: 60 ok"), "{printed}");
    assert!(printed.contains("north · 3 T PRESS 30 ms"), "{printed}");
    assert_eq!(setup.requant(&["status", "corpus"]).status.code(), Some(66));
}

#[test]
fn participants_of_a_bids_app_make_the_tables_of_one_run() {
    let setup = Setup::new("5");
    setup.done(&["run", "corpus", "--out", "whole", "--engine", "cpu"]);
    // Labels come with and without their prefix; a wrong one is named.
    let app = ["bids", "corpus", "out", "participant", "--engine", "cpu", "--participant-label"];
    let some = setup.requant(&[&app[..], &["sub-0002", "0004", "9999"]].concat());
    assert_eq!(some.status.code(), Some(66), "{some:?}");
    assert!(String::from_utf8_lossy(&some.stderr).contains("9999"), "{some:?}");
    assert_eq!(setup.spectra("out/sub-0002").len(), 1, "the others are done");
    let early = setup.requant(&["bids", "corpus", "out", "group"]);
    assert!(early.status.success(), "{early:?}");
    assert!(String::from_utf8_lossy(&early.stderr).contains("3 participants without results"), "{early:?}");
    assert_eq!(setup.spectra("out/group").len(), 2);
    let rest = setup.done(&app[..6]);
    assert!(rest.contains("sub-0002: done before"), "{rest}");
    setup.done(&["bids", "corpus", "out", "group"]);
    assert!(tables(&setup.at("out/group")) == tables(&setup.at("whole")));
    assert!(setup.at("out/dataset_description.json").is_file());
    let nobody = setup.requant(&[&app[..], &["9999"]].concat());
    assert_eq!(nobody.status.code(), Some(66), "{nobody:?}");
    assert_eq!(setup.requant(&["bids", "corpus", "nowhere", "group"]).status.code(), Some(66));
}

#[test]
fn a_full_disk_stops_the_run_and_loses_nothing() {
    let setup = Setup::new("12");
    setup.done(&["run", "corpus", "--out", "whole", "--engine", "cpu"]);
    let run = ["run", "corpus", "--out", "out", "--engine", "cpu", "--memory", TIGHT];
    // Chunks fit into the largest file that the shell allows (in blocks of 512 bytes), the tables of all do not:
    // the system refuses to write, as on a full disk.
    let binary = env!("CARGO_BIN_EXE_requant");
    let chunk_bytes = 120 * 1024;
    let script = format!("trap '' XFSZ; ulimit -f {}; exec \"$@\"", chunk_bytes / 512);
    let full =
        Command::new("sh").args(["-c", &script, "sh", binary]).args(run).current_dir(setup.0.path()).output().unwrap();
    assert_eq!(full.status.code(), Some(1), "{full:?}");
    let said = String::from_utf8_lossy(&full.stderr);
    assert!(said.contains("writing failed") && said.contains("run again with --resume"), "{said}");
    assert!(!setup.at("out/run.json").exists(), "what looks complete must be complete");
    let kept = setup.done(&["status", "out"]);
    assert!(kept.contains("12 of 12 files"), "{kept}");
    setup.done(&[&run[..], &["--resume"]].concat());
    assert!(tables(&setup.at("out")) == tables(&setup.at("whole")));
}

#[test]
fn an_output_that_cannot_be_is_said_before_any_work() {
    let setup = Setup::new("2");
    // Nobody, not even root, makes folders in /proc.
    for out in ["/proc/requant-results", "corpus/participants.tsv/results"] {
        let refused = setup.requant(&["run", "corpus", "--out", out, "--engine", "cpu"]);
        assert_eq!(refused.status.code(), Some(73), "{refused:?}");
        assert!(String::from_utf8_lossy(&refused.stderr).contains("cannot be created"), "{refused:?}");
    }
}

#[test]
fn an_input_that_vanishes_is_a_row() {
    let setup = Setup::new("40");
    let run = ["run", "corpus", "--out", "out", "--engine", "cpu", "--memory", TIGHT];
    let mut child = setup.start(&run);
    setup.wait_for("out/.requant/chunk-000000-000001/chunk.json");
    fs::remove_dir_all(setup.at("corpus/sub-0040")).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(0));
    let rows = setup.spectra("out");
    assert_eq!(rows.len(), 40);
    assert!(rows[..39].iter().all(|r| r.status == Status::Ok));
    let last = &rows[39];
    assert_eq!(last.status, Status::Failed, "{last:?}");
    assert!(last.error_message.as_ref().unwrap().contains("sub-0040_voi-acc_svs.nii.gz"), "{last:?}");
}

#[test]
fn a_hostile_corpus_is_rows_and_no_more() {
    let setup = Setup::new("2");
    let corpus = setup.at("corpus");
    let good = corpus.join("sub-0001/mrs/sub-0001_voi-acc_svs.nii.gz");
    // Links that lead in circles, and to nowhere.
    let loops = corpus.join("loops/inner");
    fs::create_dir_all(&loops).unwrap();
    std::os::unix::fs::symlink(&corpus, loops.join("back")).unwrap();
    std::os::unix::fs::symlink("itself.nii.gz", loops.join("itself.nii.gz")).unwrap();
    std::os::unix::fs::symlink("nowhere.nii.gz", loops.join("dangling.nii.gz")).unwrap();
    // Names that somebody's export made.
    let odd = corpus.join("odd");
    fs::create_dir(&odd).unwrap();
    let names: [&[u8]; 4] =
        [b"with space.nii.gz", b"quo\"te's.nii.gz", b"line\nend.nii.gz", b"not-utf8-\xff\xfe.nii.gz"];
    for name in names {
        fs::copy(&good, odd.join(OsStr::from_bytes(name))).unwrap();
    }
    let empty = corpus.join("empty");
    fs::create_dir(&empty).unwrap();
    for i in 0..10_000 {
        fs::write(empty.join(format!("{i:05}.nii.gz")), b"").unwrap();
    }
    let output = setup.requant(&["run", "corpus", "--out", "out", "--engine", "cpu"]);
    assert!(output.status.success(), "{:?} {}", output.status, String::from_utf8_lossy(&output.stdout));
    let rows = setup.spectra("out");
    let ok: Vec<&str> = rows.iter().filter(|r| r.status == Status::Ok).map(|r| r.spectrum_id.as_str()).collect();
    assert_eq!(ok.len(), 2 + names.len(), "{ok:?}");
    let failed = rows.iter().filter(|r| r.status == Status::Failed);
    assert!(failed.clone().filter(|r| r.spectrum_id.starts_with("empty/")).count() == 10_000);
    assert!(failed.clone().all(|r| r.error_code.is_some() && r.error_message.is_some()));
    // One line a failure, whatever is in the names.
    let log = String::from_utf8_lossy(&output.stderr).into_owned();
    let lines = log.lines().filter(|l| l.starts_with("REQUANT_ERROR code=")).count();
    assert_eq!(lines, failed.count());
    let stray: Vec<_> = fs::read_dir(setup.0.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert_eq!(stray.len(), 2, "nothing beside the corpus and the output: {stray:?}");
}

#[test]
fn identities_that_clash_and_paths_that_climb_are_told() {
    let setup = Setup::new("2");
    let good = "corpus/sub-0001/mrs/sub-0001_voi-acc_svs.nii.gz";
    // Two files that would be one spectrum in the tables.
    fs::create_dir_all(setup.at("twice")).unwrap();
    fs::copy(setup.at(good), setup.at("twice/scan.nii.gz")).unwrap();
    fs::copy(setup.at(good), setup.at("twice/scan.nii")).unwrap();
    setup.done(&["run", "twice", "--out", "x", "--engine", "cpu"]);
    let ids: Vec<String> = setup.spectra("x").into_iter().map(|r| r.spectrum_id).collect();
    assert_eq!(ids, ["scan.nii", "scan.nii.gz"]);
    // A manifest may point anywhere; what is written stays in the output.
    fs::create_dir_all(setup.at("deep/lists")).unwrap();
    let manifest = format!(
        "path,id,subject\n../../{good},a,01\n../../{good},../../escaped,01\n\
         ../../../../../../etc/passwd,b,02\n../../nothing.nii.gz,c,03\n"
    );
    fs::write(setup.at("deep/lists/list.csv"), manifest).unwrap();
    let before = listing(setup.0.path());
    setup.done(&["run", "deep/lists/list.csv", "--out", "out", "--engine", "cpu"]);
    let rows = setup.spectra("out");
    assert_eq!(rows.len(), 4);
    assert_eq!(rows.iter().filter(|r| r.status == Status::Ok).count(), 1, "{rows:?}");
    for row in &rows[1..] {
        assert!(row.error_message.as_ref().is_some_and(|m| !m.contains("root:")), "{row:?}");
    }
    let after: Vec<PathBuf> = listing(setup.0.path()).into_iter().filter(|p| !p.starts_with(setup.at("out"))).collect();
    assert_eq!(before, after, "nothing outside the output");
}

fn listing(folder: &Path) -> Vec<PathBuf> {
    let mut all: Vec<PathBuf> =
        walkdir::WalkDir::new(folder).into_iter().map(|e| e.unwrap().path().to_owned()).collect();
    all.sort();
    all
}
