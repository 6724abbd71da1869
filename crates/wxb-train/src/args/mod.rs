//! The settings of a training as data, one struct for each group of flags, from which the command makes its parser, help and
//! completions. A flag's help is the documentation of its field.

mod asked;
pub mod choice;
pub mod foreign;
pub mod reading;
pub mod train;
pub mod usage;
pub mod value;

use clap::{Args, FromArgMatches};
use wxb::Result;

use train::TrainArgs;

impl TrainArgs {
    /// The settings that some flags say, each followed by its value unless it has none: `--time-budget 60s --keep`, or
    /// `--target=-x` for a value that begins with a dash. What is not said has its usual value.
    ///
    /// # Errors
    /// [`Code::Usage`](wxb::Code::Usage) for an unknown flag, with what is meant where another tool calls it so,
    /// [`Code::InvalidSetting`](wxb::Code::InvalidSetting) for a value that a flag does not take.
    pub fn from_flags(flags: impl IntoIterator<Item = String>) -> Result<Self> {
        let mut command = Self::augment_args(clap::Command::new("wxb").no_binary_name(true));
        command = command.disable_help_flag(true).disable_version_flag(true);
        let matches = command.try_get_matches_from_mut(flags).and_then(|m| Self::from_arg_matches(&m));
        matches.map_err(|error| usage::explain(&error, &usage::long_flags(command.get_arguments())))
    }
}

impl Default for TrainArgs {
    fn default() -> Self {
        Self::from_flags([]).expect("no flag has to be given")
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use wxb::Code;

    use super::choice::PresetChoice;
    use super::value::{Hidden, Valid};
    use super::*;

    fn parse(flags: &str) -> Result<TrainArgs> {
        TrainArgs::from_flags(flags.split_whitespace().map(str::to_owned))
    }

    #[test]
    fn flags_are_settings() {
        let args =
            parse("--target=-x --time-budget 90s --preset realmlp --keep --drop a,b --valid none").unwrap();
        assert_eq!(args.columns.target.as_deref(), Some("-x"));
        assert_eq!(args.columns.drop, ["a", "b"]);
        assert!(args.columns.keep);
        assert_eq!(args.training.time_budget, Some(Duration::from_secs(90)));
        assert_eq!(args.network.preset, Some(PresetChoice::Realmlp));
        assert_eq!(args.validation.valid, Some(Valid::None));
        assert_eq!(parse("--layers 8,4").unwrap().network.hidden, Some(Hidden(vec![8, 4])));
    }

    #[test]
    fn nothing_said_is_the_usual() {
        let args = TrainArgs::default();
        assert!(
            args.network.preset.is_none() && args.training.epochs.is_none() && args.columns.drop.is_empty()
        );
        assert_eq!((args.training.seed, args.columns.keep), (0, false));
    }

    #[test]
    fn what_is_no_setting_is_told() {
        for (flags, code, told) in [
            ("--max-iter 3", Code::Usage, "here it is --epochs"),
            ("--hiden 3", Code::Usage, "did you mean --hidden?"),
            ("--n-estimators 3", Code::Usage, "epochs, not trees"),
            ("data.csv", Code::Usage, "an argument too many"),
            ("--output m.wxb", Code::Usage, "unknown flag --output"),
            ("--help", Code::Usage, "unknown flag --help"),
            ("--target", Code::Usage, "needs a value"),
            ("--seed 1 --seed 2", Code::Usage, "given twice"),
            ("--lr -1", Code::InvalidSetting, "out of range"),
            ("--preset depe", Code::InvalidSetting, "did you mean deep?"),
            ("--bag 5 --valid 0.1", Code::InvalidSetting, "exclude each other"),
        ] {
            let error = parse(flags).unwrap_err();
            assert_eq!(error.code(), code, "{flags}: {error:?}");
            assert!(format!("{error:?}").contains(told), "{flags}: {error:?}");
        }
    }
}
