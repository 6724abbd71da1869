//! A table of named columns.

use std::collections::HashMap;

use crate::error::{Code, Error, Result};

/// The code of a missing cell in a [`TextColumn`]; a missing number is NaN.
pub const MISSING: u32 = u32::MAX;

/// Named columns of one length.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Table {
    names: Vec<String>,
    columns: Vec<Column>,
    rows: usize,
}

/// The cells of one column.
#[derive(Clone, Debug, PartialEq)]
pub enum Column {
    /// Numbers; NaN is missing.
    Number(Vec<f64>),
    /// Text, each distinct text stored once.
    Text(TextColumn),
}

/// Text cells as codes into their distinct levels, in the order of first appearance.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TextColumn {
    /// One per row: an index into `levels`, or [`MISSING`].
    pub codes: Vec<u32>,
    /// The distinct texts.
    pub levels: Vec<String>,
}

impl TextColumn {
    /// The text of a row, `None` where missing.
    pub fn get(&self, row: usize) -> Option<&str> {
        self.levels.get(self.codes[row] as usize).map(String::as_str)
    }
}

impl Column {
    /// The number of cells.
    pub fn len(&self) -> usize {
        match self {
            Column::Number(values) => values.len(),
            Column::Text(text) => text.codes.len(),
        }
    }

    /// Whether there is no cell.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The cells of some rows, in their order; a row may come more than once.
    #[must_use]
    pub fn select(&self, rows: &[u32]) -> Self {
        match self {
            Column::Number(values) => Column::Number(rows.iter().map(|&row| values[row as usize]).collect()),
            Column::Text(text) => {
                let codes = rows.iter().map(|&row| text.codes[row as usize]).collect();
                Column::Text(TextColumn { codes, levels: text.levels.clone() })
            }
        }
    }

    /// The row whose cell is the usual one: of numbers the median (of two the lower one), of text the most frequent (of several
    /// the first to appear). A missing cell is the usual one where most numbers are missing, or no text is as frequent.
    fn usual(&self) -> u32 {
        match self {
            Column::Number(values) => {
                let (mut there, missing): (Vec<u32>, Vec<u32>) =
                    (0..values.len() as u32).partition(|&row| !values[row as usize].is_nan());
                if missing.len() > there.len() {
                    return missing[0];
                }
                there.sort_by(|&a, &b| values[a as usize].total_cmp(&values[b as usize]));
                there[(there.len() - 1) / 2]
            }
            Column::Text(text) => {
                let mut counts = HashMap::<u32, (usize, u32)>::new();
                for (row, &code) in text.codes.iter().enumerate() {
                    counts.entry(code).or_insert((0, row as u32)).0 += 1;
                }
                let most = counts.values().max_by_key(|&&(count, first)| (count, std::cmp::Reverse(first)));
                most.map_or(0, |&(_, first)| first)
            }
        }
    }

    /// How many cells are missing.
    pub fn missing(&self) -> usize {
        match self {
            Column::Number(values) => values.iter().filter(|v| v.is_nan()).count(),
            Column::Text(text) => text.codes.iter().filter(|&&c| c == MISSING).count(),
        }
    }
}

impl Table {
    /// A table of columns.
    ///
    /// # Errors
    /// [`Code::BadHeader`] for a name that occurs twice, [`Code::ShapeMismatch`] for unequal lengths or a text
    /// code without its level.
    pub fn new(columns: Vec<(String, Column)>) -> Result<Self> {
        let rows = columns.first().map_or(0, |(_, c)| c.len());
        let mut seen = std::collections::HashSet::new();
        for (name, column) in &columns {
            if !seen.insert(name.as_str()) {
                return Err(Error::new(Code::BadHeader, format!("the column name {name:?} occurs twice"))
                    .hint("rename one of the two"));
            }
            if column.len() != rows {
                let message = format!("column {name:?} has {} rows, the first column {rows}", column.len());
                return Err(Error::new(Code::ShapeMismatch, message));
            }
            if let Column::Text(text) = column
                && text.codes.iter().any(|&c| c != MISSING && c as usize >= text.levels.len())
            {
                return Err(Error::new(
                    Code::ShapeMismatch,
                    format!("column {name:?} has a code without level"),
                ));
            }
        }
        let (names, columns) = columns.into_iter().unzip();
        Ok(Self { names, columns, rows })
    }

    /// The cells of each column in the rows that are asked for by its name; as many for each.
    ///
    /// # Errors
    /// As [`Table::new`], if they are not as many.
    pub fn select<'a>(&self, rows: impl Fn(&str) -> &'a [u32]) -> Result<Self> {
        let selected = |(name, column): (&str, &Column)| (name.to_owned(), column.select(rows(name)));
        Self::new(self.iter().map(selected).collect())
    }

    /// First a row with what is usual in each column, the median of numbers and the most frequent text; then the given rows.
    ///
    /// # Errors
    /// [`Code::EmptyData`] for a table without rows.
    pub fn usual_and(&self, rows: &[u32]) -> Result<Self> {
        if self.rows == 0 {
            return Err(Error::new(Code::EmptyData, "a table without rows has no usual one"));
        }
        let of = |(name, column): (&str, &Column)| {
            let rows: Vec<u32> = [column.usual()].iter().chain(rows).copied().collect();
            (name.to_owned(), column.select(&rows))
        };
        Self::new(self.iter().map(of).collect())
    }

    /// The number of rows.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// The column names, in order.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// Names and columns, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Column)> {
        self.names.iter().map(String::as_str).zip(&self.columns)
    }

    /// A column by name.
    ///
    /// # Errors
    /// [`Code::UnknownColumn`], with the names that are there and the one that was probably meant.
    pub fn column(&self, name: &str) -> Result<&Column> {
        self.position(name).map(|i| &self.columns[i])
    }

    /// Takes a column out of the table.
    ///
    /// # Errors
    /// As [`Table::column`].
    pub fn take(&mut self, name: &str) -> Result<Column> {
        let i = self.position(name)?;
        self.names.remove(i);
        Ok(self.columns.remove(i))
    }

    fn position(&self, name: &str) -> Result<usize> {
        self.names.iter().position(|n| n == name).ok_or_else(|| unknown_column(name, &self.names))
    }
}

/// "no column …", with the names that are there; the nearest one as a hint.
pub fn unknown_column(name: &str, names: &[String]) -> Error {
    let mut list = names.iter().take(12).cloned().collect::<Vec<_>>().join(", ");
    if names.len() > 12 {
        list += ", …";
    }
    let error = Error::new(Code::UnknownColumn, format!("no column {name:?}"))
        .note(format!("columns: {list}  ({})", names.len()));
    match crate::error::nearest(name, names.iter().map(String::as_str)) {
        Some(near) => error.hint(format!("did you mean {near:?}?")),
        None => error,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_usual_row() {
        let text = |codes: &[u32]| {
            Column::Text(TextColumn {
                codes: codes.to_vec(),
                levels: vec!["a".into(), "b".into(), "c".into()],
            })
        };
        let nan = f64::NAN;
        let columns = vec![
            ("odd".into(), Column::Number(vec![3.0, 9.0, 1.0, nan, nan])),
            ("even".into(), Column::Number(vec![4.0, 1.0, 3.0, 2.0, nan])),
            ("rare".into(), Column::Number(vec![nan, 1.0, nan, nan, 2.0])),
            ("word".into(), text(&[2, 1, 0, 1, 0])),
            ("gaps".into(), text(&[MISSING, 1, MISSING, 0, MISSING])),
        ];
        let usual = Table::new(columns).unwrap().usual_and(&[1]).unwrap();
        let number = |name: &str| match usual.column(name).unwrap() {
            Column::Number(values) => values[0],
            Column::Text(_) => panic!("{name} is text"),
        };
        assert_eq!((number("odd"), number("even")), (3.0, 2.0));
        assert!(number("rare").is_nan());
        let Column::Text(word) = usual.column("word").unwrap() else { panic!("text") };
        let Column::Text(gaps) = usual.column("gaps").unwrap() else { panic!("text") };
        assert_eq!((word.get(0), gaps.get(0)), (Some("b"), None));
        assert_eq!((usual.rows(), word.get(1), gaps.get(1)), (2, Some("b"), Some("b")));
        assert_eq!(Table::default().usual_and(&[]).unwrap_err().code(), Code::EmptyData);
    }

    #[test]
    fn unknown_column_names_the_nearest() {
        let table = Table::new(vec![("price".into(), Column::Number(vec![1.0]))]).unwrap();
        let error = table.column("prise").unwrap_err();
        assert_eq!(error.hints(), ["did you mean \"price\"?"]);
        assert!(table.column("units").unwrap_err().hints().is_empty());
    }

    #[test]
    fn a_name_twice_is_refused() {
        let column = || Column::Number(vec![]);
        let error = Table::new(vec![("a".into(), column()), ("a".into(), column())]).unwrap_err();
        assert_eq!(error.code(), Code::BadHeader);
    }
}
