//! The help texts, as snapshots: `SNAPSHOTS=overwrite cargo test -p wxb-cli --test cli help` renews them.

use std::path::Path;

use super::run;

use snapbox::Data;

fn check(arguments: &str, file: &str) {
    let output = run::run(Path::new(env!("CARGO_TARGET_TMPDIR")), arguments);
    assert!(output.status.success(), "wxb {arguments}");
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/snapshots").join(file);
    let assert = snapbox::Assert::new().action_env("SNAPSHOTS");
    assert.eq(run::text(&output.stdout), Data::read_from(&path, None).raw());
}

#[test]
fn help_texts() {
    for command in [
        "demo",
        "train",
        "evaluate",
        "predict",
        "importance",
        "inspect",
        "partial",
        "explain",
        "gradcheck",
        "bench",
        "help",
        "completions",
    ] {
        check(&format!("{command} -h"), &format!("{command}.txt"));
    }
    check("-h", "wxb.txt");
    check("train --help", "train-long.txt");
    check("help symmetry", "symmetry.txt");
}

#[test]
fn help_is_the_same_by_every_way() {
    let here = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let stdout = |arguments: &str| run::text(&run::run(here, arguments).stdout);
    assert_eq!(stdout("help train"), stdout("train --help"));
    assert_eq!(stdout("help"), stdout("--help"));
    assert_eq!(stdout("help e0201"), stdout("help E0201"));
    assert_eq!(stdout("help exit-codes"), stdout("-q help exit-codes --color never"));
}

#[test]
fn completions_name_the_commands() {
    let here = Path::new(env!("CARGO_TARGET_TMPDIR"));
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let script = run::text(&run::run(here, &format!("completions {shell}")).stdout);
        assert!(script.contains("gradcheck") && script.contains("batch-size"), "{shell}");
    }
}

#[test]
fn env_shows_what_is_set() {
    let here = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let output = run::wxb(here, "env").env("WXB_SEED", "3").env("WXB_SEDE", "4").output().unwrap();
    let text = run::text(&output.stdout);
    assert!(text.contains("WXB_SEED=3\n") && text.contains("WXB_SEDE=4   (no such flag: ignored)"), "{text}");
}

#[test]
fn colour_and_where_it_goes() {
    let here = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let stderr = |flag: &str, variable: &str| {
        let mut command = run::wxb(here, &format!("trian {flag}"));
        if !variable.is_empty() {
            command.env(variable, "1");
        }
        run::text(&command.output().unwrap().stderr)
    };
    assert!(!stderr("", "").contains('\x1b'), "a pipe gets no colour");
    assert!(stderr("", "CLICOLOR_FORCE").contains('\x1b'));
    assert!(stderr("", "FORCE_COLOR").contains('\x1b'));
    assert!(!stderr("", "CI").contains('\x1b'));
}

#[test]
fn every_code_is_explained() {
    let here = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let list = run::text(&run::run(here, "help codes").stdout);
    for code in wxb::Code::ALL {
        assert!(list.contains(code.name()), "{} is not listed", code.name());
        let text = run::text(&run::run(here, &format!("help {}", code.name())).stdout);
        assert!(text.starts_with(code.name()) && text.lines().count() > 2, "{text}");
    }
}
