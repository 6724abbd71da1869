"""What a forward pass has computed, and the gradients that come back."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from .._arrays import Floats
from ._views import NamedViews, Slot, Views

if TYPE_CHECKING:
    from .._wxb import Pass


@dataclass(frozen=True)
class LayerOfCache:
    """A layer of the engine in a pass.

    Attributes
    ----------
    kind : str
        ``"dense"``, ``"batch_norm"``, ``"dropout"``, ``"residual"``, …
    a_in, a : ndarray
        What it took and what it gave; the last layer gives the logits.
    z : ndarray or None
        The pre-activation of a layer with an activation.
    mask : ndarray or None
        The factors of a dropout layer: 0, or what keeps the mean.
    """

    kind: str
    a_in: Floats
    z: Floats | None
    a: Floats
    mask: Floats | None


class Cache:
    """Every number of a forward pass, in the network's orientation, as copies.

    Attributes
    ----------
    X : ndarray
        The inputs.
    Z : list of ndarray
        Z_1, …, Z_L of the dense layers.
    A : list of ndarray
        A_0 = X, then what each dense layer after the first takes, after dropout and what else stands between
        them; last the predictions.
    logits, predictions : ndarray
        Z_L, and the loss's link applied to it.
    masks : list of ndarray
        The factors of the dropout layers.
    layers : list of LayerOfCache
        All layers of the engine, one by one.
    """

    def __init__(self, of_pass: Pass, x: Floats, kinds: list[str], orientation: str, training: bool) -> None:
        self._pass = of_pass
        self._kinds = kinds
        self._orientation = orientation
        self._x = x
        #: Whether dropout was on and batch normalisation normalised the batch by itself.
        self.training = training

    def _turned(self, rows: Floats) -> Floats:
        return rows.T if self._orientation == "columns" else rows

    @cached_property
    def layers(self) -> list[LayerOfCache]:
        """All layers of the engine."""
        layers, a_in = [], self.X
        for place, kind in enumerate(self._kinds):
            z, mask, a = self._pass.z(place), self._pass.mask(place), self._turned(self._pass.a(place))
            z = None if z is None else self._turned(z)
            mask = None if mask is None else self._turned(mask)
            layers.append(LayerOfCache(kind, a_in, z, a, mask))
            a_in = a
        return layers

    @property
    def X(self) -> Floats:
        """The inputs."""
        return self._turned(self._x)

    @property
    def Z(self) -> list[Floats]:
        """Z_1, …, Z_L of the dense layers."""
        return [layer.z for layer in self.layers if layer.kind == "dense" and layer.z is not None]

    @property
    def A(self) -> list[Floats]:
        """A_0 = X, A_1, …, A_L = the predictions."""
        return [layer.a_in for layer in self.layers if layer.kind == "dense"] + [self.predictions]

    @property
    def masks(self) -> list[Floats]:
        """The factors of the dropout layers."""
        return [layer.mask for layer in self.layers if layer.mask is not None]

    @property
    def logits(self) -> Floats:
        """Z_L."""
        return self._turned(self._pass.a(len(self._kinds) - 1))

    @cached_property
    def predictions(self) -> Floats:
        """Ŷ: the loss's link applied to the logits."""
        return self._turned(self._pass.predictions())

    @property
    def m(self) -> int:
        """How many examples."""
        return int(self._x.shape[0])

    def __repr__(self) -> str:
        """Kinds and shapes."""
        mode = "training" if self.training else "predicting"
        shapes = ", ".join(f"{layer.kind} {layer.a.shape}" for layer in self.layers)
        return f"<Cache of {self.m} examples, {mode}: {shapes}>"


class Gradients(Mapping[str, Floats]):
    """∂J of every parameter, as views of one flat array that may be changed before the step.

    ``grads.dW[l]`` and ``grads.db[l]`` are those of the layers of units, ``grads["W1"]`` or ``grads["dW1"]``
    one by name.

    Attributes
    ----------
    flat : ndarray
        All of them, in the order of the parameters.
    dX : ndarray
        ∂J/∂X, in the shape of X; computed when it is first asked for.
    loss : float
        J; NaN after ``backward(dZ=…)``.
    """

    def __init__(
        self, flat: Floats, dx: Callable[[], Floats], loss: float, slots: list[Slot], orientation: str
    ) -> None:
        self.flat = flat
        self._dx = dx
        self.loss = loss
        self._slots = slots
        self._orientation = orientation
        self._named = NamedViews({slot.name: slot.view(flat, orientation) for slot in slots})

    @cached_property
    def dX(self) -> Floats:
        """∂J/∂X."""
        return self._dx()

    def __reduce__(self) -> Any:
        """The numbers, ∂J/∂X among them: what would compute it is no number."""
        return _gradients, (self.flat, self.dX, self.loss, self._slots, self._orientation)

    def _of_role(self, role: str) -> Views:
        return Views({f"d{slot.name}": self[slot.name] for slot in self._slots if slot.role == role})

    @property
    def dW(self) -> Views:
        """dW_1, …, dW_L."""
        return self._of_role("weight")

    @property
    def db(self) -> Views:
        """db_1, …, db_L."""
        return self._of_role("bias")

    def __getitem__(self, name: str) -> Floats:
        """The gradient of a parameter: ``"W1"``, or ``"dW1"``."""
        return self._named[name.removeprefix("d")]

    def __iter__(self) -> Iterator[str]:
        """The names of the parameters."""
        return iter(self._named)

    def __len__(self) -> int:
        """How many tensors."""
        return len(self._named)

    def norm(self) -> float:
        """The Euclidean length of all gradients together."""
        return float(np.sqrt(np.sum(np.square(self.flat, dtype=np.float64))))

    def __repr__(self) -> str:
        """The loss and the shapes."""
        shapes = ", ".join(f"d{name} {array.shape}" for name, array in self.items())
        return f"<Gradients of J = {self.loss:.6g}: {shapes}>"


def _gradients(flat: Floats, dx: Floats, loss: float, slots: list[Slot], orientation: str) -> Gradients:
    return Gradients(flat, lambda: dx, loss, slots, orientation)


def slots_of(engine: Any) -> list[Slot]:
    """The engine's slots."""
    return [Slot(*slot) for slot in engine.slots]
