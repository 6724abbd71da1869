//! Dense networks on tables and vectors: `Z = A W + b`, layer after layer.
//!
//! Reading order: [`activation`], [`loss`], [`layer`], [`network`], [`step`] (forward, cache, backward:
//! the heart), [`cpu`] (kernels), [`trainer`] (epochs, no mathematics). Notation is in `NOTATION.md`.

pub mod activation;
pub mod loss;
pub mod layer;
pub mod network;
pub mod init;
pub mod optimizer;
pub mod lbfgs;
mod line_search;
pub mod schedule;
pub mod aligned;
pub mod step;
pub mod cpu;
pub mod trainer;
pub mod evaluate;
pub mod combine;
pub mod calibration;
pub mod conformal;
pub mod compare;
pub mod importance;
pub mod attribute;
pub mod partial;
pub mod spread;
pub mod health;
pub mod gradcheck;
pub mod explain;
pub mod model_file;

pub mod data;
pub mod preprocess;
pub mod metrics;
pub mod recipe;

pub mod array;
pub mod error;
mod error_codes;
pub mod real;
mod math;
pub mod rng;

pub use activation::Activation;
pub use error::{Code, Error, Result};
pub use init::Initializer;
pub use layer::{
    Bins, Embed, Ensemble, Heads, Layer, Members, Own, OwnLayer, Params, Periodic, Piecewise, Plr,
};
pub use loss::Loss;
pub use ndarray;
pub use network::Network;
pub use optimizer::Optimizer;
pub use real::Real;
pub use schedule::Schedule;

/// The Rust code on the pages of the documentation is compiled and run with the documentation tests.
#[cfg(doctest)]
mod pages {
    #[doc = include_str!("../../../README.md")]
    mod readme {}
    #[doc = include_str!("../../../docs/notes.md")]
    mod notes {}
    #[doc = include_str!("../../../docs/tour.md")]
    mod tour {}
}
