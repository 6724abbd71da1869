//! `cargo xtask fuzz`: every target of fuzz/ for a while, from the seeds in fuzz/seeds.

use crate::stages::{Stages, cargo, root, run};
use anyhow::{Context, Result, bail};
use std::process::Stdio;

/// Files of up to 8 kB; what one of them may make a reader allocate, in one piece and in all; seconds for one.
const LIMITS: &str = "-max_len=8192 -malloc_limit_mb=256 -rss_limit_mb=1024 -timeout=10 -print_final_stats=1";

/// `arguments`: nothing, or `--seconds N` for each target.
pub(crate) fn run_task(arguments: &[&str]) -> Result<()> {
    let seconds = match arguments {
        [] => 60,
        ["--seconds", seconds] => seconds.parse::<u32>().context("--seconds")?,
        other => bail!("not understood: {}; give --seconds N or nothing", other.join(" ")),
    };
    if !cargo("fuzz --version").stdout(Stdio::null()).stderr(Stdio::null()).status()?.success() {
        run(&mut cargo("install cargo-fuzz --locked"))?;
    }
    let mut stages = Stages::default();
    for target in targets()? {
        let remedy = "fuzz/artifacts holds the bytes: mend the reader, and make them a test of it";
        stages.stage(&target, remedy, |_| fuzz(&target, seconds))?;
    }
    stages.summary();
    Ok(())
}

fn targets() -> Result<Vec<String>> {
    let listed = cargo("fuzz list").current_dir(root()).stderr(Stdio::inherit()).output()?;
    let names = String::from_utf8(listed.stdout).context("cargo fuzz list")?;
    Ok(names.lines().map(str::to_owned).collect())
}

/// New inputs go to the first folder, fuzz/corpus, which is not kept; the seeds are.
fn fuzz(target: &str, seconds: u32) -> Result<()> {
    let corpus = format!("fuzz/corpus/{target}");
    std::fs::create_dir_all(root().join(&corpus))?;
    let mut command = cargo(&format!(
        "fuzz run {target} {corpus} fuzz/seeds/{target} -- -max_total_time={seconds} {LIMITS}"
    ));
    // The address sanitizer is behind a flag of unstable compilers; a stable one takes it when told so.
    run(command.env("RUSTC_BOOTSTRAP", "1"))
}
