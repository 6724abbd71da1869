"""Parameters of the estimators: their ranges, and what the engine calls them."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Mapping
from itertools import pairwise
from numbers import Integral, Real
from typing import Any

import numpy as np

Rule = tuple[Callable[[Any], bool], str]

#: Names that other libraries use.
_ACTIVATIONS = {"logistic": "sigmoid", "swish": "silu", "linear": "identity"}
_WITH_CONSTANTS: dict[str, dict[str, float]] = {"leaky_relu": {"slope": 0.01}, "elu": {"alpha": 1.0}}
_PLAIN = ("identity", "sigmoid", "tanh", "relu", "selu", "gelu", "silu", "mish", "softplus")
ACTIVATIONS = (*_ACTIVATIONS, *_PLAIN, *_WITH_CONSTANTS)

INITIALIZERS = (
    "auto",
    "zeros",
    "glorot_normal",
    "glorot_uniform",
    "he_normal",
    "he_uniform",
    "lecun_normal",
    "lecun_uniform",
    "orthogonal",
)
SOLVERS = ("lbfgs", "sgd", "adam", "adamw", "rmsprop", "momentum", "nesterov")
RATES = ("constant", "invscaling", "adaptive")
_SCHEDULES: dict[str, Any] = {
    "cosine": {"cosine": {"warmup": 0.0}},
    "one_cycle": {"one_cycle": {"peak": 0.3}},
    "exponential": {"exponential": {"decay": 0.97}},
    "cosine_log": {"cosine_log": {"cycles": 4}},
    "flat_cosine": "flat_cosine",
}
SCHEDULES = tuple(_SCHEDULES)


def number(
    low: float, high: float = math.inf, *, closed: str = "both", integral: bool = False, none: bool = False
) -> Rule:
    """A number in a range; `closed` names the ends that belong to it."""

    def fits(value: Any) -> bool:
        if value is None:
            return none
        if not isinstance(value, Integral if integral else Real) or isinstance(value, (bool, np.bool_)):
            return False
        value = float(value)
        above = value >= low if closed in ("both", "left") else value > low
        below = value <= high if closed in ("both", "right") else value < high
        return bool(above and below)

    ends = ("[" if closed in ("both", "left") else "(", "]" if closed in ("both", "right") else ")")
    kind = "an int" if integral else "a float"
    words = f"{kind} in the range {ends[0]}{low}, {high}{ends[1]}"
    return fits, words + (" or None" if none else "")


def one_of(*names: str, mapping: bool = False) -> Rule:
    """One of some words, or the engine's own form of a setting."""
    words = f"a str among {{{', '.join(sorted(map(repr, names)))}}}"
    return (
        lambda value: (isinstance(value, str) and value in names) or (mapping and isinstance(value, Mapping)),
        words + (" or a dict" if mapping else ""),
    )


def either(*rules: Rule) -> Rule:
    """What fits one of several rules."""
    return lambda value: any(fits(value) for fits, _ in rules), " or ".join(words for _, words in rules)


def is_random_state(value: Any) -> bool:
    """Whether a generator can be made of it."""
    whole = isinstance(value, Integral) and 0 <= int(value) < 2**32
    return value is None or value is np.random or whole or isinstance(value, np.random.RandomState)


BOOLEAN: Rule = (lambda value: isinstance(value, (bool, np.bool_)), "an instance of 'bool'")
VERBOSE: Rule = (lambda value: isinstance(value, (Integral, np.bool_)), "an int or a bool")
RANDOM_STATE: Rule = (is_random_state, "an int in [0, 2**32 - 1], an instance of 'RandomState', or None")
JOBS = number(-math.inf, integral=True, none=True)


#: Of MLPClassifier and MLPRegressor.
PERCEPTRON: dict[str, Rule] = {
    "hidden_layer_sizes": (
        lambda sizes: (
            (isinstance(sizes, Iterable) and not isinstance(sizes, str)) or number(1, integral=True)[0](sizes)
        ),
        "an array-like or an int in the range [1, inf)",
    ),
    "activation": one_of(*ACTIVATIONS, mapping=True),
    "solver": one_of(*SOLVERS, mapping=True),
    "alpha": number(0, closed="left"),
    "batch_size": either(one_of("auto"), number(1, closed="left", integral=True)),
    "learning_rate": one_of(*RATES, *SCHEDULES, mapping=True),
    "learning_rate_init": number(0, closed="neither"),
    "power_t": number(0, closed="left"),
    "max_iter": number(1, closed="left", integral=True),
    "shuffle": BOOLEAN,
    "random_state": RANDOM_STATE,
    "tol": number(0, closed="left"),
    "verbose": VERBOSE,
    "warm_start": BOOLEAN,
    "momentum": number(0, 1),
    "nesterovs_momentum": BOOLEAN,
    "early_stopping": BOOLEAN,
    "validation_fraction": number(0, 1, closed="left"),
    "beta_1": number(0, 1, closed="left"),
    "beta_2": number(0, 1, closed="left"),
    "epsilon": number(0, closed="neither"),
    "n_iter_no_change": either(number(1, closed="left", integral=True), (lambda n: n == np.inf, "inf")),
    "max_fun": number(1, closed="left", integral=True),
    "l1": number(0, closed="left"),
    "weight_decay": number(0, closed="left", none=True),
    "dropout": number(0, 1, closed="left"),
    "clip_norm": number(0, closed="neither", none=True),
    "initializer": either(one_of(*INITIALIZERS, mapping=True), (lambda rule: rule is None, "None")),
    "callbacks": (
        lambda given: given is None or callable(given) or isinstance(given, Iterable),
        "callables or None",
    ),
    "n_jobs": JOBS,
}


def check_parameters(estimator: Any, rules: Mapping[str, Rule]) -> None:
    """Refuse a parameter out of its range, in scikit-learn's words."""
    for name, (fits, words) in rules.items():
        value = getattr(estimator, name)
        if not fits(value):
            raise ValueError(
                f"The {name!r} parameter of {type(estimator).__name__} must be {words}. Got {value!r} instead."
            )


def activation(name: str | Mapping[str, Any]) -> Any:
    """An activation in the engine's form."""
    if not isinstance(name, str):
        return dict(name)
    name = _ACTIVATIONS.get(name, name)
    return {name: _WITH_CONSTANTS[name]} if name in _WITH_CONSTANTS else name


def layers(sizes: list[int], hidden: Any, dropout: float) -> str:
    """The layers of n₀, n₁, …, n_L as JSON: dropout follows each hidden one."""
    result: list[Any] = []
    last = len(sizes) - 2
    for i, (n_in, n_out) in enumerate(pairwise(sizes)):
        g = "identity" if i == last else hidden
        result.append({"dense": {"n_in": n_in, "n_out": n_out, "activation": g}})
        if dropout > 0 and i < last:
            result.append({"dropout": {"rate": dropout}})
    return json.dumps(result)


def initializer(name: str | Mapping[str, Any]) -> str:
    """How weights are drawn, as JSON."""
    return json.dumps(name if isinstance(name, str) else dict(name))


def optimizer(estimator: Any) -> Any:
    """The solver of a network in the engine's form."""
    solver, beta = estimator.solver, estimator.momentum
    if not isinstance(solver, str):
        return dict(solver)
    adam = {"beta1": estimator.beta_1, "beta2": estimator.beta_2, "epsilon": estimator.epsilon}
    if solver == "sgd" and beta > 0:
        solver = "nesterov" if estimator.nesterovs_momentum else "momentum"
    forms: dict[str, Any] = {
        "sgd": "sgd",
        "momentum": {"momentum": {"beta": beta, "averaged": False}},
        "nesterov": {"nesterov": {"beta": beta}},
        "rmsprop": {"rms_prop": {"rho": 0.9, "epsilon": estimator.epsilon}},
        "adam": {"adam": adam},
        "adamw": {"adam_w": adam},
        # The curvature condition, line search and memory of SciPy's L-BFGS-B.
        "lbfgs": {
            "lbfgs": {
                "memory": 10,
                "gradient_tolerance": estimator.tol,
                "max_line_steps": 25,
                "c1": 1e-4,
                "c2": 0.9,
            }
        },
    }
    return forms[solver]


def rate(estimator: Any) -> Any:
    """How the learning rate changes, in the engine's form."""
    rule = estimator.learning_rate
    if not isinstance(rule, str):
        return {"schedule": dict(rule)}
    if rule in _SCHEDULES:
        return {"schedule": _SCHEDULES[rule]}
    # scikit-learn's rules are for its sgd.
    if estimator.solver != "sgd" or rule == "constant":
        return "constant"
    return {"inv_scaling": {"power": estimator.power_t}} if rule == "invscaling" else "adaptive"


def validation(data: Any, *, weighted: bool, name: str = "validation_data") -> tuple[Any, ...]:
    """The parts of rows to validate on: X, y and, where rows may be weighted, sample_weight."""
    if not isinstance(data, (tuple, list)) or len(data) not in ((2, 3) if weighted else (2,)):
        parts = "(X, y) or (X, y, sample_weight)" if weighted else "(X, y)"
        given = f"{len(data)} parts" if isinstance(data, (tuple, list)) else type(data).__name__
        raise ValueError(f"{name} is {parts}, not {given}")
    return tuple(data)


def threads(n_jobs: int | None) -> int:
    """How many threads the engine uses; 0 leaves the choice to it."""
    if n_jobs is None or n_jobs == 0:
        return 0
    if n_jobs > 0:
        return int(n_jobs)
    from os import cpu_count

    try:
        from os import sched_getaffinity

        cores = len(sched_getaffinity(0))
    except ImportError:
        cores = cpu_count() or 1
    return max(1, cores + 1 + n_jobs)
