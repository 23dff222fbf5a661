"""Results on disk: one small JSON per row, code and data, kept in the repository; scores and runs beside, not kept."""

import fcntl
import hashlib
import json
import os
import platform
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
RESULTS = HERE / "results"
WORK = HERE / "work"
SOURCE = HERE.parent.parent / "src" / "lamina"
LIBRARIES = ("torch", "numpy", "polars", "pillow", "scikit-learn")


class Busy(RuntimeError):
    """Another benchmark is running."""


@contextmanager
def alone(work: Path = WORK) -> Iterator[None]:
    """Holds the lock of the benchmark: two at once would share the cores and both be wrong about time.

    The system lets go of the lock when the process ends, however it ends.

    Raises:
        Busy: when another process holds it.
    """
    work.mkdir(parents=True, exist_ok=True)
    with (work / "lock").open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            lock.seek(0)
            raise Busy(f"Process {lock.read().strip() or '?'} is running this benchmark; wait for it.") from error
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        yield


def fingerprint(files: Iterable[Path], root: Path) -> str:
    """Twelve hexadecimal digits that change with the name or the content of any of the files."""
    digest = hashlib.sha256()
    for path in sorted(files):
        digest.update(f"{path.relative_to(root)}\0".encode())
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()[:12]


def code_fingerprint() -> str:
    """Of everything that is Lamina."""
    return fingerprint(
        (path for path in SOURCE.rglob("*") if path.is_file() and "__pycache__" not in path.parts), SOURCE
    )


def data_fingerprint(folder: Path) -> str:
    """Of the files of one data set."""
    return fingerprint((path for path in folder.rglob("*") if path.is_file()), folder)


def classical_fingerprint() -> str:
    """Of what decides the classical models' scores: they need no second fit when Lamina changes."""
    return fingerprint([HERE / "rows.py", HERE / "classical.py"], HERE)


def kept(name: str, code: str, data: str) -> Path:
    """Where the result of a row under this code and data is kept."""
    return RESULTS / f"{name}-{code}-{data}.json"


def newest(name: str, code: str) -> dict[str, Any] | None:
    """The result of a row under this code, or else the latest one under another; None when there is none."""
    found = [json.loads(path.read_text()) for path in RESULTS.glob(f"{name}-*.json")]
    found = [result for result in found if result["row"] == name]
    return max(found, key=lambda result: (result["code"] == code, result["date"]), default=None)


def machine() -> dict[str, object]:
    """The machine and the versions that a time was measured on."""
    model = platform.processor() or platform.machine()
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            model = line.split(":", 1)[1].strip()
            break
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return {
        "cpu": model,
        "cores": min(2, len(os.sched_getaffinity(0))),
        "memory_gib": round(memory),
        "system": platform.system(),
        "python": platform.python_version(),
        **{library: version(library) for library in LIBRARIES},
    }
