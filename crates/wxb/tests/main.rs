//! The tests that need no program of their own: one program, because each has the whole engine in it.

mod array_numpy;
mod blocks;
mod corpus;
mod corpus_layers;
mod course_cases;
mod engine;
mod fingerprint;
mod folds;
mod gradients;
mod input_gradient;
mod lbfgs;
mod math;
mod members;
mod metrics;
mod model_file;
mod numbers;
mod preprocess;
mod properties;
mod realmlp;
mod slopes;
mod tabm;
mod tabular_layers;
#[allow(dead_code, reason = "textbook_agrees.rs uses the rest")]
mod textbook;
mod training;
