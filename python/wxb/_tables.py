"""What TableClassifier and TableRegressor share: `wxb train` on a frame."""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, NamedTuple

import numpy as np

from . import _frames, _html, _sklearn
from . import _parameters as parameters
from ._callbacks import tasks_of
from ._contributions import Contributions, contributions
from ._history import History
from ._partial_dependence import PartialDependence, partial_dependence
from ._progress import Progress
from ._recorded import CHOICES, recorded
from ._wxb import Frame, Model, train_table

#: Parameters that are no settings of the engine.
_OURS = ("callbacks", "early_stopping", "n_jobs", "random_state", "verbose")
#: Parameters whose values are names of the data.
_NAMED = ("categorical", "drop")


class Target(NamedTuple):
    """What is to be predicted, and what it is called."""

    values: Any
    name: str | None


class Table(_sklearn.CallbackSupportMixin, _html.Shown, _sklearn.BaseEstimator):
    """Columns of any kind in, a mixture of networks out."""

    # What `fit` takes beside X and y. It is no parameter with a name of its own because a row of weight 2 is not two rows here: the
    # split into training and validation rows is drawn by rows.
    __metadata_request__fit: ClassVar[dict[str, None]] = {"sample_weight": None}

    def __init__(
        self,
        preset: str | None = None,
        *,
        metric: str | None = None,
        time_budget: float | str | None = None,
        bag: int | None = None,
        members: int | None = None,
        hidden: Any = None,
        activation: Any = None,
        batch_norm: bool = False,
        residual: bool = False,
        numbers: str | None = None,
        loss: str | None = None,
        quantiles: Any = None,
        huber_delta: float | None = None,
        init: str | None = None,
        precision: str | None = None,
        optimizer: str | None = None,
        lr: float | None = None,
        schedule: str | None = None,
        warmup: float | None = None,
        decay: float | None = None,
        decay_every: int | None = None,
        momentum: float | None = None,
        beta1: float | None = None,
        beta2: float | None = None,
        epsilon: float | None = None,
        epochs: int | None = None,
        batch_size: int | str | None = None,
        l2: float | None = None,
        l1: float | None = None,
        weight_decay: float | None = None,
        dropout: float | None = None,
        clip_norm: float | None = None,
        label_smoothing: float | None = None,
        class_weight: Any = None,
        calibration: str | None = None,
        valid: float | str | None = None,
        patience: int | None = None,
        early_stopping: bool = True,
        scale: str | None = None,
        divide_by: float | None = None,
        max_levels: int | None = None,
        categorical: Any = None,
        drop: Any = None,
        keep: bool = False,
        random_state: Any = 0,
        callbacks: Any = None,
        verbose: bool = False,
        n_jobs: int | None = None,
    ) -> None:
        self.preset = preset
        self.metric = metric
        self.time_budget = time_budget
        self.bag = bag
        self.members = members
        self.hidden = hidden
        self.activation = activation
        self.batch_norm = batch_norm
        self.residual = residual
        self.numbers = numbers
        self.loss = loss
        self.quantiles = quantiles
        self.huber_delta = huber_delta
        self.init = init
        self.precision = precision
        self.optimizer = optimizer
        self.lr = lr
        self.schedule = schedule
        self.warmup = warmup
        self.decay = decay
        self.decay_every = decay_every
        self.momentum = momentum
        self.beta1 = beta1
        self.beta2 = beta2
        self.epsilon = epsilon
        self.epochs = epochs
        self.batch_size = batch_size
        self.l2 = l2
        self.l1 = l1
        self.weight_decay = weight_decay
        self.dropout = dropout
        self.clip_norm = clip_norm
        self.label_smoothing = label_smoothing
        self.class_weight = class_weight
        self.calibration = calibration
        self.valid = valid
        self.patience = patience
        self.early_stopping = early_stopping
        self.scale = scale
        self.divide_by = divide_by
        self.max_levels = max_levels
        self.categorical = categorical
        self.drop = drop
        self.keep = keep
        self.random_state = random_state
        self.callbacks = callbacks
        self.verbose = verbose
        self.n_jobs = n_jobs

    _report: dict[str, Any]

    # -- training -----------------------------------------------------------------------------------------------

    @_sklearn.with_callbacks
    def fit(self, X: Any, y: Any, *, validation_data: tuple[Any, Any] | None = None, **weights: Any) -> Any:
        """Train on the rows of X and y.

        Parameters
        ----------
        X : data frame, mapping of columns or array-like of shape (n_samples, n_features)
            Numbers, texts, categories, booleans and dates, any of which may be missing.
        y : array-like of shape (n_samples,)
            What is to be predicted.
        validation_data : tuple of (X, y), default=None
            Rows to choose the best epoch and the shares of the networks by, instead of a part of X.
        sample_weight : array-like of shape (n_samples,), default=None
            How much each row counts.

        Returns
        -------
        self
        """
        sample_weight = weights.pop("sample_weight", None)
        if weights:
            raise TypeError(f"{type(self).__name__}.fit() has no argument {next(iter(weights))!r}")
        frame = self._frame(X, reset=True)
        y = self._target(y, frame.rows)
        if frame.rows < 2:
            raise ValueError(f"n_samples={frame.rows}: a training needs two rows at least")
        given = None if sample_weight is None else self._weights(sample_weight, y)
        self._learn_classes(y, given)
        valid = None
        if validation_data is not None:
            valid = self._rows(*parameters.validation(validation_data, weighted=False))
        cells = self._cells(y)
        tasks = tasks_of(self, X, y.values, sample_weight, None)
        progress = Progress(self.verbose, _listeners(self.callbacks), tasks)
        flags = self._flags(y.name)
        model, report, warned = train_table(
            flags, self._named(), (frame, cells, given), valid, progress.hear, self._threads()
        )
        progress.close()
        for warning in warned:
            _sklearn.warn(warning, UserWarning)
        if model is None:
            raise RuntimeError("a callback stopped the training before there was a model")
        self._take(model)
        self._report = json.loads(report)
        if tasks is not None:
            tasks.finish()
        return self

    @classmethod
    def _of_file(cls, model: Model) -> Any:
        """An estimator with a model that was trained before."""
        estimator = cls(**recorded(model, cls().get_params()))
        estimator._take(model)
        estimator.feature_names_in_ = np.asarray(model.inputs, dtype=object)
        return estimator

    def _rows(self, X: Any, y: Any) -> tuple[Frame, Any, None]:
        frame = self._frame(X, reset=False)
        return frame, self._cells(self._target(y, frame.rows)), None

    def _take(self, model: Model) -> None:
        """Makes a model this estimator's."""
        self._model = model
        self._report = {}

    def _flags(self, target: str | None) -> list[str]:
        """The parameters as the command line has them."""
        flags = ["--task", self._task(), *([f"--target={target}"] if target else [])]
        for name, value in self.get_params(deep=False).items():
            value = value.item() if isinstance(value, np.generic) else value
            if name in (*_OURS, *_NAMED) or value is None or value is False or isinstance(value, Mapping):
                continue
            flag = "--" + name.replace("_", "-")
            flags.append(flag if value is True else f"{flag}={_text(name, value)}")
        if not self.early_stopping:
            flags.append("--no-early-stopping")
        return [*flags, f"--seed={_seed(self.random_state)}"]

    def _named(self) -> tuple[list[str], list[str], list[tuple[str, float]] | None, str | None]:
        """Columns to leave out, columns of categories, weights of classes, the type of the classes."""
        drop, categorical = _names(self.drop), _names(self.categorical)
        weights = None
        if isinstance(self.class_weight, Mapping):
            pairs = self.class_weight.items()
            weights = [(_frames.text_of(label, "class_weight"), float(weight)) for label, weight in pairs]
        return drop, categorical, weights, self._label_type()

    def _weights(self, sample_weight: Any, y: Target) -> Any:
        """One weight for each row."""
        weights = np.ascontiguousarray(_sklearn.check_weights(sample_weight, y.values), dtype=np.float64)
        if not (weights >= 0).all():
            raise ValueError("sample_weight has a negative value: weights are numbers from 0 on")
        if not (weights > 0).any():
            raise ValueError("sample_weight is zero in all rows: there is none to learn from")
        return weights

    def _threads(self) -> int:
        return parameters.threads(self.n_jobs)

    # -- data ---------------------------------------------------------------------------------------------------

    def _frame(self, X: Any, *, reset: bool) -> Frame:
        """X as columns, which are those of the training."""
        if reset:
            self.__dict__.pop("feature_names_in_", None)
        if hasattr(X, "tocsr"):
            raise TypeError(
                "Sparse data was passed, but columns are dense. Use '.toarray()' to convert to a dense array."
            )
        names = None if reset else self._columns()
        if _is_frame(X):
            return self._of_frame(X, names, reset=reset)
        if _sklearn.HAS_SKLEARN:
            X = _sklearn.validate_data(self, X, reset=reset, dtype=None, ensure_all_finite="allow-nan")
        else:
            X = np.asarray(X)
            if X.ndim != 2:
                raise ValueError(f"Expected 2D array, got {X.ndim}D array instead. Reshape your data.")
        self._count(X.shape[1], reset=reset)
        return _with_rows(_frames.frame_of(X, names))

    def _of_frame(self, X: Any, names: list[str] | None, *, reset: bool) -> Frame:
        frame = _with_rows(_frames.frame_of(X, drop=_names(self.drop)))
        for warning in frame.warnings:
            _sklearn.warn(warning, UserWarning)
        if _sklearn.knows_names(X):
            if reset or self._was_fitted_here():
                _sklearn.check_feature_names(self, X, reset=reset)
        elif reset:
            self.feature_names_in_ = np.asarray(frame.names, dtype=object)
        if reset or self._was_fitted_here():
            self._count(len(frame.names), reset=reset)
        # Columns whose names are no texts count by their places.
        if self._was_fitted_here() and not hasattr(self, "feature_names_in_"):
            return frame.renamed(self._columns() if names is None else names)
        return frame

    def _count(self, columns: int, *, reset: bool) -> None:
        if reset:
            self.n_features_in_ = columns
            return
        expected = self.n_features_in_ if self._was_fitted_here() else len(self.model_.inputs)
        if columns != expected:
            raise ValueError(
                f"X has {columns} features, but {type(self).__name__} is expecting {expected} features as input."
            )

    def _was_fitted_here(self) -> bool:
        """Whether X was seen; a model from a file knows the columns that it needs, and no more."""
        return hasattr(self, "n_features_in_")

    def _columns(self) -> list[str]:
        """What the columns of a matrix are called."""
        if hasattr(self, "feature_names_in_"):
            return [str(name) for name in self.feature_names_in_]
        if self._was_fitted_here():
            return [f"x{place}" for place in range(self.n_features_in_)]
        return self.model_.inputs

    def _target(self, y: Any, rows: int) -> Target:
        """One value for each row, checked."""
        if y is None:
            raise ValueError("requires y to be passed, but the target y is None")
        if hasattr(y, "tocsr"):
            raise TypeError("a sparse y is no list of targets")
        name = getattr(y, "name", None)
        values = _sklearn.column_or_1d(np.asarray(y), warn=True)
        if len(values) != rows:
            raise ValueError(
                f"Found input variables with inconsistent numbers of samples: {[rows, len(values)]}"
            )
        return Target(self._checked(np.asarray(values)), name if isinstance(name, str) else None)

    def _checked(self, y: Any) -> Any:
        raise NotImplementedError

    def _cells(self, y: Target) -> Any:
        raise NotImplementedError

    def _learn_classes(self, y: Target, weights: Any) -> None:
        """Takes note of the classes of the rows that count, where there are any."""

    def _label_type(self) -> str | None:
        """The type of the classes, where there are any that a model file cannot tell."""
        return None

    def _task(self) -> str:
        raise NotImplementedError

    # -- predictions --------------------------------------------------------------------------------------------

    @property
    def model_(self) -> Model:
        """The model as the engine has it."""
        try:
            return self.__dict__["_model"]  # type: ignore[no-any-return]
        except KeyError:
            raise _sklearn.not_fitted(self) from None

    def __sklearn_is_fitted__(self) -> bool:
        return "_model" in self.__dict__

    def _outputs(self, X: Any, *, logits: bool = False) -> Any:
        model = self.model_
        return model.outputs(self._frame(X, reset=False), logits, self._threads())

    def predict_spread(self, X: Any) -> Any:
        """How far the networks of the model, and their members, are apart in each prediction.

        Parameters
        ----------
        X : data frame, mapping of columns or array-like of shape (n_samples, n_features)
            The rows.

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_outputs)
            The standard deviation of their predictions, weighted by their shares.
        """
        model = self.model_
        frame = self._frame(X, reset=False)
        rows = frame.rows
        _, apart = model.spread(frame, self._threads())
        apart = apart.reshape(rows, -1)
        return apart[:, 0] if apart.shape[1] == 1 else apart

    # -- what came of it ----------------------------------------------------------------------------------------

    @property
    def record_(self) -> dict[str, Any]:
        """How the model came about: rows, settings, networks with their shares and scores, the baseline, importance."""
        record: dict[str, Any] = json.loads(self.model_.record)
        return record

    @property
    def history_(self) -> History:
        """The epochs of the main network: losses, metric, learning rate; none for a model from a file."""
        self.model_  # noqa: B018 - not fitted is an error
        return History(self._report.get("history", []))

    @property
    def health_(self) -> list[dict[str, Any]]:
        """The layers of the main network: units that are dead, saturated or alike; none for a model from a file."""
        self.model_  # noqa: B018 - not fitted is an error
        layers: list[dict[str, Any]] = self._report.get("health", [])
        return layers

    @property
    def remarks_(self) -> list[str]:
        """What was noticed about the columns."""
        self.model_  # noqa: B018 - not fitted is an error
        remarks: list[str] = self._report.get("remarks", [])
        return remarks

    @property
    def networks_(self) -> list[dict[str, Any]]:
        """The networks of the model: name, share, sizes, parameters."""
        networks: list[dict[str, Any]] = json.loads(self.model_.networks)
        return networks

    @property
    def feature_importances_(self) -> Any:
        """What the model loses in its metric when the cells of a column change places: measured at the end of the training."""
        measured = self.record_.get("importance", {}).get("columns", [])
        by_name = {column["column"]: column["mean"] for column in measured}
        return np.array([by_name.get(name, 0.0) for name in self._columns()])

    def importance(
        self, X: Any, y: Any, *, metric: str, repeats: int = 5, random_state: int = 0
    ) -> dict[str, Any]:
        """What the model loses on some rows when the cells of a column change places.

        Parameters
        ----------
        X, y : rows
            Not those of the training.
        metric : str
            `"log_loss"`, `"auc"`, `"accuracy"`, `"rmse"`, `"r2"`, …
        repeats : int, default=5
            How often the cells of each column change places.
        random_state : int, default=0
            Draws the new places.

        Returns
        -------
        dict
            Name of a column: mean and standard deviation of what is lost.
        """
        model = self.model_
        frame = self._frame(X, reset=False)
        cells = self._cells(self._target(y, frame.rows))
        drawn = (_count("repeats", repeats, "times"), _seed(random_state))
        measured = json.loads(model.importance(frame, cells, metric, drawn, self._threads()))
        return {column["column"]: column for column in measured["columns"]}

    def contributions(
        self,
        X: Any,
        rows: Any = None,
        *,
        method: str = "shapley",
        samples: int = 200,
        random_state: int = 0,
    ) -> Contributions:
        """What each column adds to the predictions of some rows, beside the others.

        Of several quantiles the one nearest to the median is explained. Integrated gradients explain a number before it is kept within the
        targets of the training.

        Parameters
        ----------
        X : data frame, mapping of columns or array-like of shape (n_samples, n_features)
            The rows to be explained, and those that they are compared with, such as the training rows.
        rows : int, slice, list of int or of bool, default=None
            The places of those to be explained; `None`: all.
        method : {"shapley", "integrated_gradients"}, default="shapley"
            Shapley values by sampling (Štrumbelj and Kononenko 2014): what changes when the columns of another row are replaced by those
            of the row, in random orders. Integrated gradients (Sundararajan, Taly and Yan 2017): along the way from the usual row, of
            the median of each number and the most frequent text; without randomness, not with isotonic calibration.
        samples : int, default=200
            Rows that Shapley values compare with. Errors shrink with their square root.
        random_state : int, default=0
            Draws them.

        Returns
        -------
        Contributions
            `columns`, `values`, `errors`, `predictions`, `expected` and `classes`; `wxb.plot.contributions` draws a row of them.

        Examples
        --------
        >>> import numpy as np
        >>> from wxb import TableRegressor
        >>> rng = np.random.default_rng(0)
        >>> X = {"a": rng.normal(size=300), "b": rng.normal(size=300), "noise": rng.normal(size=300)}
        >>> model = TableRegressor("linear").fit(X, 3 * X["a"] - X["b"])
        >>> found = model.contributions(X, rows=7)
        >>> bool(abs(found.expected[0] + found.values[0].sum() - found.predictions[0]) < 1e-6)
        True
        >>> found.largest(0, top=1)[0][0]
        'a'
        """
        methods = ("shapley", "integrated_gradients")
        if method not in methods:
            raise ValueError(f"method={method!r} is none of {', '.join(methods)}")
        drawn = (_count("samples", samples, "rows"), _seed(random_state))
        model = self.model_
        frame = self._frame(X, reset=False)
        places = np.atleast_1d(np.arange(frame.rows)[slice(None) if rows is None else rows]).tolist()
        found, classes = contributions(model, frame, places, method, drawn, self._threads())
        return self._with_classes(found, classes)

    def _with_classes(self, found: Contributions, _classes: Any) -> Contributions:
        """With the classes whose probabilities are meant, where there are any."""
        return found

    def partial_dependence(
        self,
        X: Any,
        column: str,
        *,
        class_: Any = None,
        points: int = 20,
        rows: int = 300,
        random_state: int = 0,
    ) -> PartialDependence:
        """How the prediction depends on one column: the mean over some rows with the column set to one value after the other.

        Parameters
        ----------
        X : data frame, mapping of columns or array-like of shape (n_samples, n_features)
            The rows, which also say what the column is set to.
        column : str
            Its name; the columns of an array are `"x0"`, `"x1"`, ….
        class_ : label, default=None
            The class whose probability is predicted; `None`: the second of two, the most frequent of more. Only of classifiers; of
            several quantiles the one nearest to the median is predicted.
        points : int, default=20
            Values at the most. Numbers: all that there are if they are so few, else half of them quantiles and half of them at equal
            distances, from the 1st to the 99th percentile. Texts: the most frequent ones, and a missing one if there is one.
        rows : int, default=300
            Rows at the most that the mean is over, drawn from `X`.
        random_state : int, default=0
            Draws them.

        Returns
        -------
        PartialDependence
            `column`, `values`, `mean`, `curves`, `distribution` and `class_`; `wxb.plot.partial_dependence` draws it.

        Examples
        --------
        >>> import numpy as np
        >>> from wxb import TableRegressor
        >>> rng = np.random.default_rng(0)
        >>> X = {"a": rng.normal(size=300), "city": rng.choice(["Bergen", "Oslo"], 300)}
        >>> model = TableRegressor("linear").fit(X, 3 * X["a"] - (X["city"] == "Oslo"))
        >>> found = model.partial_dependence(X, "a", points=5)
        >>> slopes = np.diff(found.mean) / np.diff(found.values)
        >>> bool(np.allclose(slopes, 3, atol=0.1))
        True
        >>> sorted(model.partial_dependence(X, "city").values)
        ['Bergen', 'Oslo']
        """
        points = _count("points", points, "values")
        drawn = (_count("rows", rows, "rows"), _seed(random_state))
        model = self.model_
        frame = self._frame(X, reset=False)
        asked = (str(column), self._class_text(class_))
        found, place = partial_dependence(model, frame, asked, points, drawn, self._threads())
        return found._replace(class_=self._class_at(place))

    def _class_text(self, class_: Any) -> str | None:
        """A class as the engine knows it; it refuses one where there are none."""
        return None if class_ is None else _frames.text_of(class_, "class_")

    def _class_at(self, _place: Any) -> Any:
        """The class with a number of the engine's, where there are any."""
        return None

    def _came_of_it(self) -> str:
        if not self.__sklearn_is_fitted__():
            return ""
        record = self.record_
        rows = [record.get(name) for name in ("train_rows", "valid_rows")]
        facts = [("trained on", f"{rows[0]:,} rows, validated on {rows[1]:,}")] if None not in rows else []
        scores = record.get("metrics") or {}
        facts += [
            (name.replace("_", " "), "–" if value is None else f"{value:.4g}")
            for name, value in scores.items()
        ]
        networks = [
            (net["name"], f"{net['share']:.2f}", " → ".join(map(str, net["sizes"])), f"{net['parameters']:,}")
            for net in self.networks_
        ]
        head = ("network", "share", "layers", "parameters")
        return _html.table(facts) + _html.table(networks, head) + self.history_._drawn()

    def save(self, path: str | os.PathLike[str], *, overwrite: bool = False) -> None:
        """Write the model: the same file as that of the command `wxb train`.

        Parameters
        ----------
        path : str or path
            Where to; ends in `.wxb`.
        overwrite : bool, default=False
            Whether a file that is there may be replaced.
        """
        path = os.fspath(path)
        if not overwrite and os.path.exists(path):
            raise FileExistsError(errno.EEXIST, "the file is there already: overwrite=True replaces it", path)
        self.model_.write(path, overwrite)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.input_tags.string = True
        tags.input_tags.categorical = True
        return tags


def _is_frame(X: Any) -> bool:
    return isinstance(X, Mapping) or hasattr(X, "__arrow_c_stream__") or hasattr(X, "__dataframe__")


def _with_rows(frame: Frame) -> Frame:
    if frame.rows == 0:
        raise ValueError("Found array with 0 sample(s): X has no rows")
    return frame


def _count(name: str, value: Any, what: str) -> int:
    """A parameter that says how many."""
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < 1:
        raise ValueError(f"{name}={value!r}: a number of {what}, one at least")
    return int(value)


def _seed(random_state: Any) -> int:
    """The engine's seed, which a generator draws."""
    if random_state is None or isinstance(random_state, np.random.RandomState):
        return int(_sklearn.check_random_state(random_state).randint(2**31 - 1))
    if isinstance(random_state, np.random.Generator):
        return int(random_state.integers(2**31 - 1))
    whole = isinstance(random_state, (int, np.integer)) and not isinstance(random_state, bool)
    if not whole or not 0 <= random_state < 2**64:
        raise ValueError(f"random_state={random_state!r}: a whole number from 0 on, a generator, or None")
    return int(random_state)


def _names(names: Any) -> list[str]:
    if names is None:
        return []
    return [names] if isinstance(names, str) else [str(name) for name in names]


def _listeners(callbacks: Any) -> list[Callable[..., Any]]:
    if callbacks is None:
        return []
    return [callbacks] if callable(callbacks) else list(callbacks)


def _text(name: str, value: Any) -> str:
    """A parameter's value as a flag's."""
    if isinstance(value, (list, tuple, np.ndarray)):
        return ",".join(_text(name, part) for part in value) or "none"
    if name == "time_budget" and not isinstance(value, str):
        return f"{float(value)!r}s"
    if isinstance(value, str):
        return value.replace("_", "-") if name in CHOICES else value
    return repr(value.item() if isinstance(value, np.generic) else value)
