//! One module per command.

mod completions;
mod env;
mod help;

use std::ffi::OsString;

use crate::args::{self, Cli, Command, Parsed};
use crate::exit::{Exit, Failure, Outcome, exit_of};
use crate::terminal::Terminal;

/// Runs a command line and tells how it ended.
pub fn run(arguments: impl Iterator<Item = OsString>) -> Exit {
    let arguments: Vec<OsString> = arguments.collect();
    let before = Terminal::before_parsing(&arguments);
    let (terminal, outcome) = match args::parse(arguments.into_iter()) {
        Parsed::Run(cli) => {
            let terminal = Terminal::new(&cli.global);
            let outcome = dispatch(*cli, &terminal);
            (terminal, outcome)
        }
        Parsed::Text(text) => {
            let outcome = before.result(text.ansi().to_string().trim_end()).map(|()| Exit::Success);
            (before, outcome)
        }
        Parsed::NothingAsked(text) => {
            crate::terminal::stderr_line(text.ansi().to_string().trim_end());
            (before, Ok(Exit::Input))
        }
        Parsed::Wrong(error) => (before, Err(Failure::Error(error))),
    };
    ended(outcome, &terminal)
}

fn ended(outcome: Outcome, terminal: &Terminal) -> Exit {
    match outcome {
        Ok(exit) => exit,
        Err(Failure::ClosedPipe) => Exit::Success,
        Err(Failure::Error(error)) => {
            terminal.error(&error);
            exit_of(error.code())
        }
    }
}

fn dispatch(cli: Cli, terminal: &Terminal) -> Outcome {
    match cli.command {
        Command::Help(args) => help::run(&args, terminal),
        Command::Completions(args) => completions::run(&args),
        Command::Env => env::run(terminal),
        _ => Err(Failure::Error(wxb::Error::new(wxb::Code::Usage, "this build has no such command"))),
    }
}
