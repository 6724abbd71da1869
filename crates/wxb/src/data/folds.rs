//! Which rows each member of a network leaves out.

use super::split::Split;
use crate::error::{Code, Error, Result};

/// One split for each member of a network: the rows that it learns from, and those that it leaves out and is validated on. A
/// row is left out by one member at the most.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Folds(Vec<Split>);

impl Folds {
    /// A split a member, as [`split::folds`](super::split::folds) makes them.
    ///
    /// # Errors
    /// [`Code::EmptyData`] if a part is empty; [`Code::InvalidSetting`] for fewer than 2 members, or if a row is left out
    /// by two of them.
    pub fn new(splits: Vec<Split>) -> Result<Self> {
        if splits.len() < 2 {
            return Err(Error::new(Code::InvalidSetting, "rows are left out by 2 members at least"));
        }
        if let Some(i) = splits.iter().position(|(train, valid)| train.is_empty() || valid.is_empty()) {
            return Err(Error::new(Code::EmptyData, format!("fold {} has no rows on one side", i + 1)));
        }
        let folds = Self(splits);
        let rows = folds.left_out();
        match rows.windows(2).find(|pair| pair[0] == pair[1]) {
            Some(pair) => {
                Err(Error::new(Code::InvalidSetting, format!("row {} is in two folds", pair[0] + 1)))
            }
            None => Ok(folds),
        }
    }

    /// How many members.
    pub fn members(&self) -> usize {
        self.0.len()
    }

    /// The splits, member by member.
    pub fn splits(&self) -> &[Split] {
        &self.0
    }

    /// The rows that every member can learn from in an epoch: those of the member that has the fewest.
    pub fn train_rows(&self) -> usize {
        self.0.iter().map(|(train, _)| train.len()).min().unwrap_or(0)
    }

    /// All rows that a member leaves out, ascending.
    pub fn left_out(&self) -> Vec<u32> {
        let mut rows: Vec<u32> = self.0.iter().flat_map(|(_, valid)| valid).copied().collect();
        rows.sort_unstable();
        rows
    }
}
