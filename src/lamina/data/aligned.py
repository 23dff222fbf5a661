"""Files of lines that belong together: `train.en` and `train.de` become columns `en` and `de`, a row a line."""

import posixpath
import re
from collections.abc import Sequence

import polars as pl

from lamina.data._dialect import as_utf8, encoding_of
from lamina.data.delimited import contents_of
from lamina.data.join import Piece, name_part
from lamina.data.place import File
from lamina.data.table import Origin, Table
from lamina.ground.errors import DataError, listing


def aligned_names(files: Sequence[File]) -> dict[str, dict[str, File]]:
    """Files by the name that they share and then by their suffix; {} where they do not go together.

    They go together when every name has the same suffixes, two or more.
    """
    found: dict[str, dict[str, File]] = {}
    for file in files:
        stem, _, suffix = posixpath.basename(file.plain_name).rpartition(".")
        if not stem or not re.fullmatch(r"[a-z][a-z0-9_-]{0,11}", suffix) or suffix in found.get(stem, {}):
            return {}
        found.setdefault(stem, {})[suffix] = file
    suffixes = {frozenset(by_suffix) for by_suffix in found.values()}
    return found if len(suffixes) == 1 and len(suffixes.pop()) > 1 else {}


def aligned_pieces(found: dict[str, dict[str, File]]) -> list[Piece]:
    """A table for each shared name, with a column for each suffix.

    Raises:
        DataError: if files that belong together have differing numbers of lines; both are named with theirs.
    """
    pieces = []
    for files in found.values():
        notes: list[str] = []
        columns = {suffix: _lines(file, notes) for suffix, file in files.items()}
        counts = {files[suffix].name: len(lines) for suffix, lines in columns.items()}
        if len(set(counts.values())) > 1:
            seen = listing(f"{name} has {count:,} lines" for name, count in counts.items())
            raise DataError(f"Files of aligned lines must have the same number of them, but {seen}. Find the line that "
                            "is missing: from there on nothing belongs together.")  # fmt: skip
        names = " and ".join(counts)
        table = Table(pl.DataFrame(columns), origins=(Origin(names, len(next(iter(columns.values())))),),
                      notes=tuple(notes))  # fmt: skip
        pieces.append(Piece(table, name_part(next(iter(counts)))))
    return pieces


def _lines(file: File, notes: list[str]) -> pl.Series:
    data = contents_of(file)
    encoding, mark, note = encoding_of(data, file.name)
    text = as_utf8(data, encoding, mark, file.name).tobytes()
    if note:
        notes.append(note)
    if not text:
        raise DataError(f"{file.name} is empty. Give a file with a line for each row.")
    if b"\0" in text:
        line = text[: text.index(b"\0")].count(b"\n") + 1
        raise DataError(f"{file.name}, line {line}: there is a NUL byte, which no text holds. Save it again in UTF-8.")
    lines = pl.Series([text.decode().replace("\r\n", "\n").removesuffix("\n")], dtype=pl.String)
    return lines.str.split("\n").explode()
