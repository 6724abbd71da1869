"""The code on the pages runs: the two README.md, docs/*.md and the notebooks.

- The ```python blocks of a page run in order, in one namespace, in a folder of their own with the examples.
- A ```text block right after one is what it prints; UPDATE_PAGES=1 writes it anew.
- A line `wxb …` of a ```sh block is run where the variable WXB names the program.
- A ```py block is code of another library and is not run.
- What a page imports has to be there: else the page is skipped, with the name of what is missing. A block that needs a newer version
  of what is there is left out.
"""

from __future__ import annotations

import ast
import contextlib
import importlib.util
import io
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any, NamedTuple

import pytest

import wxb

PACKAGE = Path(__file__).resolve().parents[1]
DOCS = PACKAGE / "docs"
EXAMPLES = PACKAGE.parent / "examples"
PAGES = [PACKAGE.parent / "README.md", PACKAGE / "README.md", *sorted(DOCS.glob("*.md"))]
NOTEBOOKS = sorted((DOCS / "notebooks").glob("*.ipynb"))

#: The name of a page, or of a notebook, in the list of tests.
name_of = {path: str(path.relative_to(PACKAGE.parent)) for path in [*PAGES, *NOTEBOOKS]}.get

BLOCK = re.compile(r"^```(python|sh|text)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


class Block(NamedTuple):
    """A block of a page: its language, its text and the line of the page that the text begins in, from 0."""

    language: str
    text: str
    line: int
    span: tuple[int, int]


def blocks_of(page: str) -> list[Block]:
    return [
        Block(found[1], found[2], page[: found.start(2)].count("\n"), found.span(2))
        for found in BLOCK.finditer(page)
    ]


def missing(code: str) -> list[str]:
    """What the code imports and is not installed; `wxb.plot` draws by matplotlib."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module.partition(".")[0])
            if node.module == "wxb" and any(alias.name == "plot" for alias in node.names):
                names.add("matplotlib")
    return sorted(name for name in names if importlib.util.find_spec(name) is None)


def is_too_new(code: str) -> bool:
    """Whether it imports a part of an installed package that this version of it does not have."""
    found = [node for node in ast.walk(ast.parse(code)) if isinstance(node, ast.ImportFrom)]
    return any(node.module is not None and importlib.util.find_spec(node.module) is None for node in found)


def skip_without(modules: list[str]) -> None:
    if modules:
        pytest.skip(f"not installed: {', '.join(modules)}")


@pytest.mark.parametrize("path", PAGES, ids=name_of)
def test_blocks_run(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = path.read_text(encoding="utf-8")
    blocks = blocks_of(page)
    skip_without(missing("\n".join(block.text for block in blocks if block.language == "python")))
    shutil.copytree(EXAMPLES, tmp_path / "examples")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MPLBACKEND", "Agg")
    namespace: dict[str, Any] = {"__name__": "__page__"}
    printed, fresh, written = "", page, 0
    for before, block in zip([None, *blocks], blocks, strict=False):
        if block.language == "python":
            printed = "" if is_too_new(block.text) else run(path, block, namespace)
        elif block.language == "sh":
            run_commands(block.text)
        elif before is not None and before.language == "python" and between(page, before, block) == "":
            if os.environ.get("UPDATE_PAGES"):
                start, end = (place + written for place in block.span)
                fresh = fresh[:start] + printed + fresh[end:]
                written += len(printed) - (end - start)
            else:
                assert printed == block.text, (
                    f"{name_of(path)}:{block.line}: UPDATE_PAGES=1 writes what is printed"
                )
    if fresh != page:
        path.write_text(fresh, encoding="utf-8")


def between(page: str, before: Block, block: Block) -> str:
    """What stands between two blocks."""
    return page[before.span[1] : block.span[0]].replace("```text", "").replace("```", "").strip()


def run(path: Path, block: Block, namespace: dict[str, Any]) -> str:
    """Runs a block and gives what it prints; its line numbers are those of the page."""
    code = compile("\n" * block.line + block.text, str(path), "exec")
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()) as out:
        warnings.simplefilter("ignore")
        exec(code, namespace)  # noqa: S102 - the page's own code
    return out.getvalue()


def run_commands(text: str) -> None:
    program = os.environ.get("WXB")
    if program is None:
        return
    for line in text.splitlines():
        if line.startswith("wxb "):
            command = [program, *shlex.split(line.removeprefix("wxb "), comments=True)]
            subprocess.run(command, check=True, capture_output=True)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=name_of)
def test_notebooks_run(path: Path) -> None:
    skip_without(
        [name for name in ("nbclient", "ipykernel", "matplotlib") if importlib.util.find_spec(name) is None]
    )
    import nbformat
    from nbclient import NotebookClient

    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    # The notebooks find the examples from where they are.
    NotebookClient(notebook, timeout=120, resources={"metadata": {"path": str(path.parent)}}).execute()


@pytest.mark.parametrize("path", NOTEBOOKS, ids=name_of)
def test_notebooks_are_kept_without_outputs(path: Path) -> None:
    for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
        assert cell["cell_type"] == "markdown" or (cell["outputs"], cell["execution_count"]) == ([], None)


def test_the_reference_has_every_public_name() -> None:
    reference = "\n".join(page.read_text(encoding="utf-8") for page in (DOCS / "api").glob("*.md"))
    asked = set(re.findall(r"^::: wxb\.(\w+)", reference, re.MULTILINE))
    assert set(wxb.__all__) - asked == {"__version__"}


def test_the_reference_has_every_setting_of_a_training() -> None:
    page = (DOCS / "api" / "tables.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`(\w+)`", page))
    assert wxb.TableClassifier().get_params().keys() - named == set()


def test_the_site_builds(tmp_path: Path) -> None:
    skip_without(
        [name for name in ("mkdocs", "mkdocstrings", "material") if importlib.util.find_spec(name) is None]
    )
    build = [
        "-m",
        "mkdocs",
        "build",
        "--strict",
        "--quiet",
        "-f",
        str(PACKAGE / "mkdocs.yml"),
        "-d",
        str(tmp_path),
    ]
    result = subprocess.run([sys.executable, *build], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr
    fetched = re.compile(r"""<(?:script|link|img)[^>]+(?:src|href)=["']?https?:""")
    for page in tmp_path.rglob("*.html"):
        assert not fetched.search(page.read_text(encoding="utf-8")), f"{page} loads something from elsewhere"
