//! Flags that the others on the command line leave without effect. They are refused, not ignored; what the environment sets for all
//! commands may well have no effect on some.

use clap::ArgMatches;
use clap::parser::ValueSource;
use wxb::{Code, Error};

use super::choice::MethodChoice;

/// What to say about the first such flag.
pub fn refused(matches: &ArgMatches) -> Option<Error> {
    match matches.subcommand() {
        Some(("explain", explain)) => of_explain(explain),
        _ => None,
    }
}

fn of_explain(given: &ArgMatches) -> Option<Error> {
    let has_contributions = given.get_flag("contributions");
    let is_shapley = given.get_one("method") == Some(&MethodChoice::Shapley);
    let needed = [
        ("method", has_contributions, "--contributions"),
        ("samples", has_contributions, "--contributions"),
        ("seed", has_contributions, "--contributions"),
        ("level", has_contributions, "--contributions"),
        ("samples", is_shapley, "--method shapley"),
        ("seed", is_shapley, "--method shapley"),
        ("lr", given.get_flag("backward"), "--backward"),
    ];
    let is_typed = |flag: &str| given.value_source(flag) == Some(ValueSource::CommandLine);
    if has_contributions && is_typed("convention") {
        let what = "--contributions and --convention exclude each other";
        return Some(Error::new(Code::InvalidSetting, what).hint("leave one of them out"));
    }
    needed.into_iter().find(|&(flag, is_there, _)| !is_there && is_typed(flag)).map(|(flag, _, needed)| {
        let what = format!("--{flag} has no effect without {needed}");
        Error::new(Code::InvalidSetting, what).hint(format!("add {needed}, or leave --{flag} out"))
    })
}
