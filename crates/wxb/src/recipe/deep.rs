//! The large network of `auto`: RealMLP of Holzmüller, Grinsztajn and Steinwart 2024 ([`super::realmlp`]), changed where
//! measurements said so (`docs/auto.md`), and several of it in one.
//!
//! ```text
//! numbers     each twice, as a normal score and standardised with logarithmic tails;   then (A cos(2π w x' + β) + c, x')
//!             with slow and fast waves
//! few levels  an input each                                        more than 8 levels: 8 learned numbers
//! network     members: γ ⊙ h → 3 × [256 units, Z + α ⊙ (Mish(Z) − Z), dropout] → logits; they share the embeddings only
//! start       as RealMLP's, each member its own
//! loss        the mean over the members of their losses; of two classes one logit
//! training    Adam, batches that all members see, four waves of the learning rate, the epoch whose mean prediction is best
//! prediction  the mean over the members: of probabilities, not of logits
//! ```

use crate::activation::Activation;
use crate::data::Dataset;
use crate::data::target::Task;
use crate::error::Result;
use crate::layer::{Heads, Layer, Members, Role, Slot};
use crate::loss::Loss;
use crate::metrics::Metric;
use crate::network::Network;
use crate::preprocess::{Categories, Groups, PreprocessConfig, Scale};
use crate::real::Real;
use crate::recipe::realmlp::{self, FEW_LEVELS, HIDDEN, embeddings, width};
use crate::trainer::{BatchSize, TrainConfig};

/// The waves of a column are of different lengths: the standard deviation of the frequencies w grows from the first wave to the
/// last by this factor. It begins where that of RealMLP is, 0.1.
const SPREAD: f64 = 50.0;
/// Dropout until the middle of the run; it then falls to 0.
const DROPOUT: f64 = 0.1;
/// The learning rate for classes, and for numbers.
const LEARNING_RATES: [f64; 2] = [0.04, 0.1];

/// Members, epochs and the rows of a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Plan {
    /// Networks side by side.
    pub members: usize,
    /// Passes over the training rows.
    pub epochs: u64,
    /// Rows of a step.
    pub batch: usize,
}

/// Plans, each for less work than stands before it: training rows, those of a wide table counting more.
const PLANS: [(usize, Plan); 5] = [
    (1_500, Plan { members: 8, epochs: 32, batch: 64 }),
    (6_000, Plan { members: 6, epochs: 24, batch: 128 }),
    (15_000, Plan { members: 4, epochs: 20, batch: 256 }),
    (60_000, Plan { members: 4, epochs: 12, batch: 256 }),
    (usize::MAX, Plan { members: 2, epochs: 8, batch: 512 }),
];

/// The plan for a number of training rows.
pub fn plan(inputs: Groups, rows: usize) -> Plan {
    let work = usual_rows(inputs, rows);
    let [.., (_, last)] = PLANS;
    PLANS.iter().find(|(limit, _)| work < *limit).map_or(last, |&(_, plan)| plan)
}

/// As many rows of a table with 20 numbers in two scales are as much work.
pub fn usual_rows(inputs: Groups, rows: usize) -> usize {
    // Multiplications for a row.
    let of = |inputs: Groups| (HIDDEN[0] * (width(inputs) + HIDDEN[1] + HIDDEN[2])) as f64;
    let usual = Groups { numbers: 2 * 20, others: 0, rows: 0, levels: 0 };
    (rows as f64 * of(inputs) / of(usual)) as usize
}

/// How columns become inputs. `keep`: as in [`PreprocessConfig`].
pub fn preprocessing(keep: bool) -> PreprocessConfig {
    PreprocessConfig {
        scale: Scale::Normal,
        second_scale: Some(Scale::Auto),
        categories: Categories::Embedded { above: FEW_LEVELS },
        keep,
        ..PreprocessConfig::default()
    }
}

/// Cross-entropy of one logit for two classes and of one for each of more; the squared error of a standardised target.
pub fn loss(task: Task) -> Loss {
    match task {
        Task::Binary => Loss::BINARY,
        Task::Multiclass => Loss::SOFTMAX,
        Task::Regression => Loss::SquaredError,
    }
}

/// The layers for the inputs of [`preprocessing`].
pub fn layers(inputs: Groups, members: usize, n_out: usize) -> Vec<Layer> {
    let (mut layers, mut n_in) = (embeddings(inputs), width(inputs));
    let all = Members { members, n: n_in };
    layers.extend([Layer::Members(all), Layer::MemberScale(all)]);
    for n_out in HIDDEN {
        layers.push(Layer::Heads(Heads { members, n_in, n_out }));
        layers.push(Layer::Blend { n: n_out, activation: Activation::Mish });
        layers.push(Layer::Dropout { rate: DROPOUT });
        n_in = n_out;
    }
    layers.push(Layer::Heads(Heads { members, n_in, n_out }));
    layers
}

/// The settings of the training.
pub fn training(inputs: Groups, rows: usize, task: Task, metric: Metric, seed: u64) -> TrainConfig {
    let [of_classes, of_numbers] = LEARNING_RATES;
    let Plan { epochs, batch, .. } = plan(inputs, rows);
    TrainConfig {
        lr: if task == Task::Regression { of_numbers } else { of_classes },
        epochs,
        batch_size: BatchSize::Rows(batch),
        ..realmlp::training(task, metric, seed)
    }
}

/// Waves of many lengths, all else as [`realmlp::initialize`].
///
/// # Errors
/// As there.
pub fn initialize<T: Real>(network: &mut Network<T>, data: &Dataset<'_, T>, seed: u64) -> Result<()> {
    let waves: Vec<Slot> =
        network.params.slots().iter().filter(|slot| slot.role == Role::Frequency).cloned().collect();
    for slot in waves {
        let last = (slot.columns - 1).max(1) as f64;
        for of_column in network.params.flat[slot.range()].chunks_exact_mut(slot.columns) {
            for (j, w) in of_column.iter_mut().enumerate() {
                *w *= T::of(SPREAD.powf(j as f64 / last));
            }
        }
    }
    realmlp::initialize(network, data, seed)
}
