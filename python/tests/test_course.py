"""The exercises of deeplearning.ai's course through ``wxb.Network`` and ``wxb.functional`` in float64.

One example per column. The cases and runs lie beside the repository, in ``../shared/course``; without them
these tests are skipped.
"""

import itertools
import json
from pathlib import Path

import numpy as np
import pytest

import wxb
from wxb import functional as F
from wxb import optim

COURSE = Path(__file__).parents[3] / "shared" / "course"
needs_course = pytest.mark.skipif(not COURSE.exists(), reason=f"there is no {COURSE}")


def read(name, key):
    path = COURSE / name
    return json.loads(path.read_text())[key] if path.exists() else []


def array(value):
    return np.array(value, dtype=np.float64)


def network(*layers, hidden="relu", loss="binary_cross_entropy"):
    """A network of the course's parameters, W (units, inputs) and b for each layer."""
    weights = [np.atleast_2d(array(w)) for w, _ in layers]
    sizes = [weights[0].shape[1], *(w.shape[0] for w in weights)]
    net = wxb.Network(sizes, hidden=hidden, loss=loss, init="zeros", dtype=np.float64, orientation="columns")
    net.weights = weights
    net.biases = [array(b).reshape(-1, 1) for _, b in layers]
    return net


def logistic(i):
    return network((array(i["w"]).T, i["b"]))


# ---- an exercise each: its input in, its results by their names out


def image2vector(i):
    return {"v": F.image2vector(i["image"])}


def normalize_rows(i):
    return {"norms": F.norm(i["x"], axis=1, keepdims=True), "y": F.normalize_rows(i["x"])}


def products(i):
    """Wx of one unit; dW of one example, dZ xᵀ; the mask of a dropout layer."""
    x, y = array(i["x"]), array(i["y"])
    unit = network((x[None], 0.0), loss="squared_error")
    net = network((np.zeros((len(y), len(x))), np.zeros(len(y))), loss="squared_error")
    net.forward(y[:, None])
    outer = net.backward(dZ=x[:, None]).dW[0]
    n = len(x)
    masked = wxb.Network(
        [n, n, 1],
        hidden="identity",
        loss="squared_error",
        dropout=0.5,
        dtype=np.float64,
        orientation="columns",
    )
    masked.weights[0] = np.eye(n)
    multiplied = masked.forward(x[:, None], masks=[y[:, None]], training=True).A[1][:, 0]
    return {"dot": unit.forward(y[:, None]).logits.squeeze(), "outer": outer, "mul": multiplied}


def of_one_row(loss, factor):
    return lambda i: {"loss": factor * loss(array(i["yhat"])[None], array(i["y"])[None])}


def initialize_with_zeros(i):
    net = wxb.Network([i["dim"], 1], loss="binary_cross_entropy", init="zeros", dtype=np.float64)
    return {"w": net.weights[0], "b": net.biases[0].squeeze()}


def propagate(i):
    net = logistic(i)
    net.forward(i["X"])
    grads = net.backward(i["Y"])
    return {"dw": grads.dW[0].T, "db": grads.db[0].squeeze(), "cost": net.loss(i["Y"])}


def optimize(i):
    net = logistic(i)
    for _ in range(i["iterations"]):
        net.forward(i["X"])
        grads = net.backward(i["Y"])
        net.step(grads, lr=i["learning_rate"])
    return {
        "w": net.weights[0].T,
        "b": net.biases[0].squeeze(),
        "dw": grads["dW1"].T,
        "db": grads["db1"].squeeze(),
    }


def predict(i):
    return {"p": (logistic(i).predict(i["X"]) > 0.5).astype(float)}


def linear_forward(i):
    return {"Z": network((i["W"], i["b"])).forward(i["A"]).Z[0]}


def linear_activation_forward(i):
    """The layer as the hidden one of a network: an output layer's activation belongs to its loss."""
    net = network((i["W"], i["b"]), ([[1.0]], 0.0), hidden=i["activation"])
    return {"A": net.forward(i["A_prev"]).A[1]}


def model_forward(i):
    net = network((i["W1"], i["b1"]), (i["W2"], i["b2"]))
    return {"AL": net.forward(i["X"]).predictions}


def cost(i):
    """From the logits ln(a/(1 − a)) of the course's a."""
    a = array(i["AL"])
    return {"cost": F.binary_cross_entropy(np.log(a / (1 - a)), i["Y"], axis=0)}


def linear_backward(i):
    """The course divides by m in dW and db, wxb once, in dZ: dA_prev is multiplied back."""
    net = network((i["W"], np.zeros(len(i["W"]))))
    net.forward(i["A_prev"])
    dz = array(i["dZ"])
    m = dz.shape[1]
    grads = net.backward(dZ=dz / m)
    return {"dA_prev": m * grads.dX, "dW": grads.dW[0], "db": grads.db[0]}


def linear_activation_backward(i):
    slope = getattr(F, f"{i['activation']}_derivative")
    return linear_backward({**i, "dZ": array(i["dA"]) * slope(i["Z"])})


def update(i):
    names = ["W1", "b1", "W2", "b2"]
    params = [array(i[name]) for name in names]
    optim.SGD(i["learning_rate"]).step(params, [i[f"d{name}"] for name in names])
    return dict(zip(names, params, strict=True))


EXERCISES = {
    "sigmoid": lambda i: {"s": F.sigmoid(i["x"])},
    "sigmoid_derivative": lambda i: {"ds": F.sigmoid_derivative(i["x"])},
    "image2vector": image2vector,
    "normalizeRows": normalize_rows,
    "softmax": lambda i: {"s": F.softmax(i["x"], axis=1)},
    "dot": products,
    "outer": products,
    "multiply": products,
    "L1": of_one_row(F.absolute_error, 1.0),
    "L2": of_one_row(F.squared_error, 2.0),  # wxb's has the factor ½
    "initialize_with_zeros": initialize_with_zeros,
    "propagate": propagate,
    "optimize": optimize,
    "predict": predict,
    "linear_forward": linear_forward,
    "linear_activation_forward": linear_activation_forward,
    "L_model_forward": model_forward,
    "binary cross entropy": cost,
    "linear_backward": linear_backward,
    "linear_activation_backward": linear_activation_backward,
    "gradient descent update": update,
}

CASES = read("cases.json", "cases")


def initialize_parameters(case):
    """The printed numbers are draws of NumPy's Mersenne twister, which wxb does not have.

    Fed with them, the formula gives what is printed, and the network holds it in the course's shapes.
    """
    twister = np.random.RandomState(case["input"]["seed"])
    sizes = case["input"]["layers"]
    layers = [
        (twister.randn(n_out, n_in) * case["input"]["scale"], np.zeros(n_out))
        for n_in, n_out in itertools.pairwise(sizes)
    ]
    return dict(network(*layers).parameters)


@needs_course
@pytest.mark.parametrize("case", CASES, ids=[case["id"] for case in CASES])
def test_case(case):
    if case["function"] == "initialize_parameters":
        results = initialize_parameters(case)
    else:
        results = EXERCISES[case["function"]](case["input"])
    rel, abs_ = case["tolerance"]["rel"], case["tolerance"]["abs"]
    for name, expected in case["expected"].items():
        ours, exact = np.asarray(results[name]), array(expected["recomputed"])
        assert ours.shape == exact.shape, name
        np.testing.assert_allclose(ours, exact, rtol=rel, atol=abs_, err_msg=name)
        off = abs(ours - array(expected["published"]))
        assert (off <= array(expected["print_tolerance"]) * (1 + 1e-9) + 1e-12 * abs(exact)).all(), name


@needs_course
def test_all_cases_are_there():
    assert len(CASES) == 26


# ---- the two whole trainings


def cat(split):
    data = np.load(COURSE / "npz" / "cat.npz")
    return F.images2columns(data[f"{split}_x"]) / 255, data[f"{split}_y"]


RUNS = read("runs.json", "runs")


@needs_course
@pytest.mark.parametrize("run", RUNS, ids=[run["id"] for run in RUNS])
def test_run(run):
    initial = np.load(COURSE / run["initial_weights"]["file"])
    layers = [(initial[f"W{number}"], initial[f"b{number}"]) for number in range(1, len(run["layers"]))]
    net = network(*layers)
    X, Y = cat("train")
    # By hand the first three costs, then all of them by the engine's loop.
    by_hand, costs = net.copy(), []
    for _ in range(3):
        by_hand.forward(X)
        costs.append(by_hand.loss(Y))
        by_hand.step(by_hand.backward(Y), lr=run["learning_rate"])
    history = net.fit(X, Y, epochs=run["iterations"], lr=run["learning_rate"])
    assert costs == pytest.approx(history.loss[:3], rel=1e-13)
    published = run["published"]
    for iteration, printed in published["costs"].items():
        tolerance = published["print_tolerance"][iteration] * (1 + 1e-9)
        assert abs(history.loss[int(iteration)] - printed) <= tolerance, iteration
    for iteration, exact in run["recomputed_float64"]["costs"].items():
        tolerance = run["suggested_tolerance_float64"][iteration]
        assert abs(history.loss[int(iteration)] - exact) <= tolerance, iteration
    for split in ("train", "test"):
        X, Y = cat(split)
        accuracy = ((net.predict(X) > 0.5) == Y).mean()
        assert accuracy == pytest.approx(published["accuracy"][split], abs=1e-5)
