//! Number or text: the guess from the first rows, and the decision when all rows are read.

use wxb::data::MISSING;
use wxb::{Error, Result};

use super::block::Layout;
use super::cell::CellRules;
use super::column::{Growing, Strays};
use super::problems;
use super::records::Records;
use crate::ColumnKind;
use crate::levels::Levels;

/// What becomes of a column when the whole file is read.
#[derive(Debug, PartialEq)]
pub(super) enum Settled {
    Keep,
    /// The other kind fits.
    ReadAs(ColumnKind),
    /// Numeric but for a few cells.
    Mixed,
}

/// Whether a column with so many numbers and other texts is meant to be numeric: nine of ten.
fn nearly_numeric(numbers: usize, others: usize) -> bool {
    numbers >= 9 * others && numbers > 0
}

/// Sets the kinds of the wanted columns: forced ones, or by the rows of the sample. Without any value a column is
/// numeric.
pub(super) fn guess(layout: &mut Layout, forced: &[Option<ColumnKind>], sample: &[u8]) {
    let mut counts = vec![(0, 0); layout.names.len()];
    let mut records = Records::new(layout.delimiter, sample);
    while let Some(record) = records.next() {
        for (i, (numbers, others)) in counts.iter_mut().enumerate().take(record.len()) {
            match layout.rules.number(record.field(i)) {
                Some(value) if value.is_nan() => {}
                Some(_) => *numbers += 1,
                None => *others += 1,
            }
        }
    }
    for (i, kind) in &mut layout.wanted {
        let (numbers, others) = counts[*i];
        let guessed = if others == 0 || nearly_numeric(numbers, others) {
            ColumnKind::Number
        } else {
            ColumnKind::Text
        };
        *kind = forced[*i].unwrap_or(guessed);
    }
}

/// Decides about a column of which all rows are read.
pub(super) fn settle(column: &Growing, forced: Option<ColumnKind>, rules: &CellRules) -> Settled {
    match column {
        Growing::Number { strays: Strays { texts: 0, .. }, .. } => Settled::Keep,
        Growing::Number { values, strays } => {
            let numbers = values.iter().filter(|v| !v.is_nan()).count() + strays.infinite;
            match forced.is_some() || nearly_numeric(numbers, strays.texts) {
                true => Settled::Mixed,
                false => Settled::ReadAs(ColumnKind::Text),
            }
        }
        Growing::Text { .. } if forced.is_some() => Settled::Keep,
        Growing::Text { codes, levels } => {
            let (numbers, others) = count_numbers(codes, levels, rules);
            // Also when only few cells are no numbers: reading them as numbers finds their lines.
            match nearly_numeric(numbers, others) {
                true => Settled::ReadAs(ColumnKind::Number),
                false => Settled::Keep,
            }
        }
    }
}

/// How many cells of a text column are numbers, and how many are not and not missing.
fn count_numbers(codes: &[u32], levels: &Levels, rules: &CellRules) -> (usize, usize) {
    let numeric: Vec<bool> =
        levels.texts.iter().map(|text| rules.number(text.as_bytes()).is_some()).collect();
    if !numeric.contains(&true) {
        return (0, codes.len());
    }
    let present = codes.iter().filter(|&&code| code != MISSING);
    let (mut numbers, mut all) = (0, 0);
    for &code in present {
        all += 1;
        numbers += usize::from(numeric[code as usize]);
    }
    (numbers, all - numbers)
}

/// A column that stays has to be what it was read as.
pub(super) fn check(layout: &Layout, name: &str, column: &Growing) -> Result<()> {
    match column {
        Growing::Number { strays, .. } if strays.texts > 0 => Err(mixed(layout, name, column)),
        Growing::Number { strays, .. } if strays.infinite > 0 => {
            Err(problems::infinite(layout, name, strays))
        }
        _ => Ok(()),
    }
}

/// The error for a numeric column with cells that are no numbers.
pub(super) fn mixed(layout: &Layout, name: &str, column: &Growing) -> Error {
    match column {
        Growing::Number { values, strays } => {
            let present = values.iter().filter(|v| !v.is_nan()).count() + strays.texts + strays.infinite;
            problems::not_a_number(layout, name, present, strays)
        }
        Growing::Text { .. } => unreachable!("only a column that was read as numbers has strays"),
    }
}

/// A remark about a text column that looks like numbers, and what would make it numeric.
pub(super) fn remark(
    name: &str,
    column: &Growing,
    forced: Option<ColumnKind>,
    rules: &CellRules,
) -> Option<String> {
    let Growing::Text { codes, levels } = column else { return None };
    if forced.is_some() || levels.texts.is_empty() {
        return None;
    }
    if let Some(separator) = rules.separator_that_fits(&levels.texts) {
        return Some(format!(
            "column {name:?} is read as text; its values are numbers with --thousands {:?}",
            separator.to_string()
        ));
    }
    let (numbers, others) = count_numbers(codes, levels, rules);
    let no_number = |text: &&String| rules.number(text.as_bytes()).is_none();
    let texts: Vec<&String> = levels.texts.iter().filter(no_number).take(3).collect();
    if numbers < others || texts.len() > 2 {
        return None;
    }
    let marks: Vec<String> = texts.iter().map(|text| format!("--na {text:?}")).collect();
    Some(format!(
        "column {name:?} is read as text: {} of its {} values are numbers; {} would make it numeric",
        problems::grouped(numbers),
        problems::grouped(numbers + others),
        marks.join(" ")
    ))
}
