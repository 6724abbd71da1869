//! From a CSV file to a measured model, step by step: what `wxb train` does, without its printing.
//!
//! `cargo run --release -p wxb-io --example first_model`, from the root of the repository.

use std::ops::ControlFlow;

use wxb::data::{Dataset, Features, Inputs, split, target};
use wxb::evaluate::evaluate;
use wxb::metrics::Metric;
use wxb::preprocess::{PreprocessConfig, Preprocessor};
use wxb::step::{Cache, Keep};
use wxb::trainer::{Run, TrainConfig, fit};
use wxb::{Activation, Initializer, Loss, Network, Result};
use wxb_io::{ReadOptions, Source, read};

#[allow(clippy::print_stdout, reason = "an example shows its result")]
fn main() -> Result<()> {
    let auc = train_titanic("examples/titanic.csv")?;
    println!("AUC on passengers that the network has not seen: {auc:.3}");
    Ok(())
}

/// Learns who survived from four fifths of the passengers; the AUC on the others.
pub fn train_titanic(path: &str) -> Result<f64> {
    // The table, without the column that is to be predicted.
    let Features::Table(mut table) = read(&Source::Path(path.into()), &ReadOptions::default())?.features
    else {
        unreachable!("a CSV file is a table");
    };
    let survived = table.take("survived")?;
    let features = Features::Table(table);

    // What the target is: two classes, 0 and 1. The validation rows have them in the same proportion.
    let rows = target::present_rows(&survived);
    let target = target::choose(&survived, &rows, None)?.target;
    let classes = target.classes(&survived, &rows)?;
    let (train, valid) = split::holdout(rows.len(), Some(&classes), 0.2, 0)?;

    // Columns into numbers, by what the training rows say.
    let (preprocessor, _notes) = Preprocessor::fit(&features, &train, &PreprocessConfig::default())?;
    let encoded = preprocessor.bind(&features)?;
    let y: Vec<f32> = target.encode(&survived, &rows)?;
    let data = Dataset::new(Inputs::Encoded(&encoded), &y, 1)?;
    let (train, valid) = (data.subset(&train), data.subset(&valid));

    // The network, and its training until validation has not got better for 20 epochs.
    let sizes = [preprocessor.width(), 64, 32, 1];
    let network = Network::new(&sizes, Activation::Relu, Loss::BINARY, Initializer::Auto, 0)?;
    let config = TrainConfig { patience: Some(20), ..TrainConfig::default() };
    let mut run = Run::new(network, &config)?;
    fit(&mut run, &train, Some(&valid), &config, &mut |_| ControlFlow::Continue(()))?;

    // The best epoch's weights, measured.
    let network = run.best_network();
    let mut cache = Cache::new(&network, 256, Keep::Needed);
    let scores = evaluate(&network, &valid, &mut cache).scores();
    Ok(scores.get(Metric::Auc).expect("a binary task has an AUC"))
}
