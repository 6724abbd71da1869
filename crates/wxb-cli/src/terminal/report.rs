//! How errors, warnings and labelled lines look.

use std::fmt::Write;

use anstyle::{AnsiColor, Style};
use serde::Serialize;
use wxb::Error;

const ERROR: Style = AnsiColor::Red.on_default().bold();
const WARNING: Style = AnsiColor::Yellow.on_default().bold();
const FRAME: Style = AnsiColor::Blue.on_default().bold();
const LABEL: Style = Style::new().bold();

/// The width of the labels in a summary.
const LABEL_WIDTH: usize = 10;

/// `data      train.csv …`; further lines of `text` stand under the first.
pub fn labelled(label: &str, text: &str) -> String {
    let indented = text.replace('\n', &format!("\n{:LABEL_WIDTH$}", ""));
    format!("{LABEL}{label:LABEL_WIDTH$}{LABEL:#}{indented}")
}

/// `error[E0201]: …` with its places, facts and hints.
pub fn error(error: &Error) -> String {
    let mut text = format!("{ERROR}error[{}]{ERROR:#}: {}", error.code().name(), error.message());
    let mut add = |mark: &str, line: &str| {
        // Writing to a String cannot fail.
        let _ = write!(text, "\n{FRAME}{mark}{FRAME:#} {}", line.replace('\n', "\n     "));
    };
    error.places().iter().for_each(|place| add("  -->", place));
    error.notes().iter().for_each(|note| add("   =", note));
    error.hints().iter().for_each(|hint| add("   =", &format!("hint: {hint}")));
    text
}

/// `warning: …`, or `warning[W0301]: …` where the text begins with a code.
pub fn warning(text: &str) -> String {
    match code_and_text(text) {
        (Some(code), rest) => format!("{WARNING}warning[{code}]{WARNING:#}: {rest}"),
        (None, text) => format!("{WARNING}warning{WARNING:#}: {text}"),
    }
}

/// A warning's code, if it begins with one, and what it says.
pub fn code_and_text(text: &str) -> (Option<&str>, &str) {
    match text.split_once(": ") {
        Some((code, rest)) if is_warning_code(code) => (Some(code), rest),
        _ => (None, text),
    }
}

fn is_warning_code(text: &str) -> bool {
    text.len() == 5 && text.starts_with('W') && text[1..].bytes().all(|b| b.is_ascii_digit())
}

/// An error as an object.
#[derive(Serialize)]
pub struct ErrorObject<'a> {
    schema: &'static str,
    code: &'static str,
    message: &'a str,
    places: &'a [String],
    notes: &'a [String],
    hints: &'a [String],
}

impl<'a> From<&'a Error> for ErrorObject<'a> {
    fn from(error: &'a Error) -> Self {
        Self {
            schema: "wxb.error/1",
            code: error.code().name(),
            message: error.message(),
            places: error.places(),
            notes: error.notes(),
            hints: error.hints(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use wxb::Code;

    fn plain(text: &str) -> String {
        anstream::adapter::strip_str(text).to_string()
    }

    #[test]
    fn an_error_has_four_parts() {
        let what = Error::new(Code::UnknownColumn, "no column \"prise\" in sales.csv")
            .at("sales.csv:1")
            .note("columns: id, price  (2)")
            .hint("did you mean \"price\"?");
        let expected = "error[E0201]: no column \"prise\" in sales.csv\n  --> sales.csv:1\n   = columns: id, price  (2)\n   \
                        = hint: did you mean \"price\"?";
        assert_eq!(plain(&error(&what)), expected);
    }

    #[test]
    fn a_warning_may_have_a_code() {
        assert_eq!(plain(&warning("W0301: lr 30 is large")), "warning[W0301]: lr 30 is large");
        assert_eq!(plain(&warning("column: dropped")), "warning: column: dropped");
    }

    #[test]
    fn further_lines_are_indented() {
        assert_eq!(plain(&labelled("data", "a\nb")), "data      a\n          b");
    }
}
