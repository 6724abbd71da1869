//! One module per command.

mod bench;
mod bench_measure;
mod bench_workload;
mod checkpoints;
mod completions;
mod contributions;
mod cross_validate;
mod demo;
mod demo_data;
mod env;
mod evaluate;
mod explain;
mod formulas;
mod gradcheck;
mod help;
mod importance;
mod inspect;
mod integrated;
mod loaded;
mod output;
mod partial;
mod partial_svg;
mod predict;
mod predictions;
mod provenance;
mod summary;
mod train;

use std::ffi::OsString;

use wxb::{Code, Error};

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
    let threads = cli.global.threads;
    match cli.command {
        Command::Help(args) => help::run(&args, terminal),
        Command::Completions(args) => completions::run(&args),
        Command::Env => env::run(terminal),
        Command::Demo(args) => in_pool(threads, || demo::run(&args, terminal)),
        Command::Evaluate(args) => in_pool(threads, || evaluate::run(&args, terminal)),
        Command::Predict(args) => in_pool(threads, || predict::run(&args, terminal)),
        Command::Gradcheck(args) => in_pool(threads, || gradcheck::run(&args, terminal)),
        Command::Bench(args) => in_pool(threads, || bench::run(&args, terminal)),
        Command::Importance(args) => in_pool(threads, || importance::run(&args, terminal)),
        Command::Partial(args) => in_pool(threads, || partial::run(&args, terminal)),
        Command::Inspect(args) => inspect::run(&args, terminal),
        Command::Train(args) => in_pool(threads, || train::run(&args, terminal)),
        Command::Explain(args) => in_pool(threads, || explain::run(&args, terminal)),
    }
}

/// Runs a command on a pool of its own, so that the calling thread is one of the workers.
fn in_pool(threads: Option<usize>, command: impl FnOnce() -> Outcome + Send) -> Outcome {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads.unwrap_or(0)).build();
    let pool =
        pool.map_err(|error| Error::new(Code::OutOfMemory, format!("cannot start threads: {error}")))?;
    pool.install(command)
}
