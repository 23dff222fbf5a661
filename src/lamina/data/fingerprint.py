"""The content of a table as a few numbers: what decides whether prepared arrays, a split, a run still belong to it."""

import hashlib
from collections.abc import Mapping
from typing import Any

import numpy as np
import polars as pl

from lamina.data.table import Media, Table
from lamina.ground.errors import DataError

_ROWS = 65_536
_FILES = "files"
"""The type of a column whose cells refer to pictures."""
_MANY_FILES = 100
"""Above it the files' contents are not told apart: a run would hold more numbers than it is worth."""


def fingerprint(table: Table, rest: str | None = None) -> str:
    """The sha256, in hexadecimal, of column names, types, cells, pictures' fingerprints and the split.

    Args:
        table: whose cells are meant.
        rest: the digest of a text of which the table holds drawn rows.

    The same on every machine and for every way in which the cells lie in memory. A picture stands by what its medium
    says of it (checksum, or size and time of change), not by its path.
    """
    return fingerprint_of({"columns": _columns(table), "split": _split(table), "rest": rest})


def contents(table: Table, rest: str | None = None) -> dict[str, Any]:
    """What a table holds, file by file and column by column, as plain values: so that a change can be named."""
    files: dict[str, dict[str, Any]] = {}
    pieces: dict[str, list[str]] = {}
    several = 1 < len({origin.name for origin in table.origins}) <= _MANY_FILES
    row = 0
    for origin in table.origins:
        files.setdefault(origin.name, {"rows": 0})["rows"] += origin.rows
        if several:
            pieces.setdefault(origin.name, []).append(_sha256(table, table.columns, row, row + origin.rows))
        row += origin.rows
    for name, digests in pieces.items():
        files[name]["content"] = hashlib.sha256("".join(digests).encode()).hexdigest()
    return {"files": files, "columns": _columns(table), "split": _split(table), "rest": rest}


def fingerprint_of(held: Mapping[str, Any]) -> str:
    """The `fingerprint` of the table that `contents` was taken of."""
    said = [[name, column["type"], column["content"]] for name, column in held["columns"].items()]
    return hashlib.sha256(f"{said}{held['split']}{held.get('rest') or ''}".encode()).hexdigest()


def changes(held: Mapping[str, Any], before: Mapping[str, Any]) -> list[str]:
    """In words, how the `contents` of a table differ from those of an earlier one; [] when they do not."""
    said = []
    files, files_before = held["files"], before["files"]
    said += [f"{name} is new ({files[name]['rows']:,} rows)" for name in files if name not in files_before]
    said += [f"{name} is gone ({known['rows']:,} rows)" for name, known in files_before.items() if name not in files]
    both = [name for name in files if name in files_before]
    longer = [name for name in both if files[name]["rows"] != files_before[name]["rows"]]
    said += [f"{name} has {files[name]['rows']:,} rows (had {files_before[name]['rows']:,})" for name in longer]
    same_rows = not said
    columns, columns_before = held["columns"], before["columns"]
    said += [f"column {name!r} is new" for name in columns if name not in columns_before]
    said += [f"column {name!r} is gone" for name in columns_before if name not in columns]
    kept = {name: known for name, known in columns_before.items() if name in columns}
    said += [
        f"column {name!r} holds {columns[name]['type']} (held {known['type']})"
        for name, known in kept.items()
        if columns[name]["type"] != known["type"]
    ]
    if same_rows:  # else every column differs, and saying so tells nothing
        altered = [name for name, known in kept.items()
                   if columns[name]["type"] == known["type"] and columns[name] != known]  # fmt: skip
        where = [name for name in both if files[name] != files_before[name]]
        inside = f" in {', '.join(where)}" if where else ""
        said += [
            f"column {name!r} holds other {'files' if columns[name]['type'] == _FILES else 'values'}{inside}"
            for name in altered
        ]
        if held["split"] != before["split"]:
            said.append("the rows are divided otherwise into training and test rows")
    if not said and held.get("rest") != before.get("rest"):
        said.append("rows that are learned from as they are read have changed")
    if not said and list(columns) != list(columns_before):
        said.append("the columns stand in another order")
    return said


def _columns(table: Table) -> dict[str, dict[str, str]]:
    return {
        name: {"type": _FILES if name in table.media else str(table.frame[name].dtype),
               "content": _sha256(table, [name], 0, len(table))}
        for name in table.columns
    }  # fmt: skip


def _split(table: Table) -> str | None:
    return None if table.parts is None else hashlib.sha256("\n".join(table.parts).encode()).hexdigest()


def _sha256(table: Table, names: list[str], start: int, end: int) -> str:
    """Of some columns' cells in a range of rows."""
    digest = hashlib.sha256(f"{end - start}".encode())
    for name in names:
        digest.update(f"{name}\x1f{table.frame[name].dtype}\x1e".encode())
        for first in range(start, end, _ROWS):
            piece = table.frame[name].slice(first, min(_ROWS, end - first))
            if name in table.media:
                piece = _stamps(piece, table.media[name])
            _add(digest, piece)
    return digest.hexdigest()


def _stamps(references: pl.Series, media: Media) -> pl.Series:
    def stamp(reference: str) -> str:
        try:
            return media.fingerprint(reference)
        except DataError:
            return "missing"

    cells = references.to_list()
    return pl.Series([None if cell is None else stamp(cell) for cell in cells], dtype=pl.String)


def _add(digest: "hashlib._Hash", piece: pl.Series) -> None:
    gaps = piece.is_null().to_numpy()
    digest.update(np.packbits(gaps).tobytes())
    if piece.dtype == pl.String:
        filled = piece.fill_null("")
        digest.update(filled.str.len_bytes().to_numpy().astype("<u4").tobytes())
        digest.update("".join(filled.to_list()).encode())
        return
    numbers = piece.to_physical().to_numpy() if piece.dtype.is_temporal() else piece.to_numpy()
    numbers = np.where(gaps, np.zeros((), numbers.dtype), numbers)
    digest.update(np.ascontiguousarray(numbers, numbers.dtype.newbyteorder("<")).tobytes())
