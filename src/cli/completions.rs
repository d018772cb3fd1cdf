//! `requant completions` and `requant man`: what shells and `man` are told, from the declarations that --help prints.

use std::io::Write as _;
use std::path::PathBuf;

use clap::{Args, Command};
use clap_complete::Shell;

use super::error::{CliError, CliResult};
use super::outputs::{EXIT_OUTPUT, Reads, in_folder};
use crate::printable::printable_path;

/// Arguments of `requant completions`.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  requant completions bash > ~/.local/share/bash-completion/completions/requant
  requant completions zsh > ~/.zfunc/_requant
  requant completions fish > ~/.config/fish/completions/requant.fish")]
pub(super) struct CompletionsArgs {
    /// Shell to complete in
    #[arg(value_enum)]
    shell: Shell,
}

/// Arguments of `requant man`.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  requant man ~/.local/share/man/man1    then: man requant-run")]
pub(super) struct ManArgs {
    /// Folder to write the pages to; it is made if it is not there
    #[arg(value_name = "DIR")]
    folder: PathBuf,
}

pub(super) fn completions(args: &CompletionsArgs, mut command: Command) -> CliResult {
    let mut text = Vec::new();
    clap_complete::generate(args.shell, &mut command, "requant", &mut text);
    // A reader that has gone is no error worth a word.
    let _ = std::io::stdout().write_all(&text);
    Ok(0)
}

pub(super) fn man(args: &ManArgs, command: Command) -> CliResult {
    let folder = &args.folder;
    std::fs::create_dir_all(folder)
        .map_err(|e| CliError::new(EXIT_OUTPUT, anyhow::anyhow!("{}: cannot be made: {e}", printable_path(folder))))?;
    let mut command = command.disable_help_subcommand(true);
    command.build();
    let mut pages = Vec::new();
    collect_pages(&command, &mut pages)?;
    for (name, page) in &pages {
        Reads::default().write(&in_folder(folder, name)?, page)?;
    }
    say!("{} pages in {}", pages.len(), printable_path(folder));
    Ok(0)
}

/// File name and text of the page of a command and of those in it.
fn collect_pages(command: &Command, to: &mut Vec<(String, Vec<u8>)>) -> Result<(), CliError> {
    let man = clap_mangen::Man::new(command.clone());
    let mut page = Vec::new();
    man.render(&mut page)?;
    to.push((man.get_filename(), page));
    command.get_subcommands().filter(|one| !one.is_hide_set()).try_for_each(|one| collect_pages(one, to))
}
