"""MLPClassifier: a dense network that tells classes."""

from __future__ import annotations

from typing import Any

import numpy as np

from . import _classes, _sklearn
from ._parameters import Rule, number
from ._perceptron import Perceptron


class MLPClassifier(_sklearn.ClassifierMixin, Perceptron):
    """A dense network that tells classes: scikit-learn's `MLPClassifier` on the engine of wxb.

    Parameters and attributes are those of scikit-learn, and some more. An X of float32 trains in float32, any other in
    float64. The rows of a sparse X become dense a batch at a time.

    Parameters
    ----------
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
    label_smoothing : float, default=0.0
        The share of the target that is spread over all classes.
    class_weight : dict, "balanced" or None, default=None
        The weight of each class; `"balanced"`: all classes weigh the same.
    callbacks : callable or list of callables, default=None
        Called after each epoch with a dict of `epoch`, `loss`, `validation_score` and `learning_rate`; True ends the
        training.
    n_jobs : int or None, default=None
        Threads; None: as many as `OMP_NUM_THREADS` says, or as there are cores.

    Attributes
    ----------
    classes_ : ndarray
        The classes, in the order of the columns of `predict_proba`.
    loss_ : float
        The loss of the last epoch, penalties included.
    best_loss_ : float or None
        The lowest one; None with validation rows.
    loss_curve_ : list of float
        One for each epoch.
    validation_scores_ : list of float or None
        The accuracy on the validation rows after each epoch.
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
        The link of the outputs: `"logistic"` or `"softmax"`.

    Examples
    --------
    >>> import numpy as np
    >>> from wxb import MLPClassifier
    >>> X = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
    >>> y = np.array(["no", "yes", "yes", "no"])
    >>> model = MLPClassifier((16,), solver="lbfgs", random_state=1).fit(X, y)
    >>> model.predict(X).tolist()
    ['no', 'yes', 'yes', 'no']
    """

    def __init__(
        self,
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
        label_smoothing: float = 0.0,
        class_weight: Any = None,
        callbacks: Any = None,
        n_jobs: int | None = None,
    ) -> None:
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
        self.label_smoothing = label_smoothing
        self.class_weight = class_weight
        self.callbacks = callbacks
        self.n_jobs = n_jobs

    @_sklearn.with_callbacks
    def fit(self, X: Any, y: Any, sample_weight: Any = None, validation_data: Any = None) -> MLPClassifier:
        """Train on all rows.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            The inputs.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            The classes, or a matrix of labels.
        sample_weight : array-like of shape (n_samples,), default=None
            The weights of the rows.
        validation_data : tuple (X, y) or (X, y, sample_weight), default=None
            Rows whose score decides when to stop, in place of a part of X.

        Returns
        -------
        MLPClassifier
            The estimator itself.
        """
        self._fit(X, y, sample_weight, validation_data)
        return self

    @_sklearn.available_if(Perceptron._check_solver)
    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None, classes: Any = None) -> MLPClassifier:
        """Train for one epoch on some rows.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            The inputs.
        y : array-like of shape (n_samples,)
            The classes.
        sample_weight : array-like of shape (n_samples,), default=None
            The weights of the rows.
        classes : array-like of shape (n_classes,), default=None
            All classes that will ever be seen; needed in the first call.

        Returns
        -------
        MLPClassifier
            The estimator itself.
        """
        known = getattr(self, "classes_", None)
        if known is None and classes is None:
            raise ValueError("classes must be passed on the first call to partial_fit.")
        if classes is not None:
            classes = _sklearn.unique_labels(classes)
            if known is None:
                self._labels = _classes.is_labels(y)
                self.classes_ = classes
            elif not np.array_equal(known, classes):
                raise ValueError(
                    f"`classes={classes!r}` is not the same as on last call to partial_fit, was: {known!r}"
                )
        self._fit(X, y, sample_weight, incremental=True)
        return self

    def predict(self, X: Any) -> Any:
        """The class of each row, or its labels.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            The inputs.

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_classes)
            The classes.
        """
        if self.__dict__.get("_labels"):
            labels = (self._outputs(X) > 0.5).astype(int)
            sparse = self.__dict__.get("_sparse")
            return labels if sparse is None else sparse(labels)
        places = self._outputs(X, "classes")
        return self.classes_[places if len(self.classes_) > 1 else 0 * places]

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
        outputs = self._outputs(X)
        return np.hstack([1 - outputs, outputs]) if outputs.shape[1] == 1 else outputs

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
        probabilities = self.predict_proba(X)
        with np.errstate(divide="ignore"):
            return np.log(probabilities, out=probabilities)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags

    # -- what the outputs mean ----------------------------------------------------------------------------------

    def _own_rules(self) -> dict[str, Rule]:
        weights = (
            lambda rule: rule is None or rule == "balanced" or isinstance(rule, dict),
            "a dict, 'balanced' or None",
        )
        return {"label_smoothing": number(0, 1, closed="left"), "class_weight": weights}

    def _validated(self, X: Any, y: Any, incremental: bool, reset: bool) -> tuple[Any, Any]:
        X, y = _sklearn.validate_data(
            self,
            X,
            y,
            accept_sparse=["csr", "csc"],
            multi_output=True,
            dtype=(np.float64, np.float32),
            reset=reset,
        )
        if y.ndim == 2 and y.shape[1] == 1:
            y = _sklearn.column_or_1d(y, warn=True)
        if not hasattr(self, "classes_") or (not self.warm_start and not incremental):
            self.classes_ = _classes.classes_of(y)
            self._labels = _classes.is_labels(y)
            # Labels go out as they came in.
            self._sparse = type(y) if hasattr(y, "tocsr") else None
            return X, y
        classes = _classes.classes_of(y)
        if self.warm_start and set(classes) != set(self.classes_):
            raise ValueError(
                "warm_start can only be used where `y` has the same classes as in the previous call to fit. Previously "
                f"got {self.classes_}, `y` has {classes}"
            )
        self._refuse_others(classes)
        return X, y

    def _refuse_others(self, classes: Any) -> None:
        if len(np.setdiff1d(classes, self.classes_, assume_unique=True)):
            raise ValueError(
                f"`y` has classes not in `self.classes_`. `self.classes_` has {self.classes_}. 'y' has {classes}."
            )

    def _targets_of_a_row(self) -> int:
        return int(self.n_outputs_) if self._labels else 1

    def _checked_targets(self, y: Any) -> Any:
        y = y if hasattr(y, "tocsr") else np.asarray(y)
        self._refuse_others(_classes.classes_of(y))
        return y

    def _targets(self, y: Any, dtype: Any) -> Any:
        return _classes.targets(y, self.classes_, self._labels, dtype)

    def _class_weighted(self, Y: Any, sample_weight: Any) -> Any:
        if self.class_weight is not None and self._labels:
            raise ValueError("class_weight is for one class a row, not for several labels")
        return _classes.row_weights(self.class_weight, self.classes_, Y, sample_weight)

    def _outputs_of(self, Y: Any) -> int:
        return int(Y.shape[1]) if self._labels or len(self.classes_) <= 2 else len(self.classes_)

    def _link(self) -> str:
        return "logistic" if self._labels or len(self.classes_) <= 2 else "softmax"

    def _loss(self) -> Any:
        name = "cross_entropy" if self._link() == "softmax" else "binary_cross_entropy"
        return {name: {"label_smoothing": self.label_smoothing}}

    def _strata(self, Y: Any) -> Any:
        # As scikit-learn: of two classes each keeps its share.
        return Y > 0.5 if self.n_outputs_ == 1 else None
