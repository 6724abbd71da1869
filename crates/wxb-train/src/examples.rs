//! Examples: features, target, row weights, from a table in memory or from a file ([`crate::read`]).

use std::collections::HashMap;

use wxb::data::{Column, Features, MISSING, Table, TextColumn};
use wxb::model_file::Model;
use wxb::{Code, Error, Result};
use wxb_io::{ColumnKind, as_file_cells};

use super::read::{
    Ask, check_known, column_kinds, in_file, no_labels, refuse_column_flags, take_models_target, take_target,
    take_weights,
};
use crate::args::train::ColumnArgs;

/// What a file or a table holds, the target and the weights taken out of the features.
#[derive(Clone)]
pub struct Examples {
    /// What messages call it: the file as the user named it, or another name.
    pub name: String,
    /// The columns that predict.
    pub features: Features,
    /// The column that is predicted, one cell per row.
    pub target: Option<Column>,
    /// One weight per row.
    pub weights: Option<Vec<f64>>,
}

impl Examples {
    /// What is in memory: features, and maybe a target and weights that are no columns of a table.
    ///
    /// # Errors
    /// [`Code::ShapeMismatch`] for another number of targets or weights than rows, [`Code::InvalidSetting`] for a weight that
    /// is negative or not finite.
    pub fn new(
        name: &str,
        features: Features,
        target: Option<Column>,
        weights: Option<Vec<f64>>,
    ) -> Result<Self> {
        let rows = features.rows();
        let lengths = [
            ("targets", target.as_ref().map_or(rows, Column::len)),
            ("weights", weights.as_ref().map_or(rows, Vec::len)),
        ];
        if let Some((what, n)) = lengths.into_iter().find(|(_, n)| *n != rows) {
            let message = format!("{name} has {rows} rows and {n} {what}");
            return Err(Error::new(Code::ShapeMismatch, message));
        }
        let weights = weights.map(|weights| check_weights(weights, "list of weights", name)).transpose()?;
        Ok(Self { name: name.to_owned(), features, target, weights })
    }

    /// The same as a file with these columns would be read to train on: without the columns to drop, codes of categories as text,
    /// target and weights taken out of the table unless they are there. With a target of its own, `--target` is its name.
    ///
    /// # Errors
    /// [`Code::UnknownColumn`] for a name that is not there, [`Code::NoTarget`] if there is no target and none is named; of the
    /// weights; [`Code::InvalidSetting`] for names of columns where there is no table.
    pub fn for_training(self, columns: &ColumnArgs) -> Result<Self> {
        let Self { name, features, target, weights } = self;
        let Features::Table(mut table) = features else {
            refuse_column_flags(columns, &name)?;
            let target = target.ok_or_else(|| no_labels(&name))?;
            return Ok(Self { name, features, target: Some(target), weights });
        };
        for dropped in &columns.drop {
            table.take(dropped).map_err(|error| in_file(&error, &name))?;
        }
        check_known(&table, &columns.categorical, &name)?;
        let mut table = as_text(table, |column| columns.categorical.iter().any(|name| name == column))?;
        let weights = match (weights, columns.weight.as_deref()) {
            (Some(_), Some(_)) => return Err(twice("weights", "--weight")),
            (Some(weights), None) => Some(weights),
            (None, column) => take_weights(&mut table, column, &name)?,
        };
        let target = match target {
            Some(target) => target,
            None => take_target(&mut table, columns.target.as_deref(), &name)?,
        };
        Ok(Self { name, features: Features::Table(table), target: Some(target), weights })
    }

    /// The same as a file with these columns would be read for a model: the target, if it is asked for, and weights taken out of
    /// the table unless they are there, what the training file marked as missing missing, and numbers as text where the model has
    /// categories.
    ///
    /// # Errors
    /// [`Code::UnknownColumn`] for a target or weights that are not there; of the weights.
    pub fn for_model(self, model: &Model, ask: &Ask<'_>) -> Result<Self> {
        let Self { name, features, target, weights } = self;
        let Features::Table(mut table) = features else {
            return Ok(Self { name, features, target, weights });
        };
        let weights = match (weights, ask.weight) {
            (Some(_), Some(_)) => return Err(twice("weights", "the weight column")),
            (Some(weights), None) => Some(weights),
            (None, column) => take_weights(&mut table, column, &name)?,
        };
        let target = match (target, &model.target_name) {
            (None, Some(column)) if ask.needs_target => Some(take_models_target(&mut table, column, &name)?),
            (target, _) => target,
        };
        let kinds = column_kinds(model);
        let table = without_marks(table, &model.reading.na)?;
        let table = as_text(table, |column| kinds.get(column) == Some(&ColumnKind::Text))?;
        Ok(Self { name, features: Features::Table(table), target, weights })
    }
}

fn twice(what: &str, setting: &str) -> Error {
    Error::new(Code::InvalidSetting, format!("{what} are given, and {setting} names a column of them"))
        .hint("leave one of them out")
}

/// Weights are numbers from 0 on; `whose` says in messages what they are.
pub(crate) fn check_weights(weights: Vec<f64>, whose: &str, name: &str) -> Result<Vec<f64>> {
    let Some(row) = weights.iter().position(|w| !w.is_finite() || *w < 0.0) else { return Ok(weights) };
    let (what, hint) = match weights[row] {
        w if w.is_nan() => {
            (format!("the {whose} has a missing value"), "a row that is not to count has the weight 0")
        }
        w => (format!("the {whose} has a weight of {w}"), "weights are finite and not negative"),
    };
    Err(Error::new(Code::InvalidSetting, what).at(format!("{name}, data row {}", row + 1)).hint(hint))
}

/// The table with cells missing that these marks declare missing.
fn without_marks(table: Table, na: &[String]) -> Result<Table> {
    if na.is_empty() {
        return Ok(table);
    }
    let columns =
        table.iter().map(|(name, column)| Ok((name.to_owned(), as_file_cells(column.clone(), na)?)));
    Table::new(columns.collect::<Result<_>>()?)
}

/// The table with some columns of numbers as text: 3 as "3", 0.5 as "0.5", a missing number as a missing text.
fn as_text(table: Table, is_text: impl Fn(&str) -> bool) -> Result<Table> {
    if !table.iter().any(|(name, column)| matches!(column, Column::Number(_)) && is_text(name)) {
        return Ok(table);
    }
    let columns = table.iter().map(|(name, column)| {
        let column = match column {
            Column::Number(values) if is_text(name) => Column::Text(texts(values)),
            column => column.clone(),
        };
        (name.to_owned(), column)
    });
    Table::new(columns.collect())
}

fn texts(values: &[f64]) -> TextColumn {
    let mut places = HashMap::<String, u32>::new();
    let mut levels = vec![];
    let mut code = |value: &f64| {
        if value.is_nan() {
            return MISSING;
        }
        *places.entry(value.to_string()).or_insert_with_key(|text| {
            levels.push(text.clone());
            levels.len() as u32 - 1
        })
    };
    let codes = values.iter().map(&mut code).collect();
    TextColumn { codes, levels }
}
