//! NPY: one NumPy array.

use std::io::{Cursor, Read};

use ndarray_npy::npy::header::{Header, Layout};
use wxb::{Code, Error, Result};

use crate::array::{Array, Element, count, read_elements};
use crate::input::Input;

/// NumPy itself refuses longer headers.
const LONGEST_HEADER: usize = 10_000;
/// One text of an array is not longer.
const LONGEST_TEXT: usize = 1 << 16;

/// Reads the array of an NPY file.
pub(crate) fn read(input: &Input) -> Result<Array> {
    read_array(&mut input.content()?, input, input.name())
}

/// Reads one array of a file: the file itself or a member of it, which `place` names.
pub(crate) fn read_array(source: &mut dyn Read, input: &Input, place: &str) -> Result<Array> {
    let header = read_header(source, input, place)?;
    let failed = |e| input.read_failed(&e).at(place);
    let (element, big_endian) = element(&header, place)?;
    let count = count(&header.shape, element, input.stored_bytes()?, place)?;
    let elements = read_elements(source, element, big_endian, count).map_err(failed)?;
    // Reading on to the end also makes the checksum of a zip member be compared.
    if source.read(&mut [0]).map_err(failed)? > 0 {
        return Err(Error::new(Code::DamagedFile, format!("{place} is longer than its header says")));
    }
    match header.layout {
        Layout::Standard => Ok(Array { shape: header.shape, elements }),
        Layout::Fortran => Array::from_fortran(header.shape, elements, place),
    }
}

/// Reads the header; its length and nesting are checked before it is parsed.
pub(crate) fn read_header(source: &mut dyn Read, input: &Input, place: &str) -> Result<Header> {
    let failed = |e| input.read_failed(&e).at(place);
    let damaged = |what: String| Error::new(Code::DamagedFile, format!("{place}: {what}"));
    let mut head = vec![0; 8];
    source.read_exact(&mut head).map_err(failed)?;
    if !head.starts_with(b"\x93NUMPY") {
        return Err(damaged("it is no NumPy array".into()));
    }
    let mut length = [0; 4];
    let width = if head[6] == 1 { 2 } else { 4 };
    source.read_exact(&mut length[..width]).map_err(failed)?;
    head.extend_from_slice(&length[..width]);
    let length = u32::from_le_bytes(length) as usize;
    if length > LONGEST_HEADER {
        return Err(damaged(format!("its header of {length} bytes is too long")));
    }
    let start = head.len();
    head.resize(start + length, 0);
    source.read_exact(&mut head[start..]).map_err(failed)?;
    // The parser calls itself for each bracket: a header of brackets would overflow the stack.
    if head[start..].iter().filter(|b| matches!(b, b'(' | b'[' | b'{')).count() > 64 {
        return Err(damaged("its header is nested too deeply".into()));
    }
    Header::from_reader(&mut Cursor::new(head)).map_err(|e| damaged(format!("its header is damaged: {e}")))
}

/// The element type and whether it is big-endian.
fn element(header: &Header, place: &str) -> Result<(Element, bool)> {
    let unsupported = |what: &str| {
        Err(Error::new(Code::UnsupportedType, format!("{place} holds {what}"))
            .hint("save it with a numeric type: array.astype(\"float32\")"))
    };
    let Some(descriptor) = header.type_descriptor.as_string() else {
        return unsupported("a structured array");
    };
    let (order, kind) = descriptor.split_at_checked(1).unwrap_or(("", ""));
    let size: Option<usize> =
        kind.get(1..).and_then(|digits| digits.parse().ok()).filter(|&n| n <= LONGEST_TEXT);
    let element = match (kind.bytes().next(), size) {
        (Some(b'b'), Some(1)) | (Some(b'u'), Some(1)) => Element::U8,
        (Some(b'u'), Some(2)) => Element::U16,
        (Some(b'u'), Some(4)) => Element::U32,
        (Some(b'u'), Some(8)) => Element::U64,
        (Some(b'i'), Some(1)) => Element::I8,
        (Some(b'i'), Some(2)) => Element::I16,
        (Some(b'i'), Some(4)) => Element::I32,
        (Some(b'i'), Some(8)) => Element::I64,
        (Some(b'f'), Some(2)) => Element::F16,
        (Some(b'f'), Some(4)) => Element::F32,
        (Some(b'f'), Some(8)) => Element::F64,
        (Some(b'U'), Some(characters)) => Element::Ucs4(characters),
        (Some(b'S'), Some(bytes)) => Element::Utf8(bytes),
        (Some(b'O'), _) => return unsupported("Python objects"),
        (Some(b'c'), _) => return unsupported("complex numbers"),
        (Some(b'M' | b'm'), _) => return unsupported("dates or times"),
        _ => return unsupported(&format!("elements of the unknown type {descriptor:?}")),
    };
    Ok((element, order == ">"))
}
