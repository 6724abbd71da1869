"""Times of wxb and of scikit-learn at equal settings: fits of as many epochs, and the prediction of one row.

    python bench/scikit_learn.py [mnist.npz] [adult.npz]

Both train in turns, so that a busy machine is busy for both; the medians are compared. Archives of `X` and `y` add fits on
data of your own.
"""

from __future__ import annotations

import statistics
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from sklearn import linear_model, neural_network
from sklearn.datasets import load_digits, make_regression

import wxb


def seconds(work: Callable[[], Any], times: int = 1) -> float:
    """The mean of so many calls."""
    start = time.perf_counter()
    for _ in range(times):
        work()
    return (time.perf_counter() - start) / times


def medians(ours: Callable[[], Any], theirs: Callable[[], Any], rounds: int, times: int = 1) -> list[float]:
    """Of both, taken in turns."""
    taken = [(seconds(ours, times), seconds(theirs, times)) for _ in range(rounds)]
    return [statistics.median(column) for column in zip(*taken, strict=True)]


def report(name: str, ours: float, theirs: float, unit: float, word: str) -> None:
    """A line of the table."""
    print(
        f"{name:46s} {ours * unit:10.2f} {theirs * unit:10.2f} {word:3s} {theirs / ours:8.1f} ×", flush=True
    )


def fits(name: str, X: Any, y: Any, kind: str, rounds: int, **settings: Any) -> None:
    """A fit of each, with the same settings and as many epochs."""
    settings = {"random_state": 0, "tol": 0.0, "n_iter_no_change": 10**6, **settings}
    ours, theirs = getattr(wxb, kind)(**settings), getattr(neural_network, kind)(**settings)
    report(name, *medians(lambda: ours.fit(X, y), lambda: theirs.fit(X, y), rounds), 1e3, "ms")


def one_row(X: Any, y: Any) -> None:
    """The prediction of one row, by each estimator."""
    row = X[:1]
    for package, name, target in (
        (neural_network, "MLPClassifier", y),
        (neural_network, "MLPRegressor", y),
        (linear_model, "LogisticRegression", y),
    ):
        ours = getattr(wxb, name)(max_iter=5).fit(X, target)
        theirs = getattr(package, name)(max_iter=5).fit(X, target)
        times = medians(lambda m=ours: m.predict(row), lambda m=theirs: m.predict(row), 15, 200)
        report(f"one row, {name}.predict", *times, 1e6, "µs")
        if hasattr(ours, "predict_proba"):
            times = medians(
                lambda m=ours: m.predict_proba(row), lambda m=theirs: m.predict_proba(row), 15, 200
            )
            report(f"one row, {name}.predict_proba", *times, 1e6, "µs")


def main() -> None:
    """The table."""
    warnings.simplefilter("ignore")
    digits, classes = load_digits(return_X_y=True)
    digits = digits / 16
    print(f"{'':46s} {'wxb':>10s} {'sklearn':>10s}")
    for dtype in (np.float32, np.float64):
        X, bits = digits.astype(dtype), np.dtype(dtype).name
        fits(f"digits, adam, (100,), 30 epochs, {bits}", X, classes, "MLPClassifier", 7, max_iter=30)
        fits(
            f"digits, early stopping, 30 epochs, {bits}",
            X,
            classes,
            "MLPClassifier",
            7,
            max_iter=30,
            early_stopping=True,
        )
    X, y = make_regression(200, 10, random_state=0)
    fits(
        "200 rows, sgd, (20,), 200 epochs, float64",
        X,
        y / 100,
        "MLPRegressor",
        7,
        hidden_layer_sizes=(20,),
        solver="sgd",
    )
    X, y = make_regression(20000, 50, random_state=0)
    X = X.astype(np.float32)
    fits(
        "20000 rows, (64, 64), 5 epochs, float32",
        X,
        y / 100,
        "MLPRegressor",
        5,
        hidden_layer_sizes=(64, 64),
        max_iter=5,
    )
    for path in sys.argv[1:]:
        archive = np.load(path)
        X, y = np.ascontiguousarray(archive["X"], dtype=np.float32), archive["y"]
        fits(f"{Path(path).stem}, (100,), 3 epochs, float32", X, y, "MLPClassifier", 3, max_iter=3)
    ours, theirs = wxb.LogisticRegression(), linear_model.LogisticRegression(max_iter=1000)
    report(
        "digits, LogisticRegression",
        *medians(lambda: ours.fit(digits, classes), lambda: theirs.fit(digits, classes), 5),
        1e3,
        "ms",
    )
    one_row(digits, classes)


if __name__ == "__main__":
    main()
