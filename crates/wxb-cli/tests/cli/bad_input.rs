//! Every kind of bad input: message and exit code, as data in `bad_input/*.toml`.
//!
//! A case: `name`, `run` (the arguments), `files` (name to content), `variables`, `exit`, `stderr`. In the
//! expected text `[..]` stands for any characters.

use super::run;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde::Deserialize;

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

/// What is wrong with how a case ends, if something is.
fn check(case: &Case) -> Option<String> {
    let directory = tempfile::tempdir().unwrap();
    for (name, content) in &case.files {
        std::fs::write(directory.path().join(name), content).unwrap();
    }
    let output = run::wxb(directory.path(), &case.run).envs(&case.variables).output().unwrap();
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
