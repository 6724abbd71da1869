"""Dense networks on tables: W·x + b, layer after layer."""

from ._wxb import __version__

__all__ = ["__version__"]
