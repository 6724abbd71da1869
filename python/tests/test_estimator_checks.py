"""scikit-learn's checks of estimators: all of them, without expected failures."""

from __future__ import annotations

from typing import Any

import pytest

checks = pytest.importorskip("sklearn.utils.estimator_checks")

import wxb

ESTIMATORS = (
    wxb.MLPClassifier,
    wxb.MLPRegressor,
    wxb.LogisticRegression,
    wxb.TableClassifier,
    wxb.TableRegressor,
)


@checks.parametrize_with_checks([estimator() for estimator in ESTIMATORS])
@pytest.mark.filterwarnings("ignore")
def test_estimator(estimator: Any, check: Any) -> None:
    check(estimator)
