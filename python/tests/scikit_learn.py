"""scikit-learn's own tests, from the installed package, with the estimators of wxb in the place of its own."""

from __future__ import annotations

import importlib.util
import inspect
import json
from pathlib import Path
from types import ModuleType
from typing import Any

HERE = Path(__file__).parent


def not_applicable() -> dict[str, dict[str, str]]:
    """Tests of each module that are left out, all or with some parameters, with the reason."""
    reasons: dict[str, dict[str, str]] = json.loads((HERE / "not_applicable.json").read_text())
    return reasons


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
    return {name: value for name, value in vars(tests).items() if name.startswith("test_")}
