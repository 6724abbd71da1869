"""Update rules θ ← θ − Δ(g) on lists of arrays, with their state."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .. import _wxb
from .._arrays import Floats, real
from .._settings import in_json


class Optimizer:
    """An update rule and what it remembers of the gradients.

    Attributes
    ----------
    lr : float
        α, the learning rate; may be set between steps.
    weight_decay : float
        Decoupled decay λ: θ ← (1 − α λ) θ before the step.
    t : int
        Steps done.
    """

    #: Its name in the engine's JSON.
    name: ClassVar[str] = ""
    #: The letters of its moments, one array each for every array of parameters.
    letters: ClassVar[tuple[str, ...]] = ()

    def __init__(self, lr: float, weight_decay: float = 0.0, **constants: float | bool) -> None:
        self.lr = lr
        self.weight_decay = weight_decay
        self.t = 0
        self._constants = constants
        self._moments: list[tuple[Floats, ...]] = []
        _wxb.check_setting("optimizer", self.to_json())

    def form(self) -> Any:
        """The value whose JSON the engine reads."""
        return {self.name: self._constants} if self._constants else self.name

    def to_json(self) -> str:
        """The JSON that the engine reads."""
        return in_json(self.form())

    def step(
        self,
        params: Sequence[Floats],
        grads: Sequence[ArrayLike],
        *,
        lr: float | None = None,
        decays: Iterable[bool] | None = None,
        threads: int | None = None,
    ) -> None:
        """Update arrays in place by their gradients.

        Parameters
        ----------
        params : sequence of ndarray
            Arrays of float32 or float64, the same ones in each step.
        grads : sequence of array_like
            Their gradients, in their shapes.
        lr : float, optional
            The learning rate of this step, instead of the optimizer's.
        decays : iterable of bool, optional
            Which arrays decay; all, unless it is given.
        threads : int, optional
            How many it takes at the most; as many as there are cores, unless it is given.

        Raises
        ------
        ValueError
            For shapes that do not fit each other or the state; then nothing was changed.
        """
        theta = [_updatable(param, i) for i, param in enumerate(params)]
        slopes = [_gradient(grad, param, i) for i, (grad, param) in enumerate(zip(grads, theta, strict=True))]
        moments = self._moments if self._moments and self.letters else [self._zeros(param) for param in theta]
        _check_state(theta, moments)
        rate = _rate(self.lr if lr is None else lr)
        decaying = [True] * len(theta) if decays is None else list(decays)
        self._moments = moments
        self.t += 1
        for param, grad, of_param, decay in zip(theta, slopes, moments, decaying, strict=True):
            of_step = (rate, self.t, self.weight_decay if decay else 0.0)
            _update(self.to_json(), of_step, param, grad, of_param, threads or 0)

    def reset(self) -> None:
        """Forget all gradients."""
        self.t = 0
        self._moments = []

    @property
    def state(self) -> dict[str, NDArray[Any]]:
        """t and the moments, as copies: ``{"t": …, "m.0": …, "s.0": …, "m.1": …}``; may be set."""
        state: dict[str, NDArray[Any]] = {"t": np.array(self.t)}
        for i, of_param in enumerate(self._moments):
            for letter, moment in zip(self.letters, of_param, strict=True):
                state[f"{letter}.{i}"] = moment.copy(order="K")
        return state

    @state.setter
    def state(self, state: Mapping[str, ArrayLike]) -> None:
        count = sum(name.startswith(f"{self.letters[0]}.") for name in state) if self.letters else 0
        names = [f"{letter}.{i}" for i in range(count) for letter in self.letters]
        if set(names) | {"t"} != set(state):
            raise ValueError(
                f"{sorted(state)} is no state of {type(self).__name__}: it has t and {self.letters}"
            )
        self.t = int(np.asarray(state["t"]))
        of_params = [
            tuple(np.array(state[f"{letter}.{i}"], order="K") for letter in self.letters)
            for i in range(count)
        ]
        self._moments = of_params

    def _zeros(self, param: Floats) -> tuple[Floats, ...]:
        return tuple(np.zeros_like(param) for _ in self.letters)

    def __repr__(self) -> str:
        """As it is written."""
        constants = {"lr": self.lr, **self._constants}
        if self.weight_decay:
            constants["weight_decay"] = self.weight_decay
        return f"{type(self).__name__}({', '.join(f'{name}={value!r}' for name, value in constants.items())})"


class SGD(Optimizer):
    """θ ← θ − α g: gradient descent.

    Examples
    --------
    >>> import numpy as np
    >>> from wxb import optim
    >>> w = np.array([1.0, 2.0])
    >>> optim.SGD(lr=0.5).step([w], [np.array([0.5, -1.0])])
    >>> w
    array([0.75, 2.5 ])
    """

    name: ClassVar[str] = "sgd"

    def __init__(self, lr: float = 0.01, *, weight_decay: float = 0.0) -> None:
        super().__init__(lr, weight_decay)


class Momentum(Optimizer):
    """v ← β v + g, θ ← θ − α v.

    Parameters
    ----------
    lr : float
        α.
    beta : float
        β in 0 to 1.
    averaged : bool
        The course's form, v ← β v + (1 − β) g: the same path with α scaled by 1/(1 − β).
    weight_decay : float
        Decoupled decay.
    """

    name: ClassVar[str] = "momentum"
    letters: ClassVar[tuple[str, ...]] = ("v",)

    def __init__(
        self, lr: float = 0.01, *, beta: float = 0.9, averaged: bool = False, weight_decay: float = 0.0
    ) -> None:
        super().__init__(lr, weight_decay, beta=beta, averaged=averaged)


class Nesterov(Optimizer):
    """v ← β v + g, θ ← θ − α (g + β v)."""

    name: ClassVar[str] = "nesterov"
    letters: ClassVar[tuple[str, ...]] = ("v",)

    def __init__(self, lr: float = 0.01, *, beta: float = 0.9, weight_decay: float = 0.0) -> None:
        super().__init__(lr, weight_decay, beta=beta)


class RMSProp(Optimizer):
    """s ← ρ s + (1 − ρ) g², θ ← θ − α g / (√s + ε)."""

    name: ClassVar[str] = "rms_prop"
    letters: ClassVar[tuple[str, ...]] = ("s",)

    def __init__(
        self, lr: float = 0.001, *, rho: float = 0.9, epsilon: float = 1e-8, weight_decay: float = 0.0
    ) -> None:
        super().__init__(lr, weight_decay, rho=rho, epsilon=epsilon)


class Adam(Optimizer):
    """m ← β₁ m + (1 − β₁) g, s ← β₂ s + (1 − β₂) g², θ ← θ − α m̂ / (√ŝ + ε).

    The moments are corrected for their start at 0: m̂ = m/(1 − β₁ᵗ), ŝ = s/(1 − β₂ᵗ).

    Examples
    --------
    >>> import numpy as np
    >>> from wxb import optim
    >>> w, adam = np.array([1.0, 2.0]), optim.Adam(lr=0.25)
    >>> adam.step([w], [np.array([1e3, -1e-3])])  # a first step of length α, whatever the gradient
    >>> w.round(4)
    array([0.75, 2.25])
    >>> sorted(adam.state)
    ['m.0', 's.0', 't']
    """

    name: ClassVar[str] = "adam"
    letters: ClassVar[tuple[str, ...]] = ("m", "s")

    def __init__(
        self,
        lr: float = 0.001,
        *,
        beta1: float = 0.9,
        beta2: float = 0.999,
        epsilon: float = 1e-8,
        weight_decay: float = 0.0,
    ) -> None:
        super().__init__(lr, weight_decay, beta1=beta1, beta2=beta2, epsilon=epsilon)


class AdamW(Adam):
    """Adam with a decoupled decay: θ ← (1 − α λ) θ before its step."""

    name: ClassVar[str] = "adam_w"

    def __init__(
        self,
        lr: float = 0.001,
        *,
        beta1: float = 0.9,
        beta2: float = 0.999,
        epsilon: float = 1e-8,
        weight_decay: float = 0.01,
    ) -> None:
        super().__init__(lr, beta1=beta1, beta2=beta2, epsilon=epsilon, weight_decay=weight_decay)


def _rate(lr: float) -> float:
    if not np.isfinite(lr) or lr < 0:
        raise ValueError(f"the learning rate is {lr}, not a number from 0 on")
    return float(lr)


def _updatable(param: Floats, i: int) -> Floats:
    if not isinstance(param, np.ndarray) or param.dtype not in (np.dtype(np.float32), np.dtype(np.float64)):
        raise TypeError(f"params[{i}] is no array of float32 or float64: it could not be updated in place")
    if not param.flags.writeable:
        raise ValueError(f"params[{i}] may not be written to")
    return param


def _gradient(grad: ArrayLike, param: Floats, i: int) -> NDArray[Any]:
    array = real(grad, f"grads[{i}]")
    if array.shape != param.shape:
        raise ValueError(f"grads[{i}] has the shape {array.shape}, not that of params[{i}], {param.shape}")
    return array


def _check_state(params: list[Floats], moments: list[tuple[Floats, ...]]) -> None:
    if len(params) != len(moments):
        raise ValueError(f"{len(params)} arrays of parameters, and a state of {len(moments)}: see reset()")
    for i, (param, of_param) in enumerate(zip(params, moments, strict=True)):
        for moment in of_param:
            if moment.shape != param.shape or moment.dtype != param.dtype:
                state = f"{moment.dtype} {moment.shape}"
                raise ValueError(
                    f"params[{i}] is {param.dtype} {param.shape}, its state {state}: see reset()"
                )


def _update(
    optimizer: str,
    of_step: tuple[float, int, float],
    param: Floats,
    grad: NDArray[Any],
    moments: tuple[Floats, ...],
    threads: int,
) -> None:
    """The engine's update on flat arrays in the order of the parameters in memory: often without a copy."""
    by_columns = param.flags.f_contiguous and not param.flags.c_contiguous
    flat = [_flat(array, by_columns) for array in (param, *moments)]
    # Of ½ w² the gradient is w itself, which cannot be read while it is written.
    copy = np.may_share_memory(grad, param)
    slopes = _flat(grad.astype(param.dtype, copy=copy), by_columns)
    _wxb.optimizer_update(optimizer, of_step, flat[0], slopes, flat[1:], threads)
    for array, updated in zip((param, *moments), flat, strict=True):
        if not np.shares_memory(array, updated):
            array[...] = updated.reshape(array.shape, order="F" if by_columns else "C")


def _flat(array: NDArray[Any], by_columns: bool) -> NDArray[Any]:
    flat = array.ravel(order="F" if by_columns else "C")
    return np.require(flat, requirements=("C_CONTIGUOUS", "ALIGNED"))
