"""Random numbers of the estimators: drawn from NumPy's `RandomState` as scikit-learn draws them."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

Twister = tuple[npt.NDArray[np.uint32], int]


def twister(random_state: np.random.RandomState) -> Twister | None:
    """The state of a Mersenne twister; `None` where another generator is behind the interface."""
    state: Any = random_state.get_state(legacy=False)
    if state["bit_generator"] != "MT19937":
        return None
    return np.asarray(state["state"]["key"], dtype=np.uint32), int(state["state"]["pos"])


def put_back(random_state: np.random.RandomState, state: tuple[Any, int]) -> None:
    """Let a generator go on where the engine stopped."""
    key, position = state
    state_of_twister: Any = ("MT19937", np.asarray(key, dtype=np.uint32), position)
    random_state.set_state(state_of_twister)


def first_weights(
    sizes: list[int], activation: Any, random_state: np.random.RandomState
) -> npt.NDArray[np.float64]:
    """W₁, b₁, W₂, … of scikit-learn: U(±√(6 / (n_in + n_out))), for the sigmoid with 2 in place of 6."""
    factor = 2.0 if activation == "logistic" else 6.0
    parts = []
    for n_in, n_out in pairwise(sizes):
        bound = np.sqrt(factor / (n_in + n_out))
        parts.append(random_state.uniform(-bound, bound, (n_in, n_out)).ravel())
        parts.append(random_state.uniform(-bound, bound, n_out))
    return np.concatenate(parts)
