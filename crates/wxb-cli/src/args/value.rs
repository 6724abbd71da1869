//! Values that are not a closed set: read, range-checked, and refused with what is allowed.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use clap::ValueEnum;

use super::choice::ActivationName;

/// Why a value is refused: what is wrong with it, and what would be right.
#[derive(Debug, PartialEq)]
pub struct Rejected {
    pub problem: String,
    pub allowed: String,
}

impl Rejected {
    fn new(problem: impl Into<String>, allowed: impl Into<String>) -> Self {
        Self { problem: problem.into(), allowed: allowed.into() }
    }
}

impl fmt::Display for Rejected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}; allowed: {}", self.problem, self.allowed)
    }
}

impl std::error::Error for Rejected {}

type Checked<T> = Result<T, Rejected>;

fn number(text: &str, allowed: &str, holds: impl Fn(f64) -> bool) -> Checked<f64> {
    let value: f64 = text.trim().parse().map_err(|_| Rejected::new("it is not a number", allowed))?;
    if value.is_finite() && holds(value) {
        return Ok(value);
    }
    Err(Rejected::new("it is out of range", allowed))
}

fn count(text: &str, allowed: &str, least: usize, most: usize) -> Checked<usize> {
    match text.trim().replace('_', "").parse::<usize>() {
        Ok(n) if (least..=most).contains(&n) => Ok(n),
        Ok(_) => Err(Rejected::new("it is out of range", allowed)),
        Err(_) if text.trim().parse::<f64>().is_ok() => {
            Err(Rejected::new("it is out of range or not a whole number", allowed))
        }
        Err(_) => Err(Rejected::new("it is not a whole number", allowed)),
    }
}

/// A length of time: `90`, `90s`, `1.5m`, `2h`.
pub fn duration(text: &str) -> Checked<Duration> {
    const ALLOWED: &str = "a time above 0, such as 30s, 5m or 1.5h";
    let text = text.trim();
    let (digits, unit) = text.split_at(text.trim_end_matches(|c: char| c.is_ascii_alphabetic()).len());
    let seconds = match unit {
        "ms" => 1e-3,
        "" | "s" | "sec" => 1.0,
        "m" | "min" => 60.0,
        "h" => 3600.0,
        _ => return Err(Rejected::new(format!("the unit {unit:?} is not known"), ALLOWED)),
    };
    let amount = number(digits, ALLOWED, |v| v > 0.0)?;
    Duration::try_from_secs_f64(amount * seconds).map_err(|_| Rejected::new("it is out of range", ALLOWED))
}

/// A share of something, neither nothing nor all of it.
pub fn inner_share(text: &str) -> Checked<f64> {
    number(text, "a number between 0 and 1, such as 0.9", |v| v > 0.0 && v < 1.0)
}

/// How many networks stand side by side.
pub fn members(text: &str) -> Checked<usize> {
    count(text, "a whole number from 1 to 1024", 1, 1024)
}

/// A number above 0.
pub fn positive(text: &str) -> Checked<f64> {
    number(text, "a number above 0, such as 0.001", |v| v > 0.0)
}

/// A number from 0 on.
pub fn not_negative(text: &str) -> Checked<f64> {
    number(text, "a number from 0 on, such as 0.0001", |v| v >= 0.0)
}

/// A share from 0 to below 1.
pub fn share(text: &str) -> Checked<f64> {
    number(text, "a number from 0 to below 1, such as 0.2", |v| (0.0..1.0).contains(&v))
}

/// A number above 0 and up to 1.
pub fn decay(text: &str) -> Checked<f64> {
    number(text, "a number above 0 and up to 1, such as 0.5", |v| v > 0.0 && v <= 1.0)
}

/// How many threads.
pub fn threads(text: &str) -> Checked<usize> {
    count(text, "a whole number from 1 to 1024", 1, 1024)
}

/// A whole number from 1 on.
pub fn at_least_one(text: &str) -> Checked<usize> {
    count(text, "a whole number from 1 on", 1, u32::MAX as usize)
}

/// Rows per step of a benchmark.
pub fn bench_rows(text: &str) -> Checked<usize> {
    count(text, "a whole number from 1 to 1000000", 1, 1_000_000)
}

/// How long a benchmark measures.
pub fn bench_seconds(text: &str) -> Checked<f64> {
    number(text, "a number of seconds from 0.01 to 3600", |v| (0.01..=3600.0).contains(&v))
}

/// The number of folds.
pub fn folds(text: &str) -> Checked<usize> {
    count(text, "a whole number from 2 to 100", 2, 100)
}

/// The levels that `--max-levels` allows.
pub fn levels(text: &str) -> Checked<usize> {
    count(text, "a whole number from 2 to 10000", 2, 10_000)
}

/// The seed.
pub fn seed(text: &str) -> Checked<u64> {
    let allowed = "a whole number from 0 to 18446744073709551615";
    text.trim().parse().map_err(|_| Rejected::new("it is not a seed", allowed))
}

/// Units per hidden layer: `64,32`; `none` or nothing for no hidden layer.
#[derive(Clone, Debug, PartialEq)]
pub struct Hidden(pub Vec<usize>);

impl FromStr for Hidden {
    type Err = Rejected;

    fn from_str(text: &str) -> Checked<Self> {
        if matches!(text.trim(), "" | "none" | "0" | "[]") {
            return Ok(Self(vec![]));
        }
        let allowed = "units per layer, such as 64,32, each from 1 to 1000000; or none";
        let inner = text.trim().trim_start_matches(['(', '[']).trim_end_matches([')', ']']);
        let parts = inner.trim_end_matches(',').split(',');
        parts.map(|part| count(part, allowed, 1, 1_000_000)).collect::<Checked<_>>().map(Self)
    }
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

/// Rows per batch, or all of them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum BatchSize {
    Rows(usize),
    Full,
}

impl FromStr for BatchSize {
    type Err = Rejected;

    fn from_str(text: &str) -> Checked<Self> {
        match text.trim() {
            "full" | "all" => Ok(Self::Full),
            rows => count(rows, "a whole number from 1 on, or full", 1, u32::MAX as usize).map(Self::Rows),
        }
    }
}

/// What is held out for validation.
#[derive(Clone, Debug, PartialEq)]
pub enum Valid {
    None,
    Fraction(f64),
    File(String),
}

impl FromStr for Valid {
    type Err = Rejected;

    fn from_str(text: &str) -> Checked<Self> {
        if text == "none" {
            return Ok(Self::None);
        }
        let allowed = "a fraction between 0 and 1 such as 0.2, a file, or none";
        match text.parse::<f64>() {
            Ok(0.0) => Ok(Self::None),
            Ok(_) => number(text, allowed, |v| v > 0.0 && v < 1.0).map(Self::Fraction),
            Err(_) if text.is_empty() => Err(Rejected::new("it is empty", allowed)),
            Err(_) => Ok(Self::File(text.to_owned())),
        }
    }
}

/// Ascending quantile levels.
#[derive(Clone, Debug, PartialEq)]
pub struct Quantiles(pub Vec<f64>);

impl FromStr for Quantiles {
    type Err = Rejected;

    fn from_str(text: &str) -> Checked<Self> {
        let allowed = "ascending numbers between 0 and 1, such as 0.1,0.5,0.9";
        let levels = text
            .split(',')
            .map(|part| number(part, allowed, |v| v > 0.0 && v < 1.0))
            .collect::<Checked<Vec<_>>>()?;
        if levels.windows(2).any(|pair| pair[0] >= pair[1]) {
            return Err(Rejected::new("the levels do not ascend", allowed));
        }
        Ok(Self(levels))
    }
}

/// An activation with the parameter of those that have one: `leaky-relu:0.02`, `elu:1.5`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ActivationChoice {
    pub name: ActivationName,
    pub parameter: Option<f64>,
}

/// One activation for all hidden layers, or one per layer.
#[derive(Clone, Debug, PartialEq)]
pub struct Activations(pub Vec<ActivationChoice>);

impl FromStr for Activations {
    type Err = Rejected;

    fn from_str(text: &str) -> Checked<Self> {
        text.split(',').map(|one| activation(one.trim())).collect::<Checked<_>>().map(Self)
    }
}

fn activation(text: &str) -> Checked<ActivationChoice> {
    let (name, parameter) = match text.split_once(':') {
        Some((name, parameter)) => (name, Some(parameter)),
        None => (text, None),
    };
    let known = ActivationName::from_str(name, true).map_err(|_| unknown_activation(name))?;
    let parameter = match (known, parameter) {
        (_, None) => None,
        (ActivationName::LeakyRelu, Some(slope)) => Some(share(slope)?),
        (ActivationName::Elu, Some(alpha)) => Some(positive(alpha)?),
        (_, Some(_)) => {
            let problem = format!("{name} has no parameter");
            return Err(Rejected::new(problem, "a parameter for leaky-relu (its slope) and elu (its alpha)"));
        }
    };
    Ok(ActivationChoice { name: known, parameter })
}

fn unknown_activation(name: &str) -> Rejected {
    let names = names::<ActivationName>();
    let problem = match wxb::error::nearest(name, names.iter().map(String::as_str)) {
        Some(near) => format!("there is no activation {name:?}, did you mean {near}?"),
        None => format!("there is no activation {name:?}"),
    };
    Rejected::new(problem, names.join(", "))
}

/// The names of a closed set, as `--help` shows them.
pub fn names<T: ValueEnum>() -> Vec<String> {
    let values = T::value_variants().iter().filter_map(T::to_possible_value);
    values.map(|v| v.get_name().to_owned()).collect()
}

/// `balanced`, or a weight per class.
#[derive(Clone, Debug, PartialEq)]
pub enum ClassWeight {
    Balanced,
    PerClass(Vec<(String, f64)>),
}

impl FromStr for ClassWeight {
    type Err = Rejected;

    fn from_str(text: &str) -> Checked<Self> {
        if text == "balanced" {
            return Ok(Self::Balanced);
        }
        let allowed = "balanced, or CLASS=WEIGHT pairs such as yes=3,no=1";
        let pair = |part: &str| {
            let (class, weight) = part
                .rsplit_once('=')
                .ok_or_else(|| Rejected::new(format!("{part:?} is no pair"), allowed))?;
            Ok((class.trim().to_owned(), number(weight, allowed, |v| v >= 0.0)?))
        };
        text.split(',').map(pair).collect::<Checked<_>>().map(Self::PerClass)
    }
}

/// One character between fields; `\t` or `tab` for a tabulator.
pub fn delimiter(text: &str) -> Checked<u8> {
    match text.as_bytes() {
        b"\\t" | b"tab" | b"TAB" => Ok(b'\t'),
        [b'"' | b'\n' | b'\r'] => Err(Rejected::new("it cannot part fields", "another character")),
        [byte] if byte.is_ascii() => Ok(*byte),
        _ => Err(Rejected::new("it is not one ASCII character", "one character such as ; or tab")),
    }
}

/// One character between groups of digits.
pub fn thousands(text: &str) -> Checked<char> {
    let allowed = "one character such as , or ' or a space";
    let mut characters = text.chars();
    match (characters.next(), characters.next()) {
        (Some(c), None) if !c.is_ascii_digit() && !matches!(c, '-' | '+' | 'e' | 'E') => Ok(c),
        (Some(_), None) => Err(Rejected::new("it is part of a number", allowed)),
        _ => Err(Rejected::new("it is not one character", allowed)),
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
