//! What a preset fixes, and what may be said beside it.

use wxb::data::Features;
use wxb::data::target::Task;
use wxb::metrics::Metric;
use wxb::preprocess::Preprocessor;
use wxb::recipe::Recipe;
use wxb::trainer::TrainConfig;
use wxb::{Code, Error, Loss, Result};

use super::settings::{batch_size, metric, refuse};
use crate::args::choice::{InitChoice, LossChoice, MomentumForm, NumbersChoice, PresetChoice, ScaleChoice};
use crate::args::train::TrainArgs;
use crate::args::value::Valid;

/// The preset that is asked for; where none is, auto if no flag says anything about network or training, else mlp.
pub fn preset(args: &TrainArgs) -> PresetChoice {
    let usual = || if decided(args).is_some() { PresetChoice::Mlp } else { PresetChoice::Auto };
    args.network.preset.unwrap_or_else(usual)
}

/// Whether the preset is auto.
pub fn is_auto(args: &TrainArgs) -> bool {
    preset(args) == PresetChoice::Auto
}

/// The recipe of the preset, if it fixes columns, layers and training.
pub fn of(args: &TrainArgs) -> Option<Recipe> {
    match preset(args) {
        PresetChoice::Auto | PresetChoice::Mlp | PresetChoice::Linear => None,
        PresetChoice::Deep => Some(Recipe::Deep),
        PresetChoice::Realmlp => Some(Recipe::RealMlp),
        PresetChoice::RealmlpS => Some(Recipe::RealMlpS),
        PresetChoice::Tabm => Some(Recipe::TabM),
        PresetChoice::TabmMini => Some(Recipe::TabMMini),
    }
}

/// Whether a preset clamps its predictions of numbers to those of the training rows, as RealMLP does.
pub fn clamps(args: &TrainArgs, features: &Features) -> bool {
    match preset(args) {
        PresetChoice::Auto => matches!(features, Features::Table(_)),
        PresetChoice::Deep | PresetChoice::Realmlp => true,
        PresetChoice::Linear | PresetChoice::Mlp | PresetChoice::RealmlpS => false,
        PresetChoice::Tabm | PresetChoice::TabmMini => false,
    }
}

/// What a preset fixes cannot be said otherwise.
///
/// # Errors
/// [`Code::InvalidSetting`] for the first such flag.
pub fn check_preset(args: &TrainArgs) -> Result<()> {
    let preset = preset(args);
    if preset == PresetChoice::Linear && args.network.hidden.is_some() {
        let what = "--preset linear has no hidden layer, and --hidden asks for some";
        return Err(Error::new(Code::InvalidSetting, what).hint("leave one of them out"));
    }
    let has_members = matches!(of(args), Some(Recipe::Deep | Recipe::TabM | Recipe::TabMMini));
    let with = "--preset deep, tabm and tabm-mini";
    refuse(args.network.members.is_some() && !has_members, "--members", with)?;
    let flag = match (preset, of(args)) {
        (PresetChoice::Auto, _) => decided(args),
        (_, Some(_)) => fixed(args),
        (_, None) => None,
    };
    match flag {
        Some(flag) => {
            let what = format!("--preset {} fixes what {flag} says", preset.name());
            Err(Error::new(Code::InvalidSetting, what).hint(format!("leave {flag} out, or --preset mlp")))
        }
        None => of(args).map_or(Ok(()), |recipe| check_end(args, recipe)),
    }
}

/// The first flag that says something about network or training, other than where its randomness comes from.
fn decided(args: &TrainArgs) -> Option<&'static str> {
    let TrainArgs { network, training, regularisation, validation, .. } = args;
    let given = [
        (network.loss != LossChoice::Auto, "--loss"),
        (network.quantiles.is_some(), "--quantiles"),
        (network.huber_delta.is_some(), "--huber-delta"),
        (network.members.is_some(), "--members"),
        (training.lr.is_some(), "--lr"),
        (training.momentum_form != MomentumForm::Classic, "--momentum-form"),
        (training.epochs.is_some(), "--epochs"),
        (training.batch_size.is_some(), "--batch-size"),
        (regularisation.l2.is_some(), "--l2"),
        (regularisation.l1.is_some(), "--l1"),
        (regularisation.clip_norm.is_some(), "--clip-norm"),
        (regularisation.label_smoothing.is_some(), "--label-smoothing"),
        (matches!(validation.valid, Some(Valid::None)), "--valid none"),
        (validation.patience.is_some(), "--patience"),
        (validation.no_early_stopping, "--no-early-stopping"),
    ];
    fixed(args).or_else(|| first(&given))
}

/// The first flag that says what every recipe fixes.
fn fixed(args: &TrainArgs) -> Option<&'static str> {
    let TrainArgs { columns, network, training, regularisation, .. } = args;
    first(&[
        (columns.scale != ScaleChoice::Auto, "--scale"),
        (columns.divide_by.is_some(), "--divide-by"),
        (columns.max_levels.is_some(), "--max-levels"),
        (network.hidden.is_some(), "--hidden"),
        (network.activation.is_some(), "--activation"),
        (network.batch_norm, "--batch-norm"),
        (network.residual, "--residual"),
        (network.numbers != NumbersChoice::Plain, "--numbers"),
        (network.init != InitChoice::Auto, "--init"),
        (network.init_scale.is_some(), "--init-scale"),
        (network.init_weights.is_some(), "--init-weights"),
        (training.optimizer.is_some(), "--optimizer"),
        (training.schedule.is_some(), "--schedule"),
        (training.warmup.is_some(), "--warmup"),
        (training.decay.is_some(), "--decay"),
        (training.decay_every.is_some(), "--decay-every"),
        (training.momentum.is_some(), "--momentum"),
        (training.beta1.is_some(), "--beta1"),
        (training.beta2.is_some(), "--beta2"),
        (training.epsilon.is_some(), "--epsilon"),
        (regularisation.dropout.is_some(), "--dropout"),
        (regularisation.weight_decay.is_some(), "--weight-decay"),
    ])
}

fn first(given: &[(bool, &'static str)]) -> Option<&'static str> {
    given.iter().find(|(is_given, _)| *is_given).map(|(_, flag)| *flag)
}

/// A recipe that trains until validation gets no better needs an end without it.
fn check_end(args: &TrainArgs, recipe: Recipe) -> Result<()> {
    let validation = &args.validation;
    let is_endless = matches!(recipe, Recipe::TabM | Recipe::TabMMini) && args.training.epochs.is_none();
    let flag = match validation.valid {
        Some(Valid::None) => "--valid none",
        _ if validation.no_early_stopping => "--no-early-stopping",
        _ => return Ok(()),
    };
    if is_endless {
        let what = format!(
            "--preset {} trains until validation gets no better, and {flag} leaves no end to it",
            recipe.name()
        );
        return Err(Error::new(Code::InvalidSetting, what).hint("give --epochs, too"));
    }
    Ok(())
}

/// The loss of a recipe; `choice` is the one that is asked for.
///
/// # Errors
/// [`Code::InvalidSetting`] for another loss.
pub fn loss(recipe: Recipe, args: &TrainArgs, choice: LossChoice, task: Task) -> Result<Loss> {
    let fits = match choice {
        LossChoice::Auto => true,
        LossChoice::CrossEntropy => task != Task::Regression,
        LossChoice::SquaredError => task == Task::Regression,
        _ => false,
    };
    if !fits {
        let what = format!("--preset {} minimises cross-entropy or the squared error", recipe.name());
        return Err(Error::new(Code::InvalidSetting, what).hint("leave --loss out, or --preset mlp"));
    }
    let metric = match args.validation.metric.as_deref() {
        Some("loss") => Metric::LogLoss,
        asked => asked.and_then(Metric::parse).unwrap_or(recipe.metric(task)),
    };
    Ok(match (recipe.loss(task, metric), args.regularisation.label_smoothing) {
        (Loss::CrossEntropy { .. }, Some(label_smoothing)) => Loss::CrossEntropy { label_smoothing },
        (Loss::BinaryCrossEntropy { .. }, Some(label_smoothing)) => {
            Loss::BinaryCrossEntropy { label_smoothing }
        }
        (loss, _) => loss,
    })
}

/// The trainer's settings of a recipe, for a number of training rows.
///
/// # Errors
/// As [`TrainConfig::check`]; [`Code::WrongTask`] for a metric of the other kind of task.
pub fn training(
    recipe: Recipe,
    args: &TrainArgs,
    loss: &Loss,
    (inputs, rows): (&Preprocessor, usize),
) -> Result<TrainConfig> {
    let (training, regularisation, validation) = (&args.training, &args.regularisation, &args.validation);
    let task = match loss {
        Loss::BinaryCrossEntropy { .. } => Task::Binary,
        Loss::CrossEntropy { .. } => Task::Multiclass,
        _ => Task::Regression,
    };
    let asked = validation.metric.as_deref().filter(|name| *name != "loss");
    let metric = match asked {
        Some(name) => metric(name, loss)?,
        None => recipe.metric(task),
    };
    let base = recipe.training(inputs, rows, task, metric, training.seed);
    let patience = validation.patience.map(|patience| patience as u64).or(base.patience);
    let config = TrainConfig {
        lr: training.lr.unwrap_or(base.lr),
        epochs: training.epochs.map_or(base.epochs, |epochs| epochs as u64),
        batch_size: batch_size(training, base.batch_size),
        l2: regularisation.l2.unwrap_or(0.0),
        l1: regularisation.l1.unwrap_or(0.0),
        clip_norm: regularisation.clip_norm.or(base.clip_norm),
        patience: patience.filter(|_| !validation.no_early_stopping),
        stop_on_metric: validation.metric.as_deref() != Some("loss"),
        ..base
    };
    config.check()?;
    Ok(config)
}
