//! The recipes TabM and TabM-mini: their inputs, layers and start, and a training with each.
#![allow(clippy::unwrap_used, reason = "what the rows of the test share may fail a test, too")]

use std::ops::ControlFlow;

use wxb::data::target::Task;
use wxb::data::{Column, Dataset, Features, Inputs, Table, TextColumn};
use wxb::metrics::Metric;
use wxb::preprocess::Preprocessor;
use wxb::recipe::Recipe;
use wxb::rng::{Purpose, stream, unit};
use wxb::trainer::{BatchSize, Batches, Run, TrainConfig, fit};
use wxb::{Ensemble, Initializer, Layer, Network};

const ROWS: usize = 260;
const K: usize = 32;

/// Two numbers, one of them with gaps, a text of three levels and one of two.
fn table() -> Features {
    let mut rng = stream(5, Purpose::Sample, 0);
    let mut numbers = || (0..ROWS).map(|_| 4.0 * unit(&mut rng) - 2.0).collect::<Vec<f64>>();
    let (a, mut b) = (numbers(), numbers());
    b.iter_mut().step_by(9).for_each(|b| *b = f64::NAN);
    let text = |levels: usize| TextColumn {
        codes: (0..ROWS).map(|i| (i * 5 % levels) as u32).collect(),
        levels: (0..levels).map(|level| format!("level {level}")).collect(),
    };
    let columns = vec![
        ("three".into(), Column::Text(text(3))),
        ("a".into(), Column::Number(a)),
        ("two".into(), Column::Text(text(2))),
        ("b".into(), Column::Number(b)),
    ];
    Features::Table(Table::new(columns).unwrap())
}

/// 1 where sin 3a says so, the other way round for one of the levels.
fn labels(features: &Features) -> Vec<f32> {
    let Features::Table(table) = features else { unreachable!("it is a table") };
    let Column::Number(a) = table.column("a").unwrap() else { unreachable!("it is a number") };
    let label = |(i, a): (usize, &f64)| f32::from(u8::from((2.0 * a).sin() > 0.0) ^ u8::from(i % 3 == 0));
    a.iter().enumerate().map(label).collect()
}

fn fitted(features: &Features) -> Preprocessor {
    let rows: Vec<u32> = (0..ROWS as u32).collect();
    Preprocessor::fit(features, &rows, &Recipe::TabM.preprocessing(false)).unwrap().0
}

fn network(recipe: Recipe, features: &Features, preprocessor: &Preprocessor) -> Network<f32> {
    let (layers, loss) =
        (recipe.layers(preprocessor, 32, Task::Binary, 2), recipe.loss(Task::Binary, Metric::Accuracy));
    let mut network = Network::with_layers(layers, loss, Initializer::Auto, 1).unwrap();
    let encoded = preprocessor.bind(features).unwrap();
    let labels = labels(features);
    let data = Dataset::new(Inputs::Encoded(&encoded), &labels, 1).unwrap();
    recipe.initialize(&mut network, preprocessor, &data, 3).unwrap();
    network
}

#[test]
fn inputs_and_start() {
    let features = table();
    let preprocessor = fitted(&features);
    let names = ["three=level 0", "three=level 1", "three=level 2", "three=(other)", "a", "two=level 1", "b"];
    assert_eq!(preprocessor.input_names()[..7], names);
    assert_eq!((preprocessor.width(), preprocessor.blocks()), (8, vec![4, 1, 1, 1, 1]));
    assert_eq!(preprocessor.untrained_inputs(), [3]);
    let network = network(Recipe::TabM, &features, &preprocessor);
    let mut ensembles = 0;
    for (l, layer) in network.layers().iter().enumerate() {
        let Layer::Ensemble(Ensemble { n_in, n_out, .. }) = *layer else { continue };
        let [r, w, s, b] = network.params.tensors(l);
        let bound = 1.0 / (n_in as f32).sqrt();
        let largest = w.iter().fold(0.0_f32, |largest, w| largest.max(w.abs()));
        assert!(largest <= bound && largest > 0.98 * bound, "{largest} of {bound}");
        assert!(b.chunks_exact(n_out).all(|member| member == &b[..n_out]) && b[0] != b[1]);
        assert!(s.iter().all(|&s| s == 1.0));
        ensembles += 1;
        if ensembles > 1 {
            assert!(r.iter().all(|&r| r == 1.0));
            continue;
        }
        assert!(r.iter().all(|&r| r.abs() == 1.0));
        let minus = r.iter().filter(|&&r| r < 0.0).count();
        assert!((80..176).contains(&minus), "{minus} of {}", r.len());
        // One sign for the levels of a column; an unseen level says nothing.
        assert!(r.chunks_exact(n_in).all(|r| r[..4] == [r[0]; 4]));
        assert!(w[3 * n_out..4 * n_out].iter().all(|&w| w == 0.0) && w[2 * n_out] != 0.0);
    }
    assert_eq!(ensembles, 3);
    assert_eq!((network.members(), network.n_out()), (K, 2));
}

/// The counts of the paper's formulas: one W a layer and little for each member.
#[test]
fn parameters() {
    let features = table();
    let preprocessor = fitted(&features);
    let (d, n) = (512, preprocessor.width());
    let shared = n * d + 2 * d * d;
    let heads = K * (d * 2 + 2);
    let of = |recipe| network(recipe, &features, &preprocessor).n_params();
    assert_eq!(of(Recipe::TabM), shared + K * (n + 2 * d + 3 * 2 * d) + heads);
    assert_eq!(of(Recipe::TabMMini), shared + 3 * d + K * n + heads);
}

/// A run of a recipe with smaller layers would be another one: few rows and epochs instead.
fn train(recipe: Recipe, config: &TrainConfig, threads: usize) -> Run<f32> {
    let features = table();
    let (preprocessor, labels) = (fitted(&features), labels(&features));
    let encoded = preprocessor.bind(&features).unwrap();
    let data = Dataset::new(Inputs::Encoded(&encoded), &labels, 1).unwrap();
    let (train, valid) =
        (data.subset(&(0..180).collect::<Vec<_>>()), data.subset(&(180..260).collect::<Vec<_>>()));
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
    pool.install(|| {
        let mut run = Run::new(network(recipe, &features, &preprocessor), config).unwrap();
        fit(&mut run, &train, Some(&valid), config, &mut |_| ControlFlow::Continue(())).unwrap();
        run
    })
}

fn config(recipe: Recipe, epochs: u64) -> TrainConfig {
    let base = recipe.training(&fitted(&table()), 180, Task::Binary, Metric::Accuracy, 0);
    assert_eq!((base.batch_size, base.batches), (BatchSize::Rows(32), Batches::Own));
    TrainConfig { epochs, ..base }
}

#[test]
fn a_training() {
    let run = train(Recipe::TabMMini, &config(Recipe::TabMMini, 12), 2);
    let best = run.history[run.best.epoch as usize - 1].valid_metric.unwrap();
    assert!(best > 0.85, "validation accuracy {best}");
    assert_eq!(run.history[0].step, 6, "the last batch has what is left");
}

#[test]
fn the_same_bits_on_one_thread_and_on_two() {
    for recipe in [Recipe::TabM, Recipe::TabMMini] {
        let config = config(recipe, 1);
        assert_eq!(train(recipe, &config, 1).best, train(recipe, &config, 2).best, "{}", recipe.name());
    }
}

#[test]
fn batches_grow_with_the_rows() {
    let inputs = fitted(&table());
    let batch = |rows| Recipe::TabM.training(&inputs, rows, Task::Regression, Metric::Rmse, 0).batch_size;
    assert_eq!(batch(2_799), BatchSize::Rows(32));
    assert_eq!(batch(2_800), BatchSize::Rows(64));
    assert_eq!(batch(107_999), BatchSize::Rows(512));
    assert_eq!(batch(10_000_000), BatchSize::Rows(1024));
}
