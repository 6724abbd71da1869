//! The two whole trainings of the deeplearning.ai exercises (`../shared/course/runs.json`, beside the repository) in
//! f64: every published cost to its last printed digit, and the published accuracies.
//!
//! The course writes one example per column and W (units, inputs); wxb one per row and W (inputs, units).

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use wxb::data::{Dataset, Inputs};
use wxb::ndarray::{Array2, ArrayD};
use wxb::network::dense_layers;
use wxb::step::{Cache, Keep, Mode, forward};
use wxb::trainer::{self, BatchSize, Event, Stop, TrainConfig, fit};
use wxb::{Activation, Initializer, Loss, Network, Optimizer};
use wxb_io::read_npz_f64;

#[derive(Deserialize)]
struct Runs {
    runs: Vec<Run>,
}

#[derive(Deserialize)]
struct Run {
    id: String,
    data: Data,
    initial_weights: Data,
    layers: Vec<usize>,
    learning_rate: f64,
    iterations: usize,
    published: Published,
    recomputed_float64: Recomputed,
    suggested_tolerance_float64: BTreeMap<usize, f64>,
}

#[derive(Deserialize)]
struct Data {
    file: String,
}

/// What the course prints; the costs by iteration, taken before its update.
#[derive(Deserialize)]
struct Published {
    costs: BTreeMap<usize, f64>,
    print_tolerance: BTreeMap<usize, f64>,
    accuracy: Accuracy,
}

/// The same at full precision, by another program; the last cost is that of the last iteration.
#[derive(Deserialize)]
struct Recomputed {
    costs: BTreeMap<usize, f64>,
}

#[derive(Deserialize)]
struct Accuracy {
    train: f64,
    test: f64,
}

/// The course's folder, or a note that it is not there.
#[allow(clippy::print_stdout, reason = "a skipped test says so")]
fn course() -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/course");
    if !folder.exists() {
        println!("not checked: there is no {}", folder.display());
        return None;
    }
    Some(folder)
}

fn arrays(path: &Path) -> BTreeMap<String, ArrayD<f64>> {
    read_npz_f64(path).expect("a readable file").into_iter().collect()
}

/// The run's network with its initial weights, transposed from (units, inputs).
fn network(run: &Run, folder: &Path) -> Network<f64> {
    let hidden = vec![Activation::Relu; run.layers.len() - 2];
    let layers = dense_layers(&run.layers, &hidden, 0.0).expect("layers that fit");
    let mut network = Network::with_layers(layers, Loss::BINARY, Initializer::Zeros, 0).expect("a network");
    let initial = arrays(&folder.join(&run.initial_weights.file));
    for slot in network.params.slots().to_vec() {
        let theta = &mut network.params.flat[slot.range()];
        theta.iter_mut().zip(initial[&slot.name].t()).for_each(|(theta, &w)| *theta = w);
    }
    network
}

/// X (m, pixels / 255) and Y of a part of the data.
fn part(data: &BTreeMap<String, ArrayD<f64>>, part: &str) -> (Array2<f64>, Vec<f64>) {
    let (x, y) = (&data[&format!("{part}_x")], &data[&format!("{part}_y")]);
    let x = x.to_shape((y.len(), x.len() / y.len())).expect("images of one size").mapv(|x| x / 255.0);
    (x, y.iter().copied().collect())
}

fn accuracy(network: &Network<f64>, (x, y): &(Array2<f64>, Vec<f64>)) -> f64 {
    let mut cache = Cache::new(network, y.len(), Keep::Needed);
    cache.x = x.iter().copied().collect();
    forward(network, &mut cache, y.len(), Mode::Predicting);
    // σ(z) > 0.5 exactly if z > 0.
    let right = cache.logits().iter().zip(y).filter(|&(&z, &y)| (z > 0.0) == (y == 1.0));
    right.count() as f64 / y.len() as f64
}

/// The cost of every hundredth iteration and of the last one, each before its update.
fn check_cost(run: &Run, iteration: usize, cost: f64) {
    let costs = [
        (&run.published.costs, &run.published.print_tolerance),
        (&run.recomputed_float64.costs, &run.suggested_tolerance_float64),
    ];
    for (costs, tolerances) in costs {
        if let Some(expected) = costs.get(&iteration) {
            let off = (cost - expected).abs();
            assert!(off <= tolerances[&iteration], "{} at {iteration}: {cost}, not {expected}", run.id);
        }
    }
}

fn check(run: &Run, folder: &Path) {
    let data = arrays(&folder.join(&run.data.file));
    let (train, test) = (part(&data, "train"), part(&data, "test"));
    let config = TrainConfig {
        optimizer: Optimizer::Sgd,
        batch_size: BatchSize::Full,
        lr: run.learning_rate,
        epochs: run.iterations as u64,
        ..TrainConfig::default()
    };
    let mut training = trainer::Run::new(network(run, folder), &config).expect("settings in range");
    let dataset = Dataset::new(Inputs::Dense(train.0.view()), &train.1, 1).expect("a target for each row");
    let stop = fit(&mut training, &dataset, None, &config, &mut |event| {
        if let Event::Step { epoch, loss, .. } = event {
            check_cost(run, epoch as usize - 1, loss);
        }
        ControlFlow::Continue(())
    });
    assert_eq!(stop.expect("data that fits"), Stop::Epochs);
    let found = [accuracy(&training.network, &train), accuracy(&training.network, &test)];
    let published = [run.published.accuracy.train, run.published.accuracy.test];
    for (found, published) in found.iter().zip(published) {
        assert!((found - published).abs() < 1e-12, "{}: accuracy {found}, not {published}", run.id);
    }
    assert_eq!(run.published.costs.len(), run.iterations / 100, "{}: every hundredth cost", run.id);
    assert_eq!(training.history.len(), run.iterations);
}

fn check_run(id: &str) {
    let Some(folder) = course() else { return };
    let text = std::fs::read_to_string(folder.join("runs.json")).expect("a readable file");
    let runs: Runs = serde_json::from_str(&text).expect("the runs");
    check(runs.runs.iter().find(|run| run.id == id).expect("a run of that name"), &folder);
}

#[test]
fn the_cat_logistic_regression() {
    check_run("cat_logistic_regression");
}

#[test]
fn the_cat_network_of_two_layers() {
    check_run("cat_2layer");
}
