//! Virtual environments of Python.

use crate::stages::{root, run};
use anyhow::{Context, Result, bail};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A virtual environment with some packages.
pub(crate) struct Environment(PathBuf);

impl Environment {
    /// The one in a folder below the root, made if it is not there, with the packages of a file of requirements.
    pub(crate) fn new(folder: &str, requirements: &str) -> Result<Self> {
        let environment = Self(root().join(folder));
        if !succeeds(environment.python().args(["-m", "pip", "--version"])) {
            make(&environment.0)?;
        }
        environment.install(&["-r", requirements])?;
        Ok(environment)
    }

    /// Its interpreter.
    pub(crate) fn python(&self) -> Command {
        Command::new(self.0.join("bin/python"))
    }

    /// `pip install` with these arguments.
    pub(crate) fn install(&self, arguments: &[&str]) -> Result<()> {
        let install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check"];
        run(self.python().args(install).args(arguments))
            .context("the packages come from PyPI, or from the mirror that pip is configured for")
    }
}

fn make(folder: &Path) -> Result<()> {
    if !succeeds(Command::new("python3").arg("--version")) {
        bail!(
            "python3 is missing; install Python 3.10 or newer (Debian: apt-get install python3 python3-venv)"
        );
    }
    // Debian's python3 has `venv` but not the `ensurepip` that it needs.
    if !succeeds(Command::new("python3").args(["-c", "import venv, ensurepip"])) {
        install_venv()?;
    }
    run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(folder))
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
