//! `cargo xtask instructions`: how many instructions a training step takes, compared with bench/instructions.toml.
//!
//! A time wanders with the machine's other work; a count does not, so a step that has become longer is seen at once.

use crate::environment::succeeds;
use crate::results::first_line;
use crate::stages::{cargo, root, run, wxb};
use anyhow::{Context, Result, ensure};
use std::collections::BTreeMap;
use std::process::Command;

const FILE: &str = "bench/instructions.toml";
/// Relative: more than another layout of the code moves, less than a loop that is no longer vectorised.
const TOLERANCE: f64 = 0.05;
/// (workload, steps): callgrind takes about 50 times as long as the processor, and this takes it half a minute.
const WORKLOADS: [(&str, u64); 3] = [("W1", 4000), ("W2", 12), ("W3", 1)];

const HEADING: &str = "\
# Instructions of one training step of `wxb bench --workload NAME --threads 1`, as callgrind counts them, for each
# instruction set. `cargo xtask instructions` compares, `cargo xtask instructions --renew` writes those of this machine.
";

/// Counts by instruction set and workload.
type Counts = BTreeMap<String, BTreeMap<String, u64>>;

/// Builds, counts, compares.
pub(crate) fn run_task() -> Result<()> {
    run(&mut cargo("build --release --package wxb-cli"))?;
    compare(&mut vec![])
}

/// The stage of `cargo xtask test`: where nothing can be counted or compared it says so and passes.
pub(crate) fn test(results: &mut Vec<String>) -> Result<()> {
    let obstacle = match valgrind() {
        Err(error) => Some(error.to_string()),
        Ok(()) if !read()?.contains_key(&instruction_set()) => {
            Some(format!("{FILE} has no {}", instruction_set()))
        }
        Ok(()) => None,
    };
    if let Some(obstacle) = obstacle {
        println!("left out: {obstacle}");
        results.push(format!("instructions: left out: {obstacle}"));
        return Ok(());
    }
    compare(results)
}

/// Writes this machine's counts; those of other instruction sets stay.
pub(crate) fn renew() -> Result<()> {
    run(&mut cargo("build --release --package wxb-cli"))?;
    let mut counts = read()?;
    counts.insert(instruction_set(), count()?);
    let mut text = HEADING.to_owned();
    for (set, workloads) in &counts {
        text += &format!("\n[{set}]\n");
        workloads.iter().for_each(|(name, count)| text += &format!("{name} = {count}\n"));
    }
    std::fs::create_dir_all(root().join("bench"))?;
    std::fs::write(root().join(FILE), text)?;
    println!("{FILE}: {} by {}", instruction_set(), first_line("rustc", &["--version"]));
    Ok(())
}

fn compare(results: &mut Vec<String>) -> Result<()> {
    let set = instruction_set();
    let kept = read()?.remove(&set).with_context(|| {
        format!("{FILE} has no counts for {set}; `cargo xtask instructions --renew` on a commit that is known to be good")
    })?;
    let mut moved = vec![];
    for (name, found) in count()? {
        let before = *kept.get(&name).with_context(|| format!("{FILE} has no {name} for {set}"))?;
        let change = found as f64 / before as f64 - 1.0;
        let line = format!("instructions: {name} {found} a step, {:+.1} % of {before}", 100.0 * change);
        println!("{line}");
        if change.abs() > TOLERANCE {
            moved.push(line.clone());
        }
        results.push(line);
    }
    ensure!(
        moved.is_empty(),
        "{}\nover the tolerance of {} %. If the change is wanted (also one for the better), or comes from another \
         compiler: `cargo xtask instructions --renew`, and say in the commit why",
        moved.join("\n"),
        100.0 * TOLERANCE
    );
    Ok(())
}

fn read() -> Result<Counts> {
    let path = root().join(FILE);
    if !path.exists() {
        return Ok(Counts::new());
    }
    toml::from_str(&std::fs::read_to_string(path)?).context(FILE)
}

/// Instructions of one step of each workload: those of 2n steps without those of n.
fn count() -> Result<BTreeMap<String, u64>> {
    valgrind()?;
    let per_step = |(name, steps): (&str, u64)| {
        let (once, twice) = (collected(name, steps)?, collected(name, 2 * steps)?);
        Ok((name.to_owned(), twice.saturating_sub(once) / steps))
    };
    WORKLOADS.into_iter().map(per_step).collect()
}

/// What callgrind counts in the whole run.
fn collected(workload: &str, steps: u64) -> Result<u64> {
    let mut command = Command::new("valgrind");
    command.args(["--tool=callgrind", "--callgrind-out-file=/dev/null"]).arg(wxb());
    command.args([
        "bench",
        "--workload",
        workload,
        "--threads",
        "1",
        "--quiet",
        "--steps",
        &steps.to_string(),
    ]);
    let output = command.output().context("cannot start valgrind")?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "valgrind {}: {said}", output.status);
    let total = said.lines().find_map(|line| line.split_once("Collected : ")?.1.trim().parse().ok());
    total.with_context(|| format!("callgrind tells no count: {said}"))
}

/// The instruction sets between which the kernels choose and that valgrind knows; it has no AVX-512.
fn instruction_set() -> String {
    #[cfg(target_arch = "x86_64")]
    if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
        return "x86_64-avx2-fma".into();
    }
    std::env::consts::ARCH.into()
}

/// Valgrind is there, or can be installed.
fn valgrind() -> Result<()> {
    let is_there = || succeeds(Command::new("valgrind").arg("--version"));
    let is_installed = || succeeds(Command::new("apt-get").args(["install", "-y", "valgrind"])) && is_there();
    ensure!(is_there() || is_installed(), "valgrind is missing (Debian, as root: apt-get install valgrind)");
    Ok(())
}
