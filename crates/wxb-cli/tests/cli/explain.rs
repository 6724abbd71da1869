//! `wxb explain` against the worked example: XOR, tanh then sigmoid, numbers checked by finite differences.

use super::{models, run};

const COURSE: &str = "\
Z1 = W1 X + b1 (2,2)(2,4)+(2,1) -> (2,4) [[0.1 -0.4 0.6 0.1] [-0.2 0.6 0.1 0.9]]
A1 = tanh(Z1) (2,4) [[0.099668 -0.379949 0.537050 0.099668] [-0.197375 0.537050 0.099668 0.716298]]
Z2 = W2 A1 + b2 (1,2)(2,4)+(1,1) -> (1,4) [[0.198718 -0.430784 0.386067 -0.166752]]
A2 = sigmoid(Z2) (1,4) [[0.549517 0.393939 0.595336 0.458408]] J = 0.715216495
dZ2 = A2 - Y (1,4) [[0.549517 -0.606061 -0.404664 0.458408]]
dW2 = dZ2 A1^T / m (1,4)(4,2) -> (1,2) [[0.028351 -0.036480]] = shape of W2
db2 = mean(dZ2) (1,1) [[-0.000700]]
dA1 = W2^T dZ2 (2,1)(1,4) -> (2,4) [[0.384662 -0.424243 -0.283265 0.320886] [-0.219807 0.242424 0.161866 -0.183363]]
dZ1 = dA1 * (1 - A1^2) elementwise (2,4) [[0.380840 -0.362998 -0.201565 0.317698] [-0.211244 0.172504 0.160258 -0.089283]]
dW1 = dZ1 X^T / m (2,4)(4,2) -> (2,2) [[0.029033 -0.011325] [0.017744 0.020805]]
db1 = mean(dZ1) (2,1) [[0.033494] [0.008059]]
one step, lr 0.5: J 0.715216495 -> 0.712772793";

/// The same numbers turned: dZ divided by m = 4.
const ROWS: &str = "\
Z1 = X W1 + b1 (4,2)(2,2)+(1,2) -> (4,2) [[0.1 -0.2] [-0.4 0.6] [0.6 0.1] [0.1 0.9]]
dZ2 = (A2 - Y) / m (4,1) [[0.137379] [-0.151515] [-0.101166] [0.114602]]
dW2 = A1^T dZ2 (2,4)(4,1) -> (2,1) [[0.028351] [-0.036480]] = shape of W2
db2 = sum(dZ2) (1,1) [[-0.000700]]
dW1 = X^T dZ1 (2,4)(4,2) -> (2,2) [[0.029033 0.017744] [-0.011325 0.020805]]
db1 = sum(dZ1) (1,2) [[0.033494 0.008059]]";

/// One blank between words, none after a bracket, one line per quantity.
fn plain(text: &str) -> String {
    let words = text.replace("\n    ", " ");
    let lines =
        words.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ").replace("[ ", "["));
    lines.collect::<Vec<_>>().join("\n")
}

fn check(convention: &str, expected: &str) {
    let directory = tempfile::tempdir().unwrap();
    models::write_worked_example(directory.path());
    let arguments = format!("explain xor.wxb xor.csv --row 0-3 --backward --convention {convention}");
    let output = run::run(directory.path(), &arguments);
    let text = plain(&run::text(&output.stdout));
    for line in expected.lines() {
        assert!(text.contains(line), "{line}\nis not in\n{text}\n{}", run::text(&output.stderr));
    }
}

#[test]
fn the_worked_example_in_the_courses_orientation() {
    check("course", COURSE);
}

#[test]
fn the_worked_example_with_rows_as_examples() {
    check("rows", ROWS);
}

#[test]
fn the_gradient_check_passes_and_is_told() {
    let directory = tempfile::tempdir().unwrap();
    models::write_worked_example(directory.path());
    let output = run::run(directory.path(), "explain xor.wxb xor.csv --row 0-3 --backward --json");
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["schema"], "wxb.explain/1");
    assert!(report["after_one_step"]["gradient_check"].as_f64().unwrap() < 1e-8, "{report}");
    assert_eq!(report["steps"].as_array().unwrap().len(), 11);
    assert!((report["steps"][0]["values"][1][3].as_f64().unwrap() - 0.9).abs() < 1e-12);
}

#[test]
fn one_layer_and_forward_only() {
    let directory = tempfile::tempdir().unwrap();
    models::write_worked_example(directory.path());
    std::fs::write(directory.path().join("new.csv"), "x2,x1\n1,0\n").unwrap();
    let output = run::run(directory.path(), "explain xor.wxb new.csv --layer 1");
    let text = plain(&run::text(&output.stdout));
    assert_eq!(
        text,
        "Z1 = W1 X + b1 (2,2)(2,1)+(2,1) -> (2,1) [[-0.4] [0.6]]\nA1 = tanh(Z1) (2,1) [[-0.379949] [0.537050]]"
    );
}
