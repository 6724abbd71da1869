"""Optimizers as objects with their state, and schedules of the learning rate.

Examples
--------
>>> import numpy as np
>>> from wxb import optim
>>> w, adam = np.zeros(3), optim.Adam(lr=0.1)
>>> for _ in range(300):
...     adam.step([w], [w - [1.0, 2.0, 3.0]])  # the gradient of ½ Σ (w − c)²
>>> bool(np.allclose(w, [1.0, 2.0, 3.0], atol=1e-3))
True
"""

from __future__ import annotations

from . import schedules
from ._lbfgs import LBFGS, Minimum
from ._rules import SGD, Adam, AdamW, Momentum, Nesterov, Optimizer, RMSProp

__all__ = [
    "LBFGS",
    "SGD",
    "Adam",
    "AdamW",
    "Minimum",
    "Momentum",
    "Nesterov",
    "Optimizer",
    "RMSProp",
    "schedules",
]
