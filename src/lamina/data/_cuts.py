"""Ways to hold rows out: spread evenly, by whole groups, the latest, or in blocks of time.

Each takes rows and how many to hold, and gives the rows held, ascending; `fold_...` gives a fold number to each row.
"""

import numpy as np

from lamina.data._sequences import pairs_of


def hold_spread(
    rows: np.ndarray, strata: np.ndarray, count: int, keep: bool, random: np.random.Generator
) -> np.ndarray:
    """Rows at random, evenly from each stratum.

    Args:
        rows: (rows,) to choose from.
        strata: (rows,) a code for each.
        count: how many to hold.
        keep: whether a row of each stratum must stay, so that no class is held out altogether.
        random: where chance comes from.
    """
    order = random.permutation(len(rows))
    order = order[np.argsort(strata[order], kind="stable")]
    if keep:
        order = order[~_first_of_each(strata[order])]
    count = min(count, len(order))
    # Every n-th row of an order by stratum takes the same share of each, the small ones included.
    places = ((np.arange(count) + random.random()) * (len(order) / max(count, 1))).astype(np.int64)
    return np.sort(rows[order[places]])


def fold_spread(strata: np.ndarray, folds: int, random: np.random.Generator) -> np.ndarray:
    """(rows,) fold numbers, with the same share of each stratum in every fold."""
    order = random.permutation(len(strata))
    order = order[np.argsort(strata[order], kind="stable")]
    numbers = np.empty(len(strata), dtype=np.int64)
    numbers[order] = np.arange(len(strata)) % folds
    return numbers


def hold_groups(rows: np.ndarray, groups: np.ndarray, strata: np.ndarray, count: int,
                random: np.random.Generator) -> np.ndarray:  # fmt: skip
    """Whole groups at random, about `count` rows, evenly from the strata that most of a group's rows belong to."""
    names, groups = np.unique(groups, return_inverse=True)
    sizes, kinds = np.bincount(groups), _most_frequent(groups, strata)
    order = random.permutation(len(names))
    order = order[np.argsort(kinds[order], kind="stable")]
    # The largest group of each stratum is always learned from; where each has a stratum of its own, the largest of all.
    alike = kinds if len(np.unique(kinds)) < len(names) else np.zeros_like(kinds)
    by_size = order[np.lexsort((-sizes[order], alike[order]))]
    order = order[~np.isin(order, by_size[_first_of_each(alike[by_size])])]
    rate = count / max(sizes[order].sum(), 1)
    owed = (random.random() - 0.5) * sizes.mean()
    held = []
    for group in order:
        owed += rate * sizes[group]
        if owed >= sizes[group] / 2:
            held.append(group)
            owed -= sizes[group]
    if not held and count:
        held = [order[np.argmin(np.abs(sizes[order] - count))]]
    return rows[np.isin(groups, held)]


def fold_groups(groups: np.ndarray, strata: np.ndarray, folds: int, random: np.random.Generator) -> np.ndarray:
    """(rows,) fold numbers that cut no group apart: each group goes where its stratum, then all rows, are fewest."""
    names, groups = np.unique(groups, return_inverse=True)
    sizes, kinds = np.bincount(groups), _most_frequent(groups, strata)
    order = random.permutation(len(names))
    order = order[np.argsort(-sizes[order], kind="stable")]
    filled = np.zeros((int(kinds.max()) + 1, folds), dtype=np.int64)
    number = np.empty(len(names), dtype=np.int64)
    for group in order:
        of_kind = filled[kinds[group]]
        number[group] = np.lexsort((filled.sum(axis=0), of_kind))[0]
        of_kind[number[group]] += sizes[group]
    return number[groups]


def hold_latest(rows: np.ndarray, times: np.ndarray, count: int) -> np.ndarray:
    """The last rows in time; rows of one moment stay together, and rows without a time are never held."""
    known = np.sort(times[~np.isnan(times)])
    if count == 0 or len(known) == 0:
        return rows[:0]
    first = known[max(len(known) - count, 0)]
    if first == known[0]:  # the moment of the boundary is the first one: it must stay
        later = known[known > first]
        first = later[0] if len(later) else np.inf
    return rows[times >= first]


def hold_blocks(rows: np.ndarray, times: np.ndarray, count: int, random: np.random.Generator) -> np.ndarray:
    """A few blocks of neighbours in time, spread over the range; rows of one moment stay together."""
    order = np.argsort(times, kind="stable")
    held = np.zeros(len(rows), dtype=bool)
    blocks = _blocks(count)
    for stretch in np.array_split(order, blocks):
        length = round(count / blocks)
        start = int(random.integers(0, max(len(stretch) - length, 0) + 1))
        held[stretch[start : start + length]] = True
    return rows[_together(held, times)]


def fold_blocks(times: np.ndarray, folds: int) -> np.ndarray:
    """(rows,) fold numbers of blocks of neighbours in time that take turns; rows of one moment stay together."""
    return _together(fold_stretches(times, folds * _blocks(len(times) // folds)) % folds, times)


def fold_stretches(times: np.ndarray, folds: int) -> np.ndarray:
    """(rows,) numbers of stretches of time, the earliest 0; rows of one moment stay together."""
    numbers = np.empty(len(times), dtype=np.int64)
    numbers[np.argsort(times, kind="stable")] = np.arange(len(times)) * folds // max(len(times), 1)
    return _together(numbers, times)


def _blocks(count: int) -> int:
    """How many blocks to hold these rows in: spread over the range, yet most rows have their neighbours beside them."""
    return int(np.clip(count // 20, 1, 10))


def _together(values: np.ndarray, times: np.ndarray) -> np.ndarray:
    """Values, with every row of a moment taking that of the moment's first row."""
    _, first, moment = np.unique(times, return_index=True, return_inverse=True)
    return values[first[moment]]


def _first_of_each(codes: np.ndarray) -> np.ndarray:
    """(rows,) whether a code is the first of its run."""
    return np.concatenate([[True], codes[1:] != codes[:-1]]) if len(codes) else np.zeros(0, dtype=bool)


def _most_frequent(groups: np.ndarray, strata: np.ndarray) -> np.ndarray:
    """(groups,) the stratum that most rows of each group belong to."""
    pairs, counts = pairs_of(groups, strata)
    order = np.lexsort((-counts, pairs[:, 0]))
    return pairs[order][_first_of_each(pairs[order, 0]), 1]
