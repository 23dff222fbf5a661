"""Columns that give the answer away: they would not be there, or not yet, when an answer is wanted."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import polars as pl

from lamina.data import _names
from lamina.data._cells import share_of
from lamina.data._sequences import codes_of, pairs_of
from lamina.data.column import Column
from lamina.data.finding import Finding, setting
from lamina.data.table import Table
from lamina.ground.errors import listing

GIVES_AWAY = "gives the answer away"
KNOWN = "is it known before the answer is?"
_FEWEST = 30  # rows below which agreement may be chance
_SAMPLE = 10_000  # rows on which correlations are measured; exact rules are checked on all


def leaks(
    table: Table, columns: Mapping[str, Column], targets: Sequence[str], given: Mapping[str, Mapping[str, object]] = {}
) -> tuple[dict[str, Column], list[Finding]]:
    """Columns with those set aside that surely give a target away, and what was found.

    Sure are copies (also scaled, shifted or renamed), exact sums and differences of two columns, and predictions of
    the target by an earlier model. What is only likely stays, with a warning.

    Args:
        table: typed, as `cast` made it.
        columns: what was understood.
        targets: the columns to predict.
        given: a person's corrections: a column whose role was given keeps it, and is only warned of.
    """
    columns, findings = dict(columns), []
    for target in targets:
        sure, likely = _of_target(table, columns, target)
        findings += likely
        for why in dict.fromkeys(sure.values()):
            names = [name for name in sure if sure[name] == why]
            kept = [name for name in names if "role" in given.get(name, {})]
            aside = [name for name in names if name not in kept]
            for name in aside:
                columns[name] = replace(columns[name], role="ignore", confidence=0.95, reason=f"{why}: {GIVES_AWAY}")
            done = f"{listing(aside)} set aside" if aside else "kept, because a role was given"
            keep = " ".join(setting(name, "role", "input") for name in aside)
            remedy = f"If known before the answer is, keep with {keep}" if aside else ""
            findings.append(Finding("warning", names[0], f"{why}: {GIVES_AWAY}; {done}", remedy))
    return columns, findings


def _of_target(table: Table, columns: Mapping[str, Column], target: str) -> tuple[dict[str, str], list[Finding]]:
    """The columns that surely give one target away, with the reason, and warnings of those that may."""
    rows = table.frame[target].is_not_null().arg_true().to_numpy()
    inputs = {name: column for name, column in columns.items() if column.role == "input"}
    kind = columns[target].kind
    if len(rows) < _FEWEST or kind not in ("number", "category"):
        return {}, []
    frame = table.frame[rows]
    numbers = [name for name, column in inputs.items() if column.kind == "number"]
    words = [name for name, column in inputs.items() if column.kind == "category"]
    sure, likely = _same_words(frame, words, target) if kind == "category" else ({}, [])
    if kind == "number" and numbers:
        values = frame.select(pl.col(numbers).cast(pl.Float64)).to_numpy().astype(np.float64)
        answer = frame[target].to_numpy().astype(np.float64)
        sure |= _exact(values, numbers, answer, target)
        predicted, doubtful = _correlated(values, numbers, answer, target, set(sure))
        sure |= predicted
        likely += doubtful
    elif kind == "category":
        likely += [finding for name in numbers if (finding := _separating(frame[name], frame[target]))]
    return sure, [finding for finding in likely if finding.column not in sure]


# --- numbers to predict ---------------------------------------------------------------------------------------------


def _exact(values: np.ndarray, names: Sequence[str], answer: np.ndarray, target: str) -> dict[str, str]:
    """Columns of which the target is a copy, perhaps scaled and shifted, or a sum or difference of two.

    Args:
        values: (rows, columns), gaps NaN.
        answer: (rows,) without gaps.
    """
    found: dict[str, str] = {}
    if len(np.unique(answer[:1000])) < 10:
        return found
    for place, name in enumerate(names):
        known = ~np.isnan(values[:, place])
        one, goal = values[known, place], answer[known]
        if len(one) < max(_FEWEST, 0.5 * len(answer)) or one.std() == 0:
            continue
        slope, start = np.polyfit(one, goal, 1)
        if np.abs(slope * one + start - goal).max() <= 1e-6 * goal.std():
            scaled = "" if np.allclose([slope, start], [1, 0], atol=1e-6) else f" times {slope:.6g} plus {start:.6g}"
            found[name] = f"{target} is {name}{scaled} in all {len(one):,} rows"
    for first, second, sign in _pairs(values, answer):
        if names[first] not in found and names[second] not in found:
            pair = f"{target} = {names[first]} {sign} {names[second]} in all rows"
            found |= {names[first]: pair, names[second]: pair}
    return found


def _pairs(values: np.ndarray, answer: np.ndarray) -> list[tuple[int, int, str]]:
    """Pairs of columns whose sum or difference is the answer: sought on a few rows, then checked on all."""
    complete = np.flatnonzero(~np.isnan(values).any(axis=0))
    values = values[:, complete]
    few = np.linspace(0, len(answer) - 1, 64).astype(np.int64)
    pairs = []
    for first in range(len(complete)):
        rest = answer[few] - values[few, first]
        for sign, wanted in (("+", rest), ("-", -rest)):
            near = np.abs(values[few] - wanted[:, None]) <= _tolerance(answer[few])[:, None]
            for second in np.flatnonzero(near.all(axis=0)):
                if first == second or (sign == "+" and second < first):
                    continue
                other = values[:, second] if sign == "+" else -values[:, second]
                if (np.abs(values[:, first] + other - answer) <= _tolerance(answer)).all():
                    pairs.append((int(complete[first]), int(complete[second]), sign))
    return pairs


def _tolerance(answer: np.ndarray) -> np.ndarray:
    return 1e-9 * np.abs(answer) + 1e-9 * (np.abs(answer).max() + 1e-300)


def _correlated(values: np.ndarray, names: Sequence[str], answer: np.ndarray, target: str, known: set[str],
                ) -> tuple[dict[str, str], list[Finding]]:  # fmt: skip
    """Columns that follow the target so closely that they look like it: an earlier model's prediction, or a twin."""
    sure, likely = {}, []
    some = np.linspace(0, len(answer) - 1, min(len(answer), _SAMPLE)).astype(np.int64)
    values, answer = values[some], answer[some]
    for place, name in enumerate(names):
        there = ~np.isnan(values[:, place])
        one, goal = values[there, place], answer[there]
        if name in known or len(one) < _FEWEST or one.std() == 0 or goal.std() == 0:
            continue
        together = abs(float(np.corrcoef(one, goal)[0, 1]))
        if _names.hints(name, _names.PREDICTION) and together >= 0.7 and _names_alike(name, target):
            sure[name] = (
                f"{name!r} is by its name a prediction of {target!r} and follows it (correlation {together:.2f})"
            )
        elif together >= 0.999 or (together >= 0.9 and _names.hints(name, _names.PREDICTION)):
            text = f"{name!r} follows {target!r} very closely (correlation {together:.4f}): {KNOWN}"
            likely.append(Finding("warning", name, text, f"If not: {setting(name, 'role', 'ignore')}"))
    return sure, likely


def _names_alike(name: str, target: str) -> bool:
    """Whether a column is named after the target: at least half of the target's words are in its name."""
    wanted = set(_names.words(target))
    return bool(wanted) and 2 * len(wanted & set(_names.words(name))) >= len(wanted)


# --- classes to predict ---------------------------------------------------------------------------------------------


def _same_words(frame: pl.DataFrame, names: Sequence[str], target: str) -> tuple[dict[str, str], list[Finding]]:
    """Categories that are the classes under other names, or finer names of them; and those that merely decide them."""
    sure, likely = {}, []
    answer = codes_of(frame[target])
    classes = int(answer.max()) + 1
    for name in names:
        known = frame[name].is_not_null().to_numpy()
        if known.sum() < max(_FEWEST, 0.5 * len(answer)):
            continue
        codes = codes_of(frame[name])[known]
        pairs, _ = pairs_of(codes, answer[known])
        values = int(np.unique(codes).size)
        decided = len(pairs) == values and np.unique(pairs[:, 1]).size == classes
        if decided and values == classes:
            sure[name] = f"{name!r} is {target!r} in other words: each of its {values} values goes with one class"
        elif decided and values <= len(codes) / 3:
            written = frame.select(pl.col(name), pl.col(target)).drop_nulls().unique()
            if written.select(pl.col(name).str.contains(pl.col(target), literal=True).all()).item():
                sure[name] = f"every cell of {name!r} spells out {target!r}"
                continue
            text = f"each of the {values:,} values of {name!r} goes with one {target!r} only: {KNOWN}"
            likely.append(Finding("warning", name, text, f"If not: {setting(name, 'role', 'ignore')}"))
        elif _names.hints(name, _names.PREDICTION) and _names_alike(name, target):
            agree = share_of(frame[name] == frame[target])
            if agree > 0.7:
                sure[name] = (
                    f"{name!r} is by its name a prediction of {target!r}, and agrees with it in {agree:.0%} of the rows"
                )
    return sure, likely


def _separating(numbers: pl.Series, answer: pl.Series) -> Finding | None:
    """A warning when ranges of one number tell all classes apart without a single error."""
    both = pl.DataFrame({"number": numbers, "class": answer}).drop_nulls()
    if both.height < max(200, 0.5 * len(answer)):
        return None
    ranges = both.group_by("class").agg(pl.col("number").min().alias("low"), pl.col("number").max().alias("high"))
    ranges = ranges.sort("low")
    if ranges.height < 2 or share_of(ranges["low"][1:] > ranges["high"][:-1]) < 1:
        return None
    name, target = numbers.name, answer.name
    text = f"ranges of {name!r} tell every {target!r} apart without an error: {KNOWN}"
    return Finding("warning", name, text, f"If not: {setting(name, 'role', 'ignore')}")
