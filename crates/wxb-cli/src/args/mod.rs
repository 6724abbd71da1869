//! The command line as data: one struct per command, from which clap makes parser, help and completions.

pub mod bench;
pub mod choice;
pub mod ending;
mod idle;
pub mod model;
mod suggest;
pub mod train;
mod usage;
pub mod value;

use std::ffi::OsString;

use clap::builder::styling::{AnsiColor, Styles};
use clap::{ArgAction, Args, CommandFactory, FromArgMatches, Parser, Subcommand};
use wxb::Error;

use choice::{ColorWhen, OutputFormat, ProgressKind};

const EXAMPLES: &str = "\
Examples:
  wxb demo moons                                    first success in one line
  wxb train titanic.csv --target survived           train, validate, save titanic.wxb
  wxb evaluate titanic.wxb new.csv                  the same metrics on another file
  wxb predict titanic.wxb new.csv > scored.csv      score rows
  wxb explain titanic.wxb new.csv --row 3           why it predicts that
  wxb help E0201                                    what an error code means

The result goes to stdout, everything else to stderr; --json makes it machine-readable.";

/// wxb trains dense networks (W·x + b, layer after layer) on tables.
#[derive(Parser, Debug)]
#[command(
    name = "wxb",
    version,
    after_help = EXAMPLES,
    disable_help_subcommand = true,
    subcommand_required = true,
    arg_required_else_help = true,
    styles = STYLES,
    max_term_width = 110
)]
pub struct Cli {
    #[command(flatten)]
    pub global: Global,
    #[command(subcommand)]
    pub command: Command,
}

const STYLES: Styles = Styles::styled()
    .header(AnsiColor::Green.on_default().bold())
    .usage(AnsiColor::Green.on_default().bold())
    .literal(AnsiColor::Cyan.on_default().bold())
    .placeholder(AnsiColor::Cyan.on_default());

/// Flags that every command takes, before or after its name.
#[derive(Args, Debug)]
#[command(next_help_heading = "Global options")]
pub struct Global {
    /// Less text on stderr: -q no progress and no summary, -qq no warnings either
    #[arg(short, long, global = true, action = ArgAction::Count)]
    pub quiet: u8,

    /// More text on stderr: -v every epoch and every remark about the data
    #[arg(short, long, global = true, action = ArgAction::Count)]
    pub verbose: u8,

    /// Machine-readable output: one JSON object, or one per line while training
    #[arg(long, global = true)]
    pub json: bool,

    /// The same choice in long form
    #[arg(long, global = true, value_name = "FORMAT", conflicts_with = "json", hide_short_help = true)]
    pub output_format: Option<OutputFormat>,

    /// When to use colour; NO_COLOR, CLICOLOR_FORCE and FORCE_COLOR decide `auto`
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto", hide_short_help = true)]
    pub color: ColorWhen,

    /// How training is shown: a live line on a terminal, plain lines elsewhere
    #[arg(long, global = true, value_name = "KIND", default_value = "auto", hide_short_help = true)]
    pub progress: ProgressKind,

    /// Threads to use; the numbers do not depend on it [default: all cores]
    #[arg(long, global = true, value_name = "N", value_parser = value::threads)]
    pub threads: Option<usize>,
}

/// The commands, in the order of a first day with wxb.
#[derive(Subcommand, Debug)]
pub enum Command {
    /// Write a small data set and train on it
    Demo(ending::DemoArgs),
    /// Train a network on a table and save it
    Train(Box<train::TrainCommand>),
    /// Metrics of a model on any file, beside a baseline
    #[command(visible_alias = "eval")]
    Evaluate(model::EvaluateArgs),
    /// Predictions for the rows of a file
    Predict(model::PredictArgs),
    /// How a model came about and why, which columns it needs, its layers and preprocessing
    Inspect(model::InspectArgs),
    /// Which columns a model needs: how much worse it gets without each
    Importance(model::ImportanceArgs),
    /// How the prediction depends on each column, as a picture, numbers or a table
    #[command(alias = "pdp", alias = "partial-dependence")]
    Partial(model::PartialArgs),
    /// Every Z and A (and dZ, dW, db) of rows, and what each column adds to a prediction
    Explain(model::ExplainArgs),
    /// Compare the analytic gradient with finite differences
    Gradcheck(model::GradcheckArgs),
    /// How fast training steps and predictions are on this machine
    Bench(bench::BenchArgs),
    /// What an error code, a command or a topic means
    Help(ending::HelpArgs),
    /// A completion script for your shell
    Completions(ending::CompletionsArgs),
    /// Version, machine and environment, for a bug report
    Env,
}

/// The command line, or what to tell instead of running it.
pub enum Parsed {
    /// Run this.
    Run(Box<Cli>),
    /// Print this text (help, version) to stdout.
    Text(clap::builder::StyledStr),
    /// Nothing was asked: print this help to stderr.
    NothingAsked(clap::builder::StyledStr),
    /// It could not be read.
    Wrong(Error),
}

/// Reads the command line; every long flag may also come from the environment (`--seed` from `WXB_SEED`).
pub fn parse(arguments: impl Iterator<Item = OsString>) -> Parsed {
    let arguments: Vec<OsString> = arguments.collect();
    let mut command = command();
    let read = command
        .try_get_matches_from_mut(&arguments)
        .and_then(|matches| Cli::from_arg_matches(&matches).map(|cli| (idle::refused(&matches), cli)));
    match read {
        Ok((Some(error), _)) => Parsed::Wrong(error),
        Ok((None, cli)) => Parsed::Run(Box::new(cli)),
        Err(error) => match error.kind() {
            clap::error::ErrorKind::DisplayHelp | clap::error::ErrorKind::DisplayVersion => {
                Parsed::Text(error.render())
            }
            clap::error::ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
                Parsed::NothingAsked(error.render())
            }
            _ => Parsed::Wrong(usage::explain(&error, &command, &arguments)),
        },
    }
}

/// The whole command with its environment mirrors.
pub fn command() -> clap::Command {
    with_environment(Cli::command()).mut_subcommands(with_environment)
}

fn with_environment(command: clap::Command) -> clap::Command {
    command.mut_args(|arg| match arg.get_long().and_then(environment_name) {
        // A flag is set by WXB_FORCE=1 and not by WXB_FORCE=0; without this clap takes only "true" and "false".
        Some(name) if matches!(arg.get_action(), ArgAction::SetTrue) => {
            arg.env(name).hide_env(true).value_parser(clap::builder::FalseyValueParser::new())
        }
        Some(name) => arg.env(name).hide_env(true),
        None => arg,
    })
}

/// `batch-size` is mirrored by `WXB_BATCH_SIZE`; help and version are not.
pub fn environment_name(long: &str) -> Option<String> {
    let mirrored = !matches!(long, "help" | "version");
    mirrored.then(|| format!("WXB_{}", long.to_uppercase().replace('-', "_")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_description_is_consistent() {
        command().debug_assert();
    }

    #[test]
    fn flags_have_mirrors() {
        assert_eq!(environment_name("batch-size").as_deref(), Some("WXB_BATCH_SIZE"));
        assert_eq!(environment_name("help"), None);
    }
}
