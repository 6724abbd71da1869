"""scikit-learn's callbacks on the estimators of wxb."""

from __future__ import annotations

import contextlib
import io
import os
import signal
import threading
import warnings
from typing import Any

import numpy as np
import pytest

import wxb

pytest.importorskip("sklearn.callback", reason="scikit-learn 1.9 brought callbacks")

from sklearn.base import clone
from sklearn.callback import ProgressBar, ScoringMonitor
from sklearn.datasets import make_classification
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

pytestmark = pytest.mark.filterwarnings("ignore")

X, LABELS = make_classification(n_samples=200, n_features=6, n_informative=4, n_classes=3, random_state=0)
NUMBERS = X[:, 0] - X[:, 1] ** 2


class Recorder:
    """Keeps what it is told: the hook, the path of the task, and what came with it."""

    def __init__(self, **when: Any) -> None:
        self.told: list[tuple[str, tuple[str, ...], dict[str, Any]]] = []
        #: Names of tasks, and what is done at their ends: called with the number of ends so far.
        self.when = when
        self.ends = 0

    def setup(self, estimator: Any, context: Any) -> None:
        self._tell("setup", context)

    def teardown(self, estimator: Any, context: Any) -> None:
        self._tell("teardown", context)

    def on_fit_task_begin(
        self,
        estimator: Any,
        context: Any,
        *,
        X: Any = None,
        y: Any = None,
        metadata: Any = None,
        fitted_estimator: Any = None,
    ) -> None:
        self._tell("begin", context, X=X, y=y, metadata=metadata, fitted=fitted_estimator)

    def on_fit_task_end(
        self,
        estimator: Any,
        context: Any,
        *,
        X: Any = None,
        y: Any = None,
        metadata: Any = None,
        fitted_estimator: Any = None,
    ) -> Any:
        self._tell("end", context, X=X, y=y, metadata=metadata, fitted=fitted_estimator)
        act = self.when.get(context.task_name.replace("-", "_"))
        if act is None:
            return None
        self.ends += 1
        return act(self.ends)

    def _tell(self, what: str, context: Any, **with_it: Any) -> None:
        path = [context.task_name]
        while context.parent is not None:
            context = context.parent
            path.insert(0, context.task_name)
        self.told.append((what, tuple(path), with_it))

    def of(self, what: str, *path: str) -> list[dict[str, Any]]:
        return [with_it for told, at, with_it in self.told if (told, at) == (what, path)]


def mlp(**settings: Any) -> wxb.MLPClassifier:
    return wxb.MLPClassifier(**{"hidden_layer_sizes": (5,), "max_iter": 7, "random_state": 0, **settings})


def test_an_epoch_is_a_task_of_a_fit() -> None:
    recorder = Recorder()
    mlp().set_callbacks(recorder).fit(X, LABELS)
    names = [(what, path[-1]) for what, path, _ in recorder.told]
    epochs = [("begin", "epoch"), ("end", "epoch")] * 7
    assert names == [("setup", "fit"), ("begin", "fit"), *epochs, ("end", "fit"), ("teardown", "fit")]


@pytest.mark.parametrize(
    "settings",
    [{}, {"early_stopping": True}, {"solver": "lbfgs"}, {"warm_start": True}, {"dtype": np.float32}],
    ids=str,
)
@pytest.mark.parametrize("estimator", [wxb.MLPClassifier, wxb.MLPRegressor])
def test_an_epoch_gives_the_network_as_it_would_be_after_it(estimator: Any, settings: Any) -> None:
    settings = dict(settings)
    x = X.astype(settings.pop("dtype", np.float64))
    y = LABELS if estimator is wxb.MLPClassifier else NUMBERS
    settings = {"hidden_layer_sizes": (5,), "random_state": 0, **settings}
    recorder = Recorder()
    name = "lbfgs-iter" if settings.get("solver") == "lbfgs" else "epoch"
    estimator(**settings, max_iter=5).set_callbacks(recorder).fit(x, y)
    begins, ends = recorder.of("begin", "fit", name), recorder.of("end", "fit", name)
    assert len(begins) == len(ends) == 5
    for epoch, (begin, end) in enumerate(zip(begins, ends, strict=True), 1):
        shorter = estimator(**settings, max_iter=epoch).fit(x, y)
        np.testing.assert_array_equal(end["fitted"].predict(x), shorter.predict(x))
        for ours, expected in zip(end["fitted"].coefs_, shorter.coefs_, strict=True):
            np.testing.assert_array_equal(ours, expected)
        assert (end["fitted"].n_iter_, end["fitted"].loss_) == (shorter.n_iter_, shorter.loss_)
        if name == "epoch":
            assert end["fitted"].loss_curve_ == shorter.loss_curve_
        if epoch > 1:
            np.testing.assert_array_equal(begin["fitted"].predict(x), ends[epoch - 2]["fitted"].predict(x))


def test_a_task_has_the_data() -> None:
    recorder, weights = Recorder(), np.linspace(0.5, 2, len(X))
    mlp().set_callbacks(recorder).fit(X, LABELS, sample_weight=weights)
    told = recorder.of("end", "fit", "epoch")[0]
    np.testing.assert_array_equal(told["X"], X)
    np.testing.assert_array_equal(told["y"], LABELS)
    np.testing.assert_array_equal(told["metadata"]["sample_weight"], weights)


def test_it_ends_by_tolerance_without_a_task_too_many() -> None:
    recorder = Recorder()
    model = mlp(max_iter=500, tol=10.0, n_iter_no_change=3).set_callbacks(recorder).fit(X, LABELS)
    assert (
        model.n_iter_ == len(recorder.of("begin", "fit", "epoch")) == len(recorder.of("end", "fit", "epoch"))
    )


def test_a_callback_ends_a_fit() -> None:
    recorder = Recorder(epoch=lambda ends: ends == 3)
    assert mlp().set_callbacks(recorder).fit(X, LABELS).n_iter_ == 3
    assert len(recorder.of("begin", "fit", "epoch")) == 3
    recorder = Recorder(newton_iter=lambda ends: ends == 2)
    model = wxb.LogisticRegression().set_callbacks(recorder).fit(X, LABELS)
    assert model.n_iter_ == 2
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = wxb.LogisticRegression(max_iter=2).fit(X, LABELS)
    np.testing.assert_array_equal(model.coef_, expected.coef_)


def fail(_: int) -> None:
    raise KeyError("mine")


ESTIMATORS = [
    (wxb.MLPClassifier((5,), max_iter=7), LABELS, "epoch"),
    (wxb.MLPRegressor(hidden_layer_sizes=(5,), max_iter=7), NUMBERS, "epoch"),
    (wxb.LogisticRegression(), LABELS, "newton_iter"),
    (wxb.TableClassifier(preset="mlp", epochs=7), LABELS, "epoch"),
    (wxb.TableRegressor(preset="mlp", epochs=7), NUMBERS, "epoch"),
]


@pytest.mark.parametrize(("estimator", "y", "task"), ESTIMATORS, ids=lambda part: type(part).__name__)
def test_what_a_callback_raises_comes_out(estimator: Any, y: Any, task: str) -> None:
    recorder = Recorder(**{task: fail})
    model = clone(estimator).set_callbacks(recorder)
    with pytest.raises(KeyError, match="mine"):
        model.fit(X, y)
    assert recorder.told[-1][0] == "teardown"
    # Nothing of it stays.
    model.set_callbacks().fit(X, y).predict(X)


@pytest.mark.parametrize(("estimator", "y", "task"), ESTIMATORS, ids=lambda part: type(part).__name__)
@pytest.mark.parametrize("n_jobs", [1, 2])
def test_a_callback_may_train_and_predict(estimator: Any, y: Any, task: str, n_jobs: int) -> None:
    other = clone(estimator).set_params(n_jobs=n_jobs).fit(X, y)
    expected = other.predict(X)

    def again(ends: int) -> bool:
        np.testing.assert_array_equal(other.fit(X, y).predict(X), expected)
        return ends == 2

    model = clone(estimator).set_params(n_jobs=n_jobs)
    within = threading.Thread(
        target=model.set_callbacks(Recorder(**{task: again})).fit, args=(X, y), daemon=True
    )
    within.start()
    within.join(timeout=60)
    assert not within.is_alive()
    model.predict(X)


@pytest.mark.parametrize("solver", ["lbfgs", "liblinear", "newton-cholesky", "saga"])
def test_every_solver_of_logistic_regression_is_heard(solver: str) -> None:
    recorder = Recorder()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model = wxb.LogisticRegression(solver=solver).set_callbacks(recorder).fit(X, LABELS == 1)
    fitted = [told["fitted"] for told in recorder.of("end", "fit", "newton-iter")]
    assert len(fitted) == model.n_iter_[0] + 1 and fitted[-1] is None
    np.testing.assert_array_equal(fitted[-2].coef_, model.coef_)
    np.testing.assert_array_equal(fitted[-2].intercept_, model.intercept_)


def test_the_networks_of_a_table_are_tasks() -> None:
    recorder = Recorder()
    model = wxb.TableClassifier(time_budget=3).set_callbacks(recorder).fit(X, LABELS)
    networks = [path[1] for what, path, _ in recorder.told if what == "begin" and len(path) == 2]
    assert networks == ["linear", "mlp", "deep"]
    assert len(recorder.of("end", "fit", "deep", "epoch")) >= len(model.history_)
    whats = [what for what, _, _ in recorder.told]
    assert whats.count("begin") == whats.count("end")
    (told,) = recorder.of("end", "fit")
    np.testing.assert_array_equal(told["fitted"].predict(X), model.predict(X))


def test_a_callback_ends_the_training_of_a_table() -> None:
    recorder = Recorder(epoch=lambda ends: ends == 3)
    model = wxb.TableRegressor(preset="mlp").set_callbacks(recorder).fit(X, NUMBERS)
    assert len(model.history_) == 3


@pytest.mark.parametrize(("estimator", "y", "task"), ESTIMATORS, ids=lambda part: type(part).__name__)
def test_callbacks_of_scikit_learn(estimator: Any, y: Any, task: str) -> None:
    pytest.importorskip("rich")
    score = "accuracy" if y is LABELS else "r2"
    monitor = ScoringMonitor(scoring=score)
    with contextlib.redirect_stdout(io.StringIO()):
        model = clone(estimator).set_callbacks(monitor, ProgressBar()).fit(X, y)
    rows = monitor.get_logs().data
    # The fit, and where its tasks have a fitted estimator the last of them.
    assert rows[0][score] == rows[-1][score] == model.score(X, y)
    assert (len(rows) > 2) != isinstance(model, (wxb.TableClassifier, wxb.TableRegressor))


def test_a_search_hands_its_callbacks_on() -> None:
    recorder = Recorder()
    recorder.max_propagation_depth = None  # type: ignore[attr-defined]
    pipeline = make_pipeline(StandardScaler(), mlp(max_iter=2))
    search = GridSearchCV(pipeline, {"mlpclassifier__alpha": [0.1, 1.0]}, cv=2).set_callbacks(recorder)
    search.fit(X, LABELS)
    epochs = [path for what, path, _ in recorder.told if what == "end" and path[-1] == "epoch"]
    assert len(epochs) == 2 * (2 * 2 + 1)
    assert [what for what, _, _ in recorder.told].count("setup") == 1
    assert not hasattr(search.best_estimator_[-1], "_skl_callbacks")


def test_partial_fit_is_no_fit() -> None:
    recorder = Recorder()
    mlp().set_callbacks(recorder).partial_fit(X, LABELS, classes=[0, 1, 2])
    assert recorder.told == []


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
def test_ctrl_c_ends_it() -> None:
    def interrupt(ends: int) -> None:
        if ends == 2:
            os.kill(os.getpid(), signal.SIGINT)

    recorder = Recorder(epoch=interrupt)
    model = mlp(max_iter=10**6, tol=0.0, n_iter_no_change=10**6)
    with pytest.warns(UserWarning, match="interrupted"):
        model.set_callbacks(recorder).fit(X, LABELS)
    assert 2 <= model.n_iter_ < 10**6
    whats = [what for what, _, _ in recorder.told]
    assert whats.count("begin") == whats.count("end") and whats[-1] == "teardown"


def test_warnings_point_at_who_called() -> None:
    for model in (mlp(max_iter=1), wxb.LogisticRegression(max_iter=1), mlp(max_iter=1, solver="lbfgs")):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            model.fit(X, LABELS)
        assert [warning.filename for warning in caught] == [__file__]
