//! Parquet into a table, and columns into Parquet.
//!
//! Numbers, decimals and times of day (in seconds) are numeric; text, booleans (`true`, `false`), dates and
//! timestamps (ISO 8601) are text. Nulls and NaN are missing, and so are declared missing marks; the default
//! marks are for text files and do not apply.

mod cells;
mod write;

pub use write::write_parquet;

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};

use ::parquet::arrow::ProjectionMask;
use ::parquet::arrow::arrow_reader::{ArrowReaderOptions, ParquetRecordBatchReaderBuilder};
use ::parquet::errors::ParquetError;
use ::parquet::file::reader::{ChunkReader, Length};
use arrow_schema::Schema;
use bytes::Bytes;
use wxb::data::{Column, MISSING, Table, TextColumn};
use wxb::{Code, Error, Result};

use crate::csv::cell::CellRules;
use crate::input::Input;
use crate::levels::Levels;
use crate::{ColumnKind, ReadOptions};
use cells::{Cells, kind_of};

/// The column in which pandas keeps the index of a data frame.
const PANDAS_INDEX: &str = "__index_level_0__";

thread_local! {
    static CATCHING: Cell<bool> = const { Cell::new(false) };
}

/// Whether a panic of this thread now would be caught and become an error: a panic hook has nothing to say then.
pub fn is_panic_caught() -> bool {
    CATCHING.get()
}

/// Reads a table, with warnings.
pub(crate) fn read(input: &Input, options: &ReadOptions) -> Result<(Table, Vec<String>)> {
    // The parquet crate checks most of what a file claims, and panics on some of the rest (tests/properties.rs finds
    // such files). Nothing of its state outlives the call.
    CATCHING.set(true);
    let result = catch_unwind(AssertUnwindSafe(|| match input.file_or_bytes()? {
        Ok(file) => read_chunks(Bounded(file), input, options),
        Err(bytes) => read_chunks(Bounded(Bytes::copy_from_slice(bytes)), input, options),
    }));
    CATCHING.set(false);
    let panicked = || Error::new(Code::DamagedFile, format!("{}: the Parquet file is damaged", input.name()));
    result.unwrap_or_else(|_| Err(panicked()))
}

fn read_chunks(
    chunks: impl ChunkReader + 'static,
    input: &Input,
    options: &ReadOptions,
) -> Result<(Table, Vec<String>)> {
    let damaged = |e: ParquetError| damaged(input, &e);
    // Without the schema that Arrow embeds: dictionaries come as their texts, and less of the file is trusted.
    let reader_options = ArrowReaderOptions::new().with_skip_arrow_metadata(true);
    let builder =
        ParquetRecordBatchReaderBuilder::try_new_with_options(chunks, reader_options).map_err(damaged)?;
    let wanted = wanted(builder.schema(), input, options)?;
    let mask = ProjectionMask::roots(builder.parquet_schema(), wanted.columns.iter().map(|c| c.root));
    let reader = builder.with_projection(mask).build().map_err(damaged)?;
    let rules = CellRules::new(&ReadOptions { na_only: true, ..options.clone() })?;
    let mut columns = wanted.columns;
    for batch in reader {
        let batch = batch.map_err(|e| damaged(ParquetError::ArrowError(e.to_string())))?;
        for (column, array) in columns.iter_mut().zip(batch.columns()) {
            column.append(cells::cells(array.as_ref(), &column.name, input.name())?, &rules, input.name())?;
        }
    }
    let table = Table::new(columns.into_iter().map(Growing::finish).collect())?;
    match table.rows() {
        0 => Err(Error::new(Code::EmptyData, format!("{} has no rows", input.name()))),
        _ => Ok((table, wanted.warnings)),
    }
}

fn damaged(input: &Input, error: &ParquetError) -> Error {
    let text = error.to_string();
    // The reader's words for a codec that is not compiled in, whichever way it reports it.
    if matches!(error, ParquetError::NYI(_)) || text.contains("Disabled feature") {
        let what = format!("{}: this kind of Parquet file is not read: {text}", input.name());
        return Error::new(Code::UnsupportedType, what).hint("save it with the compression zstd or snappy");
    }
    Error::new(Code::DamagedFile, format!("{}: the Parquet file is damaged: {text}", input.name()))
}

/// The columns to read.
struct Wanted {
    columns: Vec<Growing>,
    warnings: Vec<String>,
}

fn wanted(schema: &Schema, input: &Input, options: &ReadOptions) -> Result<Wanted> {
    let names: Vec<String> = schema.fields().iter().map(|field| field.name().clone()).collect();
    if let Some(unknown) = options.drop.iter().find(|name| !names.contains(name)) {
        return Err(wxb::data::unknown_column(unknown, &names));
    }
    let mut wanted = Wanted { columns: vec![], warnings: vec![] };
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
            return Err(unsupported(input.name(), name, &field.data_type().to_string()));
        };
        let kind = options.kinds.get(name).copied().unwrap_or(own);
        wanted.columns.push(Growing::new(root, name, kind));
    }
    match wanted.columns.is_empty() {
        true => Err(Error::new(Code::EmptyData, format!("no column of {} is left", input.name()))),
        false => Ok(wanted),
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

/// Chunks that refuse to be read past their end before memory for the bytes is taken.
struct Bounded<C>(C);

impl<C: ChunkReader> Bounded<C> {
    fn check(&self, start: u64, length: usize) -> ::parquet::errors::Result<()> {
        match start.checked_add(length as u64) {
            Some(end) if end <= self.0.len() => Ok(()),
            _ => Err(ParquetError::EOF("the file ends too early".into())),
        }
    }
}

impl<C: ChunkReader> Length for Bounded<C> {
    fn len(&self) -> u64 {
        self.0.len()
    }
}

impl<C: ChunkReader> ChunkReader for Bounded<C> {
    type T = C::T;

    fn get_read(&self, start: u64) -> ::parquet::errors::Result<C::T> {
        self.check(start, 0)?;
        self.0.get_read(start)
    }

    fn get_bytes(&self, start: u64, length: usize) -> ::parquet::errors::Result<Bytes> {
        self.check(start, length)?;
        self.0.get_bytes(start, length)
    }
}
