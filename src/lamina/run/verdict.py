"""One sentence that says what the network is worth beside simpler ways, and whether that may be chance."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from lamina.metrics import Metric

IN_PERCENT = frozenset({
    "accuracy", "balanced_accuracy", "in_scope_accuracy", "outside_precision", "outside_recall", "recall_at_1",
    "recall_at_5", "tag_accuracy", "turned_away",
})  # fmt: skip
"""Figures that people know as percentages."""
FEW_ROWS = 50
"""Below this many test rows only large differences can be told from chance."""


@dataclass(frozen=True)
class Rival:
    """A simpler way, measured on the same rows as the network."""

    name: str
    """`boosted trees`, `always the mean`."""
    value: float
    """Its own figure."""
    ahead: float
    """By how much the network is better: negative when it is worse."""
    low: float
    """The interval of `ahead`; not a number where it could not be measured."""
    high: float
    naive: bool = False
    """Whether it looks at no input."""


def verdict(metric: Metric, rivals: Sequence[Rival], rows: int) -> str:
    """Whether the network is better than the best of its rivals, by how much, and which to use.

    Args:
        metric: the figure that decides.
        rivals: simpler ways; classical ones count before naive ones, and a naive one that beats all counts first.
        rows: test rows that all were measured on.
    """
    measured = [rival for rival in rivals if math.isfinite(rival.ahead)]
    if not measured:
        return f"There is nothing to compare the network with, on {_rows(rows)}."
    naive = [rival for rival in measured if rival.naive]
    classical = [rival for rival in measured if not rival.naive]
    closest = min(naive or measured, key=lambda rival: rival.ahead)
    best = min(classical or measured, key=lambda rival: rival.ahead)
    if closest.naive and closest.ahead <= 0 and closest.ahead <= best.ahead:
        sentence = _no_better_than_naive(metric, closest)
    else:
        sentence = _beside(metric, best)
        if not classical:
            sentence += " No classical model was measured."
        elif closest.naive and not _sure(closest):
            sentence += f" The network may be no better than {_spoken(closest)}: do not rely on it."
    if rows < FEW_ROWS:
        sentence += f" It was judged on only {_rows(rows)}, where none but large differences show."
    return sentence


def _beside(metric: Metric, rival: Rival) -> str:
    """The sentence about the best rival."""
    name = _spoken(rival)
    span = f"{gap(metric, abs(rival.ahead))}{_interval(metric, rival)}"
    if rival.ahead == 0:
        return f"The network and {name} are equally good{_interval(metric, rival)}: use the simpler."
    if not math.isfinite(rival.low):
        word = "better" if rival.ahead > 0 else "worse"
        return f"The network is {word} than {name} by {span}; whether that is chance cannot be told."
    if rival.ahead > 0:
        if _sure(rival):
            return f"The network is better than {name} by {span}: more than chance."
        advice = "more rows would tell" if rival.naive else "either will do, and more rows would tell"
        return f"The network is ahead of {name} by {span}, which may be chance: {advice}."
    if rival.high < 0:
        return f"The network is worse than {name} by {span}: more than chance. Use {name} for this."
    return f"The network is behind {name} by {span}, which may be chance: {name} will do."


def _no_better_than_naive(metric: Metric, rival: Rival) -> str:
    """The sentence when looking at the inputs did not help."""
    if rival.ahead == 0:
        return f"The network is no better than {_spoken(rival)}: it found nothing in the inputs to go by."
    span = f"{gap(metric, -rival.ahead)}{_interval(metric, rival)}"
    chance = "more than chance" if rival.high < 0 else "which may be chance"
    return f"The network is worse than {_spoken(rival)}, by {span}, {chance}: do not use it."


def _spoken(rival: Rival) -> str:
    """`always answering the mean`, `the boosted trees`: the name inside a sentence."""
    return f"always answering {rival.name.removeprefix('always ')}" if rival.naive else f"the {rival.name}"


def _sure(rival: Rival) -> bool:
    """Whether the network is better, and that is more than chance."""
    return rival.low > 0


def _interval(metric: Metric, rival: Rival) -> str:
    """` (100 to 2,300)`, in the direction in which the sentence speaks; nothing where both bounds are the same."""
    low, high = (rival.low, rival.high) if rival.ahead >= 0 else (-rival.high, -rival.low)
    if not (math.isfinite(low) and math.isfinite(high)):
        return ""
    times = 100 if metric.key in IN_PERCENT else 1
    places = _places(times * max(abs(low), abs(high)))
    bounds = [f"{times * bound:,.{places}f}" for bound in (low, high)]
    return "" if bounds[0] == bounds[1] else f" ({bounds[0]} to {bounds[1]})"


def gap(metric: Metric, difference: float) -> str:
    """A difference for people: `1,210 RMSE`, `2.1 percentage points of accuracy`."""
    if metric.key in IN_PERCENT:
        return f"{100 * difference:.{_places(100 * difference)}f} percentage points of {metric.label}"
    return f"{difference:,.{_places(difference)}f} {metric.label or metric.key}"


def figure(metric: Metric, value: float) -> str:
    """A figure for people: `45,870`, `93.4 %`, `0.871`."""
    if not math.isfinite(value):
        return "not measurable"
    if metric.key in IN_PERCENT:
        return f"{100 * value:.1f} %"
    return f"{value:,.{_places(value)}f}"


def _places(value: float) -> int:
    """Decimals that show three digits of a number, and no more than people read."""
    size = abs(value)
    if size >= 100 or size == 0:
        return 0
    return min(6, max(0, 2 - math.floor(math.log10(size))))


def _rows(rows: int) -> str:
    return "1 row" if rows == 1 else f"{rows:,} rows"


def in_words(metric: Metric, found: Mapping[str, float], named: bool = True) -> str:
    """A measured figure with its interval: `RMSE 45,870 (44,300 to 47,500)`.

    Args:
        metric: what was measured.
        found: `value`, `low` and `high`.
        named: whether the name of the metric stands before the figure.
    """
    value, low, high = (figure(metric, found[name]) for name in ("value", "low", "high"))
    text = value if low == high == value else f"{value} ({low} to {high})"
    return f"{metric.label or metric.key} {text}" if named else text
