"""The kind of a column, from its cells alone or as a person said; every verdict comes with its reason."""

from dataclasses import replace
from typing import cast

import numpy as np
import polars as pl

from lamina.data import _names
from lamina.data._answers import classes_or_amounts
from lamina.data._cells import is_gap_word, plain_text
from lamina.data._look import Look
from lamina.data._moments import find_format, packed_date, parse_moments, unix_format
from lamina.data.column import Column, Kind
from lamina.data.finding import setting
from lamina.ground.errors import PlanError, listing

_MOSTLY = 0.95  # share of the cells that must be numbers for the others to be mistakes
_NO_MARKS = pl.Series([], dtype=pl.String)


def judge(look: Look) -> Column:
    """The kind of a column when nobody said it."""
    if look.rows == 0:
        return _made(look, "category", 0.9, "no cell holds a value")
    if look.is_typed_moment:
        return _moment(look, None, 0.99, f"typed {look.cells.dtype}")
    if not look.is_text:
        return _judge_numbers(look, 0.99, _NO_MARKS)
    gaps = _gaps_beside_numbers(look)
    rest, marks = look.without(gaps), look.values.filter(gaps)
    read = int(rest.counts.filter(rest.are_numbers).sum())
    if (
        rest.numbers.null_count() < len(rest.values)
        and read >= _MOSTLY * rest.rows
        and (read == rest.rows or len(rest.values) > 20)
    ):
        return _judge_numbers(rest, 0.97 if read == rest.rows else 0.75, marks)
    gaps = is_gap_word(look.values, among_numbers=True)
    rest, marks = look.without(gaps), look.values.filter(gaps)
    found = find_format(rest.values, rest.cells) if rest.rows else None
    if found is not None:
        return _moment(rest, *found, marks)
    gaps = _gaps_among_words(look)
    return _judge_words(look.without(gaps), look.values.filter(gaps))


def as_told(look: Look, kind: Kind) -> Column:
    """The column as the kind that a person gave.

    Raises:
        PlanError: if its cells cannot be that.
    """
    gaps = pl.repeat(False, len(look.values), eager=True)
    if look.is_text and kind in ("number", "moment"):
        gaps = is_gap_word(look.values, among_numbers=True)
    elif look.is_text and kind == "category":
        gaps = _gaps_among_words(look)
    rest, marks = look.without(gaps), look.values.filter(gaps).cast(pl.String)
    if kind == "moment":
        return _moment(rest, _told_format(rest), 1.0, "as given", marks)
    if kind == "image":
        raise PlanError(f"columns.{look.name}.kind: no pictures were found for its cells, so 'image' does not do.")
    if kind == "number" and look.is_typed_moment:
        raise PlanError(f"columns.{look.name}.kind: its cells are moments, so 'number' does not do. Use 'moment'.")
    return _number(rest, 1.0, "as given", marks) if kind == "number" else _made(rest, kind, 1.0, "as given", marks)


def _told_format(look: Look) -> str | None:
    """How moments are written in a column that a person declared to hold them; None for typed ones."""
    if look.is_typed_moment or "format" in look.said:
        return cast(str | None, look.said.get("format"))
    found = find_format(look.values, look.cells) if look.is_text else None
    if found is not None:
        return found[0]
    if look.rows and look.numbers.null_count() == 0:
        format = "%Y%m%d" if packed_date(look.numbers) else unix_format(look.numbers)
        if format is not None:
            return format
    example = f" (such as {look.values[0]!r})" if look.rows else ""
    raise PlanError(
        f"columns.{look.name}.kind: 'moment' was given, but no known way of writing dates reads its cells{example}. "
        f"Say how they are written: {setting(look.name, 'format', '%d.%m.%Y')}"
    )


# --- what may count as a gap ----------------------------------------------------------------------------------------


def _gaps_beside_numbers(look: Look) -> pl.Series:
    """Which values would stand for gaps if the others are numbers: known words, or one or two words of their own."""
    if look.numbers.null_count() == 0:
        return look.values.is_null()
    gaps = is_gap_word(look.values, among_numbers=True)
    strange = look.numbers.is_null() & ~gaps & ~look.values.str.contains(r"\d")
    others = len(look.values) - int(gaps.sum()) - int(strange.sum())
    if 0 < strange.sum() <= 2 and others > 20 and look.counts.filter(strange).sum() < 0.5 * look.rows:
        return gaps | strange
    return gaps


def _gaps_among_words(look: Look) -> pl.Series:
    """Which words stand for gaps. `NA` among codes of two capitals is a value: Namibia, North America."""
    gaps = is_gap_word(look.values, among_numbers=False)
    rest = look.values.filter(~gaps)
    if "missing" in look.said:  # a person who names the gaps has named all of them
        return gaps & False
    if len(rest) > 5 and rest.str.contains(r"^[A-Z]{2}$").all():
        return gaps & (look.values != "NA")
    return gaps


# --- the kinds ------------------------------------------------------------------------------------------------------


def _judge_numbers(look: Look, sure: float, marks: pl.Series) -> Column:
    """Number, category or moment for cells that can be read as numbers."""
    numbers, values = look.numbers.drop_nulls(), look.values
    if len(numbers) == 0:
        return _made(look, "category", 0.9, "every number in it is infinite", marks)
    distinct, whole = numbers.n_unique(), bool((numbers == numbers.round(0)).all())
    if look.is_text and values.str.contains(r"^\d+$").all() and values.str.contains(r"^0\d").any():
        return _made(look, "category", 0.9, f"codes with leading zeros such as {_first(values, '^0')!r}", marks)
    if distinct == 1 and look.rows < len(look.cells):
        return _made(look, "category", 0.9, f"either {values[0]} or nothing", marks)
    if distinct == 2:
        return _made(look, "category", sure, f"two values: {listing(plain_text(numbers.unique().sort()))}", marks)
    if whole and packed_date(numbers):
        return _moment(look, "%Y%m%d", 0.9, f"dates such as {values[0]}, year, month and day in one", marks)
    if not look.is_text and whole and _names.hints(look.name, _names.TIME) and (ticks := unix_format(numbers)):
        return _moment(look, ticks, 0.85, f"times such as {values[0]}, counted from 1970 ({ticks})", marks)
    if look.is_target and distinct > 2:
        counted = pl.DataFrame({"number": look.numbers, "count": look.counts}).drop_nulls()
        counted = counted.group_by("number").agg(pl.col("count").sum()).sort("number")
        kind, surely, why = classes_or_amounts(look.name, counted["number"], counted["count"])
        sure = min(sure, surely)
        return _number(look, sure, why, marks) if kind == "number" else _made(look, "category", sure, why, marks)
    if whole and distinct <= look.rows / 4 and _names.last_word(look.name) in _names.CODE:
        return _made(look, "category", 0.7, f"{distinct:,} different whole numbers, and the name says code", marks)
    what = "whole numbers" if whole else "numbers"
    low, high = np.sort(numbers.to_numpy())[[0, -1]]
    return _number(look, sure, f"{distinct:,} different {what} from {low:,.6g} to {high:,.6g}", marks)


def _judge_words(look: Look, marks: pl.Series) -> Column:
    """Category or text for cells that are neither numbers nor moments."""
    if look.rows == 0:
        return _made(look, "category", 0.9, "no cell holds a value", marks)
    distinct, share = len(look.values), len(look.values) / look.rows
    words = float(look.values.str.count_matches(r"\S+").to_numpy().mean())
    length = float(look.values.str.len_chars().to_numpy().mean())
    what = f"{distinct:,} different values in {look.rows:,} cells"
    if distinct <= 6 and length <= 20:
        what = f"{distinct} values: {listing(look.values)}"
    if (distinct > 6 and share >= 0.3 and (words >= 3 or length >= 20)) or (length >= 60 and distinct > 50):
        sure = 0.9 if words >= 3 else 0.7
        return _made(look, "text", sure, f"{what}, {words:.1f} words and {length:.0f} letters on average", marks)
    if look.rows >= 20 and share >= 0.9:
        return _made(look, "text", 0.6, f"{what}: nearly every one differs, so only its letters say something", marks)
    if look.is_target and distinct > 20 and share > 0.2:
        return _made(look, "text", 0.6, f"{what}: too many for classes, so text to be written", marks)
    if share > 0.5 and distinct > 20:
        return _made(look, "category", 0.6, f"{what}: most occur once or twice and are of little use", marks)
    return _made(look, "category", 0.95 if share <= 0.05 else 0.8, what, marks)


def _number(look: Look, sure: float, reason: str, marks: pl.Series = _NO_MARKS) -> Column:
    if look.unsure:
        mark = "decimal mark" if look.style.decimal == "," else "thousands mark"
        sure, reason = min(sure, 0.6), f"{reason}; the comma of {_first(look.values, ',')!r} is read as {mark}"
    elif look.style.decimal == ",":
        reason += "; with a decimal comma"
    if look.style.unit:
        reason += f"; in {look.style.unit}"
    # `10` and `10.0` are one number.
    look = replace(look, values=look.numbers.drop_nulls().unique()) if look.is_text else look
    return _made(look, "number", sure, reason, marks, decimal=look.style.decimal, unit=look.style.unit)


def _moment(look: Look, format: str | None, sure: float, reason: str, marks: pl.Series = _NO_MARKS) -> Column:
    format = cast(str | None, look.said.get("format", format))
    moments = parse_moments(look.values, format).drop_nulls()
    if len(moments):
        first, last = moments.sort().gather([0, -1]).dt.strftime("%Y-%m-%d")
        reason += f"; from {first} to {last}"
    return _made(look, "moment", sure, reason, marks, format=format)


def _made(look: Look, kind: Kind, sure: float, reason: str, marks: pl.Series = _NO_MARKS,
          format: str | None = None, decimal: str = ".", unit: str = "") -> Column:  # fmt: skip
    """The column, with what all kinds have in common: its gaps, the words for them, and how many values there are."""
    words = tuple(str(word) for word in marks)
    if words:
        reason += f"; {listing(map(repr, words))} counts as a gap"
    missing = (*cast(tuple[str, ...], look.said.get("missing", ())), *words)
    return Column(
        name=look.name, kind=kind, confidence=sure, reason=reason, missing=tuple(dict.fromkeys(missing)),
        format=format, decimal=decimal, unit=unit, gaps=look.cells.null_count(), distinct=len(look.values),
    )  # fmt: skip


def _first(values: pl.Series, pattern: str) -> str:
    return str(values.filter(values.str.contains(pattern))[0])
