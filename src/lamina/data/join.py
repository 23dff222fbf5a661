"""Tables read from several files or objects become one; and what their names say of a split.

Same columns append, in the order given; a later file may have them in another order. Files whose names say train,
valid or test are used as that split, if at least two of the three are named; rows without such a name are train.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

import numpy as np
import polars as pl

from lamina.data.archive import archive_suffix
from lamina.data.media import JoinedMedia
from lamina.data.table import Media, Table
from lamina.ground.errors import DataError, listing, nearest

PARTS = {
    "train": "train",
    "training": "train",
    "val": "valid",
    "valid": "valid",
    "validation": "valid",
    "dev": "valid",
    "test": "test",
    "testing": "test",
    "t10k": "test",
}
"""Words in names, and the part of a split that they say."""


@dataclass(frozen=True, eq=False)
class Piece:
    """One table to be joined, and the part of a split that its name says, if it says any."""

    table: Table
    part: str | None = None


def word_part(word: str) -> str | None:
    """The part that a folder called exactly this, `train` or `val2017`, says."""
    word = word.lower()
    return PARTS.get(word) or PARTS.get(word.rstrip("0123456789"))


def name_part(name: str) -> str | None:
    """The part that a path says: a word of the file's or an archive's name, or a folder called just so; the last wins.

    `cifar10/train.zip`, `Hourly-test.csv.gz`, `data/dev/1.csv`; but not `latest.csv`.
    """
    *folders, file = PurePosixPath(name).parts
    for step in [file, *reversed(folders)]:
        words = re.split(r"[^a-z0-9]+", step.lower()) if step is file or archive_suffix(step) else [step]
        said = {part for word in words if (part := word_part(word))}
        if len(said) == 1:
            return said.pop()
    return None


def join(pieces: Sequence[Piece]) -> Table:
    """One table of all rows, in the order given.

    Raises:
        DataError: if columns differ; it names which.
    """
    first = pieces[0].table
    for piece in pieces[1:]:
        _check_columns(first, piece.table)
    frame = _appended([piece.table.frame.select(first.columns) for piece in pieces])
    notes = [note for piece in pieces for note in piece.table.notes]
    parts, said = _parts(pieces)
    files = list(dict.fromkeys(origin.name for piece in pieces for origin in piece.table.origins))
    if len(files) > 1 and parts is None:
        notes.append(f"{len(files)} files of the same columns appended: {listing(files)}.")
    return Table(
        frame,
        media=_media([piece.table for piece in pieces]),
        origins=tuple(origin for piece in pieces for origin in piece.table.origins),
        parts=parts,
        notes=tuple(dict.fromkeys([*notes, *said])),
        targets=tuple(dict.fromkeys(target for piece in pieces for target in piece.table.targets)),
        flows=all(piece.table.flows for piece in pieces),
    )


def _check_columns(first: Table, other: Table) -> None:
    lacking = [name for name in first.columns if name not in other.columns]
    extra = [name for name in other.columns if name not in first.columns]
    if not lacking and not extra:
        return
    found = []
    if lacking:
        found.append(f"{other.name} has no {listing(map(repr, lacking))}")
    if extra:
        found.append(f"{'it' if lacking else other.name} has {listing(map(repr, extra))}, which {first.name} has not")
    hint = nearest(lacking[0], extra) if lacking else ""
    advice = (
        "If it is without the answers, leave it out and predict it later"
        if len(lacking) in (1, 2) and not extra
        else "Give the files one at a time, or make their columns the same"
    )
    raise DataError(f"{first.name} and {other.name} have different columns: {', and '.join(found)}.{hint} {advice}.")


def _appended(frames: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """Frames of the same columns, one below the other; where types differ, numbers widen and the rest turns to text."""
    columns = []
    for name in frames[0].columns:
        series = [frame[name] for frame in frames]
        kinds = {one.dtype for one in series}
        if len(kinds) > 1 and not all(kind.is_numeric() for kind in kinds):
            series = [one.cast(pl.String) for one in series]
        elif len(kinds) > 1:
            wide = pl.Int64 if all(kind.is_integer() and kind != pl.UInt64 for kind in kinds) else pl.Float64
            series = [one.cast(wide) for one in series]
        columns.append(pl.concat(series))
    return pl.DataFrame(columns)


def _media(tables: Sequence[Table]) -> dict[str, Media]:
    """By column; one that serves several tables stays itself."""
    joined: dict[str, Media] = {}
    for column in dict.fromkeys(column for table in tables for column in table.media):
        media = list(
            {id(table.media[column]): table.media[column] for table in tables if column in table.media}.values()
        )
        joined[column] = media[0] if len(media) == 1 else JoinedMedia(tuple(media))  # type: ignore[arg-type]
    return joined


def _parts(pieces: Sequence[Piece]) -> tuple[np.ndarray | None, list[str]]:
    """The split that names say, by row, and how to tell it."""
    if len({piece.part for piece in pieces} - {None}) < 2:
        return None, []
    said = {}
    for part in ("train", "valid", "test"):
        names = dict.fromkeys(piece.table.name for piece in pieces if (piece.part or "train") == part)
        rows = sum(len(piece.table) for piece in pieces if (piece.part or "train") == part)
        if rows:
            said[part] = f"{part} {rows:,} rows ({listing(names, 3)})"
    parts = np.concatenate([np.full(len(piece.table), piece.part or "train") for piece in pieces])
    return parts, [f"The data names its split: {', '.join(said.values())}."]
