//! From data to a trained network: read, choose the task, split, prepare the columns, train, judge.

pub mod bag;
pub mod budget;
pub mod candidate;
pub mod fit;
pub mod importance;
pub mod judge;
pub mod memory;
pub mod model;
pub mod numbers;
pub mod prepare;
pub mod read;
pub mod recipe;
pub mod settings;
pub mod spread;
pub mod weights;
