//! Bytes as the JSON of a kept preprocessing: what passes its check can gather any table of its columns.
#![no_main]

use libfuzzer_sys::fuzz_target;
use wxb::preprocess::Preprocessor;

fuzz_target!(|bytes: &[u8]| {
    let Ok(preprocessor) = serde_json::from_slice::<Preprocessor>(bytes) else { return };
    if preprocessor.check().is_err() || preprocessor.features() > 1000 {
        return;
    }
    assert_eq!(preprocessor.input_names().len(), preprocessor.width());
    wxb_fuzz::gather(&preprocessor, &wxb_fuzz::features(&preprocessor));
});
