"""docs/reliability.md, from what was found."""

from pathlib import Path
from typing import Any

from benchmarks.torture import results
from benchmarks.torture.rows import ROWS, Row

PAGE = Path(__file__).resolve().parents[2] / "docs" / "reliability.md"

HEAD = """\
# Reliability, measured

Written by `scripts/torture`: trainings are killed, system calls fail, bits flip, and files are made to harm. What
counts as survived stands in each row; a figure below the number tried is a fault of Lamina, and the seed that shows it
stands beside it. `scripts/torture ROW` measures a row again, in pieces that are kept: it can be stopped at any time.

| row | what is done, and what has to hold | survived | of | hours | code |
|---|---|---|---|---|---|
"""

FOOT = """
`code` is a hash of the source that a row tests and of the row itself (`benchmarks/torture/rows.py`); *older* means
that some of it has changed since. Short forms of the rows are part of the tests (`tests/benchmarks/test_torture.py`).

Parquet and Arrow files are tried out by a process of their own before Lamina reads them: an input that ends that
process is refused by name, and counts as refused.

What the figures do not show: everything ran on processors. On a GPU some sums are added in an order that changes from
run to run, so equal weights by hash are not promised there; going on from a checkpoint works alike.
"""


def page() -> str:
    """The whole page."""
    return HEAD + "".join(_line(name, row) for name, row in ROWS.items()) + FOOT


def _line(name: str, row: Row) -> str:
    found = results.read_all(name)
    if not found:
        return f"| {name} | {row.shows} | not measured | {row.tries:,} | | |\n"
    tried, survived = (sum(piece[what] for piece in found) for what in ("tried", "survived"))
    failed = ", ".join(f"seed {piece['seed']}" for piece in found if piece["survived"] < piece["tried"])
    hours = sum(piece["seconds"] for piece in found) / 3600
    return (
        f"| {name} | {row.shows} | {survived:,}{f' (failed: {failed})' if failed else ''} | {tried:,}"
        f"{_rest(row, found)} | {hours:.1f} | {_code(row, found)} |\n"
    )


def _rest(row: Row, found: list[dict[str, Any]]) -> str:
    """How many are still to be tried, in words."""
    asked = sum(piece["asked"] for piece in found)
    return f" ({row.tries - asked:,} to go)" if asked < row.tries else ""


def _code(row: Row, found: list[dict[str, Any]]) -> str:
    codes = sorted({piece["code"] for piece in found})
    return ", ".join(code if code == row.code() else f"{code} (older)" for code in codes)
