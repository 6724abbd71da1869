//! The README's first command, by the release build, and what it has to reach.

use crate::stages::{cargo, root, run, wxb};
use anyhow::{Context, Result, ensure};
use serde_json::Value;
use std::process::Command;

/// As in the README; only the model goes elsewhere.
const COMMAND: &str = "run --release -- train examples/titanic.csv --target survived";
/// Validation AUC with default settings; the baseline's is 0.5.
const AUC: f64 = 0.82;

pub(crate) fn run_task() -> Result<()> {
    let readme = std::fs::read_to_string(root().join("README.md"))?;
    ensure!(
        readme.contains(&format!("cargo {COMMAND}\n")),
        "README.md does not begin with `cargo {COMMAND}`"
    );
    let model = root().join("target/titanic.wxb");
    run(cargo(COMMAND).arg("--force").arg("--output").arg(&model))?;
    let inspected = Command::new(wxb()).arg("inspect").arg(&model).arg("--json").output()?;
    let inspected: Value = serde_json::from_slice(&inspected.stdout).context("wxb inspect --json")?;
    let auc = inspected["record"]["metrics"]["auc"].as_f64().context("the model's record has no AUC")?;
    ensure!(auc >= AUC, "its validation AUC is {auc:.4}, below {AUC}");
    Ok(())
}
