"""Figures for answers that are a tag for each word: (rows,) arrays of tag numbers against (rows,) of the same.

Spans are counted as by `conlleval` of the CoNLL shared tasks (Tjong Kim Sang and Buchholz 2000): one is right where
its first word, last word and type are. A tag's number is its place in the list of names; one that stands for no name,
-1, is a tag that training rows do not have, and never right.
"""

import re
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from lamina.metrics.metric import Metric, Weighted

UNSEEN = "I-?"
"""What a tag is called that training rows do not have; several in a row are one span."""
_SPAN_TAG = re.compile(r"O|[BIESLU](-.+)?")


class Span(NamedTuple):
    """Words that belong together."""

    type: str
    first: int
    """The place of its first word."""
    end: int
    """The place after its last word."""


def has_spans(names: Sequence[str]) -> bool:
    """Whether tags say where spans begin and go on: `B-place`, `I-place`, `O`, and no others."""
    return all(_SPAN_TAG.fullmatch(name) for name in names) and any(name[0] in "BI" for name in names)


def spans_of(tags: Sequence[str]) -> list[Span]:
    """The spans that tags say, also where one begins with I, as in IOB1, or ends with E, L, S or U."""
    found: list[Span] = []
    first, kind = -1, ""
    for place, tag in enumerate([*tags, "O"]):
        mark, _, name = tag.partition("-")
        goes_on = mark in ("I", "E", "L") and first >= 0 and name == kind
        if first >= 0 and not goes_on:
            found.append(Span(kind, first, place))
            first = -1
        if first < 0 and mark != "O":
            first, kind = place, name
        if first >= 0 and mark in ("E", "L", "S", "U"):
            found.append(Span(kind, first, place + 1))
            first = -1
    return found


def tag_metrics(names: Sequence[str], spans: bool) -> dict[str, Metric]:
    """Every figure for tags, by key.

    Args:
        names: the tags, by their numbers.
        spans: whether they tell of spans, which are then what counts.
    """
    figures: list[tuple[str, str, Callable[[np.ndarray], float]]] = []
    if spans:
        figures = [("span_f1", "span F1", _f1), ("span_precision", "span precision", _precision),
                   ("span_recall", "span recall", _recall)]  # fmt: skip

    def of_spans(figure: Callable[[np.ndarray], float], key: str, label: str) -> Metric:
        return _metric(key, label, lambda scores, truth: span_counts(scores, truth, names), figure)

    found = [of_spans(figure, key, label) for key, label, figure in figures]
    found.append(_metric("tag_accuracy", "accuracy of tags", _tag_counts, _recall))
    return {metric.key: metric for metric in found}


def _metric(key: str, label: str, count: Callable[[np.ndarray, np.ndarray], np.ndarray],
            figure: Callable[[np.ndarray], float]) -> Metric:  # fmt: skip
    """A figure of counts that add up over rows."""

    def measure(scores: np.ndarray, truth: np.ndarray) -> float:
        return figure(count(scores, truth).sum(0))

    def weighted(scores: np.ndarray, truth: np.ndarray) -> Weighted:
        counts = count(scores, truth)
        return lambda times: figure(times @ counts)

    return Metric(key, measure, True, label, weighted)


def span_counts(scores: np.ndarray, truth: np.ndarray, names: Sequence[str]) -> np.ndarray:
    """(rows, 3): spans that are right, that were answered, that are there."""
    named = np.array([*names, UNSEEN], dtype=object)
    counts = np.zeros((len(truth), 3))
    for row, (said, true) in enumerate(zip(scores, truth, strict=True)):
        answered, there = set(spans_of(named[said])), set(spans_of(named[true]))
        counts[row] = len(answered & there), len(answered), len(there)
    return counts


def _tag_counts(scores: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """(rows, 3): words whose tag is right, all words twice."""
    counts = [(np.count_nonzero(said == true), len(true), len(true)) for said, true in zip(scores, truth, strict=True)]
    return np.array(counts, dtype=np.float64).reshape(-1, 3)


def _f1(counts: np.ndarray) -> float:
    right, answered, there = counts
    return float(2 * right / (answered + there)) if answered + there else float("nan")


def _precision(counts: np.ndarray) -> float:
    right, answered, there = counts
    return float(right / answered) if answered else 0.0 if there else float("nan")


def _recall(counts: np.ndarray) -> float:
    right, answered, there = counts
    return float(right / there) if there else 0.0 if answered else float("nan")
