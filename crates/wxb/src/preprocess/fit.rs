//! Fitting: which inputs a column gets, from its training rows alone.

use jiff::civil::{Date, Time};
use rayon::prelude::*;

use super::category::count_levels;
use super::plan::Unused;
use super::stats::{Moments, check_sizes};
use super::{
    Categories, CategoryInput, ColumnPlan, DateFormat, DateInput, DatePart, Encoding, LevelInput,
    MatrixInput, Note, NumberInput, PreprocessConfig, Preprocessor, Scale,
};
use crate::data::{Column, Features, TextColumn};
use crate::error::{Code, Error, Result};

/// A text column is an identifier if more than half of its texts are different, …
const IDENTIFIER_SHARE: f64 = 0.5;
/// … and more than this many: a table of ten rows has no identifiers worth the name.
const IDENTIFIER_LEVELS: usize = 20;

/// An encoding, and what to say about it: (text, is it a warning).
type Fitted = (Encoding, Vec<(String, bool)>);

impl Preprocessor {
    /// Fits to the given rows of the training data; no other row is looked at. What it noticed comes in the order
    /// of the columns.
    ///
    /// # Errors
    /// [`Code::EmptyData`] without rows, [`Code::NoInputs`] if no column is of use, [`Code::NumberTooLarge`] for
    /// infinite numbers, [`Code::InvalidSetting`] for settings that exclude each other.
    pub fn fit(features: &Features, rows: &[u32], config: &PreprocessConfig) -> Result<(Self, Vec<Note>)> {
        config.check()?;
        if rows.is_empty() {
            return Err(Error::new(Code::EmptyData, "there is no row to train on"));
        }
        let (preprocessor, notes) = match features {
            Features::Matrix(matrix) => {
                (Preprocessor::Matrix(MatrixInput::fit(matrix, rows, config)?), vec![])
            }
            Features::Table(table) => {
                let columns: Vec<(&str, &Column)> = table.iter().collect();
                let fitted: Result<Vec<(Fitted, Option<NumberInput>)>> =
                    columns.par_iter().map(|(name, column)| fit_column(name, column, rows, config)).collect();
                collect(&columns, fitted?)
            }
        };
        if preprocessor.width() == 0 {
            let error = Error::new(Code::NoInputs, "no column is left to learn from");
            return Err(notes.iter().fold(error, |e, note| e.note(note.to_string())));
        }
        preprocessor.check()?;
        Ok((preprocessor, notes))
    }
}

impl PreprocessConfig {
    fn check(&self) -> Result<()> {
        let invalid = |message: String| Err(Error::new(Code::InvalidSetting, message));
        match self.divide_by {
            Some(d) if !d.is_finite() || d == 0.0 => invalid(format!("numbers cannot be divided by {d}")),
            Some(_) if !matches!(self.scale, Scale::Auto | Scale::None) => {
                invalid(format!("dividing by a number and scale {} exclude each other", self.scale.name()))
            }
            _ if self.max_levels == 0 => invalid("at least 1 level of a text column must be kept".into()),
            _ => Ok(()),
        }
    }
}

fn collect(
    columns: &[(&str, &Column)],
    fitted: Vec<(Fitted, Option<NumberInput>)>,
) -> (Preprocessor, Vec<Note>) {
    let mut notes = vec![];
    let mut plans = vec![];
    for (&(name, _), ((encoding, remarks), again)) in columns.iter().zip(fitted) {
        let note = |(text, is_warning)| Note { column: name.to_owned(), text, is_warning };
        notes.extend(remarks.into_iter().map(note));
        let encodings = [encoding].into_iter().chain(again.map(Encoding::Again));
        plans.extend(encodings.map(|encoding| ColumnPlan { name: name.to_owned(), encoding }));
    }
    (Preprocessor::Table(in_groups(plans)), notes)
}

/// Where there are plans for embeddings: numbers, then others, then rows of the table, which are numbered through.
fn in_groups(plans: Vec<ColumnPlan>) -> Vec<ColumnPlan> {
    let apart = |plan: &ColumnPlan| match &plan.encoding {
        Encoding::Number(number) if number.apart && number.missing > 0 => Some(ColumnPlan {
            name: plan.name.clone(),
            encoding: Encoding::Missing { missing: number.missing },
        }),
        _ => None,
    };
    let group = |plan: &ColumnPlan| match &plan.encoding {
        Encoding::Number(number) | Encoding::Again(number) if number.apart => 0,
        Encoding::Row(_) => 2,
        _ => 1,
    };
    let indicators: Vec<ColumnPlan> = plans.iter().filter_map(apart).collect();
    let mut plans: Vec<ColumnPlan> = plans.into_iter().chain(indicators).collect();
    if plans.iter().any(|plan| group(plan) != 1) {
        plans.sort_by_key(group);
    }
    let mut first = 0;
    for plan in &mut plans {
        if let Encoding::Row(input) = &mut plan.encoding {
            first += input.number_from(first);
        }
    }
    plans
}

/// What becomes of a column, and of a number the second scale.
fn fit_column(
    name: &str,
    column: &Column,
    rows: &[u32],
    config: &PreprocessConfig,
) -> Result<(Fitted, Option<NumberInput>)> {
    match column {
        Column::Number(values) => fit_number(name, values, rows, config),
        Column::Text(text) => Ok((fit_text(text, rows, config), None)),
    }
}

fn fit_number(
    name: &str,
    values: &[f64],
    rows: &[u32],
    config: &PreprocessConfig,
) -> Result<(Fitted, Option<NumberInput>)> {
    check_sizes(&format!("column {name:?}"), values, rows)?;
    let mut sorted: Vec<f64> = rows.iter().map(|&r| values[r as usize]).collect();
    let moments = Moments::of(sorted.iter().copied());
    let missing = (rows.len() - moments.present) as u32;
    if moments.is_constant() {
        return Ok((useless(missing, moments.present), None));
    }
    let mut remarks = vec![];
    if missing == 0 && is_row_number(name, &sorted) {
        remarks.push(("looks like a row number; leave it out with --drop if it is one".to_owned(), true));
    }
    sorted.retain(|v| !v.is_nan());
    sorted.sort_unstable_by(f64::total_cmp);
    let again = config.second_scale.filter(|_| !is_two_valued(&sorted)).map(|scale| {
        let config = PreprocessConfig { scale, ..config.clone() };
        // The first plan says where it is missing.
        NumberInput::fit(&config, &moments, &sorted, 0)
    });
    Ok(((Encoding::Number(NumberInput::fit(config, &moments, &sorted, missing)), remarks), again))
}

/// Whether ascending numbers have two values, for which all scales are the same but for their unit.
fn is_two_valued(sorted: &[f64]) -> bool {
    sorted.iter().all(|v| *v == sorted[0] || *v == sorted[sorted.len() - 1])
}

/// A column whose present cells are all the same, or none.
fn useless(missing: u32, present: usize) -> Fitted {
    match (missing, present) {
        (_, 0) => (Encoding::Dropped(Unused::Empty), vec![("always missing, dropped".into(), false)]),
        (0, _) => (Encoding::Dropped(Unused::Constant), vec![("constant, dropped".into(), false)]),
        _ => {
            let reason = Unused::Constant;
            let text = "constant where it is not missing: only whether it is missing is used".into();
            (Encoding::Presence { missing, reason }, vec![(text, false)])
        }
    }
}

/// Ascending integers under a name that says so.
fn is_row_number(name: &str, values: &[f64]) -> bool {
    let name = name.to_lowercase();
    let named = ["", "id", "index", "row", "rownames", "row_number", "unnamed: 0"].contains(&name.as_str())
        || name.ends_with("_id")
        || name.ends_with(" id");
    named && values.iter().all(|v| v.fract() == 0.0) && values.is_sorted_by(|a, b| a < b)
}

fn fit_text(column: &TextColumn, rows: &[u32], config: &PreprocessConfig) -> Fitted {
    let (counts, missing) = count_levels(column, rows);
    let present = rows.len() - missing as usize;
    if counts.len() < 2 && (missing == 0 || present == 0) {
        return useless(missing, present);
    }
    if let Some(fitted) = fit_dates(column, &counts, rows, config, missing) {
        return fitted;
    }
    let is_identifier =
        counts.len() > IDENTIFIER_LEVELS && counts.len() as f64 > IDENTIFIER_SHARE * present as f64;
    if is_identifier && !config.keep {
        return identifier(counts.len(), present, missing);
    }
    if let Categories::Embedded { above } = config.categories {
        return match counts.len() > above {
            true => (Encoding::Row(LevelInput::rows(&counts)), vec![]),
            false => (Encoding::Levels(LevelInput::scaled(&counts, missing)), vec![]),
        };
    }
    let input = CategoryInput::fit(config, &counts, missing);
    let remarks = level_remarks(&input, &counts, present);
    (Encoding::Category(input), remarks)
}

fn identifier(levels: usize, present: usize, missing: u32) -> Fitted {
    let reason = Unused::Identifier;
    let found = format!("an identifier ({levels} different texts in {present} rows)");
    if missing == 0 {
        return (Encoding::Dropped(reason), vec![(format!("{found}, dropped; --keep uses it"), true)]);
    }
    let text = format!("{found}: only whether it is missing is used; --keep uses its texts");
    (Encoding::Presence { missing, reason }, vec![(text, true)])
}

fn level_remarks(input: &CategoryInput, counts: &[(&str, u32)], present: usize) -> Vec<(String, bool)> {
    if input.rare == 0 {
        return vec![];
    }
    let rare_rows: u32 = counts[input.levels.len()..].iter().map(|c| c.1).sum();
    let share = 100.0 * f64::from(rare_rows) / present as f64;
    let is_cut = counts[input.levels.len()].1 > 1;
    let text = if is_cut {
        format!(
            "{} levels: the {} most frequent have an input each, the others share one ({share:.1} % of the rows)",
            counts.len(),
            input.levels.len()
        )
    } else {
        match input.rare {
            1 => "1 level of one row shares an input with unseen levels".to_owned(),
            n => format!("{n} levels of one row each share an input with unseen levels"),
        }
    };
    vec![(text, is_cut)]
}

type ParsedDates = Vec<Option<(Date, Option<Time>)>>;

/// The dates of all levels of the column (`None` for a level that no row uses) in one format, if there is one.
fn parse_levels(column: &TextColumn, counts: &[(&str, u32)], format: DateFormat) -> Option<ParsedDates> {
    // The training rows decide; a level that only other rows have may be anything.
    counts
        .iter()
        .all(|level| format.parse(level.0).is_some())
        .then(|| column.levels.iter().map(|level| format.parse(level)).collect())
}

fn fit_dates(
    column: &TextColumn,
    counts: &[(&str, u32)],
    rows: &[u32],
    config: &PreprocessConfig,
    missing: u32,
) -> Option<Fitted> {
    let find = |format: &DateFormat| parse_levels(column, counts, *format).map(|dates| (*format, dates));
    let (format, dates) = DateFormat::ALL.iter().find_map(find)?;
    let parts = DatePart::ALL.into_iter().filter_map(|part| fit_part(part, column, &dates, rows, config));
    let parts: Vec<(DatePart, NumberInput)> = parts.collect();
    if parts.is_empty() {
        return None;
    }
    let mut remarks = vec![(format!("dates like {}, taken apart", format.example()), false)];
    if format == DateFormat::MonthSlash && parse_levels(column, counts, DateFormat::DaySlash).is_some() {
        remarks = vec![("dates read as month/day/year; day/month/year is possible too".to_owned(), true)];
    }
    Some((Encoding::Date(DateInput { format, parts, missing }), remarks))
}

/// One part, unless it is constant in the training rows.
fn fit_part(
    part: DatePart,
    column: &TextColumn,
    dates: &ParsedDates,
    rows: &[u32],
    config: &PreprocessConfig,
) -> Option<(DatePart, NumberInput)> {
    let by_level: Vec<f64> = dates.iter().map(|date| date.map_or(f64::NAN, |d| part.of(d))).collect();
    let of_row = |&r: &u32| by_level.get(column.codes[r as usize] as usize).copied();
    let mut sorted: Vec<f64> = rows.iter().filter_map(of_row).collect();
    sorted.sort_unstable_by(f64::total_cmp);
    let moments = Moments::of(sorted.iter().copied());
    (!moments.is_constant()).then(|| (part, NumberInput::fit(config, &moments, &sorted, 0)))
}
