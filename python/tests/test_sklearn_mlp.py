"""scikit-learn's `test_mlp.py` on MLPClassifier and MLPRegressor of wxb."""

import pytest

neural_network = pytest.importorskip("sklearn.neural_network")

from scikit_learn import substituted

import wxb

globals().update(
    substituted(
        neural_network, "test_mlp", {"MLPClassifier": wxb.MLPClassifier, "MLPRegressor": wxb.MLPRegressor}
    )
)
