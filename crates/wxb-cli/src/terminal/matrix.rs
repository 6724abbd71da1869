//! Matrices as text, in NumPy's brackets.

use serde::Serialize;
use serde::ser::{SerializeSeq, Serializer};
use wxb::ndarray::Array2;

/// Beyond so many rows or columns the middle is left out.
const SHOWN: usize = 12;
/// What is kept at each end.
const AT_AN_END: usize = 4;

/// A matrix to be looked at.
#[derive(Clone, Debug, PartialEq)]
pub struct Matrix(Array2<f64>);

impl Matrix {
    /// To be shown as it is.
    pub fn new(values: Array2<f64>) -> Self {
        Self(values)
    }

    /// (rows, columns).
    pub fn shape(&self) -> (usize, usize) {
        self.0.dim()
    }

    /// The same with every number changed.
    pub fn map(&self, change: impl Fn(f64) -> f64) -> Self {
        Self(self.0.mapv(change))
    }

    /// A text per row, `[-0.2  0.6]`; the middle of a large matrix is left out unless `is_full`.
    pub fn lines(&self, is_full: bool) -> Vec<String> {
        let decimals = self.decimals();
        let (rows, columns) = self.shape();
        let (rows, columns) = (places(rows, is_full), places(columns, is_full));
        let text = |i: usize, j: usize| number(self.0[[i, j]], decimals);
        let shown = rows.iter().flatten().flat_map(|&i| columns.iter().flatten().map(move |&j| (i, j)));
        let width = shown.map(|(i, j)| text(i, j).len()).max().unwrap_or(0);
        let cell =
            |i: usize, j: &Option<usize>| j.map_or("…".into(), |j| format!("{:>width$}", text(i, j)));
        let row =
            |i: usize| format!("[{}]", columns.iter().map(|j| cell(i, j)).collect::<Vec<_>>().join(" "));
        rows.iter().map(|i| i.map_or("…".into(), row)).collect()
    }

    /// Decimals that show every number: none to four if they are exact, else six.
    fn decimals(&self) -> usize {
        let is_exact = |decimals: &usize| {
            let unit = 10_f64.powi(*decimals as i32);
            self.0.iter().all(|v| (v * unit - (v * unit).round()).abs() < 1e-9 * unit && v.abs() < 1e6)
        };
        (1..=4).find(is_exact).unwrap_or(6)
    }
}

impl Serialize for Matrix {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut rows = serializer.serialize_seq(Some(self.0.nrows()))?;
        self.0.rows().into_iter().try_for_each(|row| rows.serialize_element(&row.to_vec()))?;
        rows.end()
    }
}

fn number(value: f64, decimals: usize) -> String {
    let value = value + 0.0; // −0 is 0
    match value.abs() {
        0.0 | 1e-4..1e6 => format!("{value:.decimals$}"),
        size if size < 1e-4 && decimals < 6 => format!("{value:.decimals$}"),
        _ => format!("{value:.3e}"),
    }
}

/// The places that are shown; `None` stands for what is left out.
fn places(n: usize, is_full: bool) -> Vec<Option<usize>> {
    if is_full || n <= SHOWN {
        return (0..n).map(Some).collect();
    }
    (0..AT_AN_END).map(Some).chain([None]).chain((n - AT_AN_END..n).map(Some)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use wxb::ndarray::array;

    #[test]
    fn short_numbers_stay_short() {
        let matrix = Matrix::new(array![[0.1, -0.4, 0.6, 0.1], [-0.2, 0.6, 0.1, 0.9]]);
        assert_eq!(matrix.lines(false), ["[ 0.1 -0.4  0.6  0.1]", "[-0.2  0.6  0.1  0.9]"]);
        let matrix = Matrix::new(array![[0.099667994, -0.379948962]]);
        assert_eq!(matrix.lines(false), ["[ 0.099668 -0.379949]"]);
    }

    #[test]
    fn the_middle_of_a_large_matrix_is_left_out() {
        let matrix = Matrix::new(Array2::from_shape_fn((1, 20), |(_, j)| j as f64));
        assert_eq!(matrix.lines(false), ["[ 0.0  1.0  2.0  3.0 … 16.0 17.0 18.0 19.0]"]);
        assert!(matrix.lines(true)[0].contains(" 9.0 10.0"));
    }
}
