"""Files that are either whole or not there."""

import contextlib
import hashlib
import json
import os
import re
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from lamina.ground.errors import RunError

if TYPE_CHECKING:
    from torch import Tensor

try:
    import fcntl
except ImportError:  # Windows has no advisory locks of this kind
    fcntl = None  # type: ignore[assignment]

_UNFINISHED = ".unfinished-"
"""How the names of files and folders begin that are still being written."""


def sha256(path: Path) -> str:
    """The sha256 of a file's bytes, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def sync(path: Path) -> None:
    """Ask the system to write a file or a folder's entries to the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextlib.contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """A path to write to; it takes the place of `path` in one move when the block ends well, and goes otherwise."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f"{_UNFINISHED}{path.name}.", dir=path.parent)
    os.close(handle)
    part = Path(name)
    try:
        with _held(part):
            yield part
            os.chmod(part, 0o644)
            sync(part)
        os.replace(part, path)
        sync(path.parent)
    finally:
        part.unlink(missing_ok=True)


@contextlib.contextmanager
def whole_folder(path: Path) -> Iterator[Path]:
    """A folder to fill; it becomes `path` in one move when the block ends well, and goes otherwise.

    A folder is never written over: two moves would be needed, and a kill between them would leave neither. Where
    another one came to be at `path` meanwhile, that one stays and this one goes.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    part = Path(tempfile.mkdtemp(prefix=f"{_UNFINISHED}{path.name}.", dir=path.parent))
    try:
        with _held(part):
            yield part
            os.chmod(part, 0o755)
            for each in part.rglob("*"):
                sync(each)
            sync(part)
        with contextlib.suppress(OSError) if path.is_dir() else contextlib.nullcontext():
            os.replace(part, path)
        sync(path.parent)
    finally:
        shutil.rmtree(part, ignore_errors=True)


@contextlib.contextmanager
def _held(part: Path) -> Iterator[None]:
    """Lock what is being written until it is whole or this process dies: so debris can be told from work."""
    if fcntl is None:
        yield
        return
    handle = os.open(part, os.O_RDONLY)
    try:
        with contextlib.suppress(OSError):  # some network disks know no locks: nothing is cleared there
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def clear_debris(folder: Path, settled_seconds: float = 2.0) -> None:
    """Take away what writers that were killed left in a folder; what a living one is at work on stays.

    Args:
        folder: where `whole_file` and `whole_folder` wrote.
        settled_seconds: nothing younger is taken for debris, since a writer makes a file before it locks it; 0 where
            no other process writes.
    """
    if fcntl is None or not folder.is_dir():
        return
    for path in folder.glob(f"{_UNFINISHED}*"):
        with contextlib.suppress(OSError):  # gone meanwhile, or held by its writer
            if time.time() - path.stat().st_mtime < settled_seconds:
                continue
            handle = os.open(path, os.O_RDONLY)
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(path) if path.is_dir() else path.unlink()
            finally:
                os.close(handle)


@contextlib.contextmanager
def system_errors(path: Path) -> Iterator[None]:
    """Raise what a library says of a failed write as the system's own error: a full disk is one however it is met.

    Raises:
        OSError: in place of the errors of safetensors and polars, with the number that stands in their text.
    """
    from polars.exceptions import PolarsError
    from safetensors import SafetensorError

    try:
        yield
    except (SafetensorError, PolarsError, OSError) as error:
        number = re.search(r"os error (\d+)", str(error))
        if number is None:
            raise
        raise OSError(int(number[1]), os.strerror(int(number[1])), str(path)) from error


LARGEST_HEADER = 16 << 20
"""Bytes of the names and shapes at the head of a safetensors file: those of a hundred thousand tensors."""


def load_tensors(path: Path) -> "dict[str, Tensor]":
    """The tensors of a safetensors file by name, after a look at what its head claims.

    Raises:
        RunError: if it is missing, damaged or no such file.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        with path.open("rb") as file:
            claimed = int.from_bytes(file.read(8), "little")
        if not 2 <= claimed <= min(LARGEST_HEADER, path.stat().st_size - 8):
            raise ValueError(f"its head claims {claimed:,} bytes of names and shapes")
        return load_file(path)
    except (OSError, ValueError, SafetensorError) as error:
        raise RunError(
            f"{path} is no whole file of tensors ({error}). Copy the run anew, or train it again with --fresh."
        ) from error


def write_json(path: Path, values: object) -> None:
    """Write values as JSON, whole or not at all."""
    with whole_file(path) as part:
        part.write_text(json.dumps(values, ensure_ascii=False, indent=1, allow_nan=False) + "\n", "utf-8")


def cache_folder() -> Path:
    """Where prepared data is kept between runs: `$LAMINA_CACHE`, or `~/.cache/lamina`."""
    chosen = os.environ.get("LAMINA_CACHE")
    if chosen:
        return Path(chosen)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "lamina"
