//! `wxb completions`.

use std::io::Write;

use crate::args::{self, ending::CompletionsArgs};
use crate::exit::{Exit, Outcome};

/// Prints the completion script of a shell.
pub fn run(args: &CompletionsArgs) -> Outcome {
    // The generator panics on a write error, so it writes to memory.
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut args::command(), "wxb", &mut script);
    let mut out = std::io::stdout().lock();
    out.write_all(&script)?;
    out.flush()?;
    Ok(Exit::Success)
}
