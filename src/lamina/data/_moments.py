"""Dates and times, however they are written: the format is found on the whole column, then kept."""

import re
from itertools import product

import polars as pl

from lamina.data._cells import share_of

_DATES = (
    "%Y-%m-%d", "%Y/%m/%d", "%Y.%m.%d", "%Y%m%d", "%Y_%m_%d",
    "%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y", "%d-%m-%Y", "%m-%d-%Y",
    "%d.%m.%y", "%d/%m/%y", "%m/%d/%y", "%d-%m-%y", "%m-%d-%y",
    "%d %b %Y", "%d %B %Y", "%b %d, %Y", "%B %d, %Y", "%b %d %Y", "%d-%b-%Y", "%d-%b-%y", "%d/%b/%Y",
    "%a, %d %b %Y",
)  # fmt: skip
_TIMES = (
    "",
    "%H:%M:%S",
    "%H:%M",
    "%H:%M:%S%.f",
    "%I:%M %p",
    "%I:%M:%S %p",
    "%H:%M:%S%#z",
    "%H:%M:%S%.f%#z",
    "%H:%M%#z",
)
FORMATS = (
    *(date + joint + time for date, time in product(_DATES, _TIMES) for joint in ((" ", "T", ", ") if time else ("",))),
    *("%Y-%m", "%Y/%m", "%b %Y", "%B %Y"),
)
"""Every way of writing that is tried; the order decides between equals."""

UNIX = {"unix s": 1, "unix ms": 1_000, "unix us": 1_000_000, "unix ns": 1_000_000_000}
"""Formats of whole numbers that count from 1970, with their ticks a second."""

_SHAPE = r"^(?:[A-Za-z]{3}, )?(?:\d{1,4}[-/._ ](?:\d{1,2}|[A-Za-z]{3,9})(?:[-/._, T]|$)|\d{8}[T ,]|[A-Za-z]{3,9} \d)"
"""How any of them begins: trying every format on every column of words would take seconds."""

_YEARS = (1500, 2200)
_LOOK = 200  # different cells that rule out most formats before the rest is read


def parse_moments(cells: pl.Series, format: str | None) -> pl.Series:
    """Moments as Datetime in microseconds without a zone (zoned ones in UTC); null where a cell does not fit.

    Args:
        cells: Date, Datetime, whole numbers or text.
        format: one of `FORMATS` or any other strftime format, a key of `UNIX`, or None for typed cells.
    """
    if cells.dtype == pl.Date or isinstance(cells.dtype, pl.Datetime):
        return _plain(cells.cast(pl.Datetime("us", getattr(cells.dtype, "time_zone", None))))
    if format in UNIX:
        ticks = cells.cast(pl.Float64, strict=False).fill_nan(None)
        return (ticks * (1_000_000 / UNIX[format])).cast(pl.Int64, strict=False).cast(pl.Datetime("us"))
    if format is None:
        return pl.Series(cells.name, [None] * len(cells), dtype=pl.Datetime("us"))
    cells = cells.cast(pl.String).str.strip_chars()
    if "%d" not in format:
        cells, format = cells + " 01", format + " %d"
    moments = _plain(cells.str.to_datetime(format, strict=False, time_unit="us", ambiguous="earliest"))
    # `22-01-05` also reads as the year 22: a date outside these years was read the wrong way.
    return moments.set(~moments.dt.year().is_between(*_YEARS).fill_null(True), None)


def _plain(moments: pl.Series) -> pl.Series:
    if getattr(moments.dtype, "time_zone", None):
        moments = moments.dt.convert_time_zone("UTC").dt.replace_time_zone(None)
    return moments.cast(pl.Datetime("us"))


def find_format(cells: pl.Series, in_order: pl.Series) -> tuple[str, float, str] | None:
    """The format that reads nearly every cell of a column.

    Args:
        cells: different cells of text, without gaps.
        in_order: the column's cells in row order, to tell day from month where both fit.

    Returns:
        The format, a confidence, and why; None when the cells are no moments.
    """
    if share_of(cells.head(_LOOK).str.contains(_SHAPE)) < 0.95:
        return None
    examples = cells.head(3)
    fits = [format for format in FORMATS if any(_alike(format, cell) for cell in examples)]
    fits = [format for format in fits if _share(examples, format) > 0]
    fits = [format for format in fits if _share(cells.head(_LOOK), format) >= 0.95]
    shares = {format: _share(cells, format) for format in fits}
    if not shares or max(shares.values()) < 0.95:
        return None
    best = max(shares, key=lambda format: shares[format])  # the first of equals
    example = cells[0]
    swapped = _swapped(best)
    if swapped not in shares:
        return best, 0.97 if shares[best] == 1 else 0.85, f"dates such as {example!r}, written {best}"
    if shares[swapped] < shares[best]:
        return (
            best,
            0.95,
            f"dates such as {example!r}, written {best}: only this order of day and month reads all cells",
        )
    # Both orders read every cell: rows are often in time order, and then only one reading climbs steadily.
    back, back_swapped = _goes_back(in_order, best), _goes_back(in_order, swapped)
    if min(back, back_swapped) < 0.02 and max(back, back_swapped) > 0.05:
        if back > back_swapped:
            best, swapped = swapped, best
        return best, 0.8, f"dates such as {example!r}, read as {best}: read as {swapped} the rows would not be in order"
    return best, 0.5, f"dates such as {example!r}, read as {best}, but {swapped} would do as well"


def _alike(format: str, cell: str) -> bool:
    """Whether a cell has the punctuation of a format: a hundred times cheaper than to try it."""
    return re.sub(r"\w", "", cell).startswith(re.sub(r"%[#.]*[A-Za-z]|[T_]", "", format))


def _share(cells: pl.Series, format: str) -> float:
    return share_of(parse_moments(cells, format).is_not_null())


def _swapped(format: str) -> str:
    """The same format with day and month exchanged, when both are figures."""
    if "%b" in format or "%B" in format or not format.startswith(("%d", "%m")):
        return ""
    return format.translate(str.maketrans("dm", "md"))


def _goes_back(cells: pl.Series, format: str) -> float:
    """Share of steps from row to row that go back in time."""
    steps = parse_moments(cells, format).drop_nulls().diff().drop_nulls()
    return share_of(steps.cast(pl.Int64) < 0)


def packed_date(numbers: pl.Series) -> bool:
    """Whether whole numbers are dates written as 20240131."""
    if len(numbers) < 5 or not numbers.is_between(15_000_101, 22_001_231).all():
        return False
    return bool(parse_moments(numbers.cast(pl.Int64), "%Y%m%d").is_not_null().all())


def unix_format(numbers: pl.Series) -> str | None:
    """Which ticks since 1970 put all of these numbers between 1980 and 2100, if any."""
    low, high = 315_532_800, 4_102_444_800
    for format, ticks in UNIX.items():
        if numbers.is_between(low * ticks, high * ticks).all():
            return format
    return None
