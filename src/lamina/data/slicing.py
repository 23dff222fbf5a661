"""A table a stretch of rows at a time, for what looks at each row once: memory holds one stretch of a large text."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

from lamina.data.conll import tagged_or
from lamina.data.delimited import delimited_slices
from lamina.data.formats import ending
from lamina.data.place import File, Folder, check_name
from lamina.data.read import read
from lamina.data.references import path_columns
from lamina.data.table import Table

LARGE = 128 << 20
"""Bytes from which a file is read in stretches: cells take twice as much once they are read."""

_SLICED: dict[str, Callable[[File], Iterable[Table]]] = {
    ".csv": delimited_slices,
    ".tsv": tagged_or(delimited_slices),
    ".tab": tagged_or(delimited_slices),
    ".data": delimited_slices,
    ".dat": delimited_slices,
}


def slices(sources: Sequence[object]) -> Iterator[Table]:
    """The rows of `read` in order: of one large delimited text a stretch at a time, of all else at once.

    Args:
        sources: as in `read`, a list.

    Raises:
        DataError: as `read`; what can only be seen in a cell, when its stretch is reached.
    """
    file = large_text(sources)
    if file is None:
        yield read(sources)
        return
    tables = iter(sliced(file))
    first = next(tables)
    if path_columns(first.frame):  # which of its pictures are there is found out for all of them
        yield read(sources)
        return
    yield first
    yield from tables


def sliced(file: File) -> Iterable[Table]:
    """The rows of a large text; `Stretches` where it is delimited, and no sentences with tags."""
    return _SLICED[ending(file.member, _SLICED)](file)


def large_text(sources: Sequence[object]) -> File | None:
    """The one source, if it is a large file that can be read in stretches."""
    if len(sources) != 1 or not isinstance(sources[0], str | Path):
        return None
    path = Path(sources[0]).expanduser()
    check_name(str(path))
    if not ending(path.name, _SLICED) or not path.is_file() or path.stat().st_size < LARGE:
        return None
    return File(Folder(path.parent, path.parent.name), path.name, path.name)
