//! `wxb::array` against NumPy: every case of `testdata/array/cases.json`, results and refusals alike.

use serde_json::Value;
use wxb::ndarray::{Array2, ArrayD, Ix2, IxDyn, array as matrix, aview1};
use wxb::{Result, array, rng};

fn numbers(value: &Value) -> Vec<f64> {
    let number = |v: &Value| v.as_str().expect("numbers are kept as text").parse().expect("a number");
    value.as_array().expect("a list").iter().map(number).collect()
}

fn shape(value: &Value) -> Vec<usize> {
    let length = |v: &Value| v.as_u64().expect("a length") as usize;
    value.as_array().expect("a list").iter().map(length).collect()
}

fn array(value: &Value) -> ArrayD<f64> {
    ArrayD::from_shape_vec(shape(&value["shape"]), numbers(&value["data"])).expect("a shape with its numbers")
}

fn call(name: &str, x: &[ArrayD<f64>], case: &Value) -> Result<ArrayD<f64>> {
    let axis = case["axis"].as_i64().unwrap_or_default() as isize;
    let matrix = || x[0].view().into_dimensionality::<Ix2>().expect("a matrix");
    match name {
        "sum" => array::sum(&x[0], axis),
        "sum_keepdims" => array::sum_keepdims(&x[0], axis),
        "mean" => array::mean(&x[0], axis),
        "mean_keepdims" => array::mean_keepdims(&x[0], axis),
        "norm" => array::norm(&x[0], axis),
        "norm_keepdims" => array::norm_keepdims(&x[0], axis),
        "squeeze" => Ok(array::squeeze(&x[0])),
        "squeeze_axis" => array::squeeze_axis(&x[0], axis),
        "dot" => array::dot(&x[0], &x[1]),
        "outer" => Ok(array::outer(&x[0], &x[1]).into_dyn()),
        "multiply" => array::multiply(&x[0], &x[1]),
        "power" => array::power(&x[0], &x[1]),
        "reshape" => array::reshape(&x[0], IxDyn(&shape(&case["shape"]))).map(|x| x.into_owned()),
        "reshape_transposed" => {
            array::reshape(&x[0].t(), IxDyn(&shape(&case["shape"]))).map(|x| x.into_owned())
        }
        "softmax" => array::softmax(&matrix(), axis).map(|x| x.into_dyn()),
        "normalize_rows" => Ok(array::normalize_rows(&matrix()).into_dyn()),
        _ => panic!("no function {name}"),
    }
}

/// Equal up to the order of a sum's additions.
fn close(a: f64, b: f64) -> bool {
    a == b || a.is_nan() && b.is_nan() || (a - b).abs() <= 1e-13 * (1.0 + b.abs())
}

#[test]
fn results_are_those_of_numpy() {
    let corpus: Value =
        serde_json::from_str(include_str!("../../../testdata/array/cases.json")).expect("JSON");
    let cases = corpus["cases"].as_array().expect("a list of cases");
    assert!(cases.len() > 200);
    for case in cases {
        let name = case["call"].as_str().expect("a name");
        let arrays: Vec<_> = case["arrays"].as_array().expect("a list").iter().map(array).collect();
        match (call(name, &arrays, case), &case["result"]) {
            (Err(error), Value::Null) => assert!(!error.message().is_empty()),
            (Ok(ours), theirs) if !theirs.is_null() => {
                let theirs = array(theirs);
                assert_eq!(ours.shape(), theirs.shape(), "{case}");
                assert!(ours.iter().zip(&theirs).all(|(&a, &b)| close(a, b)), "{case}\nours: {ours}");
            }
            (ours, theirs) => panic!("{case}\nours: {ours:?}, NumPy's: {theirs}"),
        }
    }
}

/// Where NumPy's squares overflow or vanish. The triples are Pythagorean.
#[test]
fn lengths_beyond_the_range_of_squares() {
    let rows: [([f64; 2], f64, [f64; 2]); 7] = [
        ([3e200, 4e200], 5e200, [0.6, 0.8]),
        ([3e-200, 4e-200], 5e-200, [0.6, 0.8]),
        ([1e308, 0.0], 1e308, [1.0, 0.0]),
        ([3e-320, 4e-320], 5e-320, [0.6, 0.8]),
        ([1e-200, 1.0], 1.0, [1e-200, 1.0]),
        ([0.0, 0.0], 0.0, [0.0, 0.0]),
        ([1.2e308, 1.6e308], f64::INFINITY, [0.6, 0.8]), // the length is beyond f64, the unit vector is not
    ];
    for (row, length, unit) in rows {
        let near = |a: f64, b: f64| a == b || (a - b).abs() <= 2e-4 * b; // 3e-320 has four digits
        let x = aview1(&row).into_shape_with_order((1, 2)).expect("two numbers");
        let ours = array::norm(&x, 1).expect("it has an axis 1")[0];
        assert!(near(ours, length), "{row:?}: {ours}");
        let ours = array::normalize_rows(&x);
        assert!(ours.iter().zip(&unit).all(|(&a, &b)| near(a, b)), "{row:?}: {ours}");
    }
}

#[test]
fn single_precision_works_the_same() {
    let x = matrix![[3e30_f32, 4e30], [0.0, 0.0]];
    assert_eq!(array::norm(&x, 1).expect("it has an axis 1").to_vec(), [5e30, 0.0]);
    assert_eq!(array::softmax(&x, 1).expect("it has an axis 1").row(0).to_vec(), [0.0, 1.0]);
}

/// A rank NumPy knows a rule for, and `ndarray` a panic.
#[test]
fn products_of_other_ranks_are_refused() {
    let (number, cube) = (ArrayD::<f64>::zeros(IxDyn(&[])), ArrayD::<f64>::zeros(IxDyn(&[2, 2, 2])));
    for (x, y) in [(&number, &number), (&cube, &cube), (&number, &cube)] {
        assert_eq!(array::dot(x, y).unwrap_err().code(), wxb::Code::ShapeMismatch);
    }
}

/// Mean 0, deviation 1, and the mass within one deviation, over 200 000 draws: five standard errors.
#[test]
fn randn_is_standard_normal() {
    let x: Array2<f64> = array::randn((400, 500), &mut rng::stream(3, rng::Purpose::Sample, 0));
    let n = x.len() as f64;
    let mean = x.sum() / n;
    let variance = x.mapv(|v| (v - mean) * (v - mean)).sum() / n;
    let within = x.iter().filter(|v| v.abs() < 1.0).count() as f64 / n;
    assert!(mean.abs() < 5.0 / n.sqrt(), "mean {mean}");
    assert!((variance - 1.0).abs() < 5.0 * (2.0 / n).sqrt(), "variance {variance}");
    assert!((within - 0.682_689).abs() < 5.0 * (0.2166 / n).sqrt(), "within {within}");
}
