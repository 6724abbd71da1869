//! A table of text cells: for people, Markdown or CSV.

use crate::args::choice::OutputFormat;

/// Cells under headings; numbers stand right, words left.
#[derive(Debug, Default)]
pub struct Table {
    headings: Vec<String>,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// An empty table with these headings.
    pub fn new(headings: &[&str]) -> Self {
        Self { headings: headings.iter().map(|&h| h.to_owned()).collect(), rows: vec![] }
    }

    /// Adds a row; cells that are left out are empty.
    pub fn row(&mut self, cells: impl IntoIterator<Item = impl Into<String>>) {
        let mut row: Vec<String> = cells.into_iter().map(Into::into).collect();
        row.resize(self.headings.len(), String::new());
        self.rows.push(row);
    }

    /// The table in the format that was asked for, without a line break at its end.
    pub fn render(&self, format: OutputFormat) -> String {
        let lines: Vec<String> = match format {
            OutputFormat::Csv => self.lines().map(|row| csv_line(row)).collect(),
            OutputFormat::Md => self.markdown(),
            _ => self.text(),
        };
        lines.join("\n")
    }

    fn lines(&self) -> impl Iterator<Item = &Vec<String>> {
        std::iter::once(&self.headings).chain(&self.rows)
    }

    fn text(&self) -> Vec<String> {
        let widths: Vec<usize> = (0..self.headings.len()).map(|j| self.width(j)).collect();
        let right: Vec<bool> = (0..self.headings.len()).map(|j| self.is_numeric(j)).collect();
        let line = |row: &Vec<String>| {
            let cells = row.iter().enumerate().map(|(j, cell)| pad(cell, widths[j], right[j]));
            format!(" {}", cells.collect::<Vec<_>>().join("  ")).trim_end().to_owned()
        };
        self.lines().map(line).collect()
    }

    fn markdown(&self) -> Vec<String> {
        let line = |row: &Vec<String>| {
            format!("| {} |", row.iter().map(|c| c.replace('|', "\\|")).collect::<Vec<_>>().join(" | "))
        };
        let marks: Vec<&str> =
            (0..self.headings.len()).map(|j| if self.is_numeric(j) { "---:" } else { "---" }).collect();
        let mut lines: Vec<String> = self.lines().map(line).collect();
        lines.insert(1, format!("| {} |", marks.join(" | ")));
        lines
    }

    fn width(&self, j: usize) -> usize {
        self.lines().map(|row| row[j].chars().count()).max().unwrap_or(0)
    }

    fn is_numeric(&self, j: usize) -> bool {
        let cells = || self.rows.iter().map(|row| row[j].as_str()).filter(|c| !c.is_empty());
        // A bar of minus signs is no number, and a single one stands for a number that is not there.
        let starts_as_number = |c: &str| c.trim_start_matches('-').starts_with(|c: char| c.is_ascii_digit());
        let is_number = |c: &str| starts_as_number(c) && !c.starts_with("--");
        cells().any(is_number) && cells().all(|c| c == "-" || is_number(c))
    }
}

fn pad(cell: &str, width: usize, right: bool) -> String {
    if right { format!("{cell:>width$}") } else { format!("{cell:width$}") }
}

fn csv_line(cells: &[String]) -> String {
    let quoted = cells.iter().map(|cell| match cell.contains([',', '"', '\n', '\r']) {
        true => format!("\"{}\"", cell.replace('"', "\"\"")),
        false => cell.clone(),
    });
    quoted.collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_renderings() {
        let mut table = Table::new(&["name", "value"]);
        table.row(["auc", "0.9"]);
        table.row(["a,b|c", "10.25"]);
        assert_eq!(table.render(OutputFormat::Text), " name   value\n auc      0.9\n a,b|c  10.25");
        assert_eq!(table.render(OutputFormat::Csv), "name,value\nauc,0.9\n\"a,b|c\",10.25");
        let markdown = "| name | value |\n| --- | ---: |\n| auc | 0.9 |\n| a,b\\|c | 10.25 |";
        assert_eq!(table.render(OutputFormat::Md), markdown);
    }

    /// Numbers stand right, "-" for one that is not there among them; bars of minus signs stand left.
    #[test]
    fn what_stands_right() {
        let mut table = Table::new(&["adds", "model", "bar"]);
        table.row(["-1.5", "-", "---"]);
        table.row(["-12.25", "0.5", "-"]);
        assert_eq!(
            table.render(OutputFormat::Text),
            "   adds  model  bar\n   -1.5      -  ---\n -12.25    0.5  -"
        );
    }
}
