"""LogisticRegression beside scikit-learn's at a small tolerance."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest

import wxb

datasets = pytest.importorskip("sklearn.datasets")
linear_model = pytest.importorskip("sklearn.linear_model")

pytestmark = pytest.mark.filterwarnings("ignore")

CANCER = datasets.load_breast_cancer(return_X_y=True)
IRIS = datasets.load_iris(return_X_y=True)


def scaled(X: Any) -> Any:
    return (X - X.mean(axis=0)) / X.std(axis=0)


#: Ours and scikit-learn's words for the same, before and since 1.8.
CASES = [
    ({}, {"solver": "newton-cg"}),
    ({"C": 0.01}, {"solver": "newton-cg"}),
    ({"C": 0.1, "fit_intercept": False}, {"solver": "newton-cg"}),
    ({"class_weight": "balanced", "C": 0.3}, {"solver": "newton-cg"}),
    ({"penalty": "l1", "solver": "saga", "C": 0.1}, {"l1_ratio": None}),
    ({"penalty": "elasticnet", "solver": "saga", "C": 0.1, "l1_ratio": 0.4}, {}),
]


@pytest.mark.parametrize("ours, theirs", CASES, ids=str)
@pytest.mark.parametrize("data", [CANCER, IRIS], ids=["two classes", "three"])
def test_coefficients_of_scikit_learn(data: Any, ours: Any, theirs: Any) -> None:
    X, y = scaled(data[0]), data[1]
    reference = linear_model.LogisticRegression(**{**ours, **theirs, "tol": 1e-9, "max_iter": 20000}).fit(
        X, y
    )
    for dtype, tolerance in ((np.float64, 1e-5), (np.float32, 1e-4)):
        model = wxb.LogisticRegression(**ours).fit(X.astype(dtype), y)
        largest = np.abs(reference.coef_).max()
        np.testing.assert_allclose(model.coef_, reference.coef_, atol=tolerance * largest)
        np.testing.assert_allclose(model.intercept_, reference.intercept_, atol=tolerance * largest)
        np.testing.assert_array_equal(model.coef_ == 0, np.abs(reference.coef_) < 1e-7)
        assert model.coef_.dtype == dtype
        assert model.n_iter_ < 30


@pytest.mark.parametrize("penalty", ["l1", "l2"])
def test_liblinear_penalises_the_intercept(penalty: str) -> None:
    X, y = scaled(CANCER[0]), CANCER[1]
    settings = {"penalty": penalty, "solver": "liblinear", "intercept_scaling": 0.5, "C": 0.2}
    reference = linear_model.LogisticRegression(**settings, tol=1e-10, max_iter=100000, random_state=0).fit(
        X, y
    )
    model = wxb.LogisticRegression(**settings).fit(X, y)
    np.testing.assert_allclose(model.coef_, reference.coef_, atol=1e-5)
    np.testing.assert_allclose(model.intercept_, reference.intercept_, atol=1e-5)


def test_columns_of_very_different_sizes() -> None:
    X, y = CANCER
    sizes = 10.0 ** np.arange(-7, 8)
    X = scaled(X)[:, :15]
    plain = wxb.LogisticRegression(C=np.inf, max_iter=1000).fit(X, y)
    stretched = wxb.LogisticRegression(C=np.inf, max_iter=1000, tol=1e-12).fit(X * sizes, y)
    np.testing.assert_allclose(stretched.coef_ * sizes, plain.coef_, rtol=1e-2)


def test_sparse_is_dense() -> None:
    sparse = pytest.importorskip("scipy.sparse")
    X, y = np.where(IRIS[0] > 2, IRIS[0], 0.0), IRIS[1]
    for settings in ({}, {"l1_ratio": 1, "solver": "saga"}):
        dense = wxb.LogisticRegression(**settings).fit(X, y)
        other = wxb.LogisticRegression(**settings).fit(sparse.csr_matrix(X), y)
        np.testing.assert_allclose(other.coef_, dense.coef_, atol=1e-7)
        np.testing.assert_allclose(
            other.predict_proba(sparse.csr_matrix(X)), dense.predict_proba(X), atol=1e-7
        )


def test_a_row_is_predicted_as_many_are() -> None:
    for X, y in (CANCER, IRIS):
        for dtype in (np.float64, np.float32):
            x = scaled(X).astype(dtype)
            model = wxb.LogisticRegression().fit(x, np.array(["a", "b", "c"])[y])
            rows = [model.predict_proba(x[i : i + 1]) for i in range(40)]
            np.testing.assert_allclose(
                np.concatenate(rows), model.predict_proba(x)[:40], rtol=1e-4, atol=1e-7
            )
            assert [model.predict(x[i : i + 1])[0] for i in range(40)] == model.predict(x)[:40].tolist()
    model.coef_[:] = 0
    assert np.allclose(pickle.loads(pickle.dumps(model)).decision_function(x[:2]), model.intercept_)


def test_warm_start_begins_where_it_ended() -> None:
    model = wxb.LogisticRegression(warm_start=True).fit(*IRIS)
    assert model.fit(*IRIS).n_iter_ <= 1


@pytest.mark.parametrize("shape", [(100, 1000, 2), (60, 200, 4), (400, 30, 3)], ids=str)
@pytest.mark.parametrize("l1_ratio", [1, 0.5, 0])
@pytest.mark.parametrize("C", [0.01, 1.0, 100.0])
def test_conditions_of_a_minimum(shape: Any, l1_ratio: float, C: float) -> None:
    """Columns that depend on each other, of very different sizes, and far from 0: the subgradient holds a 0 nevertheless."""
    m, d, classes = shape
    X, y = datasets.make_classification(m, d, n_informative=12, n_classes=classes, random_state=1)
    X = X * np.exp(np.random.RandomState(0).standard_normal(d)) + 1
    model = wxb.LogisticRegression(C=C, l1_ratio=l1_ratio, solver="saga").fit(X, y)
    residual = model.predict_proba(X) - np.eye(classes)[y]
    gradient = residual.T @ X / m
    W, gradient = model.coef_, gradient[1:] if classes == 2 else gradient
    gradient = gradient + (1 - l1_ratio) / (C * m) * W
    l1 = l1_ratio / (C * m)
    distance = np.where(W != 0, np.abs(gradient + l1 * np.sign(W)), np.maximum(np.abs(gradient) - l1, 0))
    assert distance.max() < 1e-4
    assert np.abs(residual.mean(axis=0)).max() < 1e-4
    assert model.n_iter_ < 100
