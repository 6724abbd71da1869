//! Bytes that can be read from their start again: a file, or a piece of memory.

use std::borrow::Cow;
use std::fs::File;
use std::io::{self, BufReader, Cursor, Read, Seek};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use wxb::{Code, Error, Result};

/// How a file is compressed: what is read, by its first bytes; what is written, as it is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compression {
    /// Not at all.
    None,
    /// `.gz`.
    Gzip,
    /// `.zst`.
    Zstd,
}

/// Named bytes.
pub(crate) struct Input<'a> {
    name: String,
    origin: Origin<'a>,
    compression: Compression,
}

enum Origin<'a> {
    File(PathBuf),
    Memory(Cow<'a, [u8]>),
}

/// For formats whose directory is at the end of the file.
pub(crate) trait ReadSeek: Read + Seek {}
impl<T: Read + Seek> ReadSeek for T {}

impl<'a> Input<'a> {
    /// A file. What is no regular file (a pipe) is read into memory, since it can be read only once.
    pub(crate) fn path(path: &Path) -> Result<Self> {
        let name = path.display().to_string();
        let failed = |e: io::Error| unreadable(&name, &e);
        let meta = std::fs::metadata(path).map_err(failed)?;
        if meta.is_dir() {
            return Err(Error::new(Code::UnreadableFile, format!("{name} is a directory"))
                .hint("name one file of it"));
        }
        let mut file = File::open(path).map_err(failed)?;
        if meta.is_file() {
            return Self::new(name, Origin::File(path.to_owned()));
        }
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).map_err(failed)?;
        Self::new(name, Origin::Memory(Cow::Owned(bytes)))
    }

    /// Bytes in memory under a name.
    pub(crate) fn memory(name: &str, bytes: Cow<'a, [u8]>) -> Result<Self> {
        Self::new(name.to_owned(), Origin::Memory(bytes))
    }

    fn new(name: String, origin: Origin<'a>) -> Result<Self> {
        let mut input = Self { name, origin, compression: Compression::None };
        input.compression = match input.head(4)?.as_slice() {
            [0x1f, 0x8b, ..] => Compression::Gzip,
            [0x28, 0xb5, 0x2f, 0xfd] => Compression::Zstd,
            _ => Compression::None,
        };
        Ok(input)
    }

    /// The name for messages: the path as it was given.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// How the bytes are compressed.
    pub(crate) fn compression(&self) -> Compression {
        self.compression
    }

    /// The bytes as they are stored.
    pub(crate) fn stored(&self) -> Result<Box<dyn ReadSeek + Send + '_>> {
        Ok(match &self.origin {
            Origin::File(path) => Box::new(File::open(path).map_err(|e| unreadable(&self.name, &e))?),
            Origin::Memory(bytes) => Box::new(Cursor::new(bytes.as_ref())),
        })
    }

    /// The file, or the bytes if there is none.
    #[cfg(feature = "parquet")]
    pub(crate) fn file_or_bytes(&self) -> Result<std::result::Result<File, &[u8]>> {
        match &self.origin {
            Origin::File(path) => File::open(path).map(Ok).map_err(|e| unreadable(&self.name, &e)),
            Origin::Memory(bytes) => Ok(Err(bytes)),
        }
    }

    /// The bytes after decompression.
    pub(crate) fn content(&self) -> Result<Box<dyn Read + Send + '_>> {
        Ok(self.counted_content()?.0)
    }

    /// The bytes after decompression, and how many stored bytes were taken for them so far.
    pub(crate) fn counted_content(&self) -> Result<(Box<dyn Read + Send + '_>, Arc<AtomicU64>)> {
        let taken = Arc::new(AtomicU64::new(0));
        let counted = Counted { source: self.stored()?, taken: Arc::clone(&taken) };
        // Small enough that the count is close to what the content so far was made of.
        let stored = BufReader::with_capacity(1 << 14, counted);
        let content: Box<dyn Read + Send + '_> = match self.compression {
            Compression::None => Box::new(stored),
            Compression::Gzip => Box::new(flate2::bufread::MultiGzDecoder::new(stored)),
            Compression::Zstd => {
                Box::new(zstd::Decoder::with_buffer(stored).map_err(|e| self.read_failed(&e))?)
            }
        };
        Ok((content, taken))
    }

    /// At most the first `n` bytes of the content.
    pub(crate) fn head(&self, n: u64) -> Result<Vec<u8>> {
        let mut head = Vec::new();
        self.content()?.take(n).read_to_end(&mut head).map_err(|e| self.read_failed(&e))?;
        Ok(head)
    }

    /// The number of bytes as they are stored.
    pub(crate) fn stored_bytes(&self) -> Result<u64> {
        match &self.origin {
            Origin::File(path) => Ok(std::fs::metadata(path).map_err(|e| unreadable(&self.name, &e))?.len()),
            Origin::Memory(bytes) => Ok(bytes.len() as u64),
        }
    }

    /// The error for a failed read: damaged data, or the system's refusal.
    pub(crate) fn read_failed(&self, error: &io::Error) -> Error {
        if error.raw_os_error().is_some() {
            return unreadable(&self.name, error);
        }
        let data = match self.compression {
            Compression::Gzip => "the gzip data",
            Compression::Zstd => "the zstd data",
            Compression::None => "the file",
        };
        let what = match error.kind() {
            io::ErrorKind::UnexpectedEof => format!("{}: {data} ends too early", self.name),
            _ => format!("{}: {data} is damaged: {error}", self.name),
        };
        Error::new(Code::DamagedFile, what).hint("fetch or save the file again")
    }
}

/// Counts the bytes it passes on.
struct Counted<R> {
    source: R,
    taken: Arc<AtomicU64>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        let n = self.source.read(bytes)?;
        self.taken.fetch_add(n as u64, Ordering::Relaxed);
        Ok(n)
    }
}

/// The error for a file the system does not let us read.
fn unreadable(name: &str, error: &io::Error) -> Error {
    let refused = |why: &str| Error::new(Code::UnreadableFile, format!("cannot read {name}: {why}"));
    match error.kind() {
        io::ErrorKind::NotFound => refused("there is no such file"),
        io::ErrorKind::PermissionDenied => refused("permission denied").hint(format!("chmod u+r {name}")),
        _ => refused(&error.to_string()),
    }
}
