//! Three fixed trainings: the hash of all their parameters, on one thread and on two. A change that moves one bit
//! of them says so in its commit, with the reason and the new hashes.
#![allow(clippy::unwrap_used, reason = "what the rows of the test share may fail a test, too")]

use std::collections::BTreeMap;
use std::fmt::Write;
use std::ops::ControlFlow;

use sha2::{Digest, Sha256};
use wxb::data::{Column, Dataset, Features, Inputs, Table, TextColumn};
use wxb::network::dense_layers;
use wxb::preprocess::{PreprocessConfig, Preprocessor};
use wxb::rng::{Purpose, stream, unit};
use wxb::trainer::{BatchSize, Run, TrainConfig, fit};
use wxb::{Activation, Initializer, Loss, Network, Optimizer, Real, Schedule};

const ROWS: u32 = 500;

/// Two numbers, one with missing cells, and a text; the class or quantity depends on all of them.
fn table<T: Real>(classes: bool) -> (Features, Vec<T>) {
    let mut rng = stream(11, Purpose::Sample, 0);
    let (mut a, mut b, mut codes, mut y) = (vec![], vec![], vec![], vec![]);
    for row in 0..ROWS {
        let (u, v, level) = (unit(&mut rng), 10.0 * unit(&mut rng), row % 5);
        let score = 4.0 * u * (1.0 - u) + 0.1 * v + f64::from(level) * 0.3;
        a.push(if row % 17 == 0 { f64::NAN } else { u });
        b.push(v);
        codes.push(level);
        y.push(T::of(if classes { score.floor().clamp(0.0, 2.0) } else { score }));
    }
    let levels = ["red", "green", "blue", "white", "black"].map(String::from).to_vec();
    let text = Column::Text(TextColumn { codes, levels });
    let columns = [("a", Column::Number(a)), ("b", Column::Number(b)), ("colour", text)];
    (Features::Table(Table::new(columns.map(|(name, column)| (name.into(), column)).into()).unwrap()), y)
}

/// SHA-256 of the best weights after a training with every fifth row as validation.
fn train<T: Real>(hidden: &[usize], dropout: f64, loss: Loss, n_out: usize, config: &TrainConfig) -> String {
    let (features, y) = table::<T>(loss == Loss::SOFTMAX);
    let (valid, rows): (Vec<u32>, Vec<u32>) = (0..ROWS).partition(|row| row % 5 == 4);
    let (preprocessor, _) = Preprocessor::fit(&features, &rows, &PreprocessConfig::default()).unwrap();
    let encoded = preprocessor.bind(&features).unwrap();
    let data = Dataset::new(Inputs::Encoded(&encoded), &y, 1).unwrap();
    let sizes = [&[encoded.width()], hidden, &[n_out]].concat();
    let layers = dense_layers(&sizes, &vec![Activation::Gelu; hidden.len()], dropout).unwrap();
    let network = Network::with_layers(layers, loss, Initializer::Auto, config.seed).unwrap();
    let mut run = Run::new(network, config).unwrap();
    let (train, valid) = (data.subset(&rows), data.subset(&valid));
    fit(&mut run, &train, Some(&valid), config, &mut |_| ControlFlow::Continue(())).unwrap();
    let mut bytes = vec![];
    run.best_network().params.flat.iter().for_each(|v| v.write_le(&mut bytes));
    Sha256::digest(&bytes).iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").unwrap();
        text
    })
}

fn fingerprints() -> BTreeMap<String, String> {
    let adam = TrainConfig { epochs: 5, batch_size: BatchSize::Rows(32), ..TrainConfig::default() };
    let schedule = Schedule::Cosine { warmup: 0.1 };
    let sgd =
        TrainConfig { optimizer: Optimizer::Sgd, lr: 0.05, l2: 1e-3, schedule, seed: 3, ..adam.clone() };
    let lbfgs = TrainConfig { optimizer: Optimizer::Lbfgs(Default::default()), epochs: 20, ..adam.clone() };
    let rows = [
        (
            "softmax, two hidden layers with dropout, Adam, f32",
            train::<f32>(&[300, 200], 0.1, Loss::SOFTMAX, 3, &adam),
        ),
        (
            "squared error, one hidden layer, SGD with a schedule, f64",
            train::<f64>(&[16], 0.0, Loss::SquaredError, 1, &sgd),
        ),
        ("softmax without hidden layers, L-BFGS, f64", train::<f64>(&[], 0.0, Loss::SOFTMAX, 3, &lbfgs)),
    ];
    rows.map(|(name, hash)| (name.to_string(), hash)).into()
}

fn on_threads(threads: usize) -> BTreeMap<String, String> {
    rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap().install(fingerprints)
}

#[test]
fn the_same_bits_as_ever() {
    let one = on_threads(1);
    assert_eq!(one, on_threads(2), "the number of threads changes the numbers");
    // Without fused multiply-add each product is rounded by itself, and the last bits differ.
    if cfg!(target_arch = "aarch64") || has_fma() {
        let kept = include_str!("../../../testdata/fingerprints.json");
        let kept: BTreeMap<String, String> = serde_json::from_str(kept).unwrap();
        assert_eq!(one, kept, "now: {}", serde_json::to_string_pretty(&one).unwrap());
    }
}

fn has_fma() -> bool {
    #[cfg(target_arch = "x86_64")]
    return std::arch::is_x86_feature_detected!("avx2") && std::arch::is_x86_feature_detected!("fma");
    #[cfg(not(target_arch = "x86_64"))]
    false
}
