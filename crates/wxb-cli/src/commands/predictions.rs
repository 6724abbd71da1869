//! Predictions as a table of columns: CSV, TSV, JSON, JSON Lines, Parquet.

use std::io::{self, Write};
use std::path::Path;

use serde::ser::{Serialize, SerializeMap, SerializeSeq, Serializer};
use wxb::{Code, Error, Result};
use wxb_io::{Compression, CsvCell, OutputColumn};

/// How predictions are written to a file; its name says which.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileFormat {
    Csv(Compression),
    Tsv(Compression),
    /// One array of an object per row.
    Json(Compression),
    /// An object per row, each on a line of its own.
    JsonLines(Compression),
    Parquet,
}

impl FileFormat {
    /// The format of a file name; one without an ending, such as `/dev/stdout`, is for CSV.
    ///
    /// # Errors
    /// [`Code::UnknownFormat`].
    pub fn of(file: &str) -> Result<Self> {
        let name = Path::new(file).file_name().unwrap_or_default().to_string_lossy().to_lowercase();
        let (stem, compression) = match name.rsplit_once('.') {
            Some((stem, "gz")) => (stem, Compression::Gzip),
            Some((stem, "zst")) => (stem, Compression::Zstd),
            _ => (&*name, Compression::None),
        };
        match (stem.rsplit_once('.').map(|(_, ending)| ending), compression) {
            (None, Compression::None) => Ok(FileFormat::Csv(Compression::None)),
            (Some("csv"), _) => Ok(FileFormat::Csv(compression)),
            (Some("tsv"), _) => Ok(FileFormat::Tsv(compression)),
            (Some("json"), _) => Ok(FileFormat::Json(compression)),
            (Some("jsonl" | "ndjson"), _) => Ok(FileFormat::JsonLines(compression)),
            (Some("parquet"), Compression::None) => Ok(FileFormat::Parquet),
            _ => Err(Error::new(Code::UnknownFormat, format!("predictions cannot be written to {file}"))
                .hint("name it .csv, .tsv, .json or .jsonl (each also .gz or .zst), or .parquet")),
        }
    }
}

/// Columns of one length.
#[derive(Debug)]
pub struct Predictions {
    rows: usize,
    is_single: bool,
    columns: Vec<(String, OutputColumn)>,
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
    pub fn push(&mut self, name: &str, column: OutputColumn) {
        self.columns.push((name.to_owned(), column));
    }

    /// Adds a column per name; values (rows, names) row-major.
    pub fn push_all(&mut self, names: &[String], values: &[f64]) {
        for (j, name) in names.iter().enumerate() {
            let column = values.iter().skip(j).step_by(names.len());
            let column = match self.is_single {
                true => OutputColumn::Single(column.map(|&v| v as f32).collect()),
                false => OutputColumn::Double(column.copied().collect()),
            };
            self.columns.push((name.clone(), column));
        }
    }

    /// Whether each column has a name of its own, without which most readers refuse a file or lose a column.
    ///
    /// # Errors
    /// [`Code::BadHeader`].
    pub fn check_names(&self) -> Result<()> {
        let is_twice = |i: usize| self.columns[..i].iter().any(|(name, _)| *name == self.columns[i].0);
        match (0..self.columns.len()).find(|&i| is_twice(i)) {
            None => Ok(()),
            Some(i) => {
                let name = &self.columns[i].0;
                let what = format!("two columns of the predictions would have the name {name:?}");
                Err(Error::new(Code::BadHeader, what)
                    .hint("leave it out of --keep, or choose others with --label or --proba"))
            }
        }
    }

    /// Writes it in a format.
    pub fn write(&self, out: &mut dyn Write, format: FileFormat) -> io::Result<()> {
        match format {
            FileFormat::Csv(compression) => {
                wxb_io::write_compressed(out, compression, |out| self.write_delimited(out, b','))
            }
            FileFormat::Tsv(compression) => {
                wxb_io::write_compressed(out, compression, |out| self.write_delimited(out, b'\t'))
            }
            FileFormat::Json(compression) => wxb_io::write_compressed(out, compression, |out| {
                serde_json::to_writer(out, self).map_err(io::Error::from)
            }),
            FileFormat::JsonLines(compression) => {
                wxb_io::write_compressed(out, compression, |out| self.write_json_lines(out))
            }
            FileFormat::Parquet => wxb_io::write_parquet(out, &self.columns),
        }
    }

    /// A header, then one line per row.
    fn write_delimited(&self, out: &mut dyn Write, delimiter: u8) -> io::Result<()> {
        wxb_io::write_csv_row(out, delimiter, self.columns.iter().map(|(name, _)| CsvCell::Text(name)))?;
        (0..self.rows).try_for_each(|row| {
            wxb_io::write_csv_row(out, delimiter, self.columns.iter().map(|(_, column)| column.cell(row)))
        })
    }

    fn write_json_lines(&self, out: &mut dyn Write) -> io::Result<()> {
        for row in 0..self.rows {
            serde_json::to_writer(&mut *out, &Row { columns: &self.columns, row })?;
            out.write_all(b"\n")?;
        }
        Ok(())
    }
}

struct Row<'a> {
    columns: &'a [(String, OutputColumn)],
    row: usize,
}

impl Serialize for Row<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.columns.len()))?;
        for (name, column) in self.columns {
            match column.cell(self.row) {
                CsvCell::Number(value) => map.serialize_entry(name, &value)?,
                CsvCell::Text(text) => map.serialize_entry(name, text)?,
                CsvCell::Missing => map.serialize_entry(name, &())?,
            }
        }
        map.end()
    }
}

impl Serialize for Predictions {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        let mut rows = serializer.serialize_seq(Some(self.rows))?;
        (0..self.rows).try_for_each(|row| rows.serialize_element(&Row { columns: &self.columns, row }))?;
        rows.end()
    }
}

#[cfg(test)]
mod tests {
    use wxb::data::{MISSING, TextColumn};

    use super::*;

    fn example() -> Predictions {
        let mut predictions = Predictions::new(2, true);
        let id = TextColumn { codes: vec![0, MISSING], levels: vec!["a,b".into()] };
        predictions.push("id", OutputColumn::Text(id));
        predictions.push("age", OutputColumn::Double(vec![f64::NAN, f64::from(0.3_f32)]));
        predictions.push_all(&["no".into(), "yes".into()], &[0.25, 0.75, 1.0, f64::from(0.3_f32)]);
        predictions
    }

    fn check(file: &str, expected: &str) {
        let mut out = vec![];
        example().write(&mut out, FileFormat::of(file).unwrap()).unwrap();
        assert_eq!(String::from_utf8(out).unwrap(), expected);
    }

    #[test]
    fn text_is_quoted_and_single_precision_stays_short() {
        check("p.csv", "id,age,no,yes\n\"a,b\",,0.25,0.75\n,0.30000001192092896,1,0.3\n");
        check("p.tsv", "id\tage\tno\tyes\n\"a,b\"\t\t0.25\t0.75\n\t0.30000001192092896\t1\t0.3\n");
    }

    #[test]
    fn json_is_objects() {
        let rows = [
            "{\"id\":\"a,b\",\"age\":null,\"no\":0.25,\"yes\":0.75}",
            "{\"id\":null,\"age\":0.30000001192092896,\"no\":1.0,\"yes\":0.3}",
        ];
        check("p.json", &format!("[{}]", rows.join(",")));
        check("p.jsonl", &format!("{}\n", rows.join("\n")));
    }

    #[test]
    fn names_of_files() {
        use Compression::{Gzip, None, Zstd};
        for (file, format) in [
            ("out.csv", FileFormat::Csv(None)),
            ("out.b.csv", FileFormat::Csv(None)),
            ("/dev/stdout", FileFormat::Csv(None)),
            ("runs.d/out", FileFormat::Csv(None)),
            ("OUT.CSV.GZ", FileFormat::Csv(Gzip)),
            ("out.tsv", FileFormat::Tsv(None)),
            ("a/out.tsv.zst", FileFormat::Tsv(Zstd)),
            ("out.json", FileFormat::Json(None)),
            ("out.jsonl.gz", FileFormat::JsonLines(Gzip)),
            ("out.ndjson", FileFormat::JsonLines(None)),
            ("out.parquet", FileFormat::Parquet),
        ] {
            assert_eq!(FileFormat::of(file).unwrap(), format, "{file}");
        }
        for file in
            ["out.npz", "out.npy", "out.xlsx", "out.txt", "out.gz", "out.parquet.gz", "out.csv.bz2", "out."]
        {
            assert_eq!(FileFormat::of(file).unwrap_err().code(), Code::UnknownFormat, "{file}");
        }
    }
}
