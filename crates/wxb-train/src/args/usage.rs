//! Flags that could not be read, in the words of every other error.

use clap::error::{ContextKind, ContextValue, ErrorKind};
use wxb::{Code, Error, error::nearest};

use super::foreign::{self, Meant};
use super::value::Rejected;

/// clap's finding as an [`Error`] with code and hint; `flags` are those that there are, for "did you mean".
pub fn explain(error: &clap::Error, flags: &[String]) -> Error {
    let told = Told(error);
    match error.kind() {
        ErrorKind::UnknownArgument => unknown_flag(&told.text(ContextKind::InvalidArg), flags),
        ErrorKind::InvalidValue => invalid_value(&told),
        ErrorKind::ValueValidation => refused_value(error, &told),
        ErrorKind::ArgumentConflict => conflict(&told),
        ErrorKind::MissingRequiredArgument => missing(&told),
        ErrorKind::TooManyValues | ErrorKind::WrongNumberOfValues | ErrorKind::TooFewValues => Error::new(
            Code::Usage,
            format!("{} is given with another number of values than it takes", told.flag()),
        ),
        ErrorKind::InvalidUtf8 => Error::new(Code::Usage, "an argument is not UTF-8"),
        _ => Error::new(Code::Usage, error.to_string().trim().to_owned()),
    }
}

/// The long flags among some arguments, their other names included.
pub fn long_flags<'a>(arguments: impl Iterator<Item = &'a clap::Arg>) -> Vec<String> {
    let longs =
        arguments.flat_map(|a| a.get_long().into_iter().chain(a.get_all_aliases().unwrap_or_default()));
    longs.map(|long| format!("--{long}")).collect()
}

/// What clap attached to its error.
pub struct Told<'a>(pub &'a clap::Error);

impl Told<'_> {
    /// A part of it.
    pub fn text(&self, kind: ContextKind) -> String {
        match self.0.get(kind) {
            Some(ContextValue::String(text)) => text.clone(),
            Some(ContextValue::Strings(texts)) => texts.join(", "),
            _ => String::new(),
        }
    }

    fn list(&self, kind: ContextKind) -> Vec<String> {
        match self.0.get(kind) {
            Some(ContextValue::Strings(texts)) => texts.clone(),
            Some(ContextValue::String(text)) => vec![text.clone()],
            _ => vec![],
        }
    }

    /// The flag that it is about, `--lr <X>` as `--lr`.
    pub fn flag(&self) -> String {
        let text = self.text(ContextKind::InvalidArg);
        bare(&text).to_owned()
    }

    /// How the command is used, on one line.
    pub fn usage(&self) -> Option<String> {
        match self.0.get(ContextKind::Usage) {
            Some(ContextValue::StyledStr(text)) => {
                let plain = text.to_string();
                let line = plain.trim().trim_start_matches("Usage:").trim().lines().next()?.to_owned();
                Some(format!("usage: {line}"))
            }
            _ => None,
        }
    }
}

fn bare(flag: &str) -> &str {
    match flag.split_once(' ') {
        Some((name, _)) if flag.starts_with('-') => name,
        _ => flag,
    }
}

fn unknown_flag(given: &str, flags: &[String]) -> Error {
    let given = given.split('=').next().unwrap_or(given);
    if !given.starts_with('-') {
        return Error::new(Code::Usage, format!("there is an argument too many: {given:?}"))
            .hint("names with blanks need quotes; lists are written with commas and without blanks: 64,32");
    }
    let error = Error::new(Code::Usage, format!("unknown flag {given}"));
    match foreign::foreign_flag(given) {
        Some(Meant::Flag(ours, "")) => error.hint(format!("here it is {ours}")),
        Some(Meant::Flag(ours, remark)) => error.hint(format!("here it is {ours}: {remark}")),
        Some(Meant::Nothing(why)) => error.hint(*why),
        None => match nearest(given, flags.iter().map(String::as_str)) {
            Some(near) => error.hint(format!("did you mean {near}?")),
            None => error,
        },
    }
}

fn invalid_value(told: &Told) -> Error {
    let (flag, value) = (told.flag(), told.text(ContextKind::InvalidValue));
    let allowed = told.list(ContextKind::ValidValue);
    if value.is_empty() {
        return Error::new(Code::Usage, format!("{flag} needs a value"));
    }
    let error = Error::new(Code::InvalidSetting, format!("{flag} {value:?}: there is no such choice"))
        .note(format!("allowed: {}", allowed.join(", ")));
    match nearest(&value, allowed.iter().map(String::as_str)) {
        Some(near) => error.hint(format!("did you mean {near}?")),
        None => error,
    }
}

fn refused_value(error: &clap::Error, told: &Told) -> Error {
    let (flag, value) = (told.flag(), told.text(ContextKind::InvalidValue));
    let source = std::error::Error::source(error);
    match source.and_then(|s| s.downcast_ref::<Rejected>()) {
        Some(rejected) => Error::new(Code::InvalidSetting, format!("{flag} {value:?}: {}", rejected.problem))
            .note(format!("allowed: {}", rejected.allowed)),
        None => Error::new(Code::InvalidSetting, format!("{flag} {value:?} cannot be read")),
    }
}

fn conflict(told: &Told) -> Error {
    let flag = told.flag();
    let prior = told.list(ContextKind::PriorArg);
    let others: Vec<&str> = prior.iter().map(|p| bare(p)).collect();
    if others == [flag.as_str()] || others.is_empty() {
        return Error::new(Code::Usage, format!("{flag} is given twice"));
    }
    Error::new(Code::InvalidSetting, format!("{flag} and {} exclude each other", others.join(", ")))
        .hint("leave one of them out")
}

fn missing(told: &Told) -> Error {
    let names = told.text(ContextKind::InvalidArg);
    Error::new(Code::Usage, format!("something is missing: {names}"))
}
