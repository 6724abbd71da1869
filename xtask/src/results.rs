//! `cargo xtask results`: every data set of ../shared/data with default settings, and docs/results.md from them.

use crate::data_sets::{DATA_SETS, DataSet};
use crate::stages::{cargo, root, run, wxb};
use anyhow::{Context, Result, bail, ensure};
use serde_json::{Value, json};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;
use wait4::Wait4;

/// Runs the named data sets, or all. The page is made of their records and of those of earlier runs.
pub(crate) fn run_task(names: &[&str]) -> Result<()> {
    let data = root().join("../shared/data");
    ensure!(data.is_dir(), "the data sets are not at {}", data.display());
    if let Some(unknown) = names.iter().find(|name| DATA_SETS.iter().all(|set| set.name != **name)) {
        bail!("no data set {unknown}; there are {}", DATA_SETS.map(|set| set.name).join(", "));
    }
    run(&mut cargo("build --release --package wxb-cli"))?;
    let folder = root().join("target/results");
    fs::create_dir_all(&folder)?;
    for set in DATA_SETS.iter().filter(|set| names.is_empty() || names.contains(&set.name)) {
        let record = measure(set, &data, &folder).with_context(|| set.name.to_owned())?;
        println!("{}", line(set.name, &record));
        fs::write(record_path(&folder, set), serde_json::to_string_pretty(&record)?)?;
    }
    write_page(&folder)
}

fn record_path(folder: &Path, set: &DataSet) -> PathBuf {
    folder.join(set.name).with_extension("json")
}

/// Trains, inspects and evaluates once.
fn measure(set: &DataSet, data: &Path, folder: &Path) -> Result<Value> {
    let arguments = set.arguments(data, folder)?;
    let model = folder.join(set.name).with_extension("wxb").to_string_lossy().into_owned();
    println!("\n=== {}", set.name);
    let train: Vec<&str> = arguments.train.iter().map(String::as_str).collect();
    let options = ["--seed", "0", "--quiet", "--force", "--output", &model];
    let started = Instant::now();
    let (_, peak_bytes) = output(&[&["train"], &train[..], &options].concat())?;
    let seconds = started.elapsed().as_secs_f64();
    let test: Vec<&str> = arguments.test.iter().map(String::as_str).collect();
    let (evaluation, _) = output(&[&["evaluate", &model], &test[..], &["--json"]].concat())?;
    let (inspection, _) = output(&["inspect", &model, "--json"])?;
    Ok(json!({
        "seconds": seconds,
        "peak_bytes": peak_bytes,
        "evaluation": serde_json::from_str::<Value>(&evaluation)?,
        "inspection": serde_json::from_str::<Value>(&inspection)?,
    }))
}

/// What `wxb ARGUMENTS` prints, and its peak resident memory in bytes.
fn output(arguments: &[&str]) -> Result<(String, u64)> {
    println!("$ wxb {}", arguments.join(" "));
    let mut child = Command::new(wxb())
        .args(arguments)
        .current_dir(root())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .context("cannot start the release build of wxb")?;
    let stdout = child.stdout.take().expect("standard output is piped a few lines above");
    let printed = std::io::read_to_string(stdout)?;
    let used = child.wait4()?;
    ensure!(used.status.success(), "wxb {}: {}", arguments.join(" "), used.status);
    Ok((printed, used.rusage.maxrss))
}

/// Writes docs/results.md from all records.
fn write_page(folder: &Path) -> Result<()> {
    let mut rows = Vec::new();
    for set in &DATA_SETS {
        if let Ok(text) = fs::read_to_string(record_path(folder, set)) {
            rows.push(line(set.name, &serde_json::from_str(&text)?));
        }
    }
    let missing = DATA_SETS.len() - rows.len();
    let page = PAGE
        .replace("{machine}", &machine())
        .replace("{date}", &first_line("date", &["-u", "+%Y-%m-%d"]))
        .replace("{commit}", &first_line("git", &["rev-parse", "--short", "HEAD"]))
        .replace("{rows}", &rows.join("\n"));
    fs::write(root().join("docs/results.md"), page)?;
    println!("\ndocs/results.md: {} data sets, {missing} without a record", rows.len());
    Ok(())
}

const PAGE: &str = "\
# Results with default settings

Every data set, trained by `wxb train DATA --target COLUMN --seed 0` without another setting, and measured once on
test rows that the training has not seen. The defaults are the same for all of them and were chosen on validation rows
of most of these tables ([auto.md](auto.md)), so those are a little flattered. The page shows what a person gets who
types the command, not what the data allow.

Made by `cargo xtask results` on {date} at commit {commit},
on {machine}, not free of other work: times are upper bounds.
The data sets are public and are read from `../shared/data` beside the repository. A source's own test part is used
where it has one (adult, letter, satellite, shuttle, cat, mnist, fashion), else a fixed pseudo-random fifth of the
rows. `train` are the rows given to the command, which holds a part of them back for validation; `baseline` is the
majority class or the mean; `networks` are those of the model, with their shares; `fit` is the time of the whole
command, reading and writing included; `memory` is its peak.

| data | train | test | task | on the test rows | baseline | networks | fit | memory |
| --- | ---: | ---: | --- | --- | --- | --- | ---: | ---: |
{rows}

The pictures of cats come from an NPZ file: HDF5 has no reader in wxb, and naming such a file says so.
";

fn line(name: &str, record: &Value) -> String {
    let (model, test) = (&record["inspection"], &record["evaluation"]);
    let count = |value: &Value| grouped(value.as_u64().unwrap_or(0));
    let task = model["task"].as_str().unwrap_or("?");
    let classes = model["classes"].as_array().map_or(0, Vec::len);
    let kind = if classes > 2 { format!("{classes} classes") } else { task.to_owned() };
    let training = &model["record"];
    let rows = training["train_rows"].as_u64().unwrap_or(0) + training["valid_rows"].as_u64().unwrap_or(0);
    let (metrics, baseline) = (scores(task, &test["metrics"]), scores(task, &test["baseline"]["metrics"]));
    let part = |part: &Value| {
        let share = 100.0 * part["weight"].as_f64().unwrap_or(f64::NAN);
        format!("{} {share:.0} %", part["name"].as_str().unwrap_or("?"))
    };
    let networks: Vec<String> = model["parts"].as_array().into_iter().flatten().map(part).collect();
    let seconds = record["seconds"].as_f64().unwrap_or(f64::NAN);
    let peak_mb = record["peak_bytes"].as_f64().unwrap_or(f64::NAN) / 1e6;
    format!(
        "| {name} | {} | {} | {kind} | {metrics} | {} | {} | {seconds:.1} s | {peak_mb:.0} MB |",
        grouped(rows),
        count(&test["rows"]),
        baseline.split(", ").next().unwrap_or(""),
        networks.join(", ")
    )
}

/// The metrics by which each task is usually compared, the one of the baseline first.
fn scores(task: &str, metrics: &Value) -> String {
    let shown: &[(&str, &str)] = match task {
        "binary" => &[("accuracy", "accuracy"), ("auc", "AUC"), ("log_loss", "log-loss")],
        "multiclass" => &[("accuracy", "accuracy"), ("log_loss", "log-loss")],
        _ => &[("rmse", "RMSE"), ("r2", "R²"), ("mae", "MAE")],
    };
    let shown = shown.iter().filter_map(|(key, name)| {
        let value = metrics[key].as_f64()?;
        Some(if value.abs() < 10.0 { format!("{name} {value:.4}") } else { format!("{name} {value:.1}") })
    });
    shown.collect::<Vec<_>>().join(", ")
}

/// 12345 as 12,345.
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let groups: Vec<&str> =
        digits.as_bytes().rchunks(3).rev().filter_map(|g| str::from_utf8(g).ok()).collect();
    groups.join(",")
}

pub(crate) fn machine() -> String {
    let cpu = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpu.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    format!("{cores} cores of {}", model.map_or("an unknown processor", |(_, name)| name))
}

/// The first line that a program prints, or nothing where it is missing.
pub(crate) fn first_line(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).current_dir(root()).output();
    let text = output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default();
    text.lines().next().unwrap_or("").to_owned()
}
