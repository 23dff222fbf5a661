"""Which columns hold tags, one for each word of another column."""

from collections.abc import Collection
from typing import NamedTuple

import numpy as np
import polars as pl

from lamina.data.conll import SPAN_TAG
from lamina.data.table import Table
from lamina.data.words import entries, listed

_SOME = 500
"""Rows that are looked at, spread over the table."""
_AGREE, _AGREE_SPANS = 0.9, 0.5
"""The share of rows that must hold as many tags as words, less where tags are plainly such: the others are mistakes,
which are counted later."""
_MOST_TAGS = 200
"""Different tags that are no spans, above which entries are words."""


class Tagged(NamedTuple):
    """A column of tags."""

    words: str
    """The column whose words they belong to; empty where there is none."""
    reason: str


class _Entries(NamedTuple):
    """What some rows of a column hold."""

    counts: np.ndarray
    """(rows,) entries in each."""
    kinds: frozenset[str]
    total: int
    lists: bool


def find_tags(table: Table, targets: Collection[str], told: Collection[str] = ()) -> dict[str, Tagged]:
    """Columns whose cells hold a tag for each word of another's, by name.

    Args:
        table: cells as they were found.
        targets: the columns to predict; for these, tags of any kind are thought of.
        told: the columns of which a person said that they are tags.
    """
    if len(table) == 0:
        return {}
    some = np.unique(np.linspace(0, len(table) - 1, min(len(table), _SOME)).astype(int))
    seen: dict[str, _Entries] = {}
    for name in table.columns:
        cells = table.frame[name]
        if cells.dtype == pl.String and name not in table.media and (found := _look(cells, some)) is not None:
            seen[name] = found
    found_tags = {}
    for name, one in seen.items():
        sure = name in told or (name in table.targets and one.lists)
        if not (sure or _may_be_tags(one, name in targets)):
            continue
        words = [other for other in seen if other != name and _agree(one, seen[other]) and not _are_spans(seen[other])]
        if not words and name in targets and _are_spans(one):
            found_tags[name] = Tagged("", "")
        if not words:
            continue
        best = max(words, key=lambda other: (seen[other].lists, len(seen[other].kinds)))
        if sure or _surely(one, seen[best]):
            found_tags[name] = Tagged(best, f"{len(one.kinds):,} different tags, one for each word of {best!r}")
    return found_tags


def _look(cells: pl.Series, some: np.ndarray) -> _Entries | None:
    """What some rows hold; None for a column whose cells are single values."""
    if max((len(entries(cell)) for cell in cells[some[:20]]), default=0) < 2:
        return None
    parts = [entries(cell) for cell in cells[some]]
    there = [cell for cell in cells[some] if cell is not None]
    lists = bool(there) and all(listed(cell) is not None for cell in there)
    kinds = frozenset(entry for part in parts for entry in part)
    return _Entries(np.array([len(part) for part in parts]), kinds, sum(map(len, parts)), lists)


def _may_be_tags(one: _Entries, is_target: bool) -> bool:
    if _are_spans(one):
        return True
    return (one.lists or is_target) and len(one.kinds) <= min(_MOST_TAGS, one.total / 5)


def _are_spans(one: _Entries) -> bool:
    return all(SPAN_TAG.fullmatch(kind) for kind in one.kinds) and any(kind[:2] == "B-" for kind in one.kinds)


def _agree(tags: _Entries, words: _Entries) -> bool:
    held = (tags.counts > 0) | (words.counts > 0)
    same = tags.counts[held] == words.counts[held]
    return bool(held.any()) and bool(same.mean() >= (_AGREE_SPANS if _are_spans(tags) else _AGREE))


def _surely(tags: _Entries, words: _Entries) -> bool:
    """Whether equal lengths are no accident, and the other column holds words."""
    return _are_spans(tags) or (len(np.unique(tags.counts)) > 2 and len(words.kinds) > 2 * len(tags.kinds))
