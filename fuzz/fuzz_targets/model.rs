//! Bytes as a model file or a checkpoint whose checksum is right: what is accepted can be written, read and used.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sha2::{Digest, Sha256};
use wxb::data::Inputs;
use wxb::evaluate::{Output, predict};
use wxb::model_file::{AnyNetwork, Checkpoint, Model};
use wxb::{Network, Real};

fuzz_target!(|bytes: &[u8]| {
    let mut bytes = bytes.to_vec();
    sign(&mut bytes);
    if let Ok(model) = Model::from_bytes(&bytes) {
        assert_eq!(Model::from_bytes(&model.to_bytes()), Ok(model.clone()));
        match &model.network {
            AnyNetwork::F32(network) => predict_all(network, &model),
            AnyNetwork::F64(network) => predict_all(network, &model),
        }
    }
    resave::<f32>(&bytes);
    resave::<f64>(&bytes);
});

/// Puts the right checksum into the file; a mutated file would otherwise be refused before it is read.
fn sign(bytes: &mut [u8]) {
    let mark = br#"{\"checksum\":\""#;
    let Some(at) = bytes.windows(mark.len()).position(|window| window == mark) else { return };
    let digits = at + mark.len()..at + mark.len() + 64;
    if digits.end <= bytes.len() {
        bytes[digits.clone()].fill(b'0');
        let checksum: String = Sha256::digest(&*bytes).iter().map(|byte| format!("{byte:02x}")).collect();
        bytes[digits].copy_from_slice(checksum.as_bytes());
    }
}

fn predict_all<T: Real>(network: &Network<T>, model: &Model) {
    let Some(preprocessor) = &model.preprocess else { return };
    let features = wxb_fuzz::features(preprocessor);
    let Ok(encoded) = preprocessor.bind(&features) else { return };
    let rows: Vec<u32> = (0..encoded.rows() as u32).collect();
    let outputs = predict(network, &Inputs::Encoded(&encoded), &rows, Output::Linked);
    outputs.iter().for_each(|output| drop(model.target.decode(*output).to_string()));
}

fn resave<T: Real>(bytes: &[u8]) {
    if let Ok(checkpoint) = Checkpoint::<T>::from_bytes(bytes) {
        let again = Checkpoint::to_bytes(&checkpoint.run, &checkpoint.settings);
        assert_eq!(Checkpoint::from_bytes(&again), Ok(checkpoint));
    }
}
