//! Examples ready for training: inputs, targets, weights, and which rows take part.

use ndarray::ArrayView2;

use crate::cpu;
use crate::error::{Code, Error, Result};
use crate::loss::Loss;
use crate::network::Network;
use crate::preprocess::Encoded;
use crate::real::Real;
use crate::step::Cache;

/// Where the inputs of a row come from. Nothing is copied until a batch is gathered.
#[derive(Clone, Copy, Debug)]
pub enum Inputs<'a, T> {
    /// X (rows, n₀) in memory.
    Dense(ArrayView2<'a, T>),
    /// A table or matrix behind its preprocessing.
    Encoded(&'a Encoded<'a>),
}

impl<T: Real> Inputs<'_, T> {
    /// The number of rows.
    pub fn rows(&self) -> usize {
        match self {
            Inputs::Dense(x) => x.nrows(),
            Inputs::Encoded(encoded) => encoded.rows(),
        }
    }

    /// n₀.
    pub fn width(&self) -> usize {
        match self {
            Inputs::Dense(x) => x.ncols(),
            Inputs::Encoded(encoded) => encoded.width(),
        }
    }

    /// X of some rows → out (rows.len(), n₀).
    pub fn gather(&self, rows: &[u32], out: &mut [T]) {
        /// Some 10 µs for numbers that are shifted and scaled.
        const NUMBERS: usize = 1 << 13;
        let width = self.width();
        assert_eq!(out.len(), rows.len() * width, "X must be (rows, inputs)");
        // Bytes are too little work to wake a thread for.
        let least = if cpu::is_awake() { NUMBERS.div_ceil(width.max(1)) } else { rows.len() };
        cpu::split(out, width, 1, least, 0, &|first, out| {
            let rows = &rows[first..][..out.len() / width];
            match self {
                Inputs::Dense(x) => gather_rows(x, rows, out),
                Inputs::Encoded(encoded) => encoded.gather(rows, out),
            }
        });
    }
}

fn gather_rows<T: Real>(x: &ArrayView2<'_, T>, rows: &[u32], out: &mut [T]) {
    for (&row, out) in rows.iter().zip(out.chunks_exact_mut(x.ncols())) {
        let x = x.row(row as usize);
        match x.as_slice() {
            Some(x) => out.copy_from_slice(x),
            None => out.iter_mut().zip(x).for_each(|(out, x)| *out = *x),
        }
    }
}

/// Inputs X (rows, n₀), targets Y (rows, n_targets), row weights, and the rows that take part.
#[derive(Clone, Debug)]
pub struct Dataset<'a, T> {
    inputs: Inputs<'a, T>,
    targets: &'a [T],
    n_targets: usize,
    weights: Option<&'a [T]>,
    rows: Vec<u32>,
    /// A target y stands for `mean + std · y` in the data's units.
    scale: (f64, f64),
    /// In the data's units; no prediction lies outside.
    range: Option<(f64, f64)>,
}

impl<'a, T: Real> Dataset<'a, T> {
    /// All rows of some inputs, with their targets (rows, n_targets) row-major. For cross-entropy a target is the
    /// class index.
    ///
    /// # Errors
    /// [`Code::ShapeMismatch`] if the lengths differ or there are 2³² rows or more.
    pub fn new(inputs: Inputs<'a, T>, targets: &'a [T], n_targets: usize) -> Result<Self> {
        let rows = inputs.rows();
        if rows.checked_mul(n_targets) != Some(targets.len()) {
            let message = format!("{} targets for {rows} rows of {n_targets}", targets.len());
            return Err(Error::new(Code::ShapeMismatch, message));
        }
        let count = u32::try_from(rows)
            .map_err(|_| Error::new(Code::ShapeMismatch, format!("{rows} rows are more than 2^32 − 1")))?;
        let (rows, scale) = ((0..count).collect(), (0.0, 1.0));
        Ok(Self { inputs, targets, n_targets, weights: None, rows, scale, range: None })
    }

    /// The same with one weight per row of the inputs. A row of weight 0 is left out altogether.
    ///
    /// # Errors
    /// [`Code::ShapeMismatch`] for another number of weights, [`Code::InvalidSetting`] for a weight that is
    /// negative or not finite.
    pub fn with_weights(mut self, weights: &'a [T]) -> Result<Self> {
        if weights.len() != self.inputs.rows() {
            let message = format!("{} weights for {} rows", weights.len(), self.inputs.rows());
            return Err(Error::new(Code::ShapeMismatch, message));
        }
        if let Some(row) = weights.iter().position(|w| !w.is_finite() || *w < T::ZERO) {
            let message = format!("the weight of row {} is {}", row + 1, weights[row]);
            return Err(Error::new(Code::InvalidSetting, message).hint("weights are finite and not negative"));
        }
        self.rows.retain(|&row| weights[row as usize] > T::ZERO);
        self.weights = Some(weights);
        Ok(self)
    }

    /// The same with targets that stand for `mean + std · y`; metrics are in those units.
    #[must_use]
    pub fn with_scale(mut self, mean: f64, std: f64) -> Self {
        self.scale = (mean, std);
        self
    }

    /// The same with predictions, in the data's units, that are clamped to a range when they are evaluated.
    #[must_use]
    pub fn with_range(mut self, range: Option<(f64, f64)>) -> Self {
        self.range = range;
        self
    }

    /// Some of the rows, named by their place in the inputs; those of weight 0 stay left out.
    #[must_use]
    pub fn subset(&self, rows: &[u32]) -> Self {
        let keep = |row: &u32| self.weights.is_none_or(|weights| weights[*row as usize] > T::ZERO);
        Self { rows: rows.iter().copied().filter(keep).collect(), ..self.clone() }
    }

    /// How many rows take part.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether no row takes part.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The rows that take part, as places in the inputs.
    pub fn rows(&self) -> &[u32] {
        &self.rows
    }

    /// Mean and standard deviation that a target of 0 and of 1 stand for.
    pub fn scale(&self) -> (f64, f64) {
        self.scale
    }

    /// Between which numbers predictions lie, in the data's units, if they are clamped.
    pub fn range(&self) -> Option<(f64, f64)> {
        self.range
    }

    /// n₀.
    pub fn width(&self) -> usize {
        self.inputs.width()
    }

    /// The target of a row of the inputs, (n_targets).
    pub fn target(&self, row: u32) -> &'a [T] {
        &self.targets[row as usize * self.n_targets..][..self.n_targets]
    }

    /// The weight of a row of the inputs; 1 if there are none.
    pub fn weight(&self, row: u32) -> T {
        self.weights.map_or(T::ONE, |weights| weights[row as usize])
    }

    /// Whether the rows carry weights.
    pub fn is_weighted(&self) -> bool {
        self.weights.is_some()
    }

    /// Checks that a network fits: inputs, targets and their values.
    ///
    /// # Errors
    /// [`Code::EmptyData`], [`Code::ShapeMismatch`], [`Code::InvalidSetting`] for a target that the loss is not
    /// defined for.
    pub fn check(&self, network: &Network<T>) -> Result<()> {
        if self.is_empty() {
            return Err(Error::new(Code::EmptyData, "there is no row to work with"));
        }
        let (width, n_targets) = (self.inputs.width(), self.n_targets);
        if width != network.n_in() || n_targets != network.n_targets() {
            let message = format!(
                "the data has {width} inputs and {n_targets} targets a row, the network takes {} and {}",
                network.n_in(),
                network.n_targets()
            );
            return Err(Error::new(Code::ShapeMismatch, message));
        }
        self.check_targets(network.loss(), network.n_out())
    }

    fn check_targets(&self, loss: &Loss, n_out: usize) -> Result<()> {
        let bad = |row: &&u32| self.target(**row).iter().any(|&y| !loss.accepts(y, n_out));
        match self.rows.iter().find(bad) {
            None => Ok(()),
            Some(&row) => {
                let message = format!("{} is not defined for the target {:?}", loss.name(), self.target(row));
                Err(Error::new(Code::InvalidSetting, message).at(format!("row {}", row + 1)))
            }
        }
    }

    /// Gathers X, Y and the weights of some rows into the first rows of a cache, for all members to see.
    pub fn load(&self, rows: &[u32], cache: &mut Cache<T>) {
        cache.apart = false;
        self.gather(rows, cache);
    }

    /// As [`Dataset::load`], each member seeing rows of its own: m rows for the first member, m for the second, ….
    pub fn load_apart(&self, rows: &[u32], cache: &mut Cache<T>) {
        cache.apart = true;
        self.gather(rows, cache);
    }

    fn gather(&self, rows: &[u32], cache: &mut Cache<T>) {
        let (m, width) = (rows.len(), self.inputs.width());
        self.inputs.gather(rows, &mut cache.x[..m * width]);
        for (&row, y) in rows.iter().zip(cache.y.chunks_exact_mut(self.n_targets)) {
            y.copy_from_slice(self.target(row));
        }
        // Without weights the cache has none either: those of other data would count these rows.
        cache.weights.clear();
        if let Some(weights) = self.weights {
            cache.weights.extend(rows.iter().map(|&row| weights[row as usize]));
        }
    }
}

/// The weight of each class that gives all classes the same total: m / (C · count), as scikit-learn's `balanced`.
/// y: class indices.
pub fn balanced_class_weights(y: impl Iterator<Item = usize>, classes: usize) -> Vec<f64> {
    let mut counts = vec![0_usize; classes];
    y.for_each(|class| counts[class] += 1);
    let total: usize = counts.iter().sum();
    counts.iter().map(|&count| total as f64 / (classes * count.max(1)) as f64).collect()
}
