//! Regressions without hidden layers by L-BFGS in f64: the coefficients that scikit-learn finds.
//!
//! `testdata/make_logistic.py` made the reference and says how λ translates.

use std::ops::ControlFlow;
use std::path::PathBuf;

use serde::Deserialize;
use wxb::data::{Column, Dataset, Features, Inputs};
use wxb::lbfgs::LbfgsConfig;
use wxb::ndarray::Array2;
use wxb::network::dense_layers;
use wxb::step::{Cache, Keep, Mode, forward};
use wxb::trainer::{Run, Stop, TrainConfig, fit};
use wxb::{Initializer, Loss, Network, Optimizer, Real};
use wxb_io::{ReadOptions, Source, read};

#[derive(Deserialize)]
struct Reference {
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    data: String,
    target: String,
    /// All, if there are none.
    columns: Option<Vec<String>>,
    loss: LossName,
    lambda: f64,
    balanced: bool,
    /// (inputs, outputs)
    w: Vec<Vec<f64>>,
    b: Vec<f64>,
}

#[derive(Clone, Copy, Debug, Deserialize, PartialEq)]
#[serde(rename_all = "snake_case")]
enum LossName {
    BinaryCrossEntropy,
    CrossEntropy,
    SquaredError,
    Poisson,
}

impl LossName {
    fn loss(self) -> Loss {
        match self {
            LossName::BinaryCrossEntropy => Loss::BINARY,
            LossName::CrossEntropy => Loss::SOFTMAX,
            LossName::SquaredError => Loss::SquaredError,
            LossName::Poisson => Loss::Poisson,
        }
    }
}

/// Columns of numbers by name, and the target as numbers: text becomes its place in the sorted classes.
struct Data {
    columns: Vec<(String, Vec<f64>)>,
    y: Vec<f64>,
}

fn testdata(file: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..").join(file)
}

fn load(data: &str, target: &str) -> Data {
    let file =
        if data == "digits" { "examples/digits.npz" } else { &format!("testdata/logistic/{data}.csv.gz") };
    let loaded = read(&Source::Path(testdata(file)), &ReadOptions::default()).expect("a readable file");
    match loaded.features {
        Features::Table(mut table) => {
            let y = numbers(&table.take(target).expect("the target"));
            let columns = table.iter().map(|(name, column)| (name.to_owned(), numbers(column))).collect();
            Data { columns, y }
        }
        Features::Matrix(matrix) => {
            let column = |j| (0..matrix.rows()).map(|i| matrix.get(i, j)).collect();
            let columns = (0..matrix.columns()).map(|j| (j.to_string(), column(j))).collect();
            Data { columns, y: numbers(&loaded.labels.expect("labels")) }
        }
    }
}

fn numbers(column: &Column) -> Vec<f64> {
    match column {
        Column::Number(values) => values.clone(),
        Column::Text(text) => {
            let values: Vec<&str> =
                (0..text.codes.len()).map(|i| text.get(i).expect("no missing target")).collect();
            let mut classes = values.clone();
            classes.sort_unstable();
            classes.dedup();
            values
                .iter()
                .map(|value| classes.iter().position(|class| class == value).expect("its class") as f64)
                .collect()
        }
    }
}

/// (x − mean) / deviation, the deviation of the population; a constant column becomes 0.
fn standardise(x: &mut [f64]) {
    let m = x.len() as f64;
    let mean = x.iter().sum::<f64>() / m;
    let deviation = (x.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / m).sqrt();
    x.iter_mut().for_each(|x| *x = if deviation > 0.0 { (*x - mean) / deviation } else { 0.0 });
}

/// X (rows, columns) standardised, targets, weights of the rows (all 1 unless balanced).
struct Problem<T> {
    x: Array2<T>,
    y: Vec<T>,
    weights: Vec<T>,
}

fn problem<T: Real>(case: &Case) -> Problem<T> {
    let mut data = load(&case.data, &case.target);
    if let Some(columns) = &case.columns {
        data.columns.retain(|(name, _)| columns.contains(name));
    }
    data.columns.iter_mut().for_each(|(_, x)| standardise(x));
    let shape = (data.y.len(), data.columns.len());
    let weights = if case.balanced { balanced(&data.y) } else { vec![1.0; shape.0] };
    let narrow = |values: &[f64]| values.iter().map(|&v| T::of(v)).collect();
    let x = Array2::from_shape_fn(shape, |(i, j)| T::of(data.columns[j].1[i]));
    Problem { x, y: narrow(&data.y), weights: narrow(&weights) }
}

/// m / (classes · rows of the class)
fn balanced(y: &[f64]) -> Vec<f64> {
    let classes = 1.0 + y.iter().fold(0.0_f64, |most, &y| most.max(y));
    let rows = |class: f64| y.iter().filter(|&&y| y == class).count() as f64;
    y.iter().map(|&class| y.len() as f64 / (classes * rows(class))).collect()
}

/// A network without hidden layers, trained from zeros by L-BFGS; the loss it ends at.
fn minimise<T: Real>(
    case: &Case,
    problem: &Problem<T>,
    lambda: f64,
    epochs: u64,
    gradient_tolerance: f64,
) -> (Network<T>, f64) {
    let layers = dense_layers(&[problem.x.ncols(), case.b.len()], &[], 0.0).expect("layers that fit");
    let network = Network::with_layers(layers, case.loss.loss(), Initializer::Zeros, 0).expect("a network");
    let data = Dataset::new(Inputs::Dense(problem.x.view()), &problem.y, 1)
        .and_then(|data| data.with_weights(&problem.weights))
        .expect("a target and a weight for each row");
    let optimizer = Optimizer::Lbfgs(LbfgsConfig { gradient_tolerance, ..LbfgsConfig::default() });
    let config = TrainConfig { optimizer, l2: lambda, epochs, ..TrainConfig::default() };
    let mut run = Run::new(network, &config).expect("settings in range");
    let stop =
        fit(&mut run, &data, None, &config, &mut |_| ControlFlow::Continue(())).expect("data that fits");
    assert!(matches!(stop, Stop::Converged { .. } | Stop::Epochs), "{}: {stop:?}", case.data);
    let loss = run.history.last().expect("an epoch").train_loss;
    (run.network, loss)
}

/// W and b by output; softmax is the same for any number added to all of its outputs, so their mean is removed.
fn coefficients(w: &[f64], b: &[f64], loss: LossName) -> Vec<Vec<f64>> {
    let mut rows: Vec<Vec<f64>> = w.chunks_exact(b.len()).chain([b]).map(<[f64]>::to_vec).collect();
    if loss == LossName::CrossEntropy {
        for row in &mut rows {
            let mean = row.iter().sum::<f64>() / row.len() as f64;
            row.iter_mut().for_each(|v| *v -= mean);
        }
    }
    rows
}

/// The largest error of a coefficient, relative to scikit-learn's; where that is less than `small` of the largest
/// coefficient, relative to so much of it.
fn worst<T: Real>(case: &Case, gradient_tolerance: f64, small: f64) -> f64 {
    let (network, _) = minimise(case, &problem::<T>(case), case.lambda, 5000, gradient_tolerance);
    let flat: Vec<f64> = network.params.flat.iter().map(|v| v.f64()).collect();
    let (w, b) = flat.split_at(flat.len() - case.b.len());
    let found = coefficients(w, b, case.loss).concat();
    let expected = coefficients(&case.w.concat(), &case.b, case.loss).concat();
    assert_eq!(found.len(), expected.len(), "{}", case.data);
    let largest = expected.iter().fold(0.0_f64, |most, e| most.max(e.abs()));
    let off = |(f, e): (&f64, &f64)| (f - e).abs() / e.abs().max(small * largest);
    found.iter().zip(&expected).map(off).fold(0.0, f64::max)
}

fn reference() -> Vec<Case> {
    let file = testdata("testdata/logistic/coefficients.json");
    let text = std::fs::read_to_string(file).expect("part of the repository");
    serde_json::from_str::<Reference>(&text).expect("the reference").cases
}

fn check<T: Real>(gradient_tolerance: f64, small: f64, most: f64) {
    let cases = reference();
    assert_eq!(cases.len(), 10);
    for case in &cases {
        let off = worst::<T>(case, gradient_tolerance, small);
        let name = format!("{}, {:?}, λ {}, in {}", case.data, case.loss, case.lambda, T::NAME);
        assert!(off <= most, "{name}: a coefficient is off by {off:.1e}");
    }
}

/// With the default tolerance; coefficients below a thousandth of the largest are compared with that thousandth.
#[test]
fn coefficients_are_those_of_scikit_learn() {
    check::<f64>(LbfgsConfig::default().gradient_tolerance, 1e-3, 1e-4);
}

#[test]
fn a_smaller_tolerance_brings_more_digits() {
    check::<f64>(1e-12, 1e-3, 1e-5);
}

/// In f32 the loss is flat to its last digit long before the coefficients are right: two digits of the largest one
/// is what it guarantees where columns nearly depend on each other.
#[test]
fn coefficients_in_f32() {
    check::<f32>(LbfgsConfig::default().gradient_tolerance, 1.0, 1e-2);
}

/// All columns and no L2: the classes can be separated, so there is no optimum, and scikit-learn's coefficients are
/// where its solver happened to stop. What is true instead: the loss goes to its infimum, 0, with every row on its
/// side (which shows that the data is separable), and nothing overflows on the way.
#[test]
fn without_an_optimum_the_loss_still_goes_to_zero() {
    for case in reference() {
        let separable = matches!(case.loss, LossName::BinaryCrossEntropy | LossName::CrossEntropy);
        if !separable || case.lambda == 0.0 || case.balanced {
            continue;
        }
        let problem = problem::<f64>(&case);
        let (network, cost) = minimise(&case, &problem, 0.0, 1000, 1e-8);
        assert!(cost < 1e-6, "{}: {cost}", case.data);
        assert!(network.params.first_non_finite().is_none(), "{}", case.data);
        let mut cache = Cache::new(&network, problem.y.len(), Keep::Needed);
        cache.x = problem.x.iter().copied().collect();
        forward(&network, &mut cache, problem.y.len(), Mode::Predicting);
        let right = |(z, y): (&[f64], &f64)| match z {
            [z] => (*z > 0.0) == (*y == 1.0),
            z => z.iter().enumerate().all(|(j, other)| j == *y as usize || *other < z[*y as usize]),
        };
        assert!(cache.logits().chunks_exact(network.n_out()).zip(&problem.y).all(right), "{}", case.data);
    }
}
