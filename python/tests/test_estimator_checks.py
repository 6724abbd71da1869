"""scikit-learn's checks of estimators: all of them, without expected failures."""

from __future__ import annotations

from typing import Any

import pytest

checks = pytest.importorskip("sklearn.utils.estimator_checks")

import wxb


@checks.parametrize_with_checks([wxb.MLPClassifier(), wxb.MLPRegressor(), wxb.LogisticRegression()])
@pytest.mark.filterwarnings("ignore")
def test_estimator(estimator: Any, check: Any) -> None:
    check(estimator)
