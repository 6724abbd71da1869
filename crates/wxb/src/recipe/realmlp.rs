//! RealMLP-TD: the tuned defaults of Holzmüller, Grinsztajn and Steinwart 2024, "Better by default: strong pre-tuned MLPs
//! and boosted trees on tabular data", with the numbers of their program (pytabkit 1.7).
//!
//! ```text
//! numbers     x' = smooth((x − median) / interquartile range)      then (A cos(2π w x' + β) + c, x')
//! few levels  an input each, scaled like the numbers               more than 8 levels: 8 learned numbers
//! network     γ ⊙ h → 3 × [256 units, Z + α ⊙ (g(Z) − Z), dropout] → logits,  g SELU for classes and Mish for numbers
//! start       every unit has mean square 1 on the training rows, and its zero among them
//! training    Adam, 256 epochs of batches of 256, four waves of the learning rate, the best epoch by the metric
//! prediction  of a number: between the smallest and the largest target of the training rows (Target::fit_range)
//! ```

use rand_distr::{Distribution, Exp1, StandardNormal};

use crate::activation::Activation;
use crate::data::Dataset;
use crate::data::target::Task;
use crate::error::Result;
use crate::layer::{Embed, Heads, Layer, Periodic};
use crate::loss::Loss;
use crate::metrics::Metric;
use crate::network::Network;
use crate::optimizer::Optimizer;
use crate::preprocess::{Categories, Groups, PreprocessConfig, Scale};
use crate::real::Real;
use crate::rng::{Purpose, below, shuffle, stream};
use crate::schedule::Schedule;
use crate::step::{Cache, Keep, Mode, forward};
use crate::trainer::{BatchSize, Pace, Paces, Ties, TrainConfig};

/// Units of each hidden layer.
pub(super) const HIDDEN: [usize; 3] = [256, 256, 256];
/// Waves of a numeric embedding, and the numbers that they become beside x'.
const FREQUENCIES: usize = 16;
const WAVE_WIDTH: usize = 3;
/// Levels up to which a category has inputs of its own; numbers that a level of others becomes.
pub(super) const FEW_LEVELS: usize = 8;
pub(super) const EMBEDDING: usize = 8;
/// Dropout and weight decay until the middle of the run; both then fall to 0.
const DROPOUT: f64 = 0.15;
const WEIGHT_DECAY: f64 = 0.02;
/// The share of a label that is spread over the classes. It serves the accuracy and harms probabilities.
const LABEL_SMOOTHING: f64 = 0.1;

/// How columns become inputs. `keep`: as in [`PreprocessConfig`].
pub fn preprocessing(keep: bool) -> PreprocessConfig {
    PreprocessConfig {
        scale: Scale::Smooth,
        categories: Categories::Embedded { above: FEW_LEVELS },
        keep,
        ..PreprocessConfig::default()
    }
}

/// Cross-entropy of one logit for each class, two for two; the squared error of a standardised target. Labels are smoothed
/// where the metric looks at the most probable class alone.
pub fn loss(task: Task, metric: Metric) -> Loss {
    let by_class = matches!(metric, Metric::Accuracy | Metric::BalancedAccuracy | Metric::F1);
    match task {
        Task::Regression => Loss::SquaredError,
        Task::Binary | Task::Multiclass => {
            Loss::CrossEntropy { label_smoothing: if by_class { LABEL_SMOOTHING } else { 0.0 } }
        }
    }
}

/// The inputs of the first dense layer.
pub(super) fn width(Groups { numbers, others, rows, .. }: Groups) -> usize {
    numbers * (WAVE_WIDTH + 1) + others + rows * EMBEDDING
}

/// The layer that makes learned numbers of the levels that have no inputs, where there are some.
pub(super) fn categories(Groups { numbers, others, rows, levels }: Groups) -> Option<Layer> {
    let embed = Embed { rest: numbers + others, columns: rows, levels, width: EMBEDDING };
    (rows > 0).then_some(Layer::Embed(embed))
}

/// The layers that make those of the columns: embeddings of categories and of numbers, where there are some.
pub(super) fn embeddings(inputs: Groups) -> Vec<Layer> {
    let Groups { numbers, others, rows, .. } = inputs;
    let mut layers: Vec<Layer> = categories(inputs).into_iter().collect();
    let rest = others + rows * EMBEDDING;
    if numbers > 0 {
        let (columns, frequencies, width) = (numbers, FREQUENCIES, WAVE_WIDTH);
        layers.push(Layer::Periodic(Periodic { columns, rest, frequencies, width }));
    }
    layers
}

/// The layers for the inputs of [`preprocessing`].
pub fn layers(inputs: Groups, task: Task, n_out: usize) -> Vec<Layer> {
    let (mut layers, mut n_in) = (embeddings(inputs), width(inputs));
    layers.push(Layer::Scale { n: n_in });
    let g = if task == Task::Regression { Activation::Mish } else { Activation::Selu };
    for units in HIDDEN {
        layers.push(Layer::Dense { n_in, n_out: units, activation: Activation::Identity });
        layers.push(Layer::Blend { n: units, activation: g });
        layers.push(Layer::Dropout { rate: DROPOUT });
        n_in = units;
    }
    layers.push(Layer::Dense { n_in, n_out, activation: Activation::Identity });
    layers
}

/// The settings of the training.
pub fn training(task: Task, metric: Metric, seed: u64) -> TrainConfig {
    // The published program multiplies the decay by the factor on the rate twice, and its defaults were tuned so.
    let pace = |lr: f64| Pace { lr, decay: lr * lr };
    TrainConfig {
        optimizer: Optimizer::Adam { beta1: 0.9, beta2: 0.95, epsilon: 1e-8 },
        lr: if task == Task::Regression { 0.2 } else { 0.04 },
        schedule: Schedule::CosineLog { cycles: 4 },
        epochs: 256,
        batch_size: BatchSize::Rows(256),
        weight_decay: Some(WEIGHT_DECAY),
        decay_schedule: Schedule::FlatCosine,
        dropout_schedule: Schedule::FlatCosine,
        paces: Paces {
            weights: pace(1.0),
            biases: Pace { lr: 0.1, decay: 0.0 },
            scales: pace(6.0),
            member_scales: pace(6.0),
            blends: pace(0.1),
            periodic: pace(0.1),
            embeddings: pace(1.0),
            by_inputs: true,
        },
        drop_last: true,
        ties: Ties::Later,
        metric: Some(metric),
        stop_on_metric: true,
        seed,
        ..TrainConfig::default()
    }
}

/// The start of the dense layers (and heads, each member its own), one after the other, by what the training rows give them: W ~ N(0, 1), each unit divided
/// by the standard deviation of its Z; b = −Σ π_r z_r over five random rows, π random shares, so that the unit's zero lies
/// among the data ("he+5").
///
/// # Errors
/// As [`Dataset::check`].
pub fn initialize<T: Real>(network: &mut Network<T>, data: &Dataset<'_, T>, seed: u64) -> Result<()> {
    /// As many rows tell a standard deviation to a hundredth.
    const ROWS: usize = 8192;
    data.check(network)?;
    let mut rows = data.rows().to_vec();
    shuffle(&mut stream(seed, Purpose::Init, START), &mut rows);
    rows.truncate(ROWS.div_ceil(network.members()));
    let m = rows.len();
    let mut cache = Cache::new(network, m, Keep::Needed);
    data.load(&rows, &mut cache);
    for l in 0..network.layers().len() {
        let (members, n_out) = match network.layers()[l] {
            Layer::Dense { n_out, .. } => (1, n_out),
            Layer::Heads(Heads { members, n_out, .. }) => (members, n_out),
            _ => continue,
        };
        let mut rng = stream(seed, Purpose::Init, START + 1 + l as u64);
        let (w, b) = network.params.dense_mut(l);
        w.iter_mut().for_each(|w| *w = T::of(StandardNormal.sample(&mut rng)));
        b.fill(T::ZERO);
        forward(network, &mut cache, m, Mode::Predicting);
        let (w, b) = network.params.dense_mut(l);
        let of_member = w.len() / members;
        for (unit, b) in b.iter_mut().enumerate() {
            let (member, j) = (unit / n_out, unit % n_out);
            let w = &mut w[member * of_member..][..of_member];
            let z = |row: usize| cache.a(l)[(member * m + row) * n_out + j].f64();
            let mean = (0..m).map(z).sum::<f64>() / m as f64;
            let std = ((0..m).map(|row| (z(row) - mean).powi(2)).sum::<f64>() / m as f64).sqrt();
            let unit = if std > 0.0 { std } else { 1.0 };
            w.iter_mut().skip(j).step_by(n_out).for_each(|w| *w = T::of(w.f64() / unit));
            let shares: [f64; 5] = std::array::from_fn(|_| Exp1.sample(&mut rng));
            let center: f64 = shares.iter().map(|share| share * z(below(&mut rng, m as u32) as usize)).sum();
            *b = T::of(-center / shares.iter().sum::<f64>() / unit);
        }
    }
    Ok(())
}

/// The streams of this start, beyond those of the usual ones.
const START: u64 = 1 << 40;
