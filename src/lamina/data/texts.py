"""Text files in folders become rows: the whole text in the column `text`, the folder's name in the column `class`."""

from collections.abc import Sequence

import polars as pl

from lamina.data.class_folders import pieces_by_class
from lamina.data.join import Piece
from lamina.data.place import File, Place
from lamina.data.table import Origin, Table
from lamina.ground.errors import DataError

LONGEST = 16 * 2**20
"""Bytes of one text at most: a longer file is a book or a table rather than a row."""


def text_pieces(found: Sequence[tuple[Place, Sequence[str]]]) -> list[Piece]:
    """A table for each place and part.

    Args:
        found: places with the members that are texts.

    Raises:
        DataError: if a text is too long or no text, or some lie in class folders and others beside them.
    """
    return pieces_by_class(found, "texts", _table)


def _table(place: Place, members: Sequence[str]) -> Table:
    texts, others = [], []
    for member in members:
        text, is_utf8 = _text(File(place, member, f"{place.name}/{member}"))
        texts.append(text)
        if not is_utf8:
            others.append(member)
    notes: tuple[str, ...] = ()
    if others:
        how = "are not UTF-8 and were read as Windows-1252"
        notes = (f"{place.name}: {len(others):,} texts {how}; the first: {others[0]}.",)
    frame = pl.DataFrame({"text": texts}, schema={"text": pl.String})
    return Table(frame, {}, (Origin(place.name, len(members), unit="text"),), notes=notes)


def _text(file: File) -> tuple[str, bool]:
    """A file's text, and whether it is UTF-8."""
    data = file.read()
    if len(data) > LONGEST:
        raise DataError(
            f"{file.name} holds {len(data) / 2**20:,.0f} MiB, but a text that is a row holds {LONGEST // 2**20} at "
            "most. Leave it out, or cut it into pieces."
        )
    if b"\0" in data[:4096]:
        raise DataError(f"{file.name} is no text: it holds zero bytes. Leave it out, or save it as UTF-8.")
    try:
        return data.decode("utf-8-sig"), True
    except UnicodeDecodeError:
        return data.decode("cp1252", errors="replace"), False
