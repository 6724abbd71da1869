"""MLPRegressor: a dense network that tells numbers."""

from __future__ import annotations

from typing import Any

import numpy as np

from . import _sklearn
from ._parameters import Rule, one_of
from ._perceptron import Perceptron

_LINKS = {"poisson": "exp"}
_LOSSES: dict[str, Any] = {
    "squared_error": "squared_error",
    "poisson": "poisson",
    "absolute_error": "absolute_error",
    "huber": {"huber": {"delta": 1.0}},
}


class MLPRegressor(_sklearn.RegressorMixin, Perceptron):
    """A dense network that tells numbers: scikit-learn's `MLPRegressor` on the engine of wxb.

    Parameters and attributes are those of scikit-learn, and some more. An X of float32 trains in float32, any other in
    float64. The rows of a sparse X become dense a batch at a time.

    Parameters
    ----------
    loss : str or dict, default="squared_error"
        `"squared_error"` or `"poisson"`; also `"absolute_error"` and `"huber"`, or `{"huber": {"delta": 0.5}}`.
    hidden_layer_sizes : array-like of int, default=(100,)
        The units of each hidden layer.
    activation : str or dict, default="relu"
        `"identity"`, `"logistic"`, `"tanh"` or `"relu"` as in scikit-learn; also `"leaky_relu"`, `"elu"`, `"selu"`,
        `"gelu"`, `"silu"`, `"mish"`, `"softplus"`. A dict sets a constant: `{"leaky_relu": {"slope": 0.2}}`.
    solver : str or dict, default="adam"
        `"lbfgs"`, `"sgd"` or `"adam"`; also `"adamw"`, `"rmsprop"`, `"momentum"`, `"nesterov"`.
    alpha : float, default=0.0001
        The L2 penalty: alpha / (2 m) times the sum of the squares of the weights, m the rows of a batch.
    batch_size : int or "auto", default="auto"
        Rows of a step; `"auto"`: 200, or all rows if they are fewer.
    learning_rate : str or dict, default="constant"
        `"constant"`, `"invscaling"` or `"adaptive"` (the latter two with `solver="sgd"`); also a schedule over the
        epochs: `"cosine"`, `"one_cycle"`, `"exponential"`, `"cosine_log"`, `"flat_cosine"`, or a dict:
        `{"cosine": {"warmup": 0.1}}`.
    learning_rate_init : float, default=0.001
        The learning rate at the start.
    power_t : float, default=0.5
        The exponent of `"invscaling"`.
    max_iter : int, default=200
        Epochs at the most; with L-BFGS iterations.
    shuffle : bool, default=True
        Whether each epoch has an order of its own.
    random_state : int, RandomState or None, default=None
        Draws weights, order and validation rows, the same as in scikit-learn.
    tol : float, default=1e-4
        An epoch that does not improve by so much counts as one without improvement. With L-BFGS: the largest
        component of the gradient at the end.
    verbose : bool, default=False
        Whether each epoch is printed.
    warm_start : bool, default=False
        Whether `fit` goes on from where the last one ended: weights, moments and learning rate.
    momentum : float, default=0.9
        Of `"sgd"`.
    nesterovs_momentum : bool, default=True
        Whether it is Nesterov's.
    early_stopping : bool, default=False
        Whether a part of the rows is set aside; their score decides when to stop, and the weights of the best epoch
        are kept.
    validation_fraction : float, default=0.1
        How large that part is.
    beta_1, beta_2, epsilon : float, default=0.9, 0.999, 1e-8
        Of Adam.
    n_iter_no_change : int, default=10
        Epochs without improvement before the end.
    max_fun : int, default=15000
        Evaluations that L-BFGS may spend.
    l1 : float, default=0.0
        The L1 penalty: l1 / m times the sum of the absolute weights. Not with L-BFGS.
    weight_decay : float or None, default=None
        Decoupled decay of the weights; None: 0.01 for `"adamw"`, else none.
    dropout : float, default=0.0
        The share of each hidden layer's outputs that a step leaves out. Not with L-BFGS.
    clip_norm : float or None, default=None
        Longer gradients are shortened to this length.
    initializer : str, dict or None, default=None
        None: scikit-learn's. Or `"he_normal"`, `"he_uniform"`, `"glorot_normal"`, `"glorot_uniform"`,
        `"lecun_normal"`, `"lecun_uniform"`, `"orthogonal"`, `"auto"` (by activation).
    callbacks : callable or list of callables, default=None
        Called after each epoch with a dict of `epoch`, `loss`, `validation_score` and `learning_rate`; True ends the
        training.
    n_jobs : int or None, default=None
        Threads; None: as many as `OMP_NUM_THREADS` says, or as there are cores.

    Attributes
    ----------
    loss_ : float
        The loss of the last epoch, penalties included.
    best_loss_ : float or None
        The lowest one; None with validation rows.
    loss_curve_ : list of float
        One for each epoch.
    validation_scores_ : list of float or None
        R² on the validation rows after each epoch.
    best_validation_score_ : float or None
        The highest one.
    t_ : int
        Examples seen.
    coefs_, intercepts_ : list of ndarray
        W and b of each layer.
    n_features_in_, n_iter_, n_layers_, n_outputs_ : int
        How many columns, epochs, layers (the inputs count) and outputs there are.
    feature_names_in_ : ndarray of str
        The names of the columns, where X has names.
    out_activation_ : str
        The link of the outputs: `"identity"` or `"exp"`.

    Examples
    --------
    >>> import numpy as np
    >>> from wxb import MLPRegressor
    >>> X = np.linspace(-1.0, 1.0, 50).reshape(-1, 1)
    >>> model = MLPRegressor(hidden_layer_sizes=(20,), solver="lbfgs", max_iter=1000, random_state=1)
    >>> bool(model.fit(X, X.ravel() ** 2).score(X, X.ravel() ** 2) > 0.99)
    True
    """

    def __init__(
        self,
        loss: Any = "squared_error",
        hidden_layer_sizes: Any = (100,),
        activation: Any = "relu",
        *,
        solver: Any = "adam",
        alpha: float = 0.0001,
        batch_size: Any = "auto",
        learning_rate: Any = "constant",
        learning_rate_init: float = 0.001,
        power_t: float = 0.5,
        max_iter: int = 200,
        shuffle: bool = True,
        random_state: Any = None,
        tol: float = 1e-4,
        verbose: Any = False,
        warm_start: bool = False,
        momentum: float = 0.9,
        nesterovs_momentum: bool = True,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-8,
        n_iter_no_change: Any = 10,
        max_fun: int = 15000,
        l1: float = 0.0,
        weight_decay: float | None = None,
        dropout: float = 0.0,
        clip_norm: float | None = None,
        initializer: Any = None,
        callbacks: Any = None,
        n_jobs: int | None = None,
    ) -> None:
        self.loss = loss
        self.hidden_layer_sizes = hidden_layer_sizes
        self.activation = activation
        self.solver = solver
        self.alpha = alpha
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.learning_rate_init = learning_rate_init
        self.power_t = power_t
        self.max_iter = max_iter
        self.shuffle = shuffle
        self.random_state = random_state
        self.tol = tol
        self.verbose = verbose
        self.warm_start = warm_start
        self.momentum = momentum
        self.nesterovs_momentum = nesterovs_momentum
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon
        self.n_iter_no_change = n_iter_no_change
        self.max_fun = max_fun
        self.l1 = l1
        self.weight_decay = weight_decay
        self.dropout = dropout
        self.clip_norm = clip_norm
        self.initializer = initializer
        self.callbacks = callbacks
        self.n_jobs = n_jobs

    @_sklearn.with_callbacks
    def fit(self, X: Any, y: Any, sample_weight: Any = None, validation_data: Any = None) -> MLPRegressor:
        """Train on all rows.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            The inputs.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            The targets.
        sample_weight : array-like of shape (n_samples,), default=None
            The weights of the rows.
        validation_data : tuple (X, y) or (X, y, sample_weight), default=None
            Rows whose score decides when to stop, in place of a part of X.

        Returns
        -------
        MLPRegressor
            The estimator itself.
        """
        self._fit(X, y, sample_weight, validation_data)
        return self

    @_sklearn.available_if(Perceptron._check_solver)
    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None) -> MLPRegressor:
        """Train for one epoch on some rows.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            The inputs.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            The targets.
        sample_weight : array-like of shape (n_samples,), default=None
            The weights of the rows.

        Returns
        -------
        MLPRegressor
            The estimator itself.
        """
        self._fit(X, y, sample_weight, incremental=True)
        return self

    def predict(self, X: Any) -> Any:
        """The targets of each row.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            The inputs.

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_outputs)
            The predictions.
        """
        outputs = self._outputs(X)
        return outputs.ravel() if outputs.shape[1] == 1 else outputs

    # -- what the outputs mean ----------------------------------------------------------------------------------

    def _own_rules(self) -> dict[str, Rule]:
        return {"loss": one_of(*_LOSSES, mapping=True)}

    def _validated(self, X: Any, y: Any, incremental: bool, reset: bool) -> tuple[Any, Any]:
        X, y = _sklearn.validate_data(
            self,
            X,
            y,
            accept_sparse=["csr", "csc"],
            multi_output=True,
            y_numeric=True,
            dtype=(np.float64, np.float32),
            reset=reset,
        )
        y = _numbers(y)
        if y.ndim == 2 and y.shape[1] == 1:
            y = _sklearn.column_or_1d(y, warn=True)
        return X, y

    def _checked_targets(self, y: Any) -> Any:
        return _numbers(np.asarray(y))

    def _targets(self, y: Any, dtype: Any) -> Any:
        return np.ascontiguousarray(y.reshape(len(y), -1), dtype=dtype)

    def _class_weighted(self, Y: Any, sample_weight: Any) -> Any:
        return sample_weight

    def _outputs_of(self, Y: Any) -> int:
        return int(Y.shape[1])

    def _link(self) -> str:
        return _LINKS.get(self.loss, "identity") if isinstance(self.loss, str) else "identity"

    def _loss(self) -> Any:
        return _LOSSES[self.loss] if isinstance(self.loss, str) else dict(self.loss)

    def _strata(self, Y: Any) -> Any:
        return None


def _numbers(y: Any) -> Any:
    """Targets of finite numbers."""
    if y.dtype.kind == "O":
        y = y.astype(np.float64)
    if y.dtype.kind not in "fiub":
        raise ValueError(f"y is of {y.dtype}: targets are real numbers")
    if not np.isfinite(y).all():
        raise ValueError(f"Input y contains {'NaN' if np.isnan(y).any() else 'infinity'}.")
    return y
