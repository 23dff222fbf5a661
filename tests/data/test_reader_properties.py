"""Laws of the readers over made-up content: what was written comes back, and any bytes are read or refused in words."""

import csv
import io
import json
import random
import struct
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from benchmarks.torture.readers import READERS
from lamina.data import Table, read, slices
from lamina.ground import LaminaError

# The same examples on every machine and day: a test that fails by chance is no test. The long search is scripts/torture.
LAW = settings(
    max_examples=40, derandomize=True, deadline=None, database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)  # fmt: skip

FINITE = {"allow_nan": False, "allow_infinity": False, "allow_subnormal": False}
"""Numbers that a process can hold in which a training was prepared: it takes the smallest ones for zero."""
LETTERS = st.characters(exclude_categories=["Cs"], exclude_characters="\0\r")
CELLS = st.one_of(
    st.text(LETTERS, max_size=8), st.sampled_from(["", "1", "-2.5", "a,b", 'say "x"', "two\nlines", " x "])
)
NAMES = st.lists(st.text("abcdefgh", min_size=1, max_size=6), min_size=1, max_size=5, unique=True)


@st.composite
def tables(draw: st.DrawFn) -> list[list[str]]:
    """Names and rows below them."""
    names = draw(NAMES)
    rows = st.lists(CELLS, min_size=len(names), max_size=len(names))
    return [names, *draw(st.lists(rows, min_size=1, max_size=8))]


def read_back(data: bytes, suffix: str) -> Table:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"d{suffix}"
        path.write_bytes(data)
        return read(path)


@LAW
@given(tables(), st.sampled_from(",;\t|"), st.sampled_from(["\n", "\r\n"]),
       st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]))  # fmt: skip
def test_a_table_comes_back_however_it_is_written(
    rows: list[list[str]], separator: str, newline: str, encoding: str
) -> None:
    target = io.StringIO(newline="")
    csv.writer(target, delimiter=separator, lineterminator=newline, quoting=csv.QUOTE_ALL).writerows(rows)
    table = read_back(target.getvalue().encode(encoding), ".csv")
    found = [[cell or "" for cell in row] for row in table.frame.rows()]
    # Whether the first line names the columns is a guess, and some tables are made to mislead it.
    assert (table.columns, found) == (rows[0], rows[1:]) or found == rows


@LAW
@given(st.text(st.sampled_from('ab1,;"\n\r \t'), min_size=1, max_size=80))
def test_stretches_of_any_text_add_up_to_it_or_it_is_refused(text: str) -> None:
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr("lamina.data.slicing.LARGE", 0)
        patch.setattr("lamina.data.delimited.STRETCH", 1)
        patch.setattr("lamina.data._records.PIECE", 16)
        path = Path(folder) / "d.csv"
        path.write_bytes(text.encode())
        try:
            whole = read(path)
        except LaminaError:
            with pytest.raises(LaminaError):
                list(slices([path]))
            return
        some = list(slices([path]))
        assert pl.concat([table.frame for table in some]).equals(whole.frame)
        places = [table.where(row) for table in some for row in range(len(table))]
        assert places == [whole.where(row) for row in range(len(whole))]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(**FINITE) | st.text(LETTERS),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("abc", max_size=2), inner, max_size=3),
    max_leaves=6,
)


@LAW
@given(st.one_of(JSON, st.lists(st.dictionaries(st.sampled_from("abc"), JSON, max_size=3), min_size=1, max_size=5)),
       st.booleans())  # fmt: skip
@example([{"a": 2**70}, {"a": 1}], True)
@example([{}], True)
def test_any_json_is_a_table_or_refused_in_words(values: Any, by_line: bool) -> None:
    by_line = by_line and isinstance(values, list)
    text = "\n".join(map(json.dumps, values)) if by_line else json.dumps(values)
    try:
        table = read_back(text.encode(), ".json")
    except LaminaError as error:
        assert "d.json" in str(error)
    else:
        assert len(table) >= 1


NUMBERS = arrays.arrays(
    st.sampled_from([np.uint8, np.int32, np.float32, np.float64]),
    arrays.array_shapes(min_dims=1, max_dims=2, max_side=5),
    elements=FINITE,
)


def same(table: Table, array: np.ndarray) -> bool:
    found = np.column_stack([column.to_numpy() for column in table.frame.iter_columns()])
    return np.array_equal(found, array if array.ndim == 2 else array[:, None])


@LAW
@given(NUMBERS, st.sampled_from([".npy", ".npz"]))
def test_numbers_of_numpy_come_back(array: np.ndarray, suffix: str) -> None:
    target = io.BytesIO()
    np.save(target, array) if suffix == ".npy" else np.savez_compressed(target, x=array)
    assert same(read_back(target.getvalue(), suffix), array)


@LAW
@given(NUMBERS)
def test_numbers_of_idx_come_back(array: np.ndarray) -> None:
    kind = {"u1": 0x08, "i4": 0x0C, "f4": 0x0D, "f8": 0x0E}[array.dtype.str[1:]]
    head = bytes([0, 0, kind, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape)
    assert same(read_back(head + array.astype(array.dtype.newbyteorder(">")).tobytes(), ".idx"), array)


def bent(data: bytes, chance: random.Random) -> bytes:
    """Bytes cut, doubled, flipped or written over, in one to four places."""
    made = bytearray(data)
    for _ in range(chance.randint(1, 4)):
        place = chance.randrange(len(made) + 1)
        how = chance.randrange(5)
        if how == 0:
            del made[place : place + chance.choice((1, 2, 16, 10_000))]
        elif how == 1:
            made[place:place] = made[chance.randrange(len(made) + 1) :][: chance.choice((1, 8, 64))]
        elif how == 2 and place < len(made):
            made[place] ^= 1 << chance.randrange(8)
        else:
            made[place : place + 4] = chance.choice((b"\0\0\0\0", b"\xff\xff\xff\xff", b'"', b"\n", b"-1", b"9" * 12))
    return bytes(made)


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.filterwarnings("ignore")  # of libraries, about the damage that is done here
def test_any_bytes_are_read_or_refused_in_words(reader: str) -> None:
    chance, seeds = random.Random(reader), READERS[reader].seeds()
    count = 5 if reader in ("parquet", "arrow") else 60  # a process for each of these
    for data in [b"", b"\0", *seeds, *(bent(chance.choice(seeds), chance) for _ in range(count))]:
        try:
            READERS[reader].take(data)
        except LaminaError as error:
            assert str(error).endswith((".", ")")) or "--" in str(error), error
