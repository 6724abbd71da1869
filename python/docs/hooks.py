"""Notebooks as pages of the site: text and code; what the code prints and draws is seen when they are run."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File, Files


def on_files(files: Files, config: Any) -> Files:
    """Puts a page beside each notebook, with a link to the notebook itself."""
    for file in [file for file in files if file.src_uri.endswith(".ipynb")]:
        text = page_of(Path(file.abs_src_path))
        files.append(File.generated(config, file.src_uri.removesuffix(".ipynb") + ".md", content=text))
    return files


def page_of(notebook: Path) -> str:
    """The cells of a notebook as Markdown; the link stands below the heading."""
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    first, *others = (_cell(cell) for cell in cells)
    heading, _, rest = first.partition("\n")
    link = f"[This page is a notebook]({notebook.name}): run it to see what it prints and draws."
    return "\n\n".join([heading, link, rest.strip(), *others]) + "\n"


def _cell(cell: Any) -> str:
    source = "".join(cell["source"])
    return f"```python\n{source}\n```" if cell["cell_type"] == "code" else source
