//! The records of a piece of CSV text.

use csv_core::{ReadRecordResult, Reader, ReaderBuilder};

/// Splits text that begins at the start of a record into records and fields; blank lines are passed over.
pub(super) struct Records<'t> {
    text: &'t [u8],
    at: usize,
    ends: Vec<usize>,
    splitter: Splitter,
}

/// How fields are found.
enum Splitter {
    /// Without a quote in the text the fields lie in it as they are.
    Plain { ends_field: Box<[bool; 256]>, delimiter: u8 },
    /// The csv crate's state machine takes the quotes off.
    Quoted { reader: Box<Reader>, fields: Vec<u8> },
}

/// One record: its fields without their quotes.
pub(super) struct Record<'r> {
    /// Where it begins in the text.
    pub(super) offset: usize,
    fields: &'r [u8],
    ends: &'r [usize],
    /// Bytes between two fields: the delimiter, if it is still there.
    gap: usize,
}

impl Record<'_> {
    /// The bytes of all fields.
    pub(super) fn bytes(&self) -> usize {
        self.ends.last().copied().unwrap_or(0) + self.ends.len()
    }

    /// The number of fields.
    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    /// Field `i`, without surrounding blanks.
    pub(super) fn field(&self, i: usize) -> &[u8] {
        let field = &self.fields[self.start(i)..self.ends[i]];
        match field {
            // Nearly all fields: nothing to take off.
            [b'!'..=b'~', .., b'!'..=b'~'] | [b'!'..=b'~'] => field,
            _ => field.trim_ascii(),
        }
    }

    fn start(&self, i: usize) -> usize {
        if i == 0 { 0 } else { self.ends[i - 1] + self.gap }
    }
}

/// Finds the lines of records and fields that come in ascending order: each byte is looked at once.
pub(super) struct LineCounter<'t> {
    text: &'t [u8],
    /// Where the record of the last call begins, and its line.
    record: usize,
    line: usize,
    /// The line breaks in the first bytes of its fields: quoted fields may have some.
    counted: usize,
    breaks: usize,
}

impl<'t> LineCounter<'t> {
    /// For a text that begins in line `first_line`.
    pub(super) fn new(text: &'t [u8], first_line: usize) -> Self {
        Self { text, record: 0, line: first_line, counted: 0, breaks: 0 }
    }

    /// The line in which field `i` of a record begins; for `i` the number of fields, the record's last line.
    pub(super) fn line_of(&mut self, record: &Record, i: usize) -> usize {
        if record.offset != self.record {
            self.line += count_lines(&self.text[self.record..record.offset]);
            (self.record, self.counted, self.breaks) = (record.offset, 0, 0);
        }
        // The line break that ends a record is none of its own.
        let start = record.start(i).min(record.ends.last().copied().unwrap_or(0));
        self.breaks += count_lines(&record.fields[self.counted..start]);
        self.counted = start;
        self.line + self.breaks
    }
}

impl<'t> Records<'t> {
    /// The records of `text`.
    pub(super) fn new(delimiter: u8, text: &'t [u8]) -> Self {
        let splitter = match memchr::memchr(b'"', text) {
            None => {
                let mut ends_field = Box::new([false; 256]);
                [delimiter, b'\n', b'\r'].iter().for_each(|&byte| ends_field[byte as usize] = true);
                Splitter::Plain { ends_field, delimiter }
            }
            Some(_) => {
                let mut reader = Box::new(ReaderBuilder::new().delimiter(delimiter).build());
                // A blank line first: the reader takes off a byte order mark only before its first byte, and here it
                // would be one in the middle of a file.
                reader.read_record(b"\n", &mut [0; 8], &mut [0; 8]);
                Splitter::Quoted { reader, fields: vec![0; 1 << 10] }
            }
        };
        Self { text, at: 0, ends: vec![0; 64], splitter }
    }

    /// Just behind the record that was returned last and its line break.
    pub(super) fn position(&self) -> usize {
        // The reader ends a record at `\r` and takes the `\n` for a blank line.
        let between = self.text[..self.at].ends_with(b"\r") && self.text[self.at..].starts_with(b"\n");
        self.at + usize::from(between)
    }

    /// The next record.
    pub(super) fn next(&mut self) -> Option<Record<'_>> {
        let offset = self.text[self.at..].iter().position(|b| !matches!(b, b'\n' | b'\r'))? + self.at;
        match &mut self.splitter {
            Splitter::Plain { ends_field, delimiter } => {
                self.ends.clear();
                self.at = split_plain(self.text, offset, ends_field, *delimiter, &mut self.ends);
                let fields = &self.text[offset..self.at];
                Some(Record { offset, fields, ends: &self.ends, gap: 1 })
            }
            Splitter::Quoted { reader, fields } => {
                let split = split_quoted(reader, &self.text[self.at..], fields, &mut self.ends)?;
                self.at += split.read;
                let (fields, ends) = (&fields[..split.written], &self.ends[..split.fields]);
                Some(Record { offset, fields, ends, gap: 0 })
            }
        }
    }
}

/// Finds the ends of the fields of the record at `start`, counted from there. Returns where the next one begins.
fn split_plain(
    text: &[u8],
    start: usize,
    ends_field: &[bool; 256],
    delimiter: u8,
    ends: &mut Vec<usize>,
) -> usize {
    let mut field = start;
    loop {
        let length = text[field..].iter().position(|&byte| ends_field[byte as usize]);
        let end = length.map_or(text.len(), |length| field + length);
        ends.push(end - start);
        match text.get(end) {
            Some(&byte) if byte == delimiter => field = end + 1,
            Some(_) => return end + 1,
            None => return end,
        }
    }
}

/// Sizes of what [`split_quoted`] did.
struct Split {
    read: usize,
    written: usize,
    fields: usize,
}

/// Copies the fields of the next record, without their quotes, into `fields` and their ends into `ends`.
fn split_quoted(
    reader: &mut Reader,
    text: &[u8],
    fields: &mut Vec<u8>,
    ends: &mut Vec<usize>,
) -> Option<Split> {
    let mut split = Split { read: 0, written: 0, fields: 0 };
    loop {
        let (result, n_in, n_out, n_ends) =
            reader.read_record(&text[split.read..], &mut fields[split.written..], &mut ends[split.fields..]);
        split.read += n_in;
        split.written += n_out;
        split.fields += n_ends;
        match result {
            ReadRecordResult::OutputFull => fields.resize(2 * fields.len(), 0),
            ReadRecordResult::OutputEndsFull => ends.resize(2 * ends.len(), 0),
            // The text is used up: the next call, with nothing left, ends the last record.
            ReadRecordResult::InputEmpty => {}
            ReadRecordResult::End => return None,
            ReadRecordResult::Record => return Some(split),
        }
    }
}

/// The line breaks in a text: `\n`, `\r\n`, or `\r` alone.
pub(super) fn count_lines(text: &[u8]) -> usize {
    let newlines = memchr::memchr_iter(b'\n', text).count();
    let alone = memchr::memchr_iter(b'\r', text).filter(|&i| text.get(i + 1) != Some(&b'\n')).count();
    newlines + alone
}
