"""Writes metrics.json: predictions and what scikit-learn says about them.

    python3 -m venv venv && venv/bin/pip install "scikit-learn==1.9.*"
    venv/bin/python testdata/make_metrics.py

ECE, which scikit-learn does not have, is written out here from its definition.
"""
import json
import pathlib

import numpy as np
from sklearn import metrics as sk


def ece(p, y, w):
    confidence, right = p.max(axis=1), p.argmax(axis=1) == y
    edges = np.linspace(0, 1, 16)
    total = 0.0
    for low, high in zip(edges[:-1], edges[1:]):
        here = (confidence > low) & (confidence <= high)
        if w[here].sum() > 0:
            gap = np.average(right[here], weights=w[here]) - np.average(confidence[here], weights=w[here])
            total += w[here].sum() * abs(gap)
    return total / w.sum()


def auc(p, y, w):
    classes = [1] if p.shape[1] == 2 else range(p.shape[1])
    scores = [sk.roc_auc_score(y == c, p[:, c], sample_weight=w) for c in classes if 0 < (y == c).sum() < len(y)]
    return np.mean(scores) if scores else None


def classification(name, p, y, w=None):
    weights = np.ones(len(y)) if w is None else w
    classes = p.shape[1]
    labels = range(classes)
    predicted = p.argmax(axis=1)
    one = {"average": "binary"} if classes == 2 else {"average": "macro"}
    truth = y if classes == 2 else np.eye(classes)[y]
    recalls = [np.average(predicted[y == c] == c, weights=weights[y == c]) for c in labels if (y == c).any()]
    if len(recalls) == classes:
        assert np.isclose(np.mean(recalls), sk.balanced_accuracy_score(y, predicted, sample_weight=w))
    scores = {
        "log_loss": sk.log_loss(y, p, labels=list(labels), sample_weight=w),
        "auc": auc(p, y, w),
        "accuracy": sk.accuracy_score(y, predicted, sample_weight=w),
        "balanced_accuracy": np.mean(recalls),
        "f1": sk.f1_score(y, predicted, sample_weight=w, **one),
        "brier": sk.brier_score_loss(y, p[:, 1], labels=[0, 1], sample_weight=w) if classes == 2
        else np.average(((p - truth) ** 2).sum(axis=1), weights=weights),
        "ece": ece(p, y, weights),
    }
    if classes > 2 and len(recalls) == classes:
        assert np.isclose(scores["auc"], sk.roc_auc_score(y, p, multi_class="ovr", average="macro", sample_weight=w))
        assert np.isclose(scores["brier"], sk.brier_score_loss(y, p, labels=list(labels), sample_weight=w))
    confusion = sk.confusion_matrix(y, predicted, labels=list(labels), sample_weight=w)
    return {"name": name, "classes": classes, "predicted": p.ravel().tolist(), "y": y.tolist(),
            "weights": None if w is None else w.tolist(), "confusion": confusion.ravel().tolist(),
            "scores": {k: v for k, v in scores.items() if v is not None}}


def regression(name, p, y, w=None, levels=None):
    columns = p.reshape(len(y), -1)
    middle = columns[:, 0 if levels is None else int(np.argmin(np.abs(np.array(levels) - 0.5)))]
    losses = [sk.mean_pinball_loss(y, columns[:, i], alpha=q, sample_weight=w) for i, q in enumerate(levels or [0.5])]
    nonzero = y != 0
    scores = {
        "rmse": sk.root_mean_squared_error(y, middle, sample_weight=w),
        "mae": sk.mean_absolute_error(y, middle, sample_weight=w),
        "pinball": np.mean(losses),
    }
    if len(set(y)) > 1:
        scores["r2"] = sk.r2_score(y, middle, sample_weight=w)
    if nonzero.any():
        part = None if w is None else w[nonzero]
        scores["mape"] = sk.mean_absolute_percentage_error(y[nonzero], middle[nonzero], sample_weight=part)
    if (y >= 0).all() and (middle > 0).all():
        scores["poisson_deviance"] = sk.mean_poisson_deviance(y, middle, sample_weight=w)
    return {"name": name, "levels": levels, "predicted": p.ravel().tolist(), "y": y.tolist(),
            "weights": None if w is None else w.tolist(), "scores": scores}


def probabilities(rng, n, classes, digits=2):
    logits = rng.normal(size=(n, classes)) * 2
    p = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    p = np.round(p, digits)  # ties among the scores
    p[:, -1] = 1 - p[:, :-1].sum(axis=1)
    return np.clip(np.round(p, 9), 0, 1)


def main():
    rng = np.random.default_rng(0)
    weight = lambda n: np.round(rng.exponential(size=n), 2)
    p2, p4 = probabilities(rng, 40, 2), probabilities(rng, 50, 4)
    y2, y4 = (rng.random(40) < 0.4).astype(int), rng.integers(0, 4, 50)
    y4_absent = np.where(y4 == 2, 3, y4)
    sure = np.array([[1.0, 0.0], [0.0, 1.0], [0.0, 1.0], [0.3, 0.7]])
    classes = [
        classification("binary with ties", p2, y2),
        classification("binary, weighted", p2, y2, weight(40)),
        classification("binary, certain and wrong", sure, np.array([0, 1, 0, 1])),
        classification("binary, one class only", p2, np.ones(40, int)),
        classification("four classes", p4, y4),
        classification("four classes, weighted", p4, y4, weight(50)),
        classification("four classes, one absent", p4, y4_absent),
    ]
    y = np.round(rng.normal(size=30) * 3 + 1, 2)
    p = np.round(y + rng.normal(size=30), 2)
    counts = rng.poisson(1.5, 30).astype(float)
    rates = np.round(rng.gamma(3, 0.5, 30) + 0.01, 2)
    spread = np.round(np.stack([p - 1, p, p + 1], axis=1), 2)
    numbers = [
        regression("numbers", p, y),
        regression("numbers, weighted", p, y, weight(30)),
        regression("counts", rates, counts),
        regression("counts, weighted", rates, counts, weight(30)),
        regression("a constant target", p, np.full(30, 2.5)),
        regression("three quantiles", spread, y, levels=[0.1, 0.5, 0.9]),
        regression("three quantiles, weighted", spread, y, weight(30), levels=[0.1, 0.5, 0.9]),
    ]
    path = pathlib.Path(__file__).with_name("metrics.json")
    rows = lambda cases: ",\n".join("    " + json.dumps(case) for case in cases)
    path.write_text(f'{{\n  "classification": [\n{rows(classes)}\n  ],\n  "regression": [\n{rows(numbers)}\n  ]\n}}\n')


main()
