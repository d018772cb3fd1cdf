//! `requant methods`: the methods and their resolved settings.

use clap::Args;

use super::error::CliResult;
use super::shared::method;
use crate::fit::Method;

/// Arguments of `requant methods`.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  requant methods                         list them
  requant methods --toml map > mine.toml  start a method of your own: change a line and the name")]
pub(super) struct MethodsArgs {
    /// Print the settings of this method (name or file) as TOML
    #[arg(long, value_name = "NAME|FILE")]
    toml: Option<String>,
}

pub(super) fn run(args: &MethodsArgs) -> CliResult {
    match &args.toml {
        Some(name) => say!("{}", toml::to_string(&method(name)?)?.trim_end()),
        None => {
            for built_in in Method::built_in_names().filter_map(Method::built_in) {
                let built_in = built_in?;
                say!("{:12} {}", built_in.name(), built_in.description());
            }
            say!("\nSettings: requant methods --toml map");
        }
    }
    Ok(0)
}
