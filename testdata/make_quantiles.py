"""Writes quantiles.json: columns, and what scikit-learn's quantile transformation to a normal distribution makes of them.

    python3 -m venv venv && venv/bin/pip install "scikit-learn==1.9.*"
    venv/bin/python testdata/make_quantiles.py
"""
import json
import pathlib

import numpy as np
from sklearn.preprocessing import QuantileTransformer

rng = np.random.default_rng(0)
smooth = rng.normal(3, 2, 400)
columns = {
    "no value twice": (smooth, 13),
    "counts, many of them equal": (rng.poisson(2, 500).astype(float), 16),
    "a value of half the rows in the middle": (np.concatenate([smooth[:200], np.full(200, 3.25)]), 13),
    "all rows a knot": (np.arange(10.0) ** 2, 10),
    "far from 0": (1e9 + rng.exponential(1e6, 90), 10),
}
cases = []
for name, (column, knots) in columns.items():
    fitted = QuantileTransformer(n_quantiles=knots, output_distribution="normal", subsample=None).fit(column[:, None])
    at = fitted.quantiles_[:, 0]
    span = at[-1] - at[0]
    x = np.concatenate([at, (at[1:] + at[:-1]) / 2, at[:-1] + 0.01 * np.diff(at), column[:40],
                        [at[0] - span, at[-1] + span, at[0] + 1e-4 * span, at[-1] - 1e-4 * span]])
    z = fitted.transform(x[:, None])[:, 0]
    cases.append({"name": name, "at": at.tolist(), "x": x.tolist(), "z": z.tolist()})
path = pathlib.Path(__file__).parent / "quantiles.json"
path.write_text("[\n" + ",\n".join(json.dumps(case) for case in cases) + "\n]\n")
