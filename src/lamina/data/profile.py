"""What the cells of each column look like: for the report, and for choosing the parts."""

from collections.abc import Mapping

import numpy as np
import polars as pl

from lamina.data.column import Column
from lamina.data.table import Table

BINS = 20
"""Bars of a histogram."""
TOP = 20
"""Categories that are listed with their counts."""


def profile(table: Table, columns: Mapping[str, Column], rows: np.ndarray) -> dict[str, dict[str, object]]:
    """A summary of each used column, as plain values ready for JSON.

    Args:
        table: typed, as `cast` made it.
        columns: what was understood; those that are ignored are passed over.
        rows: (rows,) the rows to look at: training rows, so that nothing is learned from the others.

    Returns:
        By column: `kind`, `rows`, `gaps`, and what fits the kind. Numbers: `min`, `quartiles`, `max`, `mean`, `std`,
        `skew`, `zeros`, `histogram` with `edges` and `counts`. Categories: `distinct`, `top` as [value, count].
        Moments: `min` and `max` in ISO form. Text: `letters` and `words`, each with `mean`, `p95` and `max`.
    """
    summaries: dict[str, dict[str, object]] = {}
    for name, column in columns.items():
        if column.role == "ignore":
            continue
        cells = table.frame[name][np.asarray(rows)]
        there = cells.drop_nulls()
        summary: dict[str, object] = {"kind": column.kind, "rows": len(cells), "gaps": cells.null_count()}
        summaries[name] = summary
        if len(there) == 0 or column.kind == "image":
            continue
        if column.kind == "number":
            summary |= _numbers(there.to_numpy())
        elif column.kind == "category":
            summary |= _categories(there)
        elif column.kind == "moment":
            # Python's own moments and not numpy's, whose text has nine digits after the second.
            first, last = there.sort().gather([0, -1]).to_list()
            summary |= {"min": first.isoformat(), "max": last.isoformat()}
        else:
            summary |= {"letters": _lengths(there.str.len_chars()), "words": _lengths(there.str.count_matches(r"\S+"))}
    return summaries


def _numbers(numbers: np.ndarray) -> dict[str, object]:
    low, first, middle, third, high = np.percentile(numbers, [0, 25, 50, 75, 100]).tolist()
    mean, std = float(numbers.mean()), float(numbers.std())
    # Near-equal numbers far from zero have no third moment and no bars to speak of, only rounding.
    spread = high - low > 1e-12 * max(abs(low), abs(high))
    skew = float((((numbers - mean) / std) ** 3).mean()) if spread and std > 0 else 0.0
    counts, edges = np.histogram(numbers, bins=BINS) if spread else (np.array([len(numbers)]), np.array([low, high]))
    return {
        "min": low, "quartiles": [first, middle, third], "max": high, "mean": mean, "std": std, "skew": skew,
        "zeros": int((numbers == 0).sum()), "histogram": {"edges": edges.tolist(), "counts": counts.tolist()},
    }  # fmt: skip


def _categories(cells: pl.Series) -> dict[str, object]:
    counted = cells.alias("value").value_counts(name="count").sort(["count", "value"], descending=[True, False])
    return {"distinct": counted.height, "top": [[value, count] for value, count in counted.head(TOP).iter_rows()]}


def _lengths(lengths: pl.Series) -> dict[str, float]:
    numbers = lengths.to_numpy()
    return {"mean": float(numbers.mean()), "p95": float(np.percentile(numbers, 95)), "max": float(numbers.max())}
