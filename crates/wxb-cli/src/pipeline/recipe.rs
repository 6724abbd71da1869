//! What a preset fixes, and what may be said beside it.

use wxb::data::target::Task;
use wxb::metrics::Metric;
use wxb::recipe::Recipe;
use wxb::trainer::TrainConfig;
use wxb::{Code, Error, Loss, Result};

use super::settings::{batch_size, metric};
use crate::args::choice::{InitChoice, LossChoice, PresetChoice, ScaleChoice};
use crate::args::train::TrainArgs;
use crate::args::value::Valid;

/// The recipe of the preset, if it fixes columns, layers and training.
pub fn of(args: &TrainArgs) -> Option<Recipe> {
    match args.network.preset {
        PresetChoice::Mlp | PresetChoice::Linear => None,
        PresetChoice::Realmlp => Some(Recipe::RealMlp),
        PresetChoice::Tabm => Some(Recipe::TabM),
        PresetChoice::TabmMini => Some(Recipe::TabMMini),
    }
}

/// What a preset fixes cannot be said otherwise.
///
/// # Errors
/// [`Code::InvalidSetting`] for the first such flag.
pub fn check_preset(args: &TrainArgs) -> Result<()> {
    let TrainArgs { columns, network, training, regularisation, .. } = args;
    if network.preset == PresetChoice::Linear && network.hidden.is_some() {
        let what = "--preset linear has no hidden layer, and --hidden asks for some";
        return Err(Error::new(Code::InvalidSetting, what).hint("leave one of them out"));
    }
    let Some(recipe) = of(args) else { return Ok(()) };
    let given = [
        (columns.scale != ScaleChoice::Auto, "--scale"),
        (columns.divide_by.is_some(), "--divide-by"),
        (columns.max_levels.is_some(), "--max-levels"),
        (network.hidden.is_some(), "--hidden"),
        (network.activation.is_some(), "--activation"),
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
    ];
    match given.iter().find(|(is_given, _)| *is_given) {
        None => check_end(args, recipe),
        Some((_, flag)) => {
            let what = format!("--preset {} fixes what {flag} says", recipe.name());
            Err(Error::new(Code::InvalidSetting, what).hint(format!("leave {flag} out, or --preset mlp")))
        }
    }
}

/// A recipe that trains until validation gets no better needs an end without it.
fn check_end(args: &TrainArgs, recipe: Recipe) -> Result<()> {
    let validation = &args.validation;
    let is_endless = recipe != Recipe::RealMlp && args.training.epochs.is_none();
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
        (loss, _) => loss,
    })
}

/// The trainer's settings of a recipe, for a number of training rows.
///
/// # Errors
/// As [`TrainConfig::check`]; [`Code::WrongTask`] for a metric of the other kind of task.
pub fn training(recipe: Recipe, args: &TrainArgs, loss: &Loss, rows: usize) -> Result<TrainConfig> {
    let (training, regularisation, validation) = (&args.training, &args.regularisation, &args.validation);
    let is_for_classes = matches!(loss, Loss::CrossEntropy { .. });
    let task = if is_for_classes { Task::Multiclass } else { Task::Regression };
    let asked = validation.metric.as_deref().filter(|name| *name != "loss");
    let metric = match asked {
        Some(name) => metric(name, loss)?,
        None => recipe.metric(task),
    };
    let base = recipe.training(task, metric, rows, training.seed);
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
