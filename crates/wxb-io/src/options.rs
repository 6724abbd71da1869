//! What to read, how, and what comes back.

use std::collections::HashMap;
use std::path::PathBuf;

use wxb::data::{Column, Features};

use crate::Format;

/// Where the data is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// A file.
    Path(PathBuf),
    /// Standard input: a CSV, compressed or not.
    Stdin,
}

/// What the cells of a column are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ColumnKind {
    /// Numbers.
    Number,
    /// Text: categories, identifiers, dates.
    Text,
}

/// The texts that mean "missing" unless [`ReadOptions::na_only`] is set; compared exactly, surrounding blanks aside.
pub const DEFAULT_NA: &[&str] = &[
    "", "NA", "N/A", "n/a", "NaN", "nan", "-NaN", "-nan", "null", "NULL", "Null", "None", "?", "-", ".",
    "#N/A", "#NA", "<NA>", "#N/A N/A", "NaT",
];

/// How to read. The default forces nothing: everything is found out from the file.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ReadOptions {
    /// Texts that mean "missing", besides [`DEFAULT_NA`]; a mark that is a number is compared by value in a numeric
    /// column. In a Parquet file only these: it has nulls of its own, and "NA" may be Namibia.
    pub na: Vec<String>,
    /// Only `na` means "missing".
    pub na_only: bool,
    /// Kinds that are not to be guessed: declared categories, or what a model was trained on. Names that the
    /// table does not have are ignored.
    pub kinds: HashMap<String, ColumnKind>,
    /// Columns to leave out; an unknown name is an error.
    pub drop: Vec<String>,
    /// The field delimiter of a CSV; an ASCII character. `None`: found out, of `, ; tab |`.
    pub delimiter: Option<u8>,
    /// The thousands separator of numbers in a CSV, as in `1 204.5`. With `.` the decimal mark is `,`.
    pub thousands: Option<char>,
    /// The member of an NPZ file that holds the inputs.
    pub x: Option<String>,
    /// The member of an NPZ file that holds the labels.
    pub y: Option<String>,
    /// The file with the labels of an IDX or NPY file: IDX, NPY, or a CSV with one column.
    pub labels: Option<PathBuf>,
}

/// What was read.
#[derive(Clone, Debug, PartialEq)]
pub struct Loaded {
    /// The table or matrix.
    pub features: Features,
    /// The labels, where they come apart from the features (NPZ, NPY, IDX); one per row.
    pub labels: Option<Column>,
    /// The format of the file.
    pub format: Format,
    /// What was done to the data that its owner may not expect, in sentences.
    pub warnings: Vec<String>,
}
