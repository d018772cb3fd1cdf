//! Every command shows examples, and every example is one that the command takes.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use clap::{Command, CommandFactory as _, Parser as _};

use super::Cli;

/// Characters of the widest line that --help does not wrap.
const WIDEST: usize = 110;

/// The words of an example line; `None` where it is none. A remark stands two spaces or more after the command.
fn words(line: &str) -> Option<Vec<String>> {
    let line = line.strip_prefix("  requant ")?;
    let command = line.split("  ").next()?.split(" > ").next()?.split(" && ").next()?;
    // The quotes that the examples have hold no spaces.
    let words = command.split_whitespace().map(|word| word.trim_matches('\'').to_owned());
    Some(std::iter::once("requant".to_owned()).chain(words).collect())
}

fn help_of(command: &Command) -> String {
    command.get_after_help().map(ToString::to_string).unwrap_or_default()
}

/// All commands with their names in full, but those that only hold others.
fn commands() -> Vec<(String, Command)> {
    fn add(command: &Command, name: &str, to: &mut Vec<(String, Command)>) {
        let inner: Vec<&Command> = command.get_subcommands().collect();
        if inner.is_empty() || name.is_empty() {
            to.push((name.to_owned(), command.clone()));
        }
        for one in inner {
            add(one, format!("{name} {}", one.get_name()).trim(), to);
        }
    }
    let mut all = Vec::new();
    add(&Cli::command(), "", &mut all);
    all
}

#[test]
fn every_command_has_an_example_of_its_own() {
    let commands = commands();
    assert!(commands.len() > 20, "{}", commands.len());
    for (name, command) in commands {
        let own = format!("  requant {name}");
        assert!(help_of(&command).lines().any(|line| line.starts_with(&own)), "`{name} --help` shows no example");
    }
}

#[test]
fn every_example_is_taken() {
    let mut n_examples = 0;
    for (name, command) in commands() {
        for line in help_of(&command).lines() {
            let Some(words) = words(line) else { continue };
            n_examples += 1;
            assert!(line.len() <= WIDEST, "`{name} --help` shows a line that is wrapped: {line}");
            if let Err(error) = Cli::try_parse_from(&words) {
                panic!("`{name} --help` shows {words:?}: {error}");
            }
        }
    }
    assert!(n_examples > 50, "{n_examples} examples");
}
