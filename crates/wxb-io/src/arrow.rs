//! Arrow arrays as columns of a table: what Parquet files hold, and what data frames hand over.
//!
//! Numbers, decimals, times of day and durations (in seconds) are numeric; text, categories, booleans (`true`, `false`), dates and
//! timestamps (ISO 8601) are text. Nulls and NaN are missing, and so are declared missing marks; the default
//! marks are for text files and data frames ([`as_file_cells`]) and do not apply to Parquet, where "NA" may be Namibia.

mod cells;

use arrow_array::{ArrayRef, RecordBatchReader};
use arrow_schema::Schema;
use wxb::data::{Column, MISSING, Table, TextColumn};
use wxb::{Code, Error, Result};

use self::cells::{Cells, kind_of};
use crate::cells::as_file_cells;
use crate::csv::cell::CellRules;
use crate::levels::Levels;
use crate::{ColumnKind, ReadOptions};

/// The column in which pandas keeps the index of a data frame.
const PANDAS_INDEX: &str = "__index_level_0__";

/// A table of the batches of a stream, with warnings; `name` is what messages call it. Texts are read as those of a text file
/// ([`as_file_cells`]), whichever library holds the frame.
///
/// # Errors
/// [`Code::UnsupportedType`] for a column that cannot be trained on, [`Code::EmptyData`] without rows, [`Code::DamagedFile`] if the
/// stream breaks off; as files, values that are not what the options say.
pub fn read_batches(
    name: &str,
    batches: impl RecordBatchReader,
    options: &ReadOptions,
) -> Result<(Table, Vec<String>)> {
    let mut wanted = Wanted::new(&batches.schema(), name, options)?;
    for batch in batches {
        let batch = batch.map_err(|e| Error::new(Code::DamagedFile, format!("{name} broke off: {e}")))?;
        let columns: Vec<ArrayRef> = wanted.roots().map(|root| batch.column(root).clone()).collect();
        wanted.append(&columns)?;
    }
    let Wanted { columns, warnings, .. } = wanted;
    let as_cells = |column: Growing| {
        let (name, column) = column.finish();
        Ok((name, as_file_cells(column, &options.na)?))
    };
    table_of(name, columns.into_iter().map(as_cells).collect::<Result<_>>()?, warnings)
}

fn table_of(
    name: &str,
    columns: Vec<(String, Column)>,
    warnings: Vec<String>,
) -> Result<(Table, Vec<String>)> {
    let table = Table::new(columns)?;
    match table.rows() {
        0 => Err(Error::new(Code::EmptyData, format!("{name} has no rows"))),
        _ => Ok((table, warnings)),
    }
}

/// The columns to read.
pub(crate) struct Wanted {
    name: String,
    columns: Vec<Growing>,
    rules: CellRules,
    warnings: Vec<String>,
}

impl Wanted {
    /// Those of a schema that the options do not leave out.
    pub(crate) fn new(schema: &Schema, source: &str, options: &ReadOptions) -> Result<Self> {
        let names: Vec<String> = schema.fields().iter().map(|field| field.name().clone()).collect();
        if let Some(unknown) = options.drop.iter().find(|name| !names.contains(name)) {
            return Err(wxb::data::unknown_column(unknown, &names));
        }
        let rules = CellRules::new(&ReadOptions { na_only: true, ..options.clone() })?;
        let mut wanted = Self { name: source.to_owned(), columns: vec![], rules, warnings: vec![] };
        for (root, field) in schema.fields().iter().enumerate() {
            let name = field.name();
            if options.drop.contains(name) {
                continue;
            }
            if name == PANDAS_INDEX && !options.kinds.contains_key(name) {
                wanted.warnings.push(format!("column {name:?} is the index of a data frame and is left out"));
                continue;
            }
            let Some(own) = kind_of(field.data_type()) else {
                return Err(unsupported(source, name, &field.data_type().to_string()));
            };
            let kind = options.kinds.get(name).copied().unwrap_or(own);
            wanted.columns.push(Growing::new(root, name, kind));
        }
        match wanted.columns.is_empty() {
            true => Err(Error::new(Code::EmptyData, format!("no column of {source} is left"))),
            false => Ok(wanted),
        }
    }

    /// Their places in the schema.
    pub(crate) fn roots(&self) -> impl Iterator<Item = usize> + '_ {
        self.columns.iter().map(|column| column.root)
    }

    /// Rows more: an array for each of these columns.
    pub(crate) fn append(&mut self, arrays: &[ArrayRef]) -> Result<()> {
        for (column, array) in self.columns.iter_mut().zip(arrays) {
            let cells = cells::cells(array.as_ref(), &column.name, &self.name)?;
            column.append(cells, &self.rules, &self.name)?;
        }
        Ok(())
    }

    /// The table, with warnings.
    pub(crate) fn finish(self) -> Result<(Table, Vec<String>)> {
        let Self { name, columns, warnings, .. } = self;
        table_of(&name, columns.into_iter().map(Growing::finish).collect(), warnings)
    }
}

fn unsupported(file: &str, name: &str, kind: &str) -> Error {
    Error::new(
        Code::UnsupportedType,
        format!("column {name:?} of {file} holds {kind}, which cannot be trained on"),
    )
    .hint(format!("leave it out: --drop {name}"))
}

/// A column as it grows.
struct Growing {
    root: usize,
    name: String,
    cells: GrowingCells,
}

enum GrowingCells {
    Number(Vec<f64>),
    Text(Vec<u32>, Levels),
}

impl Growing {
    fn new(root: usize, name: &str, kind: ColumnKind) -> Self {
        let cells = match kind {
            ColumnKind::Number => GrowingCells::Number(vec![]),
            ColumnKind::Text => GrowingCells::Text(vec![], Levels::default()),
        };
        Self { root, name: name.to_owned(), cells }
    }

    fn append(&mut self, cells: Cells, rules: &CellRules, file: &str) -> Result<()> {
        match &mut self.cells {
            GrowingCells::Number(values) => {
                for i in 0..cells.len() {
                    let value = cells.number(i, rules).ok_or_else(|| {
                        let what = format!("column {:?} of {file} has to be numeric", self.name);
                        let place = format!("row {}, counted from 0: {}", values.len(), cells.shown(i));
                        Error::new(Code::NotANumber, what).at(place)
                    })?;
                    if value.is_infinite() {
                        let what = format!("column {:?} of {file} has infinite values", self.name);
                        return Err(Error::new(Code::NumberTooLarge, what)
                            .at(format!("row {}, counted from 0", values.len()))
                            .hint("replace them by nulls"));
                    }
                    values.push(value);
                }
            }
            GrowingCells::Text(codes, levels) => {
                codes.extend((0..cells.len()).map(|i| match cells.text(i) {
                    Some(text) if !rules.is_missing(text.trim().as_bytes()) => levels.code(text),
                    _ => MISSING,
                }));
            }
        }
        Ok(())
    }

    fn finish(self) -> (String, Column) {
        let column = match self.cells {
            GrowingCells::Number(mut values) => {
                values.shrink_to_fit();
                Column::Number(values)
            }
            GrowingCells::Text(mut codes, levels) => {
                codes.shrink_to_fit();
                Column::Text(TextColumn { codes, levels: levels.texts })
            }
        };
        (self.name, column)
    }
}
