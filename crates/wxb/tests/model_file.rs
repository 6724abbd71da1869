//! Model files: what is written is read, and what is damaged is refused.

use wxb::calibration::{Calibration, Isotonic};
use wxb::data::target::{Label, Target};
use wxb::model_file::{AnyNetwork, Model, Part, Reading};
use wxb::{Activation, Code, Initializer, Loss, Network};

fn model() -> Model {
    let network = Network::<f32>::new(&[3, 5, 2], Activation::Relu, Loss::SOFTMAX, Initializer::Auto, 1)
        .expect("the sizes are valid");
    Model {
        parts: vec![part("mlp", 1.0, network)],
        calibration: Calibration::None,
        residuals: None,
        target: Target::Classes { labels: vec![Label::Text("no".into()), Label::Text("yes \"ü\"".into())] },
        target_name: Some("churned".into()),
        baseline: vec![0.25, 0.75],
        reading: Reading { na: vec!["-".into()], thousands: Some(' '), delimiter: None },
        record: serde_json::json!({ "seed": 1, "lr": 0.1, "tiny": 5e-324 }),
    }
}

fn part(name: &str, weight: f64, network: impl Into<AnyNetwork>) -> Part {
    Part { name: name.into(), weight, network: network.into(), preprocess: None }
}

/// A linear network with the loss and classes of [`model`].
fn linear() -> Network<f64> {
    Network::new(&[2, 2], Activation::Relu, Loss::SOFTMAX, Initializer::Auto, 2).expect("the sizes are valid")
}

/// Of two networks, in different precisions.
fn mixture() -> Model {
    let mut model = Model { calibration: Calibration::Temperature(0.8), ..model() };
    model.parts[0].weight = 0.75;
    model.parts.push(part("linear", 0.25, linear()));
    model
}

#[test]
fn what_is_written_is_read() {
    let bytes = model().to_bytes();
    assert_eq!(Model::from_bytes(&bytes).unwrap(), model());
    assert_eq!(Model::from_bytes(&bytes).unwrap().to_bytes(), bytes, "the bytes are canonical");
    let double = Model { parts: vec![part("mlp", 1.0, model().parts[0].network.to_f64())], ..model() };
    assert_eq!(Model::from_bytes(&double.to_bytes()).unwrap(), double);
    assert_eq!(Model::from_bytes(&mixture().to_bytes()).unwrap(), mixture());
    let curve = Isotonic::fit(vec![(0.1, 0.0, 1.0), (0.7, 1.0, 1.0)]);
    let curved = Model { calibration: Calibration::Isotonic(vec![curve]), ..model() };
    assert_eq!(Model::from_bytes(&curved.to_bytes()).unwrap(), curved);
}

#[test]
fn every_flipped_bit_and_every_truncation_is_an_error() {
    let bytes = model().to_bytes();
    for at in 0..bytes.len() {
        let mut flipped = bytes.clone();
        flipped[at] ^= 1 << (at % 8);
        assert!(Model::from_bytes(&flipped).is_err(), "a flipped bit in byte {at} was not seen");
        assert!(Model::from_bytes(&bytes[..at]).is_err(), "the end at byte {at} was not seen");
    }
}

#[test]
fn the_error_says_what_it_is() {
    let bytes = model().to_bytes();
    let code = |bytes: &[u8]| Model::from_bytes(bytes).unwrap_err().code();
    assert_eq!(code(b""), Code::NotAModel);
    assert_eq!(code(b"a,b\n1,2\n"), Code::NotAModel);
    assert_eq!(code(&bytes[..bytes.len() - 1]), Code::DamagedModel);
    let checkpoint = wxb::trainer::Run::new(
        Network::<f32>::new(&[1, 1], Activation::Relu, Loss::SquaredError, Initializer::Zeros, 0).unwrap(),
        &wxb::trainer::TrainConfig::default(),
    );
    let bytes = wxb::model_file::Checkpoint::to_bytes(&checkpoint.unwrap(), &serde_json::json!({}));
    assert_eq!(code(&bytes), Code::NotAModel);
}

#[test]
fn parts_that_do_not_belong_together_are_refused() {
    let broken = [
        Model { baseline: vec![0.5], ..model() },
        Model { target: Target::unscaled(), ..model() },
        Model {
            target: Target::Classes { labels: ["a", "b", "c"].map(|l| Label::Text(l.into())).into() },
            ..model()
        },
    ];
    let changed = |change: fn(&mut Model)| {
        let mut model = mixture();
        change(&mut model);
        model
    };
    let broken_mixtures = [
        changed(|model| model.parts.clear()),
        changed(|model| model.parts[1].weight = 0.3),
        changed(|model| (model.parts[0].weight, model.parts[1].weight) = (1.5, -0.5)),
        changed(|model| model.parts[1].name = "mlp".into()),
        changed(|model| model.calibration = Calibration::Temperature(0.0)),
        changed(|model| {
            let other = Network::<f32>::new(&[2, 3], Activation::Relu, Loss::SOFTMAX, Initializer::Auto, 1);
            model.parts[1].network = other.expect("the sizes are valid").into();
        }),
    ];
    for model in broken.into_iter().chain(broken_mixtures) {
        assert_eq!(Model::from_bytes(&model.to_bytes()).unwrap_err().code(), Code::DamagedModel, "{model:?}");
    }
}
