"""Order and kinship of rows that is in the data but in no column of its own: tracks and times in file names."""

from collections.abc import Mapping

import numpy as np
import polars as pl

from lamina.data.column import Column
from lamina.data.table import Table

_TRACK = r"^((?:.*[/\\])?[^/\\]*\d)[_-]\d+\.[^./\\]+$"
_MOMENT = r"(\d{4})\D?(\d{2})\D?(\d{2})\D?(\d{2})\D?(\d{2})\D?(\d{2})(?:\D?(\d{1,6}))?\.[^./\\]+$"
_FRAME = r"(?i)^(.*)frame[_-]?(\d+)\.[^./\\]+$"

_MOSTLY = 0.95  # share of the names that must follow the pattern
_ENOUGH = 50  # rows in time order below which nothing is said of them


def tracks_in_names(references: pl.Series, classes: np.ndarray | None) -> np.ndarray | None:
    """Which pictures belong together by their names: `stop/00001_00013.ppm` and `stop/00001_00016.ppm` are one track.

    The part before the last running number is a track when it ends in a number of its own, several files share it,
    there are many, and none stands for a class: otherwise holding tracks out would hold classes out.

    Args:
        references: names of files with their folders.
        classes: (rows,) codes of the class of each, if there are classes.

    Returns:
        (rows,) a code per track, or None when the names say nothing.
    """
    tracks = references.str.extract(_TRACK)
    if len(tracks) < _ENOUGH or tracks.null_count() > (1 - _MOSTLY) * len(tracks):
        return None
    codes = codes_of(tracks)
    sizes = np.bincount(codes)
    if len(sizes) < 20 or sizes.mean() < 2 or sizes.max() > 0.2 * len(codes):
        return None
    if classes is not None:
        pairs, _ = pairs_of(classes, codes)
        if np.mean(np.bincount(pairs[:, 0]) >= 2) < 0.9:
            return None
    return codes


def times_in_names(references: pl.Series) -> np.ndarray | None:
    """When each picture was taken, if the names say so and the pictures follow each other like those of a film.

    Returns:
        (rows,) seconds, or numbers of frames; None when the names say nothing or the steps are irregular.
    """
    parts = references.str.extract_groups(_MOMENT).struct.unnest()
    text = parts.select(pl.concat_str(pl.nth(range(6)), separator=" ")).to_series()
    moments = text.str.to_datetime("%Y %m %d %H %M %S", strict=False, time_unit="us")
    fraction = ("0." + parts.to_series(6).fill_null("0")).cast(pl.Float64)
    seconds = moments.dt.epoch("us").cast(pl.Float64) / 1e6 + fraction
    if _follow(seconds, longest=60):
        return _filled(seconds)
    frames = references.str.extract(_FRAME, 2).cast(pl.Float64, strict=False)
    folders = codes_of(references.str.extract(_FRAME, 1))
    order = frames + pl.Series(folders * 1e9)  # one film after the other
    return _filled(order) if _follow(order, longest=10) else None


def _filled(order: pl.Series) -> np.ndarray:
    return order.fill_null(strategy="forward").fill_null(strategy="backward").to_numpy()


def _follow(times: pl.Series, longest: float) -> bool:
    """Whether times are there and follow each other in even steps of at most `longest`."""
    if len(times) < _ENOUGH or times.null_count() > (1 - _MOSTLY) * len(times):
        return False
    steps = np.diff(np.sort(times.drop_nulls().to_numpy()))
    middle = np.median(steps)
    return bool(0 < middle <= longest and np.mean(steps <= 5 * middle) >= _MOSTLY)


def times_in_column(cells: pl.Series) -> np.ndarray | None:
    """The times of a column of moments, if rows lie in time order at an even step; several rows may share a moment.

    Returns:
        (rows,) microseconds, or None.
    """
    if cells.null_count() or len(cells) < _ENOUGH:
        return None
    times = cells.dt.epoch("us").to_numpy()
    if (np.diff(times) < 0).any():
        return None
    moments = np.unique(times)
    steps = np.diff(moments)
    if len(moments) < _ENOUGH or np.mean(np.abs(steps - np.median(steps)) <= 0.1 * np.median(steps)) < 0.9:
        return None
    return times


def picture_column(table: Table, columns: Mapping[str, Column]) -> str | None:
    """The first column of pictures among the inputs, if its cells are names of files."""
    names = [name for name, column in columns.items() if column.kind == "image" and column.role == "input"]
    return next((name for name in names if table.frame[name].str.contains(r"[A-Za-z]").any()), None)


def codes_of(cells: pl.Series) -> np.ndarray:
    """(rows,) int64 a code for each cell, ascending with its value from 0; every gap is one of its own, at the end."""
    values = cells.drop_nulls().unique().sort()
    known = pl.DataFrame({"value": values, "code": np.arange(len(values), dtype=np.int64)})
    codes = pl.DataFrame({"value": cells}).join(known, on="value", how="left", maintain_order="left")["code"]
    gaps = codes.is_null().to_numpy()
    numbers = codes.fill_null(0).to_numpy().copy()
    numbers[gaps] = len(values) + np.arange(gaps.sum())
    return numbers


def pairs_of(first: np.ndarray, second: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The different pairs of two codes in ascending order, (pairs, 2), and how often each occurs."""
    width = int(second.max()) + 1
    joined, counts = np.unique(first * width + second, return_counts=True)
    return np.stack([joined // width, joined % width], axis=1), counts
