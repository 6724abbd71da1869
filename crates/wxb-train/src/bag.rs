//! `--bag K`: K networks side by side, each without one of K folds of the rows.

use wxb::data::Folds;
use wxb::data::split::folds;
use wxb::layer::side_by_side;
use wxb::recipe::Recipe;
use wxb::{Code, Error, Layer, Result};

use super::prepare::{Held, Parts, Prepared};
use super::recipe;
use crate::args::choice::OptimizerChoice;
use crate::args::train::TrainArgs;

/// What cannot be said beside `--bag`.
///
/// # Errors
/// [`Code::InvalidSetting`] for the first such flag.
pub fn check(args: &TrainArgs) -> Result<()> {
    if args.validation.bag.is_none() {
        return Ok(());
    }
    let is_lbfgs = args.training.optimizer == Some(OptimizerChoice::Lbfgs);
    let excluded = [
        (
            matches!(recipe::of(args), Some(Recipe::TabM | Recipe::TabMMini)),
            "--preset tabm",
            "whose members share their weights, so that none of them leaves a row out",
            "--preset deep, or leave --bag out",
        ),
        (is_lbfgs, "--optimizer lbfgs", "which steps once for all networks", "leave --optimizer out"),
        (
            args.regularisation.clip_norm.is_some(),
            "--clip-norm",
            "which looks at the gradient of all networks at once",
            "leave --clip-norm out",
        ),
        (
            args.network.init_weights.is_some(),
            "--init-weights",
            "which gives the weights of one network",
            "leave --init-weights out",
        ),
    ];
    match excluded.iter().find(|(is_given, ..)| *is_given) {
        None => Ok(()),
        Some((_, flag, why, hint)) => {
            let what = format!("--bag excludes {flag}, {why}");
            Err(Error::new(Code::InvalidSetting, what).hint(*hint))
        }
    }
}

/// The layers of one network, or with `--bag` of as many side by side.
///
/// # Errors
/// [`Code::InvalidSetting`] for layers whose members share their parameters.
pub fn layers(one: Vec<Layer>, args: &TrainArgs) -> Result<Vec<Layer>> {
    args.validation.bag.map_or(Ok(one.clone()), |members| side_by_side(&one, members))
}

impl Prepared {
    /// All rows, and K folds of them, stratified by class.
    ///
    /// # Errors
    /// If there are fewer rows than folds.
    pub fn bag(&self, k: usize, seed: u64) -> Result<Parts> {
        let of_rows = |places: Vec<u32>| places.into_iter().map(|i| self.rows[i as usize]).collect();
        let splits = folds(self.rows.len(), self.strata()?.as_deref(), k, seed)?.into_iter();
        let splits = splits.map(|(train, valid)| (of_rows(train), of_rows(valid))).collect();
        Ok(Parts { train: self.rows.clone(), valid: Held::Folds(Folds::new(splits)?) })
    }
}

impl Parts {
    /// The rows that a network learns from in an epoch: with folds, not those that it leaves out.
    pub fn rows_of_a_network(&self) -> usize {
        match &self.valid {
            Held::Folds(folds) => folds.train_rows(),
            Held::None | Held::Rows(_) | Held::Apart(_) => self.train.len(),
        }
    }
}
