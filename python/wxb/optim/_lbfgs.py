"""L-BFGS: a quasi-Newton direction from the last few steps, and a line search instead of a learning rate."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .. import _wxb
from .._arrays import Floats, floats
from .._settings import in_json

#: f(x) and its gradient.
Objective = Callable[[Floats], tuple[float, ArrayLike]]


@dataclass
class Minimum:
    """What :meth:`LBFGS.minimize` found.

    Attributes
    ----------
    x : ndarray
        Where the function is smallest.
    value : float
        The function there.
    gradient_max : float
        The largest component of the gradient there.
    steps : int
        Iterations.
    evaluations : int
        How often the function was called.
    converged : bool
        Whether nothing more is to be gained.
    reason : str
        Why it ended.
    """

    x: Floats
    value: float
    gradient_max: float
    steps: int
    evaluations: int
    converged: bool
    reason: str


class LBFGS:
    """Limited-memory BFGS on a smooth function (Nocedal and Wright 2006, algorithms 7.4 and 7.5).

    Parameters
    ----------
    memory : int
        How many steps the curvature is estimated from.
    gradient_tolerance : float
        Converged when no component of the gradient is larger.
    max_line_steps : int
        Evaluations that one line search may spend.
    c1, c2 : float
        Sufficient decrease and curvature of the line search, 0 < c1 < c2 < 1.

    Examples
    --------
    >>> import numpy as np
    >>> from wxb import optim
    >>> scale = np.array([1.0, 100.0])
    >>> found = optim.LBFGS().minimize(lambda x: (0.5 * (scale * x * x).sum(), scale * x), [3.0, 1.0])
    >>> found.converged, bool(abs(found.x).max() < 1e-8)
    (True, True)
    """

    #: Its name in the engine's JSON.
    name = "lbfgs"

    def __init__(
        self,
        *,
        memory: int = 10,
        gradient_tolerance: float = 1e-10,
        max_line_steps: int = 25,
        c1: float = 1e-4,
        c2: float = 0.9,
    ) -> None:
        self._constants = {
            "memory": memory,
            "gradient_tolerance": gradient_tolerance,
            "max_line_steps": max_line_steps,
            "c1": c1,
            "c2": c2,
        }
        self.t = 0
        self._memory: Floats | None = None
        _wxb.check_setting("optimizer", self.to_json())

    def form(self) -> Any:
        """The value whose JSON the engine reads."""
        return {self.name: self._constants}

    def to_json(self) -> str:
        """The JSON that the engine reads."""
        return in_json(self.form())

    def minimize(self, f: Objective, x0: ArrayLike, *, max_steps: int = 1000) -> Minimum:
        """The minimum that is reached from a point; the state of :meth:`step` is left alone.

        Parameters
        ----------
        f : callable
            ``f(x)`` gives the value and the gradient, in the shape of x.
        x0 : array_like
            The start; float32 or float64.
        max_steps : int
            Iterations at the most.

        Raises
        ------
        ValueError
            If the function or its gradient at the start are not finite.
        """
        start = floats(x0, "x0")
        x, memory = start.flatten(), None
        value = gradient_max = float("inf")
        evaluations, steps, reason = 0, 0, f"{max_steps} steps are done"
        objective = _on_flat(f, start.shape, x.dtype)
        progress = "continue"
        while steps < max_steps and progress == "continue":
            progress, value, gradient_max, used, memory = self._iterate(x, memory, objective)
            evaluations, steps = evaluations + used, steps + 1
        converged = progress != "continue"
        reason = progress if converged else reason
        return Minimum(x.reshape(start.shape), value, gradient_max, steps, evaluations, converged, reason)

    def step(
        self, params: Sequence[Floats], closure: Callable[[], tuple[float, Sequence[ArrayLike]]]
    ) -> tuple[float, bool]:
        """One iteration on arrays in place.

        Parameters
        ----------
        params : sequence of ndarray
            Arrays of one precision, the same ones in each step and unchanged between them.
        closure : callable
            Gives the loss and the gradients at what the arrays hold now.

        Returns
        -------
        loss : float
            At the end of the step.
        converged : bool
            Whether nothing more is to be gained.
        """
        x = np.concatenate([param.ravel() for param in params])

        def objective(trial: Floats) -> tuple[float, Floats]:
            _spread(trial, params)
            loss, grads = closure()
            slopes = [np.asarray(grad).ravel() for grad in grads]
            return float(loss), np.concatenate(slopes).astype(x.dtype, copy=False)

        before = x.copy()
        try:
            progress, loss, _, _, self._memory = self._iterate(x, self._memory, objective)
        except BaseException:
            _spread(before, params)
            raise
        _spread(x, params)
        self.t += 1
        return loss, progress != "continue"

    def _iterate(
        self, x: Floats, memory: Floats | None, objective: Callable[[Floats], tuple[float, Floats]]
    ) -> tuple[str, float, float, int, Floats]:
        config = in_json(self._constants)
        progress, value, gradient_max, used, memory = _wxb.lbfgs_step(config, x, memory, objective)
        if progress == "not finite":
            raise ValueError("the function or its gradient at the start are not finite")
        return progress, value, gradient_max, used, memory

    def reset(self) -> None:
        """Forget what was learnt about the function."""
        self.t, self._memory = 0, None

    @property
    def state(self) -> dict[str, NDArray[Any]]:
        """t and the memory of :meth:`step`, as copies; may be set."""
        memory = {} if self._memory is None else {"memory": self._memory.copy()}
        return {"t": np.array(self.t), **memory}

    @state.setter
    def state(self, state: dict[str, ArrayLike]) -> None:
        if not {"t"} <= set(state) <= {"t", "memory"}:
            raise ValueError(f"{sorted(state)} is no state of LBFGS: it has t and memory")
        self.t = int(np.asarray(state["t"]))
        self._memory = floats(state["memory"], "memory").copy() if "memory" in state else None

    def __repr__(self) -> str:
        """As it is written."""
        return f"LBFGS({', '.join(f'{name}={value!r}' for name, value in self._constants.items())})"


def _on_flat(
    f: Objective, shape: tuple[int, ...], dtype: np.dtype[Any]
) -> Callable[[Floats], tuple[float, Floats]]:
    def objective(x: Floats) -> tuple[float, Floats]:
        value, gradient = f(x.reshape(shape))
        return float(value), floats(gradient, "the gradient", dtype).ravel()

    return objective


def _spread(x: Floats, params: Sequence[Floats]) -> None:
    """The numbers of x into the arrays."""
    first = 0
    for param in params:
        param[...] = x[first : first + param.size].reshape(param.shape)
        first += param.size
