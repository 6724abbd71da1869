//! What can be wrong with a CSV, in words.

use wxb::{Code, Error, Result};

use super::block::Layout;
use super::cell::{SEPARATORS, grouped_number};
use super::column::Strays;
use super::records::{LineCounter, Record, count_lines};

/// `9,998`
pub(super) fn grouped(n: usize) -> String {
    let digits = n.to_string();
    let mut out = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// Text must be UTF-8 without NUL.
pub(super) fn check_text(file: &str, text: &[u8], first_line: usize) -> Result<()> {
    let place = |at: usize| {
        let line = first_line + count_lines(&text[..at]);
        let start = memchr::memrchr2(b'\n', b'\r', &text[..at]).map_or(0, |i| i + 1);
        format!("{file}:{line}  byte {} of the line is 0x{:02x}", at - start + 1, text[at])
    };
    if let Some(at) = memchr::memchr(0, text) {
        return Err(Error::new(Code::BadEncoding, format!("{file} has a NUL byte: it is no text"))
            .at(place(at))
            .hint("if it is UTF-16, convert it: iconv -f utf-16 -t utf-8"));
    }
    match std::str::from_utf8(text) {
        Ok(_) => Ok(()),
        Err(e) => Err(Error::new(Code::BadEncoding, format!("{file} is not UTF-8"))
            .at(place(e.valid_up_to()))
            .hint("convert it: iconv -f latin1 -t utf-8")),
    }
}

/// A row with another number of fields than the header.
pub(super) fn ragged(layout: &Layout, lines: &mut LineCounter, record: &Record) -> Error {
    let (n, names) = (record.len(), layout.names.len());
    let (line, last_line) = (lines.line_of(record, 0), lines.line_of(record, n));
    let counted = |n: usize| if n == 1 { "1 field".to_owned() } else { format!("{n} fields") };
    let error = Error::new(
        Code::RaggedRow,
        format!("line {line} of {} has {}, the header has {names}", layout.file, counted(n)),
    )
    .at(format!("{}:{line}", layout.file));
    let error = match last_line - line {
        0 => error,
        _ => error.note(format!("the record ends in line {last_line}: is a quote not closed?")),
    };
    match n > names {
        true => error.hint("put quotes around a field that contains the delimiter"),
        false => error.hint("complete the row, or give the right --delimiter"),
    }
}

/// A numeric column with cells that are no numbers.
pub(super) fn not_a_number(layout: &Layout, name: &str, cells: usize, strays: &Strays) -> Error {
    let (bad, rows) = (strays.texts, grouped(cells));
    let values = if bad == 1 {
        "1 value is not a number".into()
    } else {
        format!("{} values are not numbers", grouped(bad))
    };
    let numeric = grouped(cells - bad);
    let mut error = Error::new(
        Code::NotANumber,
        format!("column {name:?} is numeric in {numeric} of {rows} rows; {values}"),
    );
    let mut texts: Vec<&str> = Vec::new();
    for (line, text, _) in strays.first.iter().filter(|s| !s.2) {
        error = error.at(format!("{}:{line}  {name} = {text:?}", layout.file));
        if !texts.contains(&text.as_str()) {
            texts.push(text);
        }
    }
    let marks: Vec<String> = texts.iter().map(|text| format!("--na {text:?}")).collect();
    error = error.hint(format!("treat as missing: {}", marks.join(" ")));
    if let Some(separator) = thousands_of(&texts) {
        error = error.hint(format!("thousands separator: --thousands {:?}", separator.to_string()));
    }
    error.hint(format!("a category, not a number: --categorical {name}"))
}

/// The separator with which one of the texts is a number.
fn thousands_of(texts: &[&str]) -> Option<char> {
    SEPARATORS.into_iter().find(|&separator| {
        texts.iter().any(|text| grouped_number(text.as_bytes(), separator).is_some_and(f64::is_finite))
    })
}

/// A numeric column with infinite cells.
pub(super) fn infinite(layout: &Layout, name: &str, strays: &Strays) -> Error {
    let count = strays.infinite;
    let values =
        if count == 1 { "an infinite value".into() } else { format!("{} infinite values", grouped(count)) };
    let mut error = Error::new(Code::NumberTooLarge, format!("column {name:?} has {values}"));
    for (line, text, _) in strays.first.iter().filter(|s| s.2) {
        error = error.at(format!("{}:{line}  {name} = {text:?}", layout.file));
    }
    let text = strays.first.iter().find(|s| s.2).map_or("inf", |s| s.1.as_str());
    error.hint(format!("treat as missing: --na {text:?}"))
}
