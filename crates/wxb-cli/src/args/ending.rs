//! The small commands: demo, help, completions.

use clap::Args;

use super::choice::DemoData;
use super::value;

/// Write a small data set and train on it
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  wxb demo
  wxb demo spiral --seed 3")]
pub struct DemoArgs {
    /// Which data
    #[arg(value_name = "DATA", default_value = "moons")]
    pub data: DemoData,

    /// Where all randomness comes from
    #[arg(long, value_name = "N", default_value = "0", value_parser = value::seed)]
    pub seed: u64,

    /// Overwrite a file of that name that holds something else
    #[arg(long, short = 'f', alias = "overwrite")]
    pub force: bool,
}

/// What an error code, a command or a topic means
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  wxb help E0201
  wxb help train
  wxb help exit-codes")]
pub struct HelpArgs {
    /// An error code, a command, or one of the topics codes, exit-codes, environment, symmetry
    #[arg(value_name = "CODE|COMMAND|TOPIC")]
    pub topic: Option<String>,
}

/// A completion script for your shell
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  wxb completions bash > ~/.local/share/bash-completion/completions/wxb
  wxb completions zsh > ~/.zfunc/_wxb
  wxb completions fish > ~/.config/fish/completions/wxb.fish")]
pub struct CompletionsArgs {
    #[arg(value_name = "SHELL")]
    pub shell: clap_complete::Shell,
}
