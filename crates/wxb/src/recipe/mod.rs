//! Recipes: all that a network for tables fixes, from the columns to the last step, a page each.

pub mod deep;
pub mod realmlp;
pub mod realmlp_s;
pub mod tabm;

use crate::data::Dataset;
use crate::data::target::Task;
use crate::error::Result;
use crate::layer::Layer;
use crate::loss::Loss;
use crate::metrics::Metric;
use crate::network::Network;
use crate::preprocess::{PreprocessConfig, Preprocessor};
use crate::real::Real;
use crate::trainer::TrainConfig;

/// A network for tables; all but the first are published ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recipe {
    /// The large network of `auto` ([`deep`]).
    Deep,
    /// RealMLP-TD ([`realmlp`]).
    RealMlp,
    /// RealMLP-TD-S ([`realmlp_s`]).
    RealMlpS,
    /// TabM ([`tabm`]).
    TabM,
    /// TabM-mini ([`tabm`]).
    TabMMini,
}

impl Recipe {
    /// Every recipe.
    pub const ALL: [Recipe; 5] =
        [Recipe::Deep, Recipe::RealMlp, Recipe::RealMlpS, Recipe::TabM, Recipe::TabMMini];

    /// The name it has on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Recipe::Deep => "deep",
            Recipe::RealMlp => "realmlp",
            Recipe::RealMlpS => "realmlp-s",
            Recipe::TabM => "tabm",
            Recipe::TabMMini => "tabm-mini",
        }
    }

    /// How columns become inputs. `keep`: as in [`PreprocessConfig`].
    pub fn preprocessing(self, keep: bool) -> PreprocessConfig {
        match self {
            Recipe::Deep => deep::preprocessing(keep),
            Recipe::RealMlp => realmlp::preprocessing(keep),
            Recipe::RealMlpS => realmlp_s::preprocessing(keep),
            Recipe::TabM | Recipe::TabMMini => tabm::preprocessing(keep),
        }
    }

    /// What is minimised, where `metric` decides which epoch is the best one.
    pub fn loss(self, task: Task, metric: Metric) -> Loss {
        match self {
            Recipe::Deep => deep::loss(task),
            Recipe::RealMlp => realmlp::loss(task, metric),
            Recipe::RealMlpS => realmlp_s::loss(task, metric),
            Recipe::TabM | Recipe::TabMMini => tabm::loss(task),
        }
    }

    /// What decides which epoch is the best one, where nothing is said.
    pub fn metric(self, task: Task) -> Metric {
        match (task, self) {
            (Task::Regression, _) => Metric::Rmse,
            (_, Recipe::Deep) => Metric::LogLoss,
            _ => Metric::Accuracy,
        }
    }

    /// How many networks stand side by side, where nothing is said, for so many training rows; `None` if it is one alone.
    pub fn members(self, inputs: &Preprocessor, rows: usize) -> Option<usize> {
        match self {
            Recipe::Deep => Some(deep::plan(inputs.groups(), rows).members),
            Recipe::RealMlp | Recipe::RealMlpS => None,
            Recipe::TabM | Recipe::TabMMini => Some(tabm::MEMBERS),
        }
    }

    /// The layers for the inputs of a table; `members`: as many networks as [`Recipe::members`], or another number.
    pub fn layers(self, inputs: &Preprocessor, members: usize, task: Task, n_out: usize) -> Vec<Layer> {
        match self {
            Recipe::Deep => deep::layers(inputs.groups(), members, n_out),
            Recipe::RealMlp => realmlp::layers(inputs.groups(), task, n_out),
            Recipe::RealMlpS => realmlp_s::layers(inputs.groups(), task, n_out),
            Recipe::TabM => tabm::layers(inputs.width(), members, n_out),
            Recipe::TabMMini => tabm::mini_layers(inputs.width(), members, n_out),
        }
    }

    /// The settings of the training, on so many rows.
    pub fn training(
        self,
        inputs: &Preprocessor,
        rows: usize,
        task: Task,
        metric: Metric,
        seed: u64,
    ) -> TrainConfig {
        match self {
            Recipe::Deep => deep::training(inputs.groups(), rows, task, metric, seed),
            Recipe::RealMlp => realmlp::training(task, metric, seed),
            Recipe::RealMlpS => realmlp_s::training(task, metric, seed),
            Recipe::TabM | Recipe::TabMMini => tabm::training(metric, rows, seed),
        }
    }

    /// The weights that training starts from.
    ///
    /// # Errors
    /// Of data or inputs that do not fit the network.
    pub fn initialize<T: Real>(
        self,
        network: &mut Network<T>,
        inputs: &Preprocessor,
        data: &Dataset<'_, T>,
        seed: u64,
    ) -> Result<()> {
        match self {
            Recipe::Deep => deep::initialize(network, data, seed),
            Recipe::RealMlp => realmlp::initialize(network, data, seed),
            Recipe::RealMlpS => {
                realmlp_s::initialize(network, seed);
                Ok(())
            }
            Recipe::TabM | Recipe::TabMMini => tabm::initialize(network, inputs, seed),
        }
    }
}
