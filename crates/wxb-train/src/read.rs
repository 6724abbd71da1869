//! From a file to examples: features, target, row weights.

use std::collections::{BTreeMap, HashMap};

use wxb::data::{Column, Features, Table};
use wxb::error::nearest;
use wxb::model_file::Model;
use wxb::preprocess::{Kind, Preprocessor};
use wxb::{Code, Error, Result};
use wxb_io::{ColumnKind, Format, ReadOptions, Source};

use super::examples::{Examples, check_weights};
use crate::args::reading::ReadingArgs;
use crate::args::train::ColumnArgs;

/// The name that the target of an array has.
pub const ARRAY_TARGET: &str = "y";

/// Reads a training file; `warn` hears what is to be said about it.
///
/// # Errors
/// What is wrong with the file; [`Code::UnknownColumn`] and [`Code::NoTarget`]; [`Code::InvalidSetting`] for flags that have no
/// effect on it.
pub fn for_training(
    file: &str,
    columns: &ColumnArgs,
    reading: &ReadingArgs,
    kinds: &[(&str, Kind)],
    warn: impl FnMut(&str),
) -> Result<Examples> {
    let (examples, format) = read_training(file, columns, reading, kinds, warn)?;
    refuse_members(reading, format, file)?;
    Ok(examples)
}

/// Reads a validation file beside a training file with columns of these kinds. It may be of another format, to which the names of
/// members do not apply.
///
/// # Errors
/// As [`for_training`].
pub(crate) fn beside_training(
    file: &str,
    columns: &ColumnArgs,
    reading: &ReadingArgs,
    kinds: &[(&str, Kind)],
    warn: impl FnMut(&str),
) -> Result<Examples> {
    read_training(file, columns, reading, kinds, warn).map(|(examples, _)| examples)
}

fn read_training(
    file: &str,
    columns: &ColumnArgs,
    reading: &ReadingArgs,
    kinds: &[(&str, Kind)],
    warn: impl FnMut(&str),
) -> Result<(Examples, Format)> {
    let mut options = options(reading, kinds);
    options.drop = columns.drop.clone();
    options.kinds.extend(columns.categorical.iter().map(|name| (name.clone(), ColumnKind::Text)));
    let loaded = wxb_io::read(&source(file), &options).map_err(|error| in_file(&error, file))?;
    loaded.warnings.iter().map(String::as_str).for_each(warn);
    let (features, target, weights) = match loaded.features {
        Features::Table(mut table) => {
            check_known(&table, &columns.categorical, file)?;
            let weights = take_weights(&mut table, columns.weight.as_deref(), file)?;
            let target = match (loaded.labels, columns.target.as_deref()) {
                (Some(labels), None) => labels,
                (None, name) => take_target(&mut table, name, file)?,
                (Some(_), Some(name)) => return Err(target_twice(name, file)),
            };
            (Features::Table(table), target, weights)
        }
        matrix => {
            refuse_column_flags(columns, file)?;
            (matrix, loaded.labels.ok_or_else(|| no_labels(file))?, None)
        }
    };
    Ok((Examples { name: file.to_owned(), features, target: Some(target), weights }, loaded.format))
}

/// Names of members where there are none.
fn refuse_members(reading: &ReadingArgs, format: Format, file: &str) -> Result<()> {
    let given = [("--x", &reading.x), ("--y", &reading.y)];
    match given.into_iter().find(|(_, name)| name.is_some()) {
        Some((flag, _)) if format != Format::Npz => {
            let what = format!("{flag} picks a member of an NPZ file, and {file} is {}", format.name());
            Err(Error::new(Code::InvalidSetting, what).hint(format!("leave {flag} out")))
        }
        _ => Ok(()),
    }
}

fn target_twice(name: &str, file: &str) -> Error {
    let what = format!("--target {name} is a column of {file}, and a file of labels is given, too");
    Error::new(Code::InvalidSetting, what).hint("leave one of them out")
}

/// Reads a file for a model: as the training file was read, its columns taken for what they were. `warn` hears what is to be said
/// about it.
///
/// # Errors
/// What is wrong with the file; [`Code::InvalidSetting`] for flags that have no effect on it.
pub fn for_model(
    file: &str,
    model: &Model,
    ask: &Ask<'_>,
    reading: &ReadingArgs,
    warn: impl FnMut(&str),
) -> Result<Examples> {
    let mut options = options(&as_trained(reading, model), &[]);
    let text = |name: &String| (name.clone(), ColumnKind::Text);
    options.kinds.extend(ask.keep.iter().map(text));
    if !ask.needs_target {
        options.kinds.extend(model.target_name.iter().map(text));
    }
    options.kinds.extend(column_kinds(model));
    let loaded = wxb_io::read(&source(file), &options).map_err(|error| as_in_training(&error))?;
    loaded.warnings.iter().map(String::as_str).for_each(warn);
    refuse_members(reading, loaded.format, file)?;
    let (features, target, weights) = match loaded.features {
        Features::Table(mut table) => {
            let weights = take_weights(&mut table, ask.weight, file)?;
            let target = match (loaded.labels, &model.target_name) {
                (Some(labels), _) => Some(labels),
                (None, Some(name)) if ask.needs_target => Some(take_models_target(&mut table, name, file)?),
                _ => None,
            };
            (Features::Table(table), target, weights)
        }
        matrix => (matrix, loaded.labels, None),
    };
    Ok(Examples { name: file.to_owned(), features, target, weights })
}

/// The kind that each column of a model's table is read as. One that no network uses may hold anything: it is text.
pub(crate) fn column_kinds(model: &Model) -> BTreeMap<String, ColumnKind> {
    let mut kinds = BTreeMap::new();
    for part in &model.parts {
        let Some(Preprocessor::Table(columns)) = &part.preprocess else { continue };
        for column in columns {
            let kind = kinds.entry(column.name.clone()).or_insert(ColumnKind::Text);
            if let Some(used) = column.encoding.kind() {
                *kind = of(&used);
            }
        }
    }
    kinds
}

/// What a command wants from a file beside the model's columns.
#[derive(Default)]
pub struct Ask<'a> {
    /// Whether each row has to have a target.
    pub needs_target: bool,
    /// The column with a weight per row.
    pub weight: Option<&'a str>,
    /// Columns that are passed on, as they stand in the file.
    pub keep: &'a [String],
}

/// Flags win over what the model remembers of its training file.
fn as_trained(reading: &ReadingArgs, model: &Model) -> ReadingArgs {
    let mut reading = reading.clone();
    reading.na.extend(model.reading.na.iter().cloned());
    reading.thousands = reading.thousands.or(model.reading.thousands);
    reading
}

fn of(kind: &Kind) -> ColumnKind {
    match kind {
        Kind::Number => ColumnKind::Number,
        Kind::Text => ColumnKind::Text,
    }
}

fn source(file: &str) -> Source {
    if file == "-" { Source::Stdin } else { Source::Path(file.into()) }
}

fn options(reading: &ReadingArgs, kinds: &[(&str, Kind)]) -> ReadOptions {
    ReadOptions {
        na: reading.na.clone(),
        kinds: kinds.iter().map(|(name, k)| ((*name).to_owned(), of(k))).collect::<HashMap<_, _>>(),
        delimiter: reading.delimiter,
        thousands: reading.thousands,
        x: reading.x.clone(),
        y: reading.y.clone(),
        labels: reading.labels.as_ref().map(Into::into),
        ..ReadOptions::default()
    }
}

pub(crate) fn take_target(table: &mut Table, name: Option<&str>, file: &str) -> Result<Column> {
    match name {
        Some(name) => table.take(name).map_err(|error| in_file(&error, file)),
        None => Err(no_target(table.names(), file)),
    }
}

/// The column that a model predicts.
pub(crate) fn take_models_target(table: &mut Table, name: &str, file: &str) -> Result<Column> {
    table.take(name).map_err(|error| in_file(&error, file).note("it is the model's target"))
}

/// Weights are numbers from 0 on.
pub(crate) fn take_weights(table: &mut Table, name: Option<&str>, file: &str) -> Result<Option<Vec<f64>>> {
    let Some(name) = name else { return Ok(None) };
    match table.take(name).map_err(|error| in_file(&error, file))? {
        Column::Number(weights) => check_weights(weights, &format!("weight column {name:?}"), file).map(Some),
        Column::Text(_) => {
            Err(Error::new(Code::WrongKind, format!("the weight column {name:?} is text")).at(file))
        }
    }
}

/// The reader leaves names that it does not find in `kinds` alone.
pub(crate) fn check_known(table: &Table, names: &[String], file: &str) -> Result<()> {
    names.iter().try_for_each(|name| table.column(name).map(|_| ()).map_err(|error| in_file(&error, file)))
}

/// The error with the file that it is about: `no column "prise" in sales.csv`, else as its place.
pub fn in_file(error: &Error, file: &str) -> Error {
    if error.message().contains(file) || error.places().iter().any(|place| place.starts_with(file)) {
        return error.clone();
    }
    if error.code() == Code::UnknownColumn {
        return rebuilt(error, format!("{} in {file}", error.message()), error.places().to_vec(), |_| true);
    }
    let places = match error.places() {
        [] => vec![file.to_owned()],
        places => places.iter().map(|place| format!("{file}, {place}")).collect(),
    };
    rebuilt(error, error.message().to_owned(), places, |_| true)
}

fn rebuilt(error: &Error, message: String, places: Vec<String>, keep: impl Fn(&str) -> bool) -> Error {
    let new = places.into_iter().fold(Error::new(error.code(), message), Error::at);
    let new = error.notes().iter().fold(new, |e, note| e.note(note));
    error.hints().iter().filter(|hint| keep(hint)).fold(new, |e, hint| e.hint(hint))
}

/// Text in a column of numbers: at training a column can be declared a category, later it cannot.
fn as_in_training(error: &Error) -> Error {
    if error.code() != Code::NotANumber {
        return error.clone();
    }
    let places = error.places().to_vec();
    rebuilt(error, error.message().to_owned(), places, |hint| !hint.contains("--categorical"))
        .note("the model was trained on numbers in it")
}

fn no_target(names: &[String], file: &str) -> Error {
    let shown = names.iter().take(12).map(String::as_str).collect::<Vec<_>>().join(", ");
    let more = if names.len() > 12 { ", …" } else { "" };
    let usual = ["target", "label", "class", "y", "outcome"];
    let likely =
        names.iter().find(|name| nearest(name, usual.into_iter()).is_some_and(|u| u == name.to_lowercase()));
    let error = Error::new(Code::NoTarget, format!("which column of {file} is to be predicted?"))
        .note(format!("columns: {shown}{more}  ({})", names.len()));
    match likely.or(names.last()) {
        Some(name) => error.hint(format!("--target {}", quoted(name))),
        None => error,
    }
}

fn quoted(name: &str) -> String {
    if name.contains(char::is_whitespace) { format!("\"{name}\"") } else { name.to_owned() }
}

pub(crate) fn no_labels(file: &str) -> Error {
    Error::new(Code::NoTarget, format!("{file} has features only; what is to be predicted?"))
        .hint("--labels FILE gives the labels of an IDX or NPY file, --x NAME --y NAME pick the members of an NPZ file")
}

pub(crate) fn refuse_column_flags(columns: &ColumnArgs, file: &str) -> Result<()> {
    let given = [
        (columns.target.is_some(), "--target", "an array's labels are picked by --y NAME or --labels FILE"),
        (columns.weight.is_some(), "--weight", "arrays have no named columns"),
        (!columns.drop.is_empty(), "--drop", "arrays have no named columns"),
        (!columns.categorical.is_empty(), "--categorical", "arrays have no named columns"),
    ];
    match given.into_iter().find(|(is_given, ..)| *is_given) {
        Some((_, flag, why)) => {
            Err(Error::new(Code::InvalidSetting, format!("{flag} is for tables, and {file} holds arrays"))
                .hint(why))
        }
        None => Ok(()),
    }
}
