//! The cells of an Arrow array as numbers or texts.

use std::borrow::Cow;

use arrow_array::cast::AsArray;
use arrow_array::temporal_conversions::as_datetime;
use arrow_array::types::*;
use arrow_array::{Array, ArrowPrimitiveType};
use arrow_schema::{DataType, TimeUnit};
use wxb::{Code, Error, Result};

use super::unsupported;
use crate::ColumnKind;
use crate::csv::cell::CellRules;

/// The cells of one column in one batch.
pub(super) enum Cells<'a> {
    /// NaN is missing.
    Number(Vec<f64>),
    /// `None` is missing.
    Text(Vec<Option<Cow<'a, str>>>),
}

impl Cells<'_> {
    pub(super) fn len(&self) -> usize {
        match self {
            Cells::Number(values) => values.len(),
            Cells::Text(texts) => texts.len(),
        }
    }

    /// Cell `i` as a number, NaN if it is missing, `None` if it is none.
    pub(super) fn number(&self, i: usize, rules: &CellRules) -> Option<f64> {
        match self {
            Cells::Number(values) => Some(rules.known(values[i])),
            Cells::Text(texts) => match texts[i].as_deref() {
                None => Some(f64::NAN),
                Some("true") => Some(1.0),
                Some("false") => Some(0.0),
                Some(text) => rules.number(text.trim().as_bytes()),
            },
        }
    }

    /// Cell `i` as text, `None` if it is missing.
    pub(super) fn text(&self, i: usize) -> Option<Cow<'_, str>> {
        match self {
            Cells::Number(values) => Some(values[i]).filter(|v| !v.is_nan()).map(|v| v.to_string().into()),
            Cells::Text(texts) => texts[i].as_deref().map(Cow::Borrowed),
        }
    }

    /// The cells at some places; `None` is missing.
    fn at(self, places: &[Option<usize>]) -> Self {
        match self {
            Cells::Number(values) => {
                Cells::Number(places.iter().map(|place| place.map_or(f64::NAN, |i| values[i])).collect())
            }
            Cells::Text(texts) => {
                Cells::Text(places.iter().map(|place| place.and_then(|i| texts[i].clone())).collect())
            }
        }
    }

    /// Cell `i` for a message.
    pub(super) fn shown(&self, i: usize) -> String {
        format!("{:?}", self.text(i).unwrap_or_default())
    }
}

/// What the values of an Arrow type become; `None` if they cannot be trained on.
pub(super) fn kind_of(kind: &DataType) -> Option<ColumnKind> {
    match kind {
        DataType::Boolean
        | DataType::Utf8
        | DataType::LargeUtf8
        | DataType::Utf8View
        | DataType::Binary
        | DataType::Date32
        | DataType::Date64
        | DataType::Timestamp(..) => Some(ColumnKind::Text),
        // A dictionary is what a frame keeps categories in, and those of numbers are codes.
        DataType::Dictionary(_, values) => kind_of(values).map(|_| ColumnKind::Text),
        kind if kind.is_numeric() && !matches!(kind, DataType::Decimal256(..)) => Some(ColumnKind::Number),
        DataType::Null | DataType::Time32(_) | DataType::Time64(_) | DataType::Duration(_) => {
            Some(ColumnKind::Number)
        }
        _ => None,
    }
}

/// The cells of an array. One row per type: this is a table.
pub(super) fn cells<'a>(array: &'a dyn Array, name: &str, file: &str) -> Result<Cells<'a>> {
    Ok(match array.data_type() {
        DataType::Null => Cells::Number(vec![f64::NAN; array.len()]),
        DataType::Int8 => numbers::<Int8Type>(array, f64::from),
        DataType::Int16 => numbers::<Int16Type>(array, f64::from),
        DataType::Int32 => numbers::<Int32Type>(array, f64::from),
        DataType::Int64 => numbers::<Int64Type>(array, |v| v as f64),
        DataType::UInt8 => numbers::<UInt8Type>(array, f64::from),
        DataType::UInt16 => numbers::<UInt16Type>(array, f64::from),
        DataType::UInt32 => numbers::<UInt32Type>(array, f64::from),
        DataType::UInt64 => numbers::<UInt64Type>(array, |v| v as f64),
        DataType::Float16 => numbers::<Float16Type>(array, f64::from),
        DataType::Float32 => numbers::<Float32Type>(array, f64::from),
        DataType::Float64 => numbers::<Float64Type>(array, f64::from),
        DataType::Decimal32(_, scale) => decimals::<Decimal32Type>(array, *scale, f64::from),
        DataType::Decimal64(_, scale) => decimals::<Decimal64Type>(array, *scale, |v| v as f64),
        DataType::Decimal128(_, scale) => decimals::<Decimal128Type>(array, *scale, |v| v as f64),
        DataType::Time32(TimeUnit::Second) => numbers::<Time32SecondType>(array, f64::from),
        DataType::Time32(_) => numbers::<Time32MillisecondType>(array, |v| f64::from(v) / 1e3),
        DataType::Time64(TimeUnit::Microsecond) => {
            numbers::<Time64MicrosecondType>(array, |v| v as f64 / 1e6)
        }
        DataType::Time64(_) => numbers::<Time64NanosecondType>(array, |v| v as f64 / 1e9),
        DataType::Duration(unit) => durations(array, *unit),
        DataType::Boolean => {
            let text = |v| Cow::Borrowed(if v { "true" } else { "false" });
            Cells::Text(array.as_boolean().iter().map(|v| v.map(text)).collect())
        }
        DataType::Utf8 => {
            Cells::Text(array.as_string::<i32>().iter().map(|v| v.map(Cow::Borrowed)).collect())
        }
        DataType::LargeUtf8 => {
            Cells::Text(array.as_string::<i64>().iter().map(|v| v.map(Cow::Borrowed)).collect())
        }
        DataType::Utf8View => {
            Cells::Text(array.as_string_view().iter().map(|v| v.map(Cow::Borrowed)).collect())
        }
        DataType::Binary => binary(array, name, file)?,
        DataType::Dictionary(..) => {
            let (keys, values) = dictionary(array);
            cells(values, name, file)?.at(&keys)
        }
        DataType::Date32 => {
            let day = |v: i32| as_datetime::<Date32Type>(v.into()).map(|t| format!("{:?}", t.date()).into());
            Cells::Text(array.as_primitive::<Date32Type>().iter().map(|v| v.and_then(day)).collect())
        }
        DataType::Date64 => {
            let day = |v: i64| as_datetime::<Date64Type>(v).map(|t| format!("{:?}", t.date()).into());
            Cells::Text(array.as_primitive::<Date64Type>().iter().map(|v| v.and_then(day)).collect())
        }
        DataType::Timestamp(TimeUnit::Second, _) => instants::<TimestampSecondType>(array),
        DataType::Timestamp(TimeUnit::Millisecond, _) => instants::<TimestampMillisecondType>(array),
        DataType::Timestamp(TimeUnit::Microsecond, _) => instants::<TimestampMicrosecondType>(array),
        DataType::Timestamp(TimeUnit::Nanosecond, _) => instants::<TimestampNanosecondType>(array),
        other => return Err(unsupported(file, name, &other.to_string())),
    })
}

/// Where the value of each cell is, and the values.
fn dictionary(array: &dyn Array) -> (Vec<Option<usize>>, &dyn Array) {
    let dictionary = array.as_any_dictionary();
    let keys = dictionary.normalized_keys().into_iter().enumerate();
    let keys = keys.map(|(i, key)| dictionary.keys().is_valid(i).then_some(key)).collect();
    (keys, dictionary.values().as_ref())
}

fn numbers<T: ArrowPrimitiveType>(array: &dyn Array, convert: impl Fn(T::Native) -> f64) -> Cells<'static> {
    let values = array.as_primitive::<T>().iter();
    Cells::Number(values.map(|v| v.map_or(f64::NAN, &convert)).collect())
}

fn decimals<T: ArrowPrimitiveType>(
    array: &dyn Array,
    scale: i8,
    convert: impl Fn(T::Native) -> f64,
) -> Cells<'static> {
    // Dividing by an exact power of ten rounds once; multiplying by its inverse would round twice.
    let power = 10f64.powi(i32::from(scale).abs());
    numbers::<T>(array, |v| if scale < 0 { convert(v) * power } else { convert(v) / power })
}

/// Spans of time in seconds.
fn durations(array: &dyn Array, unit: TimeUnit) -> Cells<'static> {
    match unit {
        TimeUnit::Second => numbers::<DurationSecondType>(array, |v| v as f64),
        TimeUnit::Millisecond => numbers::<DurationMillisecondType>(array, |v| v as f64 / 1e3),
        TimeUnit::Microsecond => numbers::<DurationMicrosecondType>(array, |v| v as f64 / 1e6),
        TimeUnit::Nanosecond => numbers::<DurationNanosecondType>(array, |v| v as f64 / 1e9),
    }
}

fn instants<T: ArrowPrimitiveType<Native = i64>>(array: &dyn Array) -> Cells<'static> {
    let instant = |v| as_datetime::<T>(v).map(|t| format!("{t:?}").into());
    Cells::Text(array.as_primitive::<T>().iter().map(|v| v.and_then(instant)).collect())
}

/// Old writers do not say that their bytes are text.
fn binary<'a>(array: &'a dyn Array, name: &str, file: &str) -> Result<Cells<'a>> {
    let text = |bytes: Option<&'a [u8]>| bytes.map(std::str::from_utf8).transpose();
    let texts: std::result::Result<Vec<_>, _> = array.as_binary::<i32>().iter().map(text).collect();
    match texts {
        Ok(texts) => Ok(Cells::Text(texts.into_iter().map(|t| t.map(Cow::Borrowed)).collect())),
        Err(_) => Err(Error::new(
            Code::BadEncoding,
            format!("column {name:?} of {file} holds bytes that are no text"),
        )
        .hint(format!("leave it out: --drop {name}"))),
    }
}
