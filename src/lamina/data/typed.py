"""Files and objects whose cells have types: JSON lines, SQLite. The types are kept."""

import json
import os
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

import polars as pl

from lamina.data.media import CellMedia
from lamina.data.place import File
from lamina.data.table import Media, Origin, Table
from lamina.ground.errors import DataError, listing

MAX_CELL = 64 << 20
"""Bytes of one cell of a database."""
STUMBLES = (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError, ValueError, MemoryError)
"""What a damaged file makes a reader raise; a panic is no ordinary exception of Python."""
_PICTURE_HEADS = (b"\xff\xd8\xff", b"\x89PNG", b"GIF8", b"BM", b"RIFF")


@contextmanager
def quietly() -> Iterator[None]:
    """Keep back what a reader prints while it fails: the traces of its own code tell a person nothing."""
    try:
        shown = os.dup(2)
    except OSError:  # a process without standard error
        yield
        return
    with tempfile.TemporaryFile() as kept:
        os.dup2(kept.fileno(), 2)
        try:
            yield
        finally:
            os.dup2(shown, 2)
            os.close(shown)


def brief(error: BaseException) -> str:
    """What a reader stumbled over, in words that are for people."""
    said = str(error).partition("\n")[0].rstrip(".")
    inward = isinstance(error, pl.exceptions.PanicException) or " { " in said  # what only its authors understand
    return "its parts contradict each other" if inward else said


def read_json(file: File) -> list[Table]:
    """The table of a file with a JSON object per line, or with one list of objects."""
    data = file.read()
    if not data.strip():
        raise DataError(f"{file.name} is empty: it holds no row. Give a file with a JSON object on each line.")
    is_list = data.lstrip()[:1] == b"["
    try:
        with quietly():
            if is_list:
                frame = pl.read_json(data, infer_schema_length=None)
            else:
                frame = pl.read_ndjson(data, infer_schema_length=None)
    except STUMBLES as error:
        if not is_list:
            _name_bad_line(data, file.name)
        raise DataError(
            f"{file.name} is no table: {brief(error)}. Each row must be an object with values of one type by key."
        ) from error
    return [table_of(frame, file.name, first=1, unit="line")]


def _refuse_constant(word: str) -> NoReturn:
    raise ValueError(f"{word} is no JSON; write null where a value is not known")


def _name_bad_line(data: bytes, where: str) -> None:
    """Raise for the first line that is no JSON object, or whose value is of another type than before."""
    types: dict[str, tuple[str, int]] = {}
    for number, line in enumerate(data.decode(errors="replace").split("\n"), 1):
        if not line.strip():
            continue
        try:
            cells = json.loads(line, parse_constant=_refuse_constant)
        except json.JSONDecodeError as error:
            raise DataError(
                f"{where}, line {number}: {error.msg} at column {error.colno}: {line[:60]!r}. Each line must "
                f"be one whole JSON object."
            ) from error
        except ValueError as error:
            raise DataError(f"{where}, line {number}: {error}: {line[:60]!r}.") from error
        except RecursionError as error:
            raise DataError(
                f"{where}, line {number}: lists and objects lie too deep in each other: {line[:60]!r}. Write plain "
                "values."
            ) from error
        if not isinstance(cells, dict):
            raise DataError(f"{where}, line {number}: {line[:60]!r} is no JSON object. Write {{...}} on each line.")
        for key, cell in cells.items():
            kind = {int: "number", float: "number", bool: "true or false", str: "text"}.get(
                type(cell), "list or object"
            )
            before, first = types.setdefault(key, (kind, number)) if cell is not None else (kind, number)
            if kind != before:
                raise DataError(
                    f"{where}, line {number}: {key!r} is a {kind} ({json.dumps(cell)[:40]}), but a {before} in line "
                    f"{first}. Give it one type in all lines."
                )


def read_sqlite(file: File) -> list[Table]:
    """A table for each table of a SQLite database that holds rows; views and what a table computes are left alone.

    A database is a small program: what it defines to be run when it is read is neither asked for nor allowed
    (https://sqlite.org/security.html), and pages that are used twice, by which a few bytes become many rows, are
    found before any row is read.
    """
    if not file.head(1):
        raise DataError(f"{file.name} is empty: it holds no table. Copy or download it again.")
    connection = sqlite3.connect(":memory:")
    try:
        if file.path:
            connection.close()
            connection = sqlite3.connect(f"{file.path.resolve().as_uri()}?mode=ro", uri=True)
        else:
            connection.deserialize(file.read())
        connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, MAX_CELL)
        connection.execute("pragma trusted_schema = off")
        problem = connection.execute("pragma quick_check(1)").fetchone()
        if problem != ("ok",):
            raise sqlite3.DatabaseError(str(problem[0]).partition("\n")[2] or str(problem[0]))
        query = (
            "select name from sqlite_master where type = 'table' and typeof(name) = 'text' "
            "and name not like 'sqlite_%' and sql not like 'create virtual%' order by name"
        )
        tables = {name: _sqlite_table(connection, name) for (name,) in connection.execute(query)}
    except (sqlite3.Error, OverflowError, ValueError, MemoryError) as error:
        raise DataError(f"{file.name} is not a sound SQLite database: {error}.") from error
    finally:
        connection.close()
    full = {name: frame for name, frame in tables.items() if frame.height}
    if not full:
        raise DataError(f"{file.name} has {len(tables)} tables ({listing(tables)}) and no row in any.")
    if len(full) == 1:
        return [table_of(frame, file.name) for frame in full.values()]
    return [table_of(frame, f"{file.name}/{name}") for name, frame in full.items()]


def _sqlite_table(connection: sqlite3.Connection, name: str) -> pl.DataFrame:
    stored = [entry[1] for entry in connection.execute(f"pragma table_xinfo({_quoted(name)})") if entry[6] == 0]
    if not stored:
        return pl.DataFrame()
    cursor = connection.execute(f"select {', '.join(map(_quoted, stored))} from {_quoted(name)}")
    names = [entry[0] for entry in cursor.description]
    rows = cursor.fetchall()
    columns = {}
    for place, column in enumerate(names):
        cells = [row[place] for row in rows]
        mixed = len({str if isinstance(cell, str) else type(cell) for cell in cells if cell is not None} - {float}) > 1
        columns[column] = pl.Series(
            column, [None if c is None else str(c) for c in cells] if mixed else cells, strict=False
        )
    return pl.DataFrame(columns)


def _quoted(name: str) -> str:
    """A name as SQL takes it."""
    return '"{}"'.format(name.replace('"', '""'))


def table_of(frame: pl.DataFrame, where: str, first: int = 1, unit: str = "row") -> Table:
    """A table of typed cells: pictures inside cells become references, nested and rare types what can be used.

    Raises:
        DataError: if there is no row or column, or a column holds Python objects.
    """
    if not frame.width or not frame.height:
        raise DataError(f"{where} has {frame.width} columns and {frame.height} rows: there is nothing to learn from.")
    columns: list[pl.Series] = []
    media: dict[str, Media] = {}
    notes: list[str] = []
    for column in frame.iter_columns():
        if (pictures := _pictures_in(column)) is not None:
            name = f"{where}:{column.name}"
            media[column.name] = CellMedia({name: pictures})
            numbers = pl.Series(range(len(column)))
            references = pl.Series([f"{name}#{number}" for number in numbers], dtype=pl.String)
            column = references.set(pictures.is_null(), None).alias(column.name)
        columns.append(_plain(column, where, notes))
    return Table(pl.DataFrame(columns), media, (Origin(where, frame.height, first, unit),), notes=tuple(notes))


def _pictures_in(column: pl.Series) -> pl.Series | None:
    """The bytes of a column whose cells are pictures: binary, or a struct with `bytes` as Hugging Face writes them."""
    if isinstance(column.dtype, pl.Struct) and {field.name for field in column.dtype.fields} == {"bytes", "path"}:
        column = column.struct.field("bytes")
    if column.dtype != pl.Binary:
        return None
    filled = column.drop_nulls()
    return column if len(filled) and filled[0].startswith(_PICTURE_HEADS) else None


def _plain(column: pl.Series, where: str, notes: list[str]) -> pl.Series:
    kind = column.dtype
    if kind == pl.Null:
        return column.cast(pl.String)
    if isinstance(kind, (pl.Categorical, pl.Enum)) or kind == pl.Time:
        return column.cast(pl.String)
    if isinstance(kind, pl.Decimal):
        return column.cast(pl.Float64)
    if isinstance(kind, pl.Duration):
        notes.append(f"{where}: {column.name!r} holds durations, read as seconds.")
        return column.dt.total_microseconds() / 1e6
    if isinstance(kind, (pl.List, pl.Array, pl.Struct)):
        notes.append(f"{where}: {column.name!r} holds lists or objects, read as text.")
        texts = [
            None if cell is None else json.dumps(cell, ensure_ascii=False, default=str) for cell in column.to_list()
        ]
        return pl.Series(column.name, texts, dtype=pl.String)
    if kind in (pl.Object, pl.Binary):
        what = "bytes that are no pictures" if kind == pl.Binary else "Python objects of mixed types"
        raise DataError(f"{where}: column {column.name!r} holds {what}. Turn it into numbers or text, or drop it.")
    return column
