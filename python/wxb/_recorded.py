"""The parameters of a training, from what a model file records of it."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from ._wxb import Model

#: Presets whose network and training are what the parameters say; the others bring their own.
_PLAIN = ("linear", "mlp")

#: The engine's names of optimizers, ours, and the names of their constants.
_OPTIMIZERS: dict[str, tuple[str, dict[str, str]]] = {
    "sgd": ("sgd", {}),
    "momentum": ("momentum", {"beta": "momentum"}),
    "nesterov": ("nesterov", {"beta": "momentum"}),
    "rms_prop": ("rmsprop", {"rho": "beta2", "epsilon": "epsilon"}),
    "adam": ("adam", {"beta1": "beta1", "beta2": "beta2", "epsilon": "epsilon"}),
    "adam_w": ("adamw", {"beta1": "beta1", "beta2": "beta2", "epsilon": "epsilon"}),
    "lbfgs": ("lbfgs", {}),
}
#: The constants of schedules.
_SCHEDULES: dict[str, dict[str, str]] = {
    "constant": {},
    "step": {"every": "decay_every", "factor": "decay"},
    "exponential": {"decay": "decay"},
    "cosine": {"warmup": "warmup"},
    "one_cycle": {"peak": "warmup"},
    "plateau": {"factor": "decay", "patience": "decay_every"},
}
#: The constants of losses. That of classes is the only one there is.
_LOSSES: dict[str, dict[str, str]] = {
    "binary_cross_entropy": {"label_smoothing": "label_smoothing"},
    "cross_entropy": {"label_smoothing": "label_smoothing"},
    "squared_error": {},
    "absolute_error": {},
    "huber": {"delta": "huber_delta"},
    "poisson": {},
    "quantile": {"levels": "quantiles"},
}


def recorded(model: Model) -> dict[str, Any]:
    """The parameters that the file tells; of an own preset those that the preset does not decide."""
    record = json.loads(model.record)
    if not isinstance(record, dict) or "preset" not in record:
        return {}
    found: dict[str, Any] = {"preset": record["preset"].replace("-", "_")}
    found |= {name: record[of] for name, of in (("random_state", "seed"), ("bag", "folds")) if of in record}
    if not model.is_single:
        found["precision"] = "f64"
    if record.get("on") == "train":
        found["valid"] = "none"
    name, of_loss = _told(json.loads(model.loss), lambda name: (name, _LOSSES.get(name)))
    if record["preset"] in _PLAIN:
        found |= of_loss if "cross_entropy" in name else {"loss": name, **of_loss}
        found |= _of_network(record["preset"], json.loads(model.networks)) | _of_training(record["config"])
    elif name == "quantile":
        found |= of_loss
    return found


def _told(
    setting: Any, names_of: Callable[[str], tuple[str, dict[str, str] | None]]
) -> tuple[str, dict[str, Any]]:
    """`"name"` or `{"name": {"constant": …}}`: our name, and the constants by ours. Empty where no parameter says this."""
    name, constants = next(iter(setting.items())) if isinstance(setting, dict) else (setting, {})
    ours, names = names_of(name)
    if names is None:
        return "", {}
    return ours, {names[constant]: value for constant, value in constants.items() if constant in names}


def _of_network(preset: str, networks: list[dict[str, Any]]) -> dict[str, Any]:
    if preset == "linear":
        return {}
    hidden = {tuple(network["sizes"][1:-1]) for network in networks if network["name"] == preset}
    return {"hidden": hidden.pop()} if len(hidden) == 1 else {}


def _of_training(config: dict[str, Any]) -> dict[str, Any]:
    """The trainer's settings that have a parameter, where they have an effect."""
    found = {name: config[name] for name in ("epochs", "weight_decay", "clip_norm", "patience")}
    found |= {name: config[name] or None for name in ("l2", "l1")}
    found["early_stopping"] = config["patience"] is not None
    if config["stop_on_metric"]:
        found["metric"] = config["metric"]
    optimizer, constants = _told(config["optimizer"], lambda name: _OPTIMIZERS.get(name, ("", None)))
    if not optimizer or _is_averaged(config["optimizer"]):
        return found
    found |= {"optimizer": optimizer, **constants}
    if optimizer != "lbfgs":
        size = config["batch_size"]
        found |= {"lr": config["lr"], "batch_size": size["rows"] if isinstance(size, dict) else size}
        schedule, constants = _told(config["schedule"], lambda name: (name, _SCHEDULES.get(name)))
        found |= {"schedule": schedule, **constants} if schedule else {}
    return found


def _is_averaged(optimizer: Any) -> bool:
    """Whether it is the other form of momentum, which no parameter asks for."""
    return isinstance(optimizer, dict) and bool(optimizer.get("momentum", {}).get("averaged"))
