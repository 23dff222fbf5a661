from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from lamina.data import Block, Chunk, Table, open_block, prepare_once

ROWS = 60


class Numbered:
    """Pictures whose content is their reference."""

    def open(self, reference: str) -> np.ndarray:
        return np.full((2, 3, 1), int(reference), dtype=np.uint8)

    def fingerprint(self, reference: str) -> str:
        return reference


@pytest.fixture
def table(monkeypatch: pytest.MonkeyPatch) -> Table:
    """Sixty rows that are looked at seven at a time, with a column of pictures."""
    monkeypatch.setattr("lamina.data.store.CHUNK_ROWS", 7)
    monkeypatch.setattr("lamina.data.store.MEDIA_CHUNK_ROWS", 7)
    words = ["x" * (row % 5) for row in range(ROWS)]
    frame = pl.DataFrame({"n": np.arange(ROWS), "word": words, "photo": [str(row) for row in range(ROWS)]})
    return Table(frame, {"photo": Numbered()})


def fixed(chunk: Chunk) -> Block:
    """(rows, 2) and, at every row that 13 divides, a problem."""
    numbers = chunk.frame["n"].to_numpy()
    problems = {entry: f"{number} is unlucky" for entry, number in enumerate(numbers) if number % 13 == 0}
    return Block(np.stack([numbers, -numbers], 1).astype(np.int32), problems=problems)


def ragged(chunk: Chunk) -> Block:
    """Each row as often as its word is long, with a shape of its own."""
    lengths = chunk.frame["word"].str.len_chars().to_numpy().astype(np.int64)
    offsets = np.concatenate([[0], lengths.cumsum()])
    shapes = np.stack([lengths, np.ones_like(lengths)], 1)
    return Block(np.repeat(chunk.rows, lengths), offsets, shapes, {0: "the first of a chunk"})


def seen(chunk: Chunk) -> Block:
    return Block(np.stack([chunk.open("photo", reference) for reference in chunk.frame["photo"]]))


def test_rows_of_one_shape_are_found_by_their_numbers(tmp_path: Path, table: Table) -> None:
    stored = prepare_once(tmp_path / "block", table, ["n"], fixed)
    assert isinstance(stored.values, np.memmap)
    assert stored.take(np.array([40, 3, 3])).values.tolist() == [[40, -40], [3, -3], [3, -3]]
    assert len(stored.take(np.array([], dtype=int))) == 0


def test_rows_of_any_length_are_found_by_their_numbers(tmp_path: Path, table: Table) -> None:
    stored = prepare_once(tmp_path / "block", table, ["n", "word"], ragged)
    taken = stored.take(np.array([43, 5, 59, 1]))
    assert taken.offsets is not None and taken.shapes is not None
    assert taken.values.tolist() == [43] * 3 + [59] * 4 + [1]
    assert taken.offsets.tolist() == [0, 3, 3, 7, 8]
    assert taken.shapes.tolist() == [[3, 1], [0, 1], [4, 1], [1, 1]]
    assert len(stored.take(np.array([5, 10])).values) == 0


def test_rows_of_nothing_at_all_can_be_stored(tmp_path: Path) -> None:
    empty = Table(pl.DataFrame({"n": np.arange(4), "word": [""] * 4}))
    taken = prepare_once(tmp_path / "block", empty, ["n", "word"], ragged).take(np.array([2, 0]))
    assert taken.offsets is not None
    assert taken.offsets.tolist() == [0, 0, 0]


@pytest.mark.parametrize("prepare, columns", [(fixed, ["n"]), (ragged, ["n", "word"]), (seen, ["photo"])])
def test_the_store_does_not_depend_on_how_rows_are_cut_into_chunks(
    tmp_path: Path, table: Table, monkeypatch: pytest.MonkeyPatch, prepare: Callable[[Chunk], Block], columns: list[str]
) -> None:
    small = prepare_once(tmp_path / "small", table, columns, prepare)
    monkeypatch.setattr("lamina.data.store.CHUNK_ROWS", 1000)
    monkeypatch.setattr("lamina.data.store.MEDIA_CHUNK_ROWS", 1000)
    large = prepare_once(tmp_path / "large", table, columns, prepare)
    rows = np.random.default_rng(0).permutation(ROWS)
    for one, other in zip(_arrays(small.take(rows)), _arrays(large.take(rows)), strict=True):
        assert np.array_equal(one, other)


def _arrays(block: Block) -> Iterator[np.ndarray]:
    for array in (block.values, block.offsets, block.shapes):
        yield np.zeros(0) if array is None else array


def test_problems_keep_their_row_numbers(tmp_path: Path, table: Table) -> None:
    expected = {row: f"{row} is unlucky" for row in (0, 13, 26, 39, 52)}
    assert prepare_once(tmp_path / "fixed", table, ["n"], fixed).problems == expected
    assert open_block(tmp_path / "fixed").problems == expected
    assert list(prepare_once(tmp_path / "ragged", table, ["n", "word"], ragged).problems) == list(range(0, ROWS, 7))


@pytest.mark.parametrize("columns", [["n"], ["photo", "n"]], ids=["cells", "pictures, in threads"])
@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, OSError])
def test_a_preparation_that_breaks_off_leaves_nothing_and_is_made_anew(
    tmp_path: Path, table: Table, columns: list[str], error: type[BaseException]
) -> None:
    def breaking(chunk: Chunk) -> Block:
        if 30 in chunk.rows:
            raise error("stop")
        return fixed(chunk)

    with pytest.raises(error, match="stop"):
        prepare_once(tmp_path / "block", table, columns, breaking)
    assert list(tmp_path.iterdir()) == []
    stored = prepare_once(tmp_path / "block", table, columns, fixed)
    assert stored.values[:, 0].tolist() == list(range(ROWS))


def test_what_was_prepared_is_not_prepared_again(tmp_path: Path, table: Table) -> None:
    told: list[int] = []
    first = prepare_once(tmp_path / "block", table, ["n"], fixed, told.append)
    assert told == [7] * 8 + [4]

    def never(chunk: Chunk) -> Block:
        raise AssertionError("prepared a second time")

    again = prepare_once(tmp_path / "block", table, ["n"], never, told.append)
    assert np.array_equal(first.values, again.values)
    assert len(told) == 9


def test_the_order_of_pictures_survives_threads(tmp_path: Path, table: Table) -> None:
    stored = prepare_once(tmp_path / "block", table, ["photo"], seen)
    assert stored.values[:, 0, 0, 0].tolist() == list(range(ROWS))
