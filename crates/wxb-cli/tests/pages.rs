//! Every command on the pages of the documentation works as it stands there.

use std::path::{Path, PathBuf};
use std::process::Command;

const PAGES: [&str; 5] =
    ["README.md", "docs/notes.md", "docs/performance.md", "docs/tour.md", "examples/README.md"];

#[test]
fn commands_work() {
    let mut count = 0;
    for page in PAGES {
        let text = std::fs::read_to_string(root().join(page)).unwrap_or_else(|e| panic!("{page}: {e}"));
        let folder = workplace();
        for command in commands(&text) {
            run(page, &command, folder.path());
            count += 1;
        }
    }
    assert!(count > 15, "only {count} commands found");
}

#[test]
fn finding_commands() {
    let page = "```sh\n$ no\nwxb env\ncargo run --release -- train a.csv --target y   # why\n```\nwxb out\n```rust\nwxb in\n```\n";
    assert_eq!(commands(page), ["env", "train a.csv --target y"]);
}

/// What stands after `wxb` in the blocks of shell commands. `cargo run --release --` is the same program.
fn commands(page: &str) -> Vec<String> {
    let blocks = page.split("```sh\n").skip(1).filter_map(|rest| rest.split("```").next());
    let lines = blocks.flat_map(str::lines);
    let command = |line: &str| {
        let command = line.strip_prefix("wxb ").or(line.strip_prefix("cargo run --release -- "))?;
        Some(command.split("   #").next().unwrap_or(command).trim().to_owned())
    };
    lines.filter_map(command).collect()
}

/// A folder of its own that has the examples, as the root of the repository has.
fn workplace() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder for temporary files");
    let examples = folder.path().join("examples");
    std::fs::create_dir(&examples).expect("an empty folder");
    for entry in std::fs::read_dir(root().join("examples")).expect("the examples").flatten() {
        std::fs::copy(entry.path(), examples.join(entry.file_name())).expect("a small file");
    }
    folder
}

fn run(page: &str, command: &str, folder: &Path) {
    let output = Command::new(env!("CARGO_BIN_EXE_wxb"))
        .args(command.split_whitespace().map(|word| word.trim_matches('\'')))
        .current_dir(folder)
        .output()
        .expect("the program was built for this test");
    let message = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{page}: wxb {command}: {}\n{message}", output.status);
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}
