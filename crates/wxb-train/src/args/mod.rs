//! The settings of a training as data, one struct for each group of flags, from which the command makes its parser, help and
//! completions. A flag's help is the documentation of its field.

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
