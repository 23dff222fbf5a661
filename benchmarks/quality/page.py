"""The page that shows the results: `docs/quality.md`."""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks.quality.figures import LARGER_IS_BETTER
from benchmarks.quality.results import LIBRARIES
from benchmarks.quality.rows import ROWS, SIDE, Rival, Row

NAMES = {
    "accuracy": "accuracy, %",
    "auc": "AUC",
    "average_precision": "average precision",
    "mae": "MAE",
    "mae_turning": "MAE where the wheel is turned",
    "mse": "MSE",
    "rmse": "RMSE",
    "rmsle": "RMSLE",
    "in_scope_accuracy": "accuracy in scope",
    "outside_auc": "AUC of none of these",
    "outside_precision": "precision of none of these",
    "outside_recall": "recall of what is outside",
    "recall_at_1": "right answer found first",
    "mrr": "mean reciprocal rank",
    "mcc": "Matthews correlation",
    "span_f1": "span F1",
    "nats_per_character": "nats per character",
    "bleu": "BLEU",
}

COLUMNS = (
    "data",
    "figure",
    "seeds",
    "Lamina",
    "trees",
    "linear",
    "better than the trees by",
    "at least",
    "aim",
    "reached",
    "time",
    "memory",
)

INTRODUCTION = f"""# What the networks reach

Each row trains on public data with no setting but `--time 5m` (another time where a note says so), on two cores, and
is judged on rows that were touched once, at the end. Beside it stand scikit-learn's boosted trees
(`HistGradientBoosting`) and a linear model with their defaults, fitted by the same script on the same rows, without
Lamina; of pictures they see {SIDE} x {SIDE} pixels. Texts they cannot read: the notes name what Lamina itself compares
with there.

*Seeds* counts the splits that are averaged: where the data has no split of its own, a fifth of its rows in file order
is drawn by `train_test_split(range(rows), test_size=0.2, random_state=k)`, k = 0 to 4, and only 0 above 20,000 rows.
Intervals hold 95 % of 1,000 bootstrap samples of test rows. *Better than the trees by* compares the two on the same
samples; an interval that holds no zero is more than chance. *At least* and *aim* were set before the first training;
*trees* there means a figure within the trees' interval, and better than the trees; *trees, 2 %* no more than 2 % worse
than theirs; *classical* is the better of the trees and the linear model.

Times are the whole of a training on the machine below, from reading the data to the finished run; memory is the peak.
"""


def page(results: Mapping[str, dict[str, Any]], code: str) -> str:
    """The page as Markdown.

    Args:
        results: by row, as `results.newest` gives them.
        code: fingerprint of the present code; results of another are marked.
    """
    lines = [INTRODUCTION, "| " + " | ".join(COLUMNS) + " |", "|---|---|" + "--:|" * 7 + "---|--:|--:|"]
    notes = []
    for name, row in ROWS.items():
        if name not in results:
            lines.append(f"| {name} | {NAMES[row.metric]} | {row.seeds} | not measured yet |" + " |" * 8)
            continue
        result = results[name]
        mark = "" if result["code"] == code else " (older code)"
        lines.append(f"| {name}{mark} | " + " | ".join(_cells(row, result)) + " |")
        notes += _notes(row, result)
    lines += ["", *(f"- {note}" for note in notes), ""]
    if results:
        lines += _measured(results)
    return "\n".join(lines)


def write(path: Path, results: Mapping[str, dict[str, Any]], code: str) -> None:
    """Write the page."""
    path.parent.mkdir(exist_ok=True)
    path.write_text(page(results, code))


def reached(row: Row, result: dict[str, Any]) -> str:
    """`aim`, `at least`, `no`, or nothing when nothing was asked."""
    if row.at_least is None:
        return ""
    sign = 1 if row.metric in LARGER_IS_BETTER else -1
    value = sign * result["lamina"]["value"]
    aim = -math.inf if row.aim is None else sign * _bar(row, result, row.aim, "value")
    if row.aim is not None and (value > aim or (value == aim and not isinstance(row.aim, str))):
        return "aim"
    return "at least" if value >= sign * _bar(row, result, row.at_least, "low" if sign == 1 else "high") else "no"


def _bar(row: Row, result: dict[str, Any], goal: float | Rival, end: str) -> float:
    """The figure that a goal asks for; of a rival, this end of its interval, or its `value`."""
    if not isinstance(goal, str):
        return goal
    larger = row.metric in LARGER_IS_BETTER
    if goal == "trees, 2 %":
        return result["trees"]["value"] * (0.98 if larger else 1.02)
    rivals = ["trees", "linear"] if goal == "classical" else ["trees"]
    best = (max if larger else min)((result[name] for name in rivals), key=lambda found: found["value"])
    return best[end]


def _cells(row: Row, result: dict[str, Any]) -> list[str]:
    difference = result.get("better_than_trees_by")
    return [
        NAMES[row.metric],
        str(len(result["seeds"])),
        f"**{_figure(row.metric, result['lamina'])}**",
        _figure(row.metric, result["trees"]) if row.compared else "",
        _figure(row.metric, result["linear"]) if row.compared else "",
        _figure(row.metric, difference) if difference else "",
        _target(row.metric, row.at_least),
        _target(row.metric, row.aim),
        reached(row, result),
        f"{sum(result['seconds']) / len(result['seconds']):.0f} s",
        f"{max(result['peak_mib']) / 1024:.1f} GiB",
    ]


def _notes(row: Row, result: dict[str, Any]) -> list[str]:
    names = {"lamina": "Lamina", "constant": f"always {row.constant or 0:g}"}
    notes = [f"{row.name}: {row.note}."] if row.note else []
    if row.minutes != 5:
        notes.append(f"{row.name}: `--time {row.minutes}m`.")
    if "constant" in result:
        notes.append(f"{row.name}: {names['constant']}: {_figure(row.metric, result['constant'])} {NAMES[row.metric]}.")
    if rivals := result.get("rivals"):
        said = ", ".join(f"{name} {_figure(row.metric, found)}" for name, found in rivals.items())
        notes.append(f"{row.name}: {NAMES[row.metric]} of simpler ways: {said}.")
    for metric, models in result["beside"].items():
        said = ", ".join(f"{names.get(model, model)} {_figure(metric, found)}" for model, found in models.items())
        notes.append(f"{row.name}: {NAMES[metric]}: {said}.")
    return notes


def _measured(results: Mapping[str, dict[str, Any]]) -> list[str]:
    machines = {
        f"{machine['cpu']}, {machine['cores']} cores, {machine['memory_gib']} GiB, {machine['system']}, Python "
        f"{machine['python']}, " + ", ".join(f"{library} {machine[library]}" for library in LIBRARIES)
        for machine in (result["machine"] for result in results.values())
    }
    dates = sorted(result["date"][:10] for result in results.values())
    return [
        f"Measured {dates[0]} to {dates[-1]} on: {'; '.join(sorted(machines))}.",
        "",
        "<!-- not run: trains for hours -->",
        "```bash",
        "scripts/bench quality && scripts/bench quality --table",
        "```",
        "",
    ]


def _figure(metric: str, found: Mapping[str, float]) -> str:
    return f"{_number(metric, found['value'])} ({_number(metric, found['low'])} to {_number(metric, found['high'])})"


def _target(metric: str, target: float | str | None) -> str:
    return "" if target is None else target if isinstance(target, str) else _number(metric, target)


def _number(metric: str, value: float) -> str:
    """In the units that people read: per cent for accuracy, whole numbers for large values."""
    if metric == "accuracy":
        return f"{100 * value:.2f}"
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.4f}"
