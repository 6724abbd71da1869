//! Models and checkpoints as bytes: the safetensors format with one metadata entry, `wxb`, that holds canonical
//! JSON. Any reader of safetensors opens the weights; identical trainings give identical bytes.
//!
//! A file is untrusted: its checksum, lengths, names, shapes and numbers are checked before anything is built.

mod checkpoint;
mod container;
mod model;

pub use checkpoint::Checkpoint;
pub use model::{AnyNetwork, Model, Part, Reading};
