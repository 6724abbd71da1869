"""How LogisticRegression's penalty is asked for, in the forms of scikit-learn before and since 1.8; its messages."""

from __future__ import annotations

from typing import Any

import numpy as np

from . import _sklearn

SOLVERS = ("lbfgs", "liblinear", "newton-cg", "newton-cholesky", "sag", "saga")
#: Since this version of scikit-learn `l1_ratio` and `C` say it all.
_L1_RATIO_ALONE = (1, 8)

_HOW = (
    "Increase the number of iterations to improve the convergence (max_iter={max_iter}).\n"
    "You might also want to scale the data as shown in:\n"
    "    https://scikit-learn.org/stable/modules/preprocessing.html\n"
    "Please also refer to the documentation for alternative solver options:\n"
    "    https://scikit-learn.org/stable/modules/linear_model.html#logistic-regression"
)
_NOT_CONVERGED = {
    "lbfgs": (
        "lbfgs failed to converge after {n_iter} iteration(s) (status=1):\n"
        "STOP: TOTAL NO. OF ITERATIONS REACHED LIMIT\n\n" + _HOW
    ),
    "newton-cg": "newton-cg failed to converge at a gradient of {largest}. Increase the number of iterations.",
    "newton-cholesky": "Newton solver did not converge after {n_iter} iterations.",
    "liblinear": "Liblinear failed to converge, increase the number of iterations.",
    "sag": "The max_iter was reached which means the coef_ did not converge",
    "saga": "The max_iter was reached which means the coef_ did not converge",
}


def strength(estimator: Any) -> tuple[float, float]:
    """λ₂ and λ₁ of ½ λ₂ Σ W² + λ₁ Σ |W| beside Σ ℓ."""
    penalty = _penalty_of(estimator)
    _check_solver(estimator.solver, penalty, estimator.dual)
    _check_ratio(estimator, penalty)
    if estimator.penalty is None or estimator.C == np.inf:
        return 0.0, 0.0
    ratio = {"l2": 0.0, "l1": 1.0}.get(penalty or "l2", estimator.l1_ratio)
    return (1.0 - ratio) / estimator.C, ratio / estimator.C


def _penalty_of(estimator: Any) -> str | None:
    ratio = estimator.l1_ratio
    if estimator.penalty != "deprecated":
        if _sklearn.VERSION >= _L1_RATIO_ALONE:
            _sklearn.warn(
                "'penalty' was deprecated in version 1.8 and will be removed in 1.10. To avoid this warning, leave "
                "'penalty' set to its default value and use 'l1_ratio' or 'C' instead. Use l1_ratio=0 instead of "
                "penalty='l2', l1_ratio=1 instead of penalty='l1', l1_ratio set to a float between 0 and 1 instead of "
                "penalty='elasticnet', and C=np.inf instead of penalty=None.",
                FutureWarning,
            )
        penalty: str | None = estimator.penalty
        return penalty
    if ratio is None and _sklearn.VERSION >= _L1_RATIO_ALONE:
        _sklearn.warn(
            "'l1_ratio=None' was deprecated in version 1.8 and will trigger an error in 1.10. Use 0<=l1_ratio<=1 instead.",
            FutureWarning,
        )
    if estimator.C == np.inf:
        return None
    if ratio is None or ratio == 0:
        return "l2"
    return "l1" if ratio == 1 else "elasticnet"


def _check_solver(solver: str, penalty: str | None, dual: bool) -> None:
    if solver not in ("liblinear", "saga") and penalty not in ("l2", None):
        raise ValueError(f"Solver {solver} supports only 'l2' or None penalties, got {penalty} penalty.")
    if solver != "liblinear" and dual:
        raise ValueError(f"Solver {solver} supports only dual=False, got dual={dual}")
    if penalty == "elasticnet" and solver != "saga":
        raise ValueError(f"Only 'saga' solver supports elasticnet penalty, got solver={solver}.")
    if solver == "liblinear" and penalty is None:
        raise ValueError("C=np.inf as well as penalty=None is not supported for the liblinear solver")


def _check_ratio(estimator: Any, penalty: str | None) -> None:
    given, ratio = estimator.penalty, estimator.l1_ratio
    if penalty != "elasticnet" and ratio is not None and 0 < ratio < 1:
        _sklearn.warn(
            f"l1_ratio parameter is only used when penalty is 'elasticnet'. Got (penalty={penalty})"
        )
    inconsistent = (given == "l2" and ratio != 0) or (given == "l1" and ratio != 1)
    if inconsistent and _sklearn.VERSION >= _L1_RATIO_ALONE:
        _sklearn.warn(
            f"Inconsistent values: penalty={given} with l1_ratio={ratio}. penalty is deprecated. Please use l1_ratio only."
        )
    if penalty == "elasticnet" and ratio is None:
        raise ValueError("l1_ratio must be specified when penalty is elasticnet.")
    if given is None and estimator.C != 1.0:
        _sklearn.warn("Setting penalty=None will ignore the C and l1_ratio parameters")


def check_classes(estimator: Any, X: Any) -> None:
    """Whether there are as many classes as the solver takes."""
    classes = estimator.classes_
    if estimator.solver == "liblinear":
        if len(classes) > 2:
            raise ValueError(
                "The 'liblinear' solver does not support multiclass classification (n_classes >= 3). Either use another "
                "solver or wrap the estimator in a OneVsRestClassifier to keep applying a one-versus-rest scheme."
            )
        if X.max() > 1e30:
            raise ValueError(
                "Using the 'liblinear' solver while X contains a maximum value > 1e30 results in a frozen fit. Please "
                "choose another solver or rescale the input X."
            )
    if len(classes) < 2:
        raise ValueError(
            "This solver needs samples of at least 2 classes in the data, but the data contains only one class: "
            f"{classes[0]!r}"
        )


def warn_of_iterations(estimator: Any, largest: float) -> None:
    """That the iterations were too few."""
    words = _NOT_CONVERGED[estimator.solver].format(
        n_iter=int(estimator.n_iter_[0]), max_iter=estimator.max_iter, largest=largest
    )
    _sklearn.warn(words, _sklearn.ConvergenceWarning)
