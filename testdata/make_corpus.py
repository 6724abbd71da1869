"""Writes corpus/*.json: small networks with everything a training step computes from them.

    pip install numpy && python make_corpus.py

NumPy in float64, in the orientation of the lecture notes (one example per column, W (units, inputs)); the
files hold one example per row and W (inputs, units), as wxb does. All inputs are multiples of 1/64, so that a
32-bit engine starts from the same numbers. Nothing lies closer than MARGIN to a kink and no gradient is so small
that its sign is rounding, so that a 32-bit engine takes the same path.
"""

import json
import math
from pathlib import Path

import numpy as np

HERE = Path(__file__).parent
MARGIN = 1e-3
M, SIZES = 5, [3, 4, 3]
erf = np.vectorize(math.erf)


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def softplus(z):
    return np.logaddexp(0, z)


def phi(z):
    return np.exp(-z * z / 2) / np.sqrt(2 * np.pi)


def Phi(z):
    return (1 + erf(z / np.sqrt(2))) / 2


def elu(alpha):
    return (lambda z: np.where(z > 0, z, alpha * np.expm1(z)), lambda z: np.where(z > 0, 1, alpha * np.exp(z)))


def leaky(slope):
    return (lambda z: np.where(z > 0, z, slope * z), lambda z: np.where(z > 0, 1, slope))


def selu():
    scale, (f, df) = 1.0507009873554804934193349852946, elu(1.6732632423543772848170429916717)
    return (lambda z: scale * f(z), lambda z: scale * df(z))


def mish():
    dsoft_tanh = lambda z: sigmoid(z) / np.cosh(softplus(z)) ** 2
    return (lambda z: z * np.tanh(softplus(z)), lambda z: np.tanh(softplus(z)) + z * dsoft_tanh(z))


# name or {name: constants} -> (g, g', has a kink at 0)
ACTIVATIONS = [
    ("identity", (lambda z: z, np.ones_like), False),
    ("sigmoid", (sigmoid, lambda z: sigmoid(z) * (1 - sigmoid(z))), False),
    ("tanh", (np.tanh, lambda z: 1 - np.tanh(z) ** 2), False),
    ("relu", leaky(0.0), True),
    ({"leaky_relu": {"slope": 0.01}}, leaky(0.01), True),
    ({"leaky_relu": {"slope": 0.25}}, leaky(0.25), True),
    ({"elu": {"alpha": 1.0}}, elu(1.0), True),
    ({"elu": {"alpha": 0.5}}, elu(0.5), True),
    ("selu", selu(), True),
    ("gelu", (lambda z: z * Phi(z), lambda z: Phi(z) + z * phi(z)), False),
    ("silu", (lambda z: z * sigmoid(z), lambda z: sigmoid(z) * (1 + z * (1 - sigmoid(z)))), False),
    ("mish", mish(), False),
    ("softplus", (softplus, sigmoid), False),
]
BY_NAME = {json.dumps(name): rest for name, *rest in ACTIVATIONS}


def bce(e):
    smooth = lambda y: (1 - e) * y + e / 2
    loss = lambda z, y: smooth(y) * softplus(-z) + (1 - smooth(y)) * softplus(z)
    return sigmoid, loss, lambda z, y: sigmoid(z) - smooth(y)


def softmax(z):
    e = np.exp(z - z.max(axis=0))
    return e / e.sum(axis=0)


def cross_entropy(e):
    def target(z, y):
        onehot = np.arange(len(z))[:, None] == y
        return (1 - e) * onehot + e / len(z)

    return (softmax, lambda z, y: -target(z, y) * np.log(softmax(z)), lambda z, y: softmax(z) - target(z, y))


def huber(d):
    loss = lambda r: np.where(abs(r) <= d, r * r / 2, d * (abs(r) - d / 2))
    return (lambda z: z, lambda z, y: loss(z - y), lambda z, y: np.clip(z - y, -d, d))


def quantile(levels):
    t = np.array(levels)[:, None]
    return (
        lambda z: z,
        lambda z, y: np.maximum(t * (y - z), (t - 1) * (y - z)),
        lambda z, y: np.where(y > z, -t, 1 - t),
    )


SQUARED = (lambda z: z, lambda z, y: (z - y) ** 2 / 2, lambda z, y: z - y)
ABSOLUTE = (lambda z: z, lambda z, y: abs(z - y), lambda z, y: np.sign(z - y))
POISSON = (np.exp, lambda z, y: np.exp(z) - y * z, lambda z, y: np.exp(z) - y)

# name, n_out, kind of target, (link, loss by output, derivative), where |z - y| has a kink
LOSSES = [
    ({"binary_cross_entropy": {"label_smoothing": 0.0}}, 1, "binary", bce(0.0), None),
    ({"binary_cross_entropy": {"label_smoothing": 0.0}}, 3, "binary", bce(0.0), None),
    ({"binary_cross_entropy": {"label_smoothing": 0.125}}, 2, "binary", bce(0.125), None),
    ({"cross_entropy": {"label_smoothing": 0.0}}, 2, "class", cross_entropy(0.0), None),
    ({"cross_entropy": {"label_smoothing": 0.0}}, 3, "class", cross_entropy(0.0), None),
    ({"cross_entropy": {"label_smoothing": 0.125}}, 4, "class", cross_entropy(0.125), None),
    ("squared_error", 1, "number", SQUARED, None),
    ("squared_error", 3, "number", SQUARED, None),
    ("absolute_error", 2, "number", ABSOLUTE, 0.0),
    ({"huber": {"delta": 0.5}}, 2, "number", huber(0.5), 0.5),
    ("poisson", 2, "count", POISSON, None),
    ({"quantile": {"levels": [0.5]}}, 1, "one number", quantile([0.5]), 0.0),
    ({"quantile": {"levels": [0.125, 0.5, 0.875]}}, 3, "one number", quantile([0.125, 0.5, 0.875]), 0.0),
]


def decayed(lr, decay, name, theta):
    return (1 - lr * decay) * theta if name.startswith("W") else theta


def sgd(theta, g, lr, t, state):
    return theta - lr * g


def momentum(theta, g, lr, t, state, beta, averaged):
    state["v"] = beta * state.get("v", 0) + (1 - beta if averaged else 1) * g
    return theta - lr * state["v"]


def nesterov(theta, g, lr, t, state, beta):
    state["v"] = beta * state.get("v", 0) + g
    return theta - lr * (g + beta * state["v"])


def rms_prop(theta, g, lr, t, state, rho, epsilon):
    state["s"] = rho * state.get("s", 0) + (1 - rho) * g**2
    return theta - lr * g / (np.sqrt(state["s"]) + epsilon)


def adam(theta, g, lr, t, state, beta1, beta2, epsilon):
    state["m"] = beta1 * state.get("m", 0) + (1 - beta1) * g
    state["s"] = beta2 * state.get("s", 0) + (1 - beta2) * g**2
    m_hat, s_hat = state["m"] / (1 - beta1**t), state["s"] / (1 - beta2**t)
    return theta - lr * m_hat / (np.sqrt(s_hat) + epsilon)


UPDATES = {
    "sgd": sgd, "momentum": momentum, "nesterov": nesterov, "rms_prop": rms_prop, "adam": adam, "adam_w": adam,
}  # fmt: skip

ADAM = {"beta1": 0.875, "beta2": 0.96875, "epsilon": 2.0**-20}
# optimizer, learning rate, penalties
OPTIMIZERS = [
    ("sgd", 0.5, {}),
    ("sgd", 0.5, {"l2": 0.25}),
    ("sgd", 0.5, {"l1": 0.125}),
    ("sgd", 0.5, {"weight_decay": 0.125}),
    ({"momentum": {"beta": 0.75, "averaged": False}}, 0.25, {}),
    ({"momentum": {"beta": 0.75, "averaged": True}}, 0.25, {}),
    ({"nesterov": {"beta": 0.75}}, 0.25, {}),
    ({"rms_prop": {"rho": 0.875, "epsilon": 2.0**-20}}, 0.0625, {}),
    ({"adam": ADAM}, 0.0625, {}),
    ({"adam": ADAM}, 0.0625, {"l2": 0.25}),
    ({"adam_w": ADAM}, 0.0625, {"weight_decay": 0.25}),
    ({"adam_w": {**ADAM, "epsilon": 0.5}}, 0.0625, {"weight_decay": 0.25, "l2": 0.25, "l1": 0.125}),
]


class TooClose(Exception):
    """A number lies where rounding decides; another seed is tried."""


def split(name):
    """ "sgd" or {"adam": {…}} -> name, constants"""
    return (name, {}) if isinstance(name, str) else next(iter(name.items()))


def forward(params, activations, x):
    zs, a = [], [x]
    for l, activation in enumerate(activations, 1):
        (g, _), kink = BY_NAME[json.dumps(activation)]
        z = params[f"W{l}"] @ a[-1] + params[f"b{l}"]
        if kink and abs(z).min() < MARGIN:
            raise TooClose
        zs.append(z)
        a.append(g(z))
    return zs, a


def step(params, activations, loss, batch, penalties):
    """One forward and backward pass, in the orientation of the notes."""
    _, _, _, (link, loss_of, derivative), kink = loss
    x, y, weights = batch
    w = np.ones(x.shape[1]) if weights is None else weights
    m = w.sum()
    zs, a = forward(params, activations, x)
    if kink is not None and abs(abs(zs[-1] - y) - kink).min() < MARGIN:
        raise TooClose
    data_loss = (w * loss_of(zs[-1], y).sum(axis=0)).sum() / m
    l2, l1 = penalties.get("l2", 0.0), penalties.get("l1", 0.0)
    matrices = [v for k, v in params.items() if k.startswith("W")]
    cost = data_loss + sum(l2 / (2 * m) * (v**2).sum() + l1 / m * abs(v).sum() for v in matrices)
    grads, dz = {}, w / m * derivative(zs[-1], y)
    for l in range(len(zs), 0, -1):
        weight = params[f"W{l}"]
        grads[f"W{l}"] = dz @ a[l - 1].T + l2 / m * weight + l1 / m * np.sign(weight)
        grads[f"b{l}"] = dz.sum(axis=1, keepdims=True)
        if l > 1:
            (_, dg), _ = BY_NAME[json.dumps(activations[l - 2])]
            dz = weight.T @ dz * dg(zs[l - 2])
    return {"Z": zs, "A": a[1:-1] + [link(zs[-1])], "loss": data_loss, "cost": cost, "grads": grads}


def train(params, activations, loss, batch, optimizer, lr, penalties, steps):
    name, constants = split(optimizer)
    states = {key: {} for key in params}
    for t in range(1, steps + 1):
        grads = step(params, activations, loss, batch, penalties)["grads"]
        for key, g in grads.items():
            small = (g != 0) & (abs(g) < 1e-4)
            if small.any() and name not in ("sgd", "momentum", "nesterov"):
                raise TooClose
            if penalties.get("l1") and (abs(params[key]) < MARGIN).any() and key.startswith("W"):
                raise TooClose
            theta = decayed(lr, penalties.get("weight_decay", 0.0), key, params[key])
            params = params | {key: UPDATES[name](theta, g, lr, t, states[key], **constants)}
    step(params, activations, loss, batch, penalties)  # no kink at the end either
    return params


def target(rng, kind, n_out):
    rows = 1 if kind in ("class", "one number") else n_out
    draw = {"binary": lambda s: rng.integers(0, 2, s), "class": lambda s: rng.integers(0, n_out, s),
            "count": lambda s: rng.integers(0, 5, s)}  # fmt: skip
    return draw.get(kind, lambda s: rng.integers(-96, 97, s) / 64)((rows, M)).astype(float)


def make(name, hidden, loss, weighted, optimizer, lr, penalties, rng):
    loss_name, n_out, kind, _, _ = loss
    sixty_fourths = lambda shape, size: rng.integers(-size, size + 1, shape) / 64
    params, sizes = {}, SIZES + [n_out]
    for l in range(1, len(sizes)):
        params[f"W{l}"] = sixty_fourths((sizes[l], sizes[l - 1]), 64)
        params[f"b{l}"] = sixty_fourths((sizes[l], 1), 32)
    activations = hidden + ["identity"]
    weights = rng.permutation([0.25, 0.5, 1.0, 2.0, 3.0]) if weighted else None
    batch = sixty_fourths((SIZES[0], M), 128), target(rng, kind, n_out), weights
    result = step(params, activations, loss, batch, penalties)
    after = train(params, activations, loss, batch, optimizer, lr, penalties, 3)
    rows = lambda named: {k: (v.T if k.startswith("W") else v[:, 0]).tolist() for k, v in named.items()}
    return {
        "name": name, "sizes": sizes, "activations": activations, "loss": loss_name, "optimizer": optimizer,
        "learning_rate": lr, "l2": 0.0, "l1": 0.0, "weight_decay": 0.0, **penalties,
        "params": rows(params), "x": batch[0].T.tolist(), "y": batch[1].T.tolist(),
        "weights": None if weights is None else weights.tolist(),
        "expected": {
            "Z": [z.T.tolist() for z in result["Z"]], "A": [a.T.tolist() for a in result["A"]],
            "loss": float(result["loss"]), "cost": float(result["cost"]),
            "gradients": rows(dict(sorted(result["grads"].items(), key=lambda kv: (kv[0][1:], kv[0][0])))),
            "params_after_3_updates": rows(after),
        },
    }  # fmt: skip


def write(file, about, cases):
    made = []
    for i, case in enumerate(cases):
        for weighted in (False, True):
            for seed in range(10_000):
                try:
                    made.append(make(weighted=weighted, rng=np.random.default_rng([i, weighted, seed]), **case))
                    break
                except TooClose:
                    continue
            else:
                raise SystemExit(f"{file}: no seed keeps {case['name']} away from its kinks")
            made[-1]["name"] += ", weighted" if weighted else ""
    lines = ",\n".join(json.dumps(case, separators=(",", ":")) for case in made)
    text = f'{{"about": {json.dumps(about)},\n"cases": [\n{lines}\n]}}\n'
    (HERE / "corpus" / file).write_text(text)
    print(f"{file}: {len(made)} cases, {len(text) / 1000:.0f} kB")


ABOUT = (
    "Made by make_corpus.py with NumPy in float64. x (m, n0), y (m, targets), W (inputs, units), Z and A by layer; the "
    "last A is the prediction. cost = loss + l2/(2m) sum W^2 + l1/m sum |W|, m = sum of the weights; gradients are of "
    "the cost. weight_decay is decoupled: W is multiplied by 1 - learning_rate * weight_decay before an update."
)


def main():
    case = lambda name, hidden, loss, optimizer=("sgd", 0.5, {}): dict(
        name=name, hidden=hidden, loss=loss, optimizer=optimizer[0], lr=optimizer[1], penalties=optimizer[2]
    )
    label = lambda name: " ".join([split(name)[0], *map(str, split(name)[1].values())])
    names = [a[0] for a in ACTIVATIONS]
    write("activations.json", ABOUT, [
        case(label(a), [a, a], LOSSES[[0, 4, 6][i % 3]]) for i, a in enumerate(names)
    ])  # fmt: skip
    write("losses.json", ABOUT, [
        case(f"{label(loss[0])}, {loss[1]} outputs", [names[i], names[-1 - i]], loss) for i, loss in enumerate(LOSSES)
    ])  # fmt: skip
    write("optimizers.json", ABOUT, [
        case(" ".join([label(o[0]), *(f"{k} {v}" for k, v in o[2].items())]), ["tanh", "silu"], LOSSES[i % 2 + 6], o)
        for i, o in enumerate(OPTIMIZERS)
    ])  # fmt: skip


main()
