//! The compiled part of the Python package `wxb`: the engine behind functions that take NumPy arrays.
//!
//! Everything that Python can express well (defaults, names, scikit-learn's manners) is Python in `wxb/`; what is here takes checked
//! arrays and settings as JSON, lets go of the interpreter while it works, and turns errors into exceptions.

mod error;
mod fit;
mod linear;
mod pool;
mod settings;

use pyo3::prelude::*;

/// The module `wxb._wxb`.
#[pymodule]
fn _wxb(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(settings::check_setting, module)?)?;
    module.add_function(wrap_pyfunction!(fit::all_finite, module)?)?;
    module.add_function(wrap_pyfunction!(linear::logistic, module)?)?;
    module.add_function(wrap_pyfunction!(linear::linear_scores, module)?)?;
    module.add_class::<fit::Learner>()?;
    module.add("__version__", env!("CARGO_PKG_VERSION"))?;
    Ok(())
}
