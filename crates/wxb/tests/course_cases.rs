//! The function-level cases of the deeplearning.ai exercises (`../shared/course/cases.json`, beside the
//! repository), each through wxb's own functions, in both precisions, at its stated tolerance.
//!
//! The course writes one example per column: X (n, m), W (units, inputs), b (units, 1), Z = W A + b. wxb writes
//! one per row: A (m, n), W (inputs, units), Z = A W + b. So a course matrix is transposed on its way in
//! ([`rows`]), and a result on its way out ([`columns`]).

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;
use wxb::cpu::{self, Dense};
use wxb::ndarray::{Array, Array2, ArrayD, Dimension, IxDyn, NdFloat};
use wxb::optimizer::Step;
use wxb::step::{self, Cache, Keep, Mode};
use wxb::{Activation, Initializer, Loss, Network, Optimizer, Params, Real, array};

/// Both precisions: wxb's and `ndarray`'s idea of them.
trait Float: Real + NdFloat {}
impl Float for f32 {}
impl Float for f64 {}

/// Results by the name that the case gives them.
type Results = BTreeMap<&'static str, ArrayD<f64>>;

// ---- in: the nested lists of a case

/// An array of any rank; a number is one of rank 0.
fn tensor<T: Float>(value: &Value) -> ArrayD<T> {
    let (mut shape, mut numbers, mut inner) = (vec![], vec![], value);
    while let Some(list) = inner.as_array() {
        shape.push(list.len());
        inner = &list[0];
    }
    flatten(value, &mut numbers);
    ArrayD::from_shape_vec(shape, numbers).expect("the lists of a case are rectangular")
}

fn flatten<T: Float>(value: &Value, numbers: &mut Vec<T>) {
    match value {
        Value::Array(list) => list.iter().for_each(|item| flatten(item, numbers)),
        number => numbers.push(T::of(number.as_f64().expect("a number"))),
    }
}

fn matrix<T: Float>(value: &Value) -> Array2<T> {
    tensor(value).into_dimensionality().expect("two axes")
}

fn list<T: Float>(value: &Value) -> Vec<T> {
    tensor(value).into_iter().collect()
}

/// A course matrix (n, m) as wxb's rows (m, n).
fn rows<T: Float>(value: &Value) -> Vec<T> {
    matrix(value).t().iter().copied().collect()
}

// ---- out: the course's shapes

fn course<T: Float, D: Dimension>(array: Array<T, D>) -> ArrayD<f64> {
    array.mapv(Real::f64).into_dyn()
}

/// wxb's rows (m, n) as a course matrix (n, m).
fn columns<T: Float>(m: usize, n: usize, values: &[T]) -> ArrayD<f64> {
    let rows = Array2::from_shape_vec((m, n), values[..m * n].to_vec()).expect("as many as the shape says");
    course(rows.reversed_axes())
}

fn number(value: f64) -> ArrayD<f64> {
    ArrayD::from_elem(IxDyn(&[]), value)
}

// ---- the cases, by the name of their function

fn results<T: Float>(case: &Value) -> Results {
    let (id, input) = (case["id"].as_str().expect("an id"), &case["input"]);
    match case["function"].as_str().expect("a function") {
        "sigmoid" => elementwise(input, "s", |z: T| Activation::Sigmoid.apply(z)),
        "sigmoid_derivative" => {
            elementwise(input, "ds", |z: T| Activation::Sigmoid.derivative(z, Activation::Sigmoid.apply(z)))
        }
        "image2vector" => {
            let image = tensor::<T>(&input["image"]);
            let column = array::reshape(&image, (image.len(), 1)).expect("as many elements");
            [("v", course(column.into_owned()))].into()
        }
        "normalizeRows" => {
            let x = matrix::<T>(&input["x"]);
            let norms = array::norm_keepdims(&x, 1).expect("it has an axis 1");
            [("norms", course(norms)), ("y", course(array::normalize_rows(&x)))].into()
        }
        "softmax" => [("s", softmax::<T>(input))].into(),
        "dot" | "outer" | "multiply" => products::<T>(input),
        "L1" => row_loss::<T>(input, &Loss::AbsoluteError, 1.0),
        "L2" => row_loss::<T>(input, &Loss::SquaredError, 2.0), // wxb's has the factor ½
        "initialize_with_zeros" => initialize_with_zeros::<T>(input),
        "initialize_parameters" => initialize_parameters::<T>(case),
        "propagate" => propagate::<T>(input),
        "optimize" => optimize::<T>(input),
        "predict" => predict::<T>(input),
        "linear_forward" => linear_forward::<T>(input),
        "linear_activation_forward" => linear_activation_forward::<T>(input),
        "L_model_forward" => model_forward::<T>(input),
        "binary cross entropy" => cost::<T>(input),
        "linear_backward" => linear_backward(input, rows::<T>(&input["dZ"])),
        "linear_activation_backward" => linear_activation_backward::<T>(input),
        "gradient descent update" => update::<T>(input),
        other => panic!("{id}: no function {other}"),
    }
}

fn elementwise<T: Float>(input: &Value, name: &'static str, f: impl Fn(T) -> T) -> Results {
    [(name, course(tensor::<T>(&input["x"]).mapv(f)))].into()
}

/// By [`array::softmax`]; the link of the loss has to agree with it.
fn softmax<T: Float>(input: &Value) -> ArrayD<f64> {
    let x = matrix::<T>(&input["x"]);
    let s = array::softmax(&x, 1).expect("it has an axis 1");
    for (x, s) in x.rows().into_iter().zip(s.rows()) {
        let mut z = x.to_vec();
        Loss::SOFTMAX.apply_link(&mut z);
        assert!(z.iter().zip(s).all(|(&z, &s)| Real::abs(z - s) <= T::of(4.0) * <T as Real>::EPSILON));
    }
    course(s)
}

fn products<T: Float>(input: &Value) -> Results {
    let (x, y) = (tensor::<T>(&input["x"]), tensor::<T>(&input["y"]));
    [
        ("dot", course(array::dot(&x, &y).expect("one length"))),
        ("outer", course(array::outer(&x, &y))),
        ("mul", course(array::multiply(&x, &y).expect("one length"))),
    ]
    .into()
}

/// The loss of one row of outputs: a sum over them.
fn row_loss<T: Float>(input: &Value, loss: &Loss, factor: f64) -> Results {
    let (z, y) = (list::<T>(&input["yhat"]), list::<T>(&input["y"]));
    let value = loss.row(&z, &y, &mut vec![T::ZERO; z.len()]);
    [("loss", number(factor * value.f64()))].into()
}

/// A network of the course's parameters: for each layer W (units, inputs) and b.
fn network<T: Float>(layers: &[(&Value, &Value)], activation: Activation, loss: Loss) -> Network<T> {
    let weights: Vec<Array2<T>> = layers.iter().map(|(w, _)| matrix(w)).collect();
    let mut sizes = vec![weights[0].ncols()];
    sizes.extend(weights.iter().map(Array2::nrows));
    let mut network = Network::new(&sizes, activation, loss, Initializer::Zeros, 0).expect("sizes above 0");
    for (layer, (w, b)) in layers.iter().enumerate() {
        let (w_out, b_out) = network.params.dense_mut(layer);
        w_out.copy_from_slice(&rows(w));
        b_out.copy_from_slice(&list(b));
    }
    network
}

/// The course's logistic regression keeps w as a column (n, 1): W is its transpose (1, n).
fn logistic<T: Float>(input: &Value) -> Network<T> {
    let w = matrix::<f64>(&input["w"]);
    let w: Value = vec![w.column(0).to_vec()].into();
    network(&[(&w, &input["b"])], Activation::Identity, Loss::BINARY)
}

/// The network after a forward pass over X (n, m), with every Z kept; and m.
fn passed<T: Float>(network: &Network<T>, x: &Value) -> (Cache<T>, usize) {
    let m = matrix::<T>(x).ncols();
    let mut cache = Cache::new(network, m, Keep::AllZ);
    cache.x.copy_from_slice(&rows(x));
    step::forward(network, &mut cache, m, Mode::Predicting);
    (cache, m)
}

/// Cost and gradients of one batch.
fn gradients<T: Float>(network: &Network<T>, input: &Value) -> (f64, Params<T>) {
    let (mut cache, m) = passed(network, &input["X"]);
    cache.y.copy_from_slice(&rows(&input["Y"]));
    let mut grads = Params::zeros(network.layers()).expect("the network has them");
    let (cost, _) = step::loss(network, &mut cache, m);
    step::backward(network, &mut cache, m, &mut grads);
    (cost, grads)
}

fn weights_of_one_unit<T: Float>(params: &Params<T>, names: [&'static str; 2]) -> Results {
    let (w, b) = params.dense(0);
    [(names[0], columns(1, w.len(), w)), (names[1], number(b[0].f64()))].into()
}

fn initialize_with_zeros<T: Float>(input: &Value) -> Results {
    let dim = input["dim"].as_u64().expect("a size") as usize;
    let network = Network::<T>::new(&[dim, 1], Activation::Identity, Loss::BINARY, Initializer::Zeros, 0)
        .expect("above 0");
    weights_of_one_unit(&network.params, ["w", "b"])
}

/// W = randn · 0.01, b = 0. The printed numbers are draws of NumPy's Mersenne twister, which wxb does not have, so
/// this is what can be said honestly: fed with the twister's draws, the formula gives the printed numbers and
/// the network holds them in the course's shapes; wxb's own draws have their shape, mean and deviation.
fn initialize_parameters<T: Float>(case: &Value) -> Results {
    let (expected, scale) = (&case["expected"], case["input"]["scale"].as_f64().expect("a scale"));
    let printed = |name: &str| expected[name]["recomputed"].clone();
    let layers = [(printed("W1"), printed("b1")), (printed("W2"), printed("b2"))];
    let given = network::<T>(&layers.each_ref().map(|(w, b)| (w, b)), Activation::Tanh, Loss::BINARY);

    let drawn =
        Network::<T>::new(&[300, 200, 1], Activation::Tanh, Loss::BINARY, Initializer::Normal { scale }, 1);
    let params = drawn.expect("sizes above 0").params;
    let (w, b) = params.dense(0);
    let n = w.len() as f64;
    let mean = w.iter().map(|w| w.f64()).sum::<f64>() / n;
    let deviation = (w.iter().map(|w| w.f64().powi(2)).sum::<f64>() / n).sqrt();
    // Five standard errors.
    assert!(mean.abs() < 5.0 * scale / n.sqrt(), "mean {mean}");
    assert!((deviation / scale - 1.0).abs() < 5.0 / (2.0 * n).sqrt(), "deviation {deviation}");
    assert!(b.iter().all(|&b| b == T::ZERO));

    let (w1, b1) = given.params.dense(0);
    let (w2, b2) = given.params.dense(1);
    let (w1, w2) = (columns(2, 2, w1), columns(2, 1, w2));
    [("W1", w1), ("b1", columns(1, 2, b1)), ("W2", w2), ("b2", columns(1, 1, b2))].into()
}

fn propagate<T: Float>(input: &Value) -> Results {
    let (cost, grads) = gradients(&logistic::<T>(input), input);
    let mut results = weights_of_one_unit(&grads, ["dw", "db"]);
    results.insert("cost", number(cost));
    results
}

fn optimize<T: Float>(input: &Value) -> Results {
    let mut network = logistic::<T>(input);
    let lr = input["learning_rate"].as_f64().expect("a learning rate");
    let mut grads = Params::zeros(network.layers()).expect("the network has them");
    for t in 1..=input["iterations"].as_u64().expect("a number of steps") {
        (_, grads) = gradients(&network, input);
        let step = Step { lr, t, weight_decay: 0.0, epsilon: 1.0 };
        Optimizer::Sgd.update(step, &mut network.params.flat, &grads.flat, &mut [], &mut []);
    }
    let mut results = weights_of_one_unit(&network.params, ["w", "b"]);
    results.extend(weights_of_one_unit(&grads, ["dw", "db"]));
    results
}

fn predict<T: Float>(input: &Value) -> Results {
    let network = logistic::<T>(input);
    let (mut cache, m) = passed(&network, &input["X"]);
    network.loss().apply_link(cache.logits_mut());
    let above: Vec<T> =
        cache.logits().iter().map(|&a| if a > T::of(0.5) { T::ONE } else { T::ZERO }).collect();
    [("p", columns(m, 1, &above))].into()
}

fn linear_forward<T: Float>(input: &Value) -> Results {
    let network = network::<T>(&[(&input["W"], &input["b"])], Activation::Identity, Loss::SquaredError);
    let (cache, m) = passed(&network, &input["A"]);
    [("Z", columns(m, 1, cache.z(0)))].into()
}

fn activation(input: &Value) -> Activation {
    match input["activation"].as_str() {
        Some("sigmoid") => Activation::Sigmoid,
        Some("relu") => Activation::Relu,
        other => panic!("no activation {other:?}"),
    }
}

/// The layer as the hidden one of a network: an output layer's activation belongs to its loss.
fn linear_activation_forward<T: Float>(input: &Value) -> Results {
    let (one, zero) = (Value::from(vec![vec![1.0]]), Value::from(vec![vec![0.0]]));
    let layers = [(&input["W"], &input["b"]), (&one, &zero)];
    let network = network::<T>(&layers, activation(input), Loss::SquaredError);
    let (cache, m) = passed(&network, &input["A_prev"]);
    [("A", columns(m, 1, cache.a(0)))].into()
}

fn model_forward<T: Float>(input: &Value) -> Results {
    let layers = [(&input["W1"], &input["b1"]), (&input["W2"], &input["b2"])];
    let network = network::<T>(&layers, Activation::Relu, Loss::BINARY);
    let (mut cache, m) = passed(&network, &input["X"]);
    network.loss().apply_link(cache.logits_mut());
    [("AL", columns(m, 1, cache.logits()))].into()
}

/// wxb's cross-entropy takes the logit ln(a/(1−a)) of the course's a.
fn cost<T: Float>(input: &Value) -> Results {
    let (a, y) = (rows::<T>(&input["AL"]), rows::<T>(&input["Y"]));
    let row = |(&a, &y): (&T, &T)| {
        let logit = Real::ln(a / (T::ONE - a));
        Loss::BINARY.row(&[logit], &[y], &mut [T::ZERO]).f64()
    };
    [("cost", number(a.iter().zip(&y).map(row).sum::<f64>() / a.len() as f64))].into()
}

/// From dZ of rows; the course divides by m in dW and db, wxb once, in dZ: so dA_prev is multiplied back.
fn linear_backward<T: Float>(input: &Value, dz: Vec<T>) -> Results {
    let (a_in, w, m) = (rows::<T>(&input["A_prev"]), rows::<T>(&input["W"]), dz.len());
    let (n_in, n_out, count) = (w.len(), 1, T::of(m as f64));
    let dz: Vec<T> = dz.iter().map(|&dz| dz / count).collect();
    let mut scratch = vec![T::ZERO; cpu::packed_len::<T>(m, n_in, n_out)];
    let (mut dw, mut db, mut da) = (vec![T::ZERO; n_in], vec![T::ZERO], vec![T::ZERO; m * n_in]);
    cpu::grad_params([m, n_in, n_out], &a_in, &dz, &mut dw, &mut db, &mut scratch);
    let g = Activation::Identity;
    let dense = Dense { m, n_in, n_out, w: &w, b: &[T::ZERO], activation: g };
    cpu::grad_input(dense, g, &dz, [&[], &a_in], &mut da, &mut scratch);
    da.iter_mut().for_each(|da| *da *= count);
    [("dA_prev", columns(m, n_in, &da)), ("dW", columns(n_in, 1, &dw)), ("db", columns(1, 1, &db))].into()
}

fn linear_activation_backward<T: Float>(input: &Value) -> Results {
    let (da, z, g) = (rows::<T>(&input["dA"]), rows::<T>(&input["Z"]), activation(input));
    let dz = da.iter().zip(&z).map(|(&da, &z)| da * g.derivative(z, g.apply(z))).collect();
    linear_backward(input, dz)
}

fn update<T: Float>(input: &Value) -> Results {
    let lr = input["learning_rate"].as_f64().expect("a learning rate");
    let new = |name: &'static str, gradient: &str| {
        let (mut theta, g) = (matrix::<T>(&input[name]), list::<T>(&input[gradient]));
        let step = Step { lr, t: 1, weight_decay: 0.0, epsilon: 1.0 };
        let flat = theta.as_slice_mut().expect("row-major");
        Optimizer::Sgd.update(step, flat, &g, &mut [], &mut []);
        (name, course(theta))
    };
    [new("W1", "dW1"), new("b1", "db1"), new("W2", "dW2"), new("b2", "db2")].into()
}

// ---- the comparison

/// Every result of a case within `rel · |expected| + abs`.
fn check(case: &Value, results: &Results, tolerance: &Value) {
    let id = case["id"].as_str().expect("an id");
    let (rel, abs) =
        (tolerance["rel"].as_f64().expect("a number"), tolerance["abs"].as_f64().expect("a number"));
    for (name, expected) in case["expected"].as_object().expect("results by name") {
        let expected: ArrayD<f64> = tensor(&expected["recomputed"]);
        let ours = results.get(name.as_str()).unwrap_or_else(|| panic!("{id}: no result {name}"));
        assert_eq!(ours.shape(), expected.shape(), "{id}: shape of {name}");
        let near = |(a, b): (&f64, &f64)| (a - b).abs() <= rel * b.abs() + abs;
        assert!(ours.iter().zip(&expected).all(near), "{id}: {name} is {ours}, not {expected}");
    }
}

#[test]
fn every_case_of_the_course() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/course/cases.json");
    let Ok(text) = std::fs::read_to_string(&path) else {
        println!("note: {} is not there; the course cases are not checked", path.display());
        return;
    };
    let corpus: Value = serde_json::from_str(&text).expect("JSON");
    let cases = corpus["cases"].as_array().expect("a list");
    assert_eq!(cases.len(), 26);
    for case in cases {
        check(case, &results::<f64>(case), &case["tolerance"]);
        check(case, &results::<f32>(case), &case["tolerance"]["float32"]);
    }
}
