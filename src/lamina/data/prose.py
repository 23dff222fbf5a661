"""Books and other running text: a file without columns becomes stretches of its characters, in their order."""

import codecs
import io
from collections.abc import Iterator

import numpy as np
import polars as pl

from lamina.data._dialect import as_utf8, columns_of_blanks, encoding_of, is_divided
from lamina.data.delimited import contents_of, read_delimited
from lamina.data.place import File
from lamina.data.table import Origin, Table
from lamina.ground.errors import DataError

STRETCH = 256
"""Characters of a row: what a network learns from at once."""
_PIECE = 8 << 20
"""Bytes that are cut at a time: a text may be larger than what the memory holds as Python's own objects."""


def read_text_file(file: File) -> list[Table]:
    """A table, or running text where nothing divides the lines into columns.

    Running text becomes one table that `flows`: each row is a stretch of `STRETCH` characters and goes on where the
    row before it ended. Nothing is left out; line ends become newlines.

    Raises:
        DataError: if the file is empty, or no text.
    """
    data = contents_of(file)
    encoding, mark, note = encoding_of(data, file.name)
    text = as_utf8(data, encoding, mark, file.name)
    if is_divided(text) or columns_of_blanks(text) is not None:
        return read_delimited(file)
    if not len(text):
        raise DataError(f"{file.name} is empty. Give a file with a text in it.")
    zero = next((start for start in range(0, len(text), _PIECE) if not text[start : start + _PIECE].all()), None)
    if zero is not None:
        place = zero + int(np.argmin(text[zero : zero + _PIECE]))
        line = int(np.count_nonzero(text[:place] == 10)) + 1
        raise DataError(f"{file.name}, line {line}: there is a NUL byte, which no text holds. The file is damaged or "
                        "not a text; save it again in UTF-8.")  # fmt: skip
    stretches = pl.concat([pl.Series("text", piece, dtype=pl.String) for piece in _stretches(text)])
    notes = [note] if note else []
    notes.append(f"{file.name} is read as running text, for no separator divides its lines into columns.")
    return [Table(pl.DataFrame([stretches]), origins=(Origin(file.name, len(stretches), unit="stretch"),),
                  notes=tuple(notes), targets=("text",), flows=True)]  # fmt: skip


def _stretches(text: np.ndarray) -> Iterator[list[str]]:
    """The whole text in stretches of equal length but for the last, some millions of characters at a time."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    lines = io.IncrementalNewlineDecoder(decoder, translate=True)
    rest = ""
    for start in range(0, len(text), _PIECE):
        last = start + _PIECE >= len(text)
        rest += lines.decode(text[start : start + _PIECE].tobytes(), final=last)
        whole = len(rest) if last else len(rest) // STRETCH * STRETCH
        yield [rest[at : at + STRETCH] for at in range(0, whole, STRETCH)]
        rest = rest[whole:]
