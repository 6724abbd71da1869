"""Dense networks on tables: W·x + b, layer after layer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ._wxb import __version__

if TYPE_CHECKING:
    from ._logistic import LogisticRegression as LogisticRegression
    from ._mlp_classifier import MLPClassifier as MLPClassifier
    from ._mlp_regressor import MLPRegressor as MLPRegressor

__all__ = ["LogisticRegression", "MLPClassifier", "MLPRegressor", "__version__"]

#: Estimators import scikit-learn where it is installed, which takes longer than wxb itself: they are imported when they are asked for.
_ESTIMATORS = {
    "LogisticRegression": "_logistic",
    "MLPClassifier": "_mlp_classifier",
    "MLPRegressor": "_mlp_regressor",
}


def __getattr__(name: str) -> Any:
    if name in _ESTIMATORS:
        from importlib import import_module

        estimator = getattr(import_module(f".{_ESTIMATORS[name]}", __name__), name)
        globals()[name] = estimator
        return estimator
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
