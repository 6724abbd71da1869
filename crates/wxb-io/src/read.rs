//! One entry for all formats.

use std::borrow::Cow;
use std::io::Read;

use wxb::data::{Column, Features, Table};
use wxb::{Code, Error, Result};

use crate::input::Input;
use crate::{Format, Loaded, ReadOptions, Source, csv, format, idx, npy, npz};

/// Reads a table or matrix, whatever its format is.
///
/// # Errors
/// What is wrong with the file, the place in it, and what to do; codes E0201 to E0219.
pub fn read(source: &Source, options: &ReadOptions) -> Result<Loaded> {
    match source {
        Source::Path(path) => read_input(&Input::path(path)?, options),
        Source::Stdin => {
            let mut bytes = Vec::new();
            std::io::stdin().lock().read_to_end(&mut bytes).map_err(|e| {
                Error::new(Code::UnreadableFile, format!("cannot read the standard input: {e}"))
            })?;
            read_input(&Input::memory("<stdin>", Cow::Owned(bytes))?, options)
        }
    }
}

/// Reads bytes in memory as a file of that name would be read.
///
/// # Errors
/// As [`read`].
pub fn read_bytes(bytes: &[u8], name_hint: &str, options: &ReadOptions) -> Result<Loaded> {
    read_input(&Input::memory(name_hint, Cow::Borrowed(bytes))?, options)
}

fn read_input(input: &Input, options: &ReadOptions) -> Result<Loaded> {
    let format = format::detect(input)?;
    let (features, own_labels, warnings) = match format {
        Format::Csv => {
            let (table, warnings) = csv::read(input, options)?;
            (Features::Table(table), None, warnings)
        }
        Format::Npy => (Features::Matrix(npy::read(input)?.into_matrix(input.name())?), None, vec![]),
        Format::Npz => {
            let (matrix, labels) = npz::read(input, options)?;
            (Features::Matrix(matrix), labels, vec![])
        }
        Format::Idx => (Features::Matrix(idx::read(input)?.into_matrix(input.name())?), None, vec![]),
        Format::Parquet => {
            let (table, warnings) = read_parquet(input, options)?;
            (Features::Table(table), None, warnings)
        }
    };
    let labels = match &options.labels {
        Some(path) => Some(read_labels(&Input::path(path)?, options)?),
        None => own_labels,
    };
    if let Some(labels) = &labels
        && labels.len() != features.rows()
    {
        let message = format!("{} rows, but {} labels", features.rows(), labels.len());
        return Err(Error::new(Code::ShapeMismatch, message).at(input.name()));
    }
    Ok(Loaded { features, labels, format, warnings })
}

#[cfg(feature = "parquet")]
fn read_parquet(input: &Input, options: &ReadOptions) -> Result<(Table, Vec<String>)> {
    crate::parquet::read(input, options)
}

#[cfg(not(feature = "parquet"))]
fn read_parquet(input: &Input, _: &ReadOptions) -> Result<(Table, Vec<String>)> {
    let what = format!("{} is a Parquet file, which this build cannot read", input.name());
    Err(Error::new(Code::UnknownFormat, what).hint("build with the feature `parquet`, or save it as CSV"))
}

/// A file of labels: one array with one number or text per row, or a CSV with one column.
fn read_labels(input: &Input, options: &ReadOptions) -> Result<Column> {
    match format::detect(input)? {
        Format::Npy => npy::read(input)?.into_column(input.name()),
        Format::Idx => idx::read(input)?.into_column(input.name()),
        Format::Csv => {
            let options = ReadOptions { drop: vec![], ..options.clone() };
            let (mut table, _) = csv::read(input, &options)?;
            match table.names() {
                [name] => table.take(&name.clone()),
                names => Err(Error::new(
                    Code::ShapeMismatch,
                    format!("{} has {} columns; labels are one column", input.name(), names.len()),
                )),
            }
        }
        other => Err(Error::new(
            Code::UnknownFormat,
            format!("{}: labels cannot be read from a {} file", input.name(), other.name()),
        )
        .hint("give them as IDX, NPY or a CSV with one column")),
    }
}
