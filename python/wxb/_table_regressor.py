"""TableRegressor: numbers from the columns of a frame."""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from . import _sklearn
from ._tables import Table, Target


class TableRegressor(_sklearn.RegressorMixin, Table):
    """The best network for a table, chosen and trained as `wxb train` does: raw columns in, numbers with intervals out.

    Every parameter has the meaning of the command's flag of that name; `None` is its default. Those that are not listed here
    are those of :class:`TableClassifier`.

    Parameters
    ----------
    preset : str, default=None
        `"auto"`, `"linear"`, `"mlp"`, `"deep"`, `"realmlp"`, `"realmlp_s"`, `"tabm"` or `"tabm_mini"`.
    metric : str, default=None
        The metric that decides which epoch is the best, such as `"mae"`; `None`: the loss.
    time_budget : float or str, default=None
        Seconds, or a text such as `"5m"`, that training may take.
    loss : str, default=None
        `"squared_error"`, `"absolute_error"`, `"huber"`, `"poisson"` or `"quantile"`.
    quantiles : list of float, default=None
        Levels to predict, such as `[0.05, 0.5, 0.95]`; they do not cross.
    random_state : int, RandomState or None, default=0
        Where all randomness comes from.

    Attributes
    ----------
    record_, history_, networks_, feature_importances_, n_features_in_, feature_names_in_
        As those of :class:`TableClassifier`.

    Examples
    --------
    >>> import numpy as np
    >>> from wxb import TableRegressor
    >>> rng = np.random.default_rng(0)
    >>> X = {"size": rng.uniform(50, 150, 300), "city": rng.choice(["Oslo", "Bergen"], 300)}
    >>> y = 10 * X["size"] + np.where(X["city"] == "Oslo", 300, 0)
    >>> model = TableRegressor(preset="linear").fit(X, y)
    >>> model.score(X, y) > 0.99
    True
    >>> interval = model.predict_interval({"size": [100.0], "city": ["Oslo"]}, coverage=0.9)
    >>> interval.shape
    (1, 2)
    """

    def _task(self) -> str:
        return "regression"

    def _checked(self, y: Any) -> Any:
        if y.dtype.kind == "c":
            raise ValueError("Complex data not supported: y is complex")
        if y.dtype.kind in "mM":
            raise ValueError(f"y holds {y.dtype}: a target is a number, such as the days since a date")
        y = y.astype(np.float64)
        if not np.isfinite(y).all():
            what = "NaN" if np.isnan(y).any() else "infinity or a value too large for float64"
            raise ValueError(f"Input y contains {what}.")
        return y

    def _cells(self, y: Target) -> Any:
        return np.ascontiguousarray(y.values)

    def predict(self, X: Any) -> Any:
        """The numbers, in the unit of the target.

        Parameters
        ----------
        X : data frame, mapping of columns or array-like of shape (n_samples, n_features)
            The rows.

        Returns
        -------
        ndarray of shape (n_samples,), or (n_samples, n_quantiles)
            One number for each row, or one for each level of `quantiles`.
        """
        outputs = self._outputs(X)
        return outputs[:, 0] if outputs.shape[1] == 1 else outputs

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """R²; with several quantiles that of the one next to the median.

        Parameters
        ----------
        X, y : rows
            What to predict, and what came.
        sample_weight : array-like of shape (n_samples,), default=None
            How much each row counts.

        Returns
        -------
        float
        """
        predicted = self.predict(X)
        if predicted.ndim == 2:
            levels = json.loads(self.model_.loss)["quantile"]["levels"]
            predicted = predicted[:, int(np.argmin(np.abs(np.asarray(levels) - 0.5)))]
        target = self._target(y, len(predicted)).values
        return float(_sklearn.r2_score(target, predicted, sample_weight=sample_weight))

    def predict_interval(self, X: Any, *, coverage: float = 0.9) -> Any:
        """Intervals that hold the truth as often as promised, for rows like those of the training (split conformal).

        Parameters
        ----------
        X : data frame, mapping of columns or array-like of shape (n_samples, n_features)
            The rows.
        coverage : float, default=0.9
            The share of intervals that hold the truth.

        Returns
        -------
        ndarray of shape (n_samples, 2)
            Lower and upper ends.
        """
        if not 0 < coverage < 1:
            raise ValueError(
                f"coverage={coverage!r}: the share of intervals that hold the truth lies between 0 and 1"
            )
        half_width = self.model_.half_width(coverage)
        middle = self._outputs(X)
        return np.hstack([middle - half_width, middle + half_width])
