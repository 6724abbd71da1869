//! A model file in memory.

use std::sync::atomic::{AtomicBool, Ordering};

use numpy::{PyArray1, PyArray2, PyArrayMethods};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyType};
use serde_json::json;
use wxb::data::target::{Label, Task};
use wxb::evaluate::Output;
use wxb::importance::Shuffles;
use wxb::metrics::Metric;
use wxb::partial::Values;
use wxb::preprocess::Preprocessor;
use wxb::{Code, Error, Result};
use wxb_train::contributions::{Rows, Samples};
use wxb_train::output::of_model;
use wxb_train::partial::{self, Distribution, Draw};
use wxb_train::{Ask, importance, model, spread};

use super::frame::{Cells, Frame};
use crate::error::exception;
use crate::pool;
use crate::work::caught;

/// An array that Python owns.
type Numbers<'py> = Bound<'py, PyArray1<f64>>;

/// Networks with their shares and columns, calibration, target: what a .wxb file holds.
#[pyclass(module = "wxb._wxb", frozen)]
pub struct Model {
    model: wxb::model_file::Model,
}

impl Model {
    /// A model that was trained or read.
    pub fn new(model: wxb::model_file::Model) -> Self {
        Self { model }
    }

    /// Runs `work` in a pool, without the interpreter; what comes of it is nothing where the flag is set meanwhile.
    fn work<R: Send>(
        &self,
        py: Python<'_>,
        threads: usize,
        work: impl FnOnce(&wxb::model_file::Model, &AtomicBool) -> Result<R> + Send,
    ) -> PyResult<R> {
        let pool = pool::of(threads)?;
        let stop = AtomicBool::new(false);
        let (result, signal) = pool::work(py, &pool, &stop, || caught(|| work(&self.model, &stop)));
        match signal {
            Some(signal) => Err(signal),
            None => result?.map_err(|error| exception(&error)),
        }
    }
}

#[pymethods]
impl Model {
    #[staticmethod]
    fn from_bytes(bytes: &[u8]) -> PyResult<Self> {
        wxb::model_file::Model::from_bytes(bytes).map(Self::new).map_err(|error| exception(&error))
    }

    #[staticmethod]
    fn read(path: &str) -> PyResult<Self> {
        model::load(path).map(Self::new).map_err(|error| exception(&error))
    }

    fn to_bytes<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, &self.model.to_bytes())
    }

    /// Writes the file, whole or not at all.
    fn write(&self, path: &str, overwrite: bool) -> PyResult<()> {
        let bytes = self.model.to_bytes();
        let written =
            wxb_io::write_atomically(std::path::Path::new(path), overwrite, |out| out.write_all(&bytes));
        written.map_err(|error| exception(&error))
    }

    fn __reduce__<'py>(slf: &Bound<'py, Self>) -> PyResult<(Bound<'py, PyAny>, (Bound<'py, PyBytes>,))> {
        let class: Bound<'py, PyType> = slf.get_type();
        Ok((class.getattr("from_bytes")?, (slf.get().to_bytes(slf.py()),)))
    }

    /// `binary`, `multiclass` or `regression`.
    #[getter]
    fn task(&self) -> &'static str {
        self.model.target.task().name()
    }

    /// The classes in the order of the outputs.
    #[getter]
    fn labels(&self, py: Python<'_>) -> PyResult<Vec<Py<PyAny>>> {
        let object = |label: &Label| match label {
            Label::Number(value) => Ok(value.into_pyobject(py)?.into_any().unbind()),
            Label::Text(text) => Ok(text.into_pyobject(py)?.into_any().unbind()),
        };
        self.model.target.labels().iter().map(object).collect()
    }

    #[getter]
    fn target_name(&self) -> Option<&str> {
        self.model.target_name.as_deref()
    }

    /// How the model came about, as JSON.
    #[getter]
    fn record(&self) -> String {
        self.model.record.to_string()
    }

    /// The loss, as JSON.
    #[getter]
    fn loss(&self) -> String {
        json!(self.model.loss()).to_string()
    }

    /// The networks, as JSON: name, share, sizes, parameters.
    #[getter]
    fn networks(&self) -> String {
        let network = |part: &wxb::model_file::Part| {
            let of = &part.network;
            json!({ "name": part.name, "share": part.weight, "sizes": of.sizes(), "members": of.members(),
                "parameters": of.n_params(), "precision": of.precision() })
        };
        json!(self.model.parts.iter().map(network).collect::<Vec<_>>()).to_string()
    }

    /// The columns that some network looks at.
    #[getter]
    fn columns(&self) -> Vec<String> {
        importance::used_columns(&self.model)
    }

    /// The columns that the model was trained on, in their order.
    #[getter]
    fn inputs(&self) -> Vec<String> {
        let table = self.model.parts.iter().find_map(|part| match &part.preprocess {
            Some(Preprocessor::Table(columns)) => Some(columns),
            _ => None,
        });
        table.map_or(vec![], |columns| columns.iter().map(|column| column.name.clone()).collect())
    }

    /// Whether the networks calculate in single precision.
    #[getter]
    fn is_single(&self) -> bool {
        self.model.parts.iter().all(|part| part.network.precision() == "f32")
    }

    /// (rows, n_L): probabilities, numbers in the target's unit, or logits.
    #[pyo3(signature = (frame, logits, threads))]
    fn outputs<'py>(
        &self,
        py: Python<'py>,
        frame: &Frame,
        logits: bool,
        threads: usize,
    ) -> PyResult<Bound<'py, PyArray2<f64>>> {
        let examples = frame.take(None, None)?;
        let rows = examples.features.rows();
        let output = if logits { Output::Logits } else { Output::Linked };
        let values = self.work(py, threads, |model, _| {
            let examples = examples.for_model(model, &Ask::default())?;
            model::outputs(model, &examples, output)
        })?;
        let columns = values.len() / rows.max(1);
        PyArray1::from_vec(py, values).reshape([rows, columns])
    }

    /// Outputs as [`Model::outputs`], and how far networks and members are apart in each.
    fn spread<'py>(
        &self,
        py: Python<'py>,
        frame: &Frame,
        threads: usize,
    ) -> PyResult<(Numbers<'py>, Numbers<'py>)> {
        let examples = frame.take(None, None)?;
        let (values, apart) = self.work(py, threads, |model, _| {
            let examples = examples.for_model(model, &Ask::default())?;
            let values = model::outputs(model, &examples, Output::Linked)?;
            let apart = spread::spread(model, &examples, &values)?;
            Ok((values, apart))
        })?;
        Ok((PyArray1::from_vec(py, values), PyArray1::from_vec(py, apart)))
    }

    /// How far an interval of this coverage reaches to either side of a prediction.
    fn half_width(&self, coverage: f64) -> PyResult<f64> {
        let residuals = self.model.residuals.as_ref().ok_or_else(|| match self.model.target.task() {
            Task::Regression => Error::new(
                Code::InvalidSetting,
                "the model cannot tell intervals: it was trained without validation rows, or predicts quantiles",
            ),
            _ => Error::new(Code::InvalidSetting, "intervals are for numbers, and the model predicts classes"),
        });
        residuals.and_then(|residuals| residuals.half_width(coverage)).map_err(|error| exception(&error))
    }

    /// What is lost when the cells of a column change places, as JSON.
    fn importance(
        &self,
        py: Python<'_>,
        frame: &Frame,
        target: Cells<'_>,
        metric: &str,
        shuffles: (usize, u64),
        threads: usize,
    ) -> PyResult<String> {
        let examples = frame.take(Some(target.column()?), None)?;
        let (repeats, seed) = shuffles;
        let measured = self.work(py, threads, |model, stop| {
            let metric = Metric::parse(metric)
                .ok_or_else(|| Error::new(Code::InvalidSetting, format!("there is no metric {metric:?}")))?;
            let examples = examples.for_model(model, &Ask { needs_target: true, ..Ask::default() })?;
            let mut breaks_off = || stop.load(Ordering::Relaxed);
            importance::measure(model, &examples, metric, Shuffles { repeats, seed }, &mut breaks_off)
        })?;
        Ok(json!(measured).to_string())
    }

    /// What each of the columns adds to the predictions of some rows: Shapley values by so many samples.
    fn shapley<'py>(
        &self,
        py: Python<'py>,
        frame: &Frame,
        rows: Vec<u32>,
        samples: (usize, u64),
        threads: usize,
    ) -> PyResult<Added<'py>> {
        let (count, seed) = samples;
        self.added(
            py,
            (frame, rows, threads),
            |_, _| Ok(()),
            |of, (), (row, _), output| {
                let found = of.shapley(row, output, Samples { count, seed })?;
                let (prediction, reference) = (found.prediction, found.expected);
                Ok(OfRow { prediction, reference, columns: found.columns, output })
            },
        )
    }

    /// The same by integrated gradients on the way from the usual row, without errors.
    fn integrated_gradients<'py>(
        &self,
        py: Python<'py>,
        frame: &Frame,
        rows: Vec<u32>,
        threads: usize,
    ) -> PyResult<Added<'py>> {
        self.added(
            py,
            (frame, rows, threads),
            |of, rows| of.usual_and(rows),
            |of, with_usual, (_, place), output| {
                let found = of.integrated(with_usual, place as u32 + 1, output)?;
                let columns = found.columns.iter().map(|&adds| (adds, 0.0)).collect();
                Ok(OfRow { prediction: found.at_row, reference: found.at_baseline, columns, output })
            },
        )
    }

    /// What is predicted, of a class its probability, as a column is set to so many values at the most, one after the other, in the mean
    /// over some rows and for each of them.
    fn partial_dependence<'py>(
        &self,
        py: Python<'py>,
        frame: &Frame,
        asked: (String, Option<String>),
        points: usize,
        draw: (usize, u64),
        threads: usize,
    ) -> PyResult<Dependence<'py>> {
        let examples = frame.take(None, None)?;
        let ((column, class), (rows, seed)) = (asked, draw);
        let (found, class) = self.work(py, threads, |model, stop| {
            let examples = examples.for_model(model, &Ask::default())?;
            let of = partial::Rows::new(model, &examples, Draw { rows, seed })?;
            let output = of_model(model, class.as_deref(), None)?;
            of.check(&column)?;
            let mut breaks_off = || stop.load(Ordering::Relaxed);
            let class = (!model.target.labels().is_empty()).then_some(output);
            Ok((of.curve(&column, points, output, &mut breaks_off)?, class))
        })?;
        // Where the flag is set there is an exception, which is raised above.
        let found = found.expect("nobody broke it off");
        let values = match found.values {
            Values::Numbers(values) => PyArray1::from_vec(py, values).into_any(),
            Values::Texts(texts) => texts.into_pyobject(py)?,
        };
        let (Distribution::Shares(shares) | Distribution::Bins(shares)) = found.data;
        let [mean, curves, shares] = [found.mean, found.curves, shares].map(|v| PyArray1::from_vec(py, v));
        Ok(((values, found.is_presence), mean, curves, shares, class))
    }
}

/// The values, numbers or texts, and whether the one text stands for all; the mean prediction at each, that of each row (rows, values),
/// where the rows of the data are, and the class whose probability is meant.
type Dependence<'py> = ((Bound<'py, PyAny>, bool), Numbers<'py>, Numbers<'py>, Numbers<'py>, Option<usize>);

/// What the columns add and the errors of that, (rows, columns); the predictions, what they are compared with, and the class whose
/// probability is meant, −1 for a number.
type Added<'py> = (Numbers<'py>, Numbers<'py>, Numbers<'py>, Numbers<'py>, Bound<'py, PyArray1<i64>>);

/// Of one row.
struct OfRow {
    prediction: f64,
    reference: f64,
    /// What each column adds, and its error.
    columns: Vec<(f64, f64)>,
    /// The place of what is explained among the outputs, of a class its index.
    output: usize,
}

impl Model {
    /// Of all rows: `explain` gets what is prepared for all of them, one with its place among them, and the output that is asked for.
    fn added<'py, P>(
        &self,
        py: Python<'py>,
        (frame, rows, threads): (&Frame, Vec<u32>, usize),
        prepare: impl Fn(&Rows<'_>, &[u32]) -> Result<P> + Sync,
        explain: impl Fn(&Rows<'_>, &P, (u32, usize), usize) -> Result<OfRow> + Sync,
    ) -> PyResult<Added<'py>> {
        let examples = frame.take(None, None)?;
        let found = self.work(py, threads, |model, stop| {
            let examples = examples.for_model(model, &Ask::default())?;
            let of = Rows::new(model, &examples)?;
            let prepared = prepare(&of, &rows)?;
            let places = rows.iter().enumerate().take_while(|_| !stop.load(Ordering::Relaxed));
            let each =
                places.map(|(place, &row)| explain(&of, &prepared, (row, place), of.output(row, None)?));
            each.collect::<Result<Vec<_>>>()
        })?;
        let is_of_classes = !self.model.target.labels().is_empty();
        let class = |row: &OfRow| if is_of_classes { row.output as i64 } else { -1 };
        let cells = |of: fn(&(f64, f64)) -> f64| {
            PyArray1::from_iter(py, found.iter().flat_map(|row| &row.columns).map(of))
        };
        let numbers = |of: fn(&OfRow) -> f64| PyArray1::from_iter(py, found.iter().map(of));
        Ok((
            cells(|&(adds, _)| adds),
            cells(|&(_, error)| error),
            numbers(|row| row.prediction),
            numbers(|row| row.reference),
            PyArray1::from_iter(py, found.iter().map(class)),
        ))
    }
}
