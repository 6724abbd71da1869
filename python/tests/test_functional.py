"""Functions of arrays against NumPy's formulas and finite differences."""

import math

import numpy as np
import pytest

import wxb
from wxb import activations, init, losses
from wxb import functional as F
from wxb._settings import resolve

Z = np.array([-30.0, -3.0, -1.0, -0.3, 0.2, 1.0, 2.5, 30.0])
erf = np.vectorize(math.erf)
sigmoid = 1 / (1 + np.exp(-Z))
softplus = np.log1p(np.exp(-abs(Z))) + np.maximum(Z, 0)

FORMULAS = [
    (F.sigmoid, F.sigmoid_derivative, sigmoid),
    (F.tanh, F.tanh_derivative, np.tanh(Z)),
    (F.relu, F.relu_derivative, np.maximum(Z, 0)),
    (F.leaky_relu, F.leaky_relu_derivative, np.where(Z > 0, Z, 0.01 * Z)),
    (F.elu, F.elu_derivative, np.where(Z > 0, Z, np.expm1(Z))),
    (
        F.selu,
        F.selu_derivative,
        1.0507009873554805 * np.where(Z > 0, Z, 1.6732632423543772 * np.expm1(Z)),
    ),
    (F.gelu, F.gelu_derivative, Z * (1 + erf(Z / np.sqrt(2))) / 2),
    (F.silu, F.silu_derivative, Z * sigmoid),
    (F.mish, F.mish_derivative, Z * np.tanh(softplus)),
    (F.softplus, F.softplus_derivative, softplus),
]


@pytest.mark.parametrize(("g", "slope", "expected"), FORMULAS)
def test_activations(g, slope, expected):
    np.testing.assert_allclose(g(Z), expected, rtol=1e-13, atol=1e-15)
    h = 1e-6
    np.testing.assert_allclose(slope(Z), (g(Z + h) - g(Z - h)) / (2 * h), rtol=1e-6, atol=1e-8)
    single = g(Z.astype(np.float32))
    assert single.dtype == np.float32
    np.testing.assert_allclose(single, expected, rtol=1e-5, atol=1e-6)


def test_constants():
    np.testing.assert_allclose(F.leaky_relu([-2.0, 2.0], slope=0.25), [-0.5, 2.0])
    np.testing.assert_allclose(F.leaky_relu_derivative([-2.0, 2.0], slope=0.25), [0.25, 1.0])
    np.testing.assert_allclose(F.elu([-1.0], alpha=2.0), [2 * math.expm1(-1)])
    with pytest.raises(ValueError, match="alpha of elu"):
        F.elu([1.0], alpha=-1)


def test_any_shape_and_type():
    assert F.relu(np.zeros((2, 0, 3))).shape == (2, 0, 3)
    assert F.relu(3).dtype == np.float64 and F.relu(3) == 3
    assert F.relu(np.float32(-3)).dtype == np.float32
    assert F.relu(np.array([1, -1], dtype=np.int8)).dtype == np.float64
    assert F.relu(np.array([1, -1], dtype=np.float16)).dtype == np.float32
    x = np.arange(24.0).reshape(2, 3, 4) - 12
    for view in (x[:, ::2], x.T, np.asfortranarray(x), x[::-1], x.astype(">f8")):
        np.testing.assert_array_equal(F.relu(view), np.maximum(view, 0))
    unaligned = np.frombuffer(b"\0" + x.tobytes(), dtype=np.uint8)[1:].view(np.float64)
    np.testing.assert_array_equal(F.relu(unaligned), np.maximum(x.ravel(), 0))
    for wrong in (1j, "text", [None, object()], np.datetime64("2020-01-01")):
        with pytest.raises(TypeError):
            F.relu(wrong)
    assert np.isnan(F.relu(np.nan))
    with pytest.raises(ValueError, match="masked"):
        F.relu(np.ma.masked_array([1.0, 2.0], [True, False]))


@pytest.mark.parametrize("axis", [-1, 0, 1])
def test_softmax(axis):
    x = np.array([[2.0, -1.0, 0.5], [900.0, 901.0, -1e4], [3.0, 3.0, 3.0]])
    e = np.exp(x - x.max(axis=axis, keepdims=True))
    expected = e / e.sum(axis=axis, keepdims=True)
    np.testing.assert_allclose(F.softmax(x, axis), expected, rtol=1e-14)
    log = x - x.max(axis=axis, keepdims=True) - np.log(e.sum(axis=axis, keepdims=True))
    np.testing.assert_allclose(F.log_softmax(x, axis), log, rtol=1e-14)
    assert F.softmax(x.astype(np.float32), axis).dtype == np.float32


def test_softmax_of_other_ranks():
    x = np.random.default_rng(0).normal(size=(2, 3, 4))
    e = np.exp(x)
    np.testing.assert_allclose(F.softmax(x, 1), e / e.sum(axis=1, keepdims=True), rtol=1e-14)
    np.testing.assert_allclose(F.softmax(x[0, 0]), e[0, 0] / e[0, 0].sum(), rtol=1e-14)
    assert F.softmax(np.zeros((0, 3))).shape == (0, 3)
    with pytest.raises(ValueError, match="no axis 2"):
        F.softmax(x[0], 2)


def test_norms():
    x = np.array([[0.0, 3.0, 4.0], [1.0, 6.0, 4.0], [0.0, 0.0, 0.0]])
    for axis in (0, 1, -1):
        norms = np.linalg.norm(x, axis=axis, keepdims=True)
        np.testing.assert_allclose(F.norm(x, axis), norms.squeeze(axis))
        np.testing.assert_allclose(F.norm(x, axis, keepdims=True), norms)
        expected = np.divide(x, norms, where=norms > 0, out=np.zeros_like(x))
        np.testing.assert_allclose(F.normalize_rows(x, axis), expected)
    assert F.norm([3.0, 4.0]) == 5.0


def test_one_hot():
    np.testing.assert_array_equal(F.one_hot([2, 0, 1], 3), np.eye(3)[[2, 0, 1]])
    np.testing.assert_array_equal(F.one_hot([2, 0], axis=0), np.eye(3)[[2, 0]].T)
    assert F.one_hot([1], 2, dtype=np.float64).dtype == np.float64
    for wrong in ([3], [-1], [0.5], [np.nan]):
        with pytest.raises(ValueError, match="from 0 to 2"):
            F.one_hot(wrong, 3)


def test_images():
    images = np.random.default_rng(0).integers(0, 255, (5, 4, 3, 2)).astype(np.uint8)
    columns = F.images2columns(images)
    assert columns.shape == (24, 5) and columns.T.flags.c_contiguous
    np.testing.assert_array_equal(columns[:, 2], images[2].ravel())
    np.testing.assert_array_equal(F.image2vector(images[2])[:, 0], images[2].ravel())
    with pytest.raises(ValueError, match="height"):
        F.images2columns(3)


RNG = np.random.default_rng(1)
LOGITS = RNG.normal(size=(6, 3)) * 2
Y = RNG.normal(size=(6, 3))
BITS = RNG.integers(0, 2, (6, 3)).astype(float)
CLASSES = np.array([0, 2, 1, 1, 0, 2])
W = np.array([1.0, 0.0, 2.0, 0.5, 1.0, 3.0])
LSE = np.log(np.exp(LOGITS).sum(axis=1))
R = LOGITS - Y
LEVELS = (0.1, 0.5, 0.9)

LOSSES = [
    ("squared_error", {}, Y, (R**2 / 2).sum(axis=1)),
    ("absolute_error", {}, Y, abs(R).sum(axis=1)),
    ("huber", {"delta": 0.7}, Y, np.where(abs(R) <= 0.7, R**2 / 2, 0.7 * (abs(R) - 0.35)).sum(axis=1)),
    ("poisson", {}, abs(Y), (np.exp(LOGITS) - abs(Y) * LOGITS).sum(axis=1)),
    ("binary_cross_entropy", {}, BITS, (np.log1p(np.exp(LOGITS)) - LOGITS * BITS).sum(axis=1)),
    (
        "binary_cross_entropy",
        {"label_smoothing": 0.2},
        BITS,
        (np.log1p(np.exp(LOGITS)) - LOGITS * (0.8 * BITS + 0.1)).sum(axis=1),
    ),
    ("cross_entropy", {}, CLASSES, LSE - LOGITS[np.arange(6), CLASSES]),
    (
        "cross_entropy",
        {"label_smoothing": 0.3},
        CLASSES,
        LSE - 0.7 * LOGITS[np.arange(6), CLASSES] - 0.1 * LOGITS.sum(axis=1),
    ),
    (
        "quantile",
        {"levels": LEVELS},
        Y[:, 0],
        sum(
            np.maximum(t * (Y[:, 0] - LOGITS[:, i]), (t - 1) * (Y[:, 0] - LOGITS[:, i]))
            for i, t in enumerate(LEVELS)
        ),
    ),
]


@pytest.mark.parametrize(("name", "constants", "y", "rows"), LOSSES)
def test_losses(name, constants, y, rows):
    value, gradient = getattr(F, name), getattr(F, f"{name}_gradient")
    assert value(LOGITS, y, **constants) == pytest.approx(rows.mean(), rel=1e-13)
    weighted = (W * rows).sum() / W.sum()
    assert value(LOGITS, y, sample_weight=W, **constants) == pytest.approx(weighted, rel=1e-13)
    assert value(LOGITS.T, y.T, axis=0, **constants) == pytest.approx(rows.mean(), rel=1e-13)
    assert value(LOGITS.astype(np.float32), y, **constants) == pytest.approx(rows.mean(), rel=1e-5)
    slopes = gradient(LOGITS, y, sample_weight=W, **constants)
    numeric, h = np.zeros_like(LOGITS), 1e-6
    for place in np.ndindex(*LOGITS.shape):
        step = np.zeros_like(LOGITS)
        step[place] = h
        up, down = (value(LOGITS + s, y, sample_weight=W, **constants) for s in (step, -step))
        numeric[place] = (up - down) / (2 * h)
    np.testing.assert_allclose(slopes, numeric, atol=1e-8)
    columns = gradient(LOGITS.T, y.T, axis=0, sample_weight=W, **constants)
    np.testing.assert_array_equal(columns, slopes.T)
    assert gradient(LOGITS.astype(np.float32), y, **constants).dtype == np.float32


def test_loss_objects():
    loss = losses.CrossEntropy()
    np.testing.assert_allclose(loss.per_example(LOGITS, CLASSES), LSE - LOGITS[np.arange(6), CLASSES])
    assert loss(LOGITS, np.eye(3)[CLASSES]) == loss(LOGITS, CLASSES)
    assert loss(LOGITS.T, np.eye(3)[CLASSES].T, axis=0) == loss(LOGITS, CLASSES)
    assert loss([0.0, 0.0], 1) == pytest.approx(math.log(2))
    np.testing.assert_allclose(losses.Poisson().predict([0.0, 1.0]), [1.0, math.e])
    np.testing.assert_allclose(losses.BinaryCrossEntropy().predict(LOGITS), 1 / (1 + np.exp(-LOGITS)))
    # One output, whose axis of length 1 may be left out.
    bce = losses.BinaryCrossEntropy()
    assert bce(LOGITS[:, :1], BITS[:, 0]) == bce(LOGITS[:, 0], BITS[:, 0])


@pytest.mark.parametrize(
    ("loss", "z", "y", "message"),
    [
        (losses.SquaredError(), [[1.0, 2.0]], [[1.0, 2.0, 3.0]], r"shape \(1, 3\), not \(1, 2\)"),
        (losses.CrossEntropy(), [[1.0, 2.0]], [2], "class indices from 0 to 1; the target of example 0 is 2"),
        (losses.CrossEntropy(), [[1.0, 2.0]], [[0.5, 0.5]], "not a 1 among zeros"),
        (losses.CrossEntropy(), [[1.0]], [0], "at least two"),
        (losses.BinaryCrossEntropy(), [0.0, 0.0], [0.0, 2.0], "from 0 to 1; the target of example 1 is 2"),
        (losses.BinaryCrossEntropy(), [0.0, np.nan], [0.0, 1.0], r"logit at \[1\] is nan"),
        (losses.BinaryCrossEntropy(label_smoothing=1.5), [0.0], [0.0], "label smoothing is 1.5"),
        (losses.Poisson(), [0.0], [-1.0], "from 0 on"),
        (losses.SquaredError(), [0.0], [np.inf], "finite"),
        (losses.Huber(delta=-1), [0.0], [0.0], "delta"),
        (losses.Quantile(levels=[0.9, 0.1]), [[0.0, 0.0]], [0.0], "ascending"),
        (losses.Quantile(levels=[0.1]), [[0.0, 0.0]], [0.0], "1 quantile levels for 2 outputs"),
        (losses.SquaredError(), np.zeros((0, 2)), np.zeros((0, 2)), "no example"),
    ],
)
def test_refused_by_losses(loss, z, y, message):
    with pytest.raises(ValueError, match=message):
        loss(z, y)


def test_refused_weights():
    for weights in ([1.0], [-1.0, 1.0], [0.0, 0.0], [np.nan, 1.0]):
        with pytest.raises(ValueError, match="weight"):
            F.squared_error([1.0, 2.0], [1.0, 2.0], sample_weight=weights)


VARIANCES = [
    (F.zeros, {}, 0.0),
    (F.normal, {"scale": 0.5}, 0.25),
    (F.glorot_normal, {}, 2 / 500),
    (F.glorot_uniform, {}, 2 / 500),
    (F.he_normal, {}, 2 / 300),
    (F.he_uniform, {}, 2 / 300),
    (F.lecun_normal, {}, 1 / 300),
    (F.lecun_uniform, {}, 1 / 300),
]


@pytest.mark.parametrize(("rule", "constants", "variance"), VARIANCES)
def test_initial_weights(rule, constants, variance):
    w = rule(300, 200, seed=3, dtype=np.float64, **constants)
    assert w.shape == (300, 200) and w.dtype == np.float64
    # Five standard errors; those of a normal variance are the larger ones.
    assert abs(w.mean()) <= 5 * np.sqrt(variance / w.size)
    assert w.var() == pytest.approx(variance, rel=5 * np.sqrt(2 / w.size))
    np.testing.assert_array_equal(w, rule(300, 200, seed=3, dtype=np.float64, **constants))
    if variance:
        assert (w != rule(300, 200, seed=4, dtype=np.float64, **constants)).all()


def test_orthogonal_weights():
    w = F.orthogonal(4, 7, dtype=np.float64)
    np.testing.assert_allclose(w @ w.T, np.eye(4), atol=1e-14)
    before_relu = init.Orthogonal()(4, 7, activation="relu", dtype=np.float64)
    np.testing.assert_allclose(before_relu @ before_relu.T, 2 * np.eye(4), atol=1e-14)


def test_names():
    assert resolve(activations.Activation, "swish") == activations.Silu()
    assert resolve(activations.Activation, activations.Elu) == activations.Elu(alpha=1.0)
    assert resolve(losses.Loss, "mse") == losses.SquaredError()
    with pytest.raises(ValueError, match="did you mean 'relu'"):
        resolve(activations.Activation, "rellu")
    with pytest.raises(ValueError, match="there are binary_cross_entropy, cross_entropy"):
        resolve(losses.Loss, "zzz")
    with pytest.raises(TypeError, match="give a name"):
        resolve(losses.Loss, 3)
    with pytest.raises(ValueError, match="slope"):
        activations.LeakyRelu(slope=2)
    with pytest.raises(TypeError, match="no setting"):
        activations.LeakyRelu(slope=object())
    with pytest.raises(TypeError, match="float32 or float64"):
        F.he_normal(2, 2, dtype=np.int32)
    assert wxb.__version__


@pytest.mark.parametrize("shape", [(0,), (3, 0), (0, 3)])
def test_lengths_of_nothing(shape):
    x = np.zeros(shape)
    np.testing.assert_array_equal(F.norm(x), np.linalg.norm(x, axis=-1))
    assert F.normalize_rows(x).shape == shape
