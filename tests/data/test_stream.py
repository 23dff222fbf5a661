from collections.abc import Callable

import numpy as np
import pytest
import torch

from lamina.data import Batch, RowStream

ROWS = np.arange(100, 153)  # 53 row numbers of a larger table


LENGTHS = np.random.default_rng(0).integers(1, 40, len(ROWS))


def stream(batch_size: int = 8, seed: int = 0, lengths: np.ndarray | None = None, rank: int = 0,
           ranks: int = 1) -> RowStream:  # fmt: skip
    of_rows = None if lengths is None else lambda rows: lengths[rows - ROWS[0]]
    return RowStream(ROWS, batch_size, seed, lambda rows: Batch({}, {}, torch.from_numpy(rows)), rank, ranks, of_rows)


def epoch(source: RowStream) -> list[list[int]]:
    return [source.next().rows.tolist() for _ in range(source.batches_per_epoch)]


@pytest.mark.parametrize("lengths", [None, LENGTHS], ids=["one shape", "lengths"])
@pytest.mark.parametrize("batch_size", [1, 2, 8, 26, 27, 52, 53, 54, 1000])
def test_an_epoch_brings_each_row_once_in_batches_as_equal_as_can_be(
    batch_size: int, lengths: np.ndarray | None
) -> None:
    source = stream(batch_size, lengths=lengths)
    for _ in range(3):
        batches = epoch(source)
        assert sorted(row for batch in batches for row in batch) == ROWS.tolist()
        sizes = [len(batch) for batch in batches]
        assert max(sizes) <= batch_size
        assert max(sizes) - min(sizes) <= 1


@pytest.mark.parametrize("lengths", [None, LENGTHS], ids=["one shape", "lengths"])
@pytest.mark.parametrize("batch_size", [1, 8, 53, 99])
@pytest.mark.parametrize("made", [0, 1, 6, 7, 8, 29])
def test_a_restored_stream_goes_on_with_the_very_next_batch(
    batch_size: int, made: int, lengths: np.ndarray | None
) -> None:
    source = stream(batch_size, lengths=lengths)
    for _ in range(made):
        source.next()
    state = source.state()
    assert all(type(value) is int for value in state.values())
    coming = [source.next().rows.tolist() for _ in range(20)]
    other = stream(batch_size, lengths=lengths)
    other.next()
    other.restore(state)
    assert [other.next().rows.tolist() for _ in range(20)] == coming
    assert other.state() == source.state()


@pytest.mark.parametrize("lengths", [None, LENGTHS], ids=["one shape", "lengths"])
def test_the_order_follows_from_the_seed_and_the_epoch(lengths: np.ndarray | None) -> None:
    assert epoch(stream(lengths=lengths)) == epoch(stream(lengths=lengths))
    assert epoch(stream(lengths=lengths)) != epoch(stream(seed=1, lengths=lengths))
    source = stream(lengths=lengths)
    first, second = epoch(source), epoch(source)
    assert first != second
    assert first != [sorted(batch) for batch in first]


def test_rows_of_like_length_come_together_and_batches_in_any_order() -> None:
    """Each window of 64 batches is divided by length, so a batch hardly holds two lengths; short ones do not lead."""
    count, size = 6_400, 10
    lengths = np.random.default_rng(1).integers(1, 101, count)
    source = RowStream(np.arange(count), size, 0, lambda rows: Batch({}, {}, torch.from_numpy(rows)),
                       lengths=lambda rows: lengths[rows])  # fmt: skip
    batches = [source.next().rows.numpy() for _ in range(source.batches_per_epoch)]
    longest = np.array([lengths[rows].max() for rows in batches])
    assert 1 - lengths.sum() / (longest * size).sum() < 0.05
    by_chance = lengths.reshape(-1, size)
    assert 1 - by_chance.sum() / (by_chance.max(1) * size).sum() > 0.4
    assert abs(np.corrcoef(np.arange(len(longest)), longest)[0, 1]) < 0.15
    first_half = np.concatenate(batches[: len(batches) // 2])
    assert abs(lengths[first_half].mean() - lengths.mean()) < 2  # a window of 64 batches is as the whole


def test_rows_of_one_length_come_as_rows_without_lengths() -> None:
    assert epoch(stream(lengths=np.full(len(ROWS), 7))) == epoch(stream())


def test_neighbours_of_one_length_change_with_the_epoch() -> None:
    source = stream(8, lengths=np.repeat([3, 9], [26, 27]))
    first, second = epoch(source), epoch(source)
    assert {tuple(sorted(batch)) for batch in first} != {tuple(sorted(batch)) for batch in second}


@pytest.mark.parametrize("batch_size", [1, 2, 3, 8, 53])
@pytest.mark.parametrize("ranks", [1, 2, 3, 7])
@pytest.mark.parametrize("lengths", [None, LENGTHS], ids=["one shape", "lengths"])
def test_shares_of_processes_are_the_same_batches_each_row_once(
    batch_size: int, ranks: int, lengths: np.ndarray | None
) -> None:
    shares = [stream(batch_size, 0, lengths, rank, ranks) for rank in range(ranks)]
    whole = stream(batch_size, lengths=lengths)
    for number in range(2 * whole.batches_per_epoch):
        wanted, found = whole.next(), [each.next() for each in shares]
        assert all(part.place.batch == number and part.whole == len(wanted) for part in found)
        counting = [part for part in found if part.place.counts]
        assert [row for part in counting for row in part.rows.tolist()] == wanted.rows.tolist()
        assert [part.place.start for part in counting] == np.cumsum([0, *map(len, counting)])[:-1].tolist()
        assert min(map(len, counting)) >= min(2, len(wanted)), "a single row has no batch statistics"
        assert all(part.rows.tolist() == wanted.rows.tolist() for part in found if not part.place.counts)


@pytest.fixture
def many(monkeypatch: pytest.MonkeyPatch) -> Callable[..., RowStream]:
    """A stream over 53 rows and 4,000 more, in stretches of 16 rows of which some 640 are put in order at once."""
    monkeypatch.setattr("lamina.data.stream.STRETCH", 16)
    monkeypatch.setattr("lamina.data.stream.SHUFFLED", 640)

    def make(batch_size: int = 30, seed: int = 0, rank: int = 0, ranks: int = 1, lengths: bool = False) -> RowStream:
        of_rows = (lambda rows: rows % 17 + 1) if lengths else None
        return RowStream(ROWS, batch_size, seed, lambda rows: Batch({}, {}, torch.from_numpy(rows)), rank, ranks,
                         of_rows, range(200, 4_200))  # fmt: skip

    return make


@pytest.mark.parametrize("lengths", [False, True])
@pytest.mark.parametrize("batch_size", [1, 7, 30, 640, 641, 4_052, 4_053, 9_999])
def test_rows_too_many_to_order_at_once_come_each_once_too(
    many: Callable[..., RowStream], batch_size: int, lengths: bool
) -> None:
    source = many(batch_size, lengths=lengths)
    first, second = epoch(source), epoch(source)
    for batches in (first, second):
        assert sorted(row for batch in batches for row in batch) == [*ROWS.tolist(), *range(200, 4_200)]
        sizes = [len(batch) for batch in batches]
        assert max(sizes) <= batch_size and max(sizes) - min(sizes) <= 1
    assert first != second and first == epoch(many(batch_size, lengths=lengths))


@pytest.mark.parametrize("lengths", [False, True])
@pytest.mark.parametrize("made", [0, 1, 20, 21, 22, 135, 136, 200])
def test_a_restored_stream_over_many_rows_goes_on_with_the_very_next_batch(
    many: Callable[..., RowStream], made: int, lengths: bool
) -> None:
    source = many(lengths=lengths)
    for _ in range(made):
        source.next()
    state = source.state()
    coming = [source.next().rows.tolist() for _ in range(150)]
    other = many(lengths=lengths)
    other.restore(state)
    assert [other.next().rows.tolist() for _ in range(150)] == coming


def test_shares_of_many_rows_are_the_same_batches(many: Callable[..., RowStream]) -> None:
    whole, shares = many(), [many(rank=rank, ranks=3) for rank in range(3)]
    for _ in range(whole.batches_per_epoch):
        wanted = whole.next().rows.tolist()
        assert [row for each in shares for row in each.next().rows.tolist()] == wanted


def test_a_batch_of_many_rows_has_some_from_all_over(many: Callable[..., RowStream]) -> None:
    source = many()
    for batch in epoch(source):
        assert np.ptp(batch) > 1_500
        assert len({row // 16 for row in batch}) > 12, "neighbours in the store are seldom together"
