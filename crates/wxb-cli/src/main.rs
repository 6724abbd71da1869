//! The `wxb` command.

#![allow(dead_code, reason = "the commands that use the rest of the terminal follow with the trainer")]

mod args;
mod commands;
mod exit;
mod interrupt;
mod terminal;

fn main() -> std::process::ExitCode {
    exit::report_bugs();
    commands::run(std::env::args_os()).into()
}
