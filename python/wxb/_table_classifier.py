"""TableClassifier: classes from the columns of a frame."""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from . import _frames, _sklearn
from ._contributions import Contributions
from ._tables import Table, Target
from ._wxb import Model


class TableClassifier(_sklearn.ClassifierMixin, Table):
    """The best network for a table, chosen and trained as `wxb train` does: raw columns in, calibrated probabilities out.

    Every parameter has the meaning of the command's flag of that name; `None` is its default.

    Parameters
    ----------
    preset : str, default=None
        `"auto"` (a linear, a small and a large network, averaged as validation says), `"linear"`, `"mlp"`, `"deep"`, `"realmlp"`,
        `"realmlp_s"`, `"tabm"` or `"tabm_mini"`. `None`: auto, or mlp where another parameter says something about the network.
    metric : str, default=None
        The metric that decides which epoch is the best, such as `"auc"`; `None`: the loss.
    time_budget : float or str, default=None
        Seconds, or a text such as `"5m"`, that training may take.
    bag : int, default=None
        Networks side by side, each without one of so many folds of the rows.
    hidden : tuple of int, default=None
        Units of the hidden layers.
    activation : str or list of str, default=None
        One for all hidden layers or one for each, such as `"relu"`, `"gelu"`, `"tanh"`.
    batch_norm : bool, default=False
        Whether the sums of each hidden layer are normalised over the batch.
    residual : bool, default=False
        Whether the output of a hidden layer is added to that of the next, where both are of one width.
    numbers : str, default=None
        How numbers enter the network: `"plain"`, `"ple"`, `"piecewise"`, `"plr"` or `"pbld"`.
    members : int, default=None
        Networks side by side in deep and tabm.
    loss : str, default=None
        `"cross_entropy"`; see :class:`TableRegressor` for those of numbers.
    quantiles : list of float, default=None
        Of :class:`TableRegressor`.
    huber_delta : float, default=None
        Of :class:`TableRegressor`: where `"huber"` passes from square to line, in standard deviations.
    init : str, default=None
        Initial weights: `"he"`, `"xavier"`, `"lecun"`, each also with `_uniform`, `"orthogonal"`, `"normal"` or `"zeros"`.
    precision : str, default=None
        `"f32"` or `"f64"`.
    optimizer : str, default=None
        `"sgd"`, `"momentum"`, `"nesterov"`, `"rmsprop"`, `"adam"`, `"adamw"` or `"lbfgs"`.
    lr : float, default=None
        The learning rate.
    schedule : str, default=None
        `"constant"`, `"step"`, `"exponential"`, `"cosine"`, `"one_cycle"` or `"plateau"`.
    warmup : float, default=None
        The share of the run in which the rate rises.
    decay : float, default=None
        The factor of step, exponential and plateau.
    decay_every : int, default=None
        Epochs between two drops, or without a better one.
    momentum : float, default=None
        Of momentum and nesterov.
    beta1 : float, default=None
        Of adam and adamw.
    beta2 : float, default=None
        Of adam, adamw and rmsprop.
    epsilon : float, default=None
        Of adam, adamw and rmsprop.
    epochs : int, default=None
        Passes over the training rows at the most.
    batch_size : int or "full", default=None
        Rows of a step.
    l2 : float, default=None
        The penalty l2 / (2 m) times the sum of the squares of the weights.
    l1 : float, default=None
        The penalty l1 / m times the sum of their absolute values.
    weight_decay : float, default=None
        Decoupled decay, as in AdamW.
    dropout : float, default=None
        The share of each hidden layer's units that a step leaves out.
    clip_norm : float, default=None
        The largest norm of the whole gradient.
    label_smoothing : float, default=None
        The share of a label that is spread over all classes.
    class_weight : "balanced" or dict, default=None
        How much a row of each class counts.
    calibration : str, default=None
        `"none"`, `"temperature"` or `"isotonic"`.
    valid : float or str, default=None
        The share of the rows that decides on epochs and shares, a file of such rows, or `"none"`; `None`: 0.2.
    patience : int, default=None
        Epochs without a better validation after which training stops.
    early_stopping : bool, default=True
        Whether it stops then; the best weights are kept all the same.
    categorical : list of str, default=None
        Columns of numbers that are codes of categories.
    drop : list of str, default=None
        Columns to leave out.
    keep : bool, default=False
        Whether texts that are different in nearly every row are used, too.
    scale : str, default=None
        How numbers are scaled: `"none"`, `"standard"`, `"robust"`, `"minmax"`, `"quantile"`, `"smooth"` or `"normal"`.
    divide_by : float, default=None
        Divides all columns before any scaling: 255 for pictures.
    max_levels : int, default=None
        The most frequent levels of a category that have an input of their own.
    random_state : int, RandomState or None, default=0
        Where all randomness comes from.
    callbacks : callable or list of callables, default=None
        Called with the name of what happened (`"epoch"`, …) and a dict; one that returns true ends the training.
    verbose : bool, default=False
        Whether a line says how far the training is.
    n_jobs : int, default=None
        Threads; `None`: all cores, or `OMP_NUM_THREADS`.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The classes, in the order of the probabilities.
    record_ : dict
        How the model came about.
    history_ : list of dict
        The epochs of the main network.
    networks_ : list of dict
        The networks of the model and their shares.
    feature_importances_ : ndarray of shape (n_features,)
        What the model loses when the cells of a column change places.
    n_features_in_, feature_names_in_
        The columns.

    Examples
    --------
    >>> import numpy as np
    >>> from wxb import TableClassifier
    >>> rng = np.random.default_rng(0)
    >>> X = {"size": rng.normal(size=300), "city": rng.choice(["Oslo", "Bergen"], 300)}
    >>> y = np.where((X["size"] > 0) == (X["city"] == "Oslo"), "yes", "no")
    >>> model = TableClassifier(preset="mlp").fit(X, y)
    >>> model.score(X, y) > 0.9
    True
    >>> model.predict({"size": [2.0, 2.0], "city": ["Oslo", "Bergen"]}).tolist()
    ['yes', 'no']
    """

    classes_: Any

    def _task(self) -> str:
        return "classification"

    def _checked(self, y: Any) -> Any:
        _refuse_missing(y)
        _sklearn.check_classification_targets(y)
        return y

    def _learn_classes(self, y: Target, weights: Any) -> None:
        self.classes_ = np.unique(y.values if weights is None else y.values[weights > 0])
        if len(self.classes_) < 2:
            what = "y has" if weights is None else "sample_weight leaves rows of"
            raise ValueError(f"{what} one class, {self.classes_[0]!r}: a classifier needs two")

    def _label_type(self) -> str | None:
        kind = self.classes_.dtype
        is_told = kind.kind in "biufM" or (kind.kind == "O" and isinstance(self.classes_[0], str))
        return str(kind) if is_told else None

    def _cells(self, y: Target) -> Any:
        if y.values.dtype.kind in "iuf" and _are_exact(self.classes_):
            return np.ascontiguousarray(y.values, dtype=np.float64)
        return _frames.cells_of(
            np.array([_frames.text_of(value, "y") for value in y.values], dtype=object), "y"
        )

    def _take(self, model: Model) -> None:
        super()._take(model)
        labels = [_frames.text_of(label, "a class") for label in model.labels]
        if not hasattr(self, "classes_"):
            self.classes_ = np.unique(_as_given(model))
        places = {label: place for place, label in enumerate(labels)}
        # Where the columns of the engine's outputs are for classes_.
        self._order = [places[_frames.text_of(label, "a class")] for label in self.classes_]

    def predict_proba(self, X: Any) -> Any:
        """The probability of each class.

        Parameters
        ----------
        X : data frame, mapping of columns or array-like of shape (n_samples, n_features)
            The rows.

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
            In the order of `classes_`.
        """
        outputs = self._outputs(X)
        both = np.hstack([1.0 - outputs, outputs]) if outputs.shape[1] == 1 else outputs
        return both[:, self._order]

    def _with_classes(self, found: Contributions, classes: Any) -> Contributions:
        if self._order == [1, 0]:
            # The engine's second class is the first one here.
            values, predictions, expected = -found.values, 1 - found.predictions, 1 - found.expected
            found = found._replace(values=values, predictions=predictions, expected=expected)
            classes = 1 - classes
        places = np.argsort(self._order)[classes] if len(self._order) > 2 else classes
        return found._replace(classes=self.classes_[places])

    def _class_text(self, class_: Any) -> str | None:
        # The engine's second class may be the first one here.
        return super()._class_text(self.classes_[1] if class_ is None and len(self.classes_) == 2 else class_)

    def _class_at(self, place: Any) -> Any:
        return self.classes_[self._order.index(place)]

    def predict_log_proba(self, X: Any) -> Any:
        """The logarithms of the probabilities."""
        with np.errstate(divide="ignore"):
            return np.log(self.predict_proba(X))

    def decision_function(self, X: Any) -> Any:
        """The logits: of two classes one column, which is above 0 for the second one."""
        logits = self._outputs(X, logits=True)
        if logits.shape[1] == 1:
            sign = 1.0 if self._order == [0, 1] else -1.0
            return sign * logits[:, 0]
        logits = logits[:, self._order]
        return logits[:, 1] - logits[:, 0] if logits.shape[1] == 2 else logits

    def predict(self, X: Any) -> Any:
        """The most probable class.

        Parameters
        ----------
        X : data frame, mapping of columns or array-like of shape (n_samples, n_features)
            The rows.

        Returns
        -------
        ndarray of shape (n_samples,)
            Classes.
        """
        proba = self.predict_proba(X)
        return self.classes_[np.argmax(proba, axis=1)]


def _refuse_missing(y: Any) -> None:
    if y.dtype.kind == "f":
        if np.isinf(y).any():
            raise ValueError("Input y contains infinity or a value too large for float64.")
        missing = np.isnan(y)
    else:
        missing = np.array([_frames.is_missing(value) for value in y]) if y.dtype.kind == "O" else np.zeros(1)
    if missing.any():
        raise ValueError("Input y contains NaN: leave out the rows whose class is not known.")


def _are_exact(classes: Any) -> bool:
    """Whether the engine's numbers, of double precision, tell them apart."""
    return classes.dtype.kind not in "iu" or bool((np.abs(classes.astype(np.float64)) < 2.0**53).all())


def _as_given(model: Model) -> Any:
    """The classes of a file in the type of the labels that it was trained on; without a word about it whole numbers are integers."""
    labels, record = model.labels, json.loads(model.record)
    kind = record.get("label_type") if isinstance(record, dict) else None
    if kind is None:
        classes = np.asarray(labels)
        whole = classes.dtype.kind == "f" and bool((classes == np.floor(classes)).all())
        return classes.astype(np.int64) if whole else classes
    if kind == "bool":
        return np.array([label == "true" for label in labels])
    wanted = np.dtype(kind)
    return np.array([int(label) for label in labels] if wanted.kind in "iu" else labels, dtype=wanted)
