"""Files that are either whole or not there."""

import contextlib
import hashlib
import json
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path


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
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    os.close(handle)
    part = Path(name)
    try:
        yield part
        os.chmod(part, 0o644)
        sync(part)
        os.replace(part, path)
        sync(path.parent)
    finally:
        part.unlink(missing_ok=True)


@contextlib.contextmanager
def whole_folder(path: Path) -> Iterator[Path]:
    """A folder to fill; it becomes `path` in one move when the block ends well, replacing what was there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = Path(tempfile.mkdtemp(prefix=f".{path.name}.", dir=path.parent))
    try:
        yield part
        os.chmod(part, 0o755)
        for file in part.rglob("*"):
            if file.is_file():
                sync(file)
        _take_place(part, path)
        sync(path.parent)
    finally:
        shutil.rmtree(part, ignore_errors=True)


def _take_place(part: Path, path: Path) -> None:
    """Move a folder to where another may be, which goes; where that fails, the other is put back."""
    if not path.exists():
        os.replace(part, path)
        return
    aside = Path(tempfile.mkdtemp(prefix=f".{path.name}.old.", dir=path.parent))
    try:
        os.replace(path, aside / path.name)
        try:
            os.replace(part, path)
        except OSError:
            os.replace(aside / path.name, path)
            raise
    finally:
        shutil.rmtree(aside, ignore_errors=True)


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
