"""MLPClassifier and MLPRegressor beside scikit-learn's, and what they have more."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import numpy as np
import pytest

import wxb

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")

RNG = np.random.RandomState(0)
X = RNG.standard_normal((300, 6))
LABELS = np.where(X[:, 0] + X[:, 1] ** 2 > 0.5, "yes", "no")
THREE = (X[:, 0] > 0).astype(int) + (X[:, 1] > 0.5)
NUMBERS = X[:, 0] - X[:, 1] * X[:, 2]
COUNTS = np.round(np.exp(X[:, 0] / 2))

#: Settings under which the weights are scikit-learn's to the last digits.
SAME = [
    {},
    {"solver": "sgd"},
    {"solver": "sgd", "nesterovs_momentum": False},
    {"solver": "sgd", "momentum": 0.0},
    {"solver": "sgd", "learning_rate": "invscaling", "learning_rate_init": 0.1},
    {
        "solver": "sgd",
        "learning_rate": "adaptive",
        "learning_rate_init": 0.2,
        "tol": 0.01,
        "n_iter_no_change": 2,
    },
    {"early_stopping": True, "n_iter_no_change": 3},
    {"activation": "logistic", "alpha": 0.1},
    {"activation": "tanh", "shuffle": False},
    {"batch_size": 7},
    {"batch_size": 300, "max_iter": 5},
]


def pair(name: str, **parameters: Any) -> tuple[Any, Any]:
    networks = pytest.importorskip("sklearn.neural_network")
    parameters = {"hidden_layer_sizes": (9, 5), "random_state": 3, "max_iter": 25, **parameters}
    return getattr(networks, name)(**parameters), getattr(wxb, name)(**parameters)


def weights(model: Any) -> Any:
    return np.concatenate([part.ravel() for part in model.coefs_ + model.intercepts_])


@pytest.mark.parametrize("parameters", SAME, ids=str)
@pytest.mark.parametrize("dtype, tolerance", [(np.float64, 1e-10), (np.float32, 1e-3)])
@pytest.mark.parametrize(
    "name, y", [("MLPClassifier", LABELS), ("MLPClassifier", THREE), ("MLPRegressor", NUMBERS)]
)
def test_weights_of_scikit_learn(name: str, y: Any, dtype: Any, tolerance: float, parameters: Any) -> None:
    theirs, ours = pair(name, **parameters)
    if "early_stopping" in parameters and y is LABELS:
        y = (y == "yes").astype(int)  # scikit-learn up to 1.8 stops early on numbers only
    theirs.fit(X.astype(dtype), y)
    ours.fit(X.astype(dtype), y)
    assert weights(ours).dtype == dtype
    np.testing.assert_allclose(weights(ours), weights(theirs), atol=tolerance)
    np.testing.assert_allclose(ours.loss_curve_, theirs.loss_curve_, rtol=max(tolerance, 1e-9))
    assert (ours.n_iter_, ours.t_, ours.out_activation_) == (
        theirs.n_iter_,
        theirs.t_,
        theirs.out_activation_,
    )
    for attribute in ("best_loss_", "best_validation_score_"):
        there, here = getattr(theirs, attribute), getattr(ours, attribute)
        assert (here is None) == (there is None)
        if there is not None:
            np.testing.assert_allclose(here, there, rtol=1e-5)


@pytest.mark.parametrize("solver", ["adam", "sgd"])
def test_sample_weights_of_scikit_learn(solver: str) -> None:
    sklearn = pytest.importorskip("sklearn")
    if tuple(map(int, sklearn.__version__.split(".")[:2])) < (1, 7):
        pytest.skip("scikit-learn has had weights since 1.7")
    w = RNG.uniform(0.1, 3.0, len(X))
    for name, y in (("MLPClassifier", THREE), ("MLPRegressor", NUMBERS)):
        theirs, ours = pair(name, solver=solver)
        np.testing.assert_allclose(
            weights(ours.fit(X, y, sample_weight=w)), weights(theirs.fit(X, y, sample_weight=w)), atol=1e-10
        )
    theirs, ours = pair("MLPRegressor", loss="poisson")
    np.testing.assert_allclose(weights(ours.fit(X, COUNTS)), weights(theirs.fit(X, COUNTS)), atol=1e-10)
    np.testing.assert_allclose(ours.loss_, theirs.loss_)


def test_labels_and_several_targets_of_scikit_learn() -> None:
    Y = np.stack([X[:, 0] > 0, X[:, 1] > 0.3, X[:, 2] > -0.5], axis=1).astype(int)
    theirs, ours = pair("MLPClassifier")
    np.testing.assert_allclose(ours.fit(X, Y).predict_proba(X), theirs.fit(X, Y).predict_proba(X), atol=1e-10)
    np.testing.assert_array_equal(ours.predict(X), theirs.predict(X))
    theirs, ours = pair("MLPRegressor")
    Y = np.stack([NUMBERS, X[:, 3]], axis=1)
    np.testing.assert_allclose(ours.fit(X, Y).predict(X), theirs.fit(X, Y).predict(X), atol=1e-10)
    np.testing.assert_allclose(ours.loss_, theirs.loss_)


def test_partial_fit_of_scikit_learn() -> None:
    theirs, ours = pair("MLPClassifier")
    for start in range(0, 300, 60):
        rows = slice(start, start + 60)
        theirs.partial_fit(X[rows], THREE[rows], classes=[0, 1, 2])
        ours.partial_fit(X[rows], THREE[rows], classes=[0, 1, 2])
    np.testing.assert_allclose(weights(ours), weights(theirs), atol=1e-12)


def test_lbfgs_reaches_the_minimum() -> None:
    theirs, ours = pair(
        "MLPRegressor", solver="lbfgs", hidden_layer_sizes=(1,), activation="identity", tol=1e-9
    )
    y = X @ np.arange(6.0)
    np.testing.assert_allclose(
        ours.set_params(max_iter=500).fit(X, y).predict(X),
        theirs.set_params(max_iter=500).fit(X, y).predict(X),
        atol=1e-3,
    )


def test_sparse_rows_train_as_dense_ones() -> None:
    sparse = pytest.importorskip("scipy.sparse")
    full = np.where(np.abs(X) > 1, X, 0.0)
    for solver in ("adam", "lbfgs"):
        dense = wxb.MLPClassifier((5,), solver=solver, random_state=0, max_iter=9).fit(full, THREE)
        for form in (sparse.csr_matrix, sparse.csc_matrix):
            other = wxb.MLPClassifier((5,), solver=solver, random_state=0, max_iter=9).fit(form(full), THREE)
            np.testing.assert_array_equal(weights(other), weights(dense))
            np.testing.assert_array_equal(other.predict_proba(form(full)), dense.predict_proba(full))


def test_layout_and_threads_do_not_count() -> None:
    reference = weights(wxb.MLPClassifier((40,), random_state=0, max_iter=5).fit(X, THREE))
    for x in (np.asfortranarray(X), np.repeat(X, 2, axis=0)[::2], X.tolist()):
        model = wxb.MLPClassifier((40,), random_state=0, max_iter=5).fit(x, THREE)
        np.testing.assert_array_equal(weights(model), reference)
    for n_jobs in (1, 3, -1):
        model = wxb.MLPClassifier((40,), random_state=0, max_iter=5, n_jobs=n_jobs).fit(X, THREE)
        np.testing.assert_array_equal(weights(model), reference)


def test_warm_start_resumes() -> None:
    whole = wxb.MLPRegressor(hidden_layer_sizes=(8,), random_state=0, shuffle=False, max_iter=20).fit(
        X, NUMBERS
    )
    halves = wxb.MLPRegressor(
        hidden_layer_sizes=(8,), random_state=0, shuffle=False, max_iter=10, warm_start=True
    )
    halves.fit(X, NUMBERS)
    halves = pickle.loads(pickle.dumps(halves))
    halves.fit(X, NUMBERS)
    np.testing.assert_array_equal(weights(halves), weights(whole))
    assert halves.loss_curve_ == whole.loss_curve_
    assert (halves.n_iter_, halves.t_) == (10, whole.t_)


@pytest.mark.parametrize(
    "settings",
    [{}, {"solver": "sgd"}, {"solver": "adamw", "dropout": 0.2}, {"batch_size": 300}, {"shuffle": False}],
)
def test_warm_start_goes_on_with_order_and_masks(settings: dict[str, Any]) -> None:
    settings = {"hidden_layer_sizes": (8,), "batch_size": 50, **settings}
    whole = wxb.MLPRegressor(random_state=np.random.RandomState(0), max_iter=6, **settings)
    halves = wxb.MLPRegressor(random_state=np.random.RandomState(0), max_iter=3, warm_start=True, **settings)
    whole.fit(X, NUMBERS)
    halves = pickle.loads(pickle.dumps(halves.fit(X, NUMBERS)))
    np.testing.assert_array_equal(weights(halves.fit(X, NUMBERS)), weights(whole))


@pytest.mark.parametrize("settings", [{}, {"batch_size": 300}, {"batch_size": 50}, {"solver": "lbfgs"}])
def test_random_states_go_on_as_scikit_learns(settings: dict[str, Any]) -> None:
    generators = [np.random.RandomState(1), np.random.RandomState(1)]
    for model, generator in zip(pair("MLPRegressor", **settings), generators, strict=True):
        model.set_params(random_state=generator, max_iter=3).fit(X, NUMBERS)
    ours, theirs = (generator.randint(2**31 - 1) for generator in generators)
    assert ours == theirs


@pytest.mark.parametrize("again", [lambda model: pickle.loads(pickle.dumps(model)), copy.deepcopy])
def test_copies_predict_the_same(again: Any) -> None:
    model = wxb.MLPClassifier((8,), random_state=0, max_iter=5).fit(X.astype(np.float32), LABELS)
    other = again(model)
    np.testing.assert_array_equal(other.predict_proba(X), model.predict_proba(X))
    other.partial_fit(X, LABELS)
    assert not np.array_equal(weights(other), weights(model))


def test_weights_that_are_changed_count() -> None:
    model = wxb.MLPRegressor(hidden_layer_sizes=(4,), random_state=0, max_iter=3).fit(X, NUMBERS)
    model.coefs_[1][:] = 0
    model.intercepts_[1][:] = 2.5
    np.testing.assert_array_equal(model.predict(X), np.full(300, 2.5))
    model.coefs_ = [np.zeros((6, 4)), np.zeros((4, 1))]
    assert pickle.loads(pickle.dumps(model)).predict(X[:1]) == [2.5]


def test_class_weight_is_a_sample_weight() -> None:
    counts = np.bincount(THREE)
    balanced = wxb.MLPClassifier((5,), random_state=0, max_iter=5, class_weight="balanced").fit(X, THREE)
    by_hand = {c: 300 / (3 * counts[c]) for c in range(3)}
    named = wxb.MLPClassifier((5,), random_state=0, max_iter=5, class_weight=by_hand).fit(X, THREE)
    rows = wxb.MLPClassifier((5,), random_state=0, max_iter=5)
    rows.fit(X, THREE, sample_weight=[by_hand[c] for c in THREE])
    np.testing.assert_array_equal(weights(named), weights(balanced))
    np.testing.assert_array_equal(weights(rows), weights(balanced))


def test_rows_of_weight_0_are_left_out() -> None:
    w = (np.arange(300) < 200).astype(float)
    some = wxb.MLPClassifier((5,), random_state=0, max_iter=9).fit(X, LABELS, sample_weight=w)
    fewer = wxb.MLPClassifier((5,), random_state=0, max_iter=9).fit(X[:200], LABELS[:200])
    np.testing.assert_allclose(weights(some), weights(fewer), atol=1e-12)


def test_validation_data_decides() -> None:
    model = wxb.MLPClassifier(
        (30,), random_state=0, max_iter=300, n_iter_no_change=5, learning_rate_init=0.02
    )
    model.fit(X[:200], LABELS[:200], validation_data=(X[200:], LABELS[200:]))
    assert model.n_iter_ == len(model.validation_scores_) < 300
    assert model.best_validation_score_ == max(model.validation_scores_)
    assert model.score(X[200:], LABELS[200:]) == pytest.approx(model.best_validation_score_)


@pytest.mark.parametrize("trained", [None, np.linspace(0.1, 3.0, 200)])
@pytest.mark.parametrize("judged", [None, np.linspace(3.0, 0.1, 100), np.ones(100)])
def test_weights_of_one_part_are_not_those_of_the_other(trained: Any, judged: Any) -> None:
    """The training is that without validation rows, and the scores are those of the model."""
    settings: dict[str, Any] = {
        "hidden_layer_sizes": (8,),
        "random_state": 0,
        "max_iter": 4,
        "batch_size": 150,
    }
    for estimator, y in ((wxb.MLPClassifier, LABELS), (wxb.MLPRegressor, NUMBERS)):
        alone = estimator(**settings).fit(X[:200], y[:200], sample_weight=trained)
        model = estimator(**settings)
        part = (X[200:], y[200:]) if judged is None else (X[200:], y[200:], judged)
        model.fit(X[:200], y[:200], sample_weight=trained, validation_data=part)
        assert model.loss_curve_ == alone.loss_curve_
        score = model.score(X[200:], y[200:], sample_weight=judged)
        assert max(model.validation_scores_) == pytest.approx(score)


def test_no_rows_are_an_error() -> None:
    for model in (wxb.MLPClassifier((4,), max_iter=2), wxb.LogisticRegression()):
        model.fit(X, LABELS)
        for predict in (model.predict, model.predict_proba):
            with pytest.raises(ValueError, match="0 sample"):
                predict(np.empty((0, 6)))


def test_callbacks_see_each_epoch_and_stop() -> None:
    seen: list[dict[str, Any]] = []

    def until_three(record: dict[str, Any]) -> bool:
        seen.append(record)
        return record["epoch"] == 3

    model = wxb.MLPRegressor(hidden_layer_sizes=(4,), random_state=0, callbacks=until_three).fit(X, NUMBERS)
    assert model.n_iter_ == 3 and [record["loss"] for record in seen] == model.loss_curve_

    def broken(record: dict[str, Any]) -> None:
        raise KeyError("no")

    model = wxb.MLPRegressor(hidden_layer_sizes=(4,), callbacks=[broken])
    with pytest.raises(KeyError):
        model.fit(X, NUMBERS)
    model.set_params(callbacks=None).fit(X, NUMBERS)


EXTRAS = [
    {"activation": "gelu"},
    {"activation": "leaky_relu", "solver": "rmsprop"},
    {"activation": {"elu": {"alpha": 0.5}}, "solver": "adamw", "weight_decay": 0.1},
    {"solver": "nesterov", "learning_rate_init": 0.01, "learning_rate": "cosine"},
    {"solver": "momentum", "learning_rate_init": 0.01, "learning_rate": {"one_cycle": {"peak": 0.4}}},
    {"dropout": 0.1, "initializer": "he_uniform", "learning_rate_init": 0.01},
    {"l1": 0.01, "clip_norm": 1.0, "initializer": "orthogonal"},
    {"activation": "swish", "solver": "lbfgs"},
]


@pytest.mark.parametrize("parameters", EXTRAS, ids=str)
def test_what_scikit_learn_does_not_have(parameters: Any) -> None:
    settings = {"random_state": 0, "max_iter": 120, "hidden_layer_sizes": (20,), **parameters}
    model = wxb.MLPClassifier(**settings).fit(X, LABELS)
    assert model.score(X, LABELS) > 0.8
    again = wxb.MLPClassifier(**settings).fit(X, LABELS)
    np.testing.assert_array_equal(weights(again), weights(model))
    assert wxb.MLPRegressor(**settings).fit(X, NUMBERS).score(X, NUMBERS) > 0.2


@pytest.mark.parametrize("loss", ["absolute_error", "huber", {"huber": {"delta": 0.3}}])
def test_other_losses(loss: Any) -> None:
    model = wxb.MLPRegressor(loss, (20,), random_state=0, learning_rate_init=0.01).fit(X, NUMBERS)
    assert model.score(X, NUMBERS) > 0.5


def test_label_smoothing_makes_less_sure() -> None:
    sure = wxb.MLPClassifier((20,), random_state=0, max_iter=300).fit(X, LABELS)
    less = wxb.MLPClassifier((20,), random_state=0, max_iter=300, label_smoothing=0.3).fit(X, LABELS)
    assert less.predict_proba(X).max(axis=1).mean() < sure.predict_proba(X).max(axis=1).mean() - 0.05


@pytest.mark.parametrize(
    "parameters",
    [
        {"dropout": 0.5, "solver": "lbfgs"},
        {"l1": 0.1, "solver": "lbfgs"},
        {"clip_norm": 0.0},
        {"solver": "newton"},
        {"activation": "step"},
        {"dropout": 1.0},
        {"hidden_layer_sizes": (3, 0)},
        {"n_iter_no_change": 0},
        {"learning_rate": {"cosine": {"warmup": 2.0}}},
        {"activation": {"elu": {"alpha": -1.0}}},
    ],
    ids=str,
)
def test_refusals(parameters: Any) -> None:
    with pytest.raises(ValueError):
        wxb.MLPClassifier(**parameters).fit(X, LABELS)


def test_checks_of_what_is_predicted() -> None:
    model = wxb.MLPClassifier((3,), random_state=0, max_iter=2).fit(X, LABELS)
    with pytest.raises(ValueError, match="NaN"):
        model.predict(np.full((1, 6), np.nan))
    with pytest.raises(ValueError, match="inf|large"):
        model.predict(np.full((40, 6), np.inf))
    with pytest.raises(ValueError, match="features"):
        model.predict(X[:, :5])
    with pytest.raises(ValueError, match="2D"):
        model.predict(X[0])
    with pytest.raises((ValueError, AttributeError), match="not fitted"):
        wxb.MLPClassifier().predict(X)
    np.testing.assert_array_equal(model.predict(X[:3].tolist()), model.predict(X[:3]))
    np.testing.assert_array_equal(
        model.predict((X[:3] * 2).astype(int)), model.predict((X[:3] * 2).astype(int) * 1.0)
    )


@pytest.mark.parametrize("name, y", [("MLPClassifier", LABELS), ("MLPRegressor", NUMBERS)])
def test_a_refit_forgets_the_scores_of_the_first(name: str, y: Any) -> None:
    model = getattr(wxb, name)(hidden_layer_sizes=(4,), early_stopping=True, max_iter=5, random_state=0)
    for _ in range(2):
        model.fit(X, y)
        assert len(model.validation_scores_) == len(model.loss_curve_) == 5
    model.set_params(warm_start=True).fit(X, y)
    assert len(model.validation_scores_) == len(model.loss_curve_) == 10


@pytest.mark.parametrize(
    ("validation_data", "words"),
    [
        ((X, np.where(np.arange(300) == 7, np.nan, NUMBERS)), "NaN"),
        ((X, np.full(300, np.inf)), "infinity"),
        ((X, NUMBERS, -np.ones(300)), "Negative"),
        ((X, NUMBERS, np.full(300, np.nan)), "NaN"),
        ((X, NUMBERS, np.zeros(300)), "zero"),
        ((X, NUMBERS[:-1]), "300 rows"),
        ((X, np.c_[NUMBERS, NUMBERS]), "of 1 as in training"),
        ((X,), r"\(X, y, sample_weight\), not 1 parts"),
        (X, "not ndarray"),
    ],
)
def test_validation_data_is_checked(validation_data: Any, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        wxb.MLPRegressor(hidden_layer_sizes=(4,), max_iter=2).fit(X, NUMBERS, validation_data=validation_data)


def test_dates_are_no_numbers() -> None:
    with pytest.raises(ValueError, match="datetime64"):
        wxb.MLPRegressor(hidden_layer_sizes=(4,), max_iter=2).fit(X, np.arange(300).astype("datetime64[D]"))


def test_labels_go_out_as_they_came_in() -> None:
    sparse = pytest.importorskip("scipy.sparse")
    dense = np.c_[X[:, 0] > 0, X[:, 1] > 0].astype(int)
    settings: dict[str, Any] = {"hidden_layer_sizes": (8,), "max_iter": 20, "random_state": 0}
    expected = wxb.MLPClassifier(**settings).fit(X, dense).predict(X)
    predicted = wxb.MLPClassifier(**settings).fit(X, sparse.csr_matrix(dense)).predict(X)
    assert sparse.issparse(predicted) and isinstance(expected, np.ndarray)
    np.testing.assert_array_equal(predicted.toarray(), expected)


def test_any_stream_of_arrow_batches() -> None:
    pyarrow = pytest.importorskip("pyarrow")

    class Stream:
        def __init__(self, table: Any) -> None:
            self.__arrow_c_stream__ = table.__arrow_c_stream__

    def table(columns: Any) -> Any:
        return pyarrow.table({f"c{place}": X[:, place] for place in columns})

    settings: dict[str, Any] = {"hidden_layer_sizes": (4,), "max_iter": 5, "random_state": 0}
    for model in (wxb.MLPClassifier(**settings), wxb.LogisticRegression()):
        expected = model.fit(X, LABELS).predict_proba(X)
        for held in (table(range(6)), table(range(6)).to_batches()[0], Stream(table(range(6)))):
            np.testing.assert_array_equal(model.fit(held, LABELS).predict_proba(held), expected)
            with pytest.raises(ValueError, match="order"):
                model.predict(Stream(table(range(5, -1, -1))))
