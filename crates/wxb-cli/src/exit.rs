//! How a command ends: the exit codes, and what a failure is.

use std::io;
use std::process::ExitCode;

use wxb::{Code, Error};

/// The exit codes of wxb. A script may rely on them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// All went well.
    Success = 0,
    /// It worked, but a gate that the user set failed: `--fail-if`, or a gradient check over its tolerance.
    Gate = 1,
    /// The command line or the data is wrong.
    Input = 2,
    /// The training diverged; the last finite weights are kept.
    Diverged = 3,
    /// The machine is out of something: memory, disk.
    Resource = 4,
    /// Ctrl-C; the model is saved if there was one.
    Interrupted = 130,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        ExitCode::from(exit as u8)
    }
}

/// Why a command stopped before its end.
#[derive(Debug)]
pub enum Failure {
    /// Something to tell the user.
    Error(Error),
    /// The reader of our output has gone away, as `head` does: nothing to tell.
    ClosedPipe,
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Failure::Error(error)
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Failure::ClosedPipe,
            io::ErrorKind::StorageFull => {
                Failure::Error(Error::new(Code::DiskFull, format!("cannot write the output: {error}")))
            }
            _ => Failure::Error(Error::new(Code::WriteFailed, format!("cannot write the output: {error}"))),
        }
    }
}

/// What a command returns.
pub type Outcome = Result<Exit, Failure>;

/// What writing the result returns.
pub type Written = Result<(), Failure>;

/// The exit code that belongs to an error code.
pub fn exit_of(code: Code) -> Exit {
    match code {
        Code::Diverged => Exit::Diverged,
        Code::DiskFull | Code::OutOfMemory => Exit::Resource,
        _ => Exit::Input,
    }
}

/// A panic is a bug in wxb: one line that says how to report it. The process then ends with 101.
pub fn report_bugs() {
    std::panic::set_hook(Box::new(|info| {
        // The reader makes an error of it: the file is damaged, and wxb is not.
        if wxb_io::is_panic_caught() {
            return;
        }
        let place = info.location().map_or_else(String::new, |l| format!(" at {}:{}", l.file(), l.line()));
        let text = bug_report(&what(info.payload()), &place);
        crate::terminal::stderr_line(&text);
    }));
}

fn what(payload: &dyn std::any::Any) -> String {
    let text = payload.downcast_ref::<&str>().map(|s| (*s).to_owned());
    text.or_else(|| payload.downcast_ref::<String>().cloned()).unwrap_or_else(|| "unknown".to_owned())
}

fn bug_report(what: &str, place: &str) -> String {
    format!(
        "bug in wxb {}: {}{place}. Please report it with this line, your command and the output of `wxb env`.",
        env!("CARGO_PKG_VERSION"),
        what.replace('\n', " ")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bug_is_one_line_with_the_place() {
        let text = bug_report("index out of bounds\nat 3", " at src/x.rs:7");
        assert!(!text.contains('\n') && text.contains("src/x.rs:7") && text.contains("wxb env"), "{text}");
    }

    #[test]
    fn codes_have_their_exit() {
        for (code, exit) in [
            (Code::Diverged, Exit::Diverged),
            (Code::OutOfMemory, Exit::Resource),
            (Code::DiskFull, Exit::Resource),
            (Code::UnknownColumn, Exit::Input),
            (Code::Usage, Exit::Input),
        ] {
            assert_eq!(exit_of(code), exit, "{}", code.name());
        }
    }
}
