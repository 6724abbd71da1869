//! The engine's errors as exceptions.

use pyo3::PyErr;
use pyo3::exceptions::{PyOSError, PyValueError};
use wxb::{Code, Error};

/// An error as Python sees it: `OSError` for files, `ValueError` for everything else, with places, notes and hints below the message.
pub fn exception(error: &Error) -> PyErr {
    let message = in_words(error);
    match error.code() {
        Code::UnreadableFile | Code::WriteFailed | Code::FileExists | Code::DiskFull => {
            PyOSError::new_err(message)
        }
        _ => PyValueError::new_err(message),
    }
}

/// Flags of the command line in a message are parameters here: `--time-budget` is `time_budget`.
fn in_words(error: &Error) -> String {
    let mut lines = vec![error.message().to_owned()];
    lines.extend(error.places().iter().map(|place| format!("  at {place}")));
    lines.extend(error.notes().iter().map(|note| format!("  {note}")));
    lines.extend(error.hints().iter().map(|hint| format!("  try: {hint}")));
    as_parameters(&lines.join("\n"))
}

/// Text in which flags are the parameters that they stand for; a command between backticks stays one.
pub fn as_parameters(text: &str) -> String {
    let parts = text.split('`').enumerate();
    let parts: Vec<String> =
        parts.map(|(i, part)| if i % 2 == 1 { part.to_owned() } else { without_dashes(part) }).collect();
    parts.join("`")
}

fn without_dashes(text: &str) -> String {
    let mut words = text.split("--");
    let mut result = words.next().unwrap_or_default().to_owned();
    for word in words {
        let end = word.find(|c: char| !(c.is_ascii_lowercase() || c == '-')).unwrap_or(word.len());
        result += &word[..end].replace('-', "_");
        result += &word[end..];
    }
    result
}
