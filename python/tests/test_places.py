"""The estimators in the places of scikit-learn's: searches, pipelines, ensembles, pickles."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest

import wxb

sklearn = pytest.importorskip("sklearn")
pytestmark = pytest.mark.filterwarnings("ignore")

X = np.random.RandomState(0).standard_normal((200, 4))
Y = np.where(X[:, 0] > X[:, 1], "b", "a")


def test_search_in_a_pipeline() -> None:
    from sklearn.model_selection import GridSearchCV
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    pipeline = make_pipeline(
        StandardScaler(), wxb.MLPClassifier(random_state=0, max_iter=200, learning_rate_init=0.02)
    )
    grid = {"mlpclassifier__hidden_layer_sizes": [(2,), (8,)], "mlpclassifier__dropout": [0.0, 0.2]}
    search = GridSearchCV(pipeline, grid, cv=3, scoring="neg_log_loss").fit(X, Y)
    assert search.score(X, Y) > -0.6


def test_ensembles() -> None:
    from sklearn.calibration import CalibratedClassifierCV
    from sklearn.ensemble import BaggingRegressor, StackingClassifier, VotingClassifier

    mlp = wxb.MLPClassifier((8,), random_state=0, max_iter=60, learning_rate_init=0.02)
    parts = [("mlp", mlp), ("logistic", wxb.LogisticRegression())]
    for ensemble in (
        VotingClassifier(parts, voting="soft"),
        StackingClassifier(parts, final_estimator=wxb.LogisticRegression()),
        CalibratedClassifierCV(mlp, cv=3),
    ):
        assert ensemble.fit(X, Y).score(X, Y) > 0.9
    bag = BaggingRegressor(wxb.MLPRegressor(hidden_layer_sizes=(8,), solver="lbfgs"), n_estimators=3)
    assert bag.fit(X, X[:, 0]).score(X, X[:, 0]) > 0.9


def test_weights_find_their_way_by_metadata() -> None:
    from sklearn.model_selection import cross_validate

    with sklearn.config_context(enable_metadata_routing=True):
        model = wxb.LogisticRegression().set_fit_request(sample_weight=True)
        network = wxb.MLPClassifier((4,), max_iter=5)
        network.set_fit_request(sample_weight=True, validation_data=False)
        for estimator in (model, network):
            estimator.set_score_request(sample_weight=True)
            cross_validate(estimator, X, Y, params={"sample_weight": np.ones(200)}, error_score="raise")


@pytest.mark.parametrize("package", ["pickle", "cloudpickle", "joblib"])
@pytest.mark.parametrize(
    "model",
    [
        wxb.MLPClassifier((4,), max_iter=5),
        wxb.MLPRegressor(hidden_layer_sizes=(4,), max_iter=5),
        wxb.LogisticRegression(),
    ],
    ids=lambda model: type(model).__name__,
)
def test_pickles(package: str, model: Any) -> None:
    library = pytest.importorskip(package)
    model.fit(X, (Y == "b").astype(int))
    memory = io.BytesIO()
    library.dump(model, memory)
    memory.seek(0)
    np.testing.assert_array_equal(library.load(memory).predict(X), model.predict(X))


def test_frames() -> None:
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(X, columns=list("pqrs"))
    for model in (wxb.MLPClassifier((4,), max_iter=5), wxb.LogisticRegression()):
        model.fit(frame, pandas.Series(Y))
        assert model.feature_names_in_.tolist() == list("pqrs")
        with pytest.warns(UserWarning, match="feature names"):
            model.predict(X[:1])
        with pytest.raises(ValueError, match="feature names"):
            model.predict(frame[list("qprs")])
