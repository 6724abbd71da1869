//! How a prediction depends on one column: what is predicted for rows as they are but for that column, in the mean over the
//! rows (partial dependence, Friedman 2001) and for each of them (Goldstein, Kapelner, Bleich and Pitkin 2015).
//!
//! ```text
//! f̄(v) = 1/m Σ_i f(x_i with v in the column)
//! ```

use std::collections::HashMap;

use crate::data::{Column, MISSING, Table, TextColumn};
use crate::error::{Code, Error, Result};

/// What a column is set to, one after the other.
#[derive(Clone, Debug, PartialEq)]
pub enum Values {
    /// Numbers, ascending.
    Numbers(Vec<f64>),
    /// Texts; `None` is a missing cell.
    Texts(Vec<Option<String>>),
}

/// Which texts of a column are taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Texts {
    /// The most frequent ones, the most frequent first.
    Frequent,
    /// In their order, at equal distances, as dates are.
    InOrder,
    /// One that is there, and a missing one: for a column of which nothing else is looked at.
    Presence,
}

impl Values {
    /// At most so many values of a column.
    ///
    /// Numbers: all of them if they are so few, else half of them quantiles and half of them at equal distances, from the 1st to
    /// the 99th percentile. Texts: as `texts` says, and a missing cell, if there is one, as the last.
    pub fn of(column: &Column, most: usize, texts: Texts) -> Self {
        match column {
            Column::Number(values) => Self::Numbers(numbers(values, most)),
            Column::Text(text) => Self::Texts(self::texts(text, most, texts)),
        }
    }

    /// How many.
    pub fn len(&self) -> usize {
        match self {
            Self::Numbers(values) => values.len(),
            Self::Texts(values) => values.len(),
        }
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Each value for `rows` cells, one value after the other.
    fn column(&self, rows: usize) -> Column {
        match self {
            Self::Numbers(values) => {
                Column::Number(values.iter().flat_map(|&v| std::iter::repeat_n(v, rows)).collect())
            }
            Self::Texts(values) => {
                let levels: Vec<String> = values.iter().flatten().cloned().collect();
                let code = |text: &String| levels.iter().position(|level| level == text);
                let code = |text: &Option<String>| text.as_ref().and_then(code).map_or(MISSING, |i| i as u32);
                let codes = values.iter().flat_map(|text| std::iter::repeat_n(code(text), rows)).collect();
                Column::Text(TextColumn { codes, levels })
            }
        }
    }
}

fn numbers(values: &[f64], most: usize) -> Vec<f64> {
    let mut sorted: Vec<f64> = values.iter().copied().filter(|v| v.is_finite()).collect();
    sorted.sort_unstable_by(f64::total_cmp);
    let mut distinct = sorted.clone();
    distinct.dedup();
    if distinct.len() <= most {
        return distinct;
    }
    let at = |share: f64| sorted[(share * (sorted.len() - 1) as f64).round() as usize];
    let (low, high) = (at(0.01), at(0.99));
    let share = |i: usize, n: usize| i as f64 / (n - 1).max(1) as f64;
    // Two or three values are the ends and the middle.
    let quantiles = if most < 4 { 0 } else { most / 2 };
    let even = most - quantiles;
    let mut found: Vec<f64> = (0..quantiles).map(|i| at(0.01 + 0.98 * share(i, quantiles))).collect();
    found.extend((0..even).map(|i| low + (high - low) * share(i, even)));
    found.sort_unstable_by(f64::total_cmp);
    // A quantile and a sum that round to either side of the same number.
    found.dedup_by(|b, a| *b - *a <= 1e-9 * (high - low));
    found
}

fn texts(text: &TextColumn, most: usize, which: Texts) -> Vec<Option<String>> {
    let mut counts = HashMap::<u32, usize>::new();
    text.codes.iter().for_each(|&code| *counts.entry(code).or_default() += 1);
    let has_missing = counts.remove(&MISSING).is_some();
    let mut levels: Vec<(&str, usize)> =
        counts.iter().map(|(&code, &count)| (text.levels[code as usize].as_str(), count)).collect();
    levels.sort_unstable_by_key(|&(level, _)| level);
    let most = most.max(2) - usize::from(has_missing);
    let chosen: Vec<&str> = match which {
        Texts::InOrder if levels.len() > most => {
            (0..most).map(|i| levels[i * (levels.len() - 1) / (most - 1).max(1)].0).collect()
        }
        Texts::InOrder => levels.iter().map(|level| level.0).collect(),
        Texts::Frequent => {
            levels.sort_by_key(|&(_, count)| std::cmp::Reverse(count));
            levels.iter().take(most).map(|level| level.0).collect()
        }
        Texts::Presence => levels.iter().take(1).map(|level| level.0).collect(),
    };
    let missing = (has_missing || which == Texts::Presence).then_some(None);
    chosen.into_iter().map(|level| Some(level.to_owned())).chain(missing).collect()
}

/// What is predicted where a column is set to each of some values.
#[derive(Clone, Debug, PartialEq)]
pub struct Dependence {
    /// f̄ (values).
    pub mean: Vec<f64>,
    /// f of each row (rows, values), row-major.
    pub curves: Vec<f64>,
}

/// f̄ and f of the rows of a table, for some values of a column. `predict` gives one number for each row of a table.
///
/// # Errors
/// [`Code::EmptyData`] without rows or values, [`Code::UnknownColumn`], and those of `predict`.
pub fn dependence(
    table: &Table,
    column: &str,
    values: &Values,
    predict: impl Fn(Table) -> Result<Vec<f64>>,
) -> Result<Dependence> {
    table.column(column)?;
    let (rows, n) = (table.rows(), values.len());
    if rows == 0 || n == 0 {
        let what = format!("column {column:?} has no value to look at");
        return Err(Error::new(Code::EmptyData, what));
    }
    let again: Vec<u32> = (0..n).flat_map(|_| 0..rows as u32).collect();
    let set = |(name, cells): (&str, &Column)| {
        let cells = if name == column { values.column(rows) } else { cells.select(&again) };
        (name.to_owned(), cells)
    };
    let by_value = predict(Table::new(table.iter().map(set).collect())?)?;
    let mean = by_value.chunks_exact(rows).map(|f| f.iter().sum::<f64>() / rows as f64).collect();
    let curves = (0..rows).flat_map(|row| (0..n).map(move |v| v * rows + row)).map(|i| by_value[i]).collect();
    Ok(Dependence { mean, curves })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Table {
        let text = TextColumn { codes: vec![0, 1, 1, MISSING], levels: vec!["b".into(), "a".into()] };
        let columns = vec![
            ("x".into(), Column::Number(vec![1.0, 2.0, 4.0, f64::NAN])),
            ("z".into(), Column::Number(vec![10.0, 20.0, 30.0, 40.0])),
            ("word".into(), Column::Text(text)),
        ];
        Table::new(columns).unwrap()
    }

    fn numbers_of(table: &Table, name: &str) -> Vec<f64> {
        match table.column(name).unwrap() {
            Column::Number(values) => values.clone(),
            Column::Text(_) => panic!("{name} is text"),
        }
    }

    #[test]
    fn few_values_are_the_ends_and_the_middle() {
        let values: Vec<f64> = (0..=100).map(f64::from).collect();
        assert_eq!(numbers(&values, 2), [1.0, 99.0]);
        assert_eq!(numbers(&values, 3), [1.0, 50.0, 99.0]);
    }

    /// f = x² + z: at x = v the mean is v² + 25, and the curve of a row v² + z.
    #[test]
    fn of_a_sum() {
        let values = Values::of(table().column("x").unwrap(), 5, Texts::Frequent);
        assert_eq!(values, Values::Numbers(vec![1.0, 2.0, 4.0]));
        let f = |table: Table| {
            let (x, z) = (numbers_of(&table, "x"), numbers_of(&table, "z"));
            Ok(x.iter().zip(z).map(|(x, z)| x * x + z).collect())
        };
        let found = dependence(&table(), "x", &values, f).unwrap();
        assert_eq!(found.mean, [26.0, 29.0, 41.0]);
        assert_eq!(found.curves[3..6], [21.0, 24.0, 36.0]);
        assert_eq!(dependence(&table(), "y", &values, f).unwrap_err().code(), Code::UnknownColumn);
    }

    #[test]
    fn of_texts() {
        let some = |text: &str| Some(text.to_owned());
        let of = |most, texts| Values::of(table().column("word").unwrap(), most, texts);
        assert_eq!(of(9, Texts::Frequent), Values::Texts(vec![some("a"), some("b"), None]));
        assert_eq!(of(2, Texts::Frequent), Values::Texts(vec![some("a"), None]));
        assert_eq!(of(9, Texts::Presence), Values::Texts(vec![some("a"), None]));
        let f = |table: Table| {
            let Column::Text(text) = table.column("word")? else { panic!("text stays text") };
            Ok((0..table.rows())
                .map(|row| text.get(row).map_or(0.0, |t| if t == "a" { 1.0 } else { 2.0 }))
                .collect())
        };
        let found = dependence(&table(), "word", &of(9, Texts::InOrder), f).unwrap();
        assert_eq!(found.mean, [1.0, 2.0, 0.0]);
    }

    /// 0, 0.1, …, 10: quantiles at 0.1, 2.6, 5, 7.5, 9.9 and equal distances at 0.1, 2.55, 5, 7.45, 9.9, whose ends and middle are
    /// the same.
    #[test]
    fn many_numbers() {
        let column = Column::Number((0..=100).map(|i| f64::from(i) / 10.0).collect());
        let Values::Numbers(found) = Values::of(&column, 10, Texts::Frequent) else { panic!("numbers") };
        assert_eq!((found[0], found.len()), (0.1, 7), "{found:?}");
        assert!(found.windows(2).all(|pair| pair[1] - pair[0] > 0.04), "{found:?}");
    }
}
