"""Networks as files, copies and pickles."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path
from typing import Any, TypeVar

from .. import _wxb
from .._settings import in_json
from ._base import Base

N = TypeVar("N", bound="Files")


class Files(Base):
    """What a network writes, and how it comes back."""

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write a model file, which the program ``wxb`` reads, too.

        The file is written under another name and renamed when it is whole. Model files hold one target;
        pickle keeps any network.
        """
        record = {"network": {"orientation": self._orientation, "seed": self.seed, "steps": self._steps}}
        content = _wxb.model_bytes(self._engine, self._flat, in_json(record))
        target = Path(path)
        descriptor, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            Path(name).chmod(0o666 & ~_umask())
            Path(name).replace(target)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise

    @classmethod
    def load(
        cls: type[N],
        path: str | os.PathLike[str],
        *,
        part: str | None = None,
        orientation: str | None = None,
    ) -> N:
        """The network of a model file.

        Parameters
        ----------
        path : path
            What :meth:`save` or the program ``wxb`` has written.
        part : str, optional
            Which network, of a model that has several or prepares its inputs: X is then what the preparation
            gives.
        orientation : str, optional
            ``"rows"`` or ``"columns"``; as it was saved, unless it is given.

        Raises
        ------
        ValueError
            For a file that is no model, or a model whose network takes prepared inputs and is not named.

        Examples
        --------
        >>> import tempfile
        >>> from pathlib import Path
        >>> from wxb import Network
        >>> net = Network([2, 3, 1], loss="poisson", seed=1)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     net.save(Path(folder) / "net.wxb")
        ...     again = Network.load(Path(folder) / "net.wxb")
        >>> bool((again.flat == net.flat).all())
        True
        """
        engine, flat, as_they_are, record = _wxb.network_of_model(Path(path).read_bytes(), part)
        if part is None and not as_they_are:
            raise ValueError(
                "the model prepares its inputs; name the network as `part` to have it without that"
            )
        saved = json.loads(record)
        saved = saved.get("network", {}) if isinstance(saved, dict) else {}
        network = cls.__new__(cls)
        network._build(engine, flat, saved.get("seed", 0), orientation or saved.get("orientation", "rows"))
        network._steps = saved.get("steps", 0)
        return network

    def copy(self: N) -> N:
        """A network with parameters of its own."""
        other = type(self).__new__(type(self))
        other.__setstate__(self.__getstate__())
        return other

    def __copy__(self: N) -> N:
        return self.copy()

    def __deepcopy__(self: N, memo: Any) -> N:
        return self.copy()

    def __getstate__(self) -> dict[str, Any]:
        return {
            "layers": self._engine.layers,
            "loss": self._engine.loss,
            "flat": self._flat.copy(),
            "seed": self.seed,
            "orientation": self._orientation,
            "steps": self._steps,
            "threads": self.threads,
        }

    def __setstate__(self, state: dict[str, Any]) -> None:
        engine = _wxb.Engine(state["layers"], state["loss"])
        self._build(engine, state["flat"], state["seed"], state["orientation"])
        self._steps = state["steps"]
        self.threads = state.get("threads")


def _umask() -> int:
    """The permissions that new files do not get; it can be read only by setting it."""
    mask = os.umask(0o077)
    os.umask(mask)
    return mask
