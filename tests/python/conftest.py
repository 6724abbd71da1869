"""The `wxb` binary as a function."""

import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
WXB = os.environ.get("WXB", ROOT / "target/release/wxb")


@pytest.fixture
def wxb(tmp_path):
    """Runs `wxb ARGUMENTS` in an empty folder and gives what it prints; a failure shows its messages."""

    def run(*arguments):
        command = [WXB, *map(str, arguments)]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=300)
        assert done.returncode == 0, f"wxb {' '.join(map(str, arguments))}: {done.returncode}\n{done.stderr}"
        return done.stdout

    return run
