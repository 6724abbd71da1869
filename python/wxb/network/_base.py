"""What a network is made of: layers, loss, and parameters in one flat array."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from numbers import Integral
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from .. import _wxb
from .._arrays import Floats
from .._settings import parse
from ..losses import Loss
from ._batch import Form
from ._cache import Cache, slots_of
from ._views import NamedViews, Slot, Views, assign

_ORIENTATIONS = ("rows", "columns")


class Base:
    """Layers, loss and parameters."""

    def _build(self, engine: _wxb.Engine, flat: Floats, seed: int, orientation: str) -> None:
        if orientation not in _ORIENTATIONS:
            raise ValueError(f"orientation is {orientation!r}, not one of {_ORIENTATIONS}")
        self._engine = engine
        self._flat = flat
        #: What decides masks and the order of examples.
        self.seed = seed
        self._orientation = orientation
        self._layers: list[Any] = json.loads(engine.layers)
        self._slots: list[Slot] = slots_of(engine)
        self._cache: Cache | None = None
        self._steps = 0
        self._threads = 0
        loss = parse(Loss, json.loads(engine.loss))
        self._form = Form(engine.sizes, engine.n_targets, loss, orientation, flat.dtype)

    # ---- what it is

    @property
    def sizes(self) -> list[int]:
        """n₀, n₁, …, n_L."""
        return self._engine.sizes

    @property
    def loss_function(self) -> Loss:
        """The loss as an object."""
        return self._form.loss

    @property
    def dtype(self) -> np.dtype[Any]:
        """float32 or float64."""
        return self._flat.dtype

    @property
    def orientation(self) -> str:
        """Where an example lies: ``"rows"`` or ``"columns"``."""
        return self._orientation

    @property
    def n_params(self) -> int:
        """How many numbers are learned."""
        return sum(slot.rows * slot.columns for slot in self._slots if slot.learned)

    @property
    def layers(self) -> list[Any]:
        """The layers as the engine's JSON has them."""
        layers: list[Any] = json.loads(self._engine.layers)
        return layers

    @property
    def steps(self) -> int:
        """Training steps done."""
        return self._steps

    @property
    def threads(self) -> int | None:
        """How many threads its work takes at the most; ``None``: ``OMP_NUM_THREADS``, or all cores. May be set; no number depends on it."""
        return self._threads or None

    @threads.setter
    def threads(self, threads: int | None) -> None:
        if threads is not None and (not isinstance(threads, Integral) or threads < 1):
            raise ValueError(f"threads is {threads!r}: a number from 1 on, or None")
        self._threads = int(threads or 0)

    # ---- its parameters

    @property
    def flat(self) -> Floats:
        """All parameters in one array, W1, b1, W2, …: the memory that every other view looks at."""
        return self._flat

    @flat.setter
    def flat(self, value: ArrayLike) -> None:
        assign(self._flat, value, "flat")

    @property
    def parameters(self) -> NamedViews:
        """The parameters by name, as views: ``net.parameters["W1"]``."""
        named = {slot.name: slot.view(self._flat, self._orientation) for slot in self._slots}
        return NamedViews(named)

    @parameters.setter
    def parameters(self, values: Mapping[str, ArrayLike]) -> None:
        self.parameters.set_all(values)

    @property
    def weights(self) -> Views:
        """W_1, …, W_L as views: (n_in, n_out), with columns as examples (n_out, n_in)."""
        return self._of_role("weight")

    @weights.setter
    def weights(self, values: Sequence[ArrayLike]) -> None:
        self.weights.set_all(values)

    @property
    def biases(self) -> Views:
        """b_1, …, b_L as views: (n_out), with columns as examples (n_out, 1)."""
        return self._of_role("bias")

    @biases.setter
    def biases(self, values: Sequence[ArrayLike]) -> None:
        self.biases.set_all(values)

    def _of_role(self, role: str) -> Views:
        slots = [slot for slot in self._slots if slot.role == role]
        return Views({slot.name: slot.view(self._flat, self._orientation) for slot in slots})


def kind_of(layer: Any) -> str:
    """``"dense"``, ``"dropout"``, …: the name of a layer in the engine's JSON."""
    return str(next(iter(layer))) if isinstance(layer, dict) else str(layer)
