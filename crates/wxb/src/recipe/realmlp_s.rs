//! RealMLP-TD-S, the simple one of the two networks of Holzmüller, Grinsztajn and Steinwart 2024 ([`super::realmlp`] is the other): no
//! embeddings, dropout, decay or learned activations, and about half the time.
//!
//! ```text
//! numbers     x' = smooth((x − median) / interquartile range)
//! levels      an input each, scaled like the numbers               more than 128 levels: 8 learned numbers
//! network     γ ⊙ h → 3 × 256 units, g → logits,                   g SELU for classes and Mish for numbers
//! start       W ~ N(0, 1/n_in), b ~ N(0, 1); the logits are 0
//! training    Adam, 256 epochs of batches of 256, four waves of the learning rate, the best epoch by the metric
//! ```
//!
//! As published every level has an input, however many there are.

use rand_distr::{Distribution, StandardNormal};

use crate::activation::Activation;
use crate::data::target::Task;
use crate::layer::Layer;
use crate::loss::Loss;
use crate::metrics::Metric;
use crate::network::Network;
use crate::preprocess::{Categories, Groups, PreprocessConfig};
use crate::real::Real;
use crate::recipe::realmlp::{self, EMBEDDING, HIDDEN};
use crate::rng::{Purpose, stream};
use crate::schedule::Schedule;
use crate::trainer::TrainConfig;

/// Levels up to which a category has inputs of its own.
const LEVELS: usize = 128;
/// The learning rate for classes, and for numbers.
const LEARNING_RATES: [f64; 2] = [0.04, 0.07];

/// How columns become inputs. `keep`: as in [`PreprocessConfig`].
pub fn preprocessing(keep: bool) -> PreprocessConfig {
    PreprocessConfig { categories: Categories::Embedded { above: LEVELS }, ..realmlp::preprocessing(keep) }
}

/// As RealMLP-TD's ([`realmlp::loss`]).
pub fn loss(task: Task, metric: Metric) -> Loss {
    realmlp::loss(task, metric)
}

/// The layers for the inputs of [`preprocessing`].
pub fn layers(inputs: Groups, task: Task, n_out: usize) -> Vec<Layer> {
    let mut n_in = inputs.numbers + inputs.others + inputs.rows * EMBEDDING;
    let mut layers: Vec<Layer> = realmlp::categories(inputs).into_iter().collect();
    layers.push(Layer::Scale { n: n_in });
    let activation = if task == Task::Regression { Activation::Mish } else { Activation::Selu };
    for n_out in HIDDEN {
        layers.push(Layer::Dense { n_in, n_out, activation });
        n_in = n_out;
    }
    layers.push(Layer::Dense { n_in, n_out, activation: Activation::Identity });
    layers
}

/// The settings of the training.
pub fn training(task: Task, metric: Metric, seed: u64) -> TrainConfig {
    let [of_classes, of_numbers] = LEARNING_RATES;
    TrainConfig {
        lr: if task == Task::Regression { of_numbers } else { of_classes },
        weight_decay: Some(0.0),
        decay_schedule: Schedule::Constant,
        dropout_schedule: Schedule::Constant,
        ..realmlp::training(task, metric, seed)
    }
}

/// The start: W ~ N(0, 1/n_in) and b ~ N(0, 1), both 0 in the last layer.
pub fn initialize<T: Real>(network: &mut Network<T>, seed: u64) {
    let last = network.layers().len() - 1;
    for l in 0..=last {
        let Some([n_in, _]) = network.layers()[l].units() else { continue };
        let (w, b) = network.params.dense_mut(l);
        if l == last {
            w.fill(T::ZERO);
            b.fill(T::ZERO);
            continue;
        }
        let mut rng = stream(seed, Purpose::Init, START + l as u64);
        let mut normal = || -> f64 { StandardNormal.sample(&mut rng) };
        let unit = (n_in as f64).sqrt();
        w.iter_mut().for_each(|w| *w = T::of(normal() / unit));
        b.iter_mut().for_each(|b| *b = T::of(normal()));
    }
}

/// The streams of this start, beyond those of the usual ones.
const START: u64 = 1 << 42;
