"""From the scores of every seed to the result of a row."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.quality.classical import class_name, is_class
from benchmarks.quality.figures import LARGER_IS_BETTER, Figure, Scored, figure, samples
from benchmarks.quality.rows import Row


def summarise(row: Row, lamina: list[Path], classical: list[Path]) -> dict[str, Any]:
    """Figures of every model from the folders of its seeds: values, intervals, the difference to the trees."""
    said = [json.loads((folder / "lamina.json").read_text()) for folder in lamina]
    own = [own_figure(row.metric, one["evaluation"]) for one in said]
    models = [
        *(["trees", "linear"] if row.compared else []),
        *(["lamina"] if row.answers_in_order else []),
        *([] if row.constant is None else ["constant"]),
    ]
    splits = {model: load_splits(row, model, lamina if model == "lamina" else classical) for model in models}

    drawn = {model: samples(row.metric, found, row.block, row.pooled) for model, found in splits.items()}
    figures = {model: figure(found) for model, found in drawn.items()}
    result: dict[str, Any] = {
        "rows": said[0]["rows"],
        "seconds": [one["seconds"] for one in said],
        "peak_mib": [one["peak_mib"] for one in said],
        # Lamina's own figures for the same test rows: a difference would mean that one of the two is wrong.
        "evaluate_says": [one.value if one else None for one in own],
    }
    if row.answers_in_order:
        sign = 1 if row.metric in LARGER_IS_BETTER else -1
        result["better_than_trees_by"] = figure(sign * (drawn["lamina"] - drawn["trees"])).plain()
    else:
        figures["lamina"] = mean_figure([one for one in own if one is not None])
    result |= {model: found.plain() for model, found in figures.items()}
    result["beside"] = {
        metric: {
            model: figure(samples(metric, found, row.block, row.pooled)).plain() for model, found in splits.items()
        }
        for metric in row.beside
    }
    if not row.compared:
        found = {metric: [own_figure(metric, one["evaluation"]) for one in said] for metric in row.beside}
        result["beside"] = {
            metric: {"lamina": mean_figure([one for one in ones if one is not None]).plain()}
            for metric, ones in found.items()
        }
        result["rivals"] = rivals_of(row.metric, [one["evaluation"] for one in said])
    return result


def rivals_of(metric: str, evaluations: list[dict[str, Any]]) -> dict[str, dict[str, float]]:
    """The mean figure of each simpler way that Lamina itself compared with in all trainings."""
    by_name: dict[str, list[Figure]] = {}
    for evaluation in evaluations:
        for name, columns in evaluation["baselines"].items():
            if found := own_figure(metric, {"metrics": columns}):
                by_name.setdefault(name, []).append(found)
    return {name: mean_figure(figures).plain() for name, figures in by_name.items() if len(figures) == len(evaluations)}


def load_splits(row: Row, model: str, folders: list[Path]) -> list[Scored]:
    """What a model said, split by split; classes become numbers."""
    found = []
    for folder in folders:
        with np.load(folder / ("lamina.npz" if model == "lamina" else "classical.npz"), allow_pickle=False) as kept:
            rows, truth = kept["rows"], kept["truth"]
            scores = np.full(len(truth), row.constant) if model == "constant" else kept[model]
        if row.positive is not None:
            truth = np.array([class_name(value) == row.positive for value in truth])
        elif is_class(row):
            names = np.unique(np.concatenate([truth, scores]))
            truth, scores = np.searchsorted(names, truth), np.searchsorted(names, scores)
        found.append(Scored(rows, truth, scores))
    return found


def own_figure(metric: str, evaluation: Mapping[str, Any]) -> Figure | None:
    """The same figure in Lamina's own evaluation, None when it is not among them."""
    for figures in evaluation["metrics"].values():
        if metric in figures:
            return Figure(**{part: figures[metric][part] for part in ("value", "low", "high")})
    return None


def mean_figure(figures: list[Figure]) -> Figure:
    """The mean over trainings judged on the same rows; so are the ends, as these intervals are not independent."""
    return Figure(*np.mean([[one.value, one.low, one.high] for one in figures], axis=0).tolist())
