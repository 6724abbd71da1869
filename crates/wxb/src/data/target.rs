//! The target column: which task it poses, its classes, its scale.
//!
//! **Rule.** Text is classification. Numbers are classification if all are integers and there are 2 distinct ones,
//! or at most 20 with 5 rows or more to each on average; otherwise regression. Labels are sorted (numbers by size,
//! text by its bytes) and come back as they were; of two, the second is the positive class.

use std::collections::{BTreeMap, HashMap};
use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Column, MISSING};
use crate::Real;
use crate::error::{Code, Error, Result};

/// More distinct integers than this are a quantity, not classes.
const MAX_INTEGER_CLASSES: usize = 20;
/// With fewer rows to a distinct integer than this on average, they are a quantity too.
const ROWS_PER_INTEGER_CLASS: usize = 5;

/// What is learnt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Task {
    /// Two classes, one probability.
    Binary,
    /// Three classes or more.
    Multiclass,
    /// A number.
    Regression,
}

impl Task {
    /// `"binary"`, `"multiclass"` or `"regression"`.
    pub fn name(self) -> &'static str {
        match self {
            Task::Binary => "binary",
            Task::Multiclass => "multiclass",
            Task::Regression => "regression",
        }
    }
}

/// What a user may ask for instead of the rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TaskChoice {
    /// Binary or multiclass, as the labels say.
    Classification,
    /// A number.
    Regression,
}

/// A class as it stood in the file; `Display` gives it back (`1`, `1.5`, `yes`).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Label {
    /// A number.
    Number(f64),
    /// A text.
    Text(String),
}

impl fmt::Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Label::Number(value) => value.fmt(f),
            Label::Text(text) => text.fmt(f),
        }
    }
}

/// How the target is written for the network and read back.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Target {
    /// The class index stands for the label; of two classes, `labels[1]` is the positive one.
    Classes {
        /// The labels in class order.
        labels: Vec<Label>,
    },
    /// The network learns (y − mean) / std.
    Number {
        /// The mean of the training rows; 0 where the target is left as it is.
        mean: f64,
        /// Their standard deviation; 1 where the target is left as it is.
        std: f64,
    },
}

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

/// The rows whose target is there, ascending: the others can neither train nor be evaluated.
pub fn present_rows(column: &Column) -> Vec<u32> {
    let rows = 0..column.len() as u32;
    match column {
        Column::Number(values) => rows.filter(|&r| !values[r as usize].is_nan()).collect(),
        Column::Text(text) => rows.filter(|&r| text.codes[r as usize] != MISSING).collect(),
    }
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
    let integers = counts.iter().all(|(label, _)| matches!(label, Label::Number(v) if v.fract() == 0.0));
    let few = counts.len() <= 2
        || counts.len() <= MAX_INTEGER_CLASSES && rows >= ROWS_PER_INTEGER_CLASS * counts.len();
    integers && few
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
    let mut target = Target::Number { mean: 0.0, std: 1.0 };
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

fn examples(column: &Column, rows: &[u32]) -> String {
    let counts = count_texts(column, rows);
    let shown: Vec<String> = counts.iter().take(5).map(|c| format!("\"{}\"", c.0)).collect();
    format!("values: {}{}", shown.join(", "), if counts.len() > 5 { ", …" } else { "" })
}

impl Target {
    /// The task.
    pub fn task(&self) -> Task {
        match self {
            Target::Classes { labels } if labels.len() == 2 => Task::Binary,
            Target::Classes { .. } => Task::Multiclass,
            Target::Number { .. } => Task::Regression,
        }
    }

    /// The labels in class order; none for regression.
    pub fn labels(&self) -> &[Label] {
        match self {
            Target::Classes { labels } => labels,
            Target::Number { .. } => &[],
        }
    }

    /// The target as it is, for losses with a scale of their own (Poisson).
    pub fn unscaled() -> Self {
        Target::Number { mean: 0.0, std: 1.0 }
    }

    /// Sets mean and (population) standard deviation from the training rows; classes have none.
    pub fn fit_scale(&mut self, values: &[f64], rows: &[u32]) {
        if let Target::Number { mean, std } = self {
            let moments = crate::preprocess::Moments::of(rows.iter().map(|&r| values[r as usize]));
            (*mean, *std) = (moments.mean, if moments.std > 0.0 { moments.std } else { 1.0 });
        }
    }

    /// One number per row: the class index, or (y − mean) / std.
    ///
    /// # Errors
    /// [`Code::UnknownLabel`] for a label that is no class, [`Code::BadTarget`] for a missing target or one that
    /// is text where numbers were learnt.
    pub fn encode<T: Real>(&self, column: &Column, rows: &[u32]) -> Result<Vec<T>> {
        match (self, column) {
            (Target::Classes { labels }, column) => {
                let class = class_of(labels, column);
                rows.iter().map(|&r| class(r).map(|c| T::of(f64::from(c)))).collect()
            }
            (Target::Number { mean, std }, Column::Number(values)) => {
                let scaled = |r: u32| match values[r as usize] {
                    y if y.is_finite() => Ok(T::of((y - mean) / std)),
                    y => Err(Error::new(Code::BadTarget, format!("the target is {y}")).at(place(r))),
                };
                rows.iter().map(|&r| scaled(r)).collect()
            }
            (Target::Number { .. }, Column::Text(_)) => {
                Err(Error::new(Code::BadTarget, "the target is text, and the model learnt numbers")
                    .note(examples(column, rows)))
            }
        }
    }

    /// The class index of each row; for strata and metrics.
    ///
    /// # Errors
    /// As [`Target::encode`]; [`Code::BadTarget`] for a regression.
    pub fn classes(&self, column: &Column, rows: &[u32]) -> Result<Vec<u32>> {
        let Target::Classes { labels } = self else {
            return Err(Error::new(Code::BadTarget, "a regression has no classes"));
        };
        let class = class_of(labels, column);
        rows.iter().map(|&r| class(r)).collect()
    }

    /// The number a network's output stands for: `output · std + mean`.
    pub fn decode(&self, output: f64) -> f64 {
        match self {
            Target::Classes { .. } => output,
            Target::Number { mean, std } => output * std + mean,
        }
    }

    /// Whether a target read from a file makes sense.
    ///
    /// # Errors
    /// [`Code::DamagedModel`] for fewer than 2 labels, a label twice, or a scale that is not positive and finite.
    pub fn check(&self) -> Result<()> {
        let fault = match self {
            Target::Classes { labels } if labels.len() < 2 => "fewer than 2 classes",
            Target::Classes { labels } if !all_distinct(labels) => "a class twice",
            Target::Number { mean, std } if !(mean.is_finite() && std.is_finite() && *std > 0.0) => {
                "a scale that is not positive and finite"
            }
            _ => return Ok(()),
        };
        Err(Error::new(Code::DamagedModel, format!("the model's target has {fault}")))
    }
}

fn all_distinct(labels: &[Label]) -> bool {
    let mut seen = std::collections::HashSet::new();
    labels.iter().all(|label| match label {
        Label::Number(v) => v.is_finite() && seen.insert((true, v.to_string())),
        Label::Text(t) => seen.insert((false, t.clone())),
    })
}

/// Finds the class of a row. Labels are compared as they are printed, so that a column of 0 and 1 that was read
/// as text in one file and as numbers in another has the same classes.
fn class_of<'a>(labels: &'a [Label], column: &'a Column) -> impl Fn(u32) -> Result<u32> + 'a {
    let index: HashMap<String, u32> = labels.iter().map(Label::to_string).zip(0..).collect();
    let number = |v: f64| index.get(&(v + 0.0).to_string()).copied();
    let (by_code, by_value): (Vec<Option<u32>>, HashMap<u64, Option<u32>>) = match column {
        Column::Text(text) => (text.levels.iter().map(|l| index.get(l).copied()).collect(), HashMap::new()),
        Column::Number(values) => {
            let mut distinct: HashMap<u64, Option<u32>> = HashMap::new();
            for &v in values {
                distinct.entry(v.to_bits()).or_insert_with(|| number(v));
            }
            (vec![], distinct)
        }
    };
    move |row| {
        let (class, shown) = match column {
            Column::Text(text) => {
                let code = text.codes[row as usize] as usize;
                (by_code.get(code).copied().flatten(), text.get(row as usize).map(str::to_owned))
            }
            Column::Number(values) => {
                let v = values[row as usize];
                (by_value[&v.to_bits()], (!v.is_nan()).then(|| v.to_string()))
            }
        };
        class.ok_or_else(|| no_class(labels, shown, row))
    }
}

fn no_class(labels: &[Label], shown: Option<String>, row: u32) -> Error {
    let Some(label) = shown else {
        return Error::new(Code::BadTarget, "the target is missing").at(place(row));
    };
    let known: Vec<String> = labels.iter().take(12).map(|l| format!("\"{l}\"")).collect();
    let more = if labels.len() > 12 { ", …" } else { "" };
    Error::new(Code::UnknownLabel, format!("the label \"{label}\" is none of the model's classes"))
        .at(place(row))
        .note(format!("classes: {}{more}", known.join(", ")))
}

fn place(row: u32) -> String {
    format!("data row {}", u64::from(row) + 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::TextColumn;

    fn number(values: &[f64]) -> Column {
        Column::Number(values.to_vec())
    }

    fn text(codes: &[u32], levels: &[&str]) -> Column {
        Column::Text(TextColumn {
            codes: codes.to_vec(),
            levels: levels.iter().map(|&l| l.to_owned()).collect(),
        })
    }

    fn repeated(values: &[f64], times: usize) -> Column {
        Column::Number(values.repeat(times))
    }

    fn chosen(column: &Column, wanted: Option<TaskChoice>) -> Result<Choice> {
        choose(column, &(0..column.len() as u32).collect::<Vec<_>>(), wanted)
    }

    /// A column, and the labels in class order ("" for a regression).
    fn check(column: &Column, wanted: Option<TaskChoice>, task: Task, labels: &str) {
        let choice = chosen(column, wanted).unwrap();
        assert_eq!(choice.target.task(), task);
        let shown: Vec<String> = choice.target.labels().iter().map(Label::to_string).collect();
        assert_eq!(shown.join(" "), labels);
        choice.target.check().unwrap();
    }

    #[test]
    fn the_rule() {
        use TaskChoice::{Classification, Regression};
        check(&text(&[0, 1, MISSING, 0], &["yes", "no"]), None, Task::Binary, "no yes");
        check(&text(&[0, 1, 2, 0], &["c", "a", "b", "unused"]), None, Task::Multiclass, "a b c");
        check(&number(&[1.0, 0.0, -0.0, f64::NAN]), None, Task::Binary, "0 1");
        check(&number(&[0.5, 1.5, 0.5]), None, Task::Regression, "");
        check(&number(&[0.5, 1.5, 0.5]), Some(Classification), Task::Binary, "0.5 1.5");
        check(&repeated(&[10.0, 9.0, 2.0], 5), None, Task::Multiclass, "2 9 10");
        check(&repeated(&[10.0, 9.0, 2.0], 4), None, Task::Regression, "");
        check(&repeated(&[10.0, 9.0, 2.0], 5), Some(Regression), Task::Regression, "");
        let many: Vec<f64> = (0..21).map(f64::from).collect();
        check(
            &repeated(&many[1..], 9),
            None,
            Task::Multiclass,
            "1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20",
        );
        check(&repeated(&many, 9), None, Task::Regression, "");
    }

    #[test]
    fn what_cannot_be_learnt_is_refused() {
        let refused = |column: &Column, wanted, part: &str| {
            let error = chosen(column, wanted).unwrap_err();
            assert!(error.message().contains(part), "{error} does not say {part}");
        };
        refused(&text(&[0, 0], &["a"]), None, "one class only: \"a\" in all 2 rows");
        refused(&number(&[1.0, 1.0]), None, "one class only");
        refused(&number(&[1.5, 1.5]), None, "is 1.5 in every row");
        refused(&number(&[1.5, 1.5]), Some(TaskChoice::Regression), "is 1.5 in every row");
        refused(&number(&[f64::NAN]), None, "missing in every row");
        refused(&text(&[MISSING], &[]), None, "missing in every row");
        refused(&text(&[0, 1, 2], &["a", "b", "c"]), None, "a class of its own");
        refused(&text(&[0, 1], &["a", "b"]), Some(TaskChoice::Regression), "is text");
        refused(&number(&[1.0, f64::INFINITY]), None, "infinite");
    }

    #[test]
    fn single_rows_are_warned_of() {
        let choice = chosen(&text(&[0, 0, 1, 2, 2], &["a", "b", "c"]), None).unwrap();
        assert_eq!(choice.class_rows, [2, 1, 2]);
        assert_eq!(choice.warnings, ["class \"b\" has one row only: it cannot be validated"]);
    }

    #[test]
    fn labels_are_encoded() {
        let train = text(&[0, 1, 0], &["no", "yes"]);
        let target = chosen(&train, None).unwrap().target;
        let other = text(&[0, 1, 2], &["yes", "no", "maybe"]);
        assert_eq!(target.encode::<f32>(&other, &[1, 0]).unwrap(), [0.0, 1.0]);
        assert_eq!(target.classes(&other, &[0, 0, 1]).unwrap(), [1, 1, 0]);
        let error = target.encode::<f64>(&other, &[0, 2]).unwrap_err();
        assert_eq!(error.code(), Code::UnknownLabel);
        assert_eq!(error.message(), "the label \"maybe\" is none of the model's classes");
        assert_eq!(error.places(), ["data row 3"]);
        assert_eq!(error.notes(), ["classes: \"no\", \"yes\""]);
        // Read as numbers in one file and as text in the other.
        let digits = chosen(&number(&[0.0, 1.0, 1.0]), None).unwrap().target;
        assert_eq!(digits.classes(&text(&[0, 1], &["1", "0"]), &[0, 1]).unwrap(), [1, 0]);
        assert_eq!(digits.classes(&number(&[f64::NAN]), &[0]).unwrap_err().code(), Code::BadTarget);
    }

    #[test]
    fn numbers_are_standardised() {
        let column = number(&[1.0, 3.0, 100.5, f64::NAN]);
        let mut target = chosen(&column, Some(TaskChoice::Regression)).unwrap().target;
        let Column::Number(values) = &column else { unreachable!() };
        target.fit_scale(values, &[0, 1]);
        assert_eq!(target, Target::Number { mean: 2.0, std: 1.0 });
        assert_eq!(target.encode::<f64>(&column, &[0, 1, 2]).unwrap(), [-1.0, 1.0, 98.5]);
        assert_eq!(target.decode(98.5), 100.5);
        assert_eq!(Target::unscaled().encode::<f64>(&column, &[2]).unwrap(), [100.5]);
        assert!(target.encode::<f64>(&column, &[3]).is_err());
        assert_eq!(present_rows(&column), [0, 1, 2]);
    }

    #[test]
    fn damaged_targets_are_refused() {
        let number = |v| Label::Number(v);
        for target in [
            Target::Classes { labels: vec![number(1.0)] },
            Target::Classes { labels: vec![number(1.0), number(1.0)] },
            Target::Classes { labels: vec![number(1.0), number(f64::NAN)] },
            Target::Number { mean: 0.0, std: 0.0 },
            Target::Number { mean: f64::INFINITY, std: 1.0 },
        ] {
            assert_eq!(target.check().unwrap_err().code(), Code::DamagedModel, "{target:?}");
        }
    }
}
