"""Python objects become tables, known by what they can do, so that no library is imported for the asking.

A tuple is one thing: (inputs, answers), or ((inputs, answers), (inputs, answers)) for training and test rows.
"""

import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import polars as pl

from lamina.data.arrays import Named, array_pieces
from lamina.data.join import Piece, word_part
from lamina.data.media import ArrayMedia, ObjectMedia, Pictures
from lamina.data.table import Media, Table
from lamina.data.typed import table_of
from lamina.ground.errors import DataError, MachineError, listing


def object_pieces(thing: Any, name: str) -> list[Piece]:
    """The tables that an object comes to.

    Args:
        thing: a Polars, pandas or Arrow table, a dict of columns or arrays, a NumPy array or torch tensor, a tuple,
            a torch dataset with a length, a Hugging Face dataset or dict of them.
        name: what messages and references call it.

    Raises:
        DataError: if it is nothing of these, or its columns do not fit each other.
    """
    if isinstance(thing, pl.LazyFrame):
        thing = thing.collect()
    if isinstance(thing, pl.DataFrame):
        return [Piece(table_of(thing, name))]
    if _is_hugging_face(thing):
        return [Piece(_hugging_face(thing, name))]
    if hasattr(thing, "iloc") and hasattr(thing, "columns"):
        return [Piece(_pandas(thing, name))]
    if hasattr(thing, "__arrow_c_stream__"):
        return [Piece(table_of(pl.DataFrame(thing), name))]
    if isinstance(thing, Mapping):
        return _mapping(thing, name)
    if hasattr(thing, "tensors"):
        return object_pieces(tuple(thing.tensors), name)
    if isinstance(thing, tuple):
        return _tuple(thing, name)
    if isinstance(thing, np.ndarray) or hasattr(thing, "detach"):
        return array_pieces([Named("x", as_array(thing), name, name)])
    if hasattr(thing, "__getitem__") and hasattr(thing, "__len__") and not isinstance(thing, str | bytes):
        return [Piece(_dataset(thing, name))]
    lengthless = (
        " It has no length; data sets that are only iterated cannot be split." if hasattr(thing, "__iter__") else ""
    )
    raise DataError(
        f"An object of type {type(thing).__module__}.{type(thing).__name__} is no data that can be read.{lengthless} "
        f"Give a path, a pandas, Polars or Arrow table, a dict of columns, NumPy arrays, or a torch or Hugging Face "
        f"data set."
    )


def as_array(thing: Any) -> np.ndarray:
    """A NumPy array of an array, a tensor on any device, or a list."""
    if hasattr(thing, "detach"):
        thing = thing.detach().cpu().numpy()
    return np.asarray(thing)


def _pandas(frame: Any, name: str) -> Table:
    names = [str(column) for column in frame.columns]
    if doubled := next((column for column in names if names.count(column) > 1), None):
        raise DataError(f"{name} has two columns called {doubled!r}. Rename one.")
    columns = []
    for number, column in enumerate(names):
        cells = frame.iloc[:, number]
        try:
            columns.append(pl.Series(column, pl.from_pandas(cells)))
        except ImportError as error:
            raise MachineError("Reading pandas tables needs one more package: pip install pyarrow.") from error
        except (TypeError, ValueError, pl.exceptions.PolarsError) as error:
            types = listing(sorted({type(cell).__name__ for cell in cells if cell is not None}))
            raise DataError(
                f"{name}: column {column!r} holds cells of several types ({types}). "
                f"Give it one: astype(str) or astype(float)."
            ) from error
    table = table_of(pl.DataFrame(columns), name)
    if frame.index.names != [None]:
        index = listing(frame.index.names)
        note = f"{name}: the index ({index}) is no column and is not read; reset_index() makes it one."
        table = replace(table, notes=(*table.notes, note))
    return table


def _is_hugging_face(thing: Any) -> bool:
    return hasattr(thing, "features") and hasattr(thing, "column_names") and hasattr(thing, "with_format")


def _hugging_face(dataset: Any, name: str) -> Table:
    if not hasattr(dataset, "__len__"):
        raise DataError(f"{name} is a streaming data set without a length. Load it with streaming=False.")
    frame = pl.DataFrame(dataset.with_format("arrow")[:])
    answers = []
    for column, feature in dataset.features.items():
        if isinstance(words := getattr(feature, "names", None), Sequence) and frame[column].dtype.is_integer():
            frame = frame.with_columns(pl.col(column).replace_strict(dict(enumerate(words)), default=None))
            answers.append(column)
    return replace(table_of(frame, name), targets=tuple(answers) if len(answers) == 1 else ())


def _mapping(thing: Mapping[Any, Any], name: str) -> list[Piece]:
    """A dict: data sets by part of a split, arrays whose names say a part, or columns."""
    if thing and all(_is_hugging_face(inner) for inner in thing.values()):
        return [Piece(_hugging_face(inner, f"{name}/{key}"), word_part(str(key))) for key, inner in thing.items()]
    arrays = {
        str(key): as_array(cells)
        for key, cells in thing.items()
        if not isinstance(cells, pl.Series) and not _are_lists_of_text(cells)
    }
    named = [Named(key, array, f"{name}/{key}", name) for key, array in arrays.items()]
    if len({one.part for one in named} - {None}) > 1:
        return array_pieces(named)
    media: dict[str, Media] = {}
    columns: list[pl.Series] = []
    for key, cells in thing.items():
        columns += _columns(str(key), cells, f"{name}/{key}", media)
    lengths = {column.name: len(column) for column in columns}
    if len(set(lengths.values())) > 1:
        raise DataError(f"Columns differ in length: {listing(f'{key!r} {rows:,}' for key, rows in lengths.items())}.")
    table = table_of(pl.DataFrame(columns), name)
    return [Piece(replace(table, media={**table.media, **media}))]


def _columns(key: str, cells: Any, where: str, media: dict[str, Media]) -> list[pl.Series]:
    """The columns of one entry of a dict, under its own name."""
    if isinstance(cells, pl.Series):
        return [cells.alias(key)]
    if _are_lists_of_text(cells):
        return [pl.Series(key, cells, dtype=pl.List(pl.String))]
    array = as_array(cells)
    if array.ndim == 0:
        raise DataError(f"{where} is {cells!r}, not a column. Give a list or an array with an entry for each row.")
    if array.ndim >= 3:
        media[key] = ArrayMedia({where: Pictures(array, where)})
        return [pl.Series(key, [f"{where}#{number}" for number in range(len(array))], dtype=pl.String)]
    if array.ndim == 2:
        return [_series(f"{key}_{number + 1}", array[:, number], where) for number in range(array.shape[1])]
    return [_series(key, cells if isinstance(cells, list | tuple) else array, where)]


def _are_lists_of_text(cells: Any) -> bool:
    """Whether each cell is a list of words: of any length, so that they are no array."""
    there = [cell for cell in cells if cell is not None] if isinstance(cells, list | tuple) else []
    return bool(there) and all(
        isinstance(cell, list | tuple) and all(isinstance(word, str) for word in cell) for cell in there
    )


def _series(name: str, cells: Any, where: str) -> pl.Series:
    if isinstance(cells, np.ndarray) and cells.dtype.kind in "OU":
        cells = cells.tolist()
    try:
        return pl.Series(name, cells, nan_to_null=isinstance(cells, np.ndarray))
    except (TypeError, ValueError, pl.exceptions.PolarsError) as error:
        types = listing(sorted({type(cell).__name__ for cell in cells if cell is not None}))
        raise DataError(f"{where} holds cells of several types ({types}). Give it one.") from error


def _tuple(things: tuple[Any, ...], name: str) -> list[Piece]:
    """(inputs, answers), or a pair or triple of such pairs: train and test, or train, valid and test."""
    if 2 <= len(things) <= 3 and all(isinstance(inner, tuple) for inner in things):
        parts = ("train", "test") if len(things) == 2 else ("train", "valid", "test")
        return [
            replace(piece, part=part)
            for part, inner in zip(parts, things, strict=True)
            for piece in _tuple(inner, f"{name}/{part}")
        ]
    if len(things) != 2:
        raise DataError(f"{name} is a tuple of {len(things)}; (inputs, answers) has two. Give more columns as a dict.")
    inputs, answers = things
    if isinstance(inputs, pl.DataFrame) or hasattr(inputs, "iloc"):
        return [Piece(_with_answers(object_pieces(inputs, name)[0].table, answers, name))]
    arrays = {"x": as_array(inputs), "y": as_array(answers)}
    return array_pieces([Named(key, array, f"{name}/{key}", name) for key, array in arrays.items()])


def _with_answers(table: Table, answers: Any, name: str) -> Table:
    called = getattr(answers, "name", None) or "y"
    (column,) = _columns(str(called), answers if isinstance(answers, pl.Series) else as_array(answers), name, {})
    if len(column) != len(table) or column.name in table.columns:
        raise DataError(
            f"{name}: {len(column):,} answers called {column.name!r} do not go with {len(table):,} rows of "
            f"{listing(table.columns)}. Give one answer a row, under a name of its own."
        )
    return replace(table, frame=table.frame.with_columns(column), targets=(column.name,))


def _dataset(dataset: Any, name: str) -> Table:
    """A torch data set: each item is looked at once; its pictures are fetched again when they are opened."""
    if not len(dataset):
        raise DataError(f"{name} has no item.")
    cells: dict[str, list[Any]] = {}
    pictures: dict[str, dict[int, str]] = {}
    for number in range(len(dataset)):
        for column, cell in _item(dataset[number]).items():
            array = as_array(cell)
            if array.ndim >= 2:
                pictures.setdefault(column, {})[number] = f"{zlib.crc32(array.tobytes()):08x}"
                cell = f"{name}:{column}#{number}"
            cells.setdefault(column, []).append(
                array.tolist() if array.ndim < 2 and not isinstance(cell, str) else cell
            )
    media: dict[str, Media] = {
        column: ObjectMedia(f"{name}:{column}", _opener(dataset, column), stamps) for column, stamps in pictures.items()
    }
    classes = getattr(dataset, "classes", None)
    if classes is not None and all(
        isinstance(cell, int) and 0 <= cell < len(classes) for cell in cells.get("class", [None])
    ):
        cells["class"] = [str(classes[cell]) for cell in cells["class"]]
    (piece,) = _mapping(cells, name)
    targets = tuple(column for column in piece.table.columns if column in ("class", "y"))
    return replace(piece.table, media=media, targets=targets)


def _opener(dataset: Any, column: str) -> Callable[[int], np.ndarray]:
    return lambda number: as_array(_item(dataset[number])[column])


def _item(item: Any) -> dict[str, Any]:
    """The cells of one item by column."""
    if isinstance(item, Mapping):
        return {str(key): cell for key, cell in item.items()}
    parts = list(item) if isinstance(item, tuple | list) else [item]
    is_picture = as_array(parts[0]).ndim >= 2
    names = ["image" if is_picture else "x", "class" if is_picture else "y"]
    names += [f"column_{number}" for number in range(3, len(parts) + 1)]
    return dict(zip(names, parts, strict=False))
