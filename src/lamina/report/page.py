"""The report of a run: one HTML file that explains it to people, opens offline and runs no script.

It reads files of the run folder and nothing else, so it can be written again at any time, on any machine.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from markupsafe import Markup, escape

from lamina.ground import LazyModule, whole_file
from lamina.report import _sections
from lamina.report._files import RunFiles, read_run
from lamina.report._words import duration, figure, joined, metric_label, share, short

jinja2 = LazyModule("jinja2")

_FIXED = frozenset({"step", "epoch", "loss", "rate", "seconds", "best"})
"""Keys of a line of history that are not figures on validation rows."""


def write_report(run: Path) -> Path:
    """Write `report.html` into a run folder.

    Args:
        run: the folder, at least with `plan.yaml` and `state.json`; a section whose file is missing is left out.

    Returns:
        The path of the page.

    Raises:
        RunError: if the folder holds no run, or a file in it is damaged.
    """
    files = read_run(run)
    page = _template().render(
        files=files,
        sections=_sections,
        evaluation=files.evaluation,
        data=files.data,
        state=files.state,
        columns=[_column(column, files.data.get("profile") or {}) for column in files.data.get("columns") or ()],
        charts=_charts(files),
    )
    path = run / "report.html"
    with whole_file(path) as part:
        part.write_text(page, "utf-8")
    return path


def _template() -> Any:
    # A part of a run that is missing is an undefined name at any depth: its section asks once and stays out.
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("lamina", "report"), autoescape=True, undefined=jinja2.ChainableUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    environment.filters |= {
        "figure": figure, "share": share, "duration": duration, "short": short, "joined": joined,
        "ticked": _ticked, "plain": _sections.plain, "between": _sections.between, "metric": metric_label,
    }  # fmt: skip
    return environment.get_template("page.html")


def _ticked(text: object) -> Markup:
    """A sentence with its `words to type` set as such."""
    return Markup(re.sub(r"`([^`]+)`", r"<code>\1</code>", str(escape(text))))


def _charts(files: RunFiles) -> dict[str, Any]:
    """Every chart of the page as SVG, by section and column; what has no data is left out."""
    from lamina.report import charts  # altair takes most of a second to import, and only a report needs it

    drawn: dict[str, Any] = {"curves": [Markup(curve) for curve in _curves(files)]}
    drawn["comparison"] = {}
    for column, key in files.deciding.items():
        rows = [
            charts.Measured(name, found["value"], found.get("low"), found.get("high"), name == _sections.NETWORK)
            for name, found in _sections.ranked(files, column)
        ]
        if rows:
            drawn["comparison"][column] = Markup(charts.comparison_chart(rows, metric_label(key)))
    evaluation = files.evaluation
    drawn["confusion"] = {
        column: Markup(charts.confusion_chart([str(name) for name in found["classes"]], found["counts"]))
        for column, found in (evaluation.get("confusion") or {}).items()
        if 0 < len(found["classes"]) <= charts.MOST_CLASSES
    }
    drawn["reliability"] = {
        column: Markup(charts.reliability_chart([(one["confidence"], one["accuracy"], one["rows"]) for one in bins]))
        for column, found in (evaluation.get("calibration") or {}).items()
        if (bins := [one for one in found if one.get("rows")])
    }
    drawn["scatter"] = {
        column: Markup(charts.scatter_chart(known, column))
        for column, pairs in (evaluation.get("scatter") or {}).items()
        if (known := [(truth, answer) for truth, answer in pairs if truth is not None and answer is not None])
    }
    return drawn


def _curves(files: RunFiles) -> list[str]:
    """Training loss, the deciding figure on validation rows and the learning rate, over the course of training."""
    from lamina.report import charts

    lines = [line for line in files.history if isinstance(line.get("step"), int)]
    if len(lines) < 2:
        return []
    across = "epoch" if (lines[-1].get("epoch") or 0) >= 2 else "step"
    judged = [key for key in lines[-1] if key not in _FIXED]
    decides = str(files.evaluation.get("decides"))
    # Where several outputs decide together, their joint skill is the figure that training watched.
    watched = next((key for key in (decides, "skill", *judged) if key in judged), None)
    names = {"loss": "training loss", "rate": "share of the highest learning rate"}
    if watched:
        names = {"loss": names["loss"], watched: _watched(watched, files), "rate": names["rate"]}
    best_step = files.state.get("best_step")
    best = next((line for line in lines if line["step"] == best_step), None)
    drawn = []
    for key, name in names.items():
        points = [(line[across], line[key]) for line in lines if line.get(key) is not None and across in line]
        marked = (best[across], best[key]) if best and key == watched and best.get(key) is not None else None
        if len(points) > 1:
            drawn.append(charts.curve_chart(points, across, name, marked))
    return drawn


def _watched(key: str, files: RunFiles) -> str:
    """`price.rmse` as the title of a curve."""
    output, _, metric = key.rpartition(".")
    of = f" of {short(output, 12)}" if output and len(files.targets) > 1 else ""
    return f"{metric_label(metric)}{of} on validation rows"


def _column(column: Mapping[str, Any], profiles: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """A column with what its cells look like: a small histogram, its most frequent values, or a range in words."""
    from lamina.report import charts

    look = profiles.get(str(column.get("name"))) or {}
    shown: dict[str, Any] = {**column}
    counts = (look.get("histogram") or {}).get("counts") or []
    if any(counts):
        low, high = figure(look.get("min")), figure(look.get("max"))
        middle = figure((look.get("quartiles") or [None, None])[1])
        shown["histogram"] = Markup(charts.sparkline(counts, f"Histogram from {low} to {high}, median {middle}"))
        shown["range"] = (low, high)
        shown["median"] = middle
    elif look.get("top"):
        rows = sum(count for _, count in look["top"])
        rows = max(int(look.get("rows") or 0) - int(look.get("gaps") or 0), rows)
        shown["top"] = [(value, count / rows) for value, count in look["top"][:3]]
        shown["others"] = max(int(look.get("distinct") or 0) - len(shown["top"]), 0)
    elif look.get("words"):
        words = look["words"]
        shown["words"] = f"{figure(words.get('mean'))} words on average, at most {figure(words.get('max'))}"
    elif look.get("min"):
        shown["words"] = f"{_moment(look['min'])} to {_moment(look.get('max'))}"
    return shown


def _moment(iso: object) -> str:
    """`2024-01-31`, `2024-01-31 14:05`."""
    return str(iso)[:16].replace("T", " ").removesuffix(" 00:00")
