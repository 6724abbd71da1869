//! Recipes: all that a published network for tables fixes, from the columns to the last step, a page each.

pub mod realmlp;
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

/// A published network for tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recipe {
    /// RealMLP-TD ([`realmlp`]).
    RealMlp,
    /// TabM ([`tabm`]).
    TabM,
    /// TabM-mini ([`tabm`]).
    TabMMini,
}

impl Recipe {
    /// Every recipe.
    pub const ALL: [Recipe; 3] = [Recipe::RealMlp, Recipe::TabM, Recipe::TabMMini];

    /// The name it has on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Recipe::RealMlp => "realmlp",
            Recipe::TabM => "tabm",
            Recipe::TabMMini => "tabm-mini",
        }
    }

    /// How columns become inputs. `keep`: as in [`PreprocessConfig`].
    pub fn preprocessing(self, keep: bool) -> PreprocessConfig {
        match self {
            Recipe::RealMlp => realmlp::preprocessing(keep),
            Recipe::TabM | Recipe::TabMMini => tabm::preprocessing(keep),
        }
    }

    /// What is minimised, where `metric` decides which epoch is the best one.
    pub fn loss(self, task: Task, metric: Metric) -> Loss {
        match self {
            Recipe::RealMlp => realmlp::loss(task, metric),
            Recipe::TabM | Recipe::TabMMini => tabm::loss(task),
        }
    }

    /// What decides which epoch is the best one, where nothing is said.
    pub fn metric(self, task: Task) -> Metric {
        if task == Task::Regression { Metric::Rmse } else { Metric::Accuracy }
    }

    /// The layers for the inputs of a table.
    pub fn layers(self, inputs: &Preprocessor, task: Task, n_out: usize) -> Vec<Layer> {
        match self {
            Recipe::RealMlp => realmlp::layers(inputs.groups(), task, n_out),
            Recipe::TabM => tabm::layers(inputs.width(), n_out),
            Recipe::TabMMini => tabm::mini_layers(inputs.width(), n_out),
        }
    }

    /// The settings of the training, on so many rows.
    pub fn training(self, task: Task, metric: Metric, rows: usize, seed: u64) -> TrainConfig {
        match self {
            Recipe::RealMlp => realmlp::training(task, metric, seed),
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
            Recipe::RealMlp => realmlp::initialize(network, data, seed),
            Recipe::TabM | Recipe::TabMMini => tabm::initialize(network, inputs, seed),
        }
    }
}
