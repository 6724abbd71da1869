//! The recipe RealMLP-TD: its start, its layers, and a training with it.
#![allow(clippy::unwrap_used, reason = "what the rows of the test share may fail a test, too")]

use std::ops::ControlFlow;

use wxb::data::target::Task;
use wxb::data::{Column, Dataset, Features, Inputs, Table, TextColumn};
use wxb::metrics::Metric;
use wxb::preprocess::Preprocessor;
use wxb::recipe::realmlp;
use wxb::rng::{Purpose, stream, unit};
use wxb::step::{Cache, Keep, Mode, forward};
use wxb::trainer::{Run, TrainConfig, fit};
use wxb::{Initializer, Layer, Network, Real};

const ROWS: usize = 700;

/// Two numbers, one of them with gaps, a text of three levels and one of forty.
fn table() -> Features {
    let mut rng = stream(5, Purpose::Sample, 0);
    let mut numbers = || (0..ROWS).map(|_| 4.0 * unit(&mut rng) - 2.0).collect::<Vec<f64>>();
    let (a, mut b) = (numbers(), numbers());
    b.iter_mut().step_by(9).for_each(|b| *b = f64::NAN);
    let text = |levels: usize, factor: usize| TextColumn {
        codes: (0..ROWS).map(|i| (i * factor % levels) as u32).collect(),
        levels: (0..levels).map(|level| format!("level {level:02}")).collect(),
    };
    let columns = vec![
        ("many".into(), Column::Text(text(40, 7))),
        ("a".into(), Column::Number(a)),
        ("few".into(), Column::Text(text(3, 5))),
        ("b".into(), Column::Number(b)),
    ];
    Features::Table(Table::new(columns).unwrap())
}

/// 1 where sin 3a says so or the level is one of some: waves and embeddings have something to learn.
fn labels(features: &Features) -> Vec<f32> {
    let Features::Table(table) = features else { unreachable!("it is a table") };
    let (Column::Number(a), Column::Text(many)) = (table.column("a").unwrap(), table.column("many").unwrap())
    else {
        unreachable!("the kinds are known")
    };
    let label =
        |(a, code): (&f64, &u32)| f32::from(u8::from((3.0 * a).sin() > 0.0) ^ u8::from(code % 5 == 0));
    a.iter().zip(&many.codes).map(label).collect()
}

fn fitted(features: &Features) -> Preprocessor {
    let rows: Vec<u32> = (0..ROWS as u32).collect();
    Preprocessor::fit(features, &rows, &realmlp::preprocessing(false)).unwrap().0
}

fn network<T: Real>(preprocessor: &Preprocessor) -> Network<T> {
    let layers = realmlp::layers(preprocessor.groups(), Task::Binary, 2);
    Network::with_layers(layers, realmlp::loss(Task::Binary, Metric::Accuracy), Initializer::Auto, 1).unwrap()
}

#[test]
fn inputs_and_layers() {
    let features = table();
    let preprocessor = fitted(&features);
    let groups = preprocessor.groups();
    assert_eq!((groups.numbers, groups.others, groups.rows, groups.levels), (2, 4, 1, 41));
    let names = ["a", "b", "few=level 00", "few=level 01", "few=level 02", "b=(missing)", "many"];
    assert_eq!(preprocessor.input_names(), names);
    assert_eq!(preprocessor.features(), 4);
    let mut x = vec![0.0_f64; 7];
    let encoded = preprocessor.bind(&features).unwrap();
    encoded.gather(&[9], &mut x);
    assert_eq!((x[5], x[6]), (1.0, 1.0 + f64::from(9 * 7 % 40)));
    assert!(x.iter().take(5).all(|x| x.abs() < 3.0), "{x:?}");
    let network = network::<f32>(&preprocessor);
    let widths: Vec<usize> = network
        .layers()
        .iter()
        .scan(7, |n, layer| {
            *n = layer.n_out(*n);
            Some(*n)
        })
        .collect();
    assert_eq!(widths, [14, 20, 20, 256, 256, 256, 256, 256, 256, 256, 256, 256, 2]);
}

/// Each unit has mean square 1 around its mean, and takes both signs.
#[test]
fn the_start_follows_the_data() {
    let features = table();
    let (preprocessor, labels) = (fitted(&features), labels(&features));
    let encoded = preprocessor.bind(&features).unwrap();
    let data = Dataset::new(Inputs::Encoded(&encoded), &labels, 1).unwrap();
    let mut network = network::<f32>(&preprocessor);
    realmlp::initialize(&mut network, &data, 3).unwrap();
    let mut cache = Cache::new(&network, ROWS, Keep::Needed);
    data.load(data.rows(), &mut cache);
    forward(&network, &mut cache, ROWS, Mode::Predicting);
    for (l, layer) in network.layers().iter().enumerate() {
        let Layer::Dense { n_out, .. } = *layer else { continue };
        for j in 0..n_out {
            let z: Vec<f64> = cache.a(l).iter().skip(j).step_by(n_out).map(|z| f64::from(*z)).collect();
            let mean = z.iter().sum::<f64>() / ROWS as f64;
            let variance = z.iter().map(|z| (z - mean).powi(2)).sum::<f64>() / ROWS as f64;
            assert!((variance - 1.0).abs() < 1e-4, "layer {l}, unit {j}: {variance}");
            assert!(z.iter().any(|&z| z > 0.0) && z.iter().any(|&z| z < 0.0), "layer {l}, unit {j}");
        }
    }
}

/// A run with the recipe on 550 rows, validated on the other 150.
fn train(config: &TrainConfig, threads: usize) -> Run<f32> {
    let features = table();
    let (preprocessor, labels) = (fitted(&features), labels(&features));
    let encoded = preprocessor.bind(&features).unwrap();
    let data = Dataset::new(Inputs::Encoded(&encoded), &labels, 1).unwrap();
    let (train, valid) =
        (data.subset(&(0..550).collect::<Vec<_>>()), data.subset(&(550..700).collect::<Vec<_>>()));
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
    pool.install(|| {
        let mut network = network::<f32>(&preprocessor);
        realmlp::initialize(&mut network, &train, 0).unwrap();
        let mut run = Run::new(network, config).unwrap();
        fit(&mut run, &train, Some(&valid), config, &mut |_| ControlFlow::Continue(())).unwrap();
        run
    })
}

/// It learns what neither a linear model nor the waves or the categories alone can tell.
#[test]
fn a_training() {
    let run = train(&realmlp::training(Task::Binary, Metric::Accuracy, 0), 2);
    assert_eq!(run.history.last().unwrap().step, 2 * 256, "two whole batches an epoch");
    let best = run.history[run.best.epoch as usize - 1].valid_metric.unwrap();
    assert!(best > 0.85, "validation accuracy {best}");
}

#[test]
fn the_same_bits_on_one_thread_and_on_two() {
    let config = TrainConfig { epochs: 6, ..realmlp::training(Task::Binary, Metric::Accuracy, 0) };
    assert_eq!(train(&config, 1).best, train(&config, 2).best);
}
