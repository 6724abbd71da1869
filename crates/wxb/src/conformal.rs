//! Intervals that hold what they promise: split-conformal prediction (Vovk, Gammerman and Shafer 2005; Lei, G'Sell, Rinaldo,
//! Tibshirani and Wasserman 2018).
//!
//! If the rows that were held out and a new one are exchangeable, then |y − ŷ| of the new one is as likely at any place among
//! theirs. So ŷ ± q, q the ⌈(n + 1) c⌉-th smallest of theirs, holds the new y with a probability of at least c, whatever the
//! network and the noise.

use serde::{Deserialize, Serialize};

use crate::error::{Code, Error, Result};
use crate::evaluate::Evaluation;

/// More than this many residuals are thinned out: an interval's coverage is then within a thousandth of what all would give.
const KEPT: usize = 1000;

/// |y − ŷ| of the rows that were held out, in the target's unit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Residuals {
    /// n, how many rows there were.
    rows: usize,
    /// The residuals at the ranks ⌈j n / K⌉, j = 1 … K; ascending.
    sorted: Vec<f64>,
}

impl Residuals {
    /// Of an evaluation; `None` where the predictions are no single number.
    pub fn of(evaluation: &Evaluation) -> Option<Self> {
        if evaluation.is_of_classes() || evaluation.predictions.len() != evaluation.targets.len() {
            return None;
        }
        let mut all: Vec<f64> = evaluation.fits().iter().map(|fit| fit.abs()).collect();
        all.sort_unstable_by(f64::total_cmp);
        let (rows, kept) = (all.len(), all.len().min(KEPT));
        let sorted = (1..=kept).map(|j| all[rank(j, rows, kept) - 1]).collect();
        (rows > 0).then_some(Self { rows, sorted })
    }

    /// q: ŷ ± q holds at least the share `coverage` of new rows.
    ///
    /// # Errors
    /// [`Code::InvalidSetting`] if the rows that were held out are too few for such a promise.
    ///
    /// ```
    /// use wxb::conformal::Residuals;
    /// use wxb::evaluate::Evaluation;
    /// use wxb::Loss;
    /// let y: Vec<f64> = (1..=9).map(f64::from).collect();
    /// let evaluation = Evaluation::new(Loss::SquaredError, 1, vec![0.0; 9], y, None);
    /// let residuals = Residuals::of(&evaluation).expect("they are numbers");
    /// assert_eq!(residuals.half_width(0.8)?, 8.0); // the ⌈(9 + 1) · 0.8⌉-th of 1 … 9
    /// assert!(residuals.half_width(0.95).is_err()); // there is no tenth one
    /// # Ok::<(), wxb::Error>(())
    /// ```
    pub fn half_width(&self, coverage: f64) -> Result<f64> {
        // (n + 1) c may lie above a whole number by a rounding.
        let wanted = ((self.rows as f64 + 1.0) * coverage - 1e-9).ceil().max(1.0) as usize;
        let kept = self.sorted.len();
        let found = (1..=kept).find(|&j| rank(j, self.rows, kept) >= wanted);
        found.map(|j| self.sorted[j - 1]).ok_or_else(|| {
            let most = self.rows as f64 / (self.rows as f64 + 1.0);
            let what = format!("{} validation rows are too few for intervals of {coverage}", self.rows);
            Error::new(Code::InvalidSetting, what).note(format!("the most they can promise is {most:.3}"))
        })
    }

    /// Whether residuals read from a file make sense.
    ///
    /// # Errors
    /// [`Code::DamagedModel`].
    pub fn check(&self) -> Result<()> {
        let are_sound = self.sorted.is_sorted() && self.sorted.iter().all(|r| r.is_finite() && *r >= 0.0);
        if !are_sound || self.sorted.is_empty() || self.sorted.len() != self.rows.min(KEPT) {
            return Err(Error::new(Code::DamagedModel, "the model's residuals make no sense"));
        }
        Ok(())
    }
}

/// ⌈j n / K⌉.
fn rank(j: usize, rows: usize, kept: usize) -> usize {
    (j * rows).div_ceil(kept)
}

#[cfg(test)]
mod tests {
    use rand_distr::{Distribution, Exp1};

    use super::*;
    use crate::Loss;
    use crate::rng::{Purpose, stream};

    /// New rows of the same distribution are covered as promised, from few rows and from many.
    #[test]
    fn intervals_cover_what_they_promise() {
        let mut rng = stream(0, Purpose::Sample, 0);
        for (rows, coverage) in [(9, 0.9), (50, 0.9), (100, 0.5), (5000, 0.99), (5000, 0.8)] {
            let (mut covered, mut total) = (0, 0);
            for _ in 0..(200_000 / rows).min(4000) {
                let y: Vec<f64> = (0..rows).map(|_| Exp1.sample(&mut rng)).collect();
                let evaluation = Evaluation::new(Loss::SquaredError, 1, vec![0.0; rows], y, None);
                let q = Residuals::of(&evaluation).unwrap().half_width(coverage).unwrap();
                let new: [f64; 100] = std::array::from_fn(|_| Exp1.sample(&mut rng));
                covered += new.iter().filter(|y| **y <= q).count();
                total += new.len();
            }
            let found = f64::from(covered as u32) / f64::from(total as u32);
            // Between c and c + 1/(n + 1) + 1/K, and the noise of the sample.
            let most = coverage + 1.0 / (rows as f64 + 1.0) + 1e-3;
            assert!((coverage - 0.008..most + 0.008).contains(&found), "{rows} rows, {coverage}: {found}");
        }
    }

    #[test]
    fn damaged_residuals_are_refused() {
        let sound = Residuals { rows: 3, sorted: vec![0.0, 1.0, 1.0] };
        assert!(sound.check().is_ok());
        for damaged in [
            Residuals { rows: 4, ..sound.clone() },
            Residuals { sorted: vec![0.0, 2.0, 1.0], ..sound.clone() },
            Residuals { sorted: vec![-1.0, 2.0, 2.0], ..sound.clone() },
            Residuals { sorted: vec![0.0, 1.0, f64::NAN], ..sound.clone() },
            Residuals { rows: 0, sorted: vec![] },
        ] {
            assert_eq!(damaged.check().unwrap_err().code(), Code::DamagedModel, "{damaged:?}");
        }
    }
}
