//! The limits of the house style that no lint of rustc or clippy covers.
//! (Length of functions, `// SAFETY:` and reasons of `allow` are clippy's: see Cargo.toml and clippy.toml.)

use std::fs;
use std::path::{Path, PathBuf};

/// Lines of code in one file, without tests, comments and blank lines.
const MAX_LINES: usize = 400;
/// The folders in which `unsafe` is allowed.
const UNSAFE_FOLDERS: [&str; 1] = ["crates/wxb/src/cpu/"];

#[test]
fn files_are_short() {
    let long: Vec<String> = sources()
        .into_iter()
        .map(|(path, source)| (code_lines(&source), path))
        .filter(|(lines, _)| *lines > MAX_LINES)
        .map(|(lines, path)| format!("{path}: {lines} lines of code"))
        .collect();
    assert!(long.is_empty(), "over {MAX_LINES} lines, split by what the parts are about: {long:#?}");
}

/// A page or source with the marks that `git merge` leaves where it could not decide.
#[test]
fn no_merge_is_left_half_done() {
    let endings = [".rs", ".md", ".toml", ".json", ".py"];
    for path in endings.into_iter().flat_map(files) {
        let text = fs::read_to_string(root().join(&path)).expect("listed a moment ago, UTF-8");
        let mark = text.lines().find(|line| line.starts_with("<<<<<<< ") || line.starts_with(">>>>>>> "));
        assert_eq!(mark, None, "{path}");
    }
}

#[test]
fn unsafe_code_is_allowed_only_in_the_kernels() {
    for (path, source) in sources() {
        // In two halves, so that this line is not a finding.
        let allows = source.contains(concat!("unsafe", "_code"));
        let kernel = UNSAFE_FOLDERS.iter().any(|folder| path.starts_with(folder));
        assert!(!allows || kernel, "{path} allows unsafe code; only {UNSAFE_FOLDERS:?} may");
    }
}

#[test]
fn every_dependency_has_its_reason() {
    let manifests = files("Cargo.toml");
    assert!(manifests.len() >= 4, "found only {manifests:?}");
    for path in manifests {
        let manifest = fs::read_to_string(root().join(&path)).expect("listed a moment ago");
        let without: Vec<&str> = without_reason(&manifest);
        assert!(without.is_empty(), "{path}: write the reason in a comment above {without:?}");
    }
}

#[test]
fn counting_lines() {
    let rows = [
        ("", 0),
        ("// comment\n\nfn f() {}\n", 1),
        ("fn f() {\n    1; // one\n}\n", 3),
        ("fn f() {}\n#[cfg(test)]\nmod tests {\n    fn t() {\n    }\n}\nfn g() {}\n", 2),
    ];
    for (source, expected) in rows {
        assert_eq!(code_lines(source), expected, "{source:?}");
    }
}

#[test]
fn finding_reasons() {
    let rows: [(&str, &[&str]); 5] = [
        ("[package]\nname = \"a\"\n", &[]),
        ("[dependencies]\na = \"1\"\n", &["a"]),
        ("[dependencies]\n# why\na = \"1\"\nb = \"1\"\n", &["b"]),
        ("[dev-dependencies]\n# why\na = { version = \"1\", features = [\n  \"b\",\n] }\n", &[]),
        ("[dependencies]\nwxb = { path = \"../wxb\" }\n", &[]),
    ];
    for (manifest, expected) in rows {
        assert_eq!(without_reason(manifest), expected, "{manifest:?}");
    }
}

/// rustfmt puts the end of a block at the indentation of its start, so lines are enough to find it.
fn code_lines(source: &str) -> usize {
    let mut lines = source.lines();
    let mut count = 0;
    while let Some(line) = lines.next() {
        let code = line.trim_start();
        if code == "#[cfg(test)]" {
            let end = format!("{}}}", &line[..line.len() - code.len()]);
            lines.find(|line| *line == end || line.ends_with(';') && !line.contains('}'));
        } else if !code.is_empty() && !code.starts_with("//") {
            count += 1;
        }
    }
    count
}

/// Dependencies on packages outside the repository that no comment precedes.
fn without_reason(manifest: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let (mut in_dependencies, mut above) = (false, "");
    for line in manifest.lines() {
        if line.starts_with('[') {
            in_dependencies = line.ends_with("dependencies]");
        } else if let Some((name, value)) = line.split_once('=')
            && in_dependencies
            && line.starts_with(|first: char| first.is_ascii_alphabetic())
            && !value.contains("path =")
            && !above.starts_with('#')
        {
            found.push(name.trim_end());
        }
        above = line;
    }
    found
}

/// Path from the root and text of every Rust source, without the folders of integration tests.
fn sources() -> Vec<(String, String)> {
    let paths = files(".rs").into_iter().filter(|path| !path.contains("/tests/"));
    let read = |path: String| fs::read_to_string(root().join(&path)).map(|source| (path, source));
    let sources: Vec<_> = paths.map(|path| read(path).expect("listed a moment ago, UTF-8")).collect();
    assert!(sources.len() > 10, "found only {} sources", sources.len());
    sources
}

/// Files of the repository whose names end in `ending`, as paths from the root with `/`.
fn files(ending: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut folders = vec![PathBuf::new()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(root().join(&folder)).expect("a folder of the repository").flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            let path = folder.join(&name);
            if entry.path().is_dir() && name != "target" && !name.starts_with('.') {
                folders.push(path);
            } else if name.ends_with(ending) {
                found.push(path.to_string_lossy().replace('\\', "/"));
            }
        }
    }
    found.sort();
    found
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("xtask lies in the root of the repository")
}
