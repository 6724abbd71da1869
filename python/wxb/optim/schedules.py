"""How the learning rate changes during a run: a factor on the base rate.

Examples
--------
>>> from wxb.optim import schedules
>>> cosine = schedules.Cosine(warmup=0.1)
>>> cosine(0, epochs=10), cosine(1, epochs=10), cosine(10, epochs=10)
(1.0, 1.0, 0.0)
>>> schedules.Step(every=2, factor=0.1).curve(epochs=4)
array([1. , 1. , 0.1, 0.1])
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from .. import _wxb
from .._arrays import Floats
from .._settings import Setting


@dataclass(frozen=True)
class Schedule(Setting):
    """A factor on the base learning rate, from the place in the run."""

    kind: ClassVar[str] = "schedule"

    def __call__(self, step: int, *, epochs: int = 1, steps_per_epoch: int = 1, plateaus: int = 0) -> float:
        """The factor at a step.

        Parameters
        ----------
        step : int
            Steps done before this one; with one step per epoch, epochs.
        epochs : int
            Epochs of the whole run.
        steps_per_epoch : int
            Steps of an epoch.
        plateaus : int
            How often the rule of ``Plateau`` has struck.
        """
        return _wxb.schedule_factors(self.to_json(), [step], steps_per_epoch, epochs, plateaus)[0]

    def curve(self, epochs: int, steps_per_epoch: int = 1) -> Floats:
        """The factors at all steps of a run."""
        steps = range(epochs * steps_per_epoch)
        return np.array(_wxb.schedule_factors(self.to_json(), steps, steps_per_epoch, epochs, 0))


@dataclass(frozen=True)
class Constant(Schedule):
    """1."""

    name: ClassVar[str] = "constant"


@dataclass(frozen=True)
class Step(Schedule):
    """factor^⌊epoch / every⌋."""

    name: ClassVar[str] = "step"
    every: int = 10
    factor: float = 0.5


@dataclass(frozen=True)
class Exponential(Schedule):
    """decay^epoch."""

    name: ClassVar[str] = "exponential"
    decay: float = 0.95


@dataclass(frozen=True)
class Cosine(Schedule):
    """Linear from 0 to 1 over the first ``warmup`` of the run, then ½ (1 + cos πu) down to 0."""

    name: ClassVar[str] = "cosine"
    warmup: float = 0.0


@dataclass(frozen=True)
class OneCycle(Schedule):
    """Cosine from 1/25 to 1 over the first ``peak`` of the run, then cosine down to 1/25 · 10⁻⁴."""

    name: ClassVar[str] = "one_cycle"
    peak: float = 0.3


@dataclass(frozen=True)
class CosineLog(Schedule):
    """½ (1 − cos(2π log₂(1 + (2ⁿ − 1) u))): n waves, each twice as long as the one before."""

    name: ClassVar[str] = "cosine_log"
    cycles: int = 4


@dataclass(frozen=True)
class FlatCosine(Schedule):
    """1 over the first half of the run, then ½ (1 + cos π(2u − 1)) down to 0."""

    name: ClassVar[str] = "flat_cosine"


@dataclass(frozen=True)
class Plateau(Schedule):
    """Times ``factor`` whenever the watched score has not improved for ``patience`` epochs."""

    name: ClassVar[str] = "plateau"
    factor: float = 0.1
    patience: int = 10
