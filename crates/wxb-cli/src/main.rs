//! The `wxb` command.

mod args;
mod commands;
mod exit;
mod interrupt;
mod pipeline;
mod terminal;

fn main() -> std::process::ExitCode {
    exit::report_bugs();
    commands::run(std::env::args_os()).into()
}
