//! Which format a file has: by its first bytes, whatever its name is.

use wxb::{Code, Error, Result};

use crate::input::{Compression, Input};

/// The formats that can be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Text with delimiters, compressed or not.
    Csv,
    /// Apache Parquet.
    Parquet,
    /// One NumPy array.
    Npy,
    /// A zip of NumPy arrays.
    Npz,
    /// The format of MNIST.
    Idx,
}

impl Format {
    /// Its usual name.
    pub fn name(self) -> &'static str {
        match self {
            Format::Csv => "CSV",
            Format::Parquet => "Parquet",
            Format::Npy => "NPY",
            Format::Npz => "NPZ",
            Format::Idx => "IDX",
        }
    }
}

/// First bytes of files that are often tried and are not read: what they are, and what to do.
const FOREIGN: &[(&[u8], &str, &str)] = &[
    (b"\x89HDF\r\n\x1a\n", "an HDF5 file", "save its arrays with numpy.savez"),
    (b"BZh", "compressed with bzip2", "decompress it, or use gzip or zstd"),
    (b"\xfd7zXZ\0", "compressed with xz", "decompress it, or use gzip or zstd"),
    (b"\x04\x22\x4d\x18", "compressed with lz4", "decompress it, or use gzip or zstd"),
    (b"\xd0\xcf\x11\xe0", "an old Excel workbook", "save it as CSV"),
    (b"%PDF", "a PDF", "extract its table as CSV"),
    (b"SQLite format 3\0", "an SQLite database", "export the table as CSV"),
    (b"PARE", "an encrypted Parquet file", "decrypt it"),
    (b"{\"", "JSON", "save it as CSV or Parquet"),
    (b"{\n", "JSON", "save it as CSV or Parquet"),
    (b"[{", "JSON", "save it as CSV or Parquet"),
    (b"[[", "JSON", "save it as CSV or Parquet"),
    (b"ARROW1", "an Arrow (Feather) file", "save it as Parquet"),
    (b"FEA1", "a Feather file", "save it as Parquet"),
    (b"ORC", "an ORC file", "save it as Parquet"),
    (b"\x80\x04\x95", "a Python pickle", "save it as NPZ, Parquet or CSV"),
    (b"\x80\x05\x95", "a Python pickle", "save it as NPZ, Parquet or CSV"),
    (b"MATLAB 5.0", "a MATLAB file", "save its arrays with numpy.savez"),
    (b"\x89PNG", "a PNG image", "save the pixels as NPY or NPZ"),
    (b"\xff\xd8\xff", "a JPEG image", "save the pixels as NPY or NPZ"),
    (b"\x7fELF", "a program", "name a data file"),
    (b"<!DOCTYPE", "a web page", "download the data itself, not the page that shows it"),
    (b"<!doctype", "a web page", "download the data itself, not the page that shows it"),
    (b"<html", "a web page", "download the data itself, not the page that shows it"),
    (b"version https://git-lfs", "a Git LFS pointer, not the data", "fetch the data with `git lfs pull`"),
];

/// The format of the bytes.
///
/// # Errors
/// [`Code::UnknownFormat`] for bytes that are none of them and no text.
pub(crate) fn detect(input: &Input) -> Result<Format> {
    let head = input.head(1 << 12)?;
    let format = match head.as_slice() {
        [0x93, b'N', b'U', b'M', b'P', b'Y', ..] => Format::Npy,
        [b'P', b'K', 3, 4, ..] | [b'P', b'K', 5, 6, ..] => Format::Npz,
        [b'P', b'A', b'R', b'1', ..] => Format::Parquet,
        [0, 0, 0x08..=0x0e, 1..=8, ..] => Format::Idx,
        bytes => return text_or_unknown(input, bytes).map(|()| Format::Csv),
    };
    if input.compression() != Compression::None && matches!(format, Format::Npz | Format::Parquet) {
        let what = format!("{}: a compressed {} file cannot be read", input.name(), format.name());
        return Err(Error::new(Code::UnknownFormat, what).hint("decompress it first"));
    }
    Ok(format)
}

fn text_or_unknown(input: &Input, head: &[u8]) -> Result<()> {
    let unknown = |what: &str| Error::new(Code::UnknownFormat, format!("{} {what}", input.name()));
    if let Some((_, what, advice)) = FOREIGN.iter().find(|(magic, _, _)| head.starts_with(magic)) {
        return Err(unknown(&format!("is {what}")).hint(*advice));
    }
    if head.starts_with(b"\xff\xfe") || head.starts_with(b"\xfe\xff") {
        return Err(Error::new(Code::BadEncoding, format!("{} is UTF-16, not UTF-8", input.name()))
            .hint("convert it: iconv -f utf-16 -t utf-8"));
    }
    match head.iter().position(|&b| b < 0x20 && !matches!(b, b'\t' | b'\n' | b'\r' | 0x0b | 0x0c | 0x1b)) {
        Some(at) => Err(unknown(&format!("is no text: byte {at} is 0x{:02x}", head[at]))
            .note("readable are CSV and TSV (also .gz, .zst), Parquet, NPY, NPZ and IDX")),
        None => Ok(()),
    }
}
