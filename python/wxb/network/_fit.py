"""The engine's training loop on a network."""

from __future__ import annotations

import html
import json
import warnings
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, overload

from numpy.typing import ArrayLike

from .. import _html, _parameters, _wxb
from .._arrays import Floats
from .._history import epochs_in_words
from .._settings import Setting, in_json, resolve
from ..optim import LBFGS, SGD, Adam, AdamW, Momentum, Nesterov, Optimizer, RMSProp
from ..optim.schedules import Schedule
from ._base import Base


class EpochRecord(NamedTuple):
    """What came of an epoch.

    Attributes
    ----------
    epoch : int
        From 1.
    step : int
        Steps done at its end.
    train_loss : float
        The mean loss over its batches, each before its update, without penalties. With the full batch it is
        the loss of the weights that the epoch began with.
    valid_loss, valid_metric : float or None
        On the validation examples after it.
    lr : float
        The learning rate at its end.
    best : bool
        Whether it is the best so far.
    """

    epoch: int
    step: int
    train_loss: float
    valid_loss: float | None
    valid_metric: float | None
    lr: float
    best: bool


class Standing(NamedTuple):
    """Where a training stands, and the optimizer whose moments it has."""

    state: _wxb.State
    optimizer: str


class History(Sequence[EpochRecord]):
    """The records of the epochs, and why the training ended.

    Attributes
    ----------
    loss : list of float
        The training loss of each epoch.
    valid_loss, valid_metric : list
        On the validation examples.
    stop : str
        ``"epochs"``, ``"early"``, ``"converged"``, ``"interrupted"`` or ``"diverged"``.
    detail : dict
        More on that: the patience, the reason, where it diverged.
    """

    def __init__(
        self, records: list[EpochRecord], stop: str, detail: dict[str, Any], standing: Standing | None = None
    ) -> None:
        self._records = records
        self.stop = stop
        self.detail = detail
        self._standing = standing

    @property
    def loss(self) -> list[float]:
        """The training loss of each epoch."""
        return [record.train_loss for record in self._records]

    @property
    def valid_loss(self) -> list[float | None]:
        """The validation loss of each epoch."""
        return [record.valid_loss for record in self._records]

    @property
    def valid_metric(self) -> list[float | None]:
        """The validation metric of each epoch."""
        return [record.valid_metric for record in self._records]

    @property
    def best_epoch(self) -> int:
        """The epoch whose weights are kept, from 1: without validation the last one; 0 if there is none."""
        kept = [record.epoch for record in self._records if record.best or record.valid_loss is None]
        return max(kept, default=0)

    @overload
    def __getitem__(self, index: int) -> EpochRecord: ...
    @overload
    def __getitem__(self, index: slice) -> list[EpochRecord]: ...
    def __getitem__(self, index: int | slice) -> EpochRecord | list[EpochRecord]:
        """The record of an epoch, from 0."""
        return self._records[index]

    def __len__(self) -> int:
        """How many epochs were done."""
        return len(self._records)

    def __repr__(self) -> str:
        """Epochs, last loss, why it ended."""
        last = f", loss {self.loss[-1]:.6g}" if self._records else ""
        return f"<History of {len(self)} epochs{last}, stop: {self.stop}>"

    def _repr_html_(self) -> str:
        said = f"{epochs_in_words(self.loss, self.valid_loss)}, stop: {self.stop}"
        return _html.losses(self.loss, self.valid_loss, said) or html.escape(repr(self))


class Fits(Base):
    """How a network is trained."""

    #: Of the last training.
    _history: History | None = None

    def fit(
        self,
        X: ArrayLike,
        Y: ArrayLike,
        *,
        epochs: int = 100,
        lr: float | None = None,
        batch_size: int | None = None,
        optimizer: str | Optimizer | LBFGS = "sgd",
        schedule: str | Schedule = "constant",
        l2: float = 0.0,
        l1: float = 0.0,
        clip_norm: float | None = None,
        sample_weight: ArrayLike | None = None,
        validation: tuple[ArrayLike, ...] | None = None,
        patience: int | None = None,
        metric: str | None = None,
        stop_on_metric: bool = False,
        drop_last: bool = False,
        seed: int | None = None,
        callback: Callable[[EpochRecord], bool | None] | None = None,
        resume: History | None = None,
    ) -> History:
        """Train: the loop of forward, backward and step, in the engine.

        As it stands this is gradient descent on all examples at once. Ctrl-C ends it after the step under way
        and leaves the weights reached so far.

        Parameters
        ----------
        X, Y, sample_weight : array_like
            Examples, as in ``forward`` and ``loss``.
        epochs : int
            Passes over the examples, at the most.
        lr : float, optional
            α; the optimizer's own, unless it is given.
        batch_size : int, optional
            Examples of a step; all, unless it is given.
        optimizer : str, Optimizer or LBFGS
            A rule with its constants; it begins anew, whatever its state, unless ``resume`` is given. L-BFGS takes
            all examples at once.
        schedule : str or Schedule
            How the learning rate changes.
        l2, l1 : float
            λ₂/(2m) Σ W² and λ₁/m Σ |W| are added to J.
        clip_norm : float, optional
            The whole gradient is scaled down to this length if it is longer.
        validation : (X, Y) or (X, Y, sample_weight), optional
            Examples that judge each epoch; the weights of the best one are kept.
        patience : int, optional
            Ends when so many epochs have brought nothing better; needs validation.
        metric : str, optional
            A score of the validation examples: ``"accuracy"``, ``"auc"``, ``"rmse"``, ….
        stop_on_metric : bool
            Whether the metric decides which epoch is the best; else the validation loss does.
        drop_last : bool
            Whether the last batch of an epoch is left out if it is smaller than the others.
        seed : int, optional
            Decides the order of the examples and the masks; the network's own, unless it is given.
        callback : callable, optional
            Called with the record of each epoch, while the network has the weights of that epoch; ``True``
            ends the training.
        resume : History, optional
            Of an earlier training of this network, which goes on where it stood, with its weights and the
            optimizer's moments, for ``epochs`` more: five epochs and five more are ten, bit for bit, where data
            and settings are the same and the schedule does not depend on the number of epochs.

        Returns
        -------
        History
            Of all epochs, those before ``resume`` too.

        Warns
        -----
        RuntimeWarning
            If loss or weights became infinite or NaN; the last finite weights are kept.

        Examples
        --------
        >>> import numpy as np
        >>> from wxb import Network
        >>> X = np.linspace(-2, 2, 40)[:, None]
        >>> net = Network([1, 16, 1], hidden="tanh", loss="squared_error", seed=1)
        >>> history = net.fit(X, np.sin(X), epochs=300, optimizer="adam", lr=0.02)
        >>> history.stop, history.loss[-1] < 0.01
        ('epochs', True)
        """
        rule = resolve_optimizer(optimizer)
        done, standing = _standing(resume, rule)
        rate = getattr(rule, "lr", 1.0) if lr is None else lr
        config = {
            "optimizer": rule.form(),
            "lr": float(rate),
            "schedule": _form(resolve(Schedule, schedule)),
            "epochs": done + epochs,
            "batch_size": "full" if batch_size is None else {"rows": batch_size},
            "l2": l2,
            "l1": l1,
            "weight_decay": getattr(rule, "weight_decay", None),
            "clip_norm": clip_norm,
            "patience": patience,
            "metric": metric,
            "stop_on_metric": stop_on_metric,
            "drop_last": drop_last,
            "seed": self.seed if seed is None else seed,
        }
        if validation is None and (patience is not None or metric is not None):
            raise ValueError("patience and metric need examples to judge by: fit(…, validation=(X, Y))")
        valid = None
        if validation is not None:
            valid = self._batch(*_parameters.validation(validation, weighted=True, name="validation"))
        data = (self._batch(X, Y, sample_weight), valid)
        self._cache = None
        told = None if callback is None else _listener(callback)
        start = (self._threads, standing)
        records, stop, state = _wxb.train(self._engine, self._flat, in_json(config), data, told, start)
        history = self._history = _history(records, json.loads(stop), Standing(state, rule.to_json()))
        before = resume[-1].step if resume else 0
        self._steps += history[-1].step - before if history else 0
        if history.stop == "diverged":
            where = history.detail
            place = f"epoch {where['epoch']}, batch {where['batch']}: {where['tensor']}"
            message = f"diverged in {place} is not finite; try a smaller learning rate"
            warnings.warn(message, RuntimeWarning, stacklevel=2)
        return history

    def _batch(
        self, X: ArrayLike, Y: ArrayLike, sample_weight: ArrayLike | None = None
    ) -> tuple[Floats, Floats, Floats | None]:
        x = self._form.inputs(X)
        return x, self._form.targets(Y, x.shape[0]), self._form.weights(sample_weight, x.shape[0])


_RULES: dict[str, Callable[[], Optimizer | LBFGS]] = {
    "sgd": SGD,
    "momentum": Momentum,
    "nesterov": Nesterov,
    "rmsprop": RMSProp,
    "adam": Adam,
    "adamw": AdamW,
    "lbfgs": LBFGS,
}


def resolve_optimizer(optimizer: str | Optimizer | LBFGS) -> Optimizer | LBFGS:
    """The optimizer of a name, or the object itself."""
    if isinstance(optimizer, Optimizer | LBFGS):
        return optimizer
    if optimizer not in _RULES:
        raise ValueError(f"no optimizer {optimizer!r}: there are {', '.join(_RULES)}")
    return _RULES[optimizer]()


def _form(setting: Setting) -> Any:
    return setting.form()


def _listener(callback: Callable[[EpochRecord], bool | None]) -> Callable[[Any], bool | None]:
    return lambda record: callback(EpochRecord(*record))


def _history(records: Sequence[tuple[Any, ...]], stop: Any, standing: Standing) -> History:
    name, detail = next(iter(stop.items())) if isinstance(stop, dict) else (stop, {})
    return History([EpochRecord(*record) for record in records], name, detail, standing)


def _standing(resume: History | None, rule: Optimizer | LBFGS) -> tuple[int, _wxb.State | None]:
    """The epochs of the training to go on with, and where it stands."""
    if resume is None:
        return 0, None
    if not isinstance(resume, History):
        raise TypeError(f"resume is {resume!r}: the history that `fit` gave, or None")
    if resume._standing is None or resume._standing.optimizer != rule.to_json():
        raise ValueError(f"resume needs the optimizer of the training that goes on, not {rule!r}")
    return len(resume), resume._standing.state
