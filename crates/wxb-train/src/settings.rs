//! From flags to the engine's settings. A flag that would have no effect is refused, not ignored.

use wxb::data::target::{Task, TaskChoice as Wanted};
use wxb::error::nearest;
use wxb::lbfgs::LbfgsConfig;
use wxb::metrics::Metric;
use wxb::preprocess::{Categories, PreprocessConfig, Preprocessor, Scale};
use wxb::trainer::{BatchSize, TrainConfig};
use wxb::{Activation, Code, Error, Initializer, Loss, Optimizer, Result, Schedule};

use super::recipe;
use crate::args::choice::{
    ActivationName, InitChoice, LossChoice, MomentumForm, NumbersChoice, OptimizerChoice, ScaleChoice,
    ScheduleChoice, TaskChoice,
};
use crate::args::train::{NetworkArgs, TrainArgs, TrainingArgs};
use crate::args::value::{self, ActivationChoice, Activations};

/// Hidden units where nothing is said.
pub const HIDDEN: [usize; 2] = [64, 32];

/// The kind of task that the flags ask for; a loss asks for its own.
pub fn wanted_task(args: &TrainArgs) -> Option<Wanted> {
    match (args.columns.task, loss_choice(&args.network)) {
        (TaskChoice::Regression, _) => Some(Wanted::Regression),
        (TaskChoice::Classification | TaskChoice::Binary | TaskChoice::Multiclass, _) => {
            Some(Wanted::Classification)
        }
        (TaskChoice::Auto, LossChoice::Auto) => None,
        (TaskChoice::Auto, LossChoice::CrossEntropy) => Some(Wanted::Classification),
        (TaskChoice::Auto, _) => Some(Wanted::Regression),
    }
}

/// Whether the target turned out to be what was asked for.
///
/// # Errors
/// [`Code::WrongTask`].
pub fn check_task(asked: TaskChoice, found: Task, classes: usize) -> Result<()> {
    match (asked, found) {
        (TaskChoice::Binary, Task::Multiclass) | (TaskChoice::Multiclass, Task::Binary) => {
            let name = if asked == TaskChoice::Binary { "binary" } else { "multiclass" };
            Err(Error::new(Code::WrongTask, format!("--task {name}, but the target has {classes} classes"))
                .hint("--task classification takes any number of classes"))
        }
        _ => Ok(()),
    }
}

/// --loss, or what --quantiles implies.
fn loss_choice(args: &NetworkArgs) -> LossChoice {
    match args.loss {
        LossChoice::Auto if args.quantiles.is_some() => LossChoice::Quantile,
        LossChoice::Auto if args.huber_delta.is_some() => LossChoice::Huber,
        choice => choice,
    }
}

/// The loss for a task.
///
/// # Errors
/// [`Code::WrongTask`] for a loss of the other kind, [`Code::InvalidSetting`] for a flag of another loss.
pub fn loss(args: &TrainArgs, task: Task) -> Result<Loss> {
    let (network, choice) = (&args.network, loss_choice(&args.network));
    let smoothing = args.regularisation.label_smoothing;
    refuse(network.quantiles.is_some() && choice != LossChoice::Quantile, "--quantiles", "--loss quantile")?;
    refuse(network.huber_delta.is_some() && choice != LossChoice::Huber, "--huber-delta", "--loss huber")?;
    refuse(smoothing.is_some() && task == Task::Regression, "--label-smoothing", "classes")?;
    refuse(
        args.regularisation.class_weight.is_some() && task == Task::Regression,
        "--class-weight",
        "classes",
    )?;
    let classes = task != Task::Regression;
    if let Some(recipe) = recipe::of(args) {
        return recipe::loss(recipe, args, choice, task);
    }
    let label_smoothing = smoothing.unwrap_or(0.0);
    Ok(match choice {
        LossChoice::Auto | LossChoice::CrossEntropy if task == Task::Binary => {
            Loss::BinaryCrossEntropy { label_smoothing }
        }
        LossChoice::Auto | LossChoice::CrossEntropy if classes => Loss::CrossEntropy { label_smoothing },
        LossChoice::CrossEntropy => {
            return Err(wrong_loss("cross-entropy is for classes, and the target is a number"));
        }
        _ if classes => {
            return Err(wrong_loss("this loss is for numbers, and the target is classes").hint("--loss auto"));
        }
        LossChoice::Auto | LossChoice::SquaredError => Loss::SquaredError,
        LossChoice::AbsoluteError => Loss::AbsoluteError,
        LossChoice::Huber => Loss::Huber { delta: network.huber_delta.unwrap_or(1.0) },
        LossChoice::Poisson => Loss::Poisson,
        LossChoice::Quantile => {
            Loss::Quantile { levels: network.quantiles.as_ref().map_or(vec![0.5], |q| q.0.clone()) }
        }
    })
}

fn wrong_loss(problem: &str) -> Error {
    Error::new(Code::WrongTask, problem)
}

/// A flag of `what` alone that was given without it.
///
/// # Errors
/// [`Code::InvalidSetting`].
pub fn refuse(is_without_effect: bool, flag: &str, what: &str) -> Result<()> {
    if is_without_effect {
        return Err(Error::new(Code::InvalidSetting, format!("{flag} has an effect with {what} only"))
            .hint(format!("leave {flag} out")));
    }
    Ok(())
}

fn useless_with_lbfgs(is_given: bool, flag: &str, why: &str) -> Result<()> {
    if is_given {
        let what = format!("{flag} has no effect with lbfgs, which {why}");
        return Err(Error::new(Code::InvalidSetting, what).hint(format!("leave {flag} out")));
    }
    Ok(())
}

/// One activation per hidden layer.
///
/// # Errors
/// [`Code::InvalidSetting`] for another number of activations than hidden layers.
pub fn activations(given: Option<&Activations>, hidden: usize) -> Result<Vec<Activation>> {
    let Some(given) = given else { return Ok(vec![Activation::Relu; hidden]) };
    refuse(hidden == 0, "--activation", "hidden layers")?;
    match given.0.as_slice() {
        [one] => Ok(vec![activation(*one); hidden]),
        many if many.len() == hidden => Ok(many.iter().copied().map(activation).collect()),
        many => Err(Error::new(
            Code::InvalidSetting,
            format!("--activation names {} activations for {hidden} hidden layers", many.len()),
        )
        .hint("give one, or one per hidden layer; the last layer's belongs to the loss")),
    }
}

fn activation(choice: ActivationChoice) -> Activation {
    match choice.name {
        ActivationName::Identity => Activation::Identity,
        ActivationName::Sigmoid => Activation::Sigmoid,
        ActivationName::Tanh => Activation::Tanh,
        ActivationName::Relu => Activation::Relu,
        ActivationName::LeakyRelu => Activation::LeakyRelu { slope: choice.parameter.unwrap_or(0.01) },
        ActivationName::Elu => Activation::Elu { alpha: choice.parameter.unwrap_or(1.0) },
        ActivationName::Selu => Activation::Selu,
        ActivationName::Gelu => Activation::Gelu,
        ActivationName::Silu => Activation::Silu,
        ActivationName::Mish => Activation::Mish,
        ActivationName::Softplus => Activation::Softplus,
    }
}

/// The initial weights.
///
/// # Errors
/// [`Code::InvalidSetting`] for --init-scale without --init normal.
pub fn initializer(args: &NetworkArgs) -> Result<Initializer> {
    refuse(args.init_scale.is_some() && args.init != InitChoice::Normal, "--init-scale", "--init normal")?;
    Ok(match args.init {
        InitChoice::Auto => Initializer::Auto,
        InitChoice::Zeros => Initializer::Zeros,
        InitChoice::Normal => Initializer::Normal { scale: args.init_scale.unwrap_or(0.01) },
        InitChoice::Xavier => Initializer::GlorotNormal,
        InitChoice::XavierUniform => Initializer::GlorotUniform,
        InitChoice::He => Initializer::HeNormal,
        InitChoice::HeUniform => Initializer::HeUniform,
        InitChoice::Lecun => Initializer::LecunNormal,
        InitChoice::LecunUniform => Initializer::LecunUniform,
        InitChoice::Orthogonal => Initializer::Orthogonal,
    })
}

/// The optimizer with its constants.
///
/// # Errors
/// [`Code::InvalidSetting`] for a constant that it does not have.
pub fn optimizer(args: &TrainingArgs) -> Result<Optimizer> {
    use OptimizerChoice::{Adam, Adamw, Lbfgs, Momentum, Nesterov, Rmsprop, Sgd};
    let choice = args.optimizer.unwrap_or(Adam);
    let is_adam = matches!(choice, Adam | Adamw);
    refuse(args.beta1.is_some() && !is_adam, "--beta1", "adam and adamw")?;
    refuse(args.beta2.is_some() && !is_adam && choice != Rmsprop, "--beta2", "adam, adamw and rmsprop")?;
    refuse(args.epsilon.is_some() && !is_adam && choice != Rmsprop, "--epsilon", "adam, adamw and rmsprop")?;
    refuse(
        args.momentum.is_some() && !matches!(choice, Momentum | Nesterov),
        "--momentum",
        "momentum and nesterov",
    )?;
    let averaged = args.momentum_form == MomentumForm::Averaged;
    refuse(averaged && choice != Momentum, "--momentum-form averaged", "--optimizer momentum")?;
    let is_lbfgs = choice == Lbfgs;
    useless_with_lbfgs(is_lbfgs && args.lr.is_some(), "--lr", "searches the length of each step")?;
    let has_rows = matches!(args.batch_size, Some(value::BatchSize::Rows(_)));
    useless_with_lbfgs(is_lbfgs && has_rows, "--batch-size", "takes all rows in each step")?;
    useless_with_lbfgs(
        is_lbfgs && args.schedule.is_some(),
        "--schedule",
        "searches the length of each step",
    )?;
    let beta = args.momentum.unwrap_or(0.9);
    let (beta1, beta2) = (args.beta1.unwrap_or(0.9), args.beta2.unwrap_or(0.999));
    let epsilon = args.epsilon.unwrap_or(1e-8);
    Ok(match choice {
        Sgd => Optimizer::Sgd,
        Momentum => Optimizer::Momentum { beta, averaged },
        Nesterov => Optimizer::Nesterov { beta },
        Rmsprop => Optimizer::RmsProp { rho: args.beta2.unwrap_or(0.9), epsilon },
        Adam => Optimizer::Adam { beta1, beta2, epsilon },
        Adamw => Optimizer::AdamW { beta1, beta2, epsilon },
        Lbfgs => Optimizer::Lbfgs(LbfgsConfig::default()),
    })
}

/// The learning-rate schedule.
///
/// # Errors
/// [`Code::InvalidSetting`] for a constant that it does not have.
pub fn schedule(args: &TrainingArgs, optimizer: &Optimizer) -> Result<Schedule> {
    use ScheduleChoice::{Constant, Cosine, Exponential, OneCycle, Plateau, Step};
    let choice = args.schedule.unwrap_or(match (is_adam(optimizer), args.lr) {
        (true, None) => Plateau, // our rate is a high one; a rate that was asked for is kept
        _ => Constant,
    });
    refuse(
        args.warmup.is_some() && !matches!(choice, Cosine | OneCycle),
        "--warmup",
        "cosine and one-cycle",
    )?;
    let decays = matches!(choice, Step | Exponential | Plateau);
    refuse(args.decay.is_some() && !decays, "--decay", "step, exponential and plateau")?;
    refuse(
        args.decay_every.is_some() && !matches!(choice, Step | Plateau),
        "--decay-every",
        "step and plateau",
    )?;
    Ok(match choice {
        Constant => Schedule::Constant,
        Step => Schedule::Step { every: args.decay_every.unwrap_or(30), factor: args.decay.unwrap_or(0.1) },
        Exponential => Schedule::Exponential { decay: args.decay.unwrap_or(0.95) },
        Cosine => Schedule::Cosine { warmup: args.warmup.unwrap_or(0.0) },
        OneCycle => Schedule::OneCycle { peak: args.warmup.unwrap_or(0.3) },
        Plateau => {
            Schedule::Plateau { factor: args.decay.unwrap_or(0.5), patience: args.decay_every.unwrap_or(3) }
        }
    })
}

/// How columns are prepared.
pub fn preprocessing(args: &TrainArgs) -> PreprocessConfig {
    if let Some(recipe) = recipe::of(args) {
        return recipe.preprocessing(args.columns.keep);
    }
    // An embedding finds the numbers in front.
    let plain = args.network.numbers == NumbersChoice::Plain;
    let categories = if plain { Categories::Inputs } else { Categories::Apart };
    let args = &args.columns;
    let scale = match args.scale {
        ScaleChoice::Auto => Scale::Auto,
        ScaleChoice::None => Scale::None,
        ScaleChoice::Standard => Scale::Standard,
        ScaleChoice::Robust => Scale::Robust,
        ScaleChoice::Minmax => Scale::MinMax,
        ScaleChoice::Quantile => Scale::Quantile,
        ScaleChoice::Smooth => Scale::Smooth,
        ScaleChoice::Normal => Scale::Normal,
    };
    let default = PreprocessConfig::default();
    let max_levels = args.max_levels.unwrap_or(default.max_levels);
    PreprocessConfig { scale, divide_by: args.divide_by, max_levels, categories, keep: args.keep, ..default }
}

/// The trainer's settings for a loss, and for the inputs and the number of training rows.
///
/// # Errors
/// As [`optimizer`], [`schedule`] and [`TrainConfig::check`]; [`Code::WrongTask`] for a metric of the other kind of
/// task.
pub fn training(args: &TrainArgs, loss: &Loss, inputs: &Preprocessor, rows: usize) -> Result<TrainConfig> {
    let (training, regularisation, validation) = (&args.training, &args.regularisation, &args.validation);
    if let Some(recipe) = recipe::of(args) {
        return recipe::training(recipe, args, loss, (inputs, rows));
    }
    let optimizer = optimizer(training)?;
    let has_dropout = regularisation.dropout.is_some_and(|rate| rate > 0.0);
    useless_with_lbfgs(
        has_dropout && matches!(optimizer, Optimizer::Lbfgs(_)),
        "--dropout",
        "needs the same network in each step",
    )?;
    useless_with_lbfgs(
        args.network.batch_norm && matches!(optimizer, Optimizer::Lbfgs(_)),
        "--batch-norm",
        "needs the same network in each step",
    )?;
    let asked = validation.metric.as_deref().filter(|name| *name != "loss");
    let metric = match asked {
        Some(name) => metric(name, loss)?,
        None => super::judge::headline(loss)[0],
    };
    let patience = (!validation.no_early_stopping).then_some(validation.patience.unwrap_or(PATIENCE) as u64);
    let config = TrainConfig {
        lr: training.lr.unwrap_or(default_lr(&optimizer)),
        schedule: schedule(training, &optimizer)?,
        epochs: training.epochs.map_or(default_epochs(&optimizer), |epochs| epochs as u64),
        batch_size: batch_size(training, BatchSize::Rows(default_batch(rows))),
        optimizer,
        l2: regularisation.l2.unwrap_or(0.0),
        l1: regularisation.l1.unwrap_or(0.0),
        weight_decay: regularisation.weight_decay,
        clip_norm: regularisation.clip_norm,
        // A few rows left over would be normalised by themselves.
        drop_last: args.network.batch_norm,
        patience,
        metric: Some(metric),
        stop_on_metric: asked.is_some(),
        seed: training.seed,
        ..TrainConfig::default()
    };
    config.check()?;
    Ok(config)
}

/// --batch-size, or what is usual.
pub fn batch_size(args: &TrainingArgs, usual: BatchSize) -> BatchSize {
    match args.batch_size {
        Some(value::BatchSize::Full) => BatchSize::Full,
        Some(value::BatchSize::Rows(n)) => BatchSize::Rows(n),
        None => usual,
    }
}

/// Epochs without a better validation after which training stops.
const PATIENCE: usize = 20;

/// The learning rate where none is given.
pub fn default_lr(optimizer: &Optimizer) -> f64 {
    match optimizer {
        Optimizer::Sgd | Optimizer::Momentum { averaged: true, .. } => 0.1,
        Optimizer::Momentum { .. } | Optimizer::Nesterov { .. } => 0.01,
        // With halving at a plateau. California housing, one split and seed: test R² 0.795 in 69 epochs, against
        // 0.788 in 117 epochs at a constant 0.001; titanic: validation AUC 0.844 against 0.843.
        adam if is_adam(adam) => 3e-3,
        _ => 1e-3,
    }
}

fn is_adam(optimizer: &Optimizer) -> bool {
    matches!(optimizer, Optimizer::Adam { .. } | Optimizer::AdamW { .. })
}

fn default_epochs(optimizer: &Optimizer) -> u64 {
    if matches!(optimizer, Optimizer::Lbfgs(_)) { 1000 } else { 200 }
}

/// About 200 steps an epoch, between 32 and 512 rows: smaller batches waste the processor, larger ones epochs.
fn default_batch(rows: usize) -> usize {
    (rows / 200).next_power_of_two().clamp(32, 512)
}

/// A metric by name, if it fits the loss.
///
/// # Errors
/// [`Code::InvalidSetting`] for an unknown name, [`Code::WrongTask`] for one of the other kind of task.
pub fn metric(name: &str, loss: &Loss) -> Result<Metric> {
    let is_for_classes = matches!(loss, Loss::BinaryCrossEntropy { .. } | Loss::CrossEntropy { .. });
    let fitting =
        || Metric::ALL.into_iter().filter(|m| m.is_for_classes() == is_for_classes).map(Metric::name);
    let allowed = format!("metrics here: {}", fitting().collect::<Vec<_>>().join(", "));
    match Metric::parse(name) {
        Some(metric) if metric.is_for_classes() == is_for_classes => Ok(metric),
        Some(_) => {
            let what = if is_for_classes {
                "numbers, and the model predicts classes"
            } else {
                "classes, and the model predicts a number"
            };
            Err(Error::new(Code::WrongTask, format!("the metric {name} is for {what}")).note(allowed))
        }
        None => {
            let error =
                Error::new(Code::InvalidSetting, format!("there is no metric {name:?}")).note(allowed);
            Err(match nearest(name, fitting()) {
                Some(near) => error.hint(format!("did you mean {near}?")),
                None => error,
            })
        }
    }
}
