//! Runs `wxb` in a directory of its own, without the caller's environment.

use std::path::Path;
use std::process::{Command, Output};

/// `wxb` with arguments as a shell would part them (quotes included), in a directory.
pub fn wxb(directory: &Path, arguments: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_wxb"));
    command.current_dir(directory).args(words(arguments));
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("WXB_") || ["NO_COLOR", "CLICOLOR_FORCE", "FORCE_COLOR", "CI"].contains(&&*text) {
            command.env_remove(&name);
        }
    }
    command.env("COLUMNS", "100");
    command
}

/// Runs it to its end.
pub fn run(directory: &Path, arguments: &str) -> Output {
    wxb(directory, arguments).output().expect("wxb was built for this test")
}

/// stdout or stderr as text.
pub fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("wxb writes UTF-8")
}

fn words(line: &str) -> Vec<String> {
    let (mut words, mut word, mut quote, mut open) = (vec![], String::new(), None, false);
    for c in line.chars() {
        match (c, quote) {
            ('\'' | '"', None) => (quote, open) = (Some(c), true),
            (c, Some(q)) if c == q => quote = None,
            (' ', None) => {
                if open || !word.is_empty() {
                    words.push(std::mem::take(&mut word));
                }
                open = false;
            }
            (c, _) => word.push(c),
        }
    }
    if open || !word.is_empty() {
        words.push(word);
    }
    words
}
