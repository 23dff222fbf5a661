"""Where a network is wrong: confusions, figures by class, honesty of confidences, the worst rows."""

import base64
import io
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from PIL import Image

from lamina.data import Table, Vocabulary, decode, listed
from lamina.ground import DataError, LazyModule
from lamina.metrics import UNSEEN, Span, has_spans, spans_of
from lamina.network import Plan
from lamina.outputs import Answers, CategoryOutput, OutputLayer, OutputPlan, TagsOutput
from lamina.run.trained import Trained

sklearn_metrics = LazyModule("sklearn.metrics")

_WORST = 12
_SCATTER = 500
_THUMBNAIL = 96


def details(plan: Plan, name: str, output: OutputLayer, answers: Answers, truth: np.ndarray) -> dict[str, Any]:
    """What lies behind the figures of one output: confusion, figures by class, honesty of confidences, scatter."""
    if plan.outputs[name].kind == "category":
        return _class_details(plan.outputs[name], output, answers, truth)
    if plan.outputs[name].kind == "number":
        return _number_details(output, plan.outputs[name].column, answers, truth)
    if plan.outputs[name].kind == "tags":
        return {"per_class": span_details(output.tags, answers.scores, truth)}  # type: ignore[arg-type]
    return {}


def _class_details(part: OutputPlan, output: OutputLayer, answers: Answers, truth: np.ndarray) -> dict[str, Any]:
    classes = [str(name) for name in output.classes]  # type: ignore[union-attr]
    said = answers.scores.argmax(1)
    places = list(range(len(classes)))
    precision, recall, f1, rows = sklearn_metrics.precision_recall_fscore_support(
        truth, said, labels=places, zero_division=0
    )
    assert isinstance(part, CategoryOutput)
    named = said < len(classes) - part.turns_away  # the confidence beside none is no promise that it is right
    confidence, right = answers.columns[f"{part.column}_confidence"][named], (said == truth)[named]
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
        counts = sklearn_metrics.confusion_matrix(truth, said, labels=places)
        found["confusion"] = {"classes": classes, "counts": counts.tolist()}
    return found


def span_details(names: Sequence[str], scores: np.ndarray, truth: np.ndarray) -> list[dict[str, Any]]:
    """Figures for each type of span, or for each tag where there are no spans; the most frequent first."""
    named = np.array([*names, UNSEEN], dtype=object)
    found: dict[str, np.ndarray] = {}
    for said, true in zip(scores, truth, strict=True):
        answered, there = (set(_pieces(named[tags], has_spans(names))) for tags in (said, true))
        for place, pieces in enumerate((answered & there, answered, there)):
            for piece in pieces:
                found.setdefault(piece.type, np.zeros(3))[place] += 1
    rows = []
    for kind, (right, answered_times, there_times) in sorted(found.items(), key=lambda item: -item[1][2]):
        precision, recall = right / max(answered_times, 1), right / max(there_times, 1)
        f1 = 2 * right / (answered_times + there_times)
        rows.append({"class": kind, "rows": int(there_times), "precision": precision, "recall": recall, "f1": f1})
    return rows


def _pieces(tags: Sequence[str], spans: bool) -> list[Span]:
    return spans_of(tags) if spans else [Span(tag, place, place + 1) for place, tag in enumerate(tags)]


def _number_details(output: OutputLayer, column: str, answers: Answers, truth: np.ndarray) -> dict[str, Any]:
    some = np.linspace(0, len(truth) - 1, min(len(truth), _SCATTER)).astype(int)
    found: dict[str, Any] = {"scatter": [[float(truth[i]), float(answers.scores[i])] for i in some]}
    low, high = answers.columns.get(f"{column}_low"), answers.columns.get(f"{column}_high")
    if low is not None and high is not None:
        found["coverage"] = {"stated": output.coverage, "found": float(((truth >= low) & (truth <= high)).mean())}
    return found


def worst(trained: Trained, name: str, table: Table, rows: np.ndarray, answers: Answers, truth: np.ndarray,
          where: Callable[[int], str]) -> list[dict[str, Any]]:  # fmt: skip
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
        right = [str(names[index]) for index in truth]  # type: ignore[index]
    elif part.kind == "text":  # the least sure ones; what is wrong about a text, a person sees best
        order = np.argsort(answers.columns[f"{part.column}_confidence"])
        vocabulary = Vocabulary.of(trained.facts[f"outputs.{name}"])
        right = [vocabulary.text(row) for row in truth]
    elif part.kind == "reply":
        wrong = np.flatnonzero((truth != answers.scores.argmax(1)[:, None]).all(1))
        sure = answers.columns[f"{part.column}_confidence"]
        order = wrong[np.argsort(-sure[wrong], kind="stable")]
        known = [*trained.facts[f"outputs.{name}"]["answers"], "an answer that no training row has"]  # type: ignore[misc]
        right = [known[row[0]] for row in truth]  # -1 is the last
    elif part.kind == "number":
        order = np.argsort(np.abs(answers.scores - truth))[::-1]
        right = [f"{value:,.6g}" for value in truth]
    elif part.kind == "tags":
        order, right, answered = _wrong_tags(trained, name, table, rows, answers, truth)
    else:
        return []
    found = []
    for entry in order[:_WORST]:
        row = int(rows[entry])
        said = answers.columns[part.column][entry] if part.kind != "tags" else answered[entry]
        confidence = answers.columns.get(f"{part.column}_confidence")
        cells, pictures = _cells(trained, table, row)
        found.append({
            "where": where(row), "truth": right[entry], "cells": cells, "pictures": pictures,
            "answer": f"{said:,.6g}" if part.kind == "number" else str(said),
            "confidence": None if confidence is None else float(confidence[entry]),
        })  # fmt: skip
    return found


def _wrong_tags(trained: Trained, name: str, table: Table, rows: np.ndarray, answers: Answers,
                truth: np.ndarray) -> tuple[np.ndarray, list[str], list[str]]:  # fmt: skip
    """The rows with most wrong tags first, those that are right left out; and what is there and was answered, in words.

    Where tags tell of spans, the words of these and their types: `breast cancer (Disease), ...`.
    """
    part, output = trained.plan.outputs[name], trained.network.outputs[name]
    assert isinstance(part, TagsOutput)
    tags_there: list[str] = output.tags  # type: ignore[assignment]
    named = np.array([*tags_there, UNSEEN], dtype=object)
    wrong = np.array([np.count_nonzero(said != true) for said, true in zip(answers.scores, truth, strict=True)])
    order = np.argsort(-wrong, kind="stable")[: np.count_nonzero(wrong)]
    facts = trained.facts[f"outputs.{name}"]
    told: list[list[str]] = [[""] * len(rows), [""] * len(rows)]
    for entry in order[:_WORST]:
        words = part.words_of(table.frame[part.words][int(rows[entry])], facts)
        for place, tags in enumerate((truth[entry], answers.scores[entry])):
            if output.spans:
                spans = [f"{words.between(span.first, span.end)} ({span.type})" for span in spans_of(named[tags])]
                told[place][entry] = ", ".join(spans) or "nothing"
            else:
                told[place][entry] = " ".join(named[tags])
    return order, told[0], told[1]


def _cells(trained: Trained, table: Table, row: int) -> tuple[dict[str, str], list[str]]:
    cells, pictures = {}, []
    for part in trained.plan.inputs.values():
        for column in part.columns:
            value = table.frame[column][row]
            if part.kind != "image":
                cells[column] = "" if value is None else _readable(str(value))[:200]
            elif value is not None:
                try:
                    pictures.append(thumbnail(decode(table.open(column, value), str(value))))
                except DataError:
                    cells[column] = f"{value} (cannot be read)"
    return cells, pictures


def _readable(cell: str) -> str:
    """A list of words as the sentence that they are."""
    words = listed(cell)
    return cell if words is None else " ".join(words)


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
