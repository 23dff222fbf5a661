"""What a network is worth: figures with intervals, beside simpler ways, and where it is wrong."""

import base64
import io
import time
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from PIL import Image
from sklearn.metrics import confusion_matrix, precision_recall_fscore_support

from lamina.data import Table, decode
from lamina.ground import DataError
from lamina.metrics import interval
from lamina.network import Plan
from lamina.outputs import Answers, OutputLayer
from lamina.run.trained import Trained

Figures = dict[str, dict[str, float]]
"""Metric -> value, low, high."""

_WORST = 12
_SCATTER = 500
_THUMBNAIL = 96


def gather(trained: Trained, table: Table, rows: np.ndarray) -> dict[str, Answers]:
    """Answers of all rows by output name, in the order of `rows`."""
    pieces: dict[str, list[Answers]] = {}
    for _, answers in trained.answer(table, rows):
        for name, some in answers.items():
            pieces.setdefault(name, []).append(some)
    return {name: together(parts) for name, parts in pieces.items()}


def together(parts: Sequence[Answers]) -> Answers:
    """Answers of several pieces of a table, end to end."""
    names = parts[0].columns
    return Answers(
        np.concatenate([part.scores for part in parts]),
        {name: np.concatenate([part.columns[name] for part in parts]) for name in names},
    )


def figures(output: OutputLayer, scores: np.ndarray, truth: np.ndarray, seed: int) -> Figures:
    """Every metric of an output with its bootstrap interval; those that cannot be measured on these rows are left out."""
    found: Figures = {}
    for key, metric in output.metrics().items():
        value, low, high = interval(metric, scores, truth, seed)
        if np.isfinite(value):
            found[key] = {"value": value, "low": _finite(low, value), "high": _finite(high, value)}
    return found


def _finite(bound: float, value: float) -> float:
    return float(bound) if np.isfinite(bound) else float(value)


def known_answers(trained: Trained, table: Table, rows: np.ndarray) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """The rows whose answers are known and usable, and those answers by output name.

    Raises:
        DataError: if no row has a usable answer.
    """
    truths: dict[str, np.ndarray] = {}
    bad: dict[int, str] = {}
    for name, part in trained.plan.outputs.items():
        blocks = [part.prepare(chunk, trained.facts[f"outputs.{name}"]) for chunk in table.chunks(rows, [part.column])]
        truths[name] = np.concatenate([block.values for block in blocks]) if blocks else np.zeros(0)
        start = 0
        for block in blocks:
            bad.update({start + entry: why for entry, why in block.problems.items()})
            start += len(block)
    kept = np.setdiff1d(np.arange(len(rows)), np.fromiter(bad, dtype=np.int64, count=len(bad)))
    if not len(kept):
        entry, why = next(iter(bad.items()), (0, "there are no rows"))
        raise DataError(f"No row can be judged. The first, {table.where(int(rows[entry])) if len(rows) else ''}: {why}.")
    return rows[kept], {name: truth[kept] for name, truth in truths.items()}


def details(plan: Plan, name: str, output: OutputLayer, answers: Answers, truth: np.ndarray) -> dict[str, Any]:
    """What lies behind the figures of one output: confusion, figures by class, honesty of confidences, scatter."""
    if plan.outputs[name].kind == "category":
        return _class_details(output, answers, truth)
    if plan.outputs[name].kind == "number":
        return _number_details(plan.outputs[name].column, answers, truth)
    return {}


def _class_details(output: OutputLayer, answers: Answers, truth: np.ndarray) -> dict[str, Any]:
    classes = [str(name) for name in output.classes]  # type: ignore[union-attr]
    said = answers.scores.argmax(1)
    places = list(range(len(classes)))
    precision, recall, f1, rows = precision_recall_fscore_support(truth, said, labels=places, zero_division=0)
    confidence = answers.scores.max(1)
    right = said == truth
    steps = np.clip((confidence * 10).astype(int), 0, 9)
    found: dict[str, Any] = {
        "per_class": [
            {"class": classes[i], "rows": int(rows[i]), "precision": float(precision[i]), "recall": float(recall[i]),
             "f1": float(f1[i])}
            for i in places
        ],
        "calibration": [
            {"confidence": float(confidence[steps == step].mean()), "accuracy": float(right[steps == step].mean()),
             "rows": int((steps == step).sum())}
            for step in range(10)
            if (steps == step).any()
        ],
    }  # fmt: skip
    if len(classes) <= 100:
        counts = confusion_matrix(truth, said, labels=places)
        found["confusion"] = {"classes": classes, "counts": counts.tolist()}
    return found


def _number_details(column: str, answers: Answers, truth: np.ndarray) -> dict[str, Any]:
    some = np.linspace(0, len(truth) - 1, min(len(truth), _SCATTER)).astype(int)
    found: dict[str, Any] = {"scatter": [[float(truth[i]), float(answers.scores[i])] for i in some]}
    low, high = answers.columns.get(f"{column}_low"), answers.columns.get(f"{column}_high")
    if low is not None and high is not None:
        found["coverage"] = {"stated": 0.9, "found": float(((truth >= low) & (truth <= high)).mean())}
    return found


def worst(trained: Trained, name: str, table: Table, rows: np.ndarray, answers: Answers, truth: np.ndarray,
          where: Any) -> list[dict[str, Any]]:  # fmt: skip
    """The rows that the network was most wrong about, with their cells and pictures.

    Args:
        trained: for the columns that the network read.
        name: the output.
        table: cells, cast.
        rows: row numbers, matching answers and truth.
        where: row number -> its place, as the person knows it.
    """
    part = trained.plan.outputs[name]
    if answers.scores.ndim == 2 and part.kind == "category":
        doubt = -answers.scores[np.arange(len(truth)), truth]
        wrong = np.flatnonzero(answers.scores.argmax(1) != truth)
        order = wrong[np.argsort(doubt[wrong])[::-1]]
        names = trained.network.outputs[name].classes
        right = [str(names[index]) for index in truth]
    elif part.kind == "number":
        order = np.argsort(np.abs(answers.scores - truth))[::-1]
        right = [f"{value:,.6g}" for value in truth]
    else:
        return []
    found = []
    for entry in order[:_WORST]:
        row = int(rows[entry])
        said = answers.columns[part.column][entry]
        confidence = answers.columns.get(f"{part.column}_confidence")
        cells, pictures = _cells(trained, table, row)
        found.append({
            "where": where(row), "truth": right[entry], "cells": cells, "pictures": pictures,
            "answer": f"{said:,.6g}" if part.kind == "number" else str(said),
            "confidence": None if confidence is None else float(confidence[entry]),
        })  # fmt: skip
    return found


def _cells(trained: Trained, table: Table, row: int) -> tuple[dict[str, str], list[str]]:
    cells, pictures = {}, []
    for part in trained.plan.inputs.values():
        for column in part.columns:
            value = table.frame[column][row]
            if part.kind != "image":
                cells[column] = "" if value is None else str(value)[:200]
            elif value is not None:
                try:
                    pictures.append(thumbnail(decode(table.open(column, value), str(value))))
                except DataError:
                    cells[column] = f"{value} (cannot be read)"
    return cells, pictures


def thumbnail(picture: np.ndarray) -> str:
    """A picture (height, width, channels) of uint8 as a small PNG in a data URI."""
    image = Image.fromarray(picture[..., 0] if picture.shape[-1] == 1 else picture)
    if max(image.size) < _THUMBNAIL // 2:
        times = _THUMBNAIL // max(image.size)
        image = image.resize((image.width * times, image.height * times), Image.Resampling.NEAREST)
    image.thumbnail((_THUMBNAIL, _THUMBNAIL))
    data = io.BytesIO()
    image.save(data, "PNG")
    return "data:image/png;base64," + base64.b64encode(data.getvalue()).decode()


def timing(trained: Trained, table: Table, rows: np.ndarray) -> dict[str, float]:
    """How fast the network answers: rows a second in bulk, and milliseconds for one row."""
    many = rows[:2048]
    start = time.perf_counter()
    for _ in trained.answer(table, many):
        pass
    bulk = len(many) / (time.perf_counter() - start)
    times = []
    for row in rows[:5]:
        start = time.perf_counter()
        for _ in trained.answer(table, np.array([row])):
            pass
        times.append(time.perf_counter() - start)
    return {"rows_per_second": round(bulk, 1), "one_row_ms": round(1000 * float(np.median(times)), 3)}


def plain_evaluation(evaluation: Mapping[str, Any]) -> dict[str, Any]:
    """What `evaluate --json` prints of an evaluation: rows, what decides, metrics, baselines."""
    return {name: evaluation[name] for name in ("rows", "decides", "metrics", "baselines") if name in evaluation}
