//! Networks that a preset trains beside its main one, and what they come to together.

use std::borrow::Cow;
use std::time::Instant;

use wxb::calibration::Calibration;
use wxb::combine;
use wxb::compare::{Difference, difference};
use wxb::data::Features;
use wxb::evaluate::Evaluation;
use wxb::metrics::Scores;
use wxb::model_file::{AnyNetwork, Part};
use wxb::preprocess::Preprocessor;
use wxb::trainer::{Run, Stop};
use wxb::{Network, Real, Result};

use super::budget::Deadline;
use super::fit::{Bound, Data, Fitted, fit_columns, network_and_settings, start};
use super::judge::headline;
use super::model::combined;
use super::train::Problem;
use super::{recipe, settings};
use crate::args::choice::{CalibrationChoice, PresetChoice};
use crate::args::train::TrainArgs;
use crate::listener::{Listener, News};

/// The networks that the flags ask for, each as flags of its own, the main one last. `auto` is for tables; a matrix of like
/// columns, such as an image, gets the small network.
pub fn presets(args: &TrainArgs, features: &Features) -> Vec<TrainArgs> {
    let presets: &[PresetChoice] = match (recipe::preset(args), features) {
        (PresetChoice::Auto, Features::Table(_)) => {
            &[PresetChoice::Linear, PresetChoice::Mlp, PresetChoice::Deep]
        }
        (PresetChoice::Auto, Features::Matrix(_)) => &[PresetChoice::Mlp],
        (preset, _) => &[preset],
    };
    let with = |&preset: &PresetChoice| {
        let mut args = args.clone();
        args.network.preset = Some(preset);
        args
    };
    presets.iter().map(with).collect()
}

/// A trained network and how it does on the rows that decide: those of the validation, else of the training.
pub struct Candidate<T> {
    /// Its preset.
    pub name: &'static str,
    /// The best weights.
    pub network: Network<T>,
    /// Its inputs.
    pub preprocessor: Preprocessor,
    /// Epochs that were finished.
    pub epochs: u64,
    /// The epoch of the best weights.
    pub best_epoch: u64,
    /// On the rows that decide.
    pub evaluation: Evaluation,
    /// What these rows weigh when they decide, where it is something else.
    deciding: Option<Vec<f64>>,
}

impl<T: Real> Candidate<T> {
    /// The best weights of a training.
    pub fn of(run: &Run<T>, fitted: &Fitted, data: &Data<'_, T>, args: &TrainArgs) -> Self {
        let network = run.best_network();
        let decisive = data.evaluate(&network);
        let weights = decisive.weights.clone();
        let evaluation = data.told(decisive);
        Self {
            deciding: weights.filter(|weights| evaluation.weights.as_ref() != Some(weights)),
            name: recipe::preset(args).name(),
            network,
            preprocessor: fitted.preprocessor.clone(),
            epochs: run.epoch,
            best_epoch: run.best.epoch,
            evaluation,
        }
    }

    /// The evaluation of the same rows as it decides: with the weights of the classes, if there are any.
    fn decisive<'a>(&self, evaluation: &'a Evaluation) -> Cow<'a, Evaluation> {
        match &self.deciding {
            Some(weights) => Cow::Owned(evaluation.weighed(Some(weights.clone()))),
            None => Cow::Borrowed(evaluation),
        }
    }

    /// How it does alone.
    pub fn scores(&self) -> Scores {
        self.evaluation.scores()
    }

    /// What a model keeps of it.
    fn part(self, share: f64) -> Part
    where
        AnyNetwork: From<Network<T>>,
    {
        Part {
            name: self.name.into(),
            weight: share,
            network: self.network.into(),
            preprocess: Some(self.preprocessor),
        }
    }
}

/// Trains the networks beside the main one, one after the other; those that diverge are left out. `None` if the
/// listener breaks it off.
///
/// # Errors
/// Of the settings or the data.
pub fn train_all<T: Real>(
    problem: &Problem,
    deadline: Deadline,
    listener: &mut impl Listener,
) -> Result<Option<Vec<Candidate<T>>>> {
    /// Of the time that there is; the rest is for the main network.
    const SHARE: f64 = 0.3;
    let deadline = deadline.sooner(SHARE);
    let mut candidates = vec![];
    for args in problem.beside() {
        let started = Instant::now();
        match train(args, problem, deadline, listener)? {
            (Stop::Interrupted, _) => return Ok(None),
            (_, Some(candidate)) => {
                listener.hear(News::Beside { candidate: &candidate, took: started.elapsed() });
                candidates.push(candidate);
            }
            (_, None) => {
                let name = recipe::preset(args).name();
                listener.warn(&format!("the network {name:?} diverged and is left out"));
            }
        }
    }
    Ok(Some(candidates))
}

/// How a training ended, and what it left if an epoch was finished.
fn train<T: Real>(
    args: &TrainArgs,
    problem: &Problem,
    deadline: Deadline,
    listener: &mut impl Listener,
) -> Result<(Stop, Option<Candidate<T>>)> {
    let Problem { prepared, parts, .. } = problem;
    let fitted = fit_columns(prepared, &parts.train, &settings::preprocessing(args))?;
    let rows = parts.rows_of_a_network();
    let (mut network, config) = network_and_settings::<T>(args, &fitted, &prepared.loss, rows)?;
    let bound = Bound::new(prepared, parts, &fitted, args)?;
    let data = bound.data()?;
    start(&mut network, args, &fitted, &data.train)?;
    let mut run = Run::new(network, &config)?;
    let network = recipe::preset(args).name();
    let stop = data.fit(&mut run, &config, &mut |event| {
        listener.hear(News::Training { network, event: &event });
        deadline.go_on(&event, listener.breaks_off())
    })?;
    let candidate = (run.best.epoch > 0).then(|| Candidate::of(&run, &fitted, &data, args));
    Ok((stop, candidate))
}

/// Some networks as one model.
pub struct Mixture {
    /// Each with its share of the mean, the largest share first; those without a share are not among them.
    pub parts: Vec<Part>,
    /// How probabilities are corrected.
    pub calibration: Calibration,
    /// The model on the rows that decided.
    pub evaluation: Evaluation,
    /// Every network alone, in the order in which they were trained: its name, share, epochs, best epoch and scores.
    pub alone: Vec<Alone>,
}

/// A network on its own.
pub struct Alone {
    /// Its preset.
    pub name: &'static str,
    /// What it counts in the mean; 0 where it is left out.
    pub share: f64,
    /// Epochs that were finished.
    pub epochs: u64,
    /// The epoch of the best weights.
    pub best_epoch: u64,
    /// On the rows that decide.
    pub scores: Scores,
    /// Of the linear network: what the model gains over it in the first metric of the result line.
    pub gain: Option<Difference>,
}

/// Shares and calibration that do best on the rows of the evaluations. `is_held_out`: the networks were not trained on them.
pub fn mix<T: Real>(candidates: Vec<Candidate<T>>, args: &TrainArgs, is_held_out: bool) -> Mixture
where
    AnyNetwork: From<Network<T>>,
{
    let shares = if candidates.len() > 1 {
        let evaluations: Vec<_> = candidates.iter().map(|one| one.decisive(&one.evaluation)).collect();
        combine::shares(&evaluations.iter().map(|evaluation| &**evaluation).collect::<Vec<_>>())
    } else {
        vec![1.0]
    };
    let alone = candidates.iter().zip(&shares).map(|(candidate, &share)| Alone {
        name: candidate.name,
        share,
        epochs: candidate.epochs,
        best_epoch: candidate.best_epoch,
        scores: candidate.scores(),
        gain: None,
    });
    let mut alone: Vec<Alone> = alone.collect();
    // Whether it would have done is what people ask; the standard error takes 40 times as long as the scores.
    let linear = candidates.iter().position(|candidate| candidate.name == PresetChoice::Linear.name());
    let metric = headline(candidates[0].network.loss())[0];
    let linear = linear.filter(|_| candidates.len() > 1).map(|i| (i, candidates[i].evaluation.clone()));
    let mut parts: Vec<_> = shares.into_iter().zip(candidates).filter(|(share, _)| *share > 0.0).collect();
    parts.sort_by(|a, b| b.0.total_cmp(&a.0));
    let evaluations: Vec<(f64, &Evaluation)> =
        parts.iter().map(|(share, part)| (*share, &part.evaluation)).collect();
    let plain = combined(&evaluations, &Calibration::None);
    let mean = parts[0].1.decisive(&plain);
    let calibration = match args.validation.calibration {
        _ if !is_held_out => Calibration::None,
        CalibrationChoice::Auto if !recipe::is_auto(args) => Calibration::None,
        CalibrationChoice::None => Calibration::None,
        CalibrationChoice::Isotonic => mean.isotonic(),
        CalibrationChoice::Auto | CalibrationChoice::Temperature => match combine::temperature(&mean) {
            1.0 => Calibration::None,
            t => Calibration::Temperature(t),
        },
    };
    let evaluation = match calibration {
        // One number is learned soundly from a few rows, a curve is not: it is judged on rows that it has not seen.
        Calibration::Isotonic(_) => plain.isotonic_of_others(&mean),
        Calibration::None | Calibration::Temperature(_) => combined(&evaluations, &calibration).into_owned(),
    };
    if let Some((i, linear)) = linear {
        alone[i].gain = difference(&evaluation, &linear, metric);
    }
    let parts = parts.into_iter().map(|(share, candidate)| candidate.part(share)).collect();
    Mixture { parts, calibration, evaluation, alone }
}
