//! Bytes as NPY, NPZ or IDX; the matrix as inputs and the labels, if there are any, as the target.
#![no_main]

use libfuzzer_sys::fuzz_target;
use wxb_io::{ReadOptions, read_bytes};

fuzz_target!(|bytes: &[u8]| {
    let Ok(loaded) = read_bytes(bytes, "fuzz.npz", &ReadOptions::default()) else { return };
    if let Some(labels) = &loaded.labels {
        assert_eq!(labels.len(), loaded.features.rows());
        wxb_fuzz::encode_target(labels);
    }
    wxb_fuzz::prepare(&loaded.features, wxb_fuzz::scale(bytes.last().copied().unwrap_or(0)));
});
