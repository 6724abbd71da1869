//! Values that are not a closed set: read, range-checked, and refused with what is allowed.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use clap::ValueEnum;
use serde::Serialize;

use super::choice::ActivationName;

/// Why a value is refused: what is wrong with it, and what would be right.
#[derive(Debug, PartialEq)]
pub struct Rejected {
    /// What is wrong with it.
    pub problem: String,
    /// What would be right.
    pub allowed: String,
}

impl Rejected {
    /// What is wrong, and what would be right.
    pub fn new(problem: impl Into<String>, allowed: impl Into<String>) -> Self {
        Self { problem: problem.into(), allowed: allowed.into() }
    }
}

impl fmt::Display for Rejected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}; allowed: {}", self.problem, self.allowed)
    }
}

impl std::error::Error for Rejected {}

/// A value, or why it is refused.
pub type Checked<T> = Result<T, Rejected>;

/// A finite number for which `holds` is true; `allowed` says so in words.
///
/// # Errors
/// [`Rejected`] for anything else.
pub fn number(text: &str, allowed: &str, holds: impl Fn(f64) -> bool) -> Checked<f64> {
    let value: f64 = text.trim().parse().map_err(|_| Rejected::new("it is not a number", allowed))?;
    if value.is_finite() && holds(value) {
        return Ok(value);
    }
    Err(Rejected::new("it is out of range", allowed))
}

/// A whole number from `least` to `most`; `allowed` says so in words.
///
/// # Errors
/// [`Rejected`] for anything else.
pub fn count(text: &str, allowed: &str, least: usize, most: usize) -> Checked<usize> {
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

/// A whole number from 1 on.
pub fn at_least_one(text: &str) -> Checked<usize> {
    count(text, "a whole number from 1 on", 1, u32::MAX as usize)
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
#[derive(Serialize, Clone, Debug, PartialEq)]
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

/// Rows per batch, or all of them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum BatchSize {
    /// So many.
    Rows(usize),
    /// All rows in each step.
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
    /// Nothing.
    None,
    /// This share of the rows.
    Fraction(f64),
    /// The rows of a file of their own.
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
#[derive(Serialize, Clone, Debug, PartialEq)]
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
    /// Which one.
    pub name: ActivationName,
    /// Its slope or alpha, where it is given.
    pub parameter: Option<f64>,
}

/// One activation for all hidden layers, or one per layer.
#[derive(Serialize, Clone, Debug, PartialEq)]
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
    /// The rarer a class, the more each of its rows counts.
    Balanced,
    /// By the class as it stands in the data.
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

#[cfg(test)]
#[path = "value_tests.rs"]
mod tests;
