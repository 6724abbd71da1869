"""The README's Python runs, from the first block to the last."""

import re
from pathlib import Path

README = Path(__file__).parents[1] / "README.md"


def test_blocks(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    blocks = re.findall(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    assert len(blocks) == 4
    names = {}
    for block in blocks:
        exec(block, names)  # noqa: S102 - the page's own code
    assert names["history"].loss[-1] < 0.2 and (tmp_path / "net.wxb").exists()
    assert abs(names["w"] - [1, 2, 3]).max() < 0.01
    assert float(capsys.readouterr().out.split()[1]) < 1e-5
