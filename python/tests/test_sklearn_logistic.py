"""scikit-learn's `test_logistic.py` on LogisticRegression of wxb."""

import pytest

linear_model = pytest.importorskip("sklearn.linear_model")

from scikit_learn import substituted

import wxb

globals().update(substituted(linear_model, "test_logistic", {"LogisticRegression": wxb.LogisticRegression}))
