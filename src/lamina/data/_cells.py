"""Cells of text: which are gaps, and which are numbers however they are written."""

import re
from typing import NamedTuple

import polars as pl

GAP_WORDS = frozenset({"?", "na", "n/a", "#n/a", "<na>", "nan", "nat", "null", "#null!"})
"""Gaps in any column, in lower case: words that stand for nothing else."""
_MARKS = "- -- --- . .. ... * _ n.a. n/d nd #value! #div/0! #ref!"
_WORDS = "none, nil, missing, unknown, undefined, empty, not available, (blank)"
GAP_WORDS_AMONG_NUMBERS = GAP_WORDS.union(_MARKS.split(), _WORDS.split(", "))
"""Gaps among numbers and moments. In a category `none` may be a value of its own and costs nothing to keep."""

UNITS = ("%", "$", "€", "£", "¥", "USD", "EUR", "GBP", "CHF", "JPY")

_GROUP_MARKS = {".": r"[,' _\u00a0\u202f]", ",": r"[.' _\u00a0\u202f]"}


class NumberStyle(NamedTuple):
    """How numbers are written."""

    decimal: str = "."
    unit: str = ""


PLAIN = NumberStyle()
"""A decimal point and no unit."""


def filled(cells: pl.Series) -> pl.Series:
    """Text without surrounding blanks; cells of nothing but blanks become null."""
    cells = cells.str.strip_chars()
    return cells.set(cells == "", None)


def share_of(flags: pl.Series) -> float:
    """The share of flags that are set, 0 without any; one that is null is not set."""
    return float(flags.fill_null(False).to_numpy().mean()) if len(flags) else 0.0


def is_gap_word(cells: pl.Series, among_numbers: bool) -> pl.Series:
    """Which cells are words that stand for a gap; null cells stay null."""
    words = GAP_WORDS_AMONG_NUMBERS if among_numbers else GAP_WORDS
    return cells.str.to_lowercase().is_in(sorted(words))


def parse_numbers(cells: pl.Series, style: NumberStyle = PLAIN) -> pl.Series:
    """Numbers written as text, with group marks removed: `1,234.5` or, with a decimal comma, `1.234,5`.

    Args:
        cells: text; surrounding blanks do no harm.
        style: the decimal mark and the unit; a cell without the unit is read too.

    Returns:
        Float64; null where a cell is no number, infinite where it says so.
    """
    cells = cells.str.strip_chars()
    if style.unit:
        unit = re.escape(style.unit)
        cells = cells.str.replace(rf"^([+-]?)\s*{unit}\s*", "$1").str.replace(rf"\s*{unit}$", "")
    numbers = cells.cast(pl.Float64, strict=False).fill_nan(None)
    # Most cells are plain; only the others are looked at closely, which costs fifty times as much.
    hard = numbers.is_null() if style.decimal == "." else cells.str.contains(r"[.,' _\u00a0\u202f\u2212]")
    places = (hard & cells.is_not_null()).arg_true()
    return numbers.scatter(places, _parse_marked(cells[places], style.decimal)) if len(places) else numbers


def _parse_marked(cells: pl.Series, decimal: str) -> pl.Series:
    """Numbers with group marks, a decimal comma, or a typographic minus."""
    cells = cells.str.replace("\u2212", "-", literal=True)
    # A first group of 0 would be a fraction: `0,125` is an eighth and not 125.
    groups, mark = _GROUP_MARKS[decimal], re.escape(decimal)
    grouped = cells.str.contains(rf"^[+-]?[1-9]\d{{0,2}}(?:{groups}\d{{3}})+(?:{mark}\d*)?$")
    cells = cells.zip_with(~grouped, cells.str.replace_all(groups, ""))
    if decimal == ",":
        cells = cells.set(cells.str.contains(".", literal=True), None).str.replace(",", ".", literal=True)
    return cells.cast(pl.Float64, strict=False).fill_nan(None)


def number_style(cells: pl.Series, counts: pl.Series) -> tuple[NumberStyle, bool]:
    """The one way of writing that reads the most cells of a column as numbers.

    Args:
        cells: different cells, the most frequent first; words for gaps do no harm.
        counts: how often each occurs.

    Returns:
        The style, and whether the decimal mark is a guess: `1,234` alone may be either.
    """
    if cells.cast(pl.Float64, strict=False).null_count() == 0 or not _like_numbers(cells):
        return PLAIN, False
    words = is_gap_word(cells, among_numbers=True)
    cells, counts = cells.filter(~words), counts.filter(~words)
    styles = [NumberStyle(decimal, _unit(cells)) for decimal in (".", ",")]
    read = [int(counts.filter(parse_numbers(cells, style).is_not_null()).sum()) for style in styles]
    unsure = read[0] == read[1] > 0 and bool(cells.str.contains(",", literal=True).any())
    return styles[0] if read[0] >= read[1] else styles[1], unsure


def _like_numbers(cells: pl.Series) -> bool:
    """Whether some of the most frequent cells begin as numbers do, perhaps after a unit."""
    return bool(cells.head(1000).str.contains(r"^\W{0,3}(?:[A-Z]{3}\s?)?[+-]?[.,]?\d").any())


def _unit(cells: pl.Series) -> str:
    """A unit that every cell carries, or nothing: a sign on some cells only is no unit but a different thing."""
    first = cells[0] if len(cells) else ""
    for unit in UNITS:
        if unit in first and len(cells.drop_nulls()) > 1:
            sign = re.escape(unit)
            if cells.str.contains(rf"^[+-]?\s*{sign}\s*[\d.,]|[\d.,]\s*{sign}$|^[+-]?0+$").all():
                return unit
    return ""


def plain_text(numbers: pl.Series) -> pl.Series:
    """Numbers as a person writes categories: whole ones without `.0`."""
    if numbers.dtype.is_float():
        whole = (numbers == numbers.round(0)) & (numbers.abs() < 2**53)
        return numbers.cast(pl.String).zip_with(
            ~whole.fill_null(False), numbers.cast(pl.Int64, strict=False).cast(pl.String)
        )
    return numbers.cast(pl.String)
