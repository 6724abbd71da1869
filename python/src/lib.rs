//! The compiled part of the Python package `wxb`: the engine behind functions that take NumPy arrays.
//!
//! Everything that Python can express well (defaults, names, scikit-learn's manners) is Python in `wxb/`; what is here takes checked
//! arrays and settings as JSON, lets go of the interpreter while it works, and turns errors into exceptions.

mod array;
mod error;
mod fit;
mod functional;
mod linear;
mod model;
mod network;
mod optim;
mod pass;
mod pool;
mod settings;
mod table;
mod training;
mod work;

use pyo3::prelude::*;

/// The module `wxb._wxb`.
#[pymodule]
fn _wxb(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(settings::check_setting, module)?)?;
    module.add_function(wrap_pyfunction!(functional::activate, module)?)?;
    module.add_function(wrap_pyfunction!(functional::link, module)?)?;
    module.add_function(wrap_pyfunction!(functional::log_softmax, module)?)?;
    module.add_function(wrap_pyfunction!(functional::loss_rows, module)?)?;
    module.add_function(wrap_pyfunction!(functional::normalize_rows, module)?)?;
    module.add_function(wrap_pyfunction!(functional::row_norms, module)?)?;
    module.add_function(wrap_pyfunction!(functional::initial_weights, module)?)?;
    module.add_function(wrap_pyfunction!(optim::optimizer_update, module)?)?;
    module.add_function(wrap_pyfunction!(optim::schedule_factors, module)?)?;
    module.add_function(wrap_pyfunction!(optim::lbfgs_step, module)?)?;
    module.add_class::<network::Engine>()?;
    module.add_class::<pass::Pass>()?;
    module.add_class::<training::State>()?;
    module.add_function(wrap_pyfunction!(training::train, module)?)?;
    module.add_function(wrap_pyfunction!(model::model_bytes, module)?)?;
    module.add_function(wrap_pyfunction!(model::network_of_model, module)?)?;
    module.add_function(wrap_pyfunction!(fit::all_finite, module)?)?;
    module.add_function(wrap_pyfunction!(linear::logistic, module)?)?;
    module.add_function(wrap_pyfunction!(linear::linear_scores, module)?)?;
    module.add_class::<fit::Learner>()?;
    module.add_class::<table::Frame>()?;
    module.add_class::<table::Model>()?;
    module.add_function(wrap_pyfunction!(table::training::train_table, module)?)?;
    module.add("__version__", env!("CARGO_PKG_VERSION"))?;
    Ok(())
}
