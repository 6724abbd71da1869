//! The documentation says where things are and shows code: both must be so.
//!
//! - A line `**Where:** `FILE`: `ITEM`, …` names items that FILE declares.
//! - A line "From `FILE`, `ITEM`:" is followed by a block of code that equals ITEM in FILE. After a change of the
//!   code, `UPDATE_PAGES=1 cargo test -p xtask --test pages` writes the blocks anew.
//! - A link inside of the repository leads to a file and, after `#`, to a heading.

use std::fs;
use std::path::{Path, PathBuf};

const PAGES: [&str; 9] = [
    "README.md",
    "ARCHITECTURE.md",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "NOTATION.md",
    "docs/notes.md",
    "docs/performance.md",
    "docs/tour.md",
    "examples/README.md",
];

#[test]
fn items_are_where_the_pages_say() {
    let mut checked = 0;
    for page in PAGES {
        for (file, items) in places(&read(page)) {
            let source =
                fs::read_to_string(root().join(&file)).unwrap_or_else(|e| panic!("{page}: {file}: {e}"));
            for item in items {
                assert!(declares(&source, &item), "{page}: {file} declares no {item}");
                checked += 1;
            }
        }
    }
    assert!(checked > 50, "only {checked} items found");
}

#[test]
fn extracts_equal_the_code() {
    let update = std::env::var_os("UPDATE_PAGES").is_some();
    for page in PAGES {
        let text = read(page);
        let fresh = with_extracts(page, &text);
        if update && fresh != text {
            fs::write(root().join(page), &fresh).expect("a page of the repository");
        }
        let first = text.lines().zip(fresh.lines()).position(|(old, new)| old != new);
        assert!(
            update || text == fresh,
            "{page}:{}: the extract is not the code; UPDATE_PAGES=1 cargo test -p xtask --test pages",
            first.unwrap_or(0) + 1
        );
    }
}

#[test]
fn links_lead_somewhere() {
    let mut checked = 0;
    for page in PAGES {
        let text = read(page);
        for link in links(&text) {
            let (file, anchor) = link.split_once('#').unwrap_or((&link, ""));
            let folder = Path::new(page).parent().unwrap_or(Path::new(""));
            let target = if file.is_empty() { PathBuf::from(page) } else { folder.join(file) };
            assert!(root().join(&target).exists(), "{page}: the link {link} leads nowhere");
            if !anchor.is_empty() {
                let headings = anchors(&read(&target));
                assert!(
                    headings.iter().any(|h| h == anchor),
                    "{page}: {link}: no heading among {headings:#?}"
                );
            }
            checked += 1;
        }
    }
    assert!(checked > 20, "only {checked} links found");
}

#[test]
fn the_architecture_names_every_module() {
    let (page, library) = (read("ARCHITECTURE.md"), read("crates/wxb/src/lib.rs"));
    let names = library.lines().filter_map(|line| {
        line.strip_prefix("pub ").unwrap_or(line).strip_prefix("mod ").and_then(|line| line.strip_suffix(';'))
    });
    let missing: Vec<&str> = names.filter(|name| !page.contains(&format!("`{name}`"))).collect();
    assert!(missing.is_empty(), "ARCHITECTURE.md does not name the modules {missing:?}");
}

#[test]
fn reading_places() {
    let page = "**Where:** `a.rs`: `f`, `g`; `b.rs`: `H`;\n`c.rs`: `i`\n\n`d.rs`: `j`\n";
    let found = format!("{:?}", places(page));
    assert_eq!(found, r#"[("a.rs", ["f", "g"]), ("b.rs", ["H"]), ("c.rs", ["i"])]"#);
}

#[test]
fn finding_items() {
    let source = "pub fn alpha() {\n}\n    Beta { x: u8 },\nstruct Gamma;\n    Delta,\nlet epsilon = 1;\n";
    for (item, expected) in [
        ("alpha", true),
        ("Beta", true),
        ("Gamma", true),
        ("Delta", true),
        ("epsilon", false),
        ("alph", false),
    ] {
        assert_eq!(declares(source, item), expected, "{item}");
    }
    assert_eq!(extract(source, "alpha").as_deref(), Some("pub fn alpha() {\n}\n"));
}

#[test]
fn naming_headings() {
    let rows = [
        ("# One unit\n", "one-unit"),
        ("### 7. The update: w = w − α dw\n", "7-the-update-w--w--α-dw"),
        ("## NumPy's products\n", "numpys-products"),
    ];
    for (page, anchor) in rows {
        assert_eq!(anchors(page), [anchor]);
    }
}

/// Files and their items, from the paragraphs that begin with `**Where:**`.
fn places(page: &str) -> Vec<(String, Vec<String>)> {
    let mut found: Vec<(String, Vec<String>)> = vec![];
    for paragraph in page.split("\n\n") {
        let Some((_, places)) = paragraph.split_once("**Where:** ") else { continue };
        for name in places.split('`').skip(1).step_by(2) {
            match found.last_mut() {
                _ if name.contains('.') => found.push((name.to_owned(), vec![])),
                Some((_, items)) => items.push(name.to_owned()),
                None => panic!("{paragraph}: an item without its file"),
            }
        }
    }
    found
}

/// Whether a line declares the item: as `fn item`, `struct item`, …, or as a variant or field of its own line.
fn declares(source: &str, item: &str) -> bool {
    source.lines().any(|line| declares_here(line, item))
}

fn declares_here(line: &str, item: &str) -> bool {
    const KEYWORDS: [&str; 7] = ["fn", "struct", "enum", "trait", "type", "const", "mod"];
    let words: Vec<&str> = line.split(|c: char| !(c.is_alphanumeric() || c == '_')).collect();
    let declaration = words.windows(2).any(|pair| KEYWORDS.contains(&pair[0]) && pair[1] == item);
    let variant = line.strip_prefix("    ").and_then(|line| line.strip_prefix(item));
    let comment = line.trim_start().starts_with("//");
    // A small name before a parenthesis is a call.
    let call = item.starts_with(char::is_lowercase) && variant.is_some_and(|rest| rest.starts_with('('));
    !comment && declaration
        || !call && variant.is_some_and(|rest| [",", " {", "("].iter().any(|next| rest.starts_with(next)))
}

/// The item from its declaration to the end of its block, without its indentation.
fn extract(source: &str, item: &str) -> Option<String> {
    let lines: Vec<&str> = source.lines().collect();
    let first = lines.iter().position(|line| declares_here(line, item))?;
    let indentation = &lines[first][..lines[first].len() - lines[first].trim_start().len()];
    let closes =
        |line: &&str| line.strip_prefix(indentation).is_some_and(|line| line.starts_with(['}', ']']));
    let one_line = lines[first].ends_with([';', ',']);
    let length = if one_line { 1 } else { lines[first..].iter().position(closes)? + 1 };
    let dedented = |line: &&str| format!("{}\n", line.strip_prefix(indentation).unwrap_or(line));
    Some(lines[first..first + length].iter().map(dedented).collect())
}

/// The page with each extract as the code has it now.
fn with_extracts(page: &str, text: &str) -> String {
    let mut fresh = String::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        fresh += line;
        fresh.push('\n');
        let Some((file, item)) = named_extract(line) else { continue };
        let source = fs::read_to_string(root().join(file)).unwrap_or_else(|e| panic!("{page}: {file}: {e}"));
        let code = extract(&source, item).unwrap_or_else(|| panic!("{page}: {file} declares no {item}"));
        let next = [lines.next(), lines.next()];
        assert_eq!(next, [Some(""), Some("```rs")], "{page}: a block of code has to follow {line:?}");
        lines.find(|line| *line == "```");
        fresh += &format!("\n```rs\n{code}```\n");
    }
    fresh
}

/// File and item of "From `FILE`, `ITEM`:".
fn named_extract(line: &str) -> Option<(&str, &str)> {
    line.strip_prefix("From `")?.strip_suffix("`:")?.split_once("`, `")
}

/// The targets of `[text](target)` that lie inside of the repository.
fn links(page: &str) -> Vec<String> {
    let mut code = false;
    let prose = page.lines().filter(|line| {
        code ^= line.starts_with("```");
        !code
    });
    let targets = prose.flat_map(|line| line.split("](").skip(1).filter_map(|rest| rest.split_once(')')));
    targets.map(|(target, _)| target.to_owned()).filter(|target| !target.contains("://")).collect()
}

/// The anchors of a page's headings, as GitHub names them.
fn anchors(page: &str) -> Vec<String> {
    let headings = page.lines().filter(|line| line.starts_with('#') && line.contains("# "));
    let anchor = |heading: &str| {
        let kept = heading.trim_start_matches('#').trim().to_lowercase();
        let kept = kept.chars().filter(|c| c.is_alphanumeric() || " -_".contains(*c));
        kept.map(|c| if c == ' ' { '-' } else { c }).collect()
    };
    headings.map(anchor).collect()
}

fn read(page: impl AsRef<Path>) -> String {
    let path = root().join(page);
    fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("xtask lies in the root of the repository")
}
