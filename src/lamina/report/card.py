"""The card of a run: one page of Markdown that says what was made, from what, how good it is and what to beware of."""

import re
from pathlib import Path

from lamina.ground import whole_file
from lamina.report._files import RunFiles, read_run
from lamina.report._sections import (
    between,
    command_lines,
    measured_on,
    ranked,
    split_parts,
    title,
)
from lamina.report._words import direction, figure, joined, metric_label, short

_MOST = 12
"""Columns and warnings that are named; the report has them all."""


def write_card(run: Path) -> Path:
    """Write `README.md` into a run folder: what a person reads who finds the folder.

    Args:
        run: the folder, at least with `plan.yaml` and `state.json`.

    Returns:
        The path of the card.

    Raises:
        RunError: if the folder holds no run, or a file in it is damaged.
    """
    files = read_run(run)
    parts = [_head(files), _figures(files), _data(files), _beware(files), _network(files), _use(files)]
    path = run / "README.md"
    with whole_file(path) as part:
        part.write_text("\n\n".join(text for text in parts if text) + "\n", "utf-8")
    return path


def _head(files: RunFiles) -> str:
    verdict = files.evaluation.get("verdict") or ""
    made = f"Made by Lamina {files.state.get('lamina', '')}".rstrip()
    if started := files.state.get("started"):
        made += f" on {str(started)[:10]}"
    return "\n\n".join(part for part in (f"# {_safe(title(files))}", _safe(verdict), _safe(made) + ".") if part)


def _figures(files: RunFiles) -> str:
    """The deciding figure of every contender, and all the other figures of the network; a table a column."""
    if not files.deciding:
        return ""
    parts = ["## How good it is", _safe(measured_on(files))]
    for column, key in files.deciding.items():
        of = f" of {column}" if len(files.deciding) > 1 else ""
        hint = ", ".join(part for part in (f"{metric_label(key)}{of}", direction(key)) if part)
        rows = [
            f"| {_safe(name)} | {figure(found['value'])} | {between(found)} |" for name, found in ranked(files, column)
        ]
        parts.append("\n".join([f"| | {_safe(hint)} | 95 % interval |", "|---|---:|---|", *rows]))
        metrics = files.evaluation["metrics"][column]
        others = [
            f"{metric_label(name)} {figure(found.get('value'))}" for name, found in metrics.items() if name != key
        ]
        if others:
            parts.append(f"The network's other figures: {_safe('; '.join(others))}.")
    return "\n\n".join(part for part in parts if part)


def _data(files: RunFiles) -> str:
    if not files.data:
        return ""
    columns = files.data.get("columns") or []
    lines = ["## What it learned from", ""]
    if rows := files.data.get("rows"):
        sources = joined(files.data.get("sources") or ())
        lines.append(f"{rows:,} rows" + (f" of {_safe(sources)}" if sources else "") + ".")
    for role, says in (("target", "Predicts"), ("input", "Reads"), ("ignore", "Leaves out")):
        named = [f"{column['name']} ({column['kind']})" for column in columns if column.get("role") == role]
        if named:
            lines.append(f"{says} {_safe(joined(named, _MOST))}.")
    if parts := split_parts(files):
        rows = "; ".join(f"{name} {count:,}" for name, count, _ in parts)
        split = files.data["split"]
        why = ": ".join(part for part in (split.get("how"), split.get("reason")) if part)
        lines.append(f"Split into {rows} rows" + (f" ({_safe(why)})" if why else "") + ".")
    return "\n".join(lines)


def _beware(files: RunFiles) -> str:
    """What was found wrong with the data or went wrong in training: whoever uses the answers must know it."""
    warnings = [found for found in files.data.get("findings") or () if found.get("level") == "warning"]
    lines = [
        "- " + _safe(" ".join(part for part in (found.get("text"), found.get("remedy")) if part)) for found in warnings
    ]
    problems = files.data.get("problems") or {}
    if rows := problems.get("rows"):
        lines.append(f"- {rows:,} {'row is' if rows == 1 else 'rows are'} left out: they could not be used.")
    if cells := problems.get("cells"):
        what = "cell does" if cells == 1 else "cells do"
        lines.append(f"- {cells:,} {what} not hold what the column holds: a gap among the inputs, no answer elsewhere.")
    lines += [f"- {_safe(trouble)}" for trouble in files.state.get("troubles") or ()]
    if not lines:
        return ""
    more = [f"- {len(lines) - _MOST} more in the report."] if len(lines) > _MOST else []
    return "\n".join(["## Beware", "", *lines[:_MOST], *more])


def _network(files: RunFiles) -> str:
    layers = files.state.get("layers") or []
    if not layers:
        return ""
    way = " → ".join(f"{layer['path']} ({layer['what']})" for layer in layers[:_MOST])
    more = f" and {len(layers) - _MOST} more" if len(layers) > _MOST else ""
    ended = files.state.get("ended")
    text = f"## The network\n\n{_safe(way)}{more}: {figure(files.parameters)} weights."
    return text + (f" Training ended because {_safe(ended)}." if ended else "")


def _use(files: RunFiles) -> str:
    lines = "\n".join(f"# {what}\n{line}" for what, line in command_lines(files)[:2])
    python = command_lines(files)[2][1]
    told = f"## Use it\n\n```\n{lines}\n```\n\n```python\nimport lamina\n\n{python}\n```"
    return told + "\n\n`report.html` beside this card shows all of it: it opens in a browser, offline."


def _safe(text: object) -> str:
    """A text that Markdown takes as it stands: one line, cut where it is very long, no tags, links or table marks."""
    line = short(" ".join(str(text).split()), 1000).replace("&", "&amp;").replace("<", "&lt;")
    marked = re.sub(r"([\\`*_\[\]|#~!>])", r"\\\1", line)
    # A bare address would become a link in many viewers.
    return re.sub(r"(?i)\b(https?|ftp)://", r"\1:&#47;&#47;", marked)
