//! The arrows between the crates of the workspace: what is not listed here is not allowed.

use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
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

/// What the command builds with more features than the Python package, which has no help and no colours; above it lies only `wxb-train`.
const COMPILED_TWICE: [&str; 2] = ["clap", "clap_builder"];

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

/// `cargo xtask test` builds both in release. One feature more in one of them, and whatever lies above is compiled a second time.
#[test]
#[cfg(target_os = "linux")]
fn the_command_and_the_python_package_share_what_both_are_built_of() {
    let (command, package) = (built_of("wxb-cli"), built_of("wxb-python"));
    assert!(command.keys().any(|name| name.starts_with("parquet ")), "cargo tree lists {command:?}");
    for (name, features) in &command {
        let twice = COMPILED_TWICE.iter().any(|twice| name.split(' ').next() == Some(twice));
        let other = package.get(name).filter(|other| *other != features && !twice);
        assert_eq!(
            other, None,
            "the features of {name} in python/; crates/wxb-cli/ has {features:?}. Ask for what is missing in the Cargo.toml of the \
             crate that lacks it: `cargo tree -p CRATE -e features -i NAME` shows who asks for it in the other"
        );
    }
}

/// The dependencies of a crate with their features; of one that is built for the program and for the build, both.
#[cfg(target_os = "linux")]
fn built_of(package: &str) -> BTreeMap<String, BTreeSet<String>> {
    let output = Command::new(env!("CARGO"))
        .args(["tree", "--locked", "-p", package, "-e", "normal,build", "--prefix", "none", "-f", "{p}|{f}"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo runs: it has built this test");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let mut found = BTreeMap::<String, BTreeSet<String>>::new();
    for line in String::from_utf8_lossy(&output.stdout).lines() {
        // An asterisk marks what is listed above.
        let (name, features) = line.trim_end_matches(" (*)").split_once('|').expect("the format has one");
        found.entry(name.to_owned()).or_default().insert(features.to_owned());
    }
    found
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
