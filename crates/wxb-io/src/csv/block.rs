//! Parsing one block: text in, parts of columns out.

use wxb::Result;
use wxb::data::MISSING;

use super::cell::CellRules;
use super::column::{Growing, Strays};
use super::problems;
use super::records::{LineCounter, Records};
use crate::ColumnKind;
use crate::levels::Levels;

/// What the parser has to know of the table.
pub(super) struct Layout<'a> {
    pub(super) file: &'a str,
    pub(super) delimiter: u8,
    pub(super) names: &'a [String],
    /// The columns to read, by their index in the file; the others are passed over.
    pub(super) wanted: Vec<(usize, ColumnKind)>,
    pub(super) rules: &'a CellRules,
}

/// The rows of one block.
pub(super) struct Part {
    pub(super) rows: usize,
    pub(super) columns: Vec<Growing>,
}

/// Parses a block that begins in line `first_line`. `whole` are the columns before the batch: their levels are
/// known, others become levels of the part.
pub(super) fn parse(layout: &Layout, whole: &[Growing], text: &[u8], first_line: usize) -> Result<Part> {
    problems::check_text(layout.file, text, first_line)?;
    let mut records = Records::new(layout.delimiter, text);
    let mut lines = LineCounter::new(text, first_line);
    let mut rows = 0;
    let mut columns: Vec<Growing> = Vec::new();
    while let Some(record) = records.next() {
        if record.len() != layout.names.len() {
            return Err(problems::ragged(layout, &mut lines, &record));
        }
        if rows == 0 {
            let guess = text.len() / (record.bytes() + 1) + 8;
            columns = whole.iter().map(|column| column.part(guess)).collect();
        }
        for ((part, whole), &(i, _)) in columns.iter_mut().zip(whole).zip(&layout.wanted) {
            let cell = record.field(i);
            match (part, whole) {
                (Growing::Number { values, strays }, _) => {
                    let value = layout.rules.number(cell).filter(|v| !v.is_infinite());
                    if value.is_none() {
                        stray(strays, cell, layout, || lines.line_of(&record, i));
                    }
                    values.push(value.unwrap_or(f64::NAN));
                }
                (Growing::Text { codes, levels }, Growing::Text { levels: known, .. }) => {
                    codes.push(code(cell, levels, known, layout.rules));
                }
                _ => unreachable!("part and whole are made of the same kinds"),
            }
        }
        rows += 1;
    }
    Ok(Part { rows, columns })
}

#[cold]
fn stray(strays: &mut Strays, cell: &[u8], layout: &Layout, line: impl FnOnce() -> usize) {
    let infinite = layout.rules.number(cell).is_some();
    if strays.wants(infinite) {
        strays.first.push((line(), String::from_utf8_lossy(cell).into_owned(), infinite));
    }
    strays.count(infinite);
}

fn code(cell: &[u8], fresh: &mut Levels, known: &Levels, rules: &CellRules) -> u32 {
    if rules.is_missing(cell) {
        return MISSING;
    }
    let hash = known.hash(cell);
    if let Some(code) = known.find(hash, cell) {
        return code;
    }
    let base = known.texts.len() as u32;
    base + match fresh.find(hash, cell) {
        Some(code) => code,
        // The block was checked to be UTF-8 and fields end at ASCII characters: nothing is lost.
        None => fresh.add(hash, String::from_utf8_lossy(cell).into_owned()),
    }
}
