"""Every command and example in the README and the guides runs, in the order in which a reader meets them.

A fenced block marked `bash`, `console` or `python` is run as it stands, in a temporary folder that the blocks of one
file share. In `console` blocks the lines after `$ ` are run and the others are what they print. A block that no test
can run (an installation, hours of training) carries the reason on a line of its own above it:

    <!-- not run: downloads a gigabyte -->

`lamina`, `torchrun` and `python` mean this checkout and the interpreter of the tests. Every block starts afresh but for the
files: variables of an earlier one are gone, so a reader can copy any block alone.
"""

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parent.parent
GUIDES = [REPOSITORY / "README.md", *sorted((REPOSITORY / "docs").glob("*.md"))]
RUN = ("bash", "console", "python")
MARKER = re.compile(r"<!-- not run: (\S.*?) -->")
BLOCK_SECONDS = 240


@dataclass(frozen=True)
class Block:
    """One fenced block of a guide."""

    line: int
    language: str
    text: str
    reason: str | None
    """Why it is not run; None when it is."""

    @property
    def program(self) -> str:
        """What is run: the block itself, or the commands of a console block."""
        if self.language != "console":
            return self.text
        commands, continued = [], False
        for line in self.text.splitlines():
            if continued or line.startswith("$ "):
                commands.append(line.removeprefix("$ "))
                continued = line.endswith("\\")
        return "\n".join(commands)


def blocks(markdown: str) -> list[Block]:
    """The fenced blocks that are to be run, or say why not.

    Raises:
        ValueError: for a marker that stands above no such block, and a fence that is never closed.
    """
    found: list[Block] = []
    lines = markdown.splitlines()
    reason: str | None = None
    number = 0
    while number < len(lines):
        line = lines[number]
        number += 1
        if fence := re.match(r"(\s*)(```+|~~~+)\s*(\w*)", line):
            indent, ticks, language = fence.groups()
            start = number
            while number < len(lines) and not lines[number].strip().startswith(ticks):
                number += 1
            if number == len(lines):
                raise ValueError(f"line {start}: this block is never closed")
            if language in RUN:
                text = "\n".join(inner.removeprefix(indent) for inner in lines[start:number])
                found.append(Block(start, language, text, reason))
            elif reason is not None:
                raise ValueError(f"line {start}: a {language or 'plain'!r} block is never run and needs no marker")
            reason = None
            number += 1
        elif marker := MARKER.fullmatch(line.strip()):
            reason = marker[1]
        elif "<!-- not run" in line:
            raise ValueError(f"line {number}: a marker is a line like <!-- not run: the reason -->")
        elif line.strip() and reason is not None:
            raise ValueError(f"line {number}: the marker above stands before no block")
    if reason is not None:
        raise ValueError("the last marker stands before no block")
    return found


def run(block: Block, folder: Path) -> subprocess.CompletedProcess[str]:
    """Runs a block in a folder, with `lamina`, `torchrun` and `python` of the tests first on the path."""
    commands = folder.parent / "commands"
    commands.mkdir(exist_ok=True)
    for name, arguments in (("lamina", "-m lamina"), ("python", ""), ("torchrun", "-m torch.distributed.run")):
        (commands / name).write_text(f'#!/bin/sh\nexec "{sys.executable}" {arguments} "$@"\n')
        (commands / name).chmod(0o755)
    path = os.pathsep.join([str(REPOSITORY / "src"), *filter(None, [os.environ.get("PYTHONPATH")])])
    environment = {**os.environ, "PATH": f"{commands}{os.pathsep}{os.environ['PATH']}", "PYTHONPATH": path}
    command = [sys.executable, "-c"] if block.language == "python" else ["bash", "-euo", "pipefail", "-c"]
    return subprocess.run(
        [*command, block.program],
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=BLOCK_SECONDS,
    )


@pytest.mark.parametrize("guide", [pytest.param(path, id=path.name) for path in GUIDES])
def test_every_example_of_a_guide_runs(guide: Path, tmp_path: Path) -> None:
    folder = tmp_path / "reader"
    folder.mkdir()
    for block in blocks(guide.read_text()):
        if block.reason is None:
            result = run(block, folder)
            where = f"{guide.relative_to(REPOSITORY)}, line {block.line}"
            assert result.returncode == 0, f"{where}:\n{block.program}\n\n{result.stdout}"


def test_blocks_run_in_one_folder_and_failures_show(tmp_path: Path) -> None:
    folder = tmp_path / "reader"
    folder.mkdir()
    guide = (
        "```python\nopen('a.txt', 'w').write('7')\n```\n"
        "1. A step:\n\n   ```console\n   $ cat \\\n   a.txt\n   7\n   $ test -f a.txt\n   ```\n"
        "```yaml\nnot: run\n```\n"
        "<!-- not run: it would take a day -->\n\n```bash\nsleep 86400\n```\n"
        "```bash\nfalse\ntrue\n```\n"
    )
    first, second, third, last = blocks(guide)
    assert run(first, folder).returncode == 0
    assert second.program == "cat \\\na.txt\ntest -f a.txt"
    assert run(second, folder).stdout == "7"
    assert third.reason == "it would take a day"
    assert run(last, folder).returncode == 1


@pytest.mark.parametrize(
    "guide, problem",
    [
        ("<!-- not run: hours -->\nText.\n", "line 2: the marker above stands before no block"),
        ("<!-- not run: hours -->\n", "the last marker"),
        ("<!-- not run: hours -->\n```yaml\na: 1\n```\n", "'yaml' block is never run"),
        ("<!-- not run -->\n```bash\ntrue\n```\n", "a marker is a line like"),
        ("```bash\ntrue\n", "line 1: this block is never closed"),
    ],
)
def test_a_marker_that_marks_nothing_is_refused(guide: str, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        blocks(guide)
