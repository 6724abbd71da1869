"""LogisticRegression: logistic and softmax regression with L2 and L1 penalties."""

from __future__ import annotations

from typing import Any

import numpy as np

from . import _classes, _penalty, _sklearn
from ._callbacks import Tasks, tasks_of
from ._parameters import (
    BOOLEAN,
    JOBS,
    RANDOM_STATE,
    VERBOSE,
    Rule,
    check_parameters,
    either,
    number,
    one_of,
    threads,
)
from ._perceptron import rows_of
from ._wxb import linear_scores, logistic

_RULES: dict[str, Rule] = {
    "penalty": either(
        one_of("l1", "l2", "elasticnet", "deprecated"), (lambda penalty: penalty is None, "None")
    ),
    "C": number(0, closed="right"),
    "l1_ratio": number(0, 1, none=True),
    "dual": BOOLEAN,
    "tol": number(0, closed="left"),
    "fit_intercept": BOOLEAN,
    "intercept_scaling": number(0, closed="neither"),
    "class_weight": (
        lambda rule: rule is None or isinstance(rule, dict) or rule == "balanced",
        "a dict, 'balanced' or None",
    ),
    "random_state": RANDOM_STATE,
    "solver": one_of(*_penalty.SOLVERS),
    "max_iter": number(0, closed="left", integral=True),
    "verbose": VERBOSE,
    "warm_start": BOOLEAN,
    "n_jobs": JOBS,
}

#: What scikit-learn's callbacks know an iteration of Newton's method as.
_ITERATION = "newton-iter"


class LogisticRegression(_sklearn.CallbackSupportMixin, _sklearn.ClassifierMixin, _sklearn.BaseEstimator):
    """Logistic regression, of several classes softmax regression: scikit-learn's on the engine of wxb.

    All solvers of scikit-learn are accepted, and one method answers to all of their names: Newton's, in float64; with many columns
    products take the place of its matrix. What a name stands for besides is kept: which penalties it takes, and that
    `"liblinear"` penalises the intercept.

    Parameters
    ----------
    penalty : {"l1", "l2", "elasticnet"} or None, default="deprecated"
        The form up to scikit-learn 1.7; since then `l1_ratio` and `C` say the same.
    C : float, default=1.0
        The inverse of the strength of the penalty; `np.inf`: none.
    l1_ratio : float, default=0.0
        The share of L1: 0 is L2, 1 is L1, between them is the elastic net.
    dual : bool, default=False
        Accepted for `"liblinear"`; the solution is the same.
    tol : float, default=1e-4
        The largest component of the gradient that counts as 0.
    fit_intercept : bool, default=True
        Whether there is an intercept.
    intercept_scaling : float, default=1
        With `"liblinear"`: the value of the column whose weight is the intercept; the larger, the less it is penalised.
    class_weight : dict, "balanced" or None, default=None
        The weight of each class; `"balanced"`: all classes weigh the same.
    random_state : int, RandomState or None, default=None
        Accepted; nothing is drawn.
    solver : str, default="lbfgs"
        `"lbfgs"`, `"liblinear"`, `"newton-cg"`, `"newton-cholesky"`, `"sag"` or `"saga"`.
    max_iter : int, default=100
        Iterations at the most.
    verbose : int, default=0
        Accepted.
    warm_start : bool, default=False
        Whether `fit` begins with the coefficients of the last one.
    n_jobs : int or None, default=None
        Threads; None: as many as `OMP_NUM_THREADS` says, or as there are cores.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The classes.
    coef_ : ndarray of shape (1, n_features) or (n_classes, n_features)
        The weights.
    intercept_ : ndarray of shape (1,) or (n_classes,)
        The intercepts.
    n_features_in_ : int
        How many columns X has.
    feature_names_in_ : ndarray of str
        Their names, where X has names.
    n_iter_ : ndarray of shape (1,)
        How many iterations there were.

    Examples
    --------
    >>> import numpy as np
    >>> from wxb import LogisticRegression
    >>> X = np.array([[0.0], [1.0], [2.0], [3.0]])
    >>> model = LogisticRegression().fit(X, [0, 0, 1, 1])
    >>> model.predict([[0.2], [2.9]]).tolist()
    [0, 1]
    """

    def __init__(
        self,
        penalty: Any = "deprecated",
        *,
        C: float = 1.0,
        l1_ratio: float | None = 0.0,
        dual: bool = False,
        tol: float = 1e-4,
        fit_intercept: bool = True,
        intercept_scaling: float = 1,
        class_weight: Any = None,
        random_state: Any = None,
        solver: str = "lbfgs",
        max_iter: int = 100,
        verbose: Any = 0,
        warm_start: bool = False,
        n_jobs: int | None = None,
    ) -> None:
        self.penalty = penalty
        self.C = C
        self.l1_ratio = l1_ratio
        self.dual = dual
        self.tol = tol
        self.fit_intercept = fit_intercept
        self.intercept_scaling = intercept_scaling
        self.class_weight = class_weight
        self.random_state = random_state
        self.solver = solver
        self.max_iter = max_iter
        self.verbose = verbose
        self.warm_start = warm_start
        self.n_jobs = n_jobs

    @_sklearn.with_callbacks
    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> LogisticRegression:
        """Find the coefficients.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            The inputs.
        y : array-like of shape (n_samples,)
            The classes.
        sample_weight : array-like of shape (n_samples,), default=None
            The weights of the rows.

        Returns
        -------
        LogisticRegression
            The estimator itself.
        """
        check_parameters(self, _RULES)
        strength = _penalty.strength(self)
        X, y = _sklearn.validate_data(
            self,
            X,
            y,
            accept_sparse="csr",
            dtype=(np.float64, np.float32),
            accept_large_sparse=self.solver not in ("liblinear", "sag", "saga"),
        )
        _sklearn.check_classification_targets(y)
        self.classes_ = np.unique(y)
        _penalty.check_classes(self, X)
        Y = _classes.targets(y, self.classes_, False, np.float64).ravel()
        if sample_weight is not None:
            sample_weight = np.asarray(_sklearn.check_weights(sample_weight, X), dtype=np.float64)
        weights = _classes.row_weights(self.class_weight, self.classes_, Y, sample_weight)
        weights = np.ones(len(Y)) if weights is None else weights
        if not weights.sum() > 0:
            raise ValueError("there is no row of a weight above 0 to learn from")
        # As in scikit-learn: one for each iteration, and one in which it turns out that there is nothing left to do.
        tasks = tasks_of(self, X, y, sample_weight, max(self.max_iter, 1) + 1)
        self._solve(X, Y, weights, strength, tasks)
        if tasks is not None:
            tasks.finish()
        return self

    def _solve(
        self, X: Any, Y: Any, weights: Any, strength: tuple[float, float], tasks: Tasks | None
    ) -> None:
        n, d = (1 if len(self.classes_) == 2 else len(self.classes_)), X.shape[1]
        scaling = float(self.intercept_scaling) if self.solver == "liblinear" else None
        start = self._start(n, d, scaling)
        dtype = np.float64 if self.solver == "liblinear" else X.dtype
        done = 0

        def fitted(theta: Any, n_iter: int) -> dict[str, Any]:
            coef, intercept = self._coefficients(theta, (n, d), scaling, strength)
            coef, intercept = (np.ascontiguousarray(part, dtype=dtype) for part in (coef, intercept))
            return {"coef_": coef, "intercept_": intercept, "n_iter_": np.array([n_iter], dtype=np.int32)}

        def on_iteration(theta: Any) -> bool:
            nonlocal done
            done += 1
            assert tasks is not None
            return tasks.pass_on(_ITERATION, fitted(theta, done))

        if tasks is not None:
            tasks.begin(_ITERATION, fitted(start, 0))
        rows = rows_of(X)
        if isinstance(rows, tuple):
            rows = (*rows[:2], rows[2].astype(np.float64, copy=False), rows[3])
        theta, n_iter, largest, end = logistic(
            rows,
            Y,
            np.ascontiguousarray(weights, dtype=np.float64),
            start,
            strength,
            bool(self.fit_intercept),
            scaling,
            (float(self.tol), int(self.max_iter)),
            threads(self.n_jobs),
            None if tasks is None else on_iteration,
        )
        if tasks is not None and n_iter == 0:
            tasks.pass_on(_ITERATION, fitted(start, 0))
        attributes = fitted(theta, n_iter)
        self.coef_, self.intercept_ = attributes["coef_"], attributes["intercept_"]
        self.n_iter_ = attributes["n_iter_"]
        if end == "iterations":
            _penalty.warn_of_iterations(self, largest)

    def _coefficients(
        self, theta: Any, shape: tuple[int, int], scaling: float | None, strength: tuple[float, float]
    ) -> tuple[Any, Any]:
        """W (n, d) and b (n)."""
        n, d = shape
        coef, intercept = theta[: d * n].reshape(d, n).T, theta[d * n :] * (scaling or 1.0)
        if n > 1 and self.solver != "liblinear":
            # Softmax does not change with a number that all classes have in common; the symmetric solution is the one of least
            # length, which L2 has chosen already, to its tolerance.
            intercept = intercept - intercept.mean()
            if strength[1] == 0:
                coef = coef - coef.mean(axis=0)
        return coef, intercept

    def _start(self, n: int, d: int, scaling: float | None) -> Any:
        theta = np.zeros(d * n + n)
        before = self.__dict__.get("coef_")
        if self.warm_start and before is not None and scaling is None:
            if before.shape != (n, d):
                raise ValueError(f"Initialization coef is of shape {before.shape}, expected shape {(n, d)}")
            coef = before.toarray() if hasattr(before, "toarray") else before
            theta[: d * n] = coef.T.ravel()
            if self.fit_intercept:
                theta[d * n :] = self.intercept_
        return theta

    # -- prediction ---------------------------------------------------------------------------------------------

    def decision_function(self, X: Any) -> Any:
        """X Wᵀ + b: of two classes, how much the second is favoured.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            The inputs.

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_classes)
            Scores.
        """
        scores = self._few(X, "scores")
        scores = self._scores(X) if scores is None else scores
        return scores.ravel() if scores.shape[1] == 1 else scores

    def _few(self, X: Any, output: str) -> Any:
        """What the engine says to a few rows in an array of its precision; `None` to anything else, and before `fit`."""
        state = self.__dict__
        if type(X) is np.ndarray and "feature_names_in_" not in state and "coef_" in state:
            return linear_scores(X, state["coef_"], state["intercept_"], output)
        return None

    def _scores(self, X: Any) -> Any:
        if "coef_" not in self.__dict__:
            raise _sklearn.not_fitted(self)
        X = _sklearn.validate_data(self, X, accept_sparse="csr", reset=False)
        product = X @ self.coef_.T
        if hasattr(product, "toarray"):
            product = product.toarray()
        return product + self.intercept_

    def predict(self, X: Any) -> Any:
        """The class of each row.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            The inputs.

        Returns
        -------
        ndarray of shape (n_samples,)
            The classes.
        """
        places = self._few(X, "classes")
        if places is not None:
            return self.classes_[places]
        scores = self._scores(X)
        return self.classes_[
            (scores[:, 0] > 0).astype(int) if scores.shape[1] == 1 else scores.argmax(axis=1)
        ]

    def predict_proba(self, X: Any) -> Any:
        """The probability of each class.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            The inputs.

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
            Probabilities in the order of `classes_`.
        """
        probabilities = self._few(X, "probabilities")
        if probabilities is not None:
            return probabilities
        z = self._scores(X)
        if z.shape[1] == 1:
            e = np.exp(-np.abs(z))
            likely, unlikely = 1 / (1 + e), e / (1 + e)
            positive = z >= 0
            return np.hstack([np.where(positive, unlikely, likely), np.where(positive, likely, unlikely)])
        e = np.exp(z - z.max(axis=1, keepdims=True))
        return e / e.sum(axis=1, keepdims=True)

    def predict_log_proba(self, X: Any) -> Any:
        """The logarithm of the probability of each class.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            The inputs.

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
            Logarithms in the order of `classes_`.
        """
        with np.errstate(divide="ignore"):
            return np.log(self.predict_proba(X))

    def sparsify(self) -> LogisticRegression:
        """Keep the weights as a sparse matrix.

        Returns
        -------
        LogisticRegression
            The estimator itself.
        """
        from scipy.sparse import csr_matrix

        if "coef_" not in self.__dict__:
            raise _sklearn.not_fitted(self)
        self.coef_ = csr_matrix(self.coef_)
        return self

    def densify(self) -> LogisticRegression:
        """Keep the weights as an array.

        Returns
        -------
        LogisticRegression
            The estimator itself.
        """
        if "coef_" not in self.__dict__:
            raise _sklearn.not_fitted(self)
        if hasattr(self.coef_, "toarray"):
            self.coef_ = self.coef_.toarray()
        return self

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.classifier_tags.multi_class = self.solver != "liblinear"
        return tags
