"""What the sections of a report hold: plain values worked out from a run's files, ready for the page and the card."""

import re
import shlex
from collections.abc import Mapping
from typing import Any

from lamina.metrics import METRICS
from lamina.report._files import RunFiles
from lamina.report._words import best_first, direction, duration, figure, joined, metric_label, short

NETWORK = "network"
"""What the network is called beside its baselines."""
_PICTURE = re.compile(r"data:image/(png|jpeg|gif|webp);base64,[A-Za-z0-9+/=]+")
_CELLS = 6
"""Cells of a row that are shown before the rest is folded away."""
_COLUMNS = 3
"""Predicted columns whose figures stand at the top of the page."""


def title(files: RunFiles) -> str:
    """What the run is about, in a few words."""
    if files.task == "enlarge":
        return "Enlarging photos"
    if files.task in ("generate", "rows"):
        made = "pictures" if files.task == "generate" else "rows"
        return f"Making {made} like those of {joined(files.data.get('sources') or files.targets)}"
    return f"Predicting {joined(short(name, 60) for name in files.targets)}" if files.targets else "A training"


def contenders(files: RunFiles, column: str) -> dict[str, dict[str, Any]]:
    """Metrics of the network and of every baseline for one column, by name; the network stands first."""
    found = {NETWORK: (files.evaluation.get("metrics") or {}).get(column) or {}}
    for name, by_column in (files.evaluation.get("baselines") or {}).items():
        if by_column.get(column):
            found[name] = by_column[column]
    return found


def measured_on(files: RunFiles) -> str:
    """Which rows the figures come from, as a sentence."""
    on = str(files.evaluation.get("on") or "")
    return on if not on or on.endswith(".") else f"Measured on {on}."


def ranked(files: RunFiles, column: str) -> list[tuple[str, dict[str, Any]]]:
    """The network and its baselines with a column's deciding figure, the best first; those without it are left out."""
    key = files.deciding[column]
    found = {name: metrics[key] for name, metrics in contenders(files, column).items() if key in metrics}
    known = {name: measured for name, measured in found.items() if measured.get("value") is not None}
    order = best_first(key, {name: measured["value"] for name, measured in known.items()})
    return [(name, known[name]) for name in order]


def metric_tables(files: RunFiles) -> list[dict[str, Any]]:
    """A table for each predicted column: a row a metric, a cell for the network and for each baseline."""
    tables = []
    for column, metrics in (files.evaluation.get("metrics") or {}).items():
        found = contenders(files, column)
        rows = []
        for key in metrics:
            values = {name: (measured.get(key) or {}).get("value") for name, measured in found.items()}
            rows.append({
                "label": metric_label(key),
                "direction": direction(key),
                "decides": files.deciding.get(column) == key,
                "best": best_first(key, values)[0] if key in METRICS else None,
                "cells": [(name, measured.get(key) or {}) for name, measured in found.items()],
            })  # fmt: skip
        tables.append({"column": column, "names": list(found), "rows": rows})
    return tables


def key_facts(files: RunFiles) -> list[tuple[str, str, str]]:
    """The few figures that a reader looks for first: (what, figure, more about it)."""
    facts = []
    for column, key in list(files.deciding.items())[:_COLUMNS]:
        measured = files.evaluation["metrics"][column][key]
        name = metric_label(key) if len(files.deciding) == 1 else f"{metric_label(key)} of {short(column, 40)}"
        facts.append((name, figure(measured.get("value")), between(measured)))
    if rows := files.evaluation.get("rows"):
        facts.append(("judged on", f"{rows:,} rows", "never seen in training" if _held_out(files) else ""))
    if rows := (files.data.get("split") or {}).get("train"):
        facts.append(("learned from", f"{rows:,} rows", ""))
    if files.parameters:
        facts.append(("weights", figure(files.parameters), ""))
    if (seconds := (files.state.get("timing") or {}).get("total", files.state.get("seconds"))) is not None:
        facts.append(("made in", duration(seconds), ""))
    return facts


def _held_out(files: RunFiles) -> bool:
    return bool((files.data.get("split") or {}).get("test")) or "never seen" in str(files.evaluation.get("on") or "")


def between(measured: Mapping[str, Any]) -> str:
    """`44,300 to 47,500`; nothing without an interval."""
    low, high = measured.get("low"), measured.get("high")
    return "" if low is None or high is None else f"{figure(low)} to {figure(high)}"


def choices(files: RunFiles) -> list[tuple[str, str, str]]:
    """What was chosen and why: (what, choice, reason); first what was measured, then the plan from top to bottom."""
    made = files.state.get("decisions") or {}
    found = []
    if "precision" in made:
        tried = "; ".join(f"{way} {duration(seconds)} a step" for way, seconds in (made.get("tried") or {}).items())
        reason = ". ".join(part for part in (made.get("way"), f"Measured: {tried}" if tried else "") if part)
        filters = made.get("filters", "direct")
        chosen = [made["precision"], made.get("layout"), None if filters == "direct" else filters,
                  "one thread" if made.get("threads") else None]  # fmt: skip
        found.append(("numbers and layout", ", ".join(part for part in chosen if part), reason))
    if "learning_rate" in made:
        reason = made.get("rate_reason") or (files.state.get("reasons") or {}).get("training.learning_rate", "")
        found.append(("learning rate", plain(made["learning_rate"]), reason))
    if "steps" in made:
        mended = "; ".join(
            f"at step {figure(mend.get('step'))} changed to {figure(mend.get('steps'))}"
            for mend in made.get("corrections") or ()
            if "steps" in mend
        )
        found.append(("steps planned", figure(made["steps"]), mended))
    if "processes" in made:
        count, _, how = str(made["processes"]).partition(" ")
        found.append(("processes", count, how))
    for path, reason in (files.state.get("reasons") or {}).items():
        if path != "training.learning_rate" or "learning_rate" not in made:
            found.append((path, plain(_at(files.plan, path)), reason))
    return found


def _at(plan: Mapping[str, Any], path: str) -> Any:
    """The value at a path; names of parts may hold dots themselves, so the longest name that fits is taken."""
    if path in plan:
        return plan[path]
    for name, inner in plan.items():
        if path.startswith(f"{name}.") and isinstance(inner, Mapping):
            return _at(inner, path.removeprefix(f"{name}."))
    return None


def plain(value: object) -> str:
    """A value of a plan or a request in a few words."""
    if isinstance(value, Mapping):
        return str(value.get("name") or value.get("kind") or joined(value))
    if isinstance(value, (list, tuple)):
        return joined(value)
    if isinstance(value, float):
        return f"{value:g}"
    return "" if value is None else str(value)


def mix_ups(confusion: Mapping[str, Any], most: int = 8) -> list[tuple[str, str, int, float]]:
    """The most frequent mistakes: (truth, answer, rows, share of the true class's rows)."""
    classes, counts = confusion["classes"], confusion["counts"]
    found = [
        (classes[truth], classes[answer], count, count / sum(row))
        for truth, row in enumerate(counts) for answer, count in enumerate(row) if count and truth != answer
    ]  # fmt: skip
    return sorted(found, key=lambda mistake: -mistake[2])[:most]


def worst(files: RunFiles, column: str) -> list[dict[str, Any]]:
    """The worst mistakes of a column: pictures that could fetch something are dropped, cells are parted in two."""
    mistakes = []
    for mistake in (files.evaluation.get("worst") or {}).get(column) or ():
        cells = list((mistake.get("cells") or {}).items())
        pictures = [picture for picture in mistake.get("pictures") or () if _PICTURE.fullmatch(str(picture))]
        mistakes.append({**mistake, "pictures": pictures, "first": cells[:_CELLS], "rest": cells[_CELLS:]})
    return mistakes


def split_parts(files: RunFiles) -> list[tuple[str, int, str]]:
    """The parts of the split that hold rows: (name, rows, what they are for)."""
    split = files.data.get("split") or {}
    uses = {"train": "learned from", "valid": "chose when to stop", "test": "judged on, once, at the end"}
    return [(name, split[name], use) for name, use in uses.items() if split.get(name)]


def command_lines(files: RunFiles) -> list[tuple[str, str]]:
    """How to go on with the run: (what it does, what to type)."""
    run = shlex.quote(str(files.path))
    if files.task == "enlarge":
        return [
            ("A photo, larger", f"lamina predict {run} photo.jpg --out large.png"),
            ("All photos of a folder", f"lamina predict {run} photos --out large"),
            ("From Python", f"lamina.load({str(files.path)!r}).enlarge('photo.jpg')"),
        ]
    if files.task == "generate":
        return [
            ("More pictures", f"lamina predict {run} --count 64 --out made.png"),
            ("From one picture to another", f"lamina predict {run} --count 12 --between 0 1 --out between.png"),
            ("From Python", f"lamina.load({str(files.path)!r}).generate(64)"),
        ]
    if files.task == "rows":
        return [
            ("More rows", f"lamina predict {run} --count 1000 --out made.csv"),
            ("Compare them with other rows", f"lamina evaluate {run} other.csv"),
            ("From Python", f"lamina.load({str(files.path)!r}).make_rows(1000)"),
        ]
    if "next" in files.outputs:
        return [
            ("Go on with a text", f"lamina predict {run} --prompt 'It was'"),
            ("The likeliest next words", f"lamina predict {run} --prompt 'It was' --next 5"),
            ("From Python", f"''.join(lamina.load({str(files.path)!r}).write('It was'))"),
        ]
    pictures = any(column.get("kind") == "image" and column.get("role") == "input" for column in _columns(files))
    new = "new/" if pictures else "new.csv"
    return [
        ("Answers for new rows", f"lamina predict {run} {new} --out answers.csv"),
        ("Judge it on other rows whose truth is known", f"lamina evaluate {run} {new}"),
        ("From Python", f"lamina.load({str(files.path)!r}).predict({new!r})"),
    ]


def made(files: RunFiles) -> dict[str, Any]:
    """Sheets of made pictures: `made`, `nearest`, and the `film`; whatever could fetch something is dropped."""
    found = files.evaluation.get("pictures") or {}
    sheets = {name: found[name] for name in ("made", "nearest", "beside") if _PICTURE.fullmatch(str(found.get(name)))}
    film = [frame for frame in found.get("film") or () if _PICTURE.fullmatch(str(frame.get("sheet")))]
    return sheets | ({"film": film} if film else {})


def _columns(files: RunFiles) -> list[dict[str, Any]]:
    return files.data.get("columns") or []
