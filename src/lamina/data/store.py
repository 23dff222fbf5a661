"""Prepared cells on disk, decoded once and read without copies.

Every part has a folder of its own under the cache, named by what it depends on: the cells, the part's settings and
what it learned. A second run over the same pictures starts at once; a part that changes prepares itself anew and
leaves the others alone. A folder appears in one move, when it is whole.
"""

import contextlib
import json
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from lamina.data.batch import Block, Chunk
from lamina.data.table import CHUNK_ROWS, Table
from lamina.ground.files import clear_debris, whole_folder

MEDIA_CHUNK_ROWS = 128
"""Pictures decoded together: enough to keep the threads busy, few enough to stay small in memory."""

Prepare = Callable[[Chunk], Block]
Given = TypeVar("Given")
Made = TypeVar("Made")


@dataclass(frozen=True)
class StoredBlock:
    """A block of every row of the table, memory-mapped."""

    values: np.ndarray
    offsets: np.ndarray | None = None
    shapes: np.ndarray | None = None
    problems: Mapping[int, str] = field(default_factory=dict)
    """Row numbers that could not be prepared, with the reason."""
    folder: Path | None = None
    """Where it lies, when it was opened from there."""
    story: Mapping[str, Any] = field(default_factory=dict)
    """What its writer noted of it, as plain values."""

    def __len__(self) -> int:
        """Rows."""
        return len(self.values) if self.offsets is None else len(self.offsets) - 1

    def __reduce__(self) -> tuple[Callable[[Path], "StoredBlock"], tuple[Path]]:
        """A block goes to another process as its place on the disk, not as a copy."""
        assert self.folder is not None, "only what lies on the disk goes to another process"
        return open_block, (self.folder,)

    def take(self, rows: np.ndarray) -> Block:
        """The entries of some rows, copied, in this order."""
        if self.offsets is None:
            return Block(self.values[rows])
        starts, ends = self.offsets[rows], self.offsets[rows + 1]
        offsets = np.concatenate([[0], np.cumsum(ends - starts)])
        places = np.repeat(starts - offsets[:-1], ends - starts) + np.arange(offsets[-1])
        return Block(self.values[places], offsets, None if self.shapes is None else self.shapes[rows])


def prepare_once(folder: Path, table: Table, columns: Sequence[str], prepare: Prepare,
                 progress: Callable[[int], None] = lambda rows: None) -> StoredBlock:  # fmt: skip
    """The prepared block of all rows, made now or found in `folder`.

    Args:
        folder: where the block belongs; its name must change with everything the block depends on.
        columns: the columns that `prepare` reads.
        prepare: a chunk to its block; called from several threads when the columns hold media.
        progress: told how many more rows are done.
    """
    if not (folder / "block.json").exists():
        media = any(column in table.media for column in columns)
        size = MEDIA_CHUNK_ROWS if media else CHUNK_ROWS
        chunks = table.chunks(columns=columns, size=size)
        with writing(folder) as writer:
            for block in in_threads(prepare, chunks) if media else map(prepare, chunks):
                writer.add(block)
                progress(len(block))
            assert writer.rows == len(table), f"{writer.rows} of {len(table)} rows were prepared"
    return open_block(folder)


def open_block(folder: Path) -> StoredBlock:
    """A block that was prepared before."""
    facts = json.loads((folder / "block.json").read_text("utf-8"))

    def array(name: str) -> np.ndarray | None:
        path = folder / f"{name}.npy"
        return np.load(path, mmap_mode="r", allow_pickle=False) if path.exists() else None

    values = array("values")
    assert values is not None
    problems = {int(row): why for row, why in facts["problems"]}
    return StoredBlock(values, array("offsets"), array("shapes"), problems, folder, facts.get("story", {}))


def in_threads(prepare: Callable[[Given], Made], chunks: Iterable[Given]) -> Iterator[Made]:
    """What chunks come to, in order, a few of them ahead; decoders release the interpreter lock."""
    workers = os.cpu_count() or 1
    chunks = iter(chunks)
    with ThreadPoolExecutor(workers) as pool:
        waiting = deque(pool.submit(prepare, chunk) for chunk in islice(chunks, workers * 2))
        while waiting:
            yield waiting.popleft().result()
            for chunk in islice(chunks, 1):
                waiting.append(pool.submit(prepare, chunk))


@contextlib.contextmanager
def writing(folder: Path) -> Iterator["Writer"]:
    """A block that comes piece by piece; it is at `folder`, whole, when the context ends well, and goes otherwise."""
    clear_debris(folder.parent)
    with whole_folder(folder) as part, Writer(part) as writer:
        yield writer


class Writer:
    """Writes a block to the disk as it comes, so that memory holds one piece of it."""

    def __init__(self, folder: Path):
        """Pieces go into files of this folder."""
        self.rows = 0
        """Written so far."""
        self.story: dict[str, Any] = {}
        """Plain values that are kept with the block."""
        self._folder = folder
        self._files: dict[str, _Growing] = {}
        self._problems: list[tuple[int, str]] = []

    def add(self, block: Block) -> None:
        """Write more rows."""
        if block.offsets is not None:
            end = self._files["values"].length if "values" in self._files else 0
            if end == 0 and self.rows == 0:
                self._append("offsets", block.offsets[:1])
            self._append("offsets", block.offsets[1:] + end)
            if block.shapes is not None:
                self._append("shapes", block.shapes)
        self._append("values", block.values)
        self._problems.extend((self.rows + entry, why) for entry, why in block.problems.items())
        self.rows += len(block)

    def _append(self, name: str, values: np.ndarray) -> None:
        if name not in self._files:
            self._files[name] = _Growing(self._folder / f"{name}.npy", values.dtype, values.shape[1:])
        self._files[name].append(values)

    def __enter__(self) -> "Writer":
        return self

    def __exit__(self, kind: type[BaseException] | None, *about: object) -> None:
        for file in self._files.values():
            file.close()
        if kind is None:
            facts = {"rows": self.rows, "problems": self._problems, "story": self.story}
            (self._folder / "block.json").write_text(json.dumps(facts), "utf-8")


class _Growing:
    """An .npy file whose first dimension grows; its head keeps room for any length."""

    def __init__(self, path: Path, dtype: np.dtype[Any], shape: tuple[int, ...]):
        self.length = 0
        self._dtype, self._shape = dtype, shape
        self._file = path.open("wb")
        self._head()

    def _head(self) -> None:
        about = {"descr": np.lib.format.dtype_to_descr(self._dtype), "fortran_order": False,
                 "shape": (self.length, *self._shape)}  # fmt: skip
        np.lib.format.write_array_header_1_0(self._file, about)

    def append(self, values: np.ndarray) -> None:
        assert values.dtype == self._dtype and values.shape[1:] == self._shape
        self._file.write(np.ascontiguousarray(values).data.cast("B") if values.size else b"")
        self.length += len(values)

    def close(self) -> None:
        with self._file:
            self._file.seek(0)
            self._head()
