//! How a data file is read: the same flags wherever a file is.

use clap::Args;

use super::value;

/// Flags for reading a file.
#[derive(Args, Debug, Clone, Default)]
#[command(next_help_heading = "Reading")]
pub struct ReadingArgs {
    /// The character between fields [default: found out]
    #[arg(long, value_name = "CHAR", alias = "sep", value_parser = value::delimiter)]
    pub delimiter: Option<u8>,

    /// More marks for a missing value, beside the usual ("", NA, n/a, NaN, null, None, ?, …)
    #[arg(
        long,
        value_name = "MARK",
        alias = "missing",
        alias = "na-values",
        value_delimiter = ',',
        num_args = 1
    )]
    #[arg(allow_hyphen_values = true)]
    pub na: Vec<String>,

    /// The character between groups of digits, as in 1,204
    #[arg(long, value_name = "CHAR", value_parser = value::thousands)]
    pub thousands: Option<char>,

    /// The member of an NPZ file that holds the features
    #[arg(long, value_name = "NAME")]
    pub x: Option<String>,

    /// The member of an NPZ file that holds the target
    #[arg(long, value_name = "NAME")]
    pub y: Option<String>,

    /// The file with the labels of an IDX or NPY file
    #[arg(long, value_name = "FILE")]
    pub labels: Option<String>,
}
