"""Pictures: what is drawn are the numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import wxb

matplotlib = pytest.importorskip("matplotlib")
matplotlib.use("Agg")

from matplotlib import pyplot

from wxb import plot


@pytest.fixture(autouse=True)
def _close() -> Any:
    yield
    pyplot.close("all")


@pytest.fixture(scope="module")
def model() -> Any:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(300, 2))
    return wxb.TableClassifier(preset="mlp", epochs=12).fit(X, X[:, 0] > 0), X


def test_the_losses_are_drawn(model: Any) -> None:
    history = model[0].history_
    ax = plot.loss_curve(model[0])
    train, held, best = ax.get_lines()
    np.testing.assert_array_equal(train.get_ydata(), [epoch["train_loss"] for epoch in history])
    np.testing.assert_array_equal(held.get_ydata(), [epoch["valid_loss"] for epoch in history])
    assert best.get_ydata()[0] == min(epoch["valid_loss"] for epoch in history)
    assert list(plot.loss_curve([3.0, 2.0]).get_lines()[0].get_ydata()) == [3.0, 2.0]
    assert "<polyline" in history._repr_html_()


def test_counts_are_drawn() -> None:
    ax = plot.confusion(["a", "a", "b", "c"], ["a", "b", "b", "c"])
    assert [text.get_text() for text in ax.texts] == ["1", "1", "0", "0", "1", "0", "0", "0", "1"]


def test_frequencies_are_drawn() -> None:
    ax = plot.reliability([0, 0, 1, 1], [0.1, 0.3, 0.6, 0.8], bins=2)
    np.testing.assert_allclose(ax.get_lines()[1].get_xydata(), [[0.2, 0.0], [0.7, 1.0]])
    with pytest.raises(ValueError, match="0 or 1"):
        plot.reliability([1, 2], [0.5, 0.5])


def test_the_rest_draws(model: Any) -> None:
    fitted, X = model
    plot.decision_boundary(fitted, X, X[:, 0] > 0, grid=20)
    bars = plot.importance(fitted).patches
    assert max(bar.get_width() for bar in bars) == max(fitted.feature_importances_)
    found = fitted.contributions(X, rows=0, samples=20)
    bars = plot.contributions(found, top=1).patches
    assert [bar.get_width() for bar in bars] == [found.largest()[0][1]]
    depends = fitted.partial_dependence(X, "x0", points=7)
    lines = plot.partial_dependence(depends, curves=3).get_lines()
    np.testing.assert_array_equal(lines[-1].get_xydata(), np.column_stack([depends.values, depends.mean]))
    np.testing.assert_array_equal([line.get_ydata() for line in lines[:-1]], depends.curves[:3])
    assert len(plot.layer_health(fitted).patches) == 2 * len(fitted.health_)


def test_texts_are_drawn_side_by_side() -> None:
    rng = np.random.default_rng(0)
    X = {"town": rng.choice(["Oslo", "Bergen"], 200, p=[0.75, 0.25]), "size": rng.normal(size=200)}
    found = wxb.TableRegressor("linear").fit(X, 50 + X["size"]).partial_dependence(X, "town")
    ax = plot.partial_dependence(found)
    assert [label.get_text() for label in ax.get_xticklabels()] == ["Oslo", "Bergen"]
    heights = [bar.get_height() for bar in ax.patches]
    np.testing.assert_allclose(heights, 0.1 * found.distribution / found.distribution.max())
    # The bars do not say what the predictions are.
    assert ax.get_ylim()[0] > 40


def test_a_boundary_under_the_names_of_a_frame(recwarn: Any) -> None:
    pandas = pytest.importorskip("pandas")
    rng = np.random.default_rng(0)
    X = pandas.DataFrame(rng.normal(size=(60, 2)), columns=["a", "b"])
    y = np.where(X["a"] > 0, "yes", "no")
    for model in (wxb.LogisticRegression().fit(X, y), wxb.TableClassifier("linear", epochs=3).fit(X, y)):
        plot.decision_boundary(model, X, grid=10)
    assert [str(w.message) for w in recwarn] == []
