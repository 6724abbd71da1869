//! A task is a row of stages: a headline and a time for each, the first failure ends it.

use anyhow::{Context, Result, bail};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// What has passed so far: the times of the stages and the result lines of the test runners.
#[derive(Default)]
pub(crate) struct Stages {
    passed: Vec<(String, Duration)>,
    results: Vec<String>,
}

impl Stages {
    /// Runs one stage. `remedy` says what to do when it fails.
    pub(crate) fn stage(
        &mut self,
        name: &str,
        remedy: &str,
        work: impl FnOnce(&mut Vec<String>) -> Result<()>,
    ) -> Result<()> {
        println!("\n=== {name}");
        let started = Instant::now();
        if let Err(error) = work(&mut self.results) {
            self.print_times();
            println!("{:>8.1} s  {name}: FAILED", started.elapsed().as_secs_f64());
            return Err(error.context(format!("{name} failed; {remedy}")));
        }
        self.passed.push((name.to_owned(), started.elapsed()));
        Ok(())
    }

    /// The end of a task that passed: the runners' result lines once more, then the times.
    pub(crate) fn summary(&self) {
        println!("\n=== summary");
        self.results.iter().for_each(|line| println!("{line}"));
        self.print_times();
        let total: Duration = self.passed.iter().map(|(_, time)| *time).sum();
        println!("{:>8.1} s  all {} stages passed", total.as_secs_f64(), self.passed.len());
    }

    fn print_times(&self) {
        for (name, time) in &self.passed {
            println!("{:>8.1} s  {name}: ok", time.as_secs_f64());
        }
    }
}

/// The repository's root: the folder above this crate.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("xtask lies in the root of the repository")
}

/// The release build of the command line.
pub(crate) fn wxb() -> PathBuf {
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from);
    target.join("release/wxb").with_extension(std::env::consts::EXE_EXTENSION)
}

/// `cargo ARGUMENTS`, by the cargo that started this task.
pub(crate) fn cargo(arguments: &str) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(arguments.split_whitespace());
    command
}

/// Runs a command in the repository's root; an exit status other than 0 is an error that shows the command.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let shown = announce(command);
    let status = command.status().with_context(|| format!("cannot start {shown}"))?;
    if !status.success() {
        bail!("{shown}: {status}");
    }
    Ok(())
}

/// As `run`, and keeps the lines of standard output for which `is_result` holds.
pub(crate) fn run_and_keep(command: &mut Command, is_result: fn(&str) -> bool) -> Result<Vec<String>> {
    let shown = announce(command);
    let mut child =
        command.stdout(Stdio::piped()).spawn().with_context(|| format!("cannot start {shown}"))?;
    let stdout = child.stdout.take().expect("standard output is piped one line above");
    let mut kept = Vec::new();
    for line in BufReader::new(stdout).lines() {
        let line = line.with_context(|| format!("reading the output of {shown}"))?;
        println!("{line}");
        if is_result(&line) {
            kept.push(line);
        }
    }
    let status = child.wait()?;
    if !status.success() {
        bail!("{shown}: {status}");
    }
    Ok(kept)
}

/// Prints the command as a person would type it; it runs in the root and without standard input.
fn announce(command: &mut Command) -> String {
    let program = Path::new(command.get_program()).file_stem().unwrap_or_default().to_string_lossy();
    let arguments = command.get_args().map(|argument| argument.to_string_lossy());
    let shown = std::iter::once(program).chain(arguments).collect::<Vec<_>>().join(" ");
    println!("$ {shown}");
    if command.get_current_dir().is_none() {
        command.current_dir(root());
    }
    command.stdin(Stdio::null());
    shown
}
