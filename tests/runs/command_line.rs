//! What an installed program shows of itself: its version, completions, man pages.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};

fn requant(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_requant")).args(args).output().unwrap()
}

fn said(args: &[&str]) -> String {
    let output = requant(args);
    assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// Names in the list of commands that the help prints.
fn commands() -> BTreeSet<String> {
    let help = said(&["--help"]);
    let list = help.split("Commands:\n").nth(1).unwrap().split("\n\n").next().unwrap();
    let name = |line: &str| line.strip_prefix("  ")?.split(' ').next().map(str::to_owned);
    list.lines().filter_map(name).filter(|name| !name.is_empty() && name != "help").collect()
}

#[test]
fn the_version_names_features_and_target() {
    let version = env!("CARGO_PKG_VERSION");
    assert_eq!(said(&["-V"]), format!("requant {version}\n"));
    for args in [vec!["--version"], vec!["bids", "--version"]] {
        let text = said(&args);
        assert!(text.starts_with("requant"), "{text}");
        assert!(text.lines().next().unwrap().contains(version), "{text}");
        for (name, is_in) in [("cli", true), ("report", true), ("gpu", cfg!(feature = "gpu"))] {
            let line = text.lines().find_map(|line| line.strip_prefix("features: ")).expect("features");
            assert_eq!(line.split(", ").any(|one| one == name), is_in, "{text}");
        }
        assert!(text.contains(&format!("target: {}", std::env::consts::ARCH)), "{text}");
    }
}

#[test]
fn shells_are_told_every_command() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = said(&["completions", shell]);
        for command in commands() {
            assert!(script.contains(&command), "{shell} does not know {command}");
        }
    }
    assert_eq!(requant(&["completions", "cmd.exe"]).status.code(), Some(2));
}

#[test]
fn every_command_has_a_man_page() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path().join("man1");
    said(&["man", at.to_str().unwrap()]);
    let page = |name: &str| fs::read_to_string(at.join(format!("{name}.1"))).unwrap_or_else(|e| panic!("{name}: {e}"));
    for command in commands() {
        let text = page(&format!("requant-{command}"));
        assert!(text.contains(".TH requant-") && text.contains(&command), "{command}");
    }
    assert!(page("requant").contains("requant\\-run"), "the first page names the others");
    assert!(page("requant-run").contains("\\-\\-resume"));
    assert!(page("requant-basis-simulate").contains("\\-\\-sequence"));
    // A file where the folder should be.
    fs::write(folder.path().join("file"), "x").unwrap();
    assert_eq!(requant(&["man", folder.path().join("file").to_str().unwrap()]).status.code(), Some(73));
}

fn repository(path: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap_or_else(|e| panic!("{path}: {e}"))
}

#[test]
fn what_is_released_has_one_version() {
    let version = env!("CARGO_PKG_VERSION");
    for (path, line) in [
        ("CITATION.cff", format!("version: {version}\n")),
        ("python/Cargo.toml", format!("version = \"{version}\"")),
        ("CHANGELOG.md", format!("## {version} – ")),
        ("examples/boutiques/requant.json", format!("\"tool-version\": \"{version}\"")),
        ("examples/boutiques/requant.json", format!("\"image\": \"requant:{version}\"")),
        ("examples/container/neurodesk-build.yaml", format!("version: {version}\n")),
        ("examples/kubernetes/job.yaml", format!("image: requant:{version}\n")),
        ("examples/aws-batch/job-definition.json", format!("\"image\": \"requant:{version}\"")),
    ] {
        assert!(repository(path).contains(&line), "{path} has no `{line}`");
    }
}

#[test]
fn the_boutiques_descriptor_names_options_that_there_are() {
    let descriptor: serde_json::Value = serde_json::from_str(&repository("examples/boutiques/requant.json")).unwrap();
    let line = descriptor["command-line"].as_str().unwrap();
    let inputs = descriptor["inputs"].as_array().unwrap();
    let mut arguments = vec!["bids", "/data", "/out", "participant"];
    for input in inputs {
        let key = input["value-key"].as_str().unwrap();
        assert!(line.contains(key), "{key} is not in the command line");
        let Some(flag) = input["command-line-flag"].as_str() else { continue };
        arguments.push(flag);
        if input["type"] != "Flag" {
            arguments.push(match (input["type"].as_str().unwrap(), flag) {
                ("Number", _) => "4000",
                (_, "--engine") => "cpu",
                _ => "x",
            });
        }
    }
    assert_eq!(line.matches('[').count(), inputs.len(), "every key is an input");
    // All options are taken, so that the first file that is not there is what is told.
    let threads = arguments.iter().position(|argument| *argument == "--nprocs").unwrap() + 1;
    arguments[threads] = "4";
    let output = requant(&arguments);
    let message = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(66), "{message}");
    assert!(!message.contains("Usage:") && message.starts_with("requant: "), "{message}");
}
