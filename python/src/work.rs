//! The engine's work, without the interpreter.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;

use crate::pool;

/// What the engine does while other threads of Python run, on this thread alone.
///
/// # Errors
/// `RuntimeError` for a panic, which is a bug of the engine.
pub fn work<R: Send>(py: Python<'_>, engine: impl FnOnce() -> R + Send) -> PyResult<R> {
    py.detach(|| caught(engine))
}

/// The same on so many threads of this process, 0 the usual number: those of rayon's global pool would not survive a fork.
///
/// # Errors
/// As [`work`].
pub fn work_on_threads<R: Send>(
    py: Python<'_>,
    threads: usize,
    engine: impl FnOnce() -> R + Send,
) -> PyResult<R> {
    let pool = pool::of(threads)?;
    py.detach(|| caught(|| pool.install(engine)))
}

/// What the engine does, a panic of its as an exception.
pub fn caught<R>(engine: impl FnOnce() -> R) -> PyResult<R> {
    catch_unwind(AssertUnwindSafe(engine)).map_err(|panic| PyRuntimeError::new_err(in_words(&*panic)))
}

fn in_words(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    let message = text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("no message");
    format!("this is a bug of wxb, please report it with what led to it: {message}")
}
