//! The engine's work, without the interpreter.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;

/// What the engine does while other threads of Python run.
///
/// # Errors
/// `RuntimeError` for a panic, which is a bug of the engine.
pub fn work<R: Send>(py: Python<'_>, engine: impl FnOnce() -> R + Send) -> PyResult<R> {
    py.detach(|| catch_unwind(AssertUnwindSafe(engine)).map_err(|panic| in_words(&*panic)))
        .map_err(PyRuntimeError::new_err)
}

fn in_words(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    let message = text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("no message");
    format!("this is a bug of wxb, please report it with what led to it: {message}")
}
