//! Files are written whole or not at all, and tables as text with delimiters, compressed or not.

use std::borrow::Cow;
use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use wxb::data::{Column, Table, TextColumn};
use wxb::{Code, Error, Result};

use crate::input::Compression;

/// Whether a file could be written there, as far as one can tell before it is: to be asked before the hours of
/// training whose result goes there.
///
/// # Errors
/// [`Code::FileExists`] if it is there already and `force` is not set; [`Code::WriteFailed`] if it is a folder or
/// its folder is not there.
pub fn check_target(path: &Path, force: bool) -> Result<()> {
    let failed =
        |what: String| Error::new(Code::WriteFailed, format!("cannot write {}: {what}", path.display()));
    if path.is_dir() {
        return Err(failed("it is a folder".into()).hint("name a file in it"));
    }
    let folder = folder(path);
    if !folder.is_dir() {
        let error = failed(format!("there is no folder {}", folder.display()));
        return Err(error.hint(format!("mkdir -p {}", folder.display())));
    }
    if !force && is_file(path) {
        return Err(exists(path));
    }
    Ok(())
}

/// Writes a whole file or nothing: into a new file in the same folder, which is synced and then renamed. What is
/// there and no regular file (a pipe, `/dev/stdout`) is written directly. Symbolic links are followed.
///
/// # Errors
/// As [`check_target`]; [`Code::DiskFull`]; [`Code::WriteFailed`] for anything else.
pub fn write_atomically(
    path: &Path,
    force: bool,
    content: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> Result<()> {
    check_target(path, force)?;
    let target = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let written = if path.exists() && !is_file(path) {
        OpenOptions::new().write(true).open(path).and_then(|file| write_to(file, content).map(drop))
    } else {
        replace(&target, force, content)
    };
    written.map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => exists(path),
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            Error::new(Code::DiskFull, format!("cannot write {}: the disk is full", path.display()))
        }
        io::ErrorKind::PermissionDenied => failed(path, "permission denied"),
        io::ErrorKind::ReadOnlyFilesystem => failed(path, "the file system is read-only"),
        _ => failed(path, &error.to_string()),
    })
}

fn failed(path: &Path, what: &str) -> Error {
    Error::new(Code::WriteFailed, format!("cannot write {}: {what}", path.display()))
}

fn exists(path: &Path) -> Error {
    Error::new(Code::FileExists, format!("{} is there already", path.display())).hint("--force overwrites it")
}

fn is_file(path: &Path) -> bool {
    path.metadata().is_ok_and(|meta| meta.is_file())
}

fn folder(path: &Path) -> PathBuf {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
        _ => PathBuf::from("."),
    }
}

/// The temporary file is removed when it is dropped without having been renamed.
fn replace(
    target: &Path,
    force: bool,
    content: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> io::Result<()> {
    let name = target.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let folder = folder(target);
    let beside =
        tempfile::Builder::new().prefix(&format!(".{name}.")).suffix(".part").make_in(&folder, |path| {
            // The mode of an ordinary new file; that of a temporary file keeps other users out.
            OpenOptions::new().write(true).create_new(true).open(path)
        })?;
    let (file, beside) = beside.into_parts();
    write_to(file, content)?.sync_all()?;
    if force {
        if let Ok(meta) = target.metadata() {
            std::fs::set_permissions(&beside, meta.permissions())?;
        }
        beside.persist(target)?;
    } else {
        beside.persist_noclobber(target)?;
    }
    // The new name is on disk when its folder is. Not every system can sync a folder; the file itself is safe.
    File::open(&folder).and_then(|folder| folder.sync_all()).ok();
    Ok(())
}

fn write_to(file: File, content: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<File> {
    let mut out = BufWriter::with_capacity(1 << 16, file);
    content(&mut out)?;
    out.into_inner().map_err(io::IntoInnerError::into_error)
}

/// Writes content that is compressed on its way.
///
/// # Errors
/// Those of the writer and of the content.
pub fn write_compressed(
    out: &mut dyn Write,
    compression: Compression,
    content: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> io::Result<()> {
    match compression {
        Compression::None => content(out),
        Compression::Gzip => {
            let gzip = flate2::write::GzEncoder::new(out, flate2::Compression::default());
            in_pieces(gzip, content)?.finish().map(drop)
        }
        Compression::Zstd => {
            let mut zstd = zstd::Encoder::new(out, zstd::DEFAULT_COMPRESSION_LEVEL)?;
            zstd.include_checksum(true)?; // as the zstd program does, and as gzip always has one
            in_pieces(zstd, content)?.finish().map(drop)
        }
    }
}

/// Cells are a few bytes each; a compressor takes them by the thousand.
fn in_pieces<W: Write>(encoder: W, content: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<W> {
    let mut pieces = BufWriter::with_capacity(1 << 16, encoder);
    content(&mut pieces)?;
    pieces.into_inner().map_err(io::IntoInnerError::into_error)
}

/// A column that is written.
#[derive(Clone, Debug, PartialEq)]
pub enum OutputColumn {
    /// Numbers in single precision; NaN is missing.
    Single(Vec<f32>),
    /// Numbers in double precision; NaN is missing.
    Double(Vec<f64>),
    /// Texts.
    Text(TextColumn),
}

impl OutputColumn {
    /// The cell of a row. A number in single precision has the digits that it needs there: 0.3, not
    /// 0.30000001192092896.
    pub fn cell(&self, row: usize) -> CsvCell<'_> {
        match self {
            OutputColumn::Single(values) => CsvCell::Number(short(values[row])),
            OutputColumn::Double(values) => CsvCell::Number(values[row]),
            OutputColumn::Text(text) => text.get(row).map_or(CsvCell::Missing, CsvCell::Text),
        }
    }
}

fn short(value: f32) -> f64 {
    value.to_string().parse().unwrap_or(f64::from(value))
}

/// One cell of a CSV that is written.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum CsvCell<'a> {
    /// A number in the fewest digits that read back as the same number; NaN becomes an empty cell.
    Number(f64),
    /// Text, quoted where it has to be.
    Text(&'a str),
    /// An empty cell.
    Missing,
}

/// Writes one line: the cells with the delimiter between them, a comma or a tab.
///
/// ```
/// use wxb_io::CsvCell::{Missing, Number, Text};
/// let mut out = Vec::new();
/// wxb_io::write_csv_row(&mut out, b',', [Text("a, b"), Number(0.1), Missing])?;
/// assert_eq!(out, b"\"a, b\",0.1,\n");
/// # Ok::<(), std::io::Error>(())
/// ```
///
/// # Errors
/// Those of the writer.
pub fn write_csv_row<'a>(
    out: &mut dyn Write,
    delimiter: u8,
    cells: impl IntoIterator<Item = CsvCell<'a>>,
) -> io::Result<()> {
    let mut empty = true;
    for (i, cell) in cells.into_iter().enumerate() {
        if i > 0 {
            out.write_all(&[delimiter])?;
        }
        empty &= i == 0;
        match cell {
            CsvCell::Number(value) if value.is_nan() => {}
            CsvCell::Number(value) => {
                empty = false;
                write_number(out, value)?;
            }
            CsvCell::Text(text) => {
                empty &= text.is_empty();
                out.write_all(quoted(text).as_bytes())?;
            }
            CsvCell::Missing => {}
        }
    }
    // An empty line is no row to most readers.
    if empty {
        out.write_all(b"\"\"")?;
    }
    out.write_all(b"\n")
}

/// Decimal in the range people read, with an exponent beyond it.
fn write_number(out: &mut dyn Write, value: f64) -> io::Result<()> {
    match value.abs() {
        0.0 | 1e-5..1e16 => write!(out, "{value}"),
        _ => write!(out, "{value:e}"),
    }
}

fn quoted(text: &str) -> Cow<'_, str> {
    let special = text.contains(['"', ',', '\n', '\r', ';', '\t']) || text.trim() != text;
    match special {
        true => format!("\"{}\"", text.replace('"', "\"\"")).into(),
        false => text.into(),
    }
}

/// Writes a table with its header, commas between its cells.
///
/// # Errors
/// Those of the writer.
pub fn write_csv_table(out: &mut dyn Write, table: &Table) -> io::Result<()> {
    write_csv_row(out, b',', table.names().iter().map(|name| CsvCell::Text(name)))?;
    for row in 0..table.rows() {
        write_csv_row(
            out,
            b',',
            table.iter().map(|(_, column)| match column {
                Column::Number(values) => CsvCell::Number(values[row]),
                Column::Text(text) => text.get(row).map_or(CsvCell::Missing, CsvCell::Text),
            }),
        )?;
    }
    Ok(())
}
