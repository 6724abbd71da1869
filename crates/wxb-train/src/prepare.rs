//! What is decided before anything is fitted: the rows, the task, the loss, the split.

use wxb::data::split::{Split, folds, holdout};
use wxb::data::target::{Choice, Task, choose, present_rows};
use wxb::data::{Column, Features, Folds};
use wxb::preprocess::Kind;
use wxb::recipe::Recipe;
use wxb::{Code, Error, Loss, Result};

use super::examples::Examples;
use super::read;
use super::{bag, recipe, settings};
use crate::args::choice::CalibrationChoice;
use crate::args::reading::ReadingArgs;
use crate::args::train::TrainArgs;
use crate::args::value::Valid;

/// The share held out where nothing is said, and how many rows at the most: an accuracy measured on 10,000 rows is
/// within half a percent, and more of them are better spent on training.
const HELD_OUT: f64 = 0.2;
const HELD_OUT_ROWS: f64 = 10_000.0;

/// The training data, its task and its split.
pub struct Prepared {
    /// The training data, and maybe rows to validate on among it.
    pub examples: Examples,
    /// The rows that take part: with a target and a weight above 0; ascending.
    pub rows: Vec<u32>,
    /// Rows left out because their target is missing.
    pub without_target: usize,
    /// The task with its classes, and what is to be said about it.
    pub choice: Choice,
    /// What is minimised.
    pub loss: Loss,
    /// Whether predictions of numbers are clamped to those of the training rows.
    pub is_clamped: bool,
}

/// Where the validation rows are.
pub enum Held {
    /// Nowhere.
    None,
    /// Among the training data.
    Rows(Vec<u32>),
    /// In a file or table of their own.
    Apart(Box<Examples>),
    /// For each of several networks among those that the others train on.
    Folds(Folds),
}

impl Held {
    /// How many rows, those without a target included.
    pub fn rows(&self) -> usize {
        match self {
            Held::None => 0,
            Held::Rows(rows) => rows.len(),
            Held::Folds(folds) => folds.left_out().len(),
            Held::Apart(examples) => examples.features.rows(),
        }
    }
}

/// Rows to train on and rows to validate on.
pub struct Parts {
    /// Ascending rows of the training data.
    pub train: Vec<u32>,
    /// What decides which weights are best.
    pub valid: Held,
}

/// What settings exclude, whatever the data: to be told before a file is read.
///
/// # Errors
/// [`Code::InvalidSetting`] for the first setting that another one excludes.
pub fn check(args: &TrainArgs) -> Result<()> {
    recipe::check_preset(args)?;
    check_held_out(args)?;
    check_valid_labels(args)?;
    bag::check(args)
}

/// Refuses what looks at validation rows where there are none.
fn check_held_out(args: &TrainArgs) -> Result<()> {
    let validation = &args.validation;
    if !matches!(validation.valid, Some(Valid::None)) {
        return Ok(());
    }
    let what = "validation rows";
    // These have a loss for each metric.
    let decides = matches!(recipe::of(args), Some(Recipe::RealMlp | Recipe::RealMlpS));
    settings::refuse(validation.metric.is_some() && !decides, "--metric", what)?;
    settings::refuse(validation.patience.is_some(), "--patience", what)?;
    settings::refuse(is_learned(validation.calibration), "--calibration", what)
}

fn is_learned(calibration: CalibrationChoice) -> bool {
    matches!(calibration, CalibrationChoice::Temperature | CalibrationChoice::Isotonic)
}

/// Labels are for a file whose rows come without them.
fn check_valid_labels(args: &TrainArgs) -> Result<()> {
    match (&args.validation.valid_labels, &args.validation.valid) {
        (None, _) | (_, Some(Valid::File(_))) => Ok(()),
        _ => Err(Error::new(
            Code::InvalidSetting,
            "--valid-labels is for a file of --valid, and there is none",
        )
        .hint("give --valid FILE, or leave --valid-labels out")),
    }
}

/// Decides what is to be learnt.
///
/// # Errors
/// As [`check`]; of the target and the settings that belong to its task.
pub fn prepare(args: &TrainArgs, examples: Examples) -> Result<Prepared> {
    check(args)?;
    let column = target(&examples)?;
    let present = present_rows(column);
    let without_target = column.len() - present.len();
    let weighs = |row: &u32| examples.weights.as_ref().is_none_or(|weights| weights[*row as usize] != 0.0);
    let rows: Vec<u32> = present.into_iter().filter(weighs).collect();
    let choice = choose(column, &rows, settings::wanted_task(args))
        .map_err(|error| about_target(&error, args, &examples))?;
    settings::check_task(args.columns.task, choice.target.task(), choice.target.labels().len())?;
    let loss = settings::loss(args, choice.target.task())?;
    let of_numbers = choice.target.task() == Task::Regression;
    settings::refuse(of_numbers && is_learned(args.validation.calibration), "--calibration", "classes")?;
    check_counts(&loss, column, &rows).map_err(|error| about_target(&error, args, &examples))?;
    let is_clamped = of_numbers && recipe::clamps(args, &examples.features);
    Ok(Prepared { examples, rows, without_target, choice, loss, is_clamped })
}

/// The target column, which training data always has.
pub fn target(examples: &Examples) -> Result<&Column> {
    examples
        .target
        .as_ref()
        .ok_or_else(|| Error::new(Code::NoTarget, format!("{} has no target", examples.name)))
}

/// Poisson's loss is for counts and rates.
fn check_counts(loss: &Loss, column: &Column, rows: &[u32]) -> Result<()> {
    let (Loss::Poisson, Column::Number(values)) = (loss, column) else { return Ok(()) };
    match rows.iter().find(|&&row| values[row as usize] < 0.0) {
        Some(&row) => {
            let message = format!(
                "--loss poisson is for targets from 0 on, data row {} has {}",
                row + 1,
                values[row as usize]
            );
            Err(Error::new(Code::BadTarget, message))
        }
        None => Ok(()),
    }
}

fn about_target(error: &Error, args: &TrainArgs, examples: &Examples) -> Error {
    match (&args.columns.target, error.places().is_empty()) {
        (Some(name), true) => error.clone().at(format!("{}, column {name:?}", examples.name)),
        _ => error.clone(),
    }
}

impl Prepared {
    /// The class of each row that takes part; none for a regression.
    pub fn strata(&self) -> Result<Option<Vec<u32>>> {
        match self.choice.target.task() {
            Task::Regression => Ok(None),
            _ => self.choice.target.classes(target(&self.examples)?, &self.rows).map(Some),
        }
    }

    /// The split that the flags ask for, or all rows beside those that are given to validate on; `warn` hears what is to be said
    /// about a validation file.
    ///
    /// # Errors
    /// If the rows cannot be split, or of the validation file's reader.
    pub fn parts(
        &self,
        args: &TrainArgs,
        valid: Option<Examples>,
        mut warn: impl FnMut(&str),
    ) -> Result<Parts> {
        let all = || self.rows.clone();
        if let Some(valid) = valid {
            refuse_other_split(args)?;
            return Ok(Parts { train: all(), valid: Held::Apart(Box::new(valid)) });
        }
        if let Some(k) = args.validation.bag {
            return self.bag(k, args.training.seed);
        }
        let usual = Valid::Fraction(HELD_OUT.min(HELD_OUT_ROWS / self.rows.len().max(1) as f64));
        match args.validation.valid.as_ref().unwrap_or(&usual) {
            Valid::None => Ok(Parts { train: all(), valid: Held::None }),
            Valid::File(file) => {
                let valid = self.read_alike(file, args, warn)?;
                Ok(Parts { train: all(), valid: Held::Apart(Box::new(valid)) })
            }
            Valid::Fraction(fraction) => {
                let strata = self.strata()?;
                let split = holdout(self.rows.len(), strata.as_deref(), *fraction, args.training.seed)
                    .map_err(|error| error.hint("--valid none trains on all rows"))?;
                self.unvalidated(strata.as_deref(), &split).iter().for_each(|warning| warn(warning));
                Ok(self.of_split(&split))
            }
        }
    }

    /// What is to be said of classes without a validation row; those of a single row are warned of anyhow.
    fn unvalidated(&self, strata: Option<&[u32]>, (_, valid): &Split) -> Option<String> {
        const SHOWN: usize = 5;
        let strata = strata?;
        let labels = self.choice.target.labels();
        let mut is_validated = vec![false; labels.len()];
        valid.iter().for_each(|&place| is_validated[strata[place as usize] as usize] = true);
        let is_left_out = |class: &usize| !is_validated[*class] && self.choice.class_rows[*class] > 1;
        let left_out: Vec<_> = (0..labels.len()).filter(is_left_out).collect();
        let shown: Vec<_> =
            left_out.iter().take(SHOWN).map(|&class| format!("\"{}\"", labels[class])).collect();
        let (shown, more) = (shown.join(", "), if left_out.len() > SHOWN { ", …" } else { "" });
        match left_out.len() {
            0 => None,
            1 => Some(format!("class {shown} has no row to validate on")),
            n => Some(format!("{n} classes have no row to validate on ({shown}{more})")),
        }
    }

    /// The K splits of a cross-validation.
    ///
    /// # Errors
    /// If there are fewer rows than folds.
    pub fn folds(&self, k: usize, seed: u64) -> Result<Vec<Parts>> {
        let splits = folds(self.rows.len(), self.strata()?.as_deref(), k, seed)?;
        Ok(splits.iter().map(|split| self.of_split(split)).collect())
    }

    /// A split counts the rows that take part; the data counts all.
    fn of_split(&self, (train, valid): &Split) -> Parts {
        let rows = |places: &[u32]| places.iter().map(|&i| self.rows[i as usize]).collect::<Vec<_>>();
        Parts { train: rows(train), valid: Held::Rows(rows(valid)) }
    }

    /// Reads a validation file; its columns are taken for what they are in the training file.
    fn read_alike(&self, file: &str, args: &TrainArgs, warn: impl FnMut(&str)) -> Result<Examples> {
        let mut kinds = vec![];
        if let Features::Table(table) = &self.examples.features {
            kinds = table.iter().map(|(name, column)| (name, kind(column))).collect();
        }
        let mut columns = args.columns.clone();
        columns.drop.clear();
        let reading = ReadingArgs { labels: args.validation.valid_labels.clone(), ..args.reading.clone() };
        read::beside_training(file, &columns, &reading, &kinds, warn).map_err(|error| match error.code() {
            Code::NoTarget => error.hint("--valid-labels FILE gives the labels of a validation file"),
            _ => error,
        })
    }
}

/// Rows to validate on are given or asked for.
fn refuse_other_split(args: &TrainArgs) -> Result<()> {
    let asked = [(args.validation.valid.is_some(), "--valid"), (args.validation.bag.is_some(), "--bag")];
    match asked.iter().find(|(is_given, _)| *is_given) {
        Some((_, flag)) => {
            let what = format!("{flag} says what is held out, and rows to validate on are given");
            Err(Error::new(Code::InvalidSetting, what).hint("leave one of them out"))
        }
        None => Ok(()),
    }
}

fn kind(column: &Column) -> Kind {
    match column {
        Column::Number(_) => Kind::Number,
        Column::Text(_) => Kind::Text,
    }
}
