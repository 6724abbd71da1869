//! The arrows between the crates of the workspace: what is not listed here is not allowed.

use serde_json::Value;
use std::collections::BTreeSet;
use std::process::Command;

/// (from, to): `from` may depend on `to`. A new crate needs a row here and a reason in ARCHITECTURE.md.
const ARROWS: [(&str, &str); 9] = [
    ("wxb-cli", "wxb-train"),
    ("wxb-cli", "wxb-io"),
    ("wxb-cli", "wxb"),
    ("wxb-train", "wxb-io"),
    ("wxb-train", "wxb"),
    ("wxb-io", "wxb"),
    ("wxb-python", "wxb-train"),
    ("wxb-python", "wxb-io"),
    ("wxb-python", "wxb"),
];

#[test]
fn only_the_listed_arrows_exist() {
    let packages = packages();
    let names: BTreeSet<&str> = packages.iter().map(|package| text(package, "name")).collect();
    assert!(names.contains("wxb") && names.contains("wxb-cli"), "cargo metadata lists {names:?}");
    for package in &packages {
        for dependency in package["dependencies"].as_array().expect("an array") {
            let arrow = (text(package, "name"), text(dependency, "name"));
            let inside = names.contains(arrow.1);
            assert!(
                !inside || ARROWS.contains(&arrow),
                "{} must not depend on {}: allowed are {ARROWS:?}. Move the code to the crate that may know both.",
                arrow.0,
                arrow.1,
            );
        }
    }
}

#[test]
fn every_crate_takes_the_lints_of_the_workspace() {
    for package in packages() {
        let manifest = std::fs::read_to_string(text(&package, "manifest_path")).expect("cargo has read it");
        let name = text(&package, "name");
        assert!(manifest.contains("[lints]\nworkspace = true"), "{name}: add `[lints] workspace = true`");
    }
}

fn packages() -> Vec<Value> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--no-deps", "--format-version", "1", "--offline"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo runs: it has built this test");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).expect("cargo metadata is JSON");
    metadata["packages"].as_array().expect("an array").clone()
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().expect("a string by the format of cargo metadata")
}
