"""A command in a process of its own, and the most private memory that it and its children held."""

import contextlib
import subprocess
import tempfile
import threading
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


class Shares:
    """Watches what a process and all below it hold for themselves, counting what they share once.

    Workers that were forked share most of their parent's memory, which `RssAnon` counts in each of them.
    """

    EVERY = 0.5
    """Seconds between two looks: the system walks through all pages at each."""

    def __init__(self, pid: int):
        """Watches from now on."""
        self.pid, self.most_kib, self._ended = pid, 0, threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def end(self) -> float:
        """Stop watching; the most that was held, in MiB."""
        self._ended.set()
        self._thread.join()
        return self.most_kib / 1024

    def _watch(self) -> None:
        while not self._ended.wait(self.EVERY):
            self.most_kib = max(self.most_kib, sum(map(_share_kib, _tree(self.pid))))


def _share_kib(pid: int) -> int:
    with contextlib.suppress(OSError):  # it has ended
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
        return sum(int(line.split()[1]) for line in lines if line.startswith(("Pss_Anon:", "Pss_Shmem:")))
    return 0


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
