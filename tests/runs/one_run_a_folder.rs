//! One run a folder: while one is at work, no other writes there, whatever form both have. Shards of one run share it.

#![cfg(unix)]

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use crate::common::kill::{Corpus, copy};
use crate::common::tables;

/// Forms in which a run meets a folder; the folder is that of one participant, so that a BIDS-App writes there, too.
const FORMS: [&str; 4] = ["full", "shard", "overwrite", "bids"];

struct Setup {
    corpus: Corpus,
}

impl Setup {
    fn new() -> Self {
        // One participant with many scans: it must be met at work.
        let corpus = Corpus::new(1, 1);
        let first = corpus.at("in/sub-000/mrs");
        for run in 0..80 {
            for suffix in ["svs", "mrsref"] {
                fs::hard_link(
                    first.join(format!("sub-000_{suffix}.nii")),
                    first.join(format!("sub-000_run-{run:03}_{suffix}.nii")),
                )
                .unwrap();
            }
        }
        fs::write(corpus.at("in/dataset_description.json"), "{}").unwrap();
        Self { corpus }
    }

    fn command(&self, form: &str, out: &str, method: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_requant"));
        command.current_dir(self.corpus.folder.path()).env_remove("SLURM_ARRAY_TASK_ID");
        command.args(match form {
            "bids" => vec!["bids", "in", out, "participant"],
            _ => vec!["run", "in", "--out"],
        });
        if form != "bids" {
            command.arg(format!("{out}/sub-000"));
        }
        command.args(match form {
            "shard" => &["--shard", "1/2"][..],
            "overwrite" => &["--overwrite"],
            _ => &[],
        });
        command.args(["--engine", "cpu", "--threads", "1", "--basis", "set.basis", "--method", method]);
        command
    }

    /// Starts a run, and holds it once it has begun its journal.
    fn held(&self, form: &str, out: &str, method: &str) -> Child {
        let mut child = self.command(form, out, method).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        self.wait_for(&format!("{out}/sub-000/.requant/plan.json"));
        signal(&child, "STOP");
        assert!(child.try_wait().unwrap().is_none(), "{form}: ended before it was held");
        child
    }

    fn run(&self, form: &str, out: &str, method: &str) -> Output {
        self.command(form, out, method).output().unwrap()
    }

    fn wait_for(&self, name: &str) {
        let started = Instant::now();
        while !self.corpus.at(name).exists() {
            assert!(started.elapsed() < Duration::from_secs(60), "waited in vain for {name}");
            std::thread::sleep(Duration::from_millis(2));
        }
    }
}

fn signal(child: &Child, name: &str) {
    let sent = Command::new("kill").args([&format!("-{name}"), &child.id().to_string()]).status().unwrap();
    assert!(sent.success());
}

/// Lets a held run go on to its end.
fn goes_on(mut child: Child) -> bool {
    signal(&child, "CONT");
    child.wait().unwrap().success()
}

fn methods_of(out: &Path) -> Vec<String> {
    let rows: Vec<requant::store::SpectrumRow> = requant::store::read_table(out).unwrap();
    let mut methods: Vec<String> = rows.into_iter().map(|row| row.method).collect();
    methods.sort();
    methods.dedup();
    methods
}

#[test]
fn of_two_runs_in_one_folder_one_is_refused() {
    let setup = Setup::new();
    for form in ["full", "shard"] {
        assert!(setup.run(form, &format!("whole-{form}"), "fsl").status.success());
    }
    let whole = tables(&setup.corpus.at("whole-full/sub-000"));
    for first in FORMS {
        for second in FORMS {
            let out = format!("{first}-{second}");
            let folder = format!("{out}/sub-000");
            if first == "overwrite" {
                // Something complete is there.
                copy(&setup.corpus.at("whole-full"), &setup.corpus.at(&out));
            }
            let child = setup.held(first, &out, "fsl");
            let refused = setup.run(second, &out, "osprey");
            assert_eq!(refused.status.code(), Some(73), "{first}, then {second}: {refused:?}");
            let said = String::from_utf8_lossy(&refused.stderr).into_owned();
            let why = ["another run is writing there", "the run there is another", "an unfinished run is there"];
            assert!(why.iter().any(|why| said.contains(why)), "{first}, then {second}: {said}");
            assert!(goes_on(child), "{first}, then {second}");
            if first == "shard" {
                let rest = setup.command("full", &out, "fsl").arg("--resume").output().unwrap();
                assert!(rest.status.success(), "{rest:?}");
            }
            let folder = setup.corpus.at(&folder);
            assert!(tables(&folder) == whole, "{first}, then {second}: other tables");
            assert_eq!(methods_of(&folder), ["fsl"], "{first}, then {second}");
        }
    }
}

#[test]
fn a_merge_waits_for_no_shard_and_shards_of_another_run_stay_out() {
    let setup = Setup::new();
    let child = setup.held("shard", "out", "fsl");
    let merge = Command::new(env!("CARGO_BIN_EXE_requant"))
        .args(["merge", "out/sub-000"])
        .current_dir(setup.corpus.folder.path())
        .output()
        .unwrap();
    assert_eq!(merge.status.code(), Some(73), "{merge:?}");
    assert!(String::from_utf8_lossy(&merge.stderr).contains("another run is writing there"), "{merge:?}");
    assert!(goes_on(child));
    // The second shard of the same run joins, that of another does not.
    let second = |method: &str| {
        let mut command = setup.command("full", "out", method);
        command.args(["--shard", "2/2"]).output().unwrap()
    };
    let other = second("osprey");
    assert_eq!(other.status.code(), Some(73), "{other:?}");
    assert!(String::from_utf8_lossy(&other.stderr).contains("differs in method fsl"), "{other:?}");
    assert!(second("fsl").status.success());
}
