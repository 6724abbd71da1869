"""What MLPClassifier and MLPRegressor share: training as scikit-learn's, in the engine."""

from __future__ import annotations

import json
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np

from . import _html, _random, _sklearn
from . import _parameters as parameters
from ._callbacks import Tasks, tasks_of
from ._wxb import Learner

_PRECISIONS = {np.dtype(np.float32): "f32", np.dtype(np.float64): "f64"}


class Perceptron(_sklearn.CallbackSupportMixin, _html.Shown, _sklearn.BaseEstimator):
    """The part of both estimators that does not know what the outputs mean."""

    # -- weights ------------------------------------------------------------------------------------------------

    @property
    def coefs_(self) -> list[Any]:
        """W₁, W₂, …: what is changed in them counts from then on."""
        return self._weights_out()[0]

    @coefs_.setter
    def coefs_(self, coefs: list[Any]) -> None:
        self._given = (coefs, self.__dict__.get("_given", (None, None))[1])

    @property
    def intercepts_(self) -> list[Any]:
        """b₁, b₂, …."""
        return self._weights_out()[1]

    @intercepts_.setter
    def intercepts_(self, intercepts: list[Any]) -> None:
        self._given = (self.__dict__.get("_given", (None, None))[0], intercepts)

    @property
    def _optimizer(self) -> Learner:
        """Where scikit-learn keeps `learning_rate`."""
        return self._trained()

    def _weights_out(self) -> tuple[list[Any], list[Any]]:
        """The weights as arrays, made once; from then on they are what counts."""
        given = self.__dict__.get("_given")
        if given is None:
            flat, sizes = self._trained().flat(), self._sizes
            coefs, intercepts, start = [], [], 0
            for n_in, n_out in pairwise(sizes):
                coefs.append(flat[start : start + n_in * n_out].reshape(n_in, n_out))
                start += n_in * n_out
                intercepts.append(flat[start : start + n_out])
                start += n_out
            given = self._given = (coefs, intercepts)
        return given

    def _trained(self) -> Learner:
        try:
            return self.__dict__["_learner"]  # type: ignore[no-any-return]
        except KeyError:
            name = type(self).__name__
            raise AttributeError(f"{name!r} object has no such attribute before it is fitted") from None

    def _has_weights(self) -> bool:
        return "_learner" in self.__dict__ or "_given" in self.__dict__

    def _sync(self) -> Learner:
        """The learner with the weights that were handed out, or put in."""
        learner: Learner | None = self.__dict__.get("_learner")
        if learner is None:
            raise _sklearn.not_fitted(self)
        if "_given" in self.__dict__:
            pairs = zip(*self._given, strict=True)
            flat = np.concatenate([np.ravel(part) for pair in pairs for part in pair])
            learner.set_flat(flat.astype(self._dtype(), copy=False))
        return learner

    def _dtype(self) -> Any:
        return np.float32 if self._trained().precision == "f32" else np.float64

    # -- training -----------------------------------------------------------------------------------------------

    def _fit(
        self,
        X: Any,
        y: Any,
        sample_weight: Any = None,
        validation_data: Any = None,
        incremental: bool = False,
    ) -> Any:
        parameters.check_parameters(self, {**parameters.PERCEPTRON, **self._own_rules()})
        if incremental and (self.early_stopping or validation_data is not None):
            raise ValueError("partial_fit does not support early_stopping=True")
        sizes = self._hidden_sizes()
        first_pass = not self._has_weights() or (not self.warm_start and not incremental)
        X, y = self._validated(X, y, incremental, first_pass)
        X = self._in_precision(X, first_pass)
        Y = self._targets(y, X.dtype)
        weights = self._row_weights(Y, sample_weight, X)
        self.n_outputs_ = self._outputs_of(Y)
        random_state = _sklearn.check_random_state(self.random_state)
        if first_pass:
            self._start([X.shape[1], *sizes, self.n_outputs_], X.dtype, random_state)
        elif "_learner" not in self.__dict__:
            self._learner = self._new_learner([X.shape[1], *sizes, self.n_outputs_], X.dtype, None, 0)
        tasks = None if incremental else tasks_of(self, X, y, sample_weight, int(self.max_iter))
        self._train(X, Y, weights, validation_data, random_state, incremental, tasks)
        if tasks is not None:
            tasks.finish()
        return self

    def _hidden_sizes(self) -> list[int]:
        sizes = self.hidden_layer_sizes
        sizes = list(sizes) if hasattr(sizes, "__iter__") else [sizes]
        if np.any(np.array(sizes) <= 0):
            raise ValueError(f"hidden_layer_sizes must be > 0, got {sizes}.")
        return [int(size) for size in sizes]

    def _in_precision(self, X: Any, first_pass: bool) -> Any:
        """X in the precision of weights that are there."""
        return X if first_pass or "_learner" not in self.__dict__ else X.astype(self._dtype(), copy=False)

    def _row_weights(self, Y: Any, sample_weight: Any, X: Any) -> Any:
        if sample_weight is not None:
            sample_weight = _checked_weights(sample_weight, X)
        weights = self._class_weighted(Y, sample_weight)
        return None if weights is None else np.ascontiguousarray(weights, dtype=X.dtype)

    def _start(self, sizes: list[int], dtype: Any, random_state: np.random.RandomState) -> None:
        """Weights as before any training."""
        self.n_iter_, self.n_layers_, self.out_activation_ = 0, len(sizes), self._link()
        self.__dict__.pop("_given", None)
        if self.initializer is None:
            flat = _random.first_weights(sizes, self.activation, random_state)
            self._learner = self._new_learner(sizes, dtype, flat, 0)
        else:
            seed = int(random_state.randint(2**31 - 1))
            self._learner = self._new_learner(sizes, dtype, None, seed)
        if self.solver != "lbfgs":
            self.loss_curve_: list[float] = []
            self.validation_scores_: list[float] | None = None

    def _new_learner(self, sizes: list[int], dtype: Any, flat: Any, seed: int) -> Learner:
        self._sizes = sizes
        return Learner(
            _PRECISIONS[np.dtype(dtype)],
            parameters.layers(sizes, parameters.activation(self.activation), self.dropout),
            json.dumps(self._loss()),
            json.dumps(parameters.optimizer(self)),
            self.learning_rate_init,
            flat,
            parameters.initializer(self.initializer or "auto"),
            seed,
        )

    def _train(
        self,
        X: Any,
        Y: Any,
        weights: Any,
        validation_data: Any,
        random_state: Any,
        incremental: bool,
        tasks: Tasks | None,
    ) -> None:
        is_full = self.solver == "lbfgs"
        if is_full and validation_data is not None:
            raise ValueError(
                "validation_data is for solvers that go through the data in epochs, not for lbfgs"
            )
        if is_full and self.dropout > 0:
            raise ValueError(
                "dropout and lbfgs exclude each other: L-BFGS needs the same network in each step"
            )
        early = (self.early_stopping or validation_data is not None) and not is_full
        rows: tuple[Any, Any] = (None, None)
        valid = None
        if validation_data is not None:
            valid = self._validation_part(*parameters.validation(validation_data, weighted=True))
        elif early:
            rows = self._split(X.shape[0], Y, random_state)
        n_train = X.shape[0] if rows[0] is None else len(rows[0])
        plan = self._plan(n_train, random_state, incremental)
        twister = _random.twister(random_state) if self.shuffle and not is_full else None
        if self.shuffle and not is_full and twister is None:
            random_state = np.random.RandomState(random_state.randint(2**31 - 1))
            twister = _random.twister(random_state)
        learner = self._sync()
        self.__dict__.pop("_given", None)
        outcome = learner.fit(
            json.dumps(plan),
            (rows_of(X), Y, weights),
            valid,
            rows,
            twister,
            parameters.threads(self.n_jobs),
            self._listener(tasks),
        )
        if outcome[4] is not None:
            _random.put_back(random_state, outcome[4])
        self._record(outcome, early, incremental)

    def _plan(self, n_rows: int, random_state: Any, incremental: bool) -> dict[str, Any]:
        batch = self.batch_size
        if batch == "auto":
            batch = min(200, n_rows)
        elif batch > n_rows and self.solver != "lbfgs":
            _sklearn.warn(
                "Got `batch_size` less than 1 or larger than sample size. It is going to be clipped"
            )
        unlimited = self.n_iter_no_change == np.inf
        return {
            "optimizer": parameters.optimizer(self),
            "lr": self.learning_rate_init,
            "rate": parameters.rate(self),
            "epochs": 1 if incremental else int(self.max_iter),
            "goes_on": bool(self.warm_start) and not incremental,
            "batch": int(min(batch, n_rows)),
            "l2": float(self.alpha),
            "l1": float(self.l1),
            "weight_decay": self.weight_decay,
            "clip_norm": self.clip_norm,
            "seed": self._seed_of_masks(random_state),
            "tol": float(self.tol),
            "patience": None if unlimited else int(self.n_iter_no_change),
            "max_fun": int(self.max_fun),
            "epsilon_hat": self.solver == "adam",
        }

    def _seed_of_masks(self, random_state: Any) -> int:
        """A training that goes on draws its masks as one that was not broken off."""
        if self.dropout == 0:
            return 0
        if not (self.warm_start and "_masks" in self.__dict__):
            self._masks = int(random_state.randint(2**31 - 1))
        return self._masks

    def _split(self, n_rows: int, Y: Any, random_state: Any) -> tuple[Any, Any]:
        train, valid = _sklearn.train_test_split(
            np.arange(n_rows, dtype=np.uint32),
            random_state=random_state,
            test_size=self.validation_fraction,
            stratify=self._strata(Y),
        )
        if len(valid) < 2:
            raise ValueError(
                "The validation set is too small. Increase 'validation_fraction' or the size of your dataset."
            )
        return train, valid

    def _validation_part(self, X: Any, y: Any, sample_weight: Any = None) -> Any:
        X = self._checked(X)
        Y = self._targets(self._checked_targets(y), X.dtype)
        if Y.shape != (X.shape[0], self._targets_of_a_row()):
            raise ValueError(
                f"validation_data has {X.shape[0]} rows in X, and y of shape {Y.shape}: y needs a row for each, of "
                f"{self._targets_of_a_row()} as in training"
            )
        if sample_weight is not None:
            sample_weight = np.ascontiguousarray(_checked_weights(sample_weight, X), dtype=X.dtype)
            if not sample_weight.any():
                raise ValueError(
                    "the weights in validation_data are zero in all rows: there is none to judge by"
                )
        return (rows_of(X), Y, sample_weight)

    def _targets_of_a_row(self) -> int:
        return int(self.n_outputs_)

    # -- what came of it ----------------------------------------------------------------------------------------

    def _listener(self, tasks: Tasks | None) -> Any:
        """What is called after each epoch, if anybody listens, and whether it looks at the weights: prints, and asks the callbacks
        whether to stop."""
        callbacks = self.callbacks or []
        callbacks = [callbacks] if callable(callbacks) else list(callbacks)
        if not self.verbose and not callbacks and tasks is None:
            return None
        last_rate = [self._trained().learning_rate]
        after = _Epochs(self, tasks) if tasks is not None else None

        def on_epoch(
            epoch: int, loss: float, score: float | None, rate: float, goes_on: bool, weights: Any
        ) -> bool:
            if self.verbose:
                print(f"Iteration {epoch}, loss = {loss:.8f}")
                if score is not None:
                    print(f"Validation score: {score:f}")
                if self.learning_rate == "adaptive" and rate != last_rate[0]:
                    print(f"Setting learning rate to {rate:f}")
                last_rate[0] = rate
            record = {"epoch": epoch, "loss": loss, "validation_score": score, "learning_rate": rate}
            stops = [bool(callback(record)) for callback in callbacks]  # each is called
            if after is not None:
                stops.append(after.epoch(loss, weights, goes_on and not any(stops)))
            return any(stops)

        return on_epoch, after is not None

    def _record(self, outcome: Any, early: bool, incremental: bool) -> None:
        losses, scores, end, words, _ = outcome
        learner = self._learner
        self.n_iter_, self.t_, self._no_improvement_count = len(losses), learner.seen, learner.stale
        if losses:
            self.loss_ = losses[-1]
        if self.solver == "lbfgs":
            if end in ("epochs", "evaluations"):
                self._warn_of_lbfgs(end)
        else:
            self.loss_curve_ = [*self.__dict__.get("loss_curve_", []), *losses]
            best_loss, best_score = learner.best
            kept = self.__dict__.get("validation_scores_") or []
            self.validation_scores_ = [*kept, *scores] if early else None
            self.best_validation_score_ = best_score if early else None
            self.best_loss_ = None if early else best_loss
            if end == "epochs" and not incremental:
                _sklearn.warn(
                    f"Stochastic Optimizer: Maximum iterations ({self.max_iter}) reached and the optimization "
                    "hasn't converged yet.",
                    _sklearn.ConvergenceWarning,
                )
        if end == "interrupted":
            _sklearn.warn("Training interrupted by user.")
        if end == "tolerance" and self.verbose:
            print(f"No improvement of more than tol={self.tol:f}. Stopping.")
        if (end == "diverged" and not early) or not learner.is_finite:
            raise ValueError(
                "Solver produced non-finite parameter weights. The input data may contain large values and need "
                f"to be preprocessed. What is not finite first: {words or 'a weight'}."
            )

    def _warn_of_lbfgs(self, end: str) -> None:
        limit = "ITERATIONS" if end == "epochs" else "F,G EVALUATIONS"
        _sklearn.warn(
            f"lbfgs failed to converge after {self.n_iter_} iteration(s) (status=1):\n"
            f"STOP: TOTAL NO. OF {limit} REACHED LIMIT\n\n"
            "Increase the number of iterations to improve the convergence "
            f"(max_iter={self.max_iter}).\n"
            "You might also want to scale the data.",
            _sklearn.ConvergenceWarning,
        )

    def _came_of_it(self) -> str:
        if not self._has_weights() or not hasattr(self, "loss_"):
            return ""
        score = self.__dict__.get("best_validation_score_")
        rows = [
            ("layers", " → ".join(map(str, self._sizes))),
            ("parameters", f"{sum((n_in + 1) * n_out for n_in, n_out in pairwise(self._sizes)):,}"),
            ("epochs", self.n_iter_),
            ("loss", f"{self.loss_:.4g}"),
            *([] if score is None else [("best validation score", f"{score:.4g}")]),
        ]
        return _html.table(rows) + _html.losses(self.__dict__.get("loss_curve_", []))

    # -- prediction ---------------------------------------------------------------------------------------------

    def _outputs(self, X: Any, what: str = "predict") -> Any:
        """Outputs, or places of classes, of X. An array of finite numbers of the network's precision goes straight to the engine,
        which looks at each number anyway; anything else is checked as scikit-learn checks it, with its messages."""
        state = self.__dict__
        if type(X) is np.ndarray and "_given" not in state and "feature_names_in_" not in state:
            learner = state.get("_learner")
            if learner is not None:
                jobs = self.n_jobs
                outputs = getattr(learner, what)(X, threads=0 if jobs is None else parameters.threads(jobs))
                if outputs is not None:
                    return outputs
        learner = self._sync()
        X = self._checked(X)
        outputs = getattr(learner, what)(rows_of(X), threads=parameters.threads(self.n_jobs))
        if outputs is None:
            raise ValueError("Input X contains NaN or infinity at the precision of the network.")
        return outputs

    def _checked(self, X: Any) -> Any:
        """X as an array or sparse matrix of the network's precision."""
        X = _sklearn.validate_data(self, X, accept_sparse=["csr", "csc"], reset=False)
        return X.astype(self._dtype(), copy=False)

    def _check_solver(self) -> bool:
        if self.solver == "lbfgs":
            raise AttributeError(
                f"partial_fit is only available for stochastic optimizers. {self.solver} is not stochastic."
            )
        return True

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags


class _Epochs:
    """The epochs of a fit as tasks of scikit-learn's callbacks."""

    def __init__(self, estimator: Perceptron, tasks: Tasks) -> None:
        self.estimator = estimator
        self.tasks = tasks
        self.name = "lbfgs-iter" if estimator.solver == "lbfgs" else "epoch"
        self.before = list(estimator.__dict__.get("loss_curve_", []))
        self.losses: list[float] = []
        tasks.begin(self.name, self._attributes(estimator._trained().flat()))

    def epoch(self, loss: float, weights: Any, goes_on: bool) -> bool:
        """After an epoch; whether a callback asks for an end."""
        self.losses.append(loss)
        return self.tasks.pass_on(self.name, self._attributes(weights), goes_on=goes_on)

    def _attributes(self, weights: Any) -> Callable[[], dict[str, Any]]:
        """What would be there if the fit ended with these weights."""
        losses = list(self.losses)

        def attributes() -> dict[str, Any]:
            of = self.estimator
            learner = of._new_learner(of._sizes, weights.dtype, weights.astype(np.float64, copy=False), 0)
            found: dict[str, Any] = {"_learner": learner, "n_iter_": len(losses)}
            if losses:
                found["loss_"] = losses[-1]
            return found if of.solver == "lbfgs" else {**found, "loss_curve_": [*self.before, *losses]}

        return attributes


def _checked_weights(sample_weight: Any, X: Any) -> Any:
    """One weight for each row, none of them negative."""
    weights = _sklearn.check_weights(sample_weight, X)
    if np.any(weights < 0):
        raise ValueError("Negative values in data passed to `sample_weight`.")
    return weights


def rows_of(X: Any) -> Any:
    """X as the engine takes it: an array as it is; of a sparse matrix the compressed rows, whose batches alone become dense."""
    if isinstance(X, np.ndarray):
        return X
    rows = X.tocsr()
    return (
        np.ascontiguousarray(rows.indptr, dtype=np.int64),
        np.ascontiguousarray(rows.indices, dtype=np.int32),
        np.ascontiguousarray(rows.data),
        rows.shape[1],
    )
