"""The page that shows the results: `docs/memory.md`."""

from collections.abc import Mapping
from typing import Any

INTRODUCTION = """# Memory beside much data

Private memory is what a command and its children hold for themselves (RssAnon + RssShmem of the whole process tree,
looked at twenty times a second, the highest); files that the system keeps in its page cache are not part of it, for it
gives them up when memory is asked for. *Cold*: the data was dropped from the page cache before.

Photographs are JPEG files of 640 x 480 in class folders: 400 are drawn, the others differ from these in a comment.
`lamina train` brings them to 64 pixels, learns for 240 steps and judges and compares as always; `lamina predict`
answers all of them. A table is a CSV file of 14 numbers, 200,000 rows drawn and repeated; `lamina train` learns from it
with one dense network for 4,000 steps, and `lamina predict` answers all of it. Reading counts as preparing.

Tables in other formats than delimited text, and those whose rows are divided by groups or by time, are held in memory
whole and are not measured here.

| data | | private memory | prepared a second | learned a second | answered a second | seconds |
|---|---|--:|--:|--:|--:|--:|
"""
NAMES = {"photos": "photographs", "rows": "rows of a table"}


def page(results: Mapping[str, Mapping[str, Any]], code: str) -> str:
    """The page as Markdown.

    Args:
        results: by row, as they are kept.
        code: fingerprint of the present code; results of another are marked.
    """
    lines = []
    for row, kept in sorted(results.items()):
        mark = "" if kept["code"] == code else " (older code)"
        for case, found in kept["cases"].items():
            what = f"{found['count']:,} {NAMES[row]}, {found['bytes'] / 1e9:.2g} GB{mark}{', cold' * ('cold' in case)}"
            for command in ("train", "predict"):
                if command in found:
                    lines.append(_line(what, command, found[command]))
    said = [f"- {NAMES[row]}: {_compared(kept['cases'])}" for row, kept in sorted(results.items())]
    about = [", ".join(f"{key} {value}" for key, value in kept["machine"].items()) for kept in results.values()]
    return INTRODUCTION + "\n".join([*lines, "", *said, "", f"Measured on: {'; '.join(dict.fromkeys(about))}.", "",
                                     "<!-- not run: writes 24 GB and takes an hour -->",
                                     "```bash", "scripts/bench memory", "```"]) + "\n"  # fmt: skip


def _line(what: str, command: str, found: Mapping[str, Any]) -> str:
    rates = [f"{found[rate]:,}" if rate in found else ""
             for rate in ("prepared_a_second", "learned_a_second", "answered_a_second")]  # fmt: skip
    return f"| {what} | {command} | {found['private_mib']:,} MiB | {' | '.join(rates)} | {found['seconds']:,.0f} |"


def _compared(cases: Mapping[str, Mapping[str, Any]]) -> str:
    """How the large case stands to the small one."""
    small, large = cases["small"], cases["large"]
    parts = []
    for command in ("train", "predict"):
        if command in large:
            ratios = [
                f"{rate.removesuffix('_a_second')} {large[command][rate] / small[command][rate]:.2f} times as fast"
                for rate in large[command]
                if rate.endswith("_a_second")
            ]
            more = large[command]["private_mib"] / small[command]["private_mib"]
            parts.append(f"{command} holds {more:.2f} times the private memory; {', '.join(ratios)}")
    times = large["bytes"] / small["bytes"]
    return f"with {times:.0f} times the data, {'; '.join(parts)}."
