//! One training: columns fitted on its rows, a network, the trainer, the best weights.

use wxb::data::dataset::balanced_class_weights;
use wxb::data::target::{Target, Task, present_rows};
use wxb::data::{Column, Dataset, Folds, Inputs};
use wxb::evaluate::{Evaluation, cache_for, evaluate, out_of_fold};
use wxb::network::{Blocks, mlp};
use wxb::preprocess::{Note, PreprocessConfig, Preprocessor};
use wxb::recipe::Recipe;
use wxb::trainer::{Observer, Run, Stop, TrainConfig, fit, fit_folds};
use wxb::{Activation, Code, Error, Initializer, Layer, Loss, Network, Optimizer, Real, Result};

use super::examples::Examples;
use super::model::Ready;
use super::prepare::{self, Held, Parts, Prepared};
use super::{bag, memory, numbers, recipe, settings, weights};
use crate::args::choice::PresetChoice;
use crate::args::train::TrainArgs;
use crate::args::value::ClassWeight;

/// The columns and the target as the training rows have them.
pub struct Fitted {
    /// Columns into inputs.
    pub preprocessor: Preprocessor,
    /// What was noticed about the columns.
    pub notes: Vec<Note>,
    /// Target into what the network learns, and back.
    pub target: Target,
}

/// Fits preprocessing and target on the training rows.
///
/// # Errors
/// Of the columns: a number too large, no usable column.
pub fn fit_columns(prepared: &Prepared, train: &[u32], config: &PreprocessConfig) -> Result<Fitted> {
    let (preprocessor, notes) = Preprocessor::fit(&prepared.examples.features, train, config)?;
    let mut fitted = prepared.choice.target.clone();
    match (prepare::target(&prepared.examples)?, &prepared.loss) {
        // Poisson's log link needs the counts as they are.
        (_, Loss::Poisson) => fitted = Target::unscaled(),
        (Column::Number(values), _) => fitted.fit_scale(values, train),
        _ => {}
    }
    if let (true, Column::Number(values)) = (prepared.is_clamped, prepare::target(&prepared.examples)?) {
        fitted.fit_range(values, train);
    }
    Ok(Fitted { preprocessor, notes, target: fitted })
}

/// Targets and weights of a file in the precision of the training.
pub struct Numbers<T> {
    y: Vec<T>,
    weights: Option<Vec<T>>,
    /// Those of the rows alone, where the weights are also those of the classes.
    of_rows: Option<Option<Vec<T>>>,
}

impl<T: Real> Numbers<T> {
    /// Of the given rows; the others stay 0 and take no part.
    ///
    /// # Errors
    /// A label that training has not seen, or a target that the loss is not defined for.
    pub fn new(examples: &Examples, target: &Target, rows: &[u32]) -> Result<Self> {
        let column = prepare::target(examples)?;
        let mut y = vec![T::ZERO; column.len()];
        rows.iter().zip(target.encode::<T>(column, rows)?).for_each(|(&row, value)| y[row as usize] = value);
        let weights = examples.weights.as_ref().map(|w| w.iter().map(|&w| T::of(w)).collect());
        Ok(Self { y, weights, of_rows: None })
    }

    /// Multiplies each row's weight by that of its class.
    pub fn weigh_classes(&mut self, per_class: &[f64]) {
        let of_class = |y: &T| T::of(per_class[y.f64() as usize]);
        let given = self.weights.take();
        let weight = |(row, y)| given.as_ref().map_or(T::ONE, |w: &Vec<T>| w[row]) * of_class(y);
        self.weights = Some(self.y.iter().enumerate().map(weight).collect());
        self.of_rows = Some(given);
    }

    /// Some rows as the trainer takes them.
    ///
    /// # Errors
    /// A weight that is negative or not finite.
    pub fn dataset<'a>(
        &'a self,
        inputs: Inputs<'a, T>,
        target: &Target,
        rows: &[u32],
    ) -> Result<Dataset<'a, T>> {
        let mut data = Dataset::new(inputs, &self.y, 1)?;
        if let Some(weights) = &self.weights {
            data = data.with_weights(weights)?;
        }
        if let Target::Number { mean, std, range } = target {
            data = data.with_scale(*mean, *std).with_range(*range);
        }
        Ok(data.subset(rows))
    }
}

/// The weight of each class, in class order.
///
/// # Errors
/// [`Code::InvalidSetting`] for a class that is not there.
pub fn class_weights(
    choice: &ClassWeight,
    target: &Target,
    y: impl Iterator<Item = usize>,
) -> Result<Vec<f64>> {
    let labels: Vec<String> = target.labels().iter().map(ToString::to_string).collect();
    match choice {
        ClassWeight::Balanced => Ok(balanced_class_weights(y, labels.len())),
        ClassWeight::PerClass(given) => {
            let mut weights = vec![1.0; labels.len()];
            for (class, weight) in given {
                let index =
                    labels.iter().position(|label| label == class).ok_or_else(|| no_class(class, &labels))?;
                weights[index] = *weight;
            }
            Ok(weights)
        }
    }
}

fn no_class(class: &str, labels: &[String]) -> Error {
    Error::new(
        Code::InvalidSetting,
        format!("--class-weight names {class:?}, which is no class of the target"),
    )
    .note(format!("classes: {}", labels.join(", ")))
}

/// The network that the flags describe, with its initial weights, and how it is trained, for so many training rows.
///
/// # Errors
/// For settings that exclude each other, a file of weights that does not fit, and as [`settings::training`].
pub fn network_and_settings<T: Real>(
    args: &TrainArgs,
    fitted: &Fitted,
    loss: &Loss,
    rows: usize,
) -> Result<(Network<T>, TrainConfig)> {
    let network = network(args, fitted, loss, rows)?;
    Ok((network, settings::training(args, loss, &fitted.preprocessor, rows)?))
}

/// The network that the flags describe, with its initial weights, for so many training rows.
///
/// # Errors
/// For settings that exclude each other, or a file of weights that does not fit.
fn network<T: Real>(args: &TrainArgs, fitted: &Fitted, loss: &Loss, rows: usize) -> Result<Network<T>> {
    if let Some(recipe) = recipe::of(args) {
        return recipe_network(recipe, args, fitted, (loss, rows));
    }
    let given = args.network.init_weights.as_deref().map(weights::read).transpose()?;
    let hidden = match (&args.network.hidden, &given) {
        (Some(hidden), _) => hidden.0.clone(),
        (None, Some(given)) => given.hidden(),
        (None, None) if recipe::preset(args) == PresetChoice::Linear => vec![],
        (None, None) => settings::HIDDEN.to_vec(),
    };
    let activations = settings::activations(args.network.activation.as_ref(), hidden.len())?;
    let n_out = outputs(loss, &fitted.target);
    let width = fitted.preprocessor.width();
    let front = numbers::layer(args.network.numbers, &fitted.preprocessor, rows)?;
    if front.is_some() && given.is_some() {
        let what = "--init-weights is for networks of dense layers, and --numbers puts another one in front";
        return Err(Error::new(Code::InvalidSetting, what).hint("leave one of them out"));
    }
    let n_in = front.map_or(width, |layer| layer.n_out(width));
    let sizes: Vec<usize> = [n_in].into_iter().chain(hidden).chain([n_out]).collect();
    let layers = front.into_iter().chain(layers(&sizes, &activations, args)?).collect::<Vec<_>>();
    let layers = bag::layers(layers, args)?;
    let needed = memory::estimate(&layers, settings::optimizer(&args.training)?, 1, size_of::<T>());
    memory::check(needed, "make the hidden layers smaller: --hidden 256,128")?;
    let initializer = settings::initializer(&args.network)?;
    let mut network = Network::with_layers(layers, loss.clone(), initializer, args.training.seed)?;
    match given {
        Some(given) => given.put_into(&mut network)?,
        None => silence(&mut network, &fitted.preprocessor.untrained_inputs()),
    }
    Ok(network)
}

/// The network of a recipe; its start waits for the data ([`start`]).
fn recipe_network<T: Real>(
    recipe: Recipe,
    args: &TrainArgs,
    fitted: &Fitted,
    (loss, rows): (&Loss, usize),
) -> Result<Network<T>> {
    let members = args.network.members.or(recipe.members(&fitted.preprocessor, rows)).unwrap_or(1);
    let members = if args.validation.bag.is_some() { 1 } else { members };
    let n_out = outputs(loss, &fitted.target);
    let layers = recipe.layers(&fitted.preprocessor, members, fitted.target.task(), n_out);
    let layers = bag::layers(layers, args)?;
    let needed = memory::estimate(&layers, Optimizer::ADAM, 1, size_of::<T>());
    memory::check(needed, "fewer columns: --drop")?;
    Network::with_layers(layers, loss.clone(), Initializer::Auto, args.training.seed)
}

/// What a start looks at beside the seed: a recipe's looks at the training rows.
///
/// # Errors
/// Of data that does not fit the network.
pub fn start<T: Real>(
    network: &mut Network<T>,
    args: &TrainArgs,
    fitted: &Fitted,
    data: &Dataset<'_, T>,
) -> Result<()> {
    match recipe::of(args) {
        Some(recipe) => recipe.initialize(network, &fitted.preprocessor, data, args.training.seed),
        None => numbers::start(network, data, args.training.seed),
    }
}

fn layers(sizes: &[usize], activations: &[Activation], args: &TrainArgs) -> Result<Vec<Layer>> {
    let dropout = args.regularisation.dropout.unwrap_or(0.0);
    settings::refuse(dropout > 0.0 && activations.is_empty(), "--dropout", "hidden layers")?;
    let (batch_norm, residual) = (args.network.batch_norm, args.network.residual);
    settings::refuse(batch_norm && activations.is_empty(), "--batch-norm", "hidden layers")?;
    let hidden = &sizes[1..sizes.len() - 1];
    if residual && !hidden.windows(2).any(|pair| pair[0] == pair[1]) {
        let what = "--residual adds to a hidden layer's output that of the one before, and no two neighbours have one width";
        return Err(Error::new(Code::InvalidSetting, what).hint("such as --hidden 64,64"));
    }
    mlp(sizes, activations, Blocks { dropout, batch_norm, residual })
}

/// n_L: how many logits a loss wants for a target.
fn outputs(loss: &Loss, target: &Target) -> usize {
    match (loss, target.task()) {
        (Loss::Quantile { levels }, _) => levels.len(),
        (Loss::CrossEntropy { .. }, _) | (_, Task::Multiclass) => target.labels().len(),
        _ => 1,
    }
}

/// No gradient reaches the weights of inputs that are 0 in every training row: they start at 0, so that a level
/// that training has never seen says nothing. An embedding of numbers passes these inputs on behind its own.
fn silence<T: Real>(network: &mut Network<T>, inputs: &[usize]) {
    let (n_in, n_out) = (network.n_in(), network.sizes()[1]);
    let first = network.layers().iter().position(|layer| layer.units().is_some()).unwrap_or(0);
    let width = network.layers()[first].n_in().unwrap_or(n_in);
    let (w, _) = network.params.dense_mut(first);
    for w in w.chunks_exact_mut(width * n_out) {
        inputs.iter().map(|&i| i + width - n_in).for_each(|i| w[i * n_out..(i + 1) * n_out].fill(T::ZERO));
    }
}

/// The data of a training as the trainer's data sets borrow it.
pub struct Bound<'a, T> {
    ready: Ready<'a, T>,
    numbers: Numbers<T>,
    rows: &'a [u32],
    valid: Option<BoundValid<'a, T>>,
    folds: Option<&'a Folds>,
    target: &'a Target,
}

struct BoundValid<'a, T> {
    ready: Ready<'a, T>,
    numbers: Numbers<T>,
    rows: Vec<u32>,
}

/// Rows to train on, and those to validate on if there are any.
pub struct Data<'a, T> {
    /// Rows to train on.
    pub train: Dataset<'a, T>,
    /// Rows to validate on.
    pub valid: Option<Dataset<'a, T>>,
    /// Which of the training rows each member leaves out and is validated on.
    pub folds: Option<Folds>,
    /// With class weights, the weights of the rows that decide without those of their classes.
    of_rows: Option<Option<&'a [T]>>,
}

impl<'a, T: Real> Data<'a, T> {
    /// Trains.
    ///
    /// # Errors
    /// Of settings or data that do not fit.
    pub fn fit(&self, run: &mut Run<T>, config: &TrainConfig, observe: Observer<'_, T>) -> Result<Stop> {
        match &self.folds {
            Some(folds) => fit_folds(run, &self.train, folds, config, observe),
            None => fit(run, &self.train, self.valid.as_ref(), config, observe),
        }
    }

    /// The rows that decide: those that were held out, else those of the training.
    fn deciding(&self) -> &Dataset<'a, T> {
        self.valid.as_ref().unwrap_or(&self.train)
    }

    /// What of an evaluation is told: class weights decide about epochs, shares and calibration, and scores are of rows as they are.
    pub fn told(&self, evaluation: Evaluation) -> Evaluation {
        let Some(of_rows) = self.of_rows else { return evaluation };
        let rows = self.folds.as_ref().map_or_else(|| self.deciding().rows().to_vec(), Folds::left_out);
        evaluation.weighed(of_rows.map(|of| rows.iter().map(|&row| of[row as usize].f64()).collect()))
    }

    /// How a network does on the rows that decide.
    pub fn evaluate(&self, network: &Network<T>) -> Evaluation {
        let rows = self.deciding();
        let mut cache = cache_for(network, rows.len());
        match &self.folds {
            Some(folds) => out_of_fold(network, &self.train, folds, &mut cache),
            None => evaluate(network, rows, &mut cache),
        }
    }

    /// Where those rows are: `valid`, `out-of-fold` or `train`.
    pub fn on(&self) -> &'static str {
        match (&self.folds, &self.valid) {
            (Some(_), _) => OUT_OF_FOLD,
            (None, Some(_)) => "valid",
            (None, None) => "train",
        }
    }

    /// Whether a network, or a member of it, has not seen them.
    pub fn is_held_out(&self) -> bool {
        self.folds.is_some() || self.valid.is_some()
    }
}

/// Where a score comes from whose every row was predicted by the member that has not seen it.
pub const OUT_OF_FOLD: &str = "out-of-fold";

impl<'a, T: Real> Bound<'a, T> {
    /// Looks columns and labels up.
    ///
    /// # Errors
    /// A column, label or weight that cannot be used.
    pub fn new(
        prepared: &'a Prepared,
        parts: &'a Parts,
        fitted: &'a Fitted,
        args: &TrainArgs,
    ) -> Result<Self> {
        let (examples, target) = (&prepared.examples, &fitted.target);
        let mut numbers = Numbers::<T>::new(examples, target, &prepared.rows)?;
        let per_class = args.regularisation.class_weight.as_ref().map(|choice| {
            let classes = parts.train.iter().map(|&row| numbers.y[row as usize].f64() as usize);
            class_weights(choice, target, classes)
        });
        let per_class = per_class.transpose()?;
        let valid = match &parts.valid {
            Held::None | Held::Folds(_) => None,
            Held::Rows(rows) => Some((examples, rows.clone())),
            Held::Apart(file) => Some((&**file, present_rows(prepare::target(file)?))),
        };
        let mut valid = valid.map(|(examples, rows)| BoundValid::new(examples, rows, fitted)).transpose()?;
        if let Some(per_class) = &per_class {
            numbers.weigh_classes(per_class);
            valid.iter_mut().for_each(|valid| valid.numbers.weigh_classes(per_class));
        }
        let ready = Ready::for_batches(fitted.preprocessor.bind(&examples.features)?);
        let folds = if let Held::Folds(folds) = &parts.valid { Some(folds) } else { None };
        Ok(Self { ready, numbers, rows: &parts.train, valid, folds, target })
    }

    /// The data sets.
    ///
    /// # Errors
    /// A weight that is negative or not finite.
    pub fn data(&self) -> Result<Data<'_, T>> {
        let train = self.numbers.dataset(self.ready.inputs(), self.target, self.rows)?;
        let valid = self
            .valid
            .as_ref()
            .map(|v| v.numbers.dataset(v.ready.inputs(), self.target, &v.rows))
            .transpose()?;
        let folds = self.folds.map(|folds| {
            // Class weights of 0 leave rows out.
            let there = |rows: &[u32]| train.subset(rows).rows().to_vec();
            Folds::new(folds.splits().iter().map(|(train, valid)| (there(train), there(valid))).collect())
        });
        let folds = folds.transpose()?;
        let deciding = self.valid.as_ref().map_or(&self.numbers, |valid| &valid.numbers);
        Ok(Data { train, valid, folds, of_rows: deciding.of_rows.as_ref().map(Option::as_deref) })
    }
}

impl<'a, T: Real> BoundValid<'a, T> {
    fn new(examples: &'a Examples, rows: Vec<u32>, fitted: &'a Fitted) -> Result<Self> {
        let in_file = |error: Error| super::read::in_file(&error, &examples.name);
        let numbers = Numbers::new(examples, &fitted.target, &rows).map_err(in_file)?;
        let ready = Ready::for_batches(fitted.preprocessor.bind(&examples.features).map_err(in_file)?);
        Ok(Self { ready, numbers, rows })
    }
}
