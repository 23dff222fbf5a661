"""The page that shows the results: `docs/precision.md`."""

from collections.abc import Mapping, Sequence
from typing import Any

from benchmarks.quality.page import NAMES
from benchmarks.quality.rows import Row

INTRODUCTION = """# Whether fewer digits cost accuracy

`lamina train` computes in the way that a short trial finds the fastest: in float32, or on processors and GPUs with fast
bfloat16 in that, with 8 binary digits instead of 24 in the products of layers (sums and weights keep 24); and wide
filters by Winograd's way, whose rounding errors are some five times as large. Here the same trainings, with the same
seed and number of steps, are made in each way, and judged on the test rows of the [quality benchmark](quality.md).
Which way is fastest on this machine does not matter: each is asked for. Without units for bfloat16 its products are
computed in software; that cores with such units add up in another order is not measured here.

A way *agrees* where its figure, averaged over the seeds, lies in the interval of plain float32, which holds 95 % of
1,000 bootstrap samples of the test rows.

| data | figure | seeds | float32 | other way | its figure | agrees | time, of float32's |
|---|---|--:|--:|---|--:|---|--:|
"""


def page(results: Mapping[str, Mapping[str, Any]], rows: Mapping[str, Row], code: str) -> str:
    """The page as Markdown.

    Args:
        results: by row, as they are kept.
        rows: what the names mean.
        code: fingerprint of the present code; results of another are marked.
    """
    lines = []
    for name, kept in results.items():
        row, ways = rows[name], kept["ways"]
        plain = ways["float32"]
        mark = "" if kept["code"] == code else " (older code)"
        metric, scale = NAMES.get(row.metric, row.metric), 100 if row.metric == "accuracy" else 1
        for way, found in ways.items():
            if way != "float32":
                said = "yes" if agrees(plain, found) else "**no**"
                lines.append(
                    f"| {name}{mark} | {metric} | {len(kept['seeds'])} | {_figure(plain, scale)} | {way} | "
                    f"{_figure(found, scale)} | {said} | {mean(found['seconds']) / mean(plain['seconds']):.2f} |"
                )
    about = [", ".join(f"{key} {value}" for key, value in kept["machine"].items()) for kept in results.values()]
    return INTRODUCTION + "\n".join([*lines, "", f"Measured on: {'; '.join(dict.fromkeys(about))}.", "",
                                     "<!-- not run: takes an hour and the public data sets -->",
                                     "```bash", "scripts/bench precision", "```"]) + "\n"  # fmt: skip


def agrees(plain: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether the other way's mean figure lies in the plain way's mean interval."""
    low, high = (mean([figure[end] for figure in plain["figures"]]) for end in ("low", "high"))
    return low <= mean([figure["value"] for figure in other["figures"]]) <= high


def mean(values: Sequence[float]) -> float:
    """Of some numbers."""
    return sum(values) / len(values)


def _figure(found: Mapping[str, Any], scale: int) -> str:
    """A figure and its interval, of several seeds the mean of each."""
    value, low, high = (scale * mean([one[part] for one in found["figures"]]) for part in ("value", "low", "high"))
    digits = 0 if value > 1000 else 2 if scale > 1 else 4
    return f"{value:,.{digits}f} ({low:,.{digits}f} to {high:,.{digits}f})"
