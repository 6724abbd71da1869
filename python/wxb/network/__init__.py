"""The explicit level: parameters, passes, gradients and steps are arrays to look at and to change."""

from __future__ import annotations

from ._cache import Cache, Gradients, LayerOfCache
from ._check import GradCheck, TensorCheck
from ._fit import EpochRecord, History
from ._network import Network

__all__ = [
    "Cache",
    "EpochRecord",
    "GradCheck",
    "Gradients",
    "History",
    "LayerOfCache",
    "Network",
    "TensorCheck",
]
