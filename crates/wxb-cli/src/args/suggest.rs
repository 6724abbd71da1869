//! What people mean who write other tools' commands. Their flags: [`wxb_train::args::foreign`].

/// Foreign commands.
const COMMANDS: &[(&str, &str)] = &[
    ("fit", "train"),
    ("learn", "train"),
    ("run", "train"),
    ("test", "evaluate"),
    ("score", "evaluate"),
    ("validate", "evaluate"),
    ("infer", "predict"),
    ("inference", "predict"),
    ("transform", "predict"),
    ("show", "inspect"),
    ("info", "inspect"),
    ("summary", "inspect"),
    ("describe", "inspect"),
    ("trace", "explain"),
    ("grad-check", "gradcheck"),
    ("example", "demo"),
    ("completion", "completions"),
    ("version", "env"),
];

/// What a command of another tool is here.
pub fn foreign_command(name: &str) -> Option<&'static str> {
    COMMANDS.iter().find(|(foreign, _)| *foreign == name).map(|(_, ours)| *ours)
}

#[cfg(test)]
mod tests {
    use super::*;
    use wxb_train::args::foreign::{FLAGS, Meant};

    /// Every flag and command that is recommended exists.
    #[test]
    fn recommendations_exist() {
        let command = super::super::command();
        let flags: Vec<String> = command
            .get_subcommands()
            .chain([&command])
            .flat_map(|c| c.get_arguments().filter_map(|a| a.get_long()).map(|l| format!("--{l}")))
            .collect();
        for (foreign, meant) in FLAGS {
            assert!(!flags.contains(&format!("--{foreign}")), "--{foreign} is a flag of wxb");
            if let Meant::Flag(ours, _) = meant {
                let flag = ours.split(' ').next().unwrap();
                assert!(flags.iter().any(|f| f == flag), "{ours}");
            }
        }
        for (_, ours) in COMMANDS {
            assert!(command.get_subcommands().any(|c| c.get_name() == *ours), "{ours}");
        }
    }
}
