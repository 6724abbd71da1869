//! Which number of a prediction is looked into: the probability of a class, a quantile, or the one number that there is.

use wxb::data::target::Task;
use wxb::metrics::predicted_class;
use wxb::model_file::Model;
use wxb::{Code, Error, Loss, Result};

use super::model::target_name;

/// The place of what is asked for: of classes the one of a name, else the second of two, of more the most frequent one; of a number as
/// [`of_number`].
///
/// # Errors
/// [`Code::WrongTask`] for a class of a number and for a level of classes, [`Code::InvalidSetting`] for one that the model does not
/// have.
pub fn of_model(model: &Model, class: Option<&str>, level: Option<f64>) -> Result<usize> {
    match (class, model.target.task()) {
        (Some(class), Task::Regression) => {
            let what = format!("--class {class} is for classes, and the model predicts a number");
            Err(Error::new(Code::WrongTask, what).hint("leave --class out"))
        }
        (None, Task::Regression) => of_number(model, level),
        _ if level.is_some() => Err(refused_level("classes")),
        (Some(class), _) => class_named(model, class),
        (None, Task::Binary) => Ok(1),
        (None, Task::Multiclass) => Ok(predicted_class(&model.baseline)),
    }
}

/// The place of a number: of several quantiles the one of a level, else the one nearest to the median.
///
/// # Errors
/// [`Code::WrongTask`] for a level where there are no quantiles, [`Code::InvalidSetting`] for one that the model does not have.
pub fn of_number(model: &Model, level: Option<f64>) -> Result<usize> {
    let Loss::Quantile { levels } = model.loss() else {
        return if level.is_some() { Err(refused_level("a mean")) } else { Ok(0) };
    };
    let off = |of: f64| move |&at: &usize| (levels[at] - of).abs();
    let nearest = |of: f64| {
        (0..levels.len()).min_by(|a, b| off(of)(a).total_cmp(&off(of)(b))).expect("a level at the least")
    };
    let place = nearest(level.unwrap_or(0.5));
    match level {
        Some(level) if (levels[place] - level).abs() > 1e-9 => {
            let known: Vec<String> = levels.iter().map(f64::to_string).collect();
            let what = format!("--level {level}: the model has no such quantile");
            Err(Error::new(Code::InvalidSetting, what).note(format!("levels: {}", known.join(", "))))
        }
        _ => Ok(place),
    }
}

/// `--level` where there are no quantiles.
pub fn refused_level(predicted: &str) -> Error {
    let what = format!("--level is for quantiles, and the model predicts {predicted}");
    Error::new(Code::WrongTask, what)
        .hint("leave --level out; training with --quantiles 0.1,0.5,0.9 gives a model of quantiles")
}

fn class_named(model: &Model, name: &str) -> Result<usize> {
    let labels: Vec<String> = model.target.labels().iter().map(ToString::to_string).collect();
    labels.iter().position(|label| label == name).ok_or_else(|| {
        let known = format!("classes: {}", labels.join(", "));
        Error::new(Code::InvalidSetting, format!("--class {name}: the model has no such class")).note(known)
    })
}

/// What is predicted there, in words: `probability of yes`, `price`, `q0.9 of price`.
pub fn in_words(model: &Model, output: usize) -> String {
    let target = target_name(model);
    match (model.target.labels(), model.loss()) {
        ([], Loss::Quantile { levels }) if levels.len() > 1 => {
            format!("{} of {target}", quantile_name(levels[output]))
        }
        ([], _) => target.to_owned(),
        (labels, _) => format!("probability of {}", labels[output]),
    }
}

/// What the predictions of a quantile are called: `q0.9`.
pub fn quantile_name(level: f64) -> String {
    format!("q{level}")
}
