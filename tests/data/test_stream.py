import numpy as np
import pytest
import torch

from lamina.data import Batch, RowStream

ROWS = np.arange(100, 153)  # 53 row numbers of a larger table


def stream(batch_size: int = 8, seed: int = 0) -> RowStream:
    return RowStream(ROWS, batch_size, seed, lambda rows: Batch({}, {}, torch.from_numpy(rows)))


def epoch(source: RowStream) -> list[list[int]]:
    return [source.next().rows.tolist() for _ in range(source.batches_per_epoch)]


@pytest.mark.parametrize("batch_size", [1, 2, 8, 26, 27, 52, 53, 54, 1000])
def test_an_epoch_brings_each_row_once_in_batches_as_equal_as_can_be(batch_size: int) -> None:
    source = stream(batch_size)
    for _ in range(3):
        batches = epoch(source)
        assert sorted(row for batch in batches for row in batch) == ROWS.tolist()
        sizes = [len(batch) for batch in batches]
        assert max(sizes) <= batch_size
        assert max(sizes) - min(sizes) <= 1


@pytest.mark.parametrize("batch_size", [1, 8, 53, 99])
@pytest.mark.parametrize("made", [0, 1, 6, 7, 8, 29])
def test_a_restored_stream_goes_on_with_the_very_next_batch(batch_size: int, made: int) -> None:
    source = stream(batch_size)
    for _ in range(made):
        source.next()
    state = source.state()
    assert all(type(value) is int for value in state.values())
    coming = [source.next().rows.tolist() for _ in range(20)]
    other = stream(batch_size)
    other.next()
    other.restore(state)
    assert [other.next().rows.tolist() for _ in range(20)] == coming
    assert other.state() == source.state()


def test_the_order_follows_from_the_seed_and_the_epoch() -> None:
    assert epoch(stream()) == epoch(stream())
    assert epoch(stream()) != epoch(stream(seed=1))
    source = stream()
    first, second = epoch(source), epoch(source)
    assert first != second
    assert first != [sorted(batch) for batch in first]


@pytest.mark.parametrize("batch_size", [1, 2, 3, 8, 53])
@pytest.mark.parametrize("ranks", [1, 2, 3, 7])
def test_shares_of_processes_are_the_same_batches_each_row_once(batch_size: int, ranks: int) -> None:
    def share(rank: int) -> RowStream:
        return RowStream(ROWS, batch_size, 0, lambda rows: Batch({}, {}, torch.from_numpy(rows)), rank, ranks)

    shares = [share(rank) for rank in range(ranks)]
    whole = stream(batch_size)
    for number in range(2 * whole.batches_per_epoch):
        wanted, found = whole.next(), [each.next() for each in shares]
        assert all(part.place.batch == number and part.whole == len(wanted) for part in found)
        counting = [part for part in found if part.place.counts]
        assert [row for part in counting for row in part.rows.tolist()] == wanted.rows.tolist()
        assert [part.place.start for part in counting] == np.cumsum([0, *map(len, counting)])[:-1].tolist()
        assert min(map(len, counting)) >= min(2, len(wanted)), "a single row has no batch statistics"
        assert all(part.rows.tolist() == wanted.rows.tolist() for part in found if not part.place.counts)
