"""The content of a table as one number: what decides whether prepared arrays and a split still belong to it."""

import hashlib

import numpy as np
import polars as pl

from lamina.data.table import Media, Table
from lamina.ground.errors import DataError

_ROWS = 65_536


def fingerprint(table: Table) -> str:
    """The sha256, in hexadecimal, of column names, types, cells, pictures' fingerprints and the split.

    The same on every machine and for every way in which the cells lie in memory. A picture stands by what its medium
    says of it (checksum, or size and time of change), not by its path.
    """
    digest = hashlib.sha256()
    for name in table.columns:
        column = table.frame[name]
        digest.update(f"{name}\x1f{column.dtype}\x1f{len(column)}\x1e".encode())
        for start in range(0, len(column), _ROWS):
            piece = column.slice(start, _ROWS)
            if name in table.media:
                piece = _stamps(piece, table.media[name])
            _add(digest, piece)
    if table.parts is not None:
        digest.update("\n".join(table.parts).encode())
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
