from __future__ import annotations

import pytest


@pytest.fixture
def global_random_seed() -> int:
    """The seed of scikit-learn's own tests where none is asked for."""
    return 42


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "thread_unsafe: a mark of scikit-learn's tests")
