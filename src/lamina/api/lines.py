"""What is said of data, networks and results: labels and texts for people, JSON for programs."""

import json
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lamina.ground import listing
from lamina.metrics import METRICS
from lamina.network import Plan
from lamina.run import TASKS, Fitted, Study, in_words

Lines = list[tuple[str, str]]
"""(label, text) pairs."""

_MOST_NOTES = 8


def data_lines(seen: Study) -> Lines:
    """What was found in the data: rows, kinds, what is set aside, and what a careful colleague would say."""
    source, columns = seen.source, seen.columns
    goals = ", ".join(f"{name} ({_kind(columns[name].kind)})" for name in seen.targets)
    verb, given, alone = TASKS[seen.task].words
    lines = [("data", f"{source.name}: {seen.rows:,} rows, {len(source.columns)} columns; {verb} {goals}")]
    if source.flows:
        return [*_text_lines(seen), *(("note", note) for note in source.notes)]
    kinds = Counter(column.kind for column in columns.values() if column.role in ("input", "time"))
    parts = [f"{count} {_kind(kind, count)}" for kind, count in kinds.items()]
    split = seen.split
    lines.append(("", f"{f'{given} ' + ', '.join(parts) if parts else alone}; split {split.how}: "
                      f"{seen.learned:,} to learn from, "
                      f"{len(split.valid):,} to choose by, {len(split.test):,} to judge on"))  # fmt: skip
    aside = [column for column in columns.values() if column.role == "ignore"]
    if aside:
        lines.append(("set aside", listing(f"{column.name} ({column.reason})" for column in aside[:4])
                      + (f" and {len(aside) - 4} more" if len(aside) > 4 else "")))  # fmt: skip
    lines += [("note", note) for note in source.notes]
    lines += _stray(seen)
    known = {column.name for column in aside}  # said above already
    shown = [finding for finding in seen.findings if finding.level == "warning" or finding.column not in known]
    shown.sort(key=lambda finding: finding.level != "warning")
    for finding in shown[:_MOST_NOTES]:
        lines.append((finding.level, finding.text + (f"; {finding.remedy}" if finding.remedy else "")))
    if len(shown) > _MOST_NOTES:
        lines.append(("note", f"{len(shown) - _MOST_NOTES} more stand in data.json and in the report"))
    return lines


def _text_lines(seen: Study) -> Lines:
    """What was found in running text."""
    column, split = seen.source.frame[seen.targets[0]], seen.split
    characters = [int(column[rows].str.len_chars().sum()) for rows in (split.train, split.valid, split.test)]
    return [
        ("data", f"{seen.source.name}: {sum(characters):,} characters of running text; predict what comes next"),
        ("", f"split {split.how}: {characters[0]:,} to learn from, {characters[1]:,} to choose by, "
             f"{characters[2]:,} to judge on"),
    ]  # fmt: skip


def _stray(seen: Study) -> Lines:
    """Cells that are not what their column holds: words taken for gaps, and the first of what could not be used."""
    lines: Lines = []
    for column in seen.columns.values():
        if column.missing and column.role != "ignore":
            lines.append(("note", f"column {column.name!r}: {listing(map(repr, column.missing), 4)} "
                                  f"{'count' if len(column.missing) > 1 else 'counts'} as a gap"))  # fmt: skip
    first = {problem.column: problem for problem in reversed(seen.problems)}
    for name, problem in list(first.items())[:_MOST_NOTES]:
        more = f", and {problem.total - 1:,} more such cells" if problem.total > 1 else ""
        lot = "the row is left out" if name in seen.targets else "it counts as a gap"
        lines.append(
            (
                "warning",
                f"{seen.where(problem.row)}, column {name!r}: {problem.cell!r} is {problem.reason}{more}: {lot}",
            )
        )
    return lines


_PLURALS = {"category": "categories"}


def _kind(kind: str, count: int = 1) -> str:
    return kind if count == 1 else _PLURALS.get(kind, f"{kind}s")


def network_line(fitted: Fitted, plan: Plan) -> tuple[str, str]:
    """What was trained, and how it ended."""
    parameters = sum(layer.parameters for layer in fitted.layers)
    inputs = ", ".join(plan.inputs)
    return ("network", f"{inputs} -> {plan.hidden.name} -> {', '.join(plan.outputs)}: {parameters:,} parameters; "
                       f"{fitted.steps:,} steps, {fitted.epochs:,.1f} epochs, {fitted.seconds:,.0f} s; "
                       f"{fitted.ended}")  # fmt: skip


def result_lines(evaluation: Mapping[str, Any], plan: Plan, path: Path) -> Lines:
    """The verdict, the figures beside it, and where everything lies."""
    lines: Lines = []
    for place, (column, metrics) in enumerate(evaluation["metrics"].items()):
        key = _deciding(evaluation, column, metrics)
        lines.append(
            ("result" if place == 0 else "", f"{column}: {in_words(METRICS[key], metrics[key])} on {evaluation['on']}")
        )
        others = {
            name: figures[column][key] for name, figures in evaluation.get("baselines", {}).items() if column in figures
        }
        if others:
            lines.append(
                ("", "   ".join(f"{name} {in_words(METRICS[key], figure)}" for name, figure in others.items()))
            )
    lines.append(("", evaluation["verdict"]))
    use = TASKS[plan.task].use(plan)
    lines += [("run", str(path)), ("report", str(path / "report.html")), ("next", f"lamina predict {path} {use}")]
    return lines


def _deciding(evaluation: Mapping[str, Any], column: str, metrics: Mapping[str, Any]) -> str:
    decides = str(evaluation["decides"])
    if decides.startswith(f"{column}."):
        return decides.removeprefix(f"{column}.")
    return evaluation.get("deciding", {}).get(column) or next(iter(metrics))


def evaluation_lines(evaluation: Mapping[str, Any]) -> list[str]:
    """Every figure, a line each, with the simpler ways beside it; then the verdict, and what was left out."""
    lines = [f"{evaluation['rows']:,} rows; {evaluation['decides']} decides"]
    for column, metrics in evaluation["metrics"].items():
        lines.append(f"{column}")
        for key, figure in metrics.items():
            line = f"  {key:<19}{in_words(METRICS[key], figure, named=False)}"
            for name, others in evaluation.get("baselines", {}).items():
                if key in others.get(column, {}):
                    line += f"   {name} {in_words(METRICS[key], others[column][key], named=False)}"
            lines.append(line)
    return [*lines, evaluation["verdict"], *evaluation["notes"]]


def evaluation_json(evaluation: Mapping[str, Any]) -> str:
    """Figures as JSON for programs."""
    return json.dumps(evaluation, ensure_ascii=False)
