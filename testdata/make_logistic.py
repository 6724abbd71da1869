"""Writes logistic/coefficients.json: what scikit-learn finds for regressions without hidden layers.

    pip install scikit-learn && python make_logistic.py

Every column is standardised first (population standard deviation; a constant column becomes 0). In wxb's terms the
objective is

    J = sum w_i loss_i / m + lambda/(2m) sum W^2,    m = sum w_i, b free.

scikit-learn's LogisticRegression minimises C sum w_i loss_i + 1/2 sum W^2, so lambda = 1/C; Ridge minimises
sum r^2 + alpha sum W^2, so lambda = alpha with loss 1/2 r^2; PoissonRegressor minimises the mean of the half
deviance + alpha/2 sum W^2, so lambda = alpha m.

Without L2 a separable problem has no optimum: the coefficients grow for ever and what a solver returns says only
where it stopped. All three classification tables are separable with all of their columns (the test that reads this
file finds a W that does it), so the runs without L2 use a few columns, and a linear program shows that no W separates
those.
"""

import json
from pathlib import Path

import numpy as np
import pandas
from scipy.optimize import linprog
from sklearn.linear_model import LinearRegression, LogisticRegression, PoissonRegressor, Ridge
from sklearn.preprocessing import StandardScaler

HERE = Path(__file__).parent
TARGETS = {"breast_cancer": "diagnosis", "wine": "cultivar", "diabetes": "progression", "digits": "y"}


def load(name):
    if name == "digits":
        arrays = np.load(HERE.parent / "examples" / "digits.npz")
        x = arrays["X"].reshape(len(arrays["X"]), -1)
        table = pandas.DataFrame(x.astype(float), columns=[str(j) for j in range(x.shape[1])])
        return table, arrays["y"]
    table = pandas.read_csv(HERE / "logistic" / f"{name}.csv.gz")
    return table.drop(columns=TARGETS[name]), table[TARGETS[name]].to_numpy()


def separable(x, y):
    """Whether some W, b, not all zero on the data, give every row a margin >= 0 against every other class."""
    classes, codes = np.unique(y, return_inverse=True)
    x1, k = np.column_stack([x, np.ones(len(x))]), len(classes)
    rows = []
    for row, code in zip(x1, codes):
        for other in set(range(k)) - {code}:
            margin = np.zeros((k, x1.shape[1]))
            margin[code], margin[other] = row, -row
            rows.append(margin.ravel())
    margins = np.array(rows)
    # Maximise the sum of the margins over |W| <= 1: above 0 exactly if a direction of escape exists.
    found = linprog(-margins.sum(axis=0), A_ub=-margins, b_ub=np.zeros(len(margins)), bounds=(-1, 1))
    return -found.fun > 1e-6


def digits10(values):
    return json.loads(json.dumps(np.asarray(values).tolist()), parse_float=lambda s: float(f"{float(s):.10g}"))


def largest_gradient(x, y, w, b, loss, lam, weights):
    """max |dJ/dW, dJ/db|, to show that scikit-learn's answer is the optimum."""
    z = x @ w + b
    if loss == "binary_cross_entropy":
        d = 1 / (1 + np.exp(-z)) - y[:, None]
    elif loss == "cross_entropy":
        e = np.exp(z - z.max(axis=1, keepdims=True))
        d = e / e.sum(axis=1, keepdims=True) - (y[:, None] == np.arange(z.shape[1]))
    else:
        d = (np.exp(z) if loss == "poisson" else z) - y[:, None]
    dz = d * weights[:, None] / weights.sum()
    return max(abs(x.T @ dz + lam / weights.sum() * w).max(), abs(dz.sum(axis=0)).max())


def fit(data, loss, lam, columns=None, balanced=False):
    table, y = load(data)
    table = table if columns is None else table[columns]
    x = StandardScaler().fit_transform(table.to_numpy())
    m, weights = len(y), np.ones(len(y))
    if loss in ("binary_cross_entropy", "cross_entropy"):
        classes, y = np.unique(y, return_inverse=True)
        assert lam > 0 or not separable(x, y), f"{data}: no optimum"
        if balanced:
            weights = (m / (len(classes) * np.bincount(y)))[y]
        # Newton's method converges quadratically: where another solver stops depends on the rounding of the machine's
        # BLAS, and moves a coefficient by 1e-6 of itself.
        model = LogisticRegression(
            C=1 / lam if lam else np.inf, tol=1e-13, max_iter=1000, solver="newton-cholesky",
            class_weight="balanced" if balanced else None,
        )  # fmt: skip
    elif loss == "squared_error":
        model = Ridge(alpha=lam, tol=1e-12) if lam else LinearRegression(tol=1e-12)
    else:
        model = PoissonRegressor(alpha=lam / m, tol=1e-10, max_iter=100_000, solver="newton-cholesky")
    model.fit(x, y)
    w, b = np.atleast_2d(model.coef_).T, np.atleast_1d(model.intercept_)
    scale = np.std(y) if loss == "squared_error" else 1.0
    gradient = largest_gradient(x, y, w, b, loss, lam, weights)
    print(f"{data} {loss} lambda {lam}: {w.shape}, largest coefficient {abs(w).max():.3g}, gradient {gradient:.1e}")
    assert gradient < 1e-12 * scale
    return {
        "data": data, "target": TARGETS[data], "columns": columns, "loss": loss, "lambda": lam,
        "balanced": balanced, "w": digits10(w), "b": digits10(b),
    }  # fmt: skip


def main():
    binary, softmax = "binary_cross_entropy", "cross_entropy"
    cases = [
        fit("breast_cancer", binary, 1.0),
        fit("breast_cancer", binary, 1.0, balanced=True),
        fit("breast_cancer", binary, 0.0, ["mean_radius", "mean_texture", "mean_smoothness", "mean_symmetry"]),
        fit("wine", softmax, 1.0),
        fit("wine", softmax, 0.0, ["alcohol", "ash", "magnesium", "hue"]),
        fit("digits", softmax, 1.0),
        fit("digits", softmax, 0.0, ["20", "28", "36", "42", "61"]),
        fit("diabetes", "squared_error", 0.0),
        fit("diabetes", "squared_error", 10.0),
        fit("diabetes", "poisson", 1.0),
    ]
    lines = ",\n".join(json.dumps(case, separators=(",", ":")) for case in cases)
    about = "Made by make_logistic.py with scikit-learn 1.9, which says what lambda is; w (inputs, outputs)."
    (HERE / "logistic" / "coefficients.json").write_text(f'{{"about": "{about}",\n"cases": [\n{lines}\n]}}\n')


main()
