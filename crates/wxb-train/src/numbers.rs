//! `--numbers`: what stands in front of the first hidden layer.

use wxb::data::Dataset;
use wxb::init::fit_edges;
use wxb::preprocess::Preprocessor;
use wxb::{Bins, Code, Error, Layer, Network, Periodic, Piecewise, Plr, Real, Result};

use crate::args::choice::NumbersChoice;

/// Bins of a column, and the numbers that a piecewise-linear embedding makes of them.
const BINS: usize = 48;
const PIECEWISE_WIDTH: usize = 16;
/// Frequencies of PLR, and the numbers that they become.
const PLR: [usize; 2] = [48, 24];
/// Waves of PBLD, and the numbers that they become beside x.
const PBLD: [usize; 2] = [16, 3];

/// The layer that the choice stands for, on so many training rows.
///
/// # Errors
/// [`Code::InvalidSetting`] if there are no numbers to embed.
pub fn layer(choice: NumbersChoice, inputs: &Preprocessor, rows: usize) -> Result<Option<Layer>> {
    if choice == NumbersChoice::Plain {
        return Ok(None);
    }
    let groups = inputs.groups();
    let (columns, rest) = (groups.numbers, groups.others + groups.rows);
    if columns == 0 {
        let what = format!("--numbers {} is for columns of numbers, and the data has none", choice.name());
        return Err(Error::new(Code::InvalidSetting, what).hint("leave --numbers out"));
    }
    // Between two rows there is nothing to learn.
    let bins = Bins { columns, rest, bins: BINS.min(rows.saturating_sub(1)).max(1) };
    let ([frequencies, width], [waves, of_waves]) = (PLR, PBLD);
    Ok(Some(match choice {
        NumbersChoice::Plain => return Ok(None),
        NumbersChoice::Ple => Layer::Bins(bins),
        NumbersChoice::Piecewise => Layer::Piecewise(Piecewise { bins, width: PIECEWISE_WIDTH }),
        NumbersChoice::Plr => Layer::Plr(Plr { columns, rest, frequencies, width }),
        NumbersChoice::Pbld => {
            Layer::Periodic(Periodic { columns, rest, frequencies: waves, width: of_waves })
        }
    }))
}

/// The edges of bins, from the training rows.
///
/// # Errors
/// Of data that does not fit the network.
pub fn start<T: Real>(network: &mut Network<T>, data: &Dataset<'_, T>, seed: u64) -> Result<()> {
    fit_edges(network, data, seed)
}
