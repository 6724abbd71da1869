"""The training loop as Python sees it: history, validation, callbacks, interruption."""

import _thread
import pickle
import subprocess
import sys
import threading
import time

import numpy as np
import pytest

import wxb
from wxb import optim
from wxb.optim import schedules

RNG = np.random.default_rng(0)
X = RNG.normal(size=(60, 4))
Y = (X @ [1.0, -2.0, 0.5, 0.0] + 0.3 * RNG.normal(size=60) > 0).astype(float)


def make(**settings):
    settings = {"hidden": "tanh", "seed": 1, "dtype": np.float64, **settings}
    return wxb.Network([4, 6, 1], loss="binary_cross_entropy", **settings)


def test_history():
    net = make()
    net.forward(X)
    first = net.loss(Y)
    history = net.fit(X, Y, epochs=30, lr=0.5)
    assert len(history) == 30 and history.stop == "epochs" and history.detail == {}
    assert history.loss[0] == first and history.loss[-1] < 0.5 * first
    assert history[4].epoch == 5 and history[-1].step == 30 and history[0].lr == 0.5
    assert history.valid_loss == history.valid_metric == [None] * 30 and history.best_epoch == 30
    assert repr(history).startswith("<History of 30 epochs, loss 0.")
    net.forward(X)
    assert net.loss(Y) < history.loss[-1]


def test_batches():
    a, b = make(), make()
    history = a.fit(X, Y, epochs=3, batch_size=16, optimizer="adam", lr=0.01)
    assert history[-1].step == 3 * 4
    assert b.fit(X, Y, epochs=3, batch_size=16, optimizer="adam", lr=0.01, drop_last=True)[-1].step == 3 * 3
    c = make()
    c.fit(X, Y, epochs=3, batch_size=16, optimizer=optim.Adam(0.01))
    np.testing.assert_array_equal(a.flat, c.flat)
    d = make()
    d.fit(X, Y, epochs=3, batch_size=16, optimizer=optim.Adam(0.01), seed=2)
    assert (a.flat != d.flat).any()


def test_schedule():
    history = make().fit(X, Y, epochs=10, lr=0.5, schedule=schedules.Step(every=5, factor=0.1))
    np.testing.assert_allclose([record.lr for record in history], [0.5] * 5 + [0.05] * 5)
    rates = [record.lr for record in make().fit(X, Y, epochs=10, lr=0.5, schedule="cosine")]
    np.testing.assert_allclose(rates, 0.5 * schedules.Cosine().curve(10))


def test_validation():
    net = make()
    records = []

    def judge(record):
        net.forward(X[40:])
        records.append((net.loss(Y[40:]), net.flat.copy()))

    history = net.fit(
        X[:40],
        Y[:40],
        epochs=400,
        lr=2.0,
        validation=(X[40:], Y[40:]),
        patience=10,
        metric="accuracy",
        callback=judge,
    )
    assert history.valid_loss == pytest.approx([loss for loss, _ in records], rel=1e-12)
    best = int(np.argmin(history.valid_loss))
    assert history.best_epoch == best + 1
    np.testing.assert_array_equal(net.flat, records[best][1])
    accuracy = ((net.predict(X[40:])[:, 0] > 0.5) == Y[40:]).mean()
    assert history.valid_metric[best] == pytest.approx(accuracy)
    if history.stop == "early":
        assert history.detail == {"patience": 10} and len(history) == best + 11


def test_weighted_validation():
    weights = RNG.random(20)
    net = make()
    history = net.fit(X[:40], Y[:40], epochs=1, validation=(X[40:], Y[40:], weights))
    net.forward(X[40:])
    assert history.valid_loss[0] == pytest.approx(net.loss(Y[40:], sample_weight=weights), rel=1e-12)


def test_lbfgs_finds_the_minimum():
    net = wxb.Network([4, 1], loss="binary_cross_entropy", init="zeros", dtype=np.float64)
    history = net.fit(X, Y, epochs=200, optimizer="lbfgs", l2=1.0)
    assert history.stop == "converged" and "gradient" in history.detail["reason"]
    net.forward(X)
    assert abs(net.backward(Y, l2=1.0).flat).max() < 1e-9
    # The same minimum by the optimizer itself.
    other = wxb.Network([4, 1], loss="binary_cross_entropy", init="zeros", dtype=np.float64)

    def objective(theta):
        other.flat = theta
        other.forward(X)
        grads = other.backward(Y, l2=1.0)
        return grads.loss, grads.flat

    found = optim.LBFGS().minimize(objective, other.flat.copy())
    np.testing.assert_allclose(found.x, net.flat, atol=1e-8)


def test_callback_ends_it():
    net = make()
    history = net.fit(X, Y, epochs=1000, callback=lambda record: record.epoch == 7)
    assert len(history) == 7 and history.stop == "interrupted" and net.steps == 7
    again = make()
    again.fit(X, Y, epochs=7)
    np.testing.assert_array_equal(net.flat, again.flat)
    assert len(make().fit(X, Y, epochs=5, callback=lambda record: np.True_)) == 1


def test_exceptions_come_through():
    net = make()

    def broken(record):
        if record.epoch == 3:
            raise KeyError("in epoch 3")

    with pytest.raises(KeyError, match="in epoch 3"):
        net.fit(X, Y, epochs=1000, callback=broken)
    again = make()
    again.fit(X, Y, epochs=3)
    np.testing.assert_array_equal(net.flat, again.flat)


def test_ctrl_c():
    net = make()
    before = net.flat.copy()
    threading.Timer(0.2, _thread.interrupt_main).start()
    start = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        net.fit(X, Y, epochs=10**9, lr=0.01)
    assert time.monotonic() - start < 5
    assert (net.flat != before).any() and np.isfinite(net.flat).all()


def test_other_threads_run():
    """The interpreter is free while the engine works."""
    ticks, done = [], threading.Event()

    def tick():
        while not done.is_set():
            ticks.append(time.monotonic())
            time.sleep(0.005)

    thread = threading.Thread(target=tick)
    thread.start()
    start = time.monotonic()
    make().fit(X, Y, epochs=3000)
    end = time.monotonic()
    done.set()
    thread.join()
    assert sum(start < t < end for t in ticks) >= min(3, (end - start) / 0.02)


def test_divergence():
    net = wxb.Network([4, 6, 1], loss="squared_error", hidden="relu", seed=1)
    with pytest.warns(RuntimeWarning, match="diverged in epoch"):
        history = net.fit(X, Y, epochs=100, lr=1e6)
    assert history.stop == "diverged" and history.detail["epoch"] >= 1 and np.isfinite(net.flat).all()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"lr": -1.0}, "learning rate"),
        ({"batch_size": 0}, "batch size"),
        ({"patience": 3}, "need examples to judge by"),
        ({"optimizer": "adamm"}, "there are sgd"),
        ({"schedule": "cosinus"}, "did you mean 'cosine'"),
        ({"l2": -1.0}, "l2"),
        ({"metric": "acc", "validation": (X, Y)}, "unknown variant `acc`"),
        ({"validation": (X[:, :2], Y)}, "X has the shape"),
        ({"optimizer": "lbfgs", "l1": 1.0}, "exclude each other"),
        ({"clip_norm": 0.0}, "norm to clip"),
        ({"epochs": -1}, "settings"),
    ],
)
def test_refused_settings(settings, message):
    net = make()
    before = net.flat.copy()
    with pytest.raises(ValueError, match=message):
        net.fit(X, Y, **settings)
    np.testing.assert_array_equal(net.flat, before)


def test_import_is_quick():
    """Modules are imported when they are asked for."""
    code = (
        "import numpy, sys, time; start = time.perf_counter(); import wxb; end = time.perf_counter();"
        "assert 'wxb.network' not in sys.modules; wxb.Network; assert 'wxb.network' in sys.modules;"
        "print(end - start)"
    )
    best = min(float(subprocess.check_output([sys.executable, "-c", code])) for _ in range(3))
    assert best < 0.1


@pytest.mark.parametrize(
    "settings",
    [
        {"optimizer": "adam", "batch_size": 16},
        {"optimizer": "nesterov", "batch_size": 16, "l2": 0.1},
        {"optimizer": "lbfgs"},
        {"optimizer": "adam", "validation": (X[:20], Y[:20]), "patience": 50},
        {"schedule": schedules.Step(every=3, factor=0.5), "batch_size": 7},
    ],
    ids=str,
)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_five_epochs_and_five_are_ten(settings, dtype):
    blocks = {} if settings.get("optimizer") == "lbfgs" else {"dropout": 0.2}
    whole, halves = make(dtype=dtype, **blocks), make(dtype=dtype, **blocks)
    expected = whole.fit(X, Y, epochs=10, lr=0.05, **settings)
    first = halves.fit(X, Y, epochs=5, lr=0.05, **settings)
    first = pickle.loads(pickle.dumps(first))
    both = halves.fit(X, Y, epochs=5, lr=0.05, resume=first, **settings)
    assert list(both) == list(expected) and both.stop == expected.stop
    np.testing.assert_array_equal(halves.flat, whole.flat)
    assert halves.steps == whole.steps == expected[-1].step


def test_what_was_broken_off_goes_on():
    whole, parts = make(dropout=0.2), make(dropout=0.2)
    settings = {"optimizer": "adam", "schedule": "cosine", "batch_size": 16}
    whole.fit(X, Y, epochs=10, **settings)
    first = parts.fit(X, Y, epochs=10, callback=lambda record: record.epoch == 4, **settings)
    heard = []
    parts.fit(X, Y, epochs=6, resume=first, callback=lambda record: heard.append(record.epoch), **settings)
    np.testing.assert_array_equal(parts.flat, whole.flat)
    assert heard == [5, 6, 7, 8, 9, 10]


def test_a_training_goes_on_with_what_is_its_own():
    net = make()
    history = net.fit(X, Y, epochs=2, optimizer="adam")
    with pytest.raises(ValueError, match=r"optimizer.*SGD"):
        net.fit(X, Y, resume=history)
    with pytest.raises(ValueError, match="another network"):
        wxb.Network([4, 7, 1], loss="binary_cross_entropy").fit(X, Y, optimizer="adam", resume=history)
    with pytest.raises(ValueError, match="another network"):
        make(dtype=np.float32).fit(X, Y, optimizer="adam", resume=history)
    with pytest.raises(TypeError, match="the history that `fit` gave"):
        net.fit(X, Y, optimizer="adam", resume="last")


@pytest.mark.parametrize(
    ("loss", "outputs", "metric", "words"),
    [
        ("squared_error", 1, "accuracy", "is for classes"),
        ("binary_cross_entropy", 1, "rmse", "is for numbers"),
        ("binary_cross_entropy", 3, "accuracy", "of 3 outputs"),
        ("squared_error", 2, "rmse", "of 2 outputs"),
    ],
)
def test_a_metric_that_nothing_can_tell_is_refused(loss, outputs, metric, words):
    X, Y = np.ones((8, 2)), np.ones((8, outputs))
    net = wxb.Network([2, 3, outputs], loss=loss)
    with pytest.raises(ValueError, match=words):
        net.fit(X, Y, epochs=1, validation=(X, Y), metric=metric)


@pytest.mark.parametrize("parts", [1, 4])
def test_examples_to_validate_on_have_their_parts(parts):
    X = np.ones((8, 2))
    with pytest.raises(ValueError, match=f"validation is .*, not {parts} parts"):
        wxb.Network([2, 2], loss="squared_error").fit(X, X, epochs=1, validation=(X,) * parts)
