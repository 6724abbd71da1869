//! The first record: column names.

use std::collections::{HashMap, HashSet};

use wxb::{Code, Error, Result};

use super::cell::plain_number;
use super::records::{Records, count_lines};

/// More columns than any table of this kind has; the state of a column is a few hundred bytes.
const MOST_COLUMNS: usize = 200_000;

/// The names of the columns, and where the first row begins.
#[derive(Debug)]
pub(super) struct Header {
    pub(super) names: Vec<String>,
    /// Bytes and line breaks up to the first row.
    pub(super) bytes: usize,
    pub(super) lines: usize,
    pub(super) warnings: Vec<String>,
}

/// Of a file without a line.
pub(super) fn empty(file: &str) -> Error {
    Error::new(Code::EmptyData, format!("{file} is empty"))
        .hint("name a file with a line of column names and rows below it")
}

/// Reads the header from the beginning of a file (after its byte order mark).
pub(super) fn read(file: &str, delimiter: u8, text: &[u8]) -> Result<Header> {
    let mut records = Records::new(delimiter, text);
    let Some(record) = records.next() else {
        return Err(empty(file));
    };
    let (n, line) = (record.len(), 1 + count_lines(&text[..record.offset]));
    let bad = |what: String| Err(Error::new(Code::BadHeader, what).at(format!("{file}:{line}")));
    if n > MOST_COLUMNS {
        return bad(format!("{file} has {n} columns; at most {MOST_COLUMNS} are read"));
    }
    let mut names: Vec<String> =
        (0..n).map(|i| String::from_utf8_lossy(record.field(i)).into_owned()).collect();
    if names.iter().all(String::is_empty) {
        return bad(format!("the header of {file} has no column names"));
    }
    let numeric = names.iter().filter(|name| plain_number(name.as_bytes()).is_some()).count();
    let mut warnings = Vec::new();
    name_the_nameless(&mut names, &mut warnings);
    if let Some((name, first, second)) = name_twice(&names) {
        let mut error = Error::new(Code::BadHeader, format!("the column name {name:?} occurs twice"))
            .at(format!("{file}:{line}  columns {first} and {second}"));
        error = match numeric * 2 >= n {
            true => error.hint("the first line looks like data: add a line with the column names"),
            false => error.hint("rename one of the two"),
        };
        return Err(error);
    }
    if numeric == n && n > 1 {
        warnings.push(format!(
            "all column names of {file} are numbers: if its first line is data, add a line with the column names"
        ));
    }
    let bytes = records.position();
    Ok(Header { names, bytes, lines: count_lines(&text[..bytes]), warnings })
}

/// A column without name, as pandas writes its index, becomes `column_N`.
fn name_the_nameless(names: &mut [String], warnings: &mut Vec<String>) {
    let taken: HashSet<String> = names.iter().cloned().collect();
    let mut given = Vec::new();
    for (i, name) in names.iter_mut().enumerate().filter(|(_, name)| name.is_empty()) {
        *name = format!("column_{}", i + 1);
        while taken.contains(name.as_str()) {
            name.push('_');
        }
        given.push(name.clone());
    }
    match given.as_slice() {
        [] => {}
        [one] => warnings.push(format!("a column has no name and is called {one:?}")),
        [first, .., last] => {
            let n = given.len();
            warnings.push(format!("{n} columns have no name and are called {first:?} to {last:?}"));
        }
    }
}

/// The first name that occurs again, with the numbers of both columns, from 1.
fn name_twice(names: &[String]) -> Option<(&str, usize, usize)> {
    let mut seen = HashMap::new();
    names
        .iter()
        .enumerate()
        .find_map(|(i, name)| seen.insert(name.as_str(), i + 1).map(|first| (name.as_str(), first, i + 1)))
}
