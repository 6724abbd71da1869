//! A training as `wxb train` does it.

use std::sync::atomic::AtomicBool;

use numpy::PyReadonlyArray1;
use pyo3::prelude::*;
use serde_json::json;
use wxb::data::Column;
use wxb_train::args::value::ClassWeight;
use wxb_train::{Examples, Given, TrainArgs, Trained};

use super::follow::Follow;
use super::frame::{Cells, Frame};
use super::model::Model;
use crate::error::{as_parameters, exception};
use crate::pool;
use crate::work::caught;

/// Rows: columns, target, weights.
#[derive(FromPyObject)]
pub struct Rows<'py>(Py<Frame>, Cells<'py>, Option<PyReadonlyArray1<'py, f64>>);

impl Rows<'_> {
    fn examples(self, py: Python<'_>) -> PyResult<Examples> {
        let Self(frame, target, weights) = self;
        let target: Column = target.column()?;
        frame.bind(py).get().take(Some(target), weights.map(|weights| weights.as_array().to_vec()))
    }
}

/// Settings whose values are names of the data, in which any sign may stand: columns to leave out, columns of categories, the weight of
/// each class; and the type of the labels.
type Named = (Vec<String>, Vec<String>, Option<Vec<(String, f64)>>, Option<String>);

/// The key of the record that says of which type of NumPy's the labels were: a model file has texts and numbers.
const LABEL_TYPE: &str = "label_type";

/// Trains as the flags and `named` say, on rows and maybe other rows to validate on, and takes down the type of the labels. Gives the model, what came of the training as JSON, and
/// warnings; no model if it was broken off before there was one.
#[pyfunction]
pub fn train_table(
    py: Python<'_>,
    flags: Vec<String>,
    named: Named,
    rows: Rows<'_>,
    valid: Option<Rows<'_>>,
    listener: Option<Py<PyAny>>,
    threads: usize,
) -> PyResult<(Option<Model>, String, Vec<String>)> {
    let mut args = TrainArgs::from_flags(flags).map_err(|error| exception(&error))?;
    let (drop, categorical, class_weights, label_type) = named;
    (args.columns.drop, args.columns.categorical) = (drop, categorical);
    if let Some(weights) = class_weights {
        args.regularisation.class_weight = Some(ClassWeight::PerClass(weights));
    }
    let examples = rows.examples(py)?.for_training(&args.columns).map_err(|error| exception(&error))?;
    let mut given = Given::new(examples);
    given.valid = valid
        .map(|rows| rows.examples(py)?.for_training(&args.columns).map_err(|error| exception(&error)))
        .transpose()?;
    let (pool, stop) = (pool::of(threads)?, AtomicBool::new(false));
    let mut follow = Follow::new(listener.as_ref(), &stop);
    let (trained, signal) =
        pool::work(py, &pool, &stop, || caught(|| wxb_train::train(&args, given, &mut follow)));
    let Follow { raised, mut warnings, .. } = follow;
    if let Some(error) = signal.or(raised) {
        return Err(error);
    }
    let Some(mut trained) = trained?.map_err(|error| exception(&error))? else {
        return Ok((None, "{}".into(), warnings));
    };
    warnings.extend(trained.divergence().map(|error| error.message().to_owned()));
    let report = report(&trained);
    if let Some(label_type) = label_type {
        trained.model.record[LABEL_TYPE] = json!(label_type);
    }
    Ok((Some(Model::new(trained.model)), report, warnings))
}

fn report(trained: &Trained) -> String {
    json!({
        "history": trained.history,
        "stop": trained.stop,
        "epochs": trained.epochs,
        "best_epoch": trained.best_epoch,
        "temperature": trained.temperature,
        "health": trained.health,
        "remarks": trained.problem.fitted.notes.iter().map(|note| as_parameters(&note.to_string())).collect::<Vec<_>>(),
    })
    .to_string()
}
