//! Dense networks on tables and vectors: `Z = A W + b`, layer after layer.
//!
//! Reading order: [`activation`], [`loss`], [`layer`], [`network`], [`step`] (forward, cache, backward:
//! the heart), [`cpu`] (kernels), [`trainer`] (epochs, no mathematics). Notation is in `NOTATION.md`.

pub mod array;
pub mod data;
pub mod error;
mod error_codes;
pub mod lbfgs;
mod line_search;
pub mod real;
pub mod rng;

pub use error::{Code, Error, Result};
pub use ndarray;
pub use real::Real;
