//! The recipes RealMLP-TD, the simple RealMLP-TD-S, and deep, several of the like side by side: inputs, layers, start, and a training with each.
#![allow(clippy::unwrap_used, reason = "what the rows of the test share may fail a test, too")]

use std::ops::ControlFlow;

use wxb::data::target::Task;
use wxb::data::{Column, Dataset, Features, Inputs, Table, TextColumn};
use wxb::metrics::Metric;
use wxb::preprocess::Preprocessor;
use wxb::recipe::Recipe;
use wxb::rng::{Purpose, stream, unit};
use wxb::step::{Cache, Keep, Mode, forward};
use wxb::trainer::{Run, TrainConfig, fit};
use wxb::{Initializer, Layer, Loss, Network};

const ROWS: usize = 700;
const MEMBERS: usize = 3;
const RECIPES: [Recipe; 3] = [Recipe::RealMlp, Recipe::RealMlpS, Recipe::Deep];

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

fn fitted(recipe: Recipe, features: &Features) -> Preprocessor {
    let rows: Vec<u32> = (0..ROWS as u32).collect();
    Preprocessor::fit(features, &rows, &recipe.preprocessing(false)).unwrap().0
}

/// With three members where there may be some.
fn network(recipe: Recipe, preprocessor: &Preprocessor) -> Network<f32> {
    let loss = recipe.loss(Task::Binary, Metric::Accuracy);
    let n_out = if let Loss::BinaryCrossEntropy { .. } = loss { 1 } else { 2 };
    let layers = recipe.layers(preprocessor, MEMBERS, Task::Binary, n_out);
    Network::with_layers(layers, loss, Initializer::Auto, 1).unwrap()
}

/// The widths after each layer.
fn widths(network: &Network<f32>) -> Vec<usize> {
    let after = |n: &mut usize, layer: &Layer| {
        *n = layer.n_out(*n);
        Some(*n)
    };
    network.layers().iter().scan(network.n_in(), after).collect()
}

#[test]
fn inputs_and_layers() {
    let features = table();
    let preprocessor = fitted(Recipe::RealMlp, &features);
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
    let network = network(Recipe::RealMlp, &preprocessor);
    assert_eq!(widths(&network), [14, 20, 20, 256, 256, 256, 256, 256, 256, 256, 256, 256, 2]);
}

/// Each number has two scales, normal scores and standard deviations, and each of them waves.
#[test]
fn inputs_and_layers_of_deep() {
    let features = table();
    let preprocessor = fitted(Recipe::Deep, &features);
    let groups = preprocessor.groups();
    assert_eq!((groups.numbers, groups.others, groups.rows, groups.levels), (4, 4, 1, 41));
    let names =
        ["a", "a (again)", "b", "b (again)", "few=level 00", "few=level 01", "few=level 02", "b=(missing)"];
    assert_eq!(preprocessor.input_names()[..8], names);
    assert_eq!(preprocessor.features(), 4);
    let network = network(Recipe::Deep, &preprocessor);
    let hidden = [256, 256, 256];
    let expected: Vec<usize> = [16, 28, 28, 28].into_iter().chain([hidden; 3].concat()).chain([1]).collect();
    assert_eq!(widths(&network), expected);
    assert_eq!(network.members(), MEMBERS);
}

/// Each unit of each member has mean square 1 around its mean, and takes both signs; no two members are alike.
#[test]
fn the_start_follows_the_data() {
    [Recipe::RealMlp, Recipe::Deep].into_iter().for_each(check_start);
}

/// Levels are inputs, W and b are random with the variances 1/n_in and 1, and every logit is 0.
#[test]
fn the_simple_one() {
    let features = table();
    let (preprocessor, labels) = (fitted(Recipe::RealMlpS, &features), labels(&features));
    let groups = preprocessor.groups();
    assert_eq!((groups.numbers, groups.others, groups.rows), (2, 40 + 3 + 1, 0));
    let mut network = network(Recipe::RealMlpS, &preprocessor);
    assert_eq!(widths(&network), [46, 256, 256, 256, 2]);
    let encoded = preprocessor.bind(&features).unwrap();
    let data = Dataset::new(Inputs::Encoded(&encoded), &labels, 1).unwrap();
    Recipe::RealMlpS.initialize(&mut network, &preprocessor, &data, 3).unwrap();
    for l in 1..=4 {
        let (w, b) = network.params.dense(l);
        let square = |v: &[f32]| v.iter().map(|v| f64::from(v * v)).sum::<f64>() / v.len() as f64;
        let n_in = network.layers()[l].n_in().unwrap() as f64;
        let (of_w, of_b) = (square(w) * n_in, square(b));
        match l {
            4 => assert_eq!((of_w, of_b), (0.0, 0.0)),
            _ => assert!((of_w - 1.0).abs() < 0.05 && (of_b - 1.0).abs() < 0.4, "{of_w} {of_b}"),
        }
    }
    let config = config(Recipe::RealMlpS);
    assert_eq!((config.lr, config.weight_decay), (0.04, Some(0.0)));
}

fn check_start(recipe: Recipe) {
    let features = table();
    let (preprocessor, labels) = (fitted(recipe, &features), labels(&features));
    let encoded = preprocessor.bind(&features).unwrap();
    let data = Dataset::new(Inputs::Encoded(&encoded), &labels, 1).unwrap();
    let mut network = network(recipe, &preprocessor);
    recipe.initialize(&mut network, &preprocessor, &data, 3).unwrap();
    let mut cache = Cache::new(&network, ROWS, Keep::Needed);
    data.load(data.rows(), &mut cache);
    forward(&network, &mut cache, ROWS, Mode::Predicting);
    for (l, layer) in network.layers().iter().enumerate() {
        let Some([_, n_out]) = layer.units() else { continue };
        let of_member = cache.a(l).chunks_exact(ROWS * n_out);
        assert_eq!(of_member.len(), network.members());
        let (first, others) = cache.a(l).split_at(ROWS * n_out);
        assert!(others.chunks_exact(ROWS * n_out).all(|other| other != first), "{recipe:?}, layer {l}");
        for (member, j) in (0..network.members()).flat_map(|member| (0..n_out).map(move |j| (member, j))) {
            let rows = &cache.a(l)[member * ROWS * n_out..][..ROWS * n_out];
            let z: Vec<f64> = rows.iter().skip(j).step_by(n_out).map(|z| f64::from(*z)).collect();
            let mean = z.iter().sum::<f64>() / ROWS as f64;
            let variance = z.iter().map(|z| (z - mean).powi(2)).sum::<f64>() / ROWS as f64;
            assert!((variance - 1.0).abs() < 1e-4, "{recipe:?}, layer {l}, unit {j}: {variance}");
            assert!(z.iter().any(|&z| z > 0.0) && z.iter().any(|&z| z < 0.0), "layer {l}, unit {j}");
        }
    }
}

/// A run with the recipe on 550 rows, validated on the other 150.
fn train(recipe: Recipe, config: &TrainConfig, threads: usize) -> Run<f32> {
    let features = table();
    let (preprocessor, labels) = (fitted(recipe, &features), labels(&features));
    let encoded = preprocessor.bind(&features).unwrap();
    let data = Dataset::new(Inputs::Encoded(&encoded), &labels, 1).unwrap();
    let (train, valid) =
        (data.subset(&(0..550).collect::<Vec<_>>()), data.subset(&(550..700).collect::<Vec<_>>()));
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
    pool.install(|| {
        let mut network = network(recipe, &preprocessor);
        recipe.initialize(&mut network, &preprocessor, &train, 0).unwrap();
        let mut run = Run::new(network, config).unwrap();
        fit(&mut run, &train, Some(&valid), config, &mut |_| ControlFlow::Continue(())).unwrap();
        run
    })
}

fn config(recipe: Recipe) -> TrainConfig {
    recipe.training(&fitted(recipe, &table()), 550, Task::Binary, Metric::Accuracy, 0)
}

/// It learns what neither a linear model nor the waves or the categories alone can tell.
#[test]
fn a_training() {
    for recipe in RECIPES {
        let config = config(recipe);
        let run = train(recipe, &config, 2);
        let steps = run.history.last().unwrap().step;
        assert_eq!(
            steps,
            run.epoch * (550 / config.batch_rows(550)) as u64,
            "{recipe:?}: whole batches alone"
        );
        let best = run.history[run.best.epoch as usize - 1].valid_metric.unwrap();
        // A linear model has 0.5 and the wave alone 0.8. The simple network has an input for each of the forty levels, of 14
        // rows each, and no waves.
        let least = if recipe == Recipe::RealMlpS { 0.7 } else { 0.85 };
        assert!(best > least, "{recipe:?}: validation accuracy {best}");
    }
}

#[test]
fn the_same_bits_on_one_thread_and_on_two() {
    for recipe in RECIPES {
        let config = TrainConfig { epochs: 6, ..config(recipe) };
        assert_eq!(train(recipe, &config, 1).best, train(recipe, &config, 2).best, "{recipe:?}");
    }
}
