//! One error type: what happened, where, and what to do about it, under a stable [`Code`].

use std::fmt;

pub use crate::error_codes::Code;

/// `Result` with [`Error`].
pub type Result<T> = std::result::Result<T, Error>;

/// What happened (`message`), where (`at`), facts that help (`notes`), and what to do (`hints`).
///
/// ```
/// use wxb::{Code, Error};
/// let error = Error::new(Code::UnknownColumn, "no column \"prise\" in sales.csv")
///     .note("columns: id, region, price")
///     .hint("did you mean \"price\"?");
/// assert_eq!(error.code().name(), "E0201");
/// assert_eq!(error.to_string(), "no column \"prise\" in sales.csv");
/// ```
#[derive(Clone, PartialEq)]
pub struct Error(Box<Report>);

#[derive(Clone, Debug, PartialEq)]
struct Report {
    code: Code,
    message: String,
    at: Vec<String>,
    notes: Vec<String>,
    hints: Vec<String>,
}

impl Error {
    /// An error with its code and one sentence that says what happened.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self(Box::new(Report { code, message: message.into(), at: vec![], notes: vec![], hints: vec![] }))
    }

    /// Adds a place: `sales.csv:4127  units = "n/a"`.
    #[must_use]
    pub fn at(mut self, place: impl Into<String>) -> Self {
        self.0.at.push(place.into());
        self
    }

    /// Adds a fact: `columns: id, region, price`.
    #[must_use]
    pub fn note(mut self, note: impl Into<String>) -> Self {
        self.0.notes.push(note.into());
        self
    }

    /// Adds an advice: `did you mean "price"?`.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.0.hints.push(hint.into());
        self
    }

    /// The stable code; [`Code::explanation`] is its long text.
    pub fn code(&self) -> Code {
        self.0.code
    }

    /// The sentence that says what happened.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// Where it happened, most specific first; may be empty.
    pub fn places(&self) -> &[String] {
        &self.0.at
    }

    /// Facts that help to understand it.
    pub fn notes(&self) -> &[String] {
        &self.0.notes
    }

    /// What to do about it.
    pub fn hints(&self) -> &[String] {
        &self.0.hints
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl std::error::Error for Error {}

/// The candidate within an edit distance of 2, if there is one: a typing error has one, another word has not.
pub fn nearest<'a>(word: &str, candidates: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    candidates
        .map(|c| (strsim::damerau_levenshtein(&word.to_lowercase(), &c.to_lowercase()), c))
        .filter(|&(distance, c)| distance <= 2 && distance < c.chars().count().max(1))
        .min_by_key(|&(distance, _)| distance)
        .map(|(_, c)| c)
}
