//! The Python package as its users have it: a wheel, installed where nothing else of the repository is.

use crate::environment::Environment;
use crate::python::is_result;
use crate::stages::{root, run, run_and_keep, wxb};
use anyhow::{Context, Result, ensure};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Bytes of the wheel, at the most.
const LARGEST: u64 = 12_000_000;

/// One environment each: with everything that the package works together with, with an older scikit-learn, and with next to nothing;
/// and what is tested there.
const ENVIRONMENTS: [(&str, &str, &[&str]); 3] = [
    ("target/python/full", "python/requirements/full.txt", &["python/tests"]),
    ("target/python/older", "python/requirements/older.txt", &WITH_SCIKIT_LEARN),
    ("target/python/small", "python/requirements/small.txt", &["python/tests"]),
];
/// The tests whose results are scikit-learn's, too.
const WITH_SCIKIT_LEARN: [&str; 4] = [
    "python/tests/test_estimator_checks.py",
    "python/tests/test_sklearn_mlp.py",
    "python/tests/test_sklearn_logistic.py",
    "python/tests/test_table.py",
];

pub(crate) fn run_tests(results: &mut Vec<String>) -> Result<()> {
    let environments = ENVIRONMENTS
        .iter()
        .map(|(folder, requirements, _)| Environment::new(folder, requirements))
        .collect::<Result<Vec<_>>>()?;
    let full = &environments[0];
    let wheel = build(full)?;
    let wheel = wheel.to_str().context("the path of the wheel is not UTF-8")?;
    for environment in &environments {
        environment.install(&["--force-reinstall", "--no-deps", wheel])?;
    }
    run(full.python().args(["-m", "ruff", "check", "python"]))?;
    run(full.python().args(["-m", "ruff", "format", "--check", "python"]))?;
    run(full.python().args(["-m", "mypy", "--config-file", "python/pyproject.toml", "python/wxb"]))?;
    for (environment, (_, _, tests)) in environments.iter().zip(ENVIRONMENTS) {
        results.extend(run_and_keep(&mut pytest(environment, tests), is_result)?);
    }
    // The examples in the documentation of what is installed.
    results.extend(run_and_keep(&mut pytest(full, &["--pyargs", "wxb"]), is_result)?);
    Ok(())
}

fn pytest(environment: &Environment, arguments: &[&str]) -> Command {
    let mut command = environment.python();
    command.args(["-m", "pytest", "-q", "-p", "no:cacheprovider", "-c", "python/pyproject.toml"]);
    command.args(arguments).env("WXB", wxb());
    command
}

/// The wheel of this tree, in a folder that has no other.
fn build(environment: &Environment) -> Result<PathBuf> {
    let folder = root().join("target/wheels");
    if folder.exists() {
        std::fs::remove_dir_all(&folder)?;
    }
    let build = ["-m", "maturin", "build", "--release", "--manifest-path", "python/Cargo.toml", "--out"];
    run(environment.python().args(build).arg(&folder))?;
    let wheel = only_file(&folder)?;
    let bytes = wheel.metadata()?.len();
    ensure!(bytes <= LARGEST, "{} has {bytes} bytes, more than {LARGEST}", wheel.display());
    Ok(wheel)
}

fn only_file(folder: &Path) -> Result<PathBuf> {
    let entries = std::fs::read_dir(folder)?.collect::<std::io::Result<Vec<_>>>()?;
    ensure!(entries.len() == 1, "{} holds {} files, not one wheel", folder.display(), entries.len());
    Ok(entries[0].path())
}
