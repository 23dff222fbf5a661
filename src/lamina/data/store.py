"""Prepared cells on disk, decoded once and read without copies.

Every part has a folder of its own under the cache, named by what it depends on: the cells, the part's settings and
what it learned. A second run over the same pictures starts at once; a part that changes prepares itself anew and
leaves the others alone. A folder appears in one move, when it is whole.
"""

import json
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import TypeVar

import numpy as np

from lamina.data.batch import Block, Chunk
from lamina.data.table import CHUNK_ROWS, Table
from lamina.ground.files import clear_debris, whole_folder

MEDIA_CHUNK_ROWS = 128
"""Pictures decoded together: enough to keep the threads busy, few enough to stay small in memory."""

Prepare = Callable[[Chunk], Block]
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
        blocks = in_threads(prepare, chunks) if media else map(prepare, chunks)
        clear_debris(folder.parent)
        with whole_folder(folder) as part:
            _write(part, len(table), blocks, progress)
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
    return StoredBlock(values, array("offsets"), array("shapes"), problems, folder)


def in_threads(prepare: Callable[[Chunk], Made], chunks: Iterable[Chunk]) -> Iterator[Made]:
    """What chunks come to, in order, a few of them ahead; decoders release the interpreter lock."""
    workers = os.cpu_count() or 1
    chunks = iter(chunks)
    with ThreadPoolExecutor(workers) as pool:
        waiting = deque(pool.submit(prepare, chunk) for chunk in islice(chunks, workers * 2))
        while waiting:
            yield waiting.popleft().result()
            for chunk in islice(chunks, 1):
                waiting.append(pool.submit(prepare, chunk))


def _claim(path: Path) -> None:
    """Take a file's whole length on the disk: a mapped page that finds it full later would kill the process.

    Raises:
        OSError: if the disk has no room for it.
    """
    if hasattr(os, "posix_fallocate"):
        with path.open("r+b") as file:
            try:
                os.posix_fallocate(file.fileno(), 0, path.stat().st_size)
            except OSError as error:
                raise OSError(error.errno, error.strerror, str(path.parent.parent)) from error


def _write(folder: Path, rows: int, blocks: Iterable[Block], progress: Callable[[int], None]) -> None:
    problems: list[tuple[int, str]] = []
    lengths: list[np.ndarray] = []
    shapes: list[np.ndarray] = []
    fixed: np.memmap | None = None
    loose: list[np.ndarray] = []
    done = 0
    for block in blocks:
        if block.offsets is not None:
            loose.append(block.values)
            lengths.append(np.diff(block.offsets))
            if block.shapes is not None:
                shapes.append(block.shapes)
        else:
            if fixed is None:
                fixed = np.lib.format.open_memmap(
                    folder / "values.npy", mode="w+", dtype=block.values.dtype, shape=(rows, *block.values.shape[1:])
                )
                _claim(folder / "values.npy")
            fixed[done : done + len(block)] = block.values
        problems.extend((done + entry, why) for entry, why in block.problems.items())
        done += len(block)
        progress(len(block))
    assert done == rows, f"{done} of {rows} rows were prepared"
    if fixed is not None:
        fixed.flush()
    elif loose:
        np.save(folder / "values.npy", np.concatenate(loose))
        np.save(folder / "offsets.npy", np.concatenate([[0], np.cumsum(np.concatenate(lengths))]).astype(np.int64))
        if shapes:
            np.save(folder / "shapes.npy", np.concatenate(shapes))
    (folder / "block.json").write_text(json.dumps({"rows": rows, "problems": problems}), "utf-8")
