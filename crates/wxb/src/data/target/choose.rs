//! Choosing the task by the values.

use std::collections::BTreeMap;

use super::{Label, Target, TaskChoice};
use crate::data::Column;
use crate::error::{Code, Error, Result};

/// More distinct integers than this are a quantity, not classes.
const MAX_INTEGER_CLASSES: usize = 20;
/// With fewer rows to a distinct integer than this on average, they are a quantity too.
const ROWS_PER_INTEGER_CLASS: usize = 5;

/// A target together with what [`choose`] found out about it.
#[derive(Clone, Debug, PartialEq)]
pub struct Choice {
    /// How the target is written.
    pub target: Target,
    /// Rows of each class, in class order; empty for regression.
    pub class_rows: Vec<u32>,
    /// Why this task, in words: `"2 distinct texts"`.
    pub reason: String,
    /// What deserves attention, in words: classes of one row.
    pub warnings: Vec<String>,
}

/// Reads the task off the given rows of a target column, or takes the one `wanted`. Rows with a missing target do
/// not count. The mean and standard deviation of a regression are those of the rows: refit them with
/// [`Target::fit_scale`] once the training part is known.
///
/// # Errors
/// [`Code::BadTarget`] if there is no value or only one, if every row has a class of its own, or if a text column
/// is asked for a regression; [`Code::NumberTooLarge`] for an infinite number.
pub fn choose(column: &Column, rows: &[u32], wanted: Option<TaskChoice>) -> Result<Choice> {
    match (column, wanted) {
        (Column::Text(_), Some(TaskChoice::Regression)) => {
            Err(Error::new(Code::BadTarget, "the target is text, which has no regression")
                .note(examples(column, rows))
                .hint("leave --task out to learn its classes; declare marks of missing values with --na"))
        }
        (Column::Text(_), _) => classes(&count_texts(column, rows), "texts"),
        (Column::Number(values), wanted) => {
            crate::preprocess::check_sizes("the target", values, rows)?;
            let counts = count_numbers(values, rows);
            let is_classes = wanted.map_or(looks_like_classes(&counts), |w| w == TaskChoice::Classification);
            if is_classes { classes(&counts, "integers") } else { regression(values, rows, counts.len()) }
        }
    }
}

/// Each distinct label with its number of rows, sorted.
type Counts = Vec<(Label, u32)>;

fn count_texts(column: &Column, rows: &[u32]) -> Counts {
    let Column::Text(text) = column else { return vec![] };
    let mut counts = vec![0; text.levels.len()];
    for &row in rows {
        if let Some(count) = counts.get_mut(text.codes[row as usize] as usize) {
            *count += 1;
        }
    }
    let mut counts: Vec<(&String, u32)> = text.levels.iter().zip(counts).filter(|c| c.1 > 0).collect();
    counts.sort();
    counts.into_iter().map(|(text, n)| (Label::Text(text.clone()), n)).collect()
}

fn count_numbers(values: &[f64], rows: &[u32]) -> Counts {
    let mut counts = BTreeMap::new();
    for value in rows.iter().map(|&r| values[r as usize]).filter(|v| !v.is_nan()) {
        *counts.entry(SortedNumber(value + 0.0)).or_insert(0) += 1; // + 0.0 makes -0 a 0
    }
    counts.into_iter().map(|(value, n)| (Label::Number(value.0), n)).collect()
}

/// A number that is not NaN, as a key.
#[derive(Clone, Copy, PartialEq)]
struct SortedNumber(f64);

impl Eq for SortedNumber {}

impl PartialOrd for SortedNumber {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for SortedNumber {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.total_cmp(&other.0)
    }
}

fn looks_like_classes(counts: &Counts) -> bool {
    let rows: usize = counts.iter().map(|c| c.1 as usize).sum();
    let number = |i: usize| if let Label::Number(v) = counts[i].0 { v } else { f64::NAN };
    let integers = (0..counts.len()).all(|i| number(i).fract() == 0.0);
    let few = counts.len() <= MAX_INTEGER_CLASSES && rows >= ROWS_PER_INTEGER_CLASS * counts.len();
    // Numbered classes count from 0 or 1 without a gap; a rating or a count of something (3 … 9) is a quantity.
    let numbered = || {
        let first = number(0);
        (first == 0.0 || first == 1.0) && (0..counts.len()).all(|i| number(i) == first + i as f64)
    };
    integers && !counts.is_empty() && (counts.len() <= 2 || few && numbered())
}

fn classes(counts: &Counts, what: &str) -> Result<Choice> {
    let rows: u32 = counts.iter().map(|c| c.1).sum();
    match counts.as_slice() {
        [] => return Err(no_values()),
        [(label, n)] => {
            let message = format!("the target has one class only: \"{label}\" in all {n} rows");
            return Err(Error::new(Code::BadTarget, message).hint("there is nothing to tell apart"));
        }
        _ if counts.len() > 2 && counts.len() as u32 == rows => {
            let message = format!("every one of the {rows} rows has a class of its own");
            return Err(Error::new(Code::BadTarget, message)
                .hint("is the target an identifier? a number is learnt with --task regression"));
        }
        _ => {}
    }
    Ok(Choice {
        target: Target::Classes { labels: counts.iter().map(|c| c.0.clone()).collect() },
        class_rows: counts.iter().map(|c| c.1).collect(),
        reason: format!("{} distinct {what}", counts.len()),
        warnings: single_row_classes(counts).into_iter().collect(),
    })
}

fn single_row_classes(counts: &Counts) -> Option<String> {
    let singles: Vec<String> = counts.iter().filter(|c| c.1 == 1).map(|c| format!("\"{}\"", c.0)).collect();
    let (shown, more) =
        (singles[..singles.len().min(5)].join(", "), if singles.len() > 5 { ", …" } else { "" });
    match singles.len() {
        0 => None,
        1 => Some(format!("class {shown} has one row only: it cannot be validated")),
        n => Some(format!("{n} classes have one row only ({shown}{more}): they cannot be validated")),
    }
}

fn regression(values: &[f64], rows: &[u32], distinct: usize) -> Result<Choice> {
    if distinct < 2 {
        return Err(match rows.iter().map(|&r| values[r as usize]).find(|v| !v.is_nan()) {
            None => no_values(),
            Some(value) => Error::new(Code::BadTarget, format!("the target is {value} in every row"))
                .hint("there is nothing to learn"),
        });
    }
    let mut target = Target::unscaled();
    target.fit_scale(values, rows);
    Ok(Choice {
        target,
        class_rows: vec![],
        reason: format!("{distinct} distinct numbers"),
        warnings: vec![],
    })
}

fn no_values() -> Error {
    Error::new(Code::BadTarget, "the target is missing in every row")
        .hint("rows without a target are left out; is it the right column?")
}

pub(super) fn examples(column: &Column, rows: &[u32]) -> String {
    let counts = count_texts(column, rows);
    let shown: Vec<String> = counts.iter().take(5).map(|c| format!("\"{}\"", c.0)).collect();
    format!("values: {}{}", shown.join(", "), if counts.len() > 5 { ", …" } else { "" })
}
