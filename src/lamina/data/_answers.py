"""Whether whole numbers to predict are classes or amounts."""

import polars as pl

from lamina.data import _names

MOST_CLASSES = 20
"""Different whole numbers up to which a column to predict is taken for classes when nothing speaks against it."""


def classes_or_amounts(name: str, numbers: pl.Series, counts: pl.Series) -> tuple[str, float, str]:
    """The kind of a column of numbers to predict.

    Args:
        numbers: the different values in ascending order, more than two of them.
        counts: how often each occurs.

    Returns:
        `number` or `category`, a confidence, and why.
    """
    distinct = len(numbers)
    other = "number" if _is_classes(name, numbers, counts) else "category"
    override = f"columns.{name}.kind={other} if not"
    if not (numbers == numbers.round(0)).all():
        return "number", 0.97, f"{distinct:,} different values with decimals"
    low, high = int(numbers[0]), int(numbers[-1])
    what = f"{distinct:,} different whole numbers from {low:,} to {high:,}"
    if other == "number":
        return "category", 0.9 if _names.hints(name, _names.CLASS) else 0.7, f"{what}: classes; {override}"
    if distinct > MOST_CLASSES:
        return "number", 0.95, f"{what}: amounts"
    if one_peak(counts):
        return "number", 0.8, f"{what} that grow more frequent to one peak and then rarer: a scale; {override}"
    return "number", 0.7, f"{what}: amounts; {override}"


def _is_classes(name: str, numbers: pl.Series, counts: pl.Series) -> bool:
    distinct, rows = len(numbers), int(counts.sum())
    if not (numbers == numbers.round(0)).all() or rows < 4 * distinct:
        return False
    dense = int(numbers[-1] - numbers[0]) + 1 <= 2 * distinct
    if _names.hints(name, _names.CLASS):
        return dense or distinct <= MOST_CLASSES
    return distinct <= MOST_CLASSES and dense and not one_peak(counts) and not _names.hints(name, _names.AMOUNT)


def one_peak(counts: pl.Series) -> bool:
    """Whether counts rise to a peak inside and fall to rare ends, as grades and measures do and classes seldom."""
    peak = int(counts.arg_max() or 0)
    rises = counts[: peak + 1].diff().drop_nulls()
    falls = counts[peak:].diff().drop_nulls()
    inside = len(counts) >= 5 and 0 < peak < len(counts) - 1
    return inside and bool((rises > 0).all() and (falls < 0).all()) and 4 * max(counts[0], counts[-1]) < counts[peak]
