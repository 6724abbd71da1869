//! Tables: frames of any library as the engine's columns, the training that `wxb train` does, and its models.

mod follow;
mod frame;
mod model;
mod stream;
pub mod training;

pub use frame::Frame;
pub use model::Model;
