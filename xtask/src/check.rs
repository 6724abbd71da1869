//! `cargo xtask check`: format and lints.

use crate::stages::{Stages, cargo, run};
use anyhow::Result;

pub(crate) fn run_stages(stages: &mut Stages) -> Result<()> {
    stages.stage("format", "`cargo fmt --all` mends it", |_| run(&mut cargo("fmt --all --check")))?;
    stages.stage("lints", "mend the code, or allow the lint there with a reason", |_| {
        run(&mut cargo("clippy --workspace --all-targets -- -D warnings"))
    })
}

pub(crate) fn run_task() -> Result<()> {
    let mut stages = Stages::default();
    run_stages(&mut stages)?;
    stages.summary();
    Ok(())
}
