"""A command in a process of its own, and the most private memory that it and its children held."""

import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

EVERY = 0.05
"""Seconds between two looks."""


class Watched(NamedTuple):
    """What a command took."""

    seconds: float
    private_mib: float
    """Memory of its own and shared memory that it made (RssAnon + RssShmem), of the whole tree, at its highest."""


def watched(command: Sequence[str], environment: Mapping[str, str]) -> Watched:
    """Run a command to its end.

    Raises:
        RuntimeError: if it fails; with its last words.
    """
    start, most = time.monotonic(), 0
    with tempfile.TemporaryFile("w+") as said:
        with subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=said) as process:
            while process.poll() is None:
                most = max(most, sum(map(_private_kib, _tree(process.pid))))
                time.sleep(EVERY)
        seconds = time.monotonic() - start
        if process.returncode:
            said.seek(0)
            raise RuntimeError(f"{' '.join(command)} ended with {process.returncode}: {said.read()[-2000:]}")
    return Watched(seconds, most / 1024)


def _tree(pid: int) -> Iterator[int]:
    """A process and all below it."""
    yield pid
    try:
        children = [path.read_text() for path in Path(f"/proc/{pid}/task").glob("*/children")]
    except OSError:  # it has ended
        return
    for child in " ".join(children).split():
        yield from _tree(int(child))


def _private_kib(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0
    return sum(int(line.split()[1]) for line in lines if line.startswith(("RssAnon:", "RssShmem:")))
