//! Optimizers on arrays, schedules, and L-BFGS on a function of Python.

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use wxb::lbfgs::{Lbfgs, LbfgsConfig, Progress, Reason};
use wxb::optimizer::Step;
use wxb::schedule::Position;
use wxb::{Optimizer, Schedule};

use crate::array::{Float, array, at_precision, numbers, numbers_mut};
use crate::error::exception;
use crate::settings::parse;
use crate::work::work_on_threads;

/// θ ← θ − Δ(g) in place, and its moments; all flat and of one length. A step is α, t and λ, the decay.
#[pyfunction]
pub fn optimizer_update<'py>(
    py: Python<'py>,
    optimizer: &str,
    step: (f64, u64, f64),
    theta: &Bound<'py, PyAny>,
    g: &Bound<'py, PyAny>,
    moments: Vec<Bound<'py, PyAny>>,
    threads: usize,
) -> PyResult<()> {
    let optimizer: Optimizer = parse("optimizer", optimizer)?;
    optimizer.check().map_err(|error| exception(&error))?;
    let (lr, t, weight_decay) = step;
    let step = Step { lr, t, weight_decay, epsilon: 1.0 };
    at_precision!("the parameters", theta => update_as(py, (optimizer, step), theta, g, (&moments, threads)))
}

fn update_as<'py, T: Float>(
    py: Python<'py>,
    (optimizer, step): (Optimizer, Step),
    theta: &Bound<'py, PyAny>,
    g: &Bound<'py, PyAny>,
    (moments, threads): (&[Bound<'py, PyAny>], usize),
) -> PyResult<()> {
    let g = numbers::<T>("the gradients", g)?;
    let mut theta = numbers_mut::<T>("the parameters", theta)?;
    let (g, theta) = (g.as_slice()?, theta.as_slice_mut()?);
    let mut moments =
        moments.iter().map(|moment| numbers_mut::<T>("a moment", moment)).collect::<PyResult<Vec<_>>>()?;
    let mut slices = moments.iter_mut().map(|m| m.as_slice_mut()).collect::<Result<Vec<_>, _>>()?;
    if slices.len() != optimizer.moments() || slices.iter().any(|m| m.len() != g.len()) {
        let message =
            format!("{} keeps {} moments as long as the gradient", optimizer.name(), optimizer.moments());
        return Err(PyValueError::new_err(message));
    }
    if theta.len() != g.len() {
        let message = format!("{} parameters and {} gradients", theta.len(), g.len());
        return Err(PyValueError::new_err(message));
    }
    let mut slices = slices.iter_mut();
    let [m, v] = [slices.next(), slices.next()].map(|moment| match moment {
        Some(moment) => &mut **moment,
        None => &mut [][..],
    });
    work_on_threads(py, threads, || optimizer.update(step, theta, g, m, v))
}

/// The schedule's factor on the learning rate at some steps of a run.
#[pyfunction]
pub fn schedule_factors(
    schedule: &str,
    steps: Vec<u64>,
    steps_per_epoch: u64,
    epochs: u64,
    plateaus: u32,
) -> PyResult<Vec<f64>> {
    let schedule: Schedule = parse("schedule", schedule)?;
    schedule.check().map_err(|error| exception(&error))?;
    let factor = |step| schedule.factor(Position { step, steps_per_epoch, epochs, plateaus });
    Ok(steps.into_iter().map(factor).collect())
}

/// What an iteration of [`lbfgs_step`] came to: the progress in words, f, max |∂f/∂x|, evaluations, the state.
type Iteration<'py> = (&'static str, f64, f64, usize, Bound<'py, PyAny>);

/// One iteration of L-BFGS on x in place: `objective(x)` gives f and its gradient. The state is what the last iteration left.
#[pyfunction]
pub fn lbfgs_step<'py>(
    py: Python<'py>,
    config: &str,
    x: &Bound<'py, PyAny>,
    state: Option<&Bound<'py, PyAny>>,
    objective: &Bound<'py, PyAny>,
) -> PyResult<Iteration<'py>> {
    let config: LbfgsConfig = parse("lbfgs", config)?;
    at_precision!("x", x => lbfgs_step_as(py, config, x, state, objective))
}

fn lbfgs_step_as<'py, T: Float>(
    py: Python<'py>,
    config: LbfgsConfig,
    x_array: &Bound<'py, PyAny>,
    state: Option<&Bound<'py, PyAny>>,
    objective: &Bound<'py, PyAny>,
) -> PyResult<Iteration<'py>> {
    let mut x = numbers::<T>("x", x_array)?.as_slice()?.to_vec();
    let mut lbfgs = Lbfgs::<T>::new(x.len(), config).map_err(|error| exception(&error))?;
    if let Some(state) = state {
        let state = numbers::<T>("the state", state)?;
        lbfgs.restore(state.as_slice()?).map_err(|error| exception(&error))?;
    }
    let mut raised = None;
    let progress = lbfgs.step(&mut x, &mut |x, gradient| {
        // After an exception the line search is led to its end by values that are none.
        let value = if raised.is_some() { Ok(T::of(f64::NAN)) } else { evaluate(objective, x, gradient) };
        value.unwrap_or_else(|error| {
            raised = Some(error);
            T::of(f64::NAN)
        })
    });
    if let Some(error) = raised {
        return Err(error);
    }
    numbers_mut::<T>("x", x_array)?.as_slice_mut()?.copy_from_slice(&x);
    let in_words = match progress {
        Progress::Continue => "continue",
        Progress::Converged(Reason::GradientBelowTolerance) => "the gradient is below its tolerance",
        Progress::Converged(Reason::NoDecreaseAtThisPrecision) => "no decrease is possible at this precision",
        Progress::NotFinite => "not finite",
    };
    let state = lbfgs.state();
    let length = state.len();
    let state = array(py, state, &[length])?;
    Ok((in_words, lbfgs.loss(), lbfgs.gradient_max(), lbfgs.evaluations(), state))
}

fn evaluate<T: Float>(objective: &Bound<'_, PyAny>, x: &[T], gradient: &mut [T]) -> PyResult<T> {
    let argument = array(objective.py(), x.to_vec(), &[x.len()])?;
    let (value, slope): (f64, Bound<'_, PyAny>) = objective.call1((argument,))?.extract()?;
    let slope = numbers::<T>("the gradient", &slope)?;
    let slope = slope.as_slice()?;
    if slope.len() != gradient.len() {
        let message = format!("{} parameters and {} gradients", gradient.len(), slope.len());
        return Err(PyValueError::new_err(message));
    }
    gradient.copy_from_slice(slope);
    Ok(T::of(value))
}
