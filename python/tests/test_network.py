"""A network's passes, gradients and steps against NumPy's formulas and finite differences."""

import copy
import pickle
import threading

import numpy as np
import pytest

import wxb
from wxb import activations, losses, optim

RNG = np.random.default_rng(0)
X = RNG.normal(size=(7, 3))
W = np.array([1.0, 0.5, 2.0, 0.0, 1.0, 3.0, 1.5])
HIDDEN = ["identity", "sigmoid", "tanh", "relu", activations.LeakyRelu(0.2), "elu", "selu", "gelu", "silu"]
HIDDEN += ["mish", "softplus"]
#: Loss, outputs, targets.
LOSSES = [
    ("binary_cross_entropy", 1, RNG.integers(0, 2, 7)),
    (losses.BinaryCrossEntropy(label_smoothing=0.1), 2, RNG.integers(0, 2, (7, 2))),
    ("cross_entropy", 3, RNG.integers(0, 3, 7)),
    (losses.CrossEntropy(label_smoothing=0.1), 3, np.eye(3)[RNG.integers(0, 3, 7)]),
    ("squared_error", 2, RNG.normal(size=(7, 2))),
    ("absolute_error", 1, RNG.normal(size=7)),
    (losses.Huber(delta=0.5), 1, RNG.normal(size=7)),
    ("poisson", 1, RNG.poisson(2, 7)),
    (losses.Quantile(levels=[0.1, 0.5, 0.9]), 3, RNG.normal(size=7)),
]


def make(sizes=(3, 5, 4, 1), loss="binary_cross_entropy", **settings):
    settings = {"hidden": "tanh", "seed": 3, "dtype": np.float64, **settings}
    return wxb.Network(sizes, loss=loss, **settings)


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


# ---- forward and backward


def test_textbook_with_rows():
    net, y = make(), LOSSES[0][2][:, None]
    (w1, w2, w3), (b1, b2, b3) = net.weights, net.biases
    net.biases = [RNG.normal(size=b.shape) for b in (b1, b2, b3)]
    a1 = np.tanh(X @ w1 + b1)
    a2 = np.tanh(a1 @ w2 + b2)
    z3 = a2 @ w3 + b3
    cache = net.forward(X)
    np.testing.assert_allclose(cache.predictions, sigmoid(z3), rtol=1e-12)
    for ours, expected in zip(cache.A, [X, a1, a2, sigmoid(z3)], strict=True):
        np.testing.assert_allclose(ours, expected, rtol=1e-12)
    for ours, expected in zip(cache.Z, [X @ w1 + b1, a1 @ w2 + b2, z3], strict=True):
        np.testing.assert_allclose(ours, expected, rtol=1e-12)
    np.testing.assert_array_equal(cache.logits, cache.Z[2])
    j = -np.mean(y * np.log(sigmoid(z3)) + (1 - y) * np.log(1 - sigmoid(z3)))
    assert net.loss(y) == pytest.approx(j, rel=1e-12)
    dz3 = (sigmoid(z3) - y) / len(X)
    dz2 = dz3 @ w3.T * (1 - a2**2)
    dz1 = dz2 @ w2.T * (1 - a1**2)
    grads = net.backward(y)
    assert grads.loss == pytest.approx(j, rel=1e-12)
    for ours, expected in zip(grads.dW, [X.T @ dz1, a1.T @ dz2, a2.T @ dz3], strict=True):
        np.testing.assert_allclose(ours, expected, rtol=1e-10, atol=1e-15)
    for ours, expected in zip(grads.db, [dz1.sum(0), dz2.sum(0), dz3.sum(0)], strict=True):
        np.testing.assert_allclose(ours, expected, rtol=1e-10, atol=1e-15)
    np.testing.assert_allclose(grads.dX, dz1 @ w1.T, rtol=1e-10, atol=1e-15)
    np.testing.assert_allclose(grads.norm(), np.linalg.norm(grads.flat))
    np.testing.assert_array_equal(net.backward(dZ=dz3).flat, net.backward(dZ=dz3).flat)
    np.testing.assert_allclose(net.backward(dZ=dz3).flat, grads.flat, rtol=1e-12, atol=1e-15)


def test_orientations_are_one_memory():
    rows, columns = make(), make(orientation="columns")
    y = LOSSES[0][2]
    assert [w.shape for w in columns.weights] == [(5, 3), (4, 5), (1, 4)]
    assert [b.shape for b in columns.biases] == [(5, 1), (4, 1), (1, 1)]
    np.testing.assert_array_equal(rows.flat, columns.flat)
    a, b = rows.forward(X), columns.forward(X.T)
    for one, other in zip([*a.A, *a.Z, a.logits], [*b.A, *b.Z, b.logits], strict=True):
        np.testing.assert_array_equal(one, other.T)
    g, h = rows.backward(y), columns.backward(y[None])
    np.testing.assert_array_equal(g.flat, h.flat)
    np.testing.assert_array_equal(g.dW[0], h.dW[0].T)
    np.testing.assert_array_equal(g.dX, h.dX.T)
    np.testing.assert_array_equal(rows.predict(X), columns.predict(X.T).T)
    rows.fit(X, y, epochs=3, lr=0.1)
    columns.fit(X.T, y, epochs=3, lr=0.1)
    np.testing.assert_array_equal(rows.flat, columns.flat)


def numeric(f, array):
    """Central differences of f in the numbers of an array, which it reads anew."""
    slopes, h = np.zeros(array.shape), 1e-6
    for place in np.ndindex(*array.shape):
        at = array[place]
        array[place] = at + h
        up = f()
        array[place] = at - h
        slopes[place] = (up - f()) / (2 * h)
        array[place] = at
    return slopes


@pytest.mark.parametrize("orientation", ["rows", "columns"])
@pytest.mark.parametrize(("loss", "n_out", "y"), LOSSES)
def test_gradients_of_every_loss(loss, n_out, y, orientation):
    net = make((3, 4, n_out), loss, orientation=orientation)
    x, targets = (X.copy(), y) if orientation == "rows" else (X.T.copy(), y.T)

    def j():
        net.forward(x)
        return net.loss(targets, sample_weight=W, l2=0.3, l1=0.1)

    net.forward(x)
    grads = net.backward(targets, sample_weight=W, l2=0.3, l1=0.1)
    assert grads.loss == j()
    for name, view in net.parameters.items():
        np.testing.assert_allclose(grads[name], numeric(j, view), atol=2e-8, err_msg=name)
    np.testing.assert_allclose(grads.dX, numeric(j, x), atol=2e-8)


def test_penalties():
    net, y = make(), LOSSES[0][2]
    net.forward(X)
    squares = sum((w**2).sum() for w in net.weights)
    absolutes = sum(abs(w).sum() for w in net.weights)
    assert net.loss(y, l2=0.7) == pytest.approx(net.loss(y) + 0.7 / 14 * squares)
    assert net.loss(y, l1=0.7) == pytest.approx(net.loss(y) + 0.1 * absolutes)
    assert net.loss(y, l2=0.7, sample_weight=W) == pytest.approx(
        net.loss(y, sample_weight=W) + 0.7 / (2 * W.sum()) * squares
    )


@pytest.mark.parametrize("hidden", HIDDEN)
def test_gradcheck_of_every_activation(hidden):
    net = make(hidden=hidden)
    check = net.gradcheck(X, LOSSES[0][2])
    assert [c.name for c in check] == ["W1", "b1", "W2", "b2", "W3", "b3"]
    assert check.relative_error < 1e-6 and check[0].compared == check[0].of == 15
    assert "W1" in repr(check)


@pytest.mark.parametrize("training", [False, True])
def test_gradcheck_of_blocks(training):
    net = make((3, 5, 5, 1), dropout=0.4, batch_norm=True, residual=True)
    net.parameters["mean1"], net.parameters["variance1"] = np.full(5, 0.3), np.full(5, 2.0)
    check = net.gradcheck(X, LOSSES[0][2], training=training, sample_weight=W)
    assert check.relative_error < 1e-6 and len(check) == 10
    single = make(dtype=np.float32).gradcheck(X, LOSSES[0][2], per_tensor=3)
    assert single.relative_error < 1e-6 and single[0].compared == 3


def test_weights_are_repetitions():
    net, y = make(), LOSSES[0][2]
    counts = np.array([1, 0, 2, 0, 1, 3, 1])
    net.forward(X)
    weighted = net.backward(y, sample_weight=counts)
    net.forward(np.repeat(X, counts, axis=0))
    repeated = net.backward(np.repeat(y, counts))
    np.testing.assert_allclose(weighted.flat, repeated.flat, rtol=1e-10, atol=1e-15)


def test_backward_is_of_its_forward_pass():
    net, y = make(), LOSSES[0][2]
    cache = net.forward(X)
    before = net.backward(y)
    penalised = net.backward(y, l2=1.0, l1=1.0)
    net.weights[0][...] = 0
    np.testing.assert_array_equal(net.backward(y).flat, before.flat)
    np.testing.assert_array_equal(net.backward(y, l2=1.0, l1=1.0).flat, penalised.flat)
    assert net.loss(y, l2=1.0, l1=1.0) == penalised.loss
    other = net.forward(X[:2])
    np.testing.assert_array_equal(net.backward(y, cache=cache).flat, before.flat)
    # dX is of its own targets, whatever went back through the pass since.
    dx = net.backward(y, cache=cache).dX
    first = net.backward(y, cache=cache)
    net.backward(1 - y, cache=cache)
    np.testing.assert_array_equal(first.dX, dx)
    assert net.backward(y[:2], cache=other).dX.shape == (2, 3)
    with pytest.raises(RuntimeError, match="call forward"):
        make().backward(y)
    with pytest.raises(TypeError, match="targets Y, or the gradient dZ"):
        net.backward()


# ---- dropout, batch normalisation, residual layers


def test_given_masks():
    net = make((3, 4, 4, 1), dropout=0.25)
    masks = [RNG.random((7, 4)) < 0.7, RNG.random((7, 4)) < 0.7]
    cache = net.forward(X, masks=masks, training=True)
    (w1, w2, w3), (b1, b2, b3) = net.weights, net.biases
    a1 = np.tanh(X @ w1 + b1) * masks[0] / 0.75
    a2 = np.tanh(a1 @ w2 + b2) * masks[1] / 0.75
    np.testing.assert_allclose(cache.A[1], a1, rtol=1e-12)
    np.testing.assert_allclose(cache.logits, a2 @ w3 + b3, rtol=1e-12)
    np.testing.assert_allclose(cache.masks[1], masks[1] / 0.75)
    again = net.forward(X, masks=cache.masks, training=True)
    np.testing.assert_array_equal(again.logits, cache.logits)
    columns = make((3, 4, 4, 1), dropout=0.25, orientation="columns")
    turned = columns.forward(X.T, masks=[mask.T for mask in masks], training=True)
    np.testing.assert_array_equal(turned.logits, cache.logits.T)
    for wrong in ([masks[0]], [masks[0], masks[1][:3]], [masks[0], masks[1][:, :3]]):
        with pytest.raises(ValueError, match="mask"):
            net.forward(X, masks=wrong, training=True)
    with pytest.raises(ValueError, match="training=True"):
        net.forward(X, masks=masks)


def test_drawn_masks():
    net = make((3, 400, 1), dropout=0.25)
    first = net.forward(X, training=True).masks[0]
    assert set(np.unique(first.round(6))) == {0.0, round(1 / 0.75, 6)}
    # Five standard errors.
    assert abs((first == 0).mean() - 0.25) < 5 * np.sqrt(0.25 * 0.75 / first.size)
    np.testing.assert_array_equal(net.forward(X, training=True).masks[0], first)
    net.step(net.backward(LOSSES[0][2]), lr=0.1)
    assert (net.forward(X, training=True).masks[0] != first).any()
    np.testing.assert_array_equal(net.forward(X).masks[0], np.ones((7, 400)))


def test_batch_norm():
    net = make((3, 4, 1), batch_norm=True)
    net.parameters = {"gamma1": [1.0, 2.0, 0.5, 1.5], "beta1": [0.1, 0.0, -0.3, 1.0]}
    gamma, beta = net.parameters["gamma1"], net.parameters["beta1"]
    w1, w2 = net.weights
    z = X @ w1
    normal = (z - z.mean(0)) / np.sqrt(z.var(0) + 1e-5)
    expected = np.tanh(gamma * normal + beta) @ w2
    np.testing.assert_allclose(net.forward(X, training=True).logits, expected, rtol=1e-10)
    net.step(net.backward(LOSSES[0][2]), lr=0.0)
    # After one step the running statistics are those of its batch, the variance without bias.
    np.testing.assert_allclose(net.parameters["mean1"], z.mean(0), rtol=1e-12, atol=1e-15)
    np.testing.assert_allclose(net.parameters["variance1"], z.var(0, ddof=1), rtol=1e-12)
    normal = (z - z.mean(0)) / np.sqrt(z.var(0, ddof=1) + 1e-5)
    expected = np.tanh(gamma * normal + beta) @ w2
    np.testing.assert_allclose(net.predict(X, logits=True), expected, rtol=1e-10)
    with pytest.raises(ValueError, match="variance"):
        net.parameters["variance1"] = [-1.0] * 4
        net.forward(X)


def test_residual():
    net = make((3, 4, 4, 1), residual=True)
    (w1, w2, w3), _ = net.weights, net.biases
    a1 = np.tanh(X @ w1)
    np.testing.assert_allclose(net.forward(X).logits, (a1 + np.tanh(a1 @ w2)) @ w3, rtol=1e-12)


MEMBERS = [
    {"members": {"members": 3, "n": 3}},
    {"ensemble": {"members": 3, "n_in": 3, "n_out": 4, "activation": "gelu"}},
    {"dropout": {"rate": 0.2}},
    {"heads": {"members": 3, "n_in": 4, "n_out": 1}},
]
EMBEDDINGS = [
    {"periodic": {"columns": 2, "rest": 1, "frequencies": 3, "width": 2}},
    {"dense": {"n_in": 7, "n_out": 4, "activation": "identity"}},
    {"blend": {"n": 4, "activation": "mish"}},
    {"dense": {"n_in": 4, "n_out": 1, "activation": "identity"}},
]


@pytest.mark.parametrize("layers", [MEMBERS, EMBEDDINGS])
def test_any_layers(layers):
    net = wxb.Network.from_layers(layers, loss="binary_cross_entropy", seed=2, dtype=np.float64)
    assert net.layers == layers
    net.flat += RNG.normal(size=net.flat.size) * 0.1
    y = LOSSES[0][2]
    assert net.gradcheck(X, y, training=True).relative_error < 1e-6
    cache = net.forward(X, training=True)
    assert cache.logits.shape == ((21, 1) if layers is MEMBERS else (7, 1))
    assert net.predict(X).shape == (7, 1) and "blend" in net.summary() or layers is MEMBERS
    np.testing.assert_array_equal(net.forward(X, masks=cache.masks, training=True).logits, cache.logits)
    by_engine = net.copy()
    history = by_engine.fit(X, y, epochs=5, optimizer="adam")
    adam = optim.Adam()
    for _ in range(5):
        net.forward(X, training=True)
        net.step(net.backward(y), adam)
    assert history.loss[-1] < history.loss[0] or layers is MEMBERS
    np.testing.assert_array_equal(by_engine.flat, net.flat)


def test_refused_layers():
    for layers in ([{"dense": {"n_in": 3}}], [{"dens": {}}], MEMBERS[:2], ["scale"]):
        with pytest.raises(ValueError):
            wxb.Network.from_layers(layers, loss="mse")


# ---- parameters


def test_views():
    net = make()
    net.weights[0][0, 0] = 7.0
    assert net.flat[0] == 7.0 and net.parameters["W1"][0, 0] == 7.0
    before = net.predict(X)
    net.biases[2] += 1.0
    np.testing.assert_allclose(net.predict(X), sigmoid(np.log(before / (1 - before)) + 1), rtol=1e-10)
    net.weights[1] = np.ones((5, 4))
    net.flat[-1] = 3.0
    assert net.weights[1].sum() == 20 and net.biases[2] == [3.0]
    net.weights = [np.zeros(w.shape) for w in net.weights]
    net.parameters = {"b1": np.arange(5)}
    assert net.biases[0].tolist() == [0, 1, 2, 3, 4] and not net.weights[0].any()
    net.flat = np.arange(net.flat.size)
    assert net.biases[2] == net.flat.size - 1
    assert list(net.parameters) == ["W1", "b1", "W2", "b2", "W3", "b3"] and len(net.weights[1:]) == 2
    assert repr(net.weights) == "<W1 (3, 5), W2 (5, 4), W3 (4, 1)>"


def test_refused_parameters():
    net = make()
    before = net.flat.copy()
    for wrong in (lambda: net.weights.__setitem__(0, np.ones((5, 3))), lambda: setattr(net, "flat", [1.0])):
        with pytest.raises(ValueError, match="shape"):
            wrong()
    with pytest.raises(ValueError, match="W2 has the shape"):
        net.weights = [np.ones((3, 5)), np.ones((4, 5)), np.ones((4, 1))]
    with pytest.raises(ValueError, match="2 arrays for 3"):
        net.biases = [np.ones(5), np.ones(4)]
    with pytest.raises(ValueError, match="every number has to be finite"):
        net.parameters["b1"] = [np.nan] * 5
    with pytest.raises(KeyError, match="no 'W9': there are W1"):
        net.parameters["W9"] = 0
    np.testing.assert_array_equal(net.flat, before)


# ---- steps


def test_gradient_descent():
    net, y = make(), LOSSES[0][2]
    before = net.flat.copy()
    net.forward(X)
    grads = net.backward(y)
    net.step(grads, lr=0.5)
    np.testing.assert_allclose(net.flat, before - 0.5 * grads.flat, rtol=1e-15)
    net.step({"W1": np.ones((3, 5)), "b3": [2.0]}, 0.5)
    np.testing.assert_allclose(net.weights[0], (before - 0.5 * grads.flat)[:15].reshape(3, 5) - 0.5)
    assert net.steps == 2
    with pytest.raises(TypeError, match="learning rate or an optimizer"):
        net.step(grads)
    with pytest.raises(TypeError, match="use fit"):
        net.step(grads, optimizer=optim.LBFGS())
    with pytest.raises(ValueError, match="gradients for"):
        make((2, 1)).step(grads, 0.1)


@pytest.mark.parametrize("orientation", ["rows", "columns"])
def test_an_optimizer_on_the_views(orientation):
    one, other = make(orientation=orientation), make(orientation=orientation)
    x, y = (X if orientation == "rows" else X.T), LOSSES[0][2]
    a, b = optim.Adam(0.1), optim.Adam(0.1)
    for _ in range(3):
        one.forward(x)
        one.step(one.backward(y), a)
        other.forward(x)
        grads = other.backward(y)
        b.step([*other.weights, *other.biases], [*grads.dW, *grads.db])
    np.testing.assert_array_equal(one.flat, other.flat)


def test_numbers_of_numpy_are_settings():
    net = make(
        np.array([3, 4, 1]),
        hidden=activations.Elu(np.float32(0.5)),
        seed=np.int64(2),
        dropout=np.float32(0.1),
    )
    rule = optim.Adam(np.float32(0.01), beta1=np.float32(0.5))
    history = net.fit(
        X, LOSSES[0][2], epochs=np.int64(2), batch_size=np.int32(4), l2=np.float32(0.1), optimizer=rule
    )
    assert len(history) == 2


OPTIMIZERS = [
    (lambda: optim.SGD(0.1), {}, {}),
    (lambda: optim.Momentum(0.1, averaged=True), {}, {"dropout": 0.3}),
    (lambda: optim.Nesterov(0.05), {"l2": 0.2}, {}),
    (lambda: optim.RMSProp(0.01), {"l1": 0.05}, {"batch_norm": True}),
    (
        lambda: optim.Adam(0.01),
        {"l2": 0.2, "l1": 0.1},
        {"batch_norm": True, "residual": True, "dropout": 0.2},
    ),
    (lambda: optim.AdamW(0.01, weight_decay=0.3), {}, {}),
]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("optimizer", "penalties", "blocks"), OPTIMIZERS)
def test_by_hand_is_fit(optimizer, penalties, blocks, dtype):
    """The same numbers, bit for bit."""
    by_hand = make((3, 5, 5, 1), dtype=dtype, **blocks)
    by_engine = by_hand.copy()
    y, rule, costs = LOSSES[0][2], optimizer(), []
    for _ in range(20):
        by_hand.forward(X, training=True)
        costs.append(by_hand.loss(y))
        by_hand.step(by_hand.backward(y, **penalties), rule)
    history = by_engine.fit(X, y, epochs=20, optimizer=optimizer(), **penalties)
    assert history.loss == costs
    np.testing.assert_array_equal(by_hand.flat, by_engine.flat)
    assert by_engine.steps == by_hand.steps == 20


# ---- what goes in


def test_inputs_of_any_layout():
    net, expected = make(), make().predict(X)
    wide = np.zeros((14, 6))
    wide[::2, ::2] = X
    for x in (np.asfortranarray(X), wide[::2, ::2], X.tolist(), X.astype(">f8"), X[::-1][::-1]):
        np.testing.assert_array_equal(net.predict(x), expected)
    np.testing.assert_allclose(net.predict(X.astype(np.float32)), expected, rtol=1e-5)
    whole = np.arange(6).reshape(2, 3)
    np.testing.assert_array_equal(net.predict(whole), net.predict(whole.astype(float)))
    single = make(dtype=np.float32).predict(X)
    assert single.dtype == np.float32
    np.testing.assert_allclose(single, expected, rtol=1e-4)


NAN = X.copy()
NAN[2, 1] = np.nan


@pytest.mark.parametrize(
    ("x", "message"),
    [
        (X[0], r"X has the shape \(3,\), not \(m, 3\), one example per row"),
        (X.T, r"X has the shape \(3, 7\), not \(m, 3\)"),
        (X[:0], "no example"),
        (NAN, r"X at \[2, 1\] is nan"),
        (X * 1e300, r"X at \[0, 0\] is -?inf"),
    ],
)
def test_refused_inputs(x, message):
    net = make(dtype=np.float32)
    with np.errstate(over="ignore"), pytest.raises(ValueError, match=message):
        net.forward(x)
    with np.errstate(over="ignore"), pytest.raises(ValueError, match=message):
        net.fit(x, np.zeros(7))


def test_refused_columns():
    net = make(orientation="columns")
    with pytest.raises(ValueError, match=r"X has the shape \(7, 3\), not \(3, m\), one example per column"):
        net.predict(X)
    with pytest.raises(ValueError, match=r"X at \[1, 2\] is nan"):
        net.predict(NAN.T)
    with pytest.raises(TypeError, match="X"):
        net.predict([["a", "b", "c"]])


@pytest.mark.parametrize(
    ("loss", "n_out", "y", "message"),
    [
        ("binary_cross_entropy", 1, np.zeros(6), r"Y has the shape \(6,\), not \(7, 1\) or \(7,\)"),
        ("binary_cross_entropy", 1, np.full(7, 2), "from 0 to 1; the target of example 0 is 2"),
        ("binary_cross_entropy", 1, np.full(7, np.nan), "is NaN"),
        ("squared_error", 2, np.zeros(7), r"not \(7, 2\)"),
        ("cross_entropy", 3, np.full(7, 3), "class indices from 0 to 2"),
        ("cross_entropy", 3, np.full((7, 3), 1 / 3), "not a 1 among zeros"),
    ],
)
def test_refused_targets(loss, n_out, y, message):
    net = make((3, 4, n_out), loss)
    net.forward(X)
    for call in (net.loss, net.backward):
        with pytest.raises(ValueError, match=message):
            call(y)


def test_refused_sample_weights():
    net = make()
    net.forward(X)
    for weights in (W[:3], -W, W * 0, W * np.nan):
        with pytest.raises(ValueError, match="sample_weight"):
            net.backward(LOSSES[0][2], sample_weight=weights)


@pytest.mark.parametrize(
    ("settings", "error", "message"),
    [
        ({"sizes": [3]}, ValueError, "hidden layers"),
        ({"sizes": [3, 0, 1]}, ValueError, "from 1 on"),
        ({"sizes": []}, ValueError, "from 1 on"),
        ({"hidden": ["relu"]}, ValueError, "1 activations for 2 hidden layers"),
        ({"hidden": "rellu"}, ValueError, "did you mean 'relu'"),
        ({"loss": "cross_entropy"}, ValueError, "at least two"),
        ({"loss": losses.Quantile([0.1, 0.9])}, ValueError, "2 quantile levels for 1 outputs"),
        ({"loss": None}, TypeError, "give a name"),
        ({"dropout": 1.0}, ValueError, "dropout is 1"),
        ({"seed": -1}, ValueError, "the seed is -1"),
        ({"dtype": "float16"}, TypeError, "float32 or float64"),
        ({"orientation": "diagonal"}, ValueError, "orientation"),
        ({"init": "hee"}, ValueError, "did you mean 'he'"),
        ({"sizes": [10**7, 10**7, 1]}, ValueError, "hidden layers|too large"),
    ],
)
def test_refused_networks(settings, error, message):
    with pytest.raises(error, match=message):
        make(**{"sizes": (3, 5, 4, 1), **settings})


# ---- what it says, and where it goes


def test_predictions():
    net = make((3, 4, 3), losses.Quantile([0.1, 0.5, 0.9]))
    np.testing.assert_array_equal(net.predict(X), np.sort(net.predict(X, logits=True), axis=1))
    classes = make((3, 4, 3), "cross_entropy")
    z = classes.predict(X, logits=True)
    np.testing.assert_allclose(classes(X), np.exp(z) / np.exp(z).sum(1, keepdims=True), rtol=1e-12)
    rates = make((3, 4, 1), "poisson")
    np.testing.assert_allclose(rates(X), np.exp(rates.predict(X, logits=True)), rtol=1e-12)


@pytest.mark.parametrize(
    "again", [copy.copy, copy.deepcopy, lambda n: n.copy(), lambda n: pickle.loads(pickle.dumps(n))]
)
def test_copies(again, tmp_path):
    net = make((3, 4, 4, 2), "squared_error", dropout=0.1, batch_norm=True, orientation="columns")
    other = again(net)
    np.testing.assert_array_equal(other.predict(X.T), net.predict(X.T))
    other.weights[0][...] = 0
    assert (
        net.weights[0].any() and other.orientation == "columns" and other.loss_function == net.loss_function
    )
    with pytest.raises(ValueError, match="one target, and this network has 2; pickle"):
        net.save(tmp_path / "net.wxb")


OF_ONE_TARGET = [(loss, n_out) for loss, n_out, y in LOSSES if n_out != 2]


@pytest.mark.parametrize(("loss", "n_out"), OF_ONE_TARGET)
def test_model_files(loss, n_out, tmp_path):
    net = make((3, 4, n_out), loss, dtype=np.float32, hidden=[activations.Elu(0.5)], orientation="columns")
    path = tmp_path / "net.wxb"
    net.save(path)
    net.save(path)  # in the place of the other
    other = wxb.Network.load(path)
    np.testing.assert_array_equal(other.predict(X.T), net.predict(X.T))
    assert other.dtype == np.float32 and other.orientation == "columns" and other.seed == net.seed
    assert wxb.Network.load(path, orientation="rows").predict(X).shape == (7, n_out)
    assert [p.name for p in tmp_path.iterdir()] == ["net.wxb"]


def test_files_that_are_no_models(tmp_path):
    path = tmp_path / "net.wxb"
    with pytest.raises(FileNotFoundError):
        wxb.Network.load(path)
    path.write_bytes(b"nothing")
    with pytest.raises(ValueError):
        wxb.Network.load(path)
    make().save(path)
    path.write_bytes(path.read_bytes()[:-5])
    with pytest.raises(ValueError):
        wxb.Network.load(path)
    make().save(path)
    with pytest.raises(ValueError, match="name one of them"):
        wxb.Network.load(path, part="linear")


def test_shown():
    net = wxb.Network([12288, 20, 7, 5, 1], loss="binary_cross_entropy", init="he", dropout=0.5)
    text = net.summary()
    assert "W1 (12288, 20), b1 (20,)" in text and "245,973 parameters of float32" in text
    assert "binary_cross_entropy with sigmoid" in text and "rate 0.5" in text
    table = net._repr_html_()
    assert table.count("<tr>") == 8 and table.startswith("<table>") and "12288, 20" in table
    assert repr(net) == "<Network [12288, 20, 7, 5, 1] binary_cross_entropy, 245,973 parameters, float32>"
    assert "dense (7, 4)" in repr(make((3, 4, 1)).forward(X))
    assert net.n_params == 12288 * 20 + 20 + 20 * 7 + 7 + 7 * 5 + 5 + 5 + 1
    elu = make(hidden=activations.Elu(0.5), batch_norm=True)
    assert "elu(alpha=0.5)" in elu.summary() and "gamma1 (5,)" in elu.summary()


def test_seeds():
    np.testing.assert_array_equal(make().flat, make().flat)
    assert (make(seed=4).weights[0] != make().weights[0]).all()
    np.testing.assert_array_equal(
        make(init="he_normal").weights[0], wxb.functional.he_normal(3, 5, seed=3, dtype=np.float64)
    )


def test_threads():
    """Passes of one network side by side give what they give alone."""
    net, y = make((3, 50, 1)), LOSSES[0][2]
    net.forward(X)
    expected, wrong = net.backward(y).flat, []

    def work():
        for _ in range(20):
            cache = net.forward(X)
            if (net.backward(y, cache=cache).flat != expected).any():
                wrong.append(1)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_any_number_of_threads_gives_the_same_bits():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(700, 200)).astype(np.float32)
    y = x[:, 0] ** 2

    def work(threads):
        net = wxb.Network([200, 300, 1], loss="squared_error", dropout=0.1, seed=3, threads=threads)
        net.forward(x, training=True)
        net.step(net.backward(y), optim.Adam(0.01))
        net.fit(x, y, epochs=2, batch_size=128, optimizer="adam")
        return np.concatenate([net.flat, net.predict(x).ravel()])

    for threads in (2, 3, None):
        np.testing.assert_array_equal(work(threads), work(1))


def test_threads_are_kept_and_checked():
    net = make()
    assert net.threads is None
    net.threads = np.int64(2)
    assert net.copy().threads == pickle.loads(pickle.dumps(net)).threads == 2
    older = net.__getstate__()
    del older["threads"]
    net.__setstate__(older)
    assert net.threads is None
    for wrong in (0, -1, 1.5, "2"):
        with pytest.raises(ValueError, match="threads"):
            net.threads = wrong
    assert wxb.Network.from_layers(net.layers, loss="squared_error", threads=1).threads == 1


@pytest.mark.parametrize("sizes", [[3.7, 1], "31", [3, None], [3], [], np.array([3.0, 1.0])])
def test_sizes_are_whole_numbers(sizes):
    with pytest.raises((ValueError, TypeError)):
        wxb.Network(sizes, loss="squared_error")


def test_gradients_are_numbers_elsewhere_too():
    net = wxb.Network([3, 4, 1], loss="squared_error", seed=1, orientation="columns")
    net.forward(np.ones((3, 5)))
    grads = net.backward(np.zeros((1, 5)))
    twin = pickle.loads(pickle.dumps(grads))
    assert twin.loss == grads.loss and list(twin) == list(grads)
    np.testing.assert_array_equal(twin.dX, grads.dX)
    twin.flat[:] = 1
    assert all((twin[name] == 1).all() and twin[name].shape == grads[name].shape for name in grads)
    assert not (grads.flat == 1).all()


def test_a_sparse_matrix_is_told():
    sparse = pytest.importorskip("scipy.sparse")
    with pytest.raises(TypeError, match=r"sparse matrix.*toarray"):
        wxb.Network([3, 1], loss="squared_error").predict(sparse.csr_matrix(np.eye(3)))
