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

/// Which digits of a network's numbers are written.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Digits {
    /// Those that single precision holds.
    Single,
    /// Those down to 10 to this power: numbers from a network in single precision, on a scale far from 0, where single precision would
    /// lose what parts one from the other, and double precision shows digits that nobody has computed.
    DownTo(i32),
    /// Those that double precision holds.
    Double,
}

impl Digits {
    /// Of `mean + std · output` with an output in single precision.
    pub fn of_scaled(mean: f64, std: f64) -> Self {
        /// Means so many times as large as the standard deviation cost single precision four of its 24 bits; a millionth of the
        /// standard deviation is left.
        const FAR: f64 = 16.0;
        // Far enough from the largest and the smallest number that single precision has.
        let holds = (1e-30..1e30).contains(&std) && mean.abs() <= FAR * std;
        let unit = std * f64::from(f32::EPSILON) / 2.0;
        if holds { Self::Single } else { Self::DownTo(unit.log10().floor() as i32) }
    }

    fn column(self, values: impl Iterator<Item = f64>) -> OutputColumn {
        match self {
            Self::Single => OutputColumn::Single(values.map(|v| v as f32).collect()),
            Self::DownTo(power) => OutputColumn::Double(values.map(|v| rounded(v, power)).collect()),
            Self::Double => OutputColumn::Double(values.collect()),
        }
    }
}

/// The nearest multiple of 10 to a power, through its decimal digits: as a product it would have others behind them.
fn rounded(value: f64, power: i32) -> f64 {
    /// Digits after the first that tell all numbers in double precision apart.
    const ENOUGH: i32 = 16;
    if value == 0.0 || !value.is_finite() {
        return value;
    }
    let digits = (value.abs().log10().floor() as i32).saturating_sub(power);
    match digits {
        ENOUGH.. => value,
        0.. => format!("{value:.*e}", digits as usize).parse().unwrap_or(value),
        // Half a unit at the most.
        _ => 0.0,
    }
}

/// Columns of one length.
#[derive(Debug)]
pub struct Predictions {
    rows: usize,
    digits: Digits,
    columns: Vec<(String, OutputColumn)>,
}

impl Predictions {
    /// No column yet; `digits`: of the numbers of networks.
    pub fn new(rows: usize, digits: Digits) -> Self {
        Self { rows, digits, columns: vec![] }
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
            let column = values.iter().skip(j).step_by(names.len()).copied();
            self.columns.push((name.clone(), self.digits.column(column)));
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
        let mut predictions = Predictions::new(2, Digits::Single);
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

    /// Nothing that a network in single precision has computed is lost, and there are no more digits than that.
    #[test]
    fn digits_of_scaled_numbers() {
        for (mean, std, output, expected) in [
            (22.5, 9.2, 0.3_f32, "25.26"),
            (1e6, 3.7, 0.3, "1000001.11"),
            (1.7e9, 1e7, 0.25, "1702500000"),
            (1.7e9, 1e7, 0.3, "1703000000.1"),
            (2000.0, 0.0, 0.5, "2000"),
            (0.0, 1e40, 0.25, "2.5e39"),
            (0.0, 1e-90, -0.5, "-5e-91"),
            (-1e300, 1e296, 1.0, "-9.999e299"),
        ] {
            let mut predictions = Predictions::new(1, Digits::of_scaled(mean, std));
            predictions.push_all(&["y".into()], &[mean + std * f64::from(output)]);
            let mut out = vec![];
            predictions.write(&mut out, FileFormat::Csv(Compression::None)).unwrap();
            assert_eq!(String::from_utf8(out).unwrap(), format!("y\n{expected}\n"), "{mean} {std}");
        }
        for value in [0.0, -0.0, f64::INFINITY, 1.0, 123.456, 1e-300, -1e300] {
            assert_eq!(rounded(value, -340), value);
            assert_eq!(rounded(value, 400), if value.is_finite() { 0.0 } else { value });
        }
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
