//! `testdata/corpus`: what NumPy computes for small networks of dense layers, against the engine in both precisions and against
//! the textbook, so that the two references are known to agree with each other.

use crate::engine::{check_close, compute, train};
use crate::textbook::{Batch, Matrix, Textbook, Vector};
use serde::Deserialize;
use wxb::trainer::TrainConfig;
use wxb::{Activation, Loss, Optimizer, Real};

#[derive(Deserialize)]
struct Corpus {
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    name: String,
    activations: Vec<Activation>,
    loss: Loss,
    optimizer: Optimizer,
    learning_rate: f64,
    l2: f64,
    l1: f64,
    weight_decay: f64,
    params: Numbers,
    x: Matrix,
    y: Matrix,
    weights: Option<Vector>,
    expected: Expected,
}

#[derive(Deserialize)]
struct Expected {
    #[serde(rename = "Z")]
    z: Vec<Matrix>,
    #[serde(rename = "A")]
    a: Vec<Matrix>,
    loss: f64,
    cost: f64,
    gradients: Numbers,
    params_after_3_updates: Numbers,
}

/// W1, b1, W2, b2, W3, b3: the networks of the corpus have two hidden layers.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(non_snake_case, reason = "the names in the file")]
struct Numbers {
    W1: Matrix,
    W2: Matrix,
    W3: Matrix,
    b1: Vector,
    b2: Vector,
    b3: Vector,
}

impl Numbers {
    fn w(&self) -> Vec<Matrix> {
        vec![self.W1.clone(), self.W2.clone(), self.W3.clone()]
    }

    fn b(&self) -> Vec<Vector> {
        vec![self.b1.clone(), self.b2.clone(), self.b3.clone()]
    }
}

impl Case {
    fn textbook(&self) -> Textbook {
        let (w, b, g) = (self.params.w(), self.params.b(), self.activations.clone());
        Textbook { w, b, g, loss: self.loss.clone(), l2: self.l2, l1: self.l1 }
    }

    fn batch(&self) -> Batch {
        let weights = self.weights.clone().unwrap_or_else(|| vec![1.0; self.x.len()]);
        Batch { x: self.x.clone(), y: self.y.clone(), weights }
    }
}

fn for_each_case(check: impl Fn(&Case)) {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../testdata/corpus");
    let mut count = 0;
    for file in ["activations.json", "losses.json", "optimizers.json"] {
        let text = std::fs::read_to_string(format!("{folder}/{file}"))
            .expect("the corpus is part of the repository");
        let corpus: Corpus = serde_json::from_str(&text).expect("a corpus file");
        count += corpus.cases.len();
        corpus.cases.iter().for_each(&check);
    }
    assert_eq!(count, 76);
}

/// The layers' matrices below each other: what [`check_close`] compares.
fn stacked(layers: &[Matrix]) -> Matrix {
    layers.concat()
}

#[test]
fn the_textbook_agrees_with_numpy() {
    for_each_case(|case| {
        let (book, batch, expected) = (case.textbook(), case.batch(), &case.expected);
        let ((z, a), gradients) = (book.forward(&batch.x), book.backward(&batch));
        let check = |what: &str, found: &Matrix, expected: &Matrix| {
            check_close(&format!("{}: {what}", case.name), found, expected, 1e-13);
        };
        check("Z", &stacked(&z), &stacked(&expected.z));
        check("A", &stacked(&a), &stacked(&expected.a));
        check("cost", &vec![vec![book.cost(&batch)]], &vec![vec![expected.cost]]);
        check("dW", &stacked(&gradients.dw), &stacked(&expected.gradients.w()));
        check("db", &gradients.db, &expected.gradients.b());
    });
}

fn check_engine<T: Real>(case: &Case, tolerance: f64, tolerance_of_updates: f64) {
    let (book, batch, expected) = (case.textbook(), case.batch(), &case.expected);
    let weighted = case.weights.is_some();
    let found = compute::<T>(&book, &batch, weighted);
    let check = |what: &str, found: &Matrix, expected: &Matrix, tolerance: f64| {
        check_close(&format!("{} in {}: {what}", case.name, T::NAME), found, expected, tolerance);
    };
    check("Z", &stacked(&found.z), &stacked(&expected.z), tolerance);
    check("A", &stacked(&found.a), &stacked(&expected.a), tolerance);
    check("loss", &vec![vec![found.loss]], &vec![vec![expected.loss]], tolerance);
    // The trainer adds the penalties; the gradients of one step are without.
    if (case.l2, case.l1) == (0.0, 0.0) {
        check("dW", &stacked(&found.dw), &stacked(&expected.gradients.w()), tolerance);
        check("db", &found.db, &expected.gradients.b(), tolerance);
    }
    let (optimizer, weight_decay) = (case.optimizer, Some(case.weight_decay));
    let config =
        TrainConfig { optimizer, lr: case.learning_rate, weight_decay, epochs: 3, ..TrainConfig::default() };
    let (w, b) = train::<T>(&book, &batch, weighted, &config);
    let after = &expected.params_after_3_updates;
    check("W after 3 updates", &stacked(&w), &stacked(&after.w()), tolerance_of_updates);
    check("b after 3 updates", &b, &after.b(), tolerance_of_updates);
}

#[test]
fn the_engine_agrees_with_numpy() {
    for_each_case(|case| {
        // A few dozen roundings of ε = 2.2e-16 or 1.2e-7; Adam and RMSProp divide by √s, where small gradients
        // lose some digits more.
        check_engine::<f64>(case, 1e-13, 1e-12);
        check_engine::<f32>(case, 1e-5, 1e-4);
    });
}
