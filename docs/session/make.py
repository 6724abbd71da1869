"""Draws session.svg: what a terminal shows after a real run of wxb.

Run: pip install pyte && cargo build --release && python docs/session/make.py      (from the repository's root)
"""
import fcntl
import html
import os
import pathlib
import pty
import re
import select
import struct
import subprocess
import tempfile
import termios

import pyte

COMMAND = "wxb train examples/titanic.csv --target survived"
COLUMNS, ROWS = 144, 80
CELL_W, CELL_H, MARGIN = 8.4, 19, 18
ROOT = pathlib.Path(__file__).resolve().parents[2]
COLOURS = {
    "default": "#d6d9e0", "black": "#5c6370", "red": "#f07178", "green": "#a5d6a7", "brown": "#ffcb6b", "yellow": "#ffcb6b",
    "blue": "#82aaff", "magenta": "#c792ea", "cyan": "#89ddff", "white": "#ffffff",
}


def run(folder):
    """The command in a terminal of COLUMNS columns; returns the screen that it leaves."""
    screen = pyte.Screen(COLUMNS, ROWS)
    stream = pyte.ByteStream(screen)
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
    environment = dict(os.environ, TERM="xterm-256color", PATH=f"{ROOT / 'target/release'}:{os.environ['PATH']}")
    for name in ("CI", "NO_COLOR"):
        environment.pop(name, None)
    child = subprocess.Popen(
        COMMAND.split(), cwd=folder, stdin=theirs, stdout=theirs, stderr=theirs, env=environment, close_fds=True
    )
    os.close(theirs)
    while True:
        ready, _, _ = select.select([ours], [], [], 0.1)
        if ready:
            try:
                data = os.read(ours, 65536)
            except OSError:  # the other side is closed
                break
            if not data:
                break
            stream.feed(data)
        elif child.poll() is not None:
            break
    if child.wait() != 0:
        raise SystemExit(f"{COMMAND}: exit code {child.returncode}")
    return screen


def spans(cells):
    """The cells of a line, joined where they look the same."""
    joined = []
    for column in range(COLUMNS):
        cell = cells[column]
        look = (cell.fg, cell.bold)
        if joined and joined[-1][1] == look:
            joined[-1][2] += cell.data
        else:
            joined.append([column, look, cell.data])
    return [(column, look, text) for column, look, text in joined if text.strip()]


def colour(name):
    return COLOURS.get(name.removeprefix("bright"), f"#{name}" if len(name) == 6 else COLOURS["default"])


def line(row, parts):
    y = MARGIN + 34 + (row + 1) * CELL_H
    texts = []
    for column, (fg, bold), text in parts:
        weight = ' font-weight="bold"' if bold else ""
        # Cut at gaps, so that columns stay straight whatever font the reader has.
        for piece in re.finditer(r"\S+( \S+)*", text):
            x = MARGIN + (column + piece.start()) * CELL_W
            length = len(piece[0]) * CELL_W
            texts.append(
                f'<text x="{x:.1f}" y="{y}" fill="{colour(fg)}"{weight} textLength="{length:.1f}">{html.escape(piece[0])}</text>'
            )
    return "\n".join(texts)


def draw(screen):
    last = max(row for row in range(ROWS) if screen.display[row].strip())
    width, height = COLUMNS * CELL_W + 2 * MARGIN, (last + 3) * CELL_H + 34 + 2 * MARGIN
    prompt = line(0, [(0, ("green", True), "$"), (2, ("white", True), COMMAND)])
    body = "\n".join(line(row + 1, spans(screen.buffer[row])) for row in range(last + 1))
    lights = "".join(f'<circle cx="{MARGIN + 7 + i * 20}" cy="22" r="6" fill="{c}"/>' for i, c in
                     enumerate(("#ff5f56", "#ffbd2e", "#27c93f")))
    return f'''<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height:.0f}" role="img" xml:space="preserve"
 font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace" font-size="14">
<title>{html.escape(COMMAND)}</title>
<rect width="100%" height="100%" rx="10" fill="#1e222a"/>
{lights}
{prompt}
{body}
</svg>
'''


def main():
    with tempfile.TemporaryDirectory() as folder:
        os.symlink(ROOT / "examples", pathlib.Path(folder) / "examples")
        picture = draw(run(folder))
    (pathlib.Path(__file__).parent / "session.svg").write_text(picture)


if __name__ == "__main__":
    main()
