"""scikit-learn's own tests, from the installed package, with the estimators of wxb in the place of its own."""

from __future__ import annotations

import importlib.util
import inspect
import json
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

HERE = Path(__file__).parent


def not_applicable(module: str) -> dict[str, str]:
    """Tests that are left out, with the reason."""
    reasons: dict[str, dict[str, str]] = json.loads((HERE / "not_applicable.json").read_text())
    return reasons[module]


def substituted(package: ModuleType, module: str, estimators: dict[str, Any]) -> dict[str, Any]:
    """The tests of a module of `package`, imported while `estimators` are what the package holds under their names."""
    originals = {name: getattr(package, name) for name in estimators}
    path = Path(inspect.getfile(package)).parent / "tests" / f"{module}.py"
    spec = importlib.util.spec_from_file_location(f"{package.__name__}.tests.{module}_of_wxb", path)
    assert spec is not None and spec.loader is not None
    tests = importlib.util.module_from_spec(spec)
    try:
        for name, estimator in estimators.items():
            setattr(package, name, estimator)
        spec.loader.exec_module(tests)
    finally:
        for name, original in originals.items():
            setattr(package, name, original)
    return _chosen(vars(tests), not_applicable(module))


def _chosen(names: dict[str, Any], reasons: dict[str, str]) -> dict[str, Any]:
    chosen = {name: value for name, value in names.items() if name.startswith("test_")}
    for name, reason in reasons.items():
        if name in chosen:
            chosen[name] = pytest.mark.skip(reason=reason)(chosen[name])
    return chosen
