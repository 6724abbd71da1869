"""What the estimators take from scikit-learn, or from the stand-ins where it is not installed."""

from __future__ import annotations

import os
import re
import sys
import warnings
from collections.abc import Mapping
from typing import Any

try:
    from sklearn import __version__ as _version
    from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
    from sklearn.exceptions import (
        ConvergenceWarning,
        DataConversionWarning,
        NotFittedError,
    )
    from sklearn.metrics import r2_score
    from sklearn.model_selection import train_test_split
    from sklearn.utils import check_random_state, column_or_1d
    from sklearn.utils.metaestimators import available_if
    from sklearn.utils.multiclass import (
        check_classification_targets,
        type_of_target,
        unique_labels,
    )
    from sklearn.utils.validation import _check_feature_names as check_feature_names
    from sklearn.utils.validation import _check_sample_weight as check_weights
    from sklearn.utils.validation import _get_feature_names as feature_names
    from sklearn.utils.validation import validate_data as _validate_data

    HAS_SKLEARN = True
    VERSION = tuple(map(int, re.findall(r"\d+", _version)[:2]))
except ImportError:
    from ._alone import (
        BaseEstimator,
        ClassifierMixin,
        ConvergenceWarning,
        DataConversionWarning,
        NotFittedError,
        RegressorMixin,
        available_if,
        check_classification_targets,
        check_feature_names,
        check_random_state,
        check_weights,
        column_or_1d,
        feature_names,
        r2_score,
        train_test_split,
        type_of_target,
        unique_labels,
    )
    from ._alone import validate_data as _validate_data

    HAS_SKLEARN = False
    VERSION = (0, 0)
try:
    from sklearn import callback as _callback
    from sklearn.callback import CallbackSupportMixin, with_callbacks

    _PLACES = tuple(os.path.dirname(path) for path in (__file__, _callback.__file__))
except ImportError:  # scikit-learn before 1.9
    from ._alone import CallbackSupportMixin, with_callbacks

    _PLACES = (os.path.dirname(__file__),)

__all__ = [
    "HAS_SKLEARN",
    "VERSION",
    "BaseEstimator",
    "CallbackSupportMixin",
    "ClassifierMixin",
    "ConvergenceWarning",
    "DataConversionWarning",
    "NotFittedError",
    "RegressorMixin",
    "available_if",
    "check_classification_targets",
    "check_feature_names",
    "check_random_state",
    "check_weights",
    "column_or_1d",
    "feature_names",
    "knows_names",
    "not_fitted",
    "r2_score",
    "train_test_split",
    "type_of_target",
    "unique_labels",
    "validate_data",
    "warn",
    "with_callbacks",
]


def validate_data(estimator: Any, X: Any, *y: Any, **settings: Any) -> Any:
    """X (and y), checked; columns of any stream of Arrow batches are those of a table."""
    return _validate_data(estimator, _as_table(X), *y, **settings)


def _as_table(X: Any) -> Any:
    """A stream of Arrow batches as a table of pyarrow or, where that is not installed, of polars; anything else as it is."""
    if not hasattr(X, "__arrow_c_stream__") or type(X).__module__.partition(".")[0] in ("pandas", "polars"):
        return X
    try:
        import pyarrow
    except ImportError:
        try:
            import polars
        except ImportError:
            raise TypeError(
                f"X is a {type(X).__name__}, a stream of Arrow batches, and reading it takes pyarrow or polars: install one of them"
            ) from None
        return polars.DataFrame(X)
    return X if isinstance(X, pyarrow.Table) else pyarrow.table(X)


def knows_names(X: Any) -> bool:
    """Whether scikit-learn compares the names of such columns: not those of a mapping or of any stream of Arrow batches."""
    if not HAS_SKLEARN or isinstance(X, Mapping):
        return False
    return type(X).__module__.partition(".")[0] == "pandas" or feature_names(X) is not None


def not_fitted(estimator: Any) -> Exception:
    """The error of an estimator that is used too early."""
    error: Exception = NotFittedError(
        f"This {type(estimator).__name__} instance is not fitted yet. Call 'fit' with appropriate arguments "
        "before using this estimator."
    )
    return error


def warn(words: str, category: type[Warning] = UserWarning) -> None:
    """Warns of the line that called wxb, whatever lies between."""
    level, frame = 1, sys._getframe()
    while frame.f_back is not None and os.path.dirname(frame.f_code.co_filename).startswith(_PLACES):
        level, frame = level + 1, frame.f_back
    warnings.warn(words, category, stacklevel=level)
