//! Small corpora whose runs are stopped on their way, in this process.
#![allow(dead_code, clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs, reason = "test support")]

use std::path::{Path, PathBuf};

use requant::basis::{SetFormat, save};
use requant::engine::{Batch, CpuEngine, Engine, EngineKind, Fitted};
use requant::fit::Method;
use requant::run::{Progress, RunError, RunOptions, Shard, Summary, merge, run};
use requant::store::IfExists;

use super::basis;
use super::source::{GOOD, Made, brain, water, write};

/// The native engine, asking for so many files a block.
pub(crate) struct Blocks(pub(crate) usize);

impl Engine for Blocks {
    fn kind(&self) -> EngineKind {
        EngineKind::Cpu
    }

    fn device(&self) -> String {
        CpuEngine.device()
    }

    fn files_at_once(&self) -> usize {
        self.0
    }

    fn fit(&self, batch: &Batch<'_>) -> Vec<Fitted> {
        CpuEngine.fit(batch)
    }
}

pub(crate) struct Silent;

impl Progress for Silent {
    fn found(&self, _: usize) {}
    fn advanced(&self, _: usize) {}
}

/// A corpus of `n_chunks` chunks, and where to write.
pub(crate) struct Corpus {
    pub(crate) folder: tempfile::TempDir,
    pub(crate) per_chunk: usize,
}

impl Corpus {
    pub(crate) fn new(n_chunks: usize, per_chunk: usize) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for i in 0..n_chunks * per_chunk {
            let name = folder.path().join(format!("in/sub-{i:03}/mrs/sub-{i:03}"));
            let path = |suffix: &str| PathBuf::from(format!("{}_{suffix}.nii", name.display()));
            write(&path("svs"), &brain(Made { seed: i as u64, shift_hz: (i % 5) as f64, ..GOOD }));
            if i % 2 == 0 {
                write(&path("mrsref"), &water());
            }
        }
        save(&basis(), &folder.path().join("set.basis"), SetFormat::Lcmodel, false).unwrap();
        Self { folder, per_chunk }
    }

    pub(crate) fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A run of everything with the method `fsl`, to the folder `out`.
    pub(crate) fn options(&self, out: &str) -> RunOptions {
        let method = Method::built_in("fsl").unwrap().unwrap();
        let mut options = RunOptions::new(vec![self.at("in")], vec![method], self.at(out)).unwrap();
        options.basis = Some(self.at("set.basis"));
        options
    }

    pub(crate) fn run(&self, options: &RunOptions) -> Result<Summary, RunError> {
        run(options, &Blocks(self.per_chunk), &Silent)
    }
}

/// What is done to an output folder, and again after it was stopped.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) enum Way {
    /// One run.
    Plain,
    /// One run with all tables.
    AllTables,
    /// Two shards and a merge.
    Shards,
    /// Over the complete results of another method.
    OverOlder,
}

impl Way {
    pub(crate) const ALL: [Self; 4] = [Self::Plain, Self::AllTables, Self::Shards, Self::OverOlder];

    pub(crate) fn options(self, corpus: &Corpus, out: &str) -> RunOptions {
        let mut options = corpus.options(out);
        if self == Self::AllTables {
            options.curves = requant::run::CurvesKept::Full;
        }
        options.transients = self == Self::AllTables;
        options
    }

    /// What a user does first.
    pub(crate) fn begin(self, corpus: &Corpus, out: &str) -> Result<(), RunError> {
        let mut options = self.options(corpus, out);
        options.if_exists = if self == Self::OverOlder { IfExists::Overwrite } else { IfExists::Refuse };
        self.go(corpus, options)
    }

    /// What a user does after a crash: the same with `--resume`; where no run had begun, the same again.
    pub(crate) fn resume(self, corpus: &Corpus, out: &str) -> Result<(), RunError> {
        let had_begun = corpus.at(out).join(".requant/plan.json").exists();
        let mut options = self.options(corpus, out);
        options.resume = had_begun || self != Self::OverOlder;
        options.if_exists = if options.resume { IfExists::Refuse } else { IfExists::Overwrite };
        self.go(corpus, options)
    }

    fn go(self, corpus: &Corpus, options: RunOptions) -> Result<(), RunError> {
        if self != Self::Shards {
            return corpus.run(&options).map(drop);
        }
        let mut was_complete = true;
        for index in 0..2 {
            let shard = Some(Shard { index, count: 2 });
            was_complete &= corpus.run(&RunOptions { shard, ..options.clone() })?.was_complete;
        }
        if was_complete {
            return Ok(());
        }
        merge(std::slice::from_ref(&options.out), &options.out, IfExists::Refuse).map(drop)
    }
}

/// Copies a folder.
pub(crate) fn copy(from: &Path, to: &Path) {
    for entry in walkdir::WalkDir::new(from) {
        let entry = entry.unwrap();
        let target = to.join(entry.path().strip_prefix(from).unwrap());
        if entry.file_type().is_dir() {
            std::fs::create_dir_all(target).unwrap();
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// A number from the environment, for nights.
pub(crate) fn count(variable: &str, usually: usize) -> usize {
    std::env::var(variable).ok().and_then(|n| n.parse().ok()).unwrap_or(usually)
}
