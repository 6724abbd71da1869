//! The `wxb` binary as a user meets it. One test program: linking it is what takes time.
#![allow(clippy::unwrap_used, reason = "a test that cannot set its stage fails")]

mod bad_input;
mod bench;
mod explain;
mod help;
mod layers;
mod models;
mod predictions;
mod run;
mod streams;
mod training;
mod understanding;
