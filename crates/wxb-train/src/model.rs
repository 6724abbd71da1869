//! A model file and data for it.

use std::borrow::Cow;
use std::path::Path;

use wxb::calibration::Calibration;
use wxb::data::target::present_rows;
use wxb::data::{Dataset, Features, Inputs};
use wxb::evaluate::{Evaluation, Output, cache_for, evaluate, predict};
use wxb::model_file::{AnyNetwork, Model, Part};
use wxb::ndarray::Array2;
use wxb::preprocess::{Encoded, Preprocessor};
use wxb::{Code, Error, Network, Real, Result};

use super::examples::Examples;
use super::fit::Numbers;
use super::prepare;

/// Reads a model file.
///
/// # Errors
/// [`Code::UnreadableFile`], [`Code::NotAModel`], [`Code::DamagedModel`], [`Code::ModelVersion`].
pub fn load(path: &str) -> Result<Model> {
    let bytes = std::fs::read(path).map_err(|error| {
        let what = match error.kind() {
            std::io::ErrorKind::NotFound => "there is no such file".to_owned(),
            std::io::ErrorKind::IsADirectory => "it is a folder".to_owned(),
            _ => error.to_string(),
        };
        Error::new(Code::UnreadableFile, format!("cannot read the model {path}: {what}"))
    })?;
    Model::from_bytes(&bytes).map_err(|error| error.at(path))
}

/// The network of a model that a command looks into: the one that is named, else the one that counts most.
///
/// # Errors
/// [`Code::InvalidSetting`] for a name that no network has.
pub fn part<'a>(model: &'a Model, name: Option<&str>) -> Result<&'a Part> {
    let Some(name) = name else { return Ok(&model.parts[0]) };
    model.parts.iter().find(|part| part.name == name).ok_or_else(|| {
        let names: Vec<&str> = model.parts.iter().map(|part| part.name.as_str()).collect();
        Error::new(Code::InvalidSetting, format!("the model has no network {name:?}"))
            .note(format!("its networks: {}", names.join(", ")))
    })
}

/// The name of the target column.
pub fn target_name(model: &Model) -> &str {
    model.target_name.as_deref().unwrap_or(super::read::ARRAY_TARGET)
}

/// The file's name for a message.
pub fn file_name(path: &str) -> String {
    Path::new(path).file_name().map_or(path.to_owned(), |name| name.to_string_lossy().into_owned())
}

/// Data that is ready for a network.
pub enum Ready<'a, T> {
    /// Of columns that are prepared.
    Encoded(Encoded<'a>),
    /// For a network that takes its inputs as they are, or of which batches are taken again and again.
    Dense(Array2<T>),
}

impl<'a, T: Real> Ready<'a, T> {
    /// Finds the model's columns in a file.
    ///
    /// # Errors
    /// A column that is missing or of another kind.
    pub fn new(preprocess: Option<&'a Preprocessor>, examples: &'a Examples, n_in: usize) -> Result<Self> {
        let in_file = |error: Error| super::read::in_file(&error, &examples.name);
        match (preprocess, &examples.features) {
            (Some(preprocessor), features) => preprocessor.bind(features).map(Self::Encoded).map_err(in_file),
            (None, Features::Matrix(matrix)) if matrix.columns() == n_in => {
                let shape = (matrix.rows(), matrix.columns());
                Ok(Self::Dense(Array2::from_shape_fn(shape, |(i, j)| T::of(matrix.get(i, j)))))
            }
            (None, features) => {
                let message =
                    format!("the model takes arrays of {n_in} columns, the file has {}", features.columns());
                Err(Error::new(Code::ShapeMismatch, message).at(&examples.name))
            }
        }
    }

    /// For many batches: all inputs are computed once where they take little memory. Bytes of pictures stay as they are.
    pub fn for_batches(encoded: Encoded<'a>) -> Self {
        /// Bytes of all inputs.
        const LITTLE: usize = 64 << 20;
        let shape = (encoded.rows(), encoded.width());
        let bytes = shape.0.saturating_mul(shape.1).saturating_mul(size_of::<T>());
        if encoded.is_of_bytes() || !(1..=LITTLE).contains(&bytes) {
            return Self::Encoded(encoded);
        }
        let rows: Vec<u32> = (0..shape.0 as u32).collect();
        let mut x = vec![T::ZERO; shape.0 * shape.1];
        encoded.gather(&rows, &mut x);
        Self::Dense(Array2::from_shape_vec(shape, x).expect("as many numbers as the shape has"))
    }

    /// As the network takes them.
    pub fn inputs(&self) -> Inputs<'_, T> {
        match self {
            Self::Encoded(encoded) => Inputs::Encoded(encoded),
            Self::Dense(x) => Inputs::Dense(x.view()),
        }
    }
}

/// The outputs (rows, n_L) of all rows, in the target's unit where they are linked: the mean over the model's networks, with
/// calibrated probabilities.
///
/// # Errors
/// As [`Ready::new`].
pub fn outputs(model: &Model, examples: &Examples, output: Output) -> Result<Vec<f64>> {
    // Each network's value is clamped, if any is, before the mean is taken, as in an evaluation.
    let in_units = |value: f64| if output == Output::Linked { model.target.decode(value) } else { value };
    match model.parts.as_slice() {
        [part] if model.calibration == Calibration::None => {
            Ok(outputs_of_part(part, examples, output)?.into_iter().map(in_units).collect())
        }
        parts => {
            let mut values = vec![0.0; examples.features.rows() * model.n_out()];
            for part in parts {
                let of_part = outputs_of_part(part, examples, Output::Linked)?.into_iter().map(in_units);
                values.iter_mut().zip(of_part).for_each(|(value, of_part)| *value += part.weight * of_part);
            }
            model.calibration.apply(model.loss(), model.n_out(), &mut values);
            if output == Output::Logits {
                model.loss().undo_link(&mut values);
            }
            Ok(values)
        }
    }
}

fn outputs_of_part(part: &Part, examples: &Examples, output: Output) -> Result<Vec<f64>> {
    match &part.network {
        AnyNetwork::F32(network) => outputs_of(network, part, examples, output),
        AnyNetwork::F64(network) => outputs_of(network, part, examples, output),
    }
}

fn outputs_of<T: Real>(
    network: &Network<T>,
    part: &Part,
    examples: &Examples,
    output: Output,
) -> Result<Vec<f64>> {
    let bound = Ready::<T>::new(part.preprocess.as_ref(), examples, network.n_in())?;
    let rows: Vec<u32> = (0..examples.features.rows() as u32).collect();
    Ok(predict(network, &bound.inputs(), &rows, output))
}

/// Loss, predictions and targets of the rows that have a target.
///
/// # Errors
/// As [`Ready::new`]; [`Code::NoTarget`] without a target, [`Code::UnknownLabel`] for a class that training has
/// not seen.
pub fn evaluation(model: &Model, examples: &Examples) -> Result<Evaluation> {
    let of = |part: &Part| match &part.network {
        AnyNetwork::F32(network) => evaluation_of(network, part, model, examples),
        AnyNetwork::F64(network) => evaluation_of(network, part, model, examples),
    };
    let evaluations = model.parts.iter().map(of).collect::<Result<Vec<_>>>()?;
    let shares = model.parts.iter().map(|part| part.weight).zip(&evaluations);
    Ok(combined(&shares.collect::<Vec<_>>(), &model.calibration).into_owned())
}

/// The mean of evaluations of the same rows, each with its share, with calibrated probabilities.
pub fn combined<'a>(parts: &[(f64, &'a Evaluation)], calibration: &Calibration) -> Cow<'a, Evaluation> {
    let mean = match parts {
        [(_, one)] => Cow::Borrowed(*one),
        parts => Cow::Owned(Evaluation::mean(parts)),
    };
    if *calibration == Calibration::None { mean } else { Cow::Owned(mean.corrected(calibration)) }
}

fn evaluation_of<T: Real>(
    network: &Network<T>,
    part: &Part,
    model: &Model,
    examples: &Examples,
) -> Result<Evaluation> {
    with_data(network, part, model, examples, |data| {
        let mut cache = cache_for(network, data.len());
        Ok(evaluate(network, data, &mut cache))
    })
}

/// Calls `work` with the rows of a file that have a target, as the network takes them.
///
/// # Errors
/// As [`evaluation`], and those of `work`.
pub fn with_data<T: Real, R>(
    network: &Network<T>,
    part: &Part,
    model: &Model,
    examples: &Examples,
    work: impl FnOnce(&Dataset<'_, T>) -> Result<R>,
) -> Result<R> {
    let column = prepare::target(examples)
        .map_err(|error| error.hint(format!("the model's target is {:?}", target_name(model))))?;
    let rows = present_rows(column);
    let in_file = |error: Error| super::read::in_file(&error, &examples.name);
    let numbers = Numbers::<T>::new(examples, &model.target, &rows).map_err(in_file)?;
    let bound = Ready::<T>::new(part.preprocess.as_ref(), examples, network.n_in())?;
    let data = numbers.dataset(bound.inputs(), &model.target, &rows)?;
    data.check(network)?;
    work(&data)
}
