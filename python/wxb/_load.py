"""Models from files."""

from __future__ import annotations

import os
from typing import Any

from ._wxb import Model


def load(path: str | os.PathLike[str]) -> Any:
    """A model from a .wxb file, which `save` or the command `wxb train` has written.

    Parameters
    ----------
    path : str or path
        The file.

    Returns
    -------
    TableClassifier, TableRegressor or Network
        Ready to predict; a Network if the model takes numbers as they are.

    Notes
    -----
    The parameters of a table's estimator are those that the training was asked for, so that another `fit` on the same rows gives
    the same model. What only the command can be asked for, such as a file of validation rows or of initial weights, is no parameter.
    """
    model = Model.read(os.fspath(path))
    if not model.inputs:
        from .network import Network

        return Network.load(path)
    if model.task == "regression":
        from ._table_regressor import TableRegressor

        return TableRegressor._of_file(model)
    from ._table_classifier import TableClassifier

    return TableClassifier._of_file(model)
