"""The parameters of a training, from what a model file records of it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from ._wxb import Model

#: Parameters whose values are words of the engine, which has `-` where Python has `_`.
CHOICES = (
    "activation",
    "calibration",
    "init",
    "loss",
    "metric",
    "numbers",
    "optimizer",
    "preset",
    "scale",
    "schedule",
)


def recorded(model: Model, parameters: Iterable[str]) -> dict[str, Any]:
    """Those of some parameters that the training was asked for, as the estimator takes them.

    What only the command can be asked for, such as a file of validation rows, is left out.
    """
    record = json.loads(model.record)
    asked = record.get("asked") if isinstance(record, dict) else None
    if not isinstance(asked, dict):
        return {}
    found = {name: _parameter(name, asked[name]) for name in parameters if name in asked}
    if isinstance(found.get("valid"), str) and found["valid"] != "none":
        del found["valid"]
    if asked.get("no_early_stopping"):
        found["early_stopping"] = False
    if "seed" in record:
        found["random_state"] = record["seed"]
    return found


def _parameter(name: str, value: Any) -> Any:
    """A value of the record as a parameter has it."""
    if name == "hidden":
        return tuple(value)
    if isinstance(value, list):
        words = [_parameter(name, part) for part in value]
        return words[0] if name == "activation" and len(words) == 1 else words
    return value.replace("-", "_") if name in CHOICES and isinstance(value, str) else value
