from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
from numpy.typing import NDArray
from typing_extensions import Self

__version__: str

def check_setting(kind: str, json: str) -> None: ...
def activate(activation: str, z: NDArray[Any], slope: bool) -> NDArray[Any]: ...
def link(loss: str, z: NDArray[Any]) -> NDArray[Any]: ...
def log_softmax(z: NDArray[Any]) -> NDArray[Any]: ...
def loss_rows(loss: str, z: NDArray[Any], y: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]: ...
def normalize_rows(x: NDArray[Any]) -> NDArray[Any]: ...
def row_norms(x: NDArray[Any]) -> NDArray[Any]: ...
def initial_weights(
    initializer: str, activation: str, shape: tuple[int, int], seed: int, double: bool
) -> NDArray[Any]: ...
def optimizer_update(
    optimizer: str,
    step: tuple[float, int, float],
    theta: NDArray[Any],
    g: NDArray[Any],
    moments: Sequence[NDArray[Any]],
    threads: int,
) -> None: ...
def schedule_factors(
    schedule: str,
    steps: Sequence[int],
    steps_per_epoch: int,
    epochs: int,
    plateaus: int,
) -> list[float]: ...
def lbfgs_step(
    config: str,
    x: NDArray[Any],
    state: NDArray[Any] | None,
    objective: Callable[[NDArray[Any]], tuple[float, NDArray[Any]]],
) -> tuple[str, float, float, int, NDArray[Any]]: ...

_Batch: TypeAlias = tuple[NDArray[Any], NDArray[Any], NDArray[Any] | None]
_Record: TypeAlias = tuple[int, int, float, float | None, float | None, float, bool]

class Engine:
    def __new__(cls, layers: str, loss: str) -> Self: ...
    @staticmethod
    def mlp(
        sizes: Sequence[int],
        hidden: Sequence[str],
        blocks: tuple[float, bool, bool],
        loss: str,
    ) -> Engine: ...
    @property
    def layers(self) -> str: ...
    @property
    def loss(self) -> str: ...
    @property
    def slots(self) -> list[tuple[str, str, int, int, int, int, bool]]: ...
    @property
    def sizes(self) -> list[int]: ...
    @property
    def n_targets(self) -> int: ...
    @property
    def outputs(self) -> list[int]: ...
    @property
    def members(self) -> int: ...
    def initial(self, initializer: str, seed: int, double: bool) -> NDArray[Any]: ...
    def predict(self, flat: NDArray[Any], x: NDArray[Any], linked: bool, threads: int) -> NDArray[Any]: ...
    def forward(
        self,
        flat: NDArray[Any],
        x: NDArray[Any],
        training: tuple[int, int] | None,
        masks: Sequence[tuple[int, NDArray[Any]]] | None,
        threads: int,
    ) -> Pass: ...
    def gradcheck(
        self,
        flat: NDArray[Any],
        batch: _Batch,
        per_tensor: int,
        seed: int,
        training: tuple[int, int] | None,
        threads: int,
    ) -> list[tuple[str, tuple[int, int], float, float, tuple[int, float, float]]]: ...

class Pass:
    def a(self, layer: int) -> NDArray[Any]: ...
    def z(self, layer: int) -> NDArray[Any] | None: ...
    def mask(self, layer: int) -> NDArray[Any] | None: ...
    def predictions(self) -> NDArray[Any]: ...
    def parameters(self) -> NDArray[Any]: ...
    def loss(self, y: NDArray[Any], weights: NDArray[Any] | None) -> float: ...
    def backward(
        self, y: NDArray[Any], weights: NDArray[Any] | None, with_dx: bool
    ) -> tuple[float, NDArray[Any], NDArray[Any] | None]: ...
    def backward_from(
        self, dz: NDArray[Any], with_dx: bool
    ) -> tuple[float, NDArray[Any], NDArray[Any] | None]: ...
    def track(self, flat: NDArray[Any], t: int) -> None: ...

class State:
    def to_bytes(self) -> bytes: ...
    @staticmethod
    def from_bytes(bytes: bytes) -> State: ...

def train(
    engine: Engine,
    flat: NDArray[Any],
    config: str,
    data: tuple[_Batch, _Batch | None],
    on_epoch: Callable[[_Record], bool | None] | None,
    start: tuple[int, State | None],
) -> tuple[list[_Record], str, State]: ...
def model_bytes(engine: Engine, flat: NDArray[Any], record: str) -> bytes: ...
def network_of_model(bytes: bytes, part: str | None) -> tuple[Engine, NDArray[Any], bool, str]: ...
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
    on_iteration: Callable[[npt.NDArray[np.float64]], bool] | None = None,
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
        listener: tuple[Callable[[int, float, float | None, float, bool, Any], bool], bool] | None = None,
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

class Frame:
    names: list[str]
    rows: int
    warnings: list[str]
    @staticmethod
    def from_columns(columns: list[tuple[str, Any]]) -> Frame: ...
    @staticmethod
    def from_arrow(frame: Any, unread: list[str]) -> Frame: ...
    def renamed(self, names: list[str]) -> Frame: ...
    def column(self, name: str) -> tuple[Any, list[str] | None]: ...

# What the columns add, its errors, the predictions, what they are compared with, classes.
_Added = tuple[Any, Any, Any, Any, Any]

# The values, and whether the one text stands for all; the means, the curves, where the rows are, the class.
_Dependence = tuple[tuple[Any, bool], Any, Any, Any, int | None]

class Model:
    task: str
    labels: list[Any]
    target_name: str | None
    record: str
    loss: str
    networks: str
    columns: list[str]
    inputs: list[str]
    is_single: bool
    @staticmethod
    def from_bytes(bytes: bytes) -> Model: ...
    @staticmethod
    def read(path: str) -> Model: ...
    def to_bytes(self) -> bytes: ...
    def write(self, path: str, overwrite: bool) -> None: ...
    def outputs(self, frame: Frame, logits: bool, threads: int) -> Any: ...
    def spread(self, frame: Frame, threads: int) -> tuple[Any, Any]: ...
    def half_width(self, coverage: float) -> float: ...
    def importance(
        self,
        frame: Frame,
        target: Any,
        metric: str,
        shuffles: tuple[int, int],
        threads: int,
    ) -> str: ...
    def shapley(self, frame: Frame, rows: list[int], samples: tuple[int, int], threads: int) -> _Added: ...
    def integrated_gradients(self, frame: Frame, rows: list[int], threads: int) -> _Added: ...
    def partial_dependence(
        self,
        frame: Frame,
        asked: tuple[str, str | None],
        points: int,
        draw: tuple[int, int],
        threads: int,
    ) -> _Dependence: ...

def train_table(
    flags: list[str],
    named: tuple[list[str], list[str], list[tuple[str, float]] | None, str | None],
    rows: tuple[Frame, Any, Any],
    valid: tuple[Frame, Any, Any] | None,
    listener: Any,
    threads: int,
) -> tuple[Model | None, str, list[str]]: ...
