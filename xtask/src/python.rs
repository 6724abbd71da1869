//! The tests in tests/python, in a virtual environment of their own.

use crate::environment::Environment;
use crate::stages::{run_and_keep, wxb};
use anyhow::Result;

pub(crate) fn run_tests(results: &mut Vec<String>) -> Result<()> {
    let environment = Environment::new(".venv", "tests/python/requirements.txt")?;
    let pytest = ["-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/python"];
    results.extend(run_and_keep(environment.python().args(pytest).env("WXB", wxb()), is_result)?);
    Ok(())
}

/// Whether a line of pytest's output says how many tests passed.
pub(crate) fn is_result(line: &str) -> bool {
    line.contains(" passed") || line.contains(" failed")
}
