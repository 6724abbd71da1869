//! The way from data to a model file and back: what is to be learned, the split, the networks of a preset, their mixture, the model
//! with its record; predictions, scores and importance of a model on other data.
//!
//! ```
//! use wxb::data::{Column, Features, Table};
//! use wxb::evaluate::Output;
//! use wxb_train::{Ask, Examples, Given, TrainArgs, model, train};
//!
//! // y = 2 x - 1, on 40 rows.
//! let x: Vec<f64> = (0..40).map(|i| f64::from(i) / 10.0).collect();
//! let y = x.iter().map(|x| 2.0 * x - 1.0).collect();
//! let table = Table::new(vec![("x".into(), Column::Number(x)), ("y".into(), Column::Number(y))])?;
//!
//! let flags = ["--target", "y", "--preset", "linear", "--optimizer", "lbfgs", "--valid", "none"];
//! let args = TrainArgs::from_flags(flags.map(String::from))?;
//! let examples = Examples::new("line", Features::Table(table), None, None)?.for_training(&args.columns)?;
//! let trained = train(&args, Given::new(examples), &mut ())?.expect("nobody breaks it off");
//!
//! let table = Table::new(vec![("x".into(), Column::Number(vec![10.0]))])?;
//! let new = Examples::new("new", Features::Table(table), None, None)?.for_model(&trained.model, &Ask::default())?;
//! let predicted = model::outputs(&trained.model, &new, Output::Linked)?;
//! assert!((predicted[0] - 19.0).abs() < 0.01);
//! std::hint::black_box(trained.model.to_bytes()); // what `wxb train` writes
//! # Ok::<(), wxb::Error>(())
//! ```
//!
//! [`train()`] is what the command `wxb train` calls, with the same settings ([`TrainArgs`]). Nothing here prints: a [`Listener`] hears
//! what happens, warns, and may break off.

pub mod args;
pub mod listener;
pub mod examples;
pub mod read;
pub mod prepare;
pub mod settings;
pub mod recipe;
pub mod weights;
pub mod numbers;
pub mod bag;
pub mod memory;
pub mod fit;
pub mod budget;
pub mod candidate;
pub mod judge;
pub mod train;
pub mod record;
pub mod model;
pub mod output;
pub mod spread;
pub mod importance;
pub mod contributions;
pub mod partial;
pub mod number;

pub use args::train::TrainArgs;
pub use examples::Examples;
pub use listener::{Listener, News};
pub use read::Ask;
pub use train::{Given, Plan, Problem, Trained, train};
