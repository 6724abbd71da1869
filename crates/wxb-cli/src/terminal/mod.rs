//! The terminal: the result on stdout, everything for people on stderr.

pub mod event;
pub mod matrix;
pub mod progress;
pub mod report;
pub mod table;

use std::ffi::OsString;
use std::io::{self, IsTerminal, Write};
use std::sync::{Arc, Mutex};

use anstream::ColorChoice;
use serde::Serialize;
use wxb::Error;
pub use wxb_train::number::{self, metric_label};

use self::event::{EventLog, Warning};
use crate::args::Global;
use crate::args::choice::{ColorWhen, OutputFormat, ProgressKind};
use crate::exit::Failure;

/// Where and how much a command writes.
#[derive(Clone, Debug)]
pub struct Terminal {
    format: OutputFormat,
    /// −2 nothing but errors, −1 warnings too, 0 the usual, 1 and more: more.
    verbosity: i32,
    progress: ProgressKind,
    /// The stream of events, where the command writes one.
    events: Option<Arc<Mutex<EventLog>>>,
}

impl Terminal {
    /// As the global flags and the environment say; sets the colour of both streams.
    pub fn new(global: &Global) -> Self {
        choose_color(global.color);
        let format =
            if global.json { OutputFormat::Json } else { global.output_format.unwrap_or(OutputFormat::Text) };
        let verbosity = i32::from(global.verbose) - i32::from(global.quiet);
        Self { format, verbosity, progress: global.progress, events: None }
    }

    /// For a command line that could not be read: only what can be seen without reading it.
    pub fn before_parsing(arguments: &[OsString]) -> Self {
        let given = |flag: &str| arguments.iter().any(|a| a == flag);
        choose_color(if given("--color=never") { ColorWhen::Never } else { ColorWhen::Auto });
        let format = if given("--json") { OutputFormat::Json } else { OutputFormat::Text };
        Self { format, verbosity: 0, progress: ProgressKind::Off, events: None }
    }

    /// The same for a command whose JSON is a stream of events: warnings are among them.
    pub fn with_events(&self) -> Self {
        Self { events: Some(Arc::default()), ..self.clone() }
    }

    /// What stdout is to hold.
    pub fn format(&self) -> OutputFormat {
        self.format
    }

    /// Whether stdout is to hold JSON.
    pub fn is_json(&self) -> bool {
        self.format == OutputFormat::Json
    }

    /// How much is said; 0 is the usual.
    pub fn verbosity(&self) -> i32 {
        self.verbosity
    }

    /// How training is shown: what was asked for, or by what stderr is.
    pub fn progress(&self) -> ProgressKind {
        match self.progress {
            ProgressKind::Auto if self.verbosity < 0 => ProgressKind::Off,
            ProgressKind::Auto if is_live() => ProgressKind::Live,
            ProgressKind::Auto => ProgressKind::Plain,
            asked => asked,
        }
    }

    /// A line of the summary: `data      train.csv  7,043 rows`.
    pub fn say(&self, label: &str, text: &str) {
        if self.verbosity >= 0 {
            stderr_line(&report::labelled(label, text));
        }
    }

    /// A line for people without a label.
    pub fn line(&self, text: &str) {
        if self.verbosity >= 0 {
            stderr_line(text);
        }
    }

    /// A line that only -v shows.
    pub fn detail(&self, text: &str) {
        if self.verbosity >= 1 {
            stderr_line(text);
        }
    }

    /// "I did it, but": shown unless -qq, and an event.
    pub fn warn(&self, text: &str) {
        if self.verbosity >= -1 {
            stderr_line(&report::warning(text));
        }
        let (code, message) = report::code_and_text(text);
        self.emit("warning", Warning { code, message });
    }

    /// Writes an event to whoever reads JSON: on stdout, or on stderr under --progress json.
    pub fn emit(&self, kind: &str, body: impl Serialize) {
        let Some(Ok(mut log)) = self.events.as_ref().map(|events| events.lock()) else { return };
        if self.is_json() {
            log.write(&mut io::stdout().lock(), kind, body);
        } else if self.progress == ProgressKind::Json {
            log.write(&mut io::stderr().lock(), kind, body);
        }
    }

    /// An error on stderr; under --json also as an object on stdout.
    pub fn error(&self, error: &Error) {
        stderr_line(&report::error(error));
        if self.is_json() {
            // The exit code tells the rest if nobody reads stdout any more.
            let _ = self.json(&report::ErrorObject::from(error));
        }
    }

    /// A line of the result.
    pub fn result(&self, text: &str) -> Result<(), Failure> {
        let mut out = anstream::stdout().lock();
        writeln!(out, "{text}")?;
        Ok(out.flush()?)
    }

    /// A line of the result with a label, as in the summary.
    pub fn labelled_result(&self, label: &str, text: &str) -> Result<(), Failure> {
        self.result(&report::labelled(label, text))
    }

    /// One object of the result.
    pub fn json(&self, object: &impl Serialize) -> Result<(), Failure> {
        let text = serde_json::to_string(object).map_err(io::Error::from)?;
        let mut out = io::stdout().lock();
        writeln!(out, "{text}")?;
        Ok(out.flush()?)
    }
}

/// A line on stderr. If nobody can read it there is nobody to tell.
pub fn stderr_line(text: &str) {
    let _ = writeln!(anstream::stderr().lock(), "{text}");
}

/// CI and streams that are not terminals decide liveness, and liveness only.
fn is_live() -> bool {
    let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
    io::stderr().is_terminal() && !is_set("CI") && !dumb
}

/// --color, else NO_COLOR, CLICOLOR_FORCE and FORCE_COLOR, else what the stream is.
fn choose_color(when: ColorWhen) {
    let choice = match when {
        ColorWhen::Always => ColorChoice::Always,
        ColorWhen::Never => ColorChoice::Never,
        ColorWhen::Auto if is_set("NO_COLOR") => ColorChoice::Never,
        ColorWhen::Auto if is_set("CLICOLOR_FORCE") || is_set("FORCE_COLOR") => ColorChoice::Always,
        ColorWhen::Auto => ColorChoice::Auto,
    };
    choice.write_global();
}

/// Set, and neither empty nor 0 nor false.
fn is_set(variable: &str) -> bool {
    std::env::var(variable).is_ok_and(|value| !matches!(value.as_str(), "" | "0" | "false"))
}
