from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

__version__: str

def check_setting(kind: str, json: str) -> None: ...
def all_finite(x: npt.NDArray[Any]) -> bool: ...
def logistic(
    x: Any,
    y: npt.NDArray[np.float64],
    weights: npt.NDArray[np.float64],
    theta: npt.NDArray[np.float64],
    penalties: tuple[float, float],
    bias: bool,
    scaling: float | None,
    limits: tuple[float, int],
    threads: int = 0,
) -> tuple[npt.NDArray[np.float64], int, float, str]: ...
def linear_scores(x: Any, coef: Any, intercept: Any, output: str = "scores") -> npt.NDArray[Any] | None: ...

class Learner:
    def __init__(
        self,
        precision: str,
        layers: str,
        loss: str,
        optimizer: str,
        lr: float,
        flat: npt.NDArray[np.float64] | None = None,
        initializer: str = '"auto"',
        seed: int = 0,
    ) -> None: ...
    def fit(
        self,
        plan: str,
        train: tuple[Any, npt.NDArray[Any], npt.NDArray[Any] | None],
        valid: tuple[Any, npt.NDArray[Any], npt.NDArray[Any] | None] | None = None,
        rows: tuple[Any, Any] = (None, None),
        twister: tuple[npt.NDArray[np.uint32], int] | None = None,
        threads: int = 0,
        on_epoch: Callable[[int, float, float | None, float], bool] | None = None,
    ) -> tuple[list[float], list[float], str, str, tuple[list[int], int] | None]: ...
    def predict(self, x: Any, logits: bool = False, threads: int = 0) -> npt.NDArray[Any] | None: ...
    def classes(self, x: Any, threads: int = 0) -> npt.NDArray[np.intp] | None: ...
    def flat(self) -> npt.NDArray[Any]: ...
    def set_flat(self, values: npt.NDArray[Any]) -> None: ...
    @property
    def precision(self) -> str: ...
    @property
    def is_finite(self) -> bool: ...
    @property
    def learning_rate(self) -> float: ...
    @property
    def seen(self) -> int: ...
    @property
    def stale(self) -> int: ...
    @property
    def best(self) -> tuple[float, float]: ...
    @classmethod
    def from_bytes(cls, bytes: bytes) -> Learner: ...
