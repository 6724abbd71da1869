//! Every kind of bad input: message and exit code, as data in `bad_input/*.toml`.
//!
//! A case: `name`, `run` (the arguments), `files` (name to content), `made` (name to a recipe, see [`make`]),
//! `stdin`, `variables`, `exit`, `stderr`. In the expected text `[..]` stands for any characters.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::path::Path;
use std::process::Stdio;

use serde::Deserialize;

use super::{models, run};

#[derive(Deserialize)]
struct Cases {
    case: Vec<Case>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    name: String,
    run: String,
    exit: i32,
    stderr: String,
    #[serde(default)]
    files: BTreeMap<String, String>,
    #[serde(default)]
    made: BTreeMap<String, String>,
    #[serde(default)]
    stdin: String,
    #[serde(default)]
    variables: BTreeMap<String, String>,
}

fn cases() -> Vec<Case> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/bad_input");
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let read = |path: &Path| {
        let text = std::fs::read_to_string(path).unwrap();
        toml::from_str::<Cases>(&text).unwrap_or_else(|e| panic!("{}: {e}", path.display())).case
    };
    files.iter().flat_map(|path| read(path)).collect()
}

/// Bytes by a recipe: a source (`model`, `table`, `repo PATH`, `hex DIGITS`, `folder`), then changes in order
/// (`keep N` bytes, `flip N`: the byte at N, from the end if negative; `append HEX`).
fn make(recipe: &str) -> Option<Vec<u8>> {
    let mut words = recipe.split_whitespace();
    let mut word = || words.next();
    let mut bytes = match word()? {
        "folder" => return None,
        "model" => models::trained().to_vec(),
        "table" => models::TABLE.into(),
        "repo" => std::fs::read(Path::new("../..").join(word()?)).unwrap(),
        "hex" => unhex(word().unwrap_or("")),
        other => panic!("no source {other:?}"),
    };
    while let Some(change) = word() {
        let argument = word().expect("every change has an argument");
        match change {
            "keep" => bytes.truncate(argument.parse().unwrap()),
            "flip" => {
                let place: i64 = argument.parse().unwrap();
                let place = if place < 0 { bytes.len() as i64 + place } else { place };
                bytes[place as usize] ^= 0x10;
            }
            "append" => bytes.extend(unhex(argument)),
            other => panic!("no change {other:?}"),
        }
    }
    Some(bytes)
}

fn unhex(digits: &str) -> Vec<u8> {
    let pair = |i: usize| u8::from_str_radix(&digits[2 * i..2 * i + 2], 16).unwrap();
    (0..digits.len() / 2).map(pair).collect()
}

/// What is wrong with how a case ends, if something is.
fn check(case: &Case) -> Option<String> {
    let directory = tempfile::tempdir().unwrap();
    for (name, content) in &case.files {
        std::fs::write(directory.path().join(name), content).unwrap();
    }
    for (name, recipe) in &case.made {
        match make(recipe) {
            Some(bytes) => std::fs::write(directory.path().join(name), bytes).unwrap(),
            None => std::fs::create_dir(directory.path().join(name)).unwrap(),
        }
    }
    let mut command = run::wxb(directory.path(), &case.run);
    command.envs(&case.variables).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(case.stdin.as_bytes()).ok();
    let output = child.wait_with_output().unwrap();
    let stderr = run::text(&output.stderr);
    if output.status.code() != Some(case.exit) {
        return Some(format!("exit {:?}, not {}\n{stderr}", output.status.code(), case.exit));
    }
    if !output.stdout.is_empty() {
        return Some(format!("stdout is not empty: {}", run::text(&output.stdout)));
    }
    let assert = snapbox::Assert::new().action(snapbox::assert::Action::Verify);
    assert.try_eq(None, stderr.trim().into(), case.stderr.trim().into()).err().map(|e| e.to_string())
}

#[test]
fn every_case_ends_as_pinned() {
    let cases = cases();
    let names: BTreeSet<&str> = cases.iter().map(|case| case.name.as_str()).collect();
    assert_eq!(names.len(), cases.len(), "a name is there twice");
    let wrong: Vec<String> = cases
        .iter()
        .filter_map(|case| Some(format!("--- {}\nwxb {}\n{}", case.name, case.run, check(case)?)))
        .collect();
    assert!(wrong.is_empty(), "{} of {} cases:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
}
