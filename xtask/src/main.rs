//! The project's tasks. `cargo xtask` lists them.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a task talks to the person who started it")]

mod bench;
mod check;
mod data_sets;
mod environment;
mod first_command;
mod fuzz;
mod instructions;
mod package;
mod python;
mod results;
mod stages;
mod test;

use std::process::ExitCode;

const USAGE: &str = "\
cargo xtask TASK

  check   format and lints: the quick part, before every commit
  test    everything that has to pass: check, documentation, tests, release build, Python tests, Python package
  package the last of these alone: builds the wheel, installs it in clean environments, tests it there
  fuzz [--seconds N]
          each fuzz target for so long (60), from its seeds; installs cargo-fuzz if it is missing
  results [DATA SET...]
          trains with defaults on the data sets of ../shared/data, writes docs/results.md
  bench [--rounds N] [--seconds S] [--workloads W1,W3] [--peers NAMES] [--threads 1,2]
        [--only train,predict,job]
          measures steps, predictions and a whole training beside the peers, writes docs/performance.md
  bench --sweep
          measures wxb alone over widths and batch sizes, draws docs/performance-sweep.svg
  instructions [--renew]
          counts the instructions of training steps, compares with (writes) bench/instructions.toml";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let result = match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["check"] => check::run_task(),
        ["test"] => test::run_task(),
        ["package"] => package::run_tests(&mut vec![]),
        ["fuzz", arguments @ ..] => fuzz::run_task(arguments),
        ["bench", "--sweep"] => bench::sweep::run_task(),
        ["bench", arguments @ ..] => bench::run_task(arguments),
        ["instructions"] => instructions::run_task(),
        ["instructions", "--renew"] => instructions::renew(),
        ["results", names @ ..] => results::run_task(names),
        [] | ["help" | "-h" | "--help"] => {
            println!("{USAGE}");
            return ExitCode::SUCCESS;
        }
        other => {
            eprintln!("error: no task \"{}\"\n\n{USAGE}", other.join(" "));
            return ExitCode::from(2);
        }
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("\nerror: {error:#}");
            ExitCode::FAILURE
        }
    }
}
