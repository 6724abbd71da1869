//! The records of a piece of CSV text.

use csv_core::{ReadRecordResult, Reader, ReaderBuilder};

/// Splits text that begins at the start of a record into records and fields; blank lines are passed over.
pub(super) struct Records<'t> {
    reader: Reader,
    text: &'t [u8],
    at: usize,
    fields: Vec<u8>,
    ends: Vec<usize>,
}

/// One record: its fields without their quotes.
pub(super) struct Record<'r> {
    /// Where it begins in the text.
    pub(super) offset: usize,
    fields: &'r [u8],
    ends: &'r [usize],
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
        if i == 0 { 0 } else { self.ends[i - 1] }
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
        let start = record.start(i);
        self.breaks += count_lines(&record.fields[self.counted..start]);
        self.counted = start;
        self.line + self.breaks
    }
}

impl<'t> Records<'t> {
    /// The records of `text`.
    pub(super) fn new(delimiter: u8, text: &'t [u8]) -> Self {
        let mut reader = ReaderBuilder::new().delimiter(delimiter).build();
        // A blank line first: the reader takes off a byte order mark only before its first byte, and here it
        // would be one in the middle of a file.
        reader.read_record(b"\n", &mut [0; 8], &mut [0; 8]);
        Self { reader, text, at: 0, fields: vec![0; 1 << 10], ends: vec![0; 64] }
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
        let (mut written, mut fields) = (0, 0);
        loop {
            let (result, n_in, n_out, n_ends) = self.reader.read_record(
                &self.text[self.at..],
                &mut self.fields[written..],
                &mut self.ends[fields..],
            );
            self.at += n_in;
            written += n_out;
            fields += n_ends;
            match result {
                ReadRecordResult::OutputFull => self.fields.resize(2 * self.fields.len(), 0),
                ReadRecordResult::OutputEndsFull => self.ends.resize(2 * self.ends.len(), 0),
                // The text is used up: the next call, with nothing left, ends the last record.
                ReadRecordResult::InputEmpty => {}
                ReadRecordResult::End => return None,
                ReadRecordResult::Record => break,
            }
        }
        Some(Record { offset, fields: &self.fields[..written], ends: &self.ends[..fields] })
    }
}

/// The line breaks in a text: `\n`, `\r\n`, or `\r` alone.
pub(super) fn count_lines(text: &[u8]) -> usize {
    let newlines = memchr::memchr_iter(b'\n', text).count();
    let alone = memchr::memchr_iter(b'\r', text).filter(|&i| text.get(i + 1) != Some(&b'\n')).count();
    newlines + alone
}
