//! Values of the command line's own flags: read, range-checked, and refused with what is allowed.

use std::str::FromStr;

pub use wxb_train::args::value::*;

/// A share of something, neither nothing nor all of it.
pub fn inner_share(text: &str) -> Checked<f64> {
    number(text, "a number between 0 and 1, such as 0.9", |v| v > 0.0 && v < 1.0)
}

/// How many threads.
pub fn threads(text: &str) -> Checked<usize> {
    count(text, "a whole number from 1 to 1024", 1, 1024)
}

/// Rows per step of a benchmark.
pub fn bench_rows(text: &str) -> Checked<usize> {
    count(text, "a whole number from 1 to 1000000", 1, 1_000_000)
}

/// How long a benchmark measures.
pub fn bench_seconds(text: &str) -> Checked<f64> {
    number(text, "a number of seconds from 0.01 to 3600", |v| (0.01..=3600.0).contains(&v))
}

/// Inputs, units of hidden layers, outputs: `100,256,256,10`.
#[derive(Clone, Debug, PartialEq)]
pub struct Sizes(pub Vec<usize>);

impl FromStr for Sizes {
    type Err = Rejected;

    fn from_str(text: &str) -> Checked<Self> {
        let allowed =
            "at least two numbers from 1 to 1000000, such as 100,256,10: inputs, hidden units, outputs";
        let sizes =
            text.split(',').map(|part| count(part, allowed, 1, 1_000_000)).collect::<Checked<Vec<_>>>()?;
        if sizes.len() < 2 {
            return Err(Rejected::new("a network has inputs and outputs", allowed));
        }
        Ok(Self(sizes))
    }
}

/// Rows by number, the first is 0: `3` or `10-14`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RowRange {
    pub first: usize,
    pub last: usize,
}

impl FromStr for RowRange {
    type Err = Rejected;

    fn from_str(text: &str) -> Checked<Self> {
        let allowed = "a row number from 0 on, or a range such as 10-14";
        let row = |part: &str| count(part, allowed, 0, u32::MAX as usize);
        let (first, last) = match text.split_once('-') {
            Some((first, last)) => (row(first)?, row(last)?),
            None => (row(text)?, row(text)?),
        };
        if first > last {
            return Err(Rejected::new("the range runs backwards", allowed));
        }
        Ok(Self { first, last })
    }
}

/// A condition under which `evaluate` ends with exit code 1: `auc<0.9`.
#[derive(Clone, Debug, PartialEq)]
pub struct Gate {
    pub expression: String,
    pub metric: String,
    pub comparison: Comparison,
    pub bound: f64,
}

/// The comparisons of a [`Gate`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Comparison {
    Below,
    AtMost,
    Above,
    AtLeast,
}

impl Comparison {
    /// Whether `value` compares so with `bound`.
    pub fn holds(self, value: f64, bound: f64) -> bool {
        match self {
            Comparison::Below => value < bound,
            Comparison::AtMost => value <= bound,
            Comparison::Above => value > bound,
            Comparison::AtLeast => value >= bound,
        }
    }
}

impl FromStr for Gate {
    type Err = Rejected;

    fn from_str(text: &str) -> Checked<Self> {
        let allowed = "METRIC, one of < <= > >=, and a number, such as auc<0.9";
        let sign = text.find(['<', '>']).ok_or_else(|| Rejected::new("it compares nothing", allowed))?;
        let (metric, rest) = text.split_at(sign);
        let (comparison, bound) = match (&rest[..1], rest[1..].strip_prefix('=')) {
            ("<", Some(bound)) => (Comparison::AtMost, bound),
            ("<", None) => (Comparison::Below, &rest[1..]),
            (_, Some(bound)) => (Comparison::AtLeast, bound),
            (_, None) => (Comparison::Above, &rest[1..]),
        };
        let bound = number(bound, allowed, |_| true)?;
        let metric = metric.trim().replace('-', "_");
        if metric.is_empty() {
            return Err(Rejected::new("it names no metric", allowed));
        }
        Ok(Self { expression: text.to_owned(), metric, comparison, bound })
    }
}

#[cfg(test)]
#[path = "value_tests.rs"]
mod tests;
