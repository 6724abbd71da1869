"""Classes and labels: as the engine's targets, with weights, and back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ._sklearn import check_classification_targets, type_of_target, unique_labels


def is_labels(y: Any) -> bool:
    """Whether y is a matrix of labels, several of which may be true for a row."""
    kind: str = type_of_target(y)
    if kind == "multiclass-multioutput":
        raise ValueError("Multioutput target data is not supported with label binarization")
    return kind == "multilabel-indicator"


def classes_of(y: Any) -> Any:
    """The classes of y, in order."""
    check_classification_targets(y)
    return unique_labels(y)


def targets(y: Any, classes: Any, labels: bool, dtype: Any) -> Any:
    """Y (m, 1) of class indices, or (m, n) of labels."""
    if labels:
        dense = y.toarray() if hasattr(y, "toarray") else np.asarray(y)
        return np.ascontiguousarray(dense > 0, dtype=dtype)
    places = np.searchsorted(classes, y) if len(classes) else np.zeros(len(y))
    return np.ascontiguousarray(places.reshape(-1, 1), dtype=dtype)


def class_weights(rule: Any, classes: Any, places: Any, sample_weight: Any) -> Any:
    """The weight of each class: `"balanced"`: so that all classes weigh the same."""
    if isinstance(rule, str):
        counts = np.bincount(places, weights=sample_weight, minlength=len(classes))
        return counts.sum() / (np.count_nonzero(counts) * np.where(counts > 0, counts, 1.0))
    weights = np.ones(len(classes))
    missing = []
    for i, label in enumerate(classes):
        if label in rule:
            weights[i] = rule[label]
        else:
            missing.append(label.item() if isinstance(label, np.generic) else label)
    if missing and len(classes) - len(missing) != len(rule):
        raise ValueError(f"The classes, {missing}, are not in class_weight")
    return weights


def row_weights(rule: Any, classes: Any, y: Any, sample_weight: Any) -> Any:
    """The weights of rows, times those of their classes; `y` holds class indices."""
    if rule is None:
        return sample_weight
    if not isinstance(rule, Mapping) and rule != "balanced":
        raise ValueError(f"class_weight is a dict, 'balanced' or None, not {rule!r}")
    places = y.ravel().astype(np.intp)
    of_rows = class_weights(rule, classes, places, sample_weight)[places]
    return of_rows if sample_weight is None else of_rows * sample_weight
