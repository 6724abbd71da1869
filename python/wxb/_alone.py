"""Stand-ins for what scikit-learn brings, so that wxb needs NumPy only."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from html import escape
from typing import Any

import numpy as np


class NotFittedError(ValueError, AttributeError):
    """An estimator is used before it is fitted."""


class ConvergenceWarning(UserWarning):
    """A training ended before it converged."""


class DataConversionWarning(UserWarning):
    """A target came in another shape than the usual one."""


class BaseEstimator:
    """Parameters by name, as scikit-learn has them."""

    @classmethod
    def _names(cls) -> list[str]:
        names = inspect.signature(cls.__init__).parameters
        return sorted(name for name in names if name != "self")

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """The parameters and their values."""
        return {name: getattr(self, name) for name in self._names()}

    def set_params(self, **params: Any) -> BaseEstimator:
        """Set some parameters."""
        for name, value in params.items():
            if name not in self._names():
                raise ValueError(f"Invalid parameter {name!r} for estimator {type(self).__name__}.")
            setattr(self, name, value)
        return self

    def _repr_html_(self) -> str:
        return f"<pre>{escape(repr(self))}</pre>"

    def __repr__(self) -> str:
        usual = inspect.signature(type(self).__init__).parameters
        shown = [
            f"{name}={value!r}"
            for name, value in self.get_params().items()
            if not _same(value, usual[name].default)
        ]
        return f"{type(self).__name__}({', '.join(shown)})"


def _same(value: Any, other: Any) -> bool:
    return value is other or (type(value) is type(other) and bool(np.all(value == other)))


class ClassifierMixin:
    """Accuracy as score."""

    _estimator_type = "classifier"

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """The share of rows whose class, or whose labels all, are right."""
        predicted = np.asarray(self.predict(X))  # type: ignore[attr-defined]
        y = column_or_1d(y, warn=True) if predicted.ndim == 1 else np.asarray(y)
        if y.shape != predicted.shape:
            raise ValueError(f"y is of shape {y.shape}, and the predictions of {predicted.shape}")
        right: Any = predicted == y
        if right.ndim == 2:
            right = right.all(axis=1)
        return float(np.average(right, weights=sample_weight))


class RegressorMixin:
    """R² as score."""

    _estimator_type = "regressor"

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """The mean over the targets of 1 - residual sum of squares / total sum of squares."""
        return r2_score(y, self.predict(X), sample_weight=sample_weight)  # type: ignore[attr-defined]


class CallbackSupportMixin:
    """Nothing: only scikit-learn has such callbacks."""


def with_callbacks(method: Callable[..., Any]) -> Callable[..., Any]:
    """The method as it is."""
    return method


def r2_score(y_true: Any, y_pred: Any, *, sample_weight: Any = None) -> float:
    """The mean over the targets of 1 - residual sum of squares / total sum of squares."""
    predicted = np.asarray(y_pred, dtype=np.float64)
    y = np.asarray(y_true, dtype=np.float64).reshape(len(predicted), -1)
    residual = y - predicted.reshape(y.shape)
    centred = y - np.average(y, axis=0, weights=sample_weight)
    squares = [np.average(part**2, axis=0, weights=sample_weight) for part in (residual, centred)]
    of_constant = np.where(squares[0] > 0, 1.0, 0.0)
    ratio = np.divide(squares[0], squares[1], out=of_constant, where=squares[1] > 0)
    return float(np.mean(1 - ratio))


def available_if(check: Callable[[Any], Any]) -> Callable[[Callable[..., Any]], Any]:
    """A method that is there only where `check` is true."""

    class Available:
        def __init__(self, method: Callable[..., Any]) -> None:
            self.method = method
            self.__doc__ = method.__doc__

        def __get__(self, instance: Any, owner: type) -> Any:
            if instance is None:
                return self.method
            if not check(instance):
                raise AttributeError(
                    f"{owner.__name__!r} has no {self.method.__name__!r} with these settings"
                )
            return self.method.__get__(instance, owner)

    return Available


def check_random_state(seed: Any) -> np.random.RandomState:
    """A generator from a seed, `None` (the global one) or a generator."""
    if seed is None or seed is np.random:
        return np.random.mtrand._rand
    if isinstance(seed, np.random.RandomState):
        return seed
    return np.random.RandomState(seed)


def column_or_1d(y: Any, *, warn: bool = False) -> Any:
    """One target as a vector."""
    y = np.asarray(y)
    if y.ndim != 1 and (y.ndim != 2 or y.shape[1] != 1):
        raise ValueError(f"y should be a 1d array, got an array of shape {y.shape} instead.")
    return np.ravel(y)


def unique_labels(y: Any) -> Any:
    """The labels, in order."""
    return np.arange(np.shape(y)[1]) if np.ndim(y) == 2 else np.unique(y)


def type_of_target(y: Any) -> str:
    """`"binary"`, `"multiclass"`, `"multilabel-indicator"` or `"continuous"`."""
    y = np.asarray(y)
    if y.ndim == 2 and y.shape[1] > 1:
        return "multilabel-indicator" if np.isin(y, (0, 1)).all() else "multiclass-multioutput"
    if y.dtype.kind == "f" and np.any(y != np.floor(y)):
        return "continuous"
    return "multiclass" if len(np.unique(y)) > 2 else "binary"


def check_classification_targets(y: Any) -> None:
    """Refuse numbers that are no classes."""
    kind = type_of_target(y)
    if kind.startswith("continuous"):
        raise ValueError(f"Unknown label type: {kind}")


def check_weights(sample_weight: Any, X: Any) -> Any:
    """One weight for each row."""
    weights = np.asarray(sample_weight, dtype=np.float64)
    if weights.ndim == 0:
        weights = np.full(X.shape[0], weights)
    if weights.shape != (X.shape[0],):
        raise ValueError(f"sample_weight.shape == {weights.shape}, expected {(X.shape[0],)}!")
    if not np.isfinite(weights).all():
        raise ValueError("Input sample_weight contains NaN or infinity.")
    return weights


#: That no targets are asked for, which is another thing than targets that are missing.
_NO_TARGETS: Any = object()


def validate_data(
    estimator: Any,
    X: Any,
    y: Any = _NO_TARGETS,
    *,
    reset: bool = True,
    dtype: Any = (np.float64, np.float32),
    **rest: Any,
) -> Any:
    """X (and y) as arrays of finite numbers, of as many columns as before, under the names of before."""
    if y is None:
        raise ValueError(f"{type(estimator).__name__} requires y to be passed, but the target y is None.")
    check_feature_names(estimator, X, reset=reset)
    X = _inputs(X)
    name = type(estimator).__name__
    if X.shape[0] == 0:
        raise ValueError(
            f"Found array with 0 sample(s) (shape={X.shape}) while a minimum of 1 is required by {name}."
        )
    if reset:
        estimator.n_features_in_ = X.shape[1]
    elif X.shape[1] != estimator.n_features_in_:
        raise ValueError(
            f"X has {X.shape[1]} features, but {name} is expecting {estimator.n_features_in_} features as input."
        )
    if y is _NO_TARGETS:
        return X
    y = _targets(y, **rest)
    if len(y) != X.shape[0]:
        raise ValueError(
            f"Found input variables with inconsistent numbers of samples: {[X.shape[0], len(y)]}"
        )
    return X, y


def _inputs(X: Any) -> Any:
    from ._wxb import all_finite

    if hasattr(X, "tocsr"):
        X = X.tocsr()
        _refuse_complex(X)
        X = X.astype(np.result_type(X.dtype, np.float32), copy=False)
        finite = bool(np.isfinite(X.data).all())
    else:
        X = np.asarray(X)
        if X.ndim != 2:
            raise ValueError(f"Expected 2D array, got {X.ndim}D array instead. Reshape your data.")
        _refuse_complex(X)
        if X.dtype not in (np.float32, np.float64):
            X = X.astype(np.float64)
        finite = all_finite(X)
    if not finite:
        raise ValueError("Input X contains NaN or infinity.")
    return X


def _targets(y: Any, *, y_numeric: bool = False, multi_output: bool = False, **_rest: Any) -> Any:
    y = np.asarray(y) if multi_output else column_or_1d(y, warn=True)
    _refuse_complex(y)
    if y_numeric:
        y = y.astype(np.float64) if y.dtype.kind in "OUSiub" else y
    none = y.dtype.kind == "O" and any(label is None for label in y.ravel())
    if none or (y.dtype.kind == "f" and not np.isfinite(y).all()):
        raise ValueError("Input y contains NaN or infinity.")
    return y


def _refuse_complex(array: Any) -> None:
    if array.dtype.kind == "c":
        raise ValueError("Complex data not supported")


def train_test_split(
    places: Any,
    *,
    random_state: np.random.RandomState,
    test_size: float,
    stratify: Any = None,
) -> tuple[Any, Any]:
    """Places of rows for training and for validation; of each class the same share."""
    groups = [places] if stratify is None else [places[stratify.ravel() == c] for c in np.unique(stratify)]
    train, test = [], []
    for group in groups:
        shuffled = random_state.permutation(group)
        count = int(np.ceil(test_size * len(group)))
        test.append(shuffled[:count])
        train.append(shuffled[count:])
    return np.concatenate(train), np.concatenate(test)


def feature_names(X: Any) -> Any:
    """The names of the columns of a frame of pandas, polars or pyarrow, if all of them are texts."""
    names = getattr(X, "column_names", None)
    names = getattr(X, "columns", None) if names is None else names
    if names is None or not len(names) or not all(isinstance(name, str) for name in names):
        return None
    return np.array(list(names), dtype=object)


def check_feature_names(estimator: Any, X: Any, *, reset: bool) -> None:
    """Takes note of the names of the columns, or refuses others."""
    names = feature_names(X)
    if reset:
        estimator.__dict__.pop("feature_names_in_", None)
        if names is not None:
            estimator.feature_names_in_ = names
        return
    known = estimator.__dict__.get("feature_names_in_")
    if (known is None) != (names is None):
        has, was = ("has", "without") if known is None else ("does not have valid", "with")
        from ._sklearn import warn

        warn(f"X {has} feature names, but {type(estimator).__name__} was fitted {was} feature names")
    elif known is not None and known.tolist() != names.tolist():
        raise ValueError(
            "The feature names should match those that were passed during fit, in their order: "
            f"{', '.join(known)}; given are {', '.join(names)}"
        )
