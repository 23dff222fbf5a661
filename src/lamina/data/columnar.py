"""Parquet and Arrow files. Polars reads them; a file made to harm may end the process that it does so in."""

import io
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TypeVar

from lamina.data import _trial
from lamina.data.place import MAX_RATIO, File
from lamina.data.table import Table
from lamina.data.typed import STUMBLES, brief, quietly, table_of
from lamina.ground.errors import DataError, MachineError

Found = TypeVar("Found")
FREE_CELLS = 16_000_000
"""Cells of a Parquet file that are always read; more of them if they are not too many for its bytes."""


def read_parquet(file: File) -> list[Table]:
    """The table of a Parquet file, if the cells that it claims are in proportion to its bytes."""
    cells, most = _polars(_trial.parquet_cells, file, "Parquet"), _most_cells(_weight(file))
    if cells > most:
        raise DataError(
            f"{file.name} weighs {_weight(file):,} bytes and unpacks to {cells:,} cells: it looks made to fill a "
            f"memory. If it is sound, write it without compression."
        )
    return [table_of(_polars(_trial.READERS["Parquet"], file, "Parquet"), file.name)]


def read_arrow(file: File) -> list[Table]:
    """The table of an Arrow (Feather) file, or of an Arrow stream."""
    return [table_of(_polars(_trial.READERS["Arrow"], file, "Arrow"), file.name)]


def _weight(file: File) -> int:
    return len(file.read()) if file.path is None else file.path.stat().st_size


def _most_cells(weight: int) -> int:
    return max(MAX_RATIO * weight, FREE_CELLS)


def _polars(reader: Callable[[_trial.Source], Found], file: File, kind: str) -> Found:
    try:
        with quietly():
            return reader(file.path or io.BytesIO(file.read()))
    except STUMBLES as error:
        raise DataError(
            f"{file.name} is not a sound {kind} file: {brief(error)}. Write or download it again."
        ) from error


def try_out(files: Iterable[tuple[File, str]]) -> None:
    """Have files read by another process first, one after the other.

    Args:
        files: each with its kind, `Parquet` or `Arrow`.

    Raises:
        DataError: if a file ends that process. What else is wrong with a file is found when it is read.
        MachineError: if there can be no other process.
    """
    files = list(files)
    if not files:
        return
    with tempfile.TemporaryFile() as said, _child(said) as child:
        for file, kind in files:
            if not _answers(child, file, kind):
                raise DataError(
                    f"{file.name} is not a sound {kind} file: it ends any process that reads it ({_end(child, said)}). "
                    "Write or download it again; if it is sound, the memory does not suffice for it."
                )


@contextmanager
def _child(said: IO[bytes]) -> Iterator[subprocess.Popen[bytes]]:
    """A process that awaits files; it ends with the context."""
    # Its folder is kept off its path, for files in there are called as modules of Python are.
    command = [sys.executable, "-P", str(Path(_trial.__file__))]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    try:
        child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=said, env=environment)
    except OSError as error:
        raise MachineError(f"A process to try Parquet and Arrow files out could not be started: {error}.") from error
    try:
        assert child.stdout is not None
        if not child.stdout.readline():
            raise MachineError(f"A process to try Parquet and Arrow files out did not start ({_end(child, said)}).")
        yield child
    finally:
        child.kill()
        child.communicate()


def _answers(child: subprocess.Popen[bytes], file: File, kind: str) -> bool:
    """Whether the child has read a file and lives."""
    assert child.stdin is not None and child.stdout is not None
    content = b"" if file.path else file.read()
    job = {"kind": kind, "path": file.path and str(file.path), "bytes": len(content)}
    try:
        child.stdin.write(json.dumps(job | {"most_cells": _most_cells(_weight(file))}).encode() + b"\n" + content)
        child.stdin.flush()
    except BrokenPipeError:
        return False
    return bool(child.stdout.readline())


def _end(child: subprocess.Popen[bytes], said: IO[bytes]) -> str:
    """How a process ended, in its own last words where it had any."""
    code = child.wait()
    said.seek(0)
    words = said.read().decode(errors="replace").strip().splitlines()[-1:]
    return ": ".join([signal.Signals(-code).name if code < 0 else f"exit code {code}", *words])
