from dataclasses import replace

import numpy as np
import pytest
import torch

from lamina.data import Batch, Block, Ragged, StoredBlock, Values
from lamina.network import Collate, pick, split_batch, to_values

LENGTHS = np.array([2, 0, 3, 1, 0, 4, 1])
OFFSETS = np.concatenate([[0], LENGTHS.cumsum()])
WORDS = np.repeat(np.arange(7), LENGTHS)


def collate(weight: np.ndarray | None = None) -> Collate:
    """Seven rows: three numbers each, words of any number, and an answer."""
    numbers = StoredBlock(np.arange(21, dtype=np.float32).reshape(7, 3))
    return Collate({"numbers": numbers, "words": StoredBlock(WORDS, OFFSETS)}, {"y": StoredBlock(np.arange(7))}, weight)


@pytest.mark.parametrize("rows", [[0, 1, 2], [5, 2, 2, 0], [1], [1, 4], []])
def test_a_batch_holds_the_rows_asked_for_in_their_order(rows: list[int]) -> None:
    found = collate()(np.array(rows, dtype=np.int64))
    assert len(found) == len(rows)
    assert found.rows.tolist() == rows
    assert found.inputs["numbers"].tolist() == [[3 * row, 3 * row + 1, 3 * row + 2] for row in rows]  # type: ignore[union-attr]
    assert found.targets["y"].tolist() == rows  # type: ignore[union-attr]
    words = found.inputs["words"]
    assert isinstance(words, Ragged)
    assert words.values.tolist() == [row for row in rows for _ in range(LENGTHS[row])]
    assert words.lengths.tolist() == [LENGTHS[row] for row in rows]
    assert found.weight is None


def test_weights_follow_their_rows() -> None:
    found = collate(np.arange(7, dtype=np.float32) / 10)(np.array([6, 0]))
    assert found.weight is not None
    torch.testing.assert_close(found.weight, torch.tensor([0.6, 0.0]))


def test_changing_a_batch_leaves_the_store_as_it_is() -> None:
    made = collate()
    made(np.arange(7)).inputs["numbers"].zero_()  # type: ignore[union-attr]
    assert made(np.array([1])).inputs["numbers"].tolist() == [[3, 4, 5]]  # type: ignore[union-attr]


def test_entries_of_differing_length_can_be_padded() -> None:
    words = to_values(Block(WORDS, OFFSETS))
    assert isinstance(words, Ragged)
    padded = words.padded(-1)
    assert padded.shape == (7, 4)
    assert padded.tolist()[2] == [2, 2, 2, -1]
    assert padded.tolist()[1] == [-1] * 4


@pytest.mark.parametrize("parts", [1, 2, 3, 7, 50])
@pytest.mark.parametrize("weighted", [False, True])
def test_a_batch_in_pieces_holds_all_that_the_whole_held(parts: int, weighted: bool) -> None:
    whole = collate(np.arange(7, dtype=np.float32) if weighted else None)(np.array([5, 1, 2, 0, 6, 4, 3]))
    whole = replace(whole, context={"sizes": torch.arange(7), "words": whole.inputs["words"]})
    pieces = split_batch(whole, parts)
    assert len(pieces) == min(parts, 7)
    sizes = [len(piece) for piece in pieces]
    assert min(sizes) >= 1 and max(sizes) - min(sizes) <= 1
    for of in (lambda batch: batch.inputs, lambda batch: batch.targets, lambda batch: batch.context):
        assert all(of(piece).keys() == of(whole).keys() for piece in pieces)
        for name, values in of(whole).items():
            assert plain([of(piece)[name] for piece in pieces]) == plain([values])
    assert torch.cat([piece.rows for piece in pieces]).tolist() == whole.rows.tolist()
    if whole.weight is not None:
        assert torch.equal(torch.cat([piece.weight for piece in pieces if piece.weight is not None]), whole.weight)
    assert all((piece.weight is None) == (not weighted) for piece in pieces)


@pytest.mark.parametrize("rows", [[0, 1, 2], [5, 2, 2, 0], [1], [1, 4], []])
def test_picked_rows_are_those_of_the_batch(rows: list[int]) -> None:
    weight = np.arange(7, dtype=np.float32)
    whole, wanted = collate(weight)(np.arange(7)), collate(weight)(np.array(rows, dtype=np.int64))
    found = pick(whole, torch.tensor(rows, dtype=torch.int64))
    assert found.rows.tolist() == rows
    assert plain([*found.inputs.values()]) == plain([*wanted.inputs.values()])
    assert plain([*found.targets.values()]) == plain([*wanted.targets.values()])
    assert found.weight is not None and wanted.weight is not None and torch.equal(found.weight, wanted.weight)


def plain(pieces: list[Values]) -> list[object]:
    """A list an entry, whatever the form."""
    entries: list[object] = []
    for values in pieces:
        if isinstance(values, Ragged):
            assert int(values.offsets[0]) == 0
            entries += [part.tolist() for part in values.values.split(values.lengths.tolist())]
        else:
            entries += values.tolist()
    return entries


def test_a_batch_is_a_batch_of_its_rows() -> None:
    assert len(Batch({}, {}, torch.arange(3))) == 3
