"""Writes corpus/layers.json: every kind of layer in small networks, and what training steps compute from them.

    pip install numpy && python make_layers.py

NumPy in float64, one example per row as in wxb. A layer is the formula of its forward pass and nothing else: no
derivative is written out, but for erf's. The gradient of the cost J is its slope by a complex step, dJ/dtheta =
Im J(theta + ih) / h with h = 1e-30 (Squire and Trapp 1998): nothing is subtracted, so it is exact to rounding.
For this every function is analytic on each side of its kinks, and the real part chooses the side.

With members an array has an axis more, (k, m, n), from the layer on that makes them, or from X on where each of
them has rows of its own.

Inputs and parameters are multiples of 1/64, so that a 32-bit engine starts from the same numbers. Nothing lies
closer than MARGIN to a kink, so that it takes the same path.
"""

import json
import math
from itertools import product
from pathlib import Path
from types import SimpleNamespace

import numpy as np

HERE = Path(__file__).parent
MARGIN = 1e-3
M, LEARNING_RATE, UPDATES = 4, 0.125, 3
H = 1e-30


class Unfit(Exception):
    """A number lies where rounding decides, or much of the network is dead; another seed is tried."""


def above(z, kink=0.0):
    if abs(z.real - kink).min() < MARGIN:
        raise Unfit
    return z.real > kink


def split(name):
    """ "tanh" or {"elu": {"alpha": …}} -> name, constants"""
    return (name, {}) if isinstance(name, str) else next(iter(name.items()))


# Activations

real_erf = np.vectorize(math.erf)


def erf(z):
    """erf(x + ih) = erf(x) + ih 2/sqrt(pi) e^(-x^2): the integrand of erf is its slope."""
    return real_erf(z.real) + 1j * z.imag * 2 / np.sqrt(np.pi) * np.exp(-(z.real**2))


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def softplus(z):
    return np.log(1 + np.exp(z))


def leaky_relu(z, slope):
    return np.where(above(z), z, slope * z)


def elu(z, alpha):
    return np.where(above(z), z, alpha * np.expm1(z))


ACTIVATIONS = {
    "identity": lambda z: z,
    "sigmoid": sigmoid,
    "tanh": np.tanh,
    "relu": lambda z: leaky_relu(z, 0.0),
    "leaky_relu": leaky_relu,
    "elu": elu,
    "selu": lambda z: 1.0507009873554804934193349852946 * elu(z, 1.6732632423543772848170429916717),
    "gelu": lambda z: z * (1 + erf(z / np.sqrt(2))) / 2,
    "silu": lambda z: z * sigmoid(z),
    "mish": lambda z: z * np.tanh(softplus(z)),
    "softplus": softplus,
}


def g(activation, z):
    name, constants = split(activation)
    return ACTIVATIONS[name](z, **constants)


# Losses of a row, from the logits z (…, n) and the targets y (…, targets)


def squared_error(z, y):
    return ((z - y) ** 2 / 2).sum(axis=-1)


def binary_cross_entropy(z, y, label_smoothing):
    t = (1 - label_smoothing) * y + label_smoothing / 2
    return -(t * np.log(sigmoid(z)) + (1 - t) * np.log(1 - sigmoid(z))).sum(axis=-1)


def cross_entropy(z, y, label_smoothing):
    n = z.shape[-1]
    t = (1 - label_smoothing) * (np.arange(n) == y) + label_smoothing / n
    softmax = np.exp(z) / np.exp(z).sum(axis=-1, keepdims=True)
    return -(t * np.log(softmax)).sum(axis=-1)


LOSSES = {f.__name__: f for f in [squared_error, binary_cross_entropy, cross_entropy]}


# Layers: A from A_in and the tensors, whose shapes stand above, in wxb's order

LAYERS = {}


def layer(shapes=lambda **_: {}):
    def keep(forward):
        LAYERS[forward.__name__] = (shapes, forward)
        return forward

    return keep


@layer(lambda n_in, n_out, **_: {"W": (n_in, n_out), "b": (n_out,)})
def dense(a, W, b, activation, **_):
    return g(activation, a @ W + b)


@layer()
def dropout(a, rate, masks, predicting, **_):
    return a if predicting else a * next(masks) / (1 - rate)


@layer(lambda n: {"gamma": (n,)})
def scale(a, gamma, **_):
    return gamma * a


@layer(lambda n, **_: {"alpha": (n,)})
def blend(a, alpha, activation, **_):
    return a + alpha * (g(activation, a) - a)


def statistics(a):
    """Mean and variance of each unit over the rows."""
    rows = a.reshape(-1, a.shape[-1])
    mean = rows.mean(axis=0)
    return mean, ((rows - mean) ** 2).mean(axis=0)


@layer(lambda n, **_: {"gamma": (n,), "beta": (n,), "mean": (n,), "variance": (n,)})
def batch_norm(a, gamma, beta, mean, variance, activation, predicting, **_):
    if not predicting:
        mean, variance = statistics(a)
    return g(activation, gamma * (a - mean) / np.sqrt(variance + 1e-5) + beta)


@layer()
def residual(a, skip, outputs, **_):
    return a + outputs[-1 - skip]  # outputs[-1] is a


@layer(
    lambda columns, frequencies, width, **_: {
        "w": (columns, frequencies),
        "beta": (columns, frequencies),
        "A": (columns, width, frequencies),
        "c": (columns, width),
    }
)
def periodic(a, w, beta, A, c, columns, **_):
    x, rest = a[..., :columns], a[..., columns:]
    u = np.cos(2 * np.pi * w * x[..., None] + beta)
    e = np.einsum("jwf,...jf->...jw", A, u) + c
    return np.concatenate([e.reshape(*a.shape[:-1], -1), x, rest], axis=-1)


@layer(
    lambda columns, frequencies, width, **_: {
        "w": (columns, frequencies),
        "A": (columns, width, 2 * frequencies),
        "c": (columns, width),
    }
)
def plr(a, w, A, c, columns, **_):
    x, rest = a[..., :columns], a[..., columns:]
    angle = 2 * np.pi * w * x[..., None]
    u = np.concatenate([np.cos(angle), np.sin(angle)], axis=-1)
    e = g("relu", np.einsum("jwf,...jf->...jw", A, u) + c)
    return np.concatenate([e.reshape(*a.shape[:-1], -1), rest], axis=-1)


def places(x, edges):
    """p (…, T) of x (…): p_t = (x - b_(t-1)) / (b_t - b_(t-1)), cut to 0 … 1, but below the first edge and above
    the last the line goes on. A column of fewer bins repeats its last edge; the p of no bin are 0."""
    used = (np.diff(edges.real) > 0).sum()
    p = [0 * x] * (len(edges) - 1)
    for t in range(used):
        line = (x - edges[t]) / (edges[t + 1] - edges[t])
        line = np.where(above(x, edges[t].real) | (t == 0), line, 0)
        p[t] = np.where(above(x, edges[t + 1].real) & (t < used - 1), 1, line)
    return np.stack(p, axis=-1)


@layer(lambda columns, bins, **_: {"edges": (columns, bins + 1)})
def bins(a, edges, columns, **_):
    p = [places(a[..., j], edges[j]) for j in range(columns)]
    return np.concatenate([*p, a[..., columns:]], axis=-1)


@layer(
    lambda bins, width: {
        "w": (bins["columns"], width),
        "b": (bins["columns"], width),
        "V": (bins["columns"], width, bins["bins"]),
        "edges": (bins["columns"], bins["bins"] + 1),
    }
)
def piecewise(a, w, b, V, edges, bins, **_):
    columns = bins["columns"]
    e = [w[j] * a[..., j, None] + b[j] + places(a[..., j], edges[j]) @ V[j].T for j in range(columns)]
    return np.concatenate([*e, a[..., columns:]], axis=-1)


@layer(lambda levels, width, **_: {"E": (levels, width)})
def embed(a, E, rest, **_):
    rows = E[a[..., rest:].real.astype(int)]
    return np.concatenate([a[..., :rest], rows.reshape(*a.shape[:-1], -1)], axis=-1)


@layer()
def members(a, members, **_):
    return a if a.ndim == 3 else np.stack([a] * members)


@layer(lambda members, n: {"r": (members, 1, n)})
def member_scale(a, r, **_):
    return r * a


@layer(
    lambda members, n_in, n_out, **_: {
        "r": (members, 1, n_in),
        "W": (n_in, n_out),
        "s": (members, 1, n_out),
        "b": (members, 1, n_out),
    }
)
def ensemble(a, r, W, s, b, activation, **_):
    return g(activation, s * ((r * a) @ W) + b)


@layer(lambda members, n_in, n_out: {"W": (members, n_in, n_out), "b": (members, 1, n_out)})
def heads(a, W, b, **_):
    return a @ W + b


@layer(lambda members, layer: {name: (members, *shape) for name, shape in shapes(layer).items()})
def own(a, *tensors, members, layer, **_):
    kind, constants = split(layer)
    return np.stack([LAYERS[kind][1](a[i], *(t[i] for t in tensors), **constants) for i in range(members)])


# A network: layers, and their parameters as one flat array

NOT_LEARNED = {"mean", "variance", "edges"}


def shapes(layer):
    """Names and shapes of a layer's tensors."""
    kind, constants = split(layer)
    return LAYERS[kind][0](**constants)


def slots(layers):
    """Name and shape of every tensor, in the order of theta."""
    return [slot for layer in layers for slot in shapes(layer).items()]


def tensors(layers, theta):
    """The tensors of each layer, as views of theta."""
    ends = np.cumsum([math.prod(shape) for _, shape in slots(layers)])
    parts = iter(np.split(theta, ends[:-1]))
    return [[next(parts).reshape(shape) for shape in shapes(layer).values()] for layer in layers]


def forward(layers, theta, batch):
    """A_0 = X, A_1, …, A_L"""
    outputs, masks = [batch.x], iter(batch.masks)
    run = {"outputs": outputs, "masks": masks, "predicting": batch.predicting}
    for (kind, constants), of_layer in zip(map(split, layers), tensors(layers, theta)):
        outputs.append(LAYERS[kind][1](outputs[-1], *of_layer, **constants, **run))
    return outputs


def cost(layers, loss, theta, batch):
    """J = sum w l / sum w, over the rows of all members."""
    name, constants = split(loss)
    l = LOSSES[name](forward(layers, theta, batch)[-1], batch.y, **constants)
    w = np.broadcast_to(1.0 if batch.weights is None else batch.weights, l.shape)
    return (w * l).sum() / w.sum()


def is_learned(layers):
    """Whether, for each parameter."""
    return np.concatenate(
        [np.full(math.prod(shape), name not in NOT_LEARNED) for name, shape in slots(layers)]
    )


def gradient(layers, loss, theta, batch):
    """dJ/dtheta; 0 for what is not learned."""
    d = np.zeros(len(theta))
    for j in np.flatnonzero(is_learned(layers)):
        stepped = theta + 1j * H * (np.arange(len(theta)) == j)
        d[j] = cost(layers, loss, stepped, batch).imag / H
    return d


def track(layers, theta, outputs, t):
    """The running statistics of batch normalisation after step t <= 10: the mean over the steps of the batch's
    mean, and of m/(m - 1) times its variance."""
    theta = theta.copy()
    for a_in, (kind, _), of_layer in zip(outputs, map(split, layers), tensors(layers, theta)):
        if kind == "batch_norm":
            m = a_in.size / a_in.shape[-1]
            (_, _, mean, variance), (of_batch, variance_of_batch) = of_layer, statistics(a_in)
            mean += (of_batch - mean) / t
            variance += (m / (m - 1) * variance_of_batch - variance) / t
    return theta


def train(layers, loss, theta, batch):
    for t in range(1, UPDATES + 1):
        outputs = forward(layers, theta, batch)
        theta = theta - LEARNING_RATE * gradient(layers, loss, theta, batch)
        theta = theta if batch.predicting else track(layers, theta, outputs, t)
    forward(layers, theta, batch)  # no kink at the end either
    return theta


# Numbers for a network


def sixty_fourths(rng, shape, size):
    return rng.integers(-size, size + 1, shape) / 64


def parameters(rng, name, shape):
    match name:
        case "variance":
            return rng.integers(16, 129, shape) / 64
        case "edges":
            columns, edges = shape
            b = np.cumsum(rng.integers(24, 65, shape), axis=1) / 64 - edges / 2
            if columns > 1 and edges > 2:
                b[-1, -1] = b[-1, -2]  # a column of a bin less
            return b
        case "b" | "beta" | "mean":
            return sixty_fourths(rng, shape, 32)
        case _:
            return sixty_fourths(rng, shape, 64)


def inputs(rng, layers, rows):
    """X: numbers, and those of levels in the columns of the first category embedding."""
    sizes = split(layers[0])[1]
    sizes = sizes.get("bins", sizes) if isinstance(sizes.get("bins"), dict) else sizes
    n = sizes.get("n_in") or sizes.get("n") or sizes["columns"] + sizes["rest"]
    x = sixty_fourths(rng, (*rows, n), 128)
    for kind, constants in map(split, layers):
        kind, constants = split(constants["layer"]) if kind == "own" else (kind, constants)
        if kind == "embed":
            x[..., constants["rest"] :] = rng.integers(0, constants["levels"], (*rows, constants["columns"]))
    return x


def targets(rng, loss, rows, n_out):
    match split(loss)[0]:
        case "cross_entropy":
            return rng.integers(0, n_out, (*rows, 1))
        case "binary_cross_entropy":
            return rng.integers(0, 2, (*rows, n_out))
        case _:
            return sixty_fourths(rng, (*rows, n_out), 96)


def draw(rng, layers, loss, weighted, apart, predicting):
    theta = np.concatenate([parameters(rng, *slot).ravel() for slot in slots(layers)])
    k = [constants["members"] for kind, constants in map(split, layers) if kind == "members"]
    rows = (*k, M) if apart else (M,)
    batch = SimpleNamespace(x=inputs(rng, layers, rows), weights=None, masks=[], predicting=True)
    outputs = forward(layers, theta, batch)
    batch.y = targets(rng, loss, rows, outputs[-1].shape[-1])
    if weighted:
        batch.weights = rng.choice([0.25, 0.5, 2.0, 3.0], rows)
    if not predicting:
        rates = [constants.get("rate") for _, constants in map(split, layers)]
        batch.masks = [rng.random(a.shape) >= rate for a, rate in zip(outputs, rates) if rate]
        batch.predicting = False
    return theta, batch


# What stands behind 15 digits is rounding.
digits = np.vectorize(lambda value: float(f"{value.real:.15g}"))


def compute(name, loss, layers, weighted, apart, predicting, rng):
    theta, batch = draw(rng, layers, loss, weighted, apart, predicting)
    d = gradient(layers, loss, theta, batch)
    if (d[is_learned(layers)] == 0).mean() > 0.2:
        raise Unfit
    rows = lambda a: digits(a).reshape(-1, a.shape[-1]).tolist()
    expected = {
        "A": [rows(a) for a in forward(layers, theta, batch)[1:]],
        "loss": digits(cost(layers, loss, theta, batch)).item(),
        "gradient": digits(d).tolist(),
        "params_after_3_updates": digits(train(layers, loss, theta, batch)).tolist(),
    }
    said = {"weighted": weighted, "rows of their own": apart, "predicting": predicting}
    return {
        "name": ", ".join([name, *(what for what, is_so in said.items() if is_so)]),
        "layers": layers,
        "loss": loss,
        "apart": apart,
        "predicting": predicting,
        "learning_rate": LEARNING_RATE,
        "params": theta.tolist(),
        "x": rows(batch.x),
        "y": rows(batch.y),
        "weights": None if batch.weights is None else batch.weights.ravel().tolist(),
        "masks": [rows(mask.astype(int)) for mask in batch.masks],
        "expected": expected,
    }


# The networks


def kind(name, *fields):
    return lambda *values: {name: dict(zip(fields, values))}


Dense = lambda n_in, n_out, g="identity": {"dense": {"n_in": n_in, "n_out": n_out, "activation": g}}
Dropout = kind("dropout", "rate")
Scale = kind("scale", "n")
Blend = kind("blend", "n", "activation")
BatchNorm = kind("batch_norm", "n", "activation")
Residual = kind("residual", "skip")
Periodic = kind("periodic", "columns", "rest", "frequencies", "width")
Plr = kind("plr", "columns", "rest", "frequencies", "width")
Bins = kind("bins", "columns", "rest", "bins")
Piecewise = lambda columns, rest, bins, width: {"piecewise": {**Bins(columns, rest, bins), "width": width}}
Embed = kind("embed", "rest", "columns", "levels", "width")
Members = kind("members", "members", "n")
MemberScale = kind("member_scale", "members", "n")
Ensemble = kind("ensemble", "members", "n_in", "n_out", "activation")
Heads = kind("heads", "members", "n_in", "n_out")
Own = kind("own", "members", "layer")

SQUARED = "squared_error"
BINARY, SMOOTH_BINARY = ({"binary_cross_entropy": {"label_smoothing": e}} for e in (0.0, 0.125))
SOFTMAX, SMOOTH_SOFTMAX = ({"cross_entropy": {"label_smoothing": e}} for e in (0.0, 0.125))
LEAKY, ELU = {"leaky_relu": {"slope": 0.25}}, {"elu": {"alpha": 0.5}}

# Each with and without row weights.
KINDS = [
    ("scale", SQUARED, [Scale(3), Dense(3, 3, "silu"), Scale(3), Dense(3, 2)]),
    ("blend", BINARY, [Dense(3, 3), Blend(3, "selu"), Dense(3, 3, "gelu"), Blend(3, "mish"), Dense(3, 1)]),
    ("batch norm", SMOOTH_SOFTMAX, [BatchNorm(2, "tanh"), Dense(2, 3), BatchNorm(3, "gelu"), Dense(3, 3)]),
    ("residual", SQUARED, [
        Dense(3, 3, "mish"), Dense(3, 3, "tanh"), Residual(1), Dense(3, 3, "relu"), Residual(3), Dense(3, 2),
    ]),
    ("periodic", BINARY, [Periodic(2, 1, 2, 2), Dense(7, 2, "silu"), Periodic(1, 1, 3, 1), Dense(3, 1)]),
    ("plr", SQUARED, [Plr(2, 1, 2, 2), Dense(5, 3, LEAKY), Plr(3, 0, 1, 1), Dense(3, 2)]),
    ("bins", SMOOTH_SOFTMAX, [Bins(2, 1, 3), Dense(7, 2, "gelu"), Bins(2, 0, 2), Dense(4, 3)]),
    ("piecewise", SMOOTH_BINARY, [
        Piecewise(2, 1, 3, 2), Dense(5, 2, ELU), Piecewise(1, 1, 2, 2), Dense(3, 2),
    ]),
    ("embed", SQUARED, [Embed(2, 2, 3, 2), Dense(6, 3, "selu"), Dense(3, 2)]),
    ("dropout", SOFTMAX, [Dense(3, 3, "silu"), Dropout(0.2), Dense(3, 4, "relu"), Dropout(0.5), Dense(4, 2)]),
    ("member scale", SQUARED, [
        Members(2, 3), MemberScale(2, 3), Dense(3, 3, "gelu"), MemberScale(2, 3), Dense(3, 2),
    ]),
    ("ensemble", BINARY, [
        Dense(2, 3), BatchNorm(3, "mish"),
        Members(3, 3), Ensemble(3, 3, 2, "silu"), Ensemble(3, 2, 3, LEAKY), Dense(3, 1),
    ]),
    ("heads", SMOOTH_SOFTMAX, [
        Dense(3, 2, "silu"), Members(2, 2), Heads(2, 2, 3), Blend(3, "mish"), Heads(2, 3, 2),
    ]),
    ("own", BINARY, [
        Members(2, 3), Own(2, Embed(1, 2, 3, 1)), Own(2, Periodic(1, 2, 2, 2)),
        Own(2, Dense(5, 3, "gelu")), Own(2, Blend(3, "selu")), Dense(3, 2, "softplus"), Heads(2, 2, 1),
    ]),
    ("residual of members", SQUARED, [
        Members(2, 2), Own(2, Dense(2, 2, "sigmoid")), Own(2, Dense(2, 2, "tanh")), Residual(1),
        Dropout(0.5), Dense(2, 2, "mish"), Residual(2), Heads(2, 2, 1),
    ]),
]  # fmt: skip

# As the recipes and `mlp` put them together, once each.
RECIPES = [
    ("mlp", SMOOTH_BINARY, [
        Dense(3, 3), BatchNorm(3, "silu"), Dropout(0.2),
        Dense(3, 3), BatchNorm(3, "relu"), Dropout(0.2), Residual(3), Dense(3, 1),
    ]),
    ("realmlp", SMOOTH_SOFTMAX, [
        Embed(2, 1, 4, 2), Periodic(2, 2, 2, 1), Scale(6),
        Dense(6, 3), Blend(3, "selu"), Dropout(0.2), Dense(3, 3), Blend(3, "selu"), Dropout(0.2), Dense(3, 3),
    ]),
    ("realmlp-s", SQUARED, [
        Embed(2, 1, 4, 2), Scale(4), Dense(4, 4, "mish"), Dense(4, 3, "mish"), Dense(3, 1),
    ]),
    ("deep", BINARY, [
        Embed(1, 1, 3, 2), Periodic(1, 2, 2, 1), Members(2, 4), MemberScale(2, 4),
        Heads(2, 4, 2), Blend(2, "mish"), Dropout(0.2), Heads(2, 2, 2), Blend(2, "mish"), Dropout(0.2),
        Heads(2, 2, 1),
    ]),
    ("tabm", SOFTMAX, [
        Members(3, 3), Ensemble(3, 3, 3, "relu"), Dropout(0.2), Ensemble(3, 3, 3, "relu"), Dropout(0.2),
        Heads(3, 3, 2),
    ]),
    ("tabm-mini", SQUARED, [
        Piecewise(2, 1, 2, 1), Members(2, 3), MemberScale(2, 3),
        Dense(3, 3, "relu"), Dropout(0.2), Dense(3, 3, "relu"), Dropout(0.2), Heads(2, 3, 1),
    ]),
]  # fmt: skip


def cases():
    """Members see the same rows without weights and rows of their own with them, or the other way round."""
    settings = [(network, weighted) for network, weighted in product(KINDS, (False, True))]
    settings += [(network, i % 2 == 1) for i, network in enumerate(RECIPES)]
    for i, ((name, loss, layers), weighted) in enumerate(settings):
        apart = any("members" in layer for layer in layers) and i // 2 % 2 == weighted
        yield i, name, loss, layers, weighted, apart, False
        if name == "batch norm" and weighted:
            yield i, name, loss, layers, weighted, apart, True


def make(i, name, loss, layers, weighted, apart, predicting):
    for seed in range(10_000):
        try:
            rng = np.random.default_rng([i, predicting, seed])
            return compute(name, loss, layers, weighted, apart, predicting, rng)
        except Unfit:
            continue
    raise SystemExit(f"no seed keeps {name} away from its kinks")


ABOUT = (
    "Made by make_layers.py with NumPy in float64, gradients by complex steps. params: the tensors of each layer, "
    "row-major, in wxb's order. x (m, n0), y (m, targets), weights (m); with apart (k m, ...), the rows of member "
    "1 first. masks: of each dropout layer, 1 for what stays; A = A_in * mask / (1 - rate). A of every layer, the "
    "last one the logits. Batch normalisation takes the statistics of the batch; with predicting, the running "
    "ones, and then there is no dropout. Running statistics and edges are not learned: their gradient is 0. An "
    "update is theta - learning_rate * gradient. Edges stay; running statistics become the mean over the steps of "
    "the batch's mean and of m/(m - 1) times its variance, and with predicting stay, too."
)


def main():
    made = [make(*case) for case in cases()]
    lines = ",\n".join(json.dumps(case, separators=(",", ":")) for case in made)
    text = f'{{"about": {json.dumps(ABOUT)},\n"cases": [\n{lines}\n]}}\n'
    (HERE / "corpus" / "layers.json").write_text(text)
    print(f"layers.json: {len(made)} cases, {len(text) / 1000:.0f} kB")


main()
