//! Arrays of any rank, as NPY and IDX files hold them.

use std::io::{self, Read};

use half::f16;
use wxb::data::{Column, Matrix, TextColumn, Values};
use wxb::ndarray::{ArrayD, IxDyn, ShapeBuilder};
use wxb::{Code, Error, Result};

use crate::levels::text_column;

/// An array of any rank, row-major.
pub(crate) struct Array {
    pub(crate) shape: Vec<usize>,
    pub(crate) elements: Elements,
}

/// The elements of an [`Array`] in the narrowest width of a [`Matrix`] that holds them.
pub(crate) enum Elements {
    Numbers(Values),
    Text(TextColumn),
}

/// How one element is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Element {
    U8,
    I8,
    U16,
    I16,
    U32,
    I32,
    U64,
    I64,
    F16,
    F32,
    F64,
    /// Characters of four bytes, padded with NUL: NumPy's `U`.
    Ucs4(usize),
    /// UTF-8, padded with NUL: NumPy's `S`.
    Utf8(usize),
}

impl Element {
    /// Its bytes.
    pub(crate) fn bytes(self) -> usize {
        match self {
            Element::U8 | Element::I8 => 1,
            Element::U16 | Element::I16 | Element::F16 => 2,
            Element::U32 | Element::I32 | Element::F32 => 4,
            Element::U64 | Element::I64 | Element::F64 => 8,
            Element::Ucs4(characters) => 4 * characters,
            Element::Utf8(bytes) => bytes,
        }
    }
}

/// `(3, 28, 28)`
pub(crate) fn shape_text(shape: &[usize]) -> String {
    let sizes: Vec<String> = shape.iter().map(usize::to_string).collect();
    if sizes.len() == 1 { format!("({},)", sizes[0]) } else { format!("({})", sizes.join(", ")) }
}

/// The number of elements of a shape.
///
/// # Errors
/// [`Code::DamagedFile`] if they cannot be in a file of `stored` bytes, however well it is compressed.
pub(crate) fn count(shape: &[usize], element: Element, stored: u64, place: &str) -> Result<usize> {
    // Deflate stores at most 1032 bytes in one.
    let most = stored.saturating_mul(1032);
    // An array of no elements may still claim a row that is longer than any memory.
    let row = shape.iter().filter(|&&d| d > 0).try_fold(1usize, |n, &d| n.checked_mul(d));
    let count = row.map(|row| if shape.contains(&0) { 0 } else { row });
    let bytes = count.and_then(|n| n.checked_mul(element.bytes().max(1)));
    match (count, bytes) {
        (Some(count), Some(bytes)) if bytes as u64 <= most => Ok(count),
        _ => Err(Error::new(
            Code::DamagedFile,
            format!(
                "{place}: its header claims the shape {}, far more than the file holds",
                shape_text(shape)
            ),
        )),
    }
}

/// Reads `count` elements. Memory grows with the bytes that arrive.
pub(crate) fn read_elements(
    source: &mut dyn Read,
    element: Element,
    big_endian: bool,
    count: usize,
) -> io::Result<Elements> {
    let mut stream = Stream { source, big_endian, count };
    Ok(Elements::Numbers(match element {
        Element::U8 => Values::U8(stream.each(u8::from_le_bytes)?),
        Element::I8 => Values::F32(stream.each(|b| i8::from_le_bytes(b).into())?),
        Element::U16 => Values::F32(stream.each(|b| u16::from_le_bytes(b).into())?),
        Element::I16 => Values::F32(stream.each(|b| i16::from_le_bytes(b).into())?),
        Element::F16 => Values::F32(stream.each(|b| f16::from_le_bytes(b).into())?),
        Element::F32 => Values::F32(stream.each(f32::from_le_bytes)?),
        Element::U32 => Values::F64(stream.each(|b| u32::from_le_bytes(b).into())?),
        Element::I32 => Values::F64(stream.each(|b| i32::from_le_bytes(b).into())?),
        Element::U64 => Values::F64(stream.each(|b| u64::from_le_bytes(b) as f64)?),
        Element::I64 => Values::F64(stream.each(|b| i64::from_le_bytes(b) as f64)?),
        Element::F64 => Values::F64(stream.each(f64::from_le_bytes)?),
        Element::Ucs4(_) | Element::Utf8(_) => return stream.texts(element).map(Elements::Text),
    }))
}

struct Stream<'a> {
    source: &'a mut dyn Read,
    big_endian: bool,
    count: usize,
}

impl Stream<'_> {
    fn each<const N: usize, T>(&mut self, convert: impl Fn([u8; N]) -> T) -> io::Result<Vec<T>> {
        const ITEMS: usize = 8 << 10;
        let mut values = Vec::new();
        let mut buffer = vec![0; N * ITEMS.min(self.count)];
        while values.len() < self.count {
            let items = ITEMS.min(self.count - values.len());
            self.source.read_exact(&mut buffer[..N * items])?;
            if values.capacity() < values.len() + items {
                values.reserve_exact(values.len().max(ITEMS).min(self.count - values.len()));
            }
            values.extend(buffer[..N * items].as_chunks::<N>().0.iter().map(|&chunk| {
                let mut bytes = chunk;
                if self.big_endian {
                    bytes.reverse();
                }
                convert(bytes)
            }));
        }
        Ok(values)
    }

    fn texts(&mut self, element: Element) -> io::Result<TextColumn> {
        let mut failure = None;
        let mut buffer = vec![0; element.bytes()];
        let texts = (0..self.count).map_while(|_| {
            let read = self.source.read_exact(&mut buffer).and_then(|()| match element {
                Element::Ucs4(_) => ucs4(&buffer, self.big_endian),
                _ => utf8(&buffer),
            });
            read.map_err(|e| failure = Some(e)).ok()
        });
        let column = text_column(texts);
        failure.map_or(Ok(column), Err)
    }
}

fn invalid(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what.to_owned())
}

fn ucs4(bytes: &[u8], big_endian: bool) -> io::Result<String> {
    let word = |b: &[u8; 4]| if big_endian { u32::from_be_bytes(*b) } else { u32::from_le_bytes(*b) };
    let text: Option<String> = bytes.as_chunks::<4>().0.iter().map(|b| char::from_u32(word(b))).collect();
    let mut text = text.ok_or_else(|| invalid("a text has an invalid character"))?;
    text.truncate(text.trim_end_matches('\0').len());
    Ok(text)
}

fn utf8(bytes: &[u8]) -> io::Result<String> {
    let text = std::str::from_utf8(bytes).map_err(|_| invalid("a text is not UTF-8"))?;
    Ok(text.trim_end_matches('\0').to_owned())
}

impl Array {
    /// From elements in Fortran order (the first index varies fastest).
    pub(crate) fn from_fortran(shape: Vec<usize>, elements: Elements, place: &str) -> Result<Self> {
        fn reordered<T: Clone>(shape: &[usize], values: Vec<T>) -> Option<Vec<T>> {
            let array = ArrayD::from_shape_vec(IxDyn(shape).f(), values).ok()?;
            Some(array.as_standard_layout().into_owned().into_raw_vec_and_offset().0)
        }
        let elements = match elements {
            Elements::Numbers(Values::U8(v)) => {
                reordered(&shape, v).map(|v| Elements::Numbers(Values::U8(v)))
            }
            Elements::Numbers(Values::F32(v)) => {
                reordered(&shape, v).map(|v| Elements::Numbers(Values::F32(v)))
            }
            Elements::Numbers(Values::F64(v)) => {
                reordered(&shape, v).map(|v| Elements::Numbers(Values::F64(v)))
            }
            Elements::Text(TextColumn { codes, levels }) => {
                reordered(&shape, codes).map(|codes| Elements::Text(TextColumn { codes, levels }))
            }
        };
        let damaged =
            || Error::new(Code::DamagedFile, format!("{place}: impossible shape {}", shape_text(&shape)));
        let elements = elements.ok_or_else(damaged)?;
        Ok(Self { shape, elements })
    }

    /// The array as (rows, columns): the first axis are the rows, the others are laid out one behind the other.
    pub(crate) fn into_matrix(self, place: &str) -> Result<Matrix> {
        let Elements::Numbers(values) = self.elements else {
            return Err(Error::new(
                Code::UnsupportedType,
                format!("{place}: an array of text cannot be the inputs"),
            ));
        };
        let Some(&rows) = self.shape.first() else {
            let what = format!("{place}: one number is no matrix: its shape is ()");
            return Err(Error::new(Code::ShapeMismatch, what));
        };
        let columns = self.shape.iter().skip(1).product();
        if values.is_empty() {
            let what = format!("{place} has no values: its shape is {}", shape_text(&self.shape));
            return Err(Error::new(Code::EmptyData, what));
        }
        check_finite(&values, columns, place)?;
        Matrix::new(values, rows, columns)
    }

    /// The array as one value per row: rank 1, or a matrix with one row or column.
    pub(crate) fn into_column(self, place: &str) -> Result<Column> {
        if self.shape.iter().filter(|&&d| d != 1).count() > 1 || self.shape.is_empty() {
            let what =
                format!("{place}: labels have one value per row, its shape is {}", shape_text(&self.shape));
            return Err(Error::new(Code::ShapeMismatch, what));
        }
        Ok(match self.elements {
            Elements::Text(text) => Column::Text(text),
            Elements::Numbers(values) => {
                check_finite(&values, 1, place)?;
                Column::Number(into_f64(values))
            }
        })
    }

    /// The array at double width.
    pub(crate) fn into_f64(self, place: &str) -> Result<ArrayD<f64>> {
        let Elements::Numbers(values) = self.elements else {
            return Err(Error::new(Code::UnsupportedType, format!("{place} is an array of text")));
        };
        ArrayD::from_shape_vec(self.shape, into_f64(values))
            .map_err(|e| Error::new(Code::DamagedFile, format!("{place}: {e}")))
    }
}

fn into_f64(values: Values) -> Vec<f64> {
    match values {
        Values::U8(v) => v.into_iter().map(f64::from).collect(),
        Values::F32(v) => v.into_iter().map(f64::from).collect(),
        Values::F64(v) => v,
    }
}

/// NaN is a missing value; an infinite one is an error.
fn check_finite(values: &Values, columns: usize, place: &str) -> Result<()> {
    let at = match values {
        Values::U8(_) => None,
        Values::F32(v) => v.iter().position(|x| x.is_infinite()),
        Values::F64(v) => v.iter().position(|x| x.is_infinite()),
    };
    match at {
        None => Ok(()),
        Some(i) => Err(Error::new(Code::NumberTooLarge, format!("{place} has infinite values"))
            .at(format!("row {}, column {}, counted from 0", i / columns, i % columns))
            .hint("replace them, or set them to NaN to have them treated as missing")),
    }
}
