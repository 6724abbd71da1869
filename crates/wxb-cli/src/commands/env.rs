//! `wxb env`: what a bug report needs.

use std::collections::BTreeSet;

use serde::Serialize;

use crate::args;
use crate::exit::{Exit, Outcome};
use crate::terminal::Terminal;

#[derive(Serialize)]
struct Environment {
    schema: &'static str,
    version: &'static str,
    os: &'static str,
    arch: &'static str,
    features: Vec<&'static str>,
    threads: usize,
    debug_build: bool,
    variables: Vec<Variable>,
}

#[derive(Serialize)]
struct Variable {
    name: String,
    value: String,
    known: bool,
}

/// Prints version, machine and the variables that wxb reads.
pub fn run(terminal: &Terminal) -> Outcome {
    let found = Environment {
        schema: "wxb.env/1",
        version: env!("CARGO_PKG_VERSION"),
        os: std::env::consts::OS,
        arch: std::env::consts::ARCH,
        features: cpu_features(),
        threads: std::thread::available_parallelism().map_or(1, usize::from),
        debug_build: cfg!(debug_assertions),
        variables: variables(),
    };
    if terminal.is_json() {
        terminal.json(&found)?;
        return Ok(Exit::Success);
    }
    let build = if found.debug_build { "  (debug build: slow)" } else { "" };
    terminal.result(&format!("wxb       {}{build}", found.version))?;
    terminal.result(&format!("machine   {} {}", found.os, found.arch))?;
    terminal.result(&format!("cpu       {} threads  {}", found.threads, found.features.join(" ")))?;
    for variable in &found.variables {
        let remark = if variable.known { "" } else { "   (no such flag: ignored)" };
        terminal.result(&format!("{}={}{remark}", variable.name, variable.value))?;
    }
    Ok(Exit::Success)
}

#[cfg(target_arch = "x86_64")]
fn cpu_features() -> Vec<&'static str> {
    let found = [
        ("avx2", is_x86_feature_detected!("avx2")),
        ("fma", is_x86_feature_detected!("fma")),
        ("avx512f", is_x86_feature_detected!("avx512f")),
    ];
    found.into_iter().filter(|(_, there)| *there).map(|(name, _)| name).collect()
}

#[cfg(not(target_arch = "x86_64"))]
fn cpu_features() -> Vec<&'static str> {
    vec![]
}

fn variables() -> Vec<Variable> {
    let command = args::command();
    let mirrors: BTreeSet<String> = command
        .get_subcommands()
        .chain([&command])
        .flat_map(|c| c.get_arguments().filter_map(|a| a.get_long()).filter_map(args::environment_name))
        .collect();
    let others = ["NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE", "FORCE_COLOR", "CI", "TERM", "RAYON_NUM_THREADS"];
    let ours = |name: &str| name.starts_with("WXB_") || others.contains(&name);
    // Variables that are not UTF-8 are none of ours.
    let text = std::env::vars_os().filter_map(|(n, v)| Some((n.into_string().ok()?, v.into_string().ok()?)));
    let mut found: Vec<Variable> = text
        .filter(|(name, _)| ours(name))
        .map(|(name, value)| {
            let known = mirrors.contains(&name) || others.contains(&name.as_str());
            Variable { name, value, known }
        })
        .collect();
    found.sort_by(|a, b| a.name.cmp(&b.name));
    found
}
