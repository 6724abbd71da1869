//! A command line that could not be read, in the words of every other error.

use std::ffi::OsString;

use clap::error::{ContextKind, ErrorKind};
use wxb::{Code, Error, error::nearest};
use wxb_train::args::usage::{self, Told, long_flags};

use super::suggest;

/// clap's finding as an [`Error`] with code, place and hint.
pub fn explain(error: &clap::Error, command: &clap::Command, arguments: &[OsString]) -> Error {
    let told = Told(error);
    let value = told.text(ContextKind::InvalidValue);
    let explained = match error.kind() {
        ErrorKind::InvalidSubcommand => unknown_command(&told.text(ContextKind::InvalidSubcommand), command),
        ErrorKind::UnknownArgument => usage::explain(error, &flags_of(command, arguments)),
        ErrorKind::InvalidValue if value.is_empty() => usage::explain(error, &[]),
        ErrorKind::InvalidValue | ErrorKind::ValueValidation => {
            from_environment(usage::explain(error, &[]), &told.flag(), &value)
        }
        _ => usage::explain(error, &[]),
    };
    match told.usage() {
        Some(usage) if explained.hints().is_empty() => explained.note(usage),
        _ => explained,
    }
}

/// The long flags of the command that was asked for, global ones and aliases included.
fn flags_of(command: &clap::Command, arguments: &[OsString]) -> Vec<String> {
    let asked = arguments.iter().skip(1).filter_map(|a| a.to_str()).find_map(|a| command.find_subcommand(a));
    let described = asked.into_iter().chain([command]).flat_map(clap::Command::get_arguments);
    long_flags(described)
}

fn unknown_command(given: &str, command: &clap::Command) -> Error {
    let error = Error::new(Code::Usage, format!("there is no command {given:?}"));
    let names: Vec<&str> = command.get_subcommands().flat_map(|c| c.get_name_and_visible_aliases()).collect();
    if let Some(ours) = suggest::foreign_command(given) {
        return error.hint(format!("here it is `wxb {ours}`"));
    }
    if let Some(near) = nearest(given, names.iter().copied()) {
        return error.hint(format!("did you mean `wxb {near}`?"));
    }
    if given.contains('.') {
        return error.hint(format!("a file comes after the command: `wxb train {given} --target COLUMN`"));
    }
    error.note(format!("commands: {}", names.join(", ")))
}

/// Says so if the value was not typed but comes from the environment.
fn from_environment(error: Error, flag: &str, value: &str) -> Error {
    let variable = flag.strip_prefix("--").and_then(super::environment_name);
    match variable.and_then(|name| std::env::var(&name).ok().map(|set| (name, set))) {
        Some((name, set)) if set == value => error.note(format!("the value comes from {name}")),
        _ => error,
    }
}
