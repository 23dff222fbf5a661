"""What every benchmark needs that keeps its results: the lock, fingerprints of code and data, the machine."""

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

REPOSITORY = Path(__file__).parent.parent
SOURCE = REPOSITORY / "src" / "lamina"


class Busy(RuntimeError):
    """Another benchmark is running."""


@contextmanager
def alone(work: Path) -> Iterator[None]:
    """Holds the lock of a benchmark: two at once would share the cores and both be wrong about time.

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


def source_files() -> list[Path]:
    """Everything that is Lamina."""
    return [path for path in SOURCE.rglob("*") if path.is_file() and "__pycache__" not in path.parts]


def code_fingerprint() -> str:
    """Of everything that is Lamina."""
    return fingerprint(source_files(), SOURCE)


def data_fingerprint(folder: Path) -> str:
    """Of the files of one data set."""
    return fingerprint((path for path in folder.rglob("*") if path.is_file()), folder)


def newest(folder: Path, code: str) -> dict[str, dict[str, Any]]:
    """The kept results by row: of the present code where there is one, else the latest."""
    kept = [json.loads(path.read_text()) for path in folder.glob("*.json")]
    kept.sort(key=lambda result: (result["code"] == code, result["date"]))
    return {result["row"]: result for result in kept}


def machine(libraries: Iterable[str]) -> dict[str, object]:
    """The machine and the versions of libraries that a time was measured with."""
    processor = Path("/proc/cpuinfo").read_text()
    models = [line.split(":", 1)[1].strip() for line in processor.splitlines() if line.startswith("model name")]
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return {
        "cpu": models[0] if models else platform.processor() or platform.machine(),
        "matrix_units": "amx_bf16" in processor,
        "cores": min(2, len(os.sched_getaffinity(0))),
        "memory_gib": round(memory),
        "system": platform.system(),
        "python": platform.python_version(),
        **{library: version(library) for library in libraries},
    }
