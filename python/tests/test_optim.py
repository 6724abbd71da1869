"""Update rules against their formulas in NumPy; schedules; L-BFGS."""

import pickle

import numpy as np
import pytest

from wxb import optim
from wxb.optim import schedules


def sgd(t, g, memory, lr):
    return lr * g


def momentum(t, g, memory, lr, beta=0.8, share=1.0):
    v = memory["v"] = beta * memory.get("v", 0) + share * g
    return lr * v


def averaged(t, g, memory, lr):
    return momentum(t, g, memory, lr, share=1 - 0.8)


def nesterov(t, g, memory, lr, beta=0.8):
    v = memory["v"] = beta * memory.get("v", 0) + g
    return lr * (g + beta * v)


def rmsprop(t, g, memory, lr, rho=0.7, epsilon=1e-3):
    s = memory["s"] = rho * memory.get("s", 0) + (1 - rho) * g**2
    return lr * g / (np.sqrt(s) + epsilon)


def adam(t, g, memory, lr, beta1=0.8, beta2=0.9, epsilon=1e-3):
    m = memory["m"] = beta1 * memory.get("m", 0) + (1 - beta1) * g
    s = memory["s"] = beta2 * memory.get("s", 0) + (1 - beta2) * g**2
    return lr * (m / (1 - beta1**t)) / (np.sqrt(s / (1 - beta2**t)) + epsilon)


RULES = [
    (lambda: optim.SGD(0.1), sgd),
    (lambda: optim.SGD(0.1, weight_decay=0.3), sgd),
    (lambda: optim.Momentum(0.1, beta=0.8), momentum),
    (lambda: optim.Momentum(0.1, beta=0.8, averaged=True), averaged),
    (lambda: optim.Nesterov(0.1, beta=0.8), nesterov),
    (lambda: optim.RMSProp(0.1, rho=0.7, epsilon=1e-3), rmsprop),
    (lambda: optim.Adam(0.1, beta1=0.8, beta2=0.9, epsilon=1e-3), adam),
    (lambda: optim.AdamW(0.1, beta1=0.8, beta2=0.9, epsilon=1e-3, weight_decay=0.3), adam),
]


def arrays(dtype):
    """Arrays of every layout: row-major, column-major, with gaps, of no axis."""
    rng = np.random.default_rng(0)
    shapes = [(3, 4), (4, 3), (6, 5), ()]
    c, f, gaps, number = (np.asarray(rng.normal(size=shape), dtype=dtype) for shape in shapes)
    return [c, np.asfortranarray(f), gaps[::2, 1::2], number]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("make", "formula"), RULES)
def test_rules(make, formula, dtype):
    optimizer, params = make(), arrays(dtype)
    expected, memories = [p.astype(np.float64) for p in params], [{} for _ in params]
    rng = np.random.default_rng(1)
    for t in range(1, 6):
        grads = [np.asarray(rng.normal(size=p.shape), dtype=dtype) for p in params]
        optimizer.step(params, grads)
        for i, g in enumerate(grads):
            expected[i] = (1 - 0.1 * optimizer.weight_decay) * expected[i]
            expected[i] = expected[i] - formula(t, g.astype(np.float64), memories[i], 0.1)
    for param, wanted in zip(params, expected, strict=True):
        np.testing.assert_allclose(param, wanted, rtol=1e-12 if dtype == np.float64 else 1e-4, atol=1e-6)
    assert optimizer.t == 5
    for letter in optimizer.letters:
        np.testing.assert_allclose(optimizer.state[f"{letter}.1"], memories[1][letter], rtol=1e-4)


@pytest.mark.parametrize(("make", "formula"), RULES)
def test_state_goes_on(make, formula):
    rng = np.random.default_rng(1)
    grads = [[rng.normal(size=p.shape) for p in arrays(float)] for _ in range(4)]
    unbroken, params = make(), arrays(float)
    for g in grads:
        unbroken.step(params, g)
    first, halves = make(), arrays(float)
    for g in grads[:2]:
        first.step(halves, g)
    pickled, restored = pickle.loads(pickle.dumps(first)), make()
    restored.state = first.state
    copies = [p.copy() for p in halves]
    for g in grads[2:]:
        pickled.step(halves, g)
        restored.step(copies, g)
    for a, b, c in zip(params, halves, copies, strict=True):
        np.testing.assert_array_equal(a, b)
        np.testing.assert_array_equal(a, c)


def test_state_is_a_copy():
    adam, w = optim.Adam(0.1), np.ones(2)
    adam.step([w], [w])
    state = adam.state
    adam.step([w], [w])
    assert int(state["t"]) == 1 and state["m.0"][0] == pytest.approx(0.1)
    adam.reset()
    assert adam.t == 0 and set(adam.state) == {"t"}
    with pytest.raises(ValueError, match="no state of Adam"):
        adam.state = {"t": 1, "v.0": w}


def test_rate_and_decay_of_a_step():
    sgd, a, b = optim.SGD(0.1, weight_decay=1.0), np.ones(2), np.ones(2)
    sgd.step([a, b], [[0.0, 0.0], [0.0, 0.0]], decays=[True, False])
    np.testing.assert_allclose([a, b], [[0.9, 0.9], [1.0, 1.0]])
    sgd.lr, sgd.weight_decay = 0.5, 0.0
    sgd.step([b], [[1.0, 0.0]])
    sgd.step([b], [[0.0, 1.0]], lr=0.25)
    np.testing.assert_allclose(b, [0.5, 0.75])


def test_refused():
    w = np.ones((2, 2))
    adam = optim.Adam()
    for params, grads, error in [
        ([w], [np.ones(4)], ValueError),
        ([w], [], ValueError),
        ([[1.0]], [[1.0]], TypeError),
        ([np.ones(2, dtype=int)], [[1, 1]], TypeError),
    ]:
        with pytest.raises(error):
            adam.step(params, grads)
    assert adam.t == 0
    adam.step([w], [w.copy()])
    with pytest.raises(ValueError, match="see reset"):
        adam.step([w, w], [w.copy(), w.copy()])
    with pytest.raises(ValueError, match="see reset"):
        adam.step([w.astype(np.float32)], [w])
    read_only = w.copy()
    read_only.flags.writeable = False
    with pytest.raises(ValueError, match="may not be written"):
        optim.SGD().step([read_only], [w])
    with pytest.raises(ValueError, match="learning rate"):
        optim.SGD(lr=-1).step([w], [w.copy()])
    with pytest.raises(ValueError, match="beta1 is 1.5"):
        optim.Adam(beta1=1.5)


def test_gradient_in_the_memory_of_the_parameters():
    w = np.arange(4.0)
    optim.SGD(0.5).step([w], [w])
    np.testing.assert_array_equal(w, np.arange(4.0) / 2)
    optim.SGD(1.0).step([w[:2]], [w[2:]])
    np.testing.assert_array_equal(w, [-1.0, -1.0, 1.0, 1.5])


def cosine(u):
    return (1 + np.cos(np.pi * u)) / 2


SCHEDULES = [
    (schedules.Constant(), np.ones(10)),
    (schedules.Step(every=3, factor=0.1), 0.1 ** (np.arange(10) // 3)),
    (schedules.Exponential(decay=0.5), 0.5 ** np.arange(10)),
    (schedules.Cosine(), cosine(np.arange(10) / 10)),
    (
        schedules.Cosine(warmup=0.2),
        np.concatenate([[0.5, 1.0], cosine((np.arange(2, 10) / 10 - 0.2) / 0.8)]),
    ),
    (schedules.FlatCosine(), cosine(np.maximum(2 * np.arange(10) / 10 - 1, 0))),
    (schedules.CosineLog(cycles=2), (1 - np.cos(2 * np.pi * np.log2(1 + 3 * np.arange(10) / 10))) / 2),
]


@pytest.mark.parametrize(("schedule", "expected"), SCHEDULES)
def test_schedules(schedule, expected):
    np.testing.assert_allclose(schedule.curve(epochs=10), expected, atol=1e-12)
    factors = [schedule(step, epochs=10) for step in range(10)]
    np.testing.assert_allclose(factors, expected, atol=1e-12)


def test_other_schedules():
    one_cycle = schedules.OneCycle(peak=0.5).curve(epochs=2, steps_per_epoch=10)
    assert one_cycle[0] == pytest.approx(1 / 25) and one_cycle[10] == pytest.approx(1.0)
    assert schedules.Plateau(factor=0.5)(7, plateaus=3) == 0.125
    assert schedules.Step(every=2, factor=0.1)(15, epochs=4, steps_per_epoch=5) == pytest.approx(0.1)
    with pytest.raises(ValueError, match="warm-up"):
        schedules.Cosine(warmup=2)


def rosenbrock(x):
    a, b = x[:-1], x[1:] - x[:-1] ** 2
    g = np.zeros_like(x)
    g[:-1] = -2 * (1 - a) - 400 * a * b
    g[1:] += 200 * b
    return ((1 - a) ** 2 + 100 * b**2).sum(), g


def test_lbfgs():
    found = optim.LBFGS().minimize(rosenbrock, np.zeros(6))
    assert found.converged and found.steps > 5 and found.evaluations >= found.steps
    np.testing.assert_allclose(found.x, np.ones(6), atol=1e-9)
    again = optim.LBFGS().minimize(rosenbrock, np.zeros(6), max_steps=3)
    assert not again.converged and again.steps == 3
    matrix = optim.LBFGS().minimize(lambda x: ((x**2).sum() / 2, x), np.ones((2, 3), dtype=np.float32))
    assert matrix.x.shape == (2, 3) and matrix.x.dtype == np.float32 and abs(matrix.x).max() < 1e-6


def test_lbfgs_by_steps():
    a, b = np.zeros((2, 2)), np.zeros(2, dtype=np.float64)
    lbfgs = optim.LBFGS()

    def closure():
        value, g = rosenbrock(np.concatenate([a.ravel(), b]))
        return value, [g[:4].reshape(2, 2), g[4:]]

    for _ in range(10):
        lbfgs.step([a, b], closure)
    lbfgs = pickle.loads(pickle.dumps(lbfgs))
    other = optim.LBFGS()
    other.state = lbfgs.state
    while not other.step([a, b], closure)[1]:
        pass
    np.testing.assert_allclose(np.concatenate([a.ravel(), b]), np.ones(6), atol=1e-9)


def test_lbfgs_hands_on_exceptions():
    calls = []

    def broken(x):
        calls.append(x)
        if len(calls) == 3:
            raise KeyError("third call")
        return rosenbrock(x)

    with pytest.raises(KeyError, match="third call"):
        optim.LBFGS().minimize(broken, np.zeros(4))
    assert len(calls) == 3
    with pytest.raises(ValueError, match="not finite"):
        optim.LBFGS().minimize(lambda x: (np.nan, x), np.zeros(2))
    with pytest.raises(ValueError, match="memory is 0"):
        optim.LBFGS(memory=0)
    with pytest.raises(ValueError, match="2 parameters and 3 gradients"):
        optim.LBFGS().minimize(lambda x: (0.0, np.zeros(3)), np.zeros(2))
