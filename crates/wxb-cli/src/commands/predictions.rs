//! Predictions as a table of columns: CSV, JSON, JSON Lines.

use std::io::{self, Write};

use serde::ser::{Serialize, SerializeMap, SerializeSeq, Serializer};
use wxb_io::CsvCell;

/// One cell.
#[derive(Clone, Debug, PartialEq)]
pub enum Cell {
    /// A number; NaN is missing.
    Number(f64),
    Text(String),
    Missing,
}

/// Columns of one length.
#[derive(Debug)]
pub struct Predictions {
    rows: usize,
    is_single: bool,
    columns: Vec<(String, Vec<Cell>)>,
}

impl Predictions {
    /// No column yet; `is_single`: outputs come from a network in single precision.
    pub fn new(rows: usize, is_single: bool) -> Self {
        Self { rows, is_single, columns: vec![] }
    }

    /// The number of rows.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Adds a column of `rows` cells.
    pub fn push(&mut self, name: &str, cells: Vec<Cell>) {
        self.columns.push((name.to_owned(), cells));
    }

    /// Adds a column per name; values (rows, names) row-major.
    pub fn push_all(&mut self, names: &[String], values: &[f64]) {
        for (j, name) in names.iter().enumerate() {
            let column = values.iter().skip(j).step_by(names.len());
            let cell = |&v: &f64| Cell::Number(if self.is_single { short(v) } else { v });
            self.columns.push((name.clone(), column.map(cell).collect()));
        }
    }

    /// Writes it as CSV with a header, one line per row.
    pub fn write_csv(&self, out: &mut dyn Write) -> io::Result<()> {
        wxb_io::write_csv_row(out, self.columns.iter().map(|(name, _)| CsvCell::Text(name)))?;
        for row in 0..self.rows {
            let cells = self.columns.iter().map(|(_, cells)| match &cells[row] {
                Cell::Number(value) => CsvCell::Number(*value),
                Cell::Text(text) => CsvCell::Text(text),
                Cell::Missing => CsvCell::Missing,
            });
            wxb_io::write_csv_row(out, cells)?;
        }
        Ok(())
    }

    /// Writes an object per row, each on a line of its own.
    pub fn write_json_lines(&self, out: &mut dyn Write) -> io::Result<()> {
        for row in 0..self.rows {
            serde_json::to_writer(&mut *out, &Row { columns: &self.columns, row })?;
            out.write_all(b"\n")?;
        }
        Ok(())
    }
}

/// The number that a network in single precision gave, in the digits that it has: 0.3, not 0.30000001192092896.
fn short(value: f64) -> f64 {
    (value as f32).to_string().parse().unwrap_or(value)
}

struct Row<'a> {
    columns: &'a [(String, Vec<Cell>)],
    row: usize,
}

impl Serialize for Row<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.columns.len()))?;
        for (name, cells) in self.columns {
            match &cells[self.row] {
                Cell::Number(value) => map.serialize_entry(name, value)?,
                Cell::Text(text) => map.serialize_entry(name, text)?,
                Cell::Missing => map.serialize_entry(name, &())?,
            }
        }
        map.end()
    }
}

impl Serialize for Predictions {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut rows = serializer.serialize_seq(Some(self.rows))?;
        (0..self.rows).try_for_each(|row| rows.serialize_element(&Row { columns: &self.columns, row }))?;
        rows.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn example() -> Predictions {
        let mut predictions = Predictions::new(2, true);
        predictions.push("id", vec![Cell::Text("a,b".into()), Cell::Missing]);
        predictions.push_all(&["no".into(), "yes".into()], &[0.25, 0.75, 1.0, f64::from(0.3_f32)]);
        predictions
    }

    #[test]
    fn csv_quotes_and_keeps_single_precision_short() {
        let mut out = vec![];
        example().write_csv(&mut out).unwrap();
        assert_eq!(String::from_utf8(out).unwrap(), "id,no,yes\n\"a,b\",0.25,0.75\n,1,0.3\n");
    }

    #[test]
    fn json_lines_are_objects() {
        let mut out = vec![];
        example().write_json_lines(&mut out).unwrap();
        let expected = "{\"id\":\"a,b\",\"no\":0.25,\"yes\":0.75}\n{\"id\":null,\"no\":1.0,\"yes\":0.3}\n";
        assert_eq!(String::from_utf8(out).unwrap(), expected);
    }
}
