from __future__ import annotations

import pytest
from scikit_learn import not_applicable


@pytest.fixture
def global_random_seed() -> int:
    """The seed of scikit-learn's own tests where none is asked for."""
    return 42


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "thread_unsafe: a mark of scikit-learn's tests")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """scikit-learn's own tests that are not about what wxb promises are skipped, with the reason."""
    reasons = {f"test_sklearn{name.removeprefix('test')}": of for name, of in not_applicable().items()}
    for item in items:
        of_module = reasons.get(item.path.stem, {})
        reason = of_module.get(item.name) or of_module.get(item.name.split("[")[0])
        if reason:
            item.add_marker(pytest.mark.skip(reason=reason))
