//! The tests in tests/python, in a virtual environment of their own.

use crate::stages::{root, run, run_and_keep, wxb};
use anyhow::{Context, Result, bail};
use std::path::Path;
use std::process::{Command, Stdio};

pub(crate) fn run_tests(results: &mut Vec<String>) -> Result<()> {
    let venv = root().join(".venv");
    let python = venv.join("bin/python");
    if !succeeds(Command::new(&python).args(["-m", "pip", "--version"])) {
        make(&venv)?;
    }
    let install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r"];
    run(Command::new(&python).args(install).arg("tests/python/requirements.txt"))
        .context("the packages come from PyPI, or from the mirror that pip is configured for")?;
    let pytest = ["-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/python"];
    let is_result = |line: &str| line.contains(" passed") || line.contains(" failed");
    results.extend(run_and_keep(Command::new(&python).args(pytest).env("WXB", wxb()), is_result)?);
    Ok(())
}

fn make(venv: &Path) -> Result<()> {
    if !succeeds(Command::new("python3").arg("--version")) {
        bail!(
            "python3 is missing; install Python 3.10 or newer (Debian: apt-get install python3 python3-venv)"
        );
    }
    // Debian's python3 has `venv` but not the `ensurepip` that it needs.
    if !succeeds(Command::new("python3").args(["-c", "import venv, ensurepip"])) {
        install_venv()?;
    }
    run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(venv))
}

fn install_venv() -> Result<()> {
    if !succeeds(Command::new("apt-get").args(["install", "-y", "python3-venv"])) {
        bail!("python3 lacks the modules venv and ensurepip (Debian, as root: apt-get install python3-venv)");
    }
    Ok(())
}

pub(crate) fn succeeds(command: &mut Command) -> bool {
    let quiet = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    quiet.status().is_ok_and(|status| status.success())
}
