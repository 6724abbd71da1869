"""Dense networks on tables: W·x + b, layer after layer."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from ._wxb import __version__

if TYPE_CHECKING:
    from . import activations, functional, init, losses, network, optim, plot
    from ._contributions import Contributions
    from ._load import load
    from ._logistic import LogisticRegression
    from ._mlp_classifier import MLPClassifier
    from ._mlp_regressor import MLPRegressor
    from ._partial_dependence import PartialDependence
    from ._table_classifier import TableClassifier
    from ._table_regressor import TableRegressor
    from .network import Network

#: Modules that are imported when they are first asked for.
_MODULES = ("activations", "functional", "init", "losses", "network", "optim", "plot")
#: Names of the package, and the modules that they come from. Estimators import scikit-learn where it is installed, which takes longer than
#: wxb itself.
_NAMES = {
    "Contributions": "_contributions",
    "LogisticRegression": "_logistic",
    "MLPClassifier": "_mlp_classifier",
    "MLPRegressor": "_mlp_regressor",
    "Network": "network",
    "PartialDependence": "_partial_dependence",
    "TableClassifier": "_table_classifier",
    "TableRegressor": "_table_regressor",
    "load": "_load",
}

__all__ = [
    "Contributions",
    "LogisticRegression",
    "MLPClassifier",
    "MLPRegressor",
    "Network",
    "PartialDependence",
    "TableClassifier",
    "TableRegressor",
    "__version__",
    "activations",
    "functional",
    "init",
    "load",
    "losses",
    "network",
    "optim",
    "plot",
]


def __getattr__(name: str) -> Any:
    """A module or name of the package, imported now."""
    if name in _MODULES:
        return importlib.import_module(f".{name}", __name__)
    if name in _NAMES:
        found = getattr(importlib.import_module(f".{_NAMES[name]}", __name__), name)
        globals()[name] = found
        return found
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    """All names of the package."""
    return sorted(__all__)
