//! A signal ends a command within five seconds, in the middle of whatever it does, and keeps nothing half done.

#![cfg(unix)]

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

const LIMIT: Duration = Duration::from_secs(5);

struct Corpus {
    folder: tempfile::TempDir,
}

impl Corpus {
    fn new(subjects: &str) -> Self {
        let corpus = Self { folder: tempfile::tempdir().unwrap() };
        let made = Command::new(env!("CARGO_BIN_EXE_requant"))
            .args(["simulate", "--subjects", subjects, "--out"])
            .arg(corpus.at("corpus"))
            .output()
            .unwrap();
        assert!(made.status.success(), "{made:?}");
        corpus
    }

    fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Starts a command over the corpus, and waits until its log has a line with `word`, and a little longer.
    fn start(&self, command: &[&str], word: &str) -> Child {
        let mut child = Command::new(env!("CARGO_BIN_EXE_requant"))
            .arg(command[0])
            .arg(self.at("corpus"))
            .args(&command[1..])
            .env_remove("SLURM_ARRAY_TASK_ID")
            .args(["--engine", "cpu"])
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut log = BufReader::new(child.stderr.take().unwrap()).lines();
        assert!(log.any(|line| line.unwrap().contains(word)), "{command:?} never said {word}");
        // Somebody must read on, or the command waits for them.
        std::thread::spawn(move || log.count());
        std::thread::sleep(Duration::from_millis(500));
        child
    }
}

/// Sends SIGTERM; how the command ended, and after how long.
fn terminated(mut child: Child) -> (ExitStatus, Duration) {
    let started = Instant::now();
    assert!(Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap().success());
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return (status, started.elapsed());
        }
        if started.elapsed() > 4 * LIMIT {
            child.kill().unwrap();
            child.wait().unwrap();
            panic!("had to be killed");
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn chunks(out: &Path) -> usize {
    let is_chunk = |entry: &fs::DirEntry| entry.file_name().to_string_lossy().starts_with("chunk-");
    fs::read_dir(out.join(".requant")).map_or(0, |all| all.filter(|e| is_chunk(e.as_ref().unwrap())).count())
}

#[test]
fn in_the_middle_of_a_chunk_of_slow_fits() {
    let corpus = Corpus::new("120");
    for method in ["osprey", "lcmodel", "abfit"] {
        let out = corpus.at(method);
        let child = corpus.start(&["run", "--method", method, "--out", out.to_str().unwrap()], "files to process");
        let (status, took) = terminated(child);
        assert_eq!(status.code(), Some(75), "{method}");
        assert!(took < LIMIT, "{method}: {took:?}");
        assert_eq!(chunks(&out), 0, "{method}: what was skipped is no result");
        assert!(!out.join("run.json").exists());
    }
}

#[test]
fn in_the_middle_of_learning() {
    let corpus = Corpus::new("90");
    let out = |name: &str| corpus.at(name).to_str().unwrap().to_owned();
    for command in [&["learn", "--out", &out("learned")][..], &["run", "--learn", "protocol", "--out", &out("run")]] {
        let (status, took) = terminated(corpus.start(command, "learning, pass 1"));
        assert_eq!(status.code(), Some(75), "{command:?}");
        assert!(took < LIMIT, "{command:?}: {took:?}");
    }
    assert!(!corpus.at("learned").exists(), "what was learned from a part is not kept");
    assert_eq!(chunks(&corpus.at("run")), 0);
}
