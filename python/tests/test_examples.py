"""The examples of the docstrings, and the page on scikit-learn."""

from __future__ import annotations

import doctest
from typing import Any

import pytest
from scikit_learn import HERE, not_applicable

import wxb


@pytest.mark.parametrize("estimator", [wxb.MLPClassifier, wxb.MLPRegressor, wxb.LogisticRegression])
def test_examples(estimator: Any) -> None:
    tests = [test for test in doctest.DocTestFinder().find(estimator, estimator.__name__) if test.examples]
    assert tests
    for test in tests:
        assert doctest.DocTestRunner().run(test).failed == 0


def test_the_page_lists_the_tests_that_are_left_out() -> None:
    page = (HERE.parent / "docs" / "scikit-learn.md").read_text()
    for tests in not_applicable().values():
        for name, reason in tests.items():
            assert f"| `{name}` | {reason} |" in page
