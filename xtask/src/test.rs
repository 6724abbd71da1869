//! `cargo xtask test`: everything that has to pass.

use crate::stages::{Stages, cargo, run, run_and_keep};
use crate::{check, first_command, instructions, package, python};
use anyhow::Result;

pub(crate) fn run_task() -> Result<()> {
    let mut stages = Stages::default();
    check::run_stages(&mut stages)?;
    stages.stage("documentation", "mend the link or the example that rustdoc names", |_| {
        run(cargo("doc --workspace --no-deps").env("RUSTDOCFLAGS", "-D warnings"))
    })?;
    stages.stage("tests", "`cargo test -p CRATE NAME` runs one of them again", |results| {
        let is_result = |line: &str| line.starts_with("test result:") && !line.contains("ok. 0 passed");
        let mut command = cargo("test --workspace --no-fail-fast");
        results.extend(run_and_keep(&mut command, is_result)?);
        Ok(())
    })?;
    stages.stage("first command", "the README promises that it works", |_| first_command::run_task())?;
    let remedy = "make the step as short as it was, or say why not and `cargo xtask instructions --renew`";
    stages.stage("instructions", remedy, instructions::test)?;
    let remedy = "`.venv/bin/python -m pytest tests/python -k NAME` runs one of them again";
    stages.stage("Python tests", remedy, python::run_tests)?;
    let remedy = "`cargo xtask package` runs this stage alone";
    stages.stage("Python package", remedy, package::run_tests)?;
    stages.summary();
    Ok(())
}
