"""wxb with NumPy alone: no scikit-learn, no SciPy; and what an import costs."""

from __future__ import annotations

import subprocess
import sys
import textwrap

BLOCK = """
import sys

class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in ("sklearn", "scipy", "pandas", "joblib"):
            raise ImportError(f"{name} is not there")

sys.meta_path.insert(0, Blocked())

def refused(wrong, words):
    try:
        wrong()
    except ValueError as error:
        assert words in str(error), error
    else:
        raise AssertionError(words)
"""


def run(code: str) -> str:
    """What a fresh interpreter prints."""
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)], capture_output=True, check=False, text=True
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_estimators_without_scikit_learn() -> None:
    code = """
    import numpy as np, pickle, warnings
    import wxb
    X = np.random.RandomState(0).standard_normal((200, 3))
    y = np.where(X[:, 0] > 0, "b", "a")
    model = wxb.MLPClassifier((8,), random_state=0, max_iter=200, learning_rate_init=0.05, early_stopping=True).fit(X, y)
    assert model.score(X, y) > 0.8
    assert repr(model) == "MLPClassifier(early_stopping=True, hidden_layer_sizes=(8,), learning_rate_init=0.05, random_state=0)", repr(model)
    assert pickle.loads(pickle.dumps(model)).predict(X[:2].tolist()).tolist() == model.predict(X[:2]).tolist()
    regressor = wxb.MLPRegressor(hidden_layer_sizes=(8,), solver="lbfgs", random_state=0).fit(X, X[:, 0])
    assert regressor.score(X, X[:, 0]) > 0.99
    assert not hasattr(regressor, "partial_fit") and hasattr(model, "partial_fit")
    logistic = wxb.LogisticRegression().set_params(C=10.0).fit(X, y)
    assert logistic.score(X, y) > 0.9 and logistic.get_params()["C"] == 10.0
    for wrong, words in (
        (lambda: model.predict(X[:, :2]), "features"),
        (lambda: model.predict(X[0]), "2D"),
        (lambda: model.predict(X * np.nan), "NaN"),
        (lambda: model.fit(X, y[1:]), "inconsistent"),
        (lambda: model.fit(X, X[:, 0]), "Unknown label type"),
        (lambda: wxb.MLPClassifier().predict(X), "not fitted"),
        (lambda: wxb.MLPClassifier().set_params(depth=3), "Invalid parameter"),
    ):
        refused(wrong, words)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        wxb.MLPClassifier((2,), max_iter=1).fit(X, y)
    assert [w.category.__name__ for w in caught] == ["ConvergenceWarning"]
    print("done")
    """
    assert run(BLOCK + textwrap.dedent(code)) == "done\n"


def test_checks_without_scikit_learn() -> None:
    code = """
    import numpy as np, warnings
    import wxb
    X = np.random.RandomState(0).standard_normal((100, 3))
    y = (X[:, 0] > 0).astype(int)

    class Frame:
        def __init__(self, X, columns):
            self.X, self.columns = X, columns
        def __array__(self, dtype=None, copy=None):
            return np.asarray(self.X, dtype=dtype)

    frame, turned = Frame(X, ["a", "b", "c"]), Frame(X[:, ::-1], ["c", "b", "a"])
    for model in (wxb.MLPClassifier((4,), solver="lbfgs", max_iter=500, random_state=0), wxb.LogisticRegression()):
        model.fit(frame, y)
        assert model.feature_names_in_.tolist() == ["a", "b", "c"]
        right = model.score(frame, y)
        assert right > 0.9 and model.score(frame, y[:, None]) == right
        for wrong, words in (
            (lambda: model.predict(turned), "in their order: a, b, c; given are c, b, a"),
            (lambda: model.score(frame, np.c_[y, y]), "shape"),
            (lambda: model.fit(X, None), "target y is None"),
            (lambda: model.fit(X, np.where(y, "a", None)), "Input y contains NaN"),
            (lambda: model.fit(X, y, sample_weight=np.full(100, np.nan)), "sample_weight contains NaN"),
            (lambda: model.fit(X + 0j, y), "Complex data not supported"),
            (lambda: model.fit(X[:50], y), "inconsistent"),
        ):
            refused(wrong, words)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            model.fit(frame, y).predict(X)
        assert ["fitted with feature names" in str(w.message) for w in caught] == [True], caught
        assert not hasattr(model.fit(X, y), "feature_names_in_")
    try:
        wxb.LogisticRegression().fit(X, np.c_[y, 1 - y])
    except ValueError as error:
        assert "1d array" in str(error), error
    else:
        raise AssertionError("labels of several columns")
    table = wxb.TableClassifier("linear", epochs=20).fit(X, y)
    assert table.score(X, y[:, None]) == table.score(X, y)
    print("done")
    """
    assert run(BLOCK + textwrap.dedent(code)) == "done\n"


def test_an_import_loads_little() -> None:
    code = """
    import numpy, time, sys
    before, start = set(sys.modules), time.perf_counter()
    import wxb
    seconds = time.perf_counter() - start
    loaded = {name.split(".")[0] for name in set(sys.modules) - before}
    assert not loaded & {"sklearn", "scipy", "pandas", "joblib"}, loaded
    assert seconds < 0.1, seconds
    assert "MLPClassifier" in dir(wxb)
    print("done")
    """
    assert run(code) == "done\n"
