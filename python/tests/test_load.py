"""The parameters of a model from a file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import wxb

rng = np.random.default_rng(0)
X = rng.normal(size=(150, 3))
NUMBERS = np.exp(0.3 * X[:, 0]) + 0.1 * rng.normal(size=150) ** 2
LABELS = np.digitize(X[:, 0] + X[:, 1], [-0.5, 0.5])


def through_a_file(model: Any, path: Path) -> Any:
    model.save(path / "model.wxb")
    return wxb.load(path / "model.wxb")


REGRESSORS: list[dict[str, Any]] = [
    {"hidden": (7, 5), "lr": 0.02, "schedule": "cosine", "warmup": 0.2, "l2": 0.1, "clip_norm": 1.0},
    {"optimizer": "momentum", "momentum": 0.8, "lr": 0.01, "batch_size": "full", "early_stopping": False},
    {"optimizer": "nesterov", "lr": 0.01, "schedule": "step", "decay_every": 4, "decay": 0.5},
    {"optimizer": "adamw", "weight_decay": 0.05, "beta1": 0.8, "epsilon": 1e-6, "metric": "mae"},
    {"optimizer": "rmsprop", "beta2": 0.95, "lr": 0.002, "schedule": "exponential", "decay": 0.9},
    {"optimizer": "sgd", "lr": 0.05, "schedule": "one_cycle", "warmup": 0.4, "l1": 0.01, "batch_size": 16},
    {"optimizer": "lbfgs", "precision": "f64"},
    {"preset": "linear", "loss": "huber", "huber_delta": 0.7},
    {"loss": "poisson", "patience": 3},
    {"quantiles": [0.1, 0.5, 0.9], "valid": "none"},
    {"hidden": (), "bag": 3, "random_state": 7},
    {
        "hidden": (6, 4),
        "activation": ["leaky_relu:0.02", "tanh"],
        "init": "xavier_uniform",
        "batch_norm": True,
    },
    {"activation": "silu", "hidden": (6, 6), "dropout": 0.1, "residual": True, "numbers": "plr"},
    {"scale": "minmax", "keep": True, "drop": ["x1"], "max_levels": 9, "categorical": ["x2"]},
    {"divide_by": 2.0},
]


@pytest.mark.parametrize("settings", REGRESSORS, ids=str)
def test_a_file_tells_how_a_number_was_learned(settings: dict[str, Any], tmp_path: Path) -> None:
    settings = {"preset": "mlp", "epochs": 8, **settings}
    model = wxb.TableRegressor(**settings).fit(X, NUMBERS)
    loaded = through_a_file(model, tmp_path)
    known = {name: loaded.get_params()[name] for name in settings}
    assert known == settings
    again = wxb.TableRegressor(**loaded.get_params()).fit(X, NUMBERS)
    np.testing.assert_array_equal(again.predict(X), model.predict(X))


CLASSIFIERS: list[dict[str, Any]] = [
    {},
    {"label_smoothing": 0.1},
    {"metric": "log_loss", "calibration": "isotonic"},
    {"class_weight": "balanced", "loss": "cross_entropy"},
    {"class_weight": {"0": 2.0, "1": 0.5, "2": 1.0}},
]


@pytest.mark.parametrize("settings", CLASSIFIERS, ids=str)
def test_a_file_tells_how_classes_were_learned(settings: dict[str, Any], tmp_path: Path) -> None:
    model = wxb.TableClassifier(preset="mlp", epochs=8, **settings).fit(X, LABELS)
    loaded = through_a_file(model, tmp_path)
    assert {name: loaded.get_params()[name] for name in settings} == settings
    again = wxb.TableClassifier(**loaded.get_params()).fit(X, LABELS)
    np.testing.assert_array_equal(again.predict_proba(X), model.predict_proba(X))


def test_only_what_was_asked_for_is_a_parameter(tmp_path: Path) -> None:
    model = wxb.TableClassifier(preset="tabm_mini", epochs=2, random_state=5).fit(X, LABELS)
    usual = wxb.TableClassifier().get_params()
    told = {
        name: value
        for name, value in through_a_file(model, tmp_path).get_params().items()
        if value != usual[name]
    }
    assert told == {"preset": "tabm_mini", "epochs": 2, "random_state": 5}


def test_what_only_this_machine_knows_is_as_usual(tmp_path: Path) -> None:
    settings = {"n_jobs": 1, "verbose": False, "callbacks": [lambda what, event: None]}
    model = wxb.TableRegressor(preset="mlp", epochs=2, **settings).fit(X, NUMBERS)
    loaded, usual = through_a_file(model, tmp_path), wxb.TableRegressor()
    assert all(loaded.get_params()[name] == usual.get_params()[name] for name in settings)
