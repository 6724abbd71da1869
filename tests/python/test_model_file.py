"""A model is a safetensors file: NumPy and fifteen lines predict what wxb predicts."""

import csv
import io

import numpy as np
import pytest
from safetensors.numpy import load_file

G = {
    "identity": lambda z: z,
    "sigmoid": lambda z: 1 / (1 + np.exp(-z)),
    "tanh": np.tanh,
    "relu": lambda z: np.maximum(z, 0),
    "softplus": lambda z: np.logaddexp(0, z),
}


def logits(tensors, g, x):
    """Z_L for the rows of x: A_l = g(A_{l-1} W_l + b_l), without g in the last layer."""
    a = x
    n_layers = sum(name.startswith("W") for name in tensors)
    for layer in range(1, n_layers + 1):
        w, b = (tensors[f"{name}{layer}"].astype("f8") for name in "Wb")
        z = a @ w + b
        a = g(z) if layer < n_layers else z
    return a


def table(rng, rows, classes):
    """Four numbers per row and a class or, with classes 0, a number that depends on them."""
    x = rng.normal(size=(rows, 4)).round(3)
    score = x @ [1.0, -2.0, 0.5, 0.0] + 0.3 * rng.normal(size=rows)
    y = np.digitize(score, np.quantile(score, np.arange(1, classes) / classes)) if classes else score.round(3)
    return x, y


def write_csv(path, x, y):
    with open(path, "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["a", "b", "c", "d", "y"])
        writer.writerows([*row, target] for row, target in zip(x.tolist(), y.tolist()))


@pytest.mark.parametrize("precision, tolerance", [("f32", 1e-4), ("f64", 1e-9)])
@pytest.mark.parametrize("activation", G)
@pytest.mark.parametrize("classes", [2, 3])
def test_forward_in_numpy(wxb, tmp_path, classes, activation, precision, tolerance):
    x, y = table(np.random.default_rng(classes), 200, classes)
    write_csv(tmp_path / "t.csv", x, y)
    wxb("train", "t.csv", "--target", "y", "--scale", "none", "--hidden", "5,3", "--activation", activation,
        "--precision", precision, "--epochs", "20", "-o", "t.wxb")
    printed = list(csv.reader(io.StringIO(wxb("predict", "t.wxb", "t.csv", "--logits"))))
    expected = logits(load_file(tmp_path / "t.wxb"), G[activation], x)
    np.testing.assert_allclose(np.array(printed[1:], "f8"), expected, rtol=tolerance, atol=tolerance)
