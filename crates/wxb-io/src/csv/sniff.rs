//! Which delimiter a file has.

use super::records::Records;

/// In the order of preference where two fit equally.
const CANDIDATES: [u8; 4] = [b',', b';', b'\t', b'|'];
/// Enough to tell; a file has one delimiter throughout.
const RECORDS: usize = 100;

/// The delimiter under which most of the first records have as many fields as the header, and among equals the one
/// with the most fields. A comma for a file with one column.
pub(super) fn delimiter(text: &[u8]) -> u8 {
    let mut best = (b',', 0.0, 1);
    for candidate in CANDIDATES {
        let mut records = Records::new(candidate, text);
        let Some(fields) = records.next().map(|header| header.len()).filter(|&n| n > 1) else { continue };
        let (mut equal, mut seen) = (0, 0);
        while let Some(record) = records.next().filter(|_| seen < RECORDS) {
            seen += 1;
            equal += usize::from(record.len() == fields);
        }
        let share = if seen == 0 { 1.0 } else { equal as f64 / seen as f64 };
        if best.2 == 1 || (share, fields) > (best.1, best.2) {
            best = (candidate, share, fields);
        }
    }
    best.0
}
