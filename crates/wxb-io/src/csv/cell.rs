//! One cell: a number, missing, or text.

use wxb::{Code, Error, Result};

use crate::{DEFAULT_NA, ReadOptions};

/// The separators of thousands that are proposed; with `.` the decimal mark is `,`.
pub(super) const SEPARATORS: [char; 6] = [',', '.', ' ', '\'', '\u{a0}', '\u{202f}'];

/// How cells are read: missing marks and the marks within numbers.
pub(crate) struct CellRules {
    missing: Vec<Vec<u8>>,
    /// Missing marks that are numbers; compared by value in a numeric column (-999 is also -999.0).
    missing_values: Vec<f64>,
    longest: usize,
    first_bytes: [bool; 256],
    thousands: Option<char>,
}

impl CellRules {
    /// The rules of the options.
    pub(crate) fn new(options: &ReadOptions) -> Result<Self> {
        let defaults = if options.na_only { &[] } else { DEFAULT_NA };
        let own = options.na.iter().map(|mark| mark.trim());
        let missing: Vec<Vec<u8>> =
            defaults.iter().copied().chain(own).map(|m| m.as_bytes().to_vec()).collect();
        let mut first_bytes = [false; 256];
        missing.iter().filter_map(|m| m.first()).for_each(|&b| first_bytes[b as usize] = true);
        Ok(Self {
            missing_values: options.na.iter().filter_map(|m| plain_number(m.trim().as_bytes())).collect(),
            longest: missing.iter().map(Vec::len).max().unwrap_or(0),
            missing,
            first_bytes,
            thousands: options.thousands.map(separator).transpose()?,
        })
    }

    /// The thousands separator with which all of the first texts, which are not numbers now, would be.
    pub(super) fn separator_that_fits(&self, texts: &[String]) -> Option<char> {
        const LOOKED_AT: usize = 50;
        SEPARATORS.into_iter().filter(|_| self.thousands.is_none()).find(|&separator| {
            let mut texts = texts.iter().take(LOOKED_AT);
            texts.all(|text| grouped_number(text.as_bytes(), separator).is_some_and(f64::is_finite))
        })
    }

    /// Whether a cell (without surrounding blanks) means "missing".
    pub(crate) fn is_missing(&self, cell: &[u8]) -> bool {
        // Most cells are told apart by their length or first byte.
        let possible =
            cell.len() <= self.longest && cell.first().is_none_or(|&b| self.first_bytes[b as usize]);
        possible && self.missing.iter().any(|m| m == cell)
    }

    /// NaN for a number that means "missing".
    pub(crate) fn known(&self, value: f64) -> f64 {
        if self.missing_values.contains(&value) { f64::NAN } else { value }
    }

    /// The number in a cell, NaN if it is a missing one, `None` if it is no number. May be infinite.
    pub(crate) fn number(&self, cell: &[u8]) -> Option<f64> {
        let number = match self.thousands {
            None => plain_number(cell),
            Some(separator) => grouped_number(cell, separator),
        };
        match number {
            Some(value) => Some(self.known(value)),
            None => self.is_missing(cell).then_some(f64::NAN),
        }
    }
}

fn separator(c: char) -> Result<char> {
    if c.is_alphanumeric() || matches!(c, '+' | '-' | '"' | '\n' | '\r') {
        return Err(Error::new(Code::InvalidSetting, format!("{c:?} cannot separate thousands"))
            .hint("usual are a blank, ' , . and _"));
    }
    Ok(c)
}

/// A decimal number, `inf` or `nan` as Rust reads them, also with a leading `+`.
pub(super) fn plain_number(cell: &[u8]) -> Option<f64> {
    short_decimal(cell).or_else(|| {
        // Rust reads nothing else as a number, and most text begins otherwise.
        if !matches!(cell.first()?, b'0'..=b'9' | b'+' | b'-' | b'.' | b'i' | b'I' | b'n' | b'N') {
            return None;
        }
        std::str::from_utf8(cell).ok()?.parse().ok()
    })
}

/// Powers of ten that are exact in double precision.
const POWERS: [f64; 16] =
    [1.0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15];

/// `[-]digits[.digits]` with at most 15 digits. Digits and power of ten are exact in double precision, so the
/// one rounding of the division gives the nearest number. It is what nearly all cells are, and 5 times as fast as
/// the general way.
#[inline]
fn short_decimal(cell: &[u8]) -> Option<f64> {
    let (negative, digits) = match cell {
        [b'-', rest @ ..] => (true, rest),
        rest => (false, rest),
    };
    if digits.is_empty() || digits.len() > 16 {
        return None;
    }
    let (mut value, mut count, mut point) = (0u64, 0, None);
    for &byte in digits {
        match byte {
            b'0'..=b'9' => {
                value = 10 * value + u64::from(byte - b'0');
                count += 1;
            }
            b'.' if point.is_none() => point = Some(count),
            _ => return None,
        }
    }
    if count == 0 || count > 15 {
        return None;
    }
    let magnitude = value as f64 / POWERS[count - point.unwrap_or(count)];
    Some(if negative { -magnitude } else { magnitude })
}

/// A number whose digits before the decimal mark are in groups of three: `1 204.5`, `-12,000`.
pub(super) fn grouped_number(cell: &[u8], separator: char) -> Option<f64> {
    let text = std::str::from_utf8(cell).ok()?;
    let mark = if separator == '.' { ',' } else { '.' };
    let whole_end = text.find([mark, 'e', 'E']).unwrap_or(text.len());
    let (whole, rest) = text.split_at(whole_end);
    if rest.contains(separator) {
        return None;
    }
    let digits = whole.trim_start_matches(['+', '-']);
    if digits.contains(separator) {
        let mut groups = digits.split(separator);
        let first = groups.next().is_some_and(|g| (1..=3).contains(&g.len()));
        if !first || !groups.all(|g| g.len() == 3 && g.bytes().all(|b| b.is_ascii_digit())) {
            return None;
        }
    }
    let plain = whole.replace(separator, "") + &rest.replacen(mark, ".", 1);
    plain_number(plain.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Expected values are Python's `float`, by hand.
    #[test]
    fn plain_numbers() {
        let cases: &[(&str, Option<f64>)] = &[
            ("0", Some(0.0)),
            ("-0", Some(-0.0)),
            ("12", Some(12.0)),
            ("+12", Some(12.0)),
            ("-3.25", Some(-3.25)),
            (".5", Some(0.5)),
            ("5.", Some(5.0)),
            ("1e3", Some(1000.0)),
            ("1E-3", Some(0.001)),
            ("0.1", Some(0.1)),
            ("0.30000000000000004", Some(0.1 + 0.2)),
            ("123456789012345", Some(123_456_789_012_345.0)),
            ("9007199254740993", Some(9_007_199_254_740_992.0)),
            ("1e400", Some(f64::INFINITY)),
            ("-inf", Some(f64::NEG_INFINITY)),
            ("", None),
            (".", None),
            ("-", None),
            ("1.2.3", None),
            ("1,5", None),
            ("1_000", None),
            ("0x1F", None),
            ("12a", None),
            ("1 204", None),
            ("\u{2212}5", None),
        ];
        for (text, expected) in cases {
            let got = plain_number(text.as_bytes());
            assert_eq!(got.map(f64::to_bits), expected.map(f64::to_bits), "{text}");
        }
    }

    #[test]
    fn grouped_numbers() {
        let cases: &[(&str, char, Option<f64>)] = &[
            ("1 204", ' ', Some(1204.0)),
            ("1,204,000.5", ',', Some(1_204_000.5)),
            ("-1,204", ',', Some(-1204.0)),
            ("12", ',', Some(12.0)),
            ("1.204,5", '.', Some(1204.5)),
            ("1,5", '.', Some(1.5)),
            ("1.5", '.', None),
            ("1,20", ',', None),
            ("1204,000", ',', None),
            ("1,204,", ',', None),
            (",204", ',', None),
            ("1.5,000", ',', None),
            ("1\u{202f}204", '\u{202f}', Some(1204.0)),
            ("1'204", '\'', Some(1204.0)),
            ("1,2a4", ',', None),
        ];
        for (text, separator, expected) in cases {
            assert_eq!(grouped_number(text.as_bytes(), *separator), *expected, "{text}");
        }
    }
}
