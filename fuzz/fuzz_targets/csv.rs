//! Bytes as a CSV file, compressed or not; its last column as the target, the others as inputs.
#![no_main]

use libfuzzer_sys::fuzz_target;
use wxb::data::Features;
use wxb_io::{ReadOptions, read_bytes};

fuzz_target!(|bytes: &[u8]| {
    let last = bytes.last().copied().unwrap_or(0);
    let options = ReadOptions { thousands: (last & 64 != 0).then_some(' '), ..ReadOptions::default() };
    let Ok(mut loaded) = read_bytes(bytes, "fuzz.csv", &options) else { return };
    if let Features::Table(table) = &mut loaded.features {
        let target = table.names().last().cloned().expect("a table that was read has a column");
        wxb_fuzz::encode_target(&table.take(&target).expect("its name was asked for"));
    }
    wxb_fuzz::prepare(&loaded.features, wxb_fuzz::scale(last));
});
