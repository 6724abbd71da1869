"""Threads, forks, signals, and memory."""

from __future__ import annotations

import os
import sys
import threading

import numpy as np
import pytest
from test_alone import run

import wxb

X = np.random.RandomState(0).standard_normal((2000, 30))
Y = (X[:, 0] > 0).astype(int)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")
@pytest.mark.filterwarnings("ignore")
def test_a_forked_child_has_threads_of_its_own() -> None:
    code = """
    import os, warnings
    import numpy as np
    import wxb
    warnings.simplefilter("ignore")
    X = np.random.RandomState(0).standard_normal((2000, 30))
    y = (X[:, 0] > 0).astype(int)
    model = wxb.MLPClassifier((64,), random_state=0, max_iter=3, n_jobs=2).fit(X, y)
    expected = model.predict_proba(X)
    child = os.fork()
    if child == 0:
        again = wxb.MLPClassifier((64,), random_state=0, max_iter=3, n_jobs=2).fit(X, y)
        same = np.array_equal(again.predict_proba(X), expected) and np.array_equal(model.predict_proba(X), expected)
        os._exit(0 if same else 1)
    print(os.waitpid(child, 0)[1])
    """
    assert run(code) == "0\n"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")
def test_a_forked_child_goes_on_with_a_network_and_a_table() -> None:
    code = """
    import os
    import numpy as np
    import wxb
    X = np.random.RandomState(0).standard_normal((3000, 300))
    y = X[:, :1] > 0
    net = wxb.Network([300, 200, 1], loss="binary_cross_entropy", seed=1)
    net.fit(X, y, epochs=2)
    expected = net.copy()
    expected.fit(X, y, epochs=2)
    table = wxb.TableRegressor(preset="mlp", epochs=2).fit(X, X[:, 0])
    predicted = table.predict(X)
    child = os.fork()
    if child == 0:
        net.fit(X, y, epochs=2)
        net.forward(X)
        net.backward(y)
        same = np.array_equal(net.flat, expected.flat) and np.array_equal(table.predict(X), predicted)
        again = wxb.TableRegressor(preset="mlp", epochs=2).fit(X, X[:, 0])
        os._exit(0 if same and np.array_equal(again.predict(X), predicted) else 1)
    print(os.waitpid(child, 0)[1])
    """
    assert run(code) == "0\n"


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("backend", ["loky", "threading", "multiprocessing"])
def test_joblib(backend: str) -> None:
    joblib = pytest.importorskip("joblib")
    selection = pytest.importorskip("sklearn.model_selection")
    model = wxb.MLPClassifier((16,), random_state=0, max_iter=5)
    expected = selection.cross_val_score(model, X, Y, cv=4)
    with joblib.parallel_config(backend=backend, n_jobs=2):
        np.testing.assert_array_equal(selection.cross_val_score(model, X, Y, cv=4), expected)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="counts threads in /proc")
def test_threads_are_as_many_as_are_allowed() -> None:
    code = """
    import os, threading, warnings
    os.environ["OMP_NUM_THREADS"] = "3"
    import numpy as np
    import wxb
    warnings.simplefilter("ignore")
    X = np.random.RandomState(0).standard_normal((3000, 30))
    def name(task):
        try:
            return open(f"/proc/self/task/{task}/comm").read()
        except (FileNotFoundError, ProcessLookupError):
            return ""  # it has ended since
    count = lambda: sum(name(task).startswith("wxb-") for task in os.listdir("/proc/self/task"))
    fit = lambda: wxb.MLPRegressor(hidden_layer_sizes=(1000,), max_iter=5).fit(X, X[:, 0]).predict(X)
    threads = [threading.Thread(target=fit) for _ in range(4)]
    [t.start() for t in threads], [t.join() for t in threads]
    print(count())
    wxb.MLPRegressor(hidden_layer_sizes=(1000,), max_iter=5, n_jobs=1).fit(X, X[:, 0])
    print(count())
    """
    assert run(code) == "3\n4\n"


@pytest.mark.filterwarnings("ignore")
def test_many_threads_predict_at_once() -> None:
    model = wxb.MLPClassifier((16,), random_state=0, max_iter=3).fit(X, Y)
    expected = model.predict_proba(X)
    wrong = []

    def predict() -> None:
        for i in range(50):
            many, one = model.predict_proba(X), model.predict_proba(X[i : i + 1])
            if not (np.array_equal(many, expected) and np.allclose(one, expected[i])):
                wrong.append(i)

    threads = [threading.Thread(target=predict) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


@pytest.mark.skipif(os.name == "nt", reason="signals of another kind")
def test_ctrl_c_ends_a_training_and_keeps_the_weights() -> None:
    code = """
    import os, signal, threading, time, warnings
    import numpy as np
    import wxb
    X = np.random.RandomState(0).standard_normal((2000, 30))
    from wxb import MLPRegressor
    threading.Timer(0.5, lambda: os.kill(os.getpid(), signal.SIGINT)).start()
    start = time.time()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model = MLPRegressor(hidden_layer_sizes=(50,), max_iter=10**6, tol=0, n_iter_no_change=10**6).fit(X, X[:, 0])
    assert time.time() - start < 5
    assert "interrupted" in str(caught[0].message)
    assert model.score(X, X[:, 0]) > 0.5
    print("done")
    """
    assert run(code) == "done\n"


@pytest.mark.skipif(os.name == "nt", reason="signals of another kind")
def test_ctrl_c_ends_partial_dependence() -> None:
    code = """
    import os, signal, threading, time
    import numpy as np
    import wxb
    X = np.random.RandomState(0).standard_normal((20_000, 2))
    model = wxb.TableRegressor("linear").fit(X, X[:, 0])
    threading.Timer(0.5, lambda: os.kill(os.getpid(), signal.SIGINT)).start()
    start = time.time()
    try:
        model.partial_dependence(X, "x0", points=20_000, rows=20_000)
    except KeyboardInterrupt:
        assert time.time() - start < 5
        print("done")
    """
    assert run(code) == "done\n"


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="measures as Linux does")
def test_x_is_not_copied() -> None:
    code = """
    import resource, warnings
    import numpy as np
    import wxb
    warnings.simplefilter("ignore")
    peak = lambda: 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    wxb.MLPClassifier((4,), max_iter=1).fit(np.zeros((9, 200), np.float32), np.arange(9) % 2)
    X = np.ones((400_000, 200), np.float32)
    X[:, 0] = np.arange(400_000) % 2
    y = X[:, 0].astype(np.int8)
    before = peak()
    wxb.MLPClassifier((4,), max_iter=1, batch_size=5000).fit(X, y)
    share = (peak() - before) / X.nbytes
    assert share < 0.2, share
    print("done")
    """
    assert run(code) == "done\n"


@pytest.mark.filterwarnings("ignore")
def test_predictions_while_others_train() -> None:
    """Either is refused while the same network trains; nobody waits for anybody who waits."""
    code = """
    import threading, warnings
    import numpy as np
    import wxb
    warnings.simplefilter("ignore")
    X = np.random.RandomState(0).standard_normal((3000, 30))
    y = (X[:, 0] > 0).astype(int)
    model = wxb.MLPClassifier((32,), random_state=0, max_iter=3, warm_start=True).fit(X, y)

    def act(what, times):
        for _ in range(times):
            try:
                what()
            except RuntimeError as error:
                assert "being trained" in str(error)

    threads = [threading.Thread(target=act, args=(lambda: model.predict_proba(X), 60)) for _ in range(3)]
    threads += [threading.Thread(target=act, args=(lambda: model.predict(X[:1]), 3000))]
    threads += [threading.Thread(target=act, args=(lambda: model.partial_fit(X, y), 20)) for _ in range(2)]
    [t.start() for t in threads], [t.join() for t in threads]
    print("done")
    """
    assert run(code) == "done\n"


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="counts threads in /proc")
def test_a_network_takes_as_many_threads_as_it_says() -> None:
    code = """
    import os
    os.environ["OMP_NUM_THREADS"] = "5"
    import numpy as np
    import wxb
    X = np.random.RandomState(0).standard_normal((2000, 300))
    def count():
        names = (open(f"/proc/self/task/{task}/comm").read() for task in os.listdir("/proc/self/task"))
        return sum(name.startswith("wxb-") for name in names)
    for threads in (2, 3, None):
        net = wxb.Network([300, 300, 1], loss="squared_error", threads=threads)
        net.predict(X)
        net.forward(X, training=True)
        net.step(net.backward(X[:, 0]), wxb.optim.Adam())
        net.fit(X, X[:, 0], epochs=1)
        net.gradcheck(X[:9], X[:9, 0], per_tensor=3)
        print(count())
    """
    assert run(code) == "2\n5\n10\n"
