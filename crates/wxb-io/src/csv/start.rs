//! The beginning of a CSV: byte order mark, delimiter, header, first rows.

use wxb::{Code, Error, Result};

use super::blocks::{self, Blocks};
use super::header::{self, Header};
use super::{problems, sniff};
use crate::ReadOptions;
use crate::input::Input;

/// Text from which the delimiter is found out.
const SNIFFED_BYTES: u64 = 64 << 10;

/// What is known before the rows are read, and where they begin.
pub(super) struct Start {
    pub(super) delimiter: u8,
    pub(super) header: Header,
    /// Bytes of the byte order mark.
    mark: usize,
    block_bytes: usize,
}

impl Start {
    /// Reads the beginning of a file; also returns the text of the first rows.
    pub(super) fn find(input: &Input, options: &ReadOptions) -> Result<(Self, Vec<u8>)> {
        let head = input.head(SNIFFED_BYTES)?;
        let mark = if head.starts_with(b"\xef\xbb\xbf") { 3 } else { 0 };
        let delimiter = match options.delimiter {
            Some(byte) => check_delimiter(byte)?,
            None => sniff::delimiter(&head[mark..]),
        };
        let empty = || header::empty(input.name());
        let first =
            Blocks::open(input, delimiter, (mark, 0), blocks::BLOCK_BYTES)?.next()?.ok_or_else(empty)?;
        let (text, line) = first.blocks().next().ok_or_else(empty)?;
        problems::check_text(input.name(), text, line)?;
        let header = header::read(input.name(), delimiter, text)?;
        let block_bytes = blocks::block_bytes(header.bytes);
        let rows = std::iter::once(&text[header.bytes..]).chain(first.blocks().skip(1).map(|(text, _)| text));
        let sample = rows.into_iter().find(|rows| !rows.is_empty()).unwrap_or_default().to_vec();
        Ok((Self { delimiter, header, mark, block_bytes }, sample))
    }

    /// The rows, from the first.
    pub(super) fn rows<'i>(&self, input: &'i Input<'i>) -> Result<Blocks<'i>> {
        let skipped = (self.mark + self.header.bytes, self.header.lines);
        Blocks::open(input, self.delimiter, skipped, self.block_bytes)
    }
}

fn check_delimiter(byte: u8) -> Result<u8> {
    if !byte.is_ascii() || matches!(byte, b'"' | b'\n' | b'\r' | 0) {
        return Err(Error::new(Code::InvalidSetting, format!("byte 0x{byte:02x} cannot be a delimiter"))
            .hint("usual are , ; tab and |"));
    }
    Ok(byte)
}
