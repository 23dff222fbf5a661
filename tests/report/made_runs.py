"""Run folders made by hand, as training leaves them behind: a table of houses, a table of mails, pictures of digits."""

import base64
import io
import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

MACHINE = {"processor": "AMD EPYC 9R14", "cores": 2, "threads": 2, "matrix_units": False, "memory_gib": 7.6,
           "system": "Linux", "python": "3.11.2", "torch": "2.13.0+cpu"}  # fmt: skip
TIMING = {"read": 0.21, "prepare": 0.9, "baselines": 4.3, "train": 41.2, "evaluate": 0.7, "total": 48.1}


def write_run(path: Path, plan: str, **files: Any) -> Path:
    """A run folder from values: `state`, `data`, `evaluation` become JSON files, `history` one line each."""
    path.mkdir(parents=True, exist_ok=True)
    (path / "plan.yaml").write_text(plan, "utf-8")
    for name, values in files.items():
        if name == "history":
            (path / "history.jsonl").write_text("".join(json.dumps(line) + "\n" for line in values), "utf-8")
        else:
            (path / f"{name}.json").write_text(json.dumps(values), "utf-8")
    return path


def state(layers: list[tuple[str, str, str, int]], reasons: Mapping[str, str], **more: Any) -> dict[str, Any]:
    """`state.json` of a finished training."""
    return {
        "request": {"sources": ["houses.csv"], "predict": ["price"], "time": 60, "seed": 0, "plan": None},
        "decisions": {
            "precision": "bfloat16", "layout": "contiguous", "way": "1.62 times as fast as float32 contiguous",
            "step_seconds": 0.0042, "tried": {"float32 contiguous": 0.0068, "bfloat16 contiguous": 0.0042},
            "learning_rate": 0.0021, "rate_reason": "found by trying 1e-05 to 1: the loss was lowest at 6.3e-03",
            "steps": 4500, "corrections": [{"step": 900, "steps": 4120}],
        },
        "layers": [dict(zip(("path", "what", "gives", "parameters"), layer, strict=True)) for layer in layers],
        "reasons": dict(reasons),
        "ended": "the time was up", "steps": 4120, "epochs": 31.2, "seconds": 41.2, "best_step": 3640, "finished": True,
        "lamina": "0.1.0", "started": "2026-02-11T09:31:07+00:00", "timing": TIMING, **more,
    }  # fmt: skip


def measured(value: float, half: float | None = None) -> dict[str, float | None]:
    """A figure with its interval."""
    if half is None:
        return {"value": value, "low": None, "high": None}
    return {"value": value, "low": value - half, "high": value + half}


def history(key: str, first: float, last: float, judged: int = 40, best_at: int = 34) -> list[dict[str, Any]]:
    """Lines of a training that settles, with its best figure at judgement `best_at`."""
    noise = np.random.default_rng(0)
    lines = []
    for number in range(1, judged + 1):
        done = number / judged
        loss = 0.05 + 0.9 * math.exp(-5 * done) + 0.01 * noise.random()
        far = 0.0 if number == best_at else math.exp(-6 * done) + 0.01 * noise.random() + 0.005
        figure = last + (first - last) * far
        rate = min(done / 0.05, 1) * 0.5 * (1 + math.cos(math.pi * done))
        lines.append({"step": 104 * number + (3640 - 104 * best_at), "epoch": round(0.78 * number, 3), "loss": loss,
                      "rate": rate, "seconds": number, "best": number in (1, 9, best_at), key: figure})  # fmt: skip
    return lines


def column(name: str, kind: str, reason: str, role: str = "input", **more: Any) -> dict[str, Any]:
    """A column as `data.json` has it."""
    return {"name": name, "kind": kind, "role": role, "confidence": 1.0, "reason": reason, "missing": [],
            "format": None, "decimal": ".", "unit": "", "gaps": 0, "distinct": 0, **more}  # fmt: skip


def looks(numbers: np.ndarray, gaps: int = 0) -> dict[str, Any]:
    """The profile of a column of numbers."""
    counts, edges = np.histogram(numbers, bins=20)
    return {"kind": "number", "rows": len(numbers) + gaps, "gaps": gaps, "min": float(numbers.min()),
            "quartiles": np.percentile(numbers, [25, 50, 75]).tolist(), "max": float(numbers.max()),
            "mean": float(numbers.mean()), "std": float(numbers.std()), "skew": 0.4, "zeros": int((numbers == 0).sum()),
            "histogram": {"edges": edges.tolist(), "counts": counts.tolist()}}  # fmt: skip


HOUSES_PLAN = """\
predict: [median_house_value]
size: medium                      # one dial: sets what is not given below
inputs:
  numbers: {kind: number, columns: [longitude, latitude, total_rooms]}
  categories: {kind: category, columns: [ocean_proximity]}
# dense layers for a table of 16,512 training rows
hidden: {name: residual, width: 256, depth: 3}
outputs:
  median_house_value: {kind: number, column: median_house_value, loss: huber}
training: {optimizer: adamw, learning_rate: find, batch_size: 256, schedule: cosine}
"""


def houses(path: Path) -> Path:
    """A table with a number to predict: every section of a regression."""
    noise = np.random.default_rng(1)
    key = "median_house_value"
    prices = noise.lognormal(12.1, 0.5, 16_512).clip(15_000, 500_001)
    truth = prices[:500]
    numbers = {
        "longitude": noise.normal(-119.6, 2, 16_512), "latitude": noise.normal(35.6, 2.1, 16_512),
        "housing_median_age": noise.integers(1, 53, 16_512), "total_rooms": noise.lognormal(7.6, 0.8, 16_512),
        "total_bedrooms": noise.lognormal(6, 0.7, 16_305), "median_income": noise.gamma(4, 1, 16_512),
    }  # fmt: skip
    columns = [
        column(name, "number", f"{min(len(set(cells)), 9999):,} different numbers", distinct=len(set(cells)),
               gaps=207 if name == "total_bedrooms" else 0)
        for name, cells in numbers.items()
    ]  # fmt: skip
    columns += [
        column("ocean_proximity", "category", "5 different texts, each on 5 rows or more", distinct=5),
        column("listed", "moment", "dates as 2024-01-31", distinct=811),
        column("remark", "text", "mostly several words, nearly all different", distinct=19_820, confidence=0.71),
        column("id", "number", "a number of its own for every row", "ignore", distinct=20_640),
        column(key, "number", "3,842 different numbers from 14,999 to 500,001", "target", distinct=3842),
    ]
    profile: dict[str, Any] = {name: looks(np.asarray(cells, dtype=float)) for name, cells in numbers.items()}
    profile[key] = looks(prices)
    profile["ocean_proximity"] = {"kind": "category", "rows": 16_512, "gaps": 0, "distinct": 5, "top": [
        ["<1H OCEAN", 7309], ["INLAND", 5241], ["NEAR OCEAN", 2126], ["NEAR BAY", 1832], ["ISLAND", 4]]}  # fmt: skip
    profile["listed"] = {"kind": "moment", "rows": 16_512, "gaps": 0,
                         "min": "2022-01-01T00:00:00", "max": "2024-03-22T00:00:00"}  # fmt: skip
    profile["remark"] = {"kind": "text", "rows": 16_512, "gaps": 31, "words": {"mean": 14.83, "p95": 40.0, "max": 77},
                         "letters": {"mean": 88.2, "p95": 200.0, "max": 410}}  # fmt: skip
    errors = noise.normal(0, 42_000, 500)
    cells = {"longitude": "-122.41", "latitude": "37.78", "housing_median_age": "52", "total_rooms": "3,842",
             "median_income": "1.17", "ocean_proximity": "NEAR BAY", "remark": "Close to the station, needs some love",
             "listed": "2023-06-01"}  # fmt: skip
    return write_run(
        path, HOUSES_PLAN,
        state=state(
            [("inputs.numbers", "number", "vector of 168", 4_320), ("inputs.categories", "category", "vector of 8", 48),
             ("join", "concatenate", "vector of 176", 0), ("hidden", "residual", "vector of 256", 440_576),
             (f"outputs.{key}", "number", "1 number", 257)],
            {"size": "the middle of three", "hidden": "dense layers for a table of 16,512 training rows",
             "hidden.width": "by the number of rows and columns",
             f"outputs.{key}.loss": "965 targets are far out: huber bears them",
             "training.batch_size": "about a sixtieth of the 16,512 training rows, from 32 to 1,024"}),
        history=history(f"{key}.rmse", 98_000, 45_870),
        data={
            "sources": ["housing.csv"], "rows": 20_640, "notes": ["The first row holds the names of columns."],
            "columns": columns, "targets": [key],
            "split": {"how": "random", "reason": "rows have no order that matters", "train": 16_512, "valid": 2_064,
                      "test": 2_062, "fingerprint": "9f2c"},
            "findings": [
                {"level": "warning", "column": key,
                 "text": f"965 cells of {key} are exactly 500,001: they look capped.",
                 "remedy": "Leave those rows out, or read answers near 500,001 as `at least`."},
                {"level": "note", "column": "total_bedrooms", "text": "207 gaps, told from values.", "remedy": ""},
            ],
            "problems": {"rows": 1, "cells": 1, "first": [
                {"where": "housing.csv, line 318", "reason": "9 cells instead of 10"},
                {"where": "housing.csv, line 9021", "column": "rooms", "cell": "12 <b>", "reason": "not a number"},
            ]},
            "profile": profile,
        },
        evaluation={
            "rows": 2_062, "on": "On 2,062 rows that were set aside before training and looked at once.",
            "decides": f"{key}.rmse",
            "metrics": {key: {"rmse": measured(45_870.2, 1_600), "mae": measured(30_120.9, 800),
                              "r2": measured(0.8412, 0.012), "rmsle": measured(0.2204, 0.006)}},
            "baselines": {
                "boosted trees": {key: {"rmse": measured(47_080.0, 1_700), "mae": measured(31_400.0, 850),
                                        "r2": measured(0.8311, 0.013), "rmsle": measured(0.2151, 0.006)}},
                "linear": {key: {"rmse": measured(68_400.0, 2_100), "mae": measured(49_800.0, 1_100)}},
                "always the mean": {key: {"rmse": measured(114_600.0, 2_600), "r2": measured(-0.0003)}},
            },
            "verdict": "The network is better than the trees by 1,210 (100 to 2,300): more than chance. Use it.",
            "scatter": {key: [[float(one), float(one + error)] for one, error in zip(truth, errors, strict=True)]},
            "coverage": {key: {"stated": 0.9, "found": 0.913}},
            "worst": {key: [
                {"where": f"housing.csv, line {18 + 97 * place}", "truth": f"{500_001 - 900 * place:,}",
                 "answer": f"{161_200 + 3_000 * place:,}", "confidence": None, "cells": cells} for place in range(14)
            ]},
            "timing": {"rows_per_second": 212_400.3, "one_row_ms": 0.41}, "machine": MACHINE,
        },
    )  # fmt: skip


def picture(digit: int) -> str:
    """A small picture as a data URI."""
    pixels = np.random.default_rng(digit).integers(0, 90, (28, 28), dtype=np.uint8)
    pixels[5:23, 8 + digit % 5 : 12 + digit % 5] = 250
    pixels[5 + digit : 9 + digit, 8:20] = 230
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return "data:image/png;base64," + base64.b64encode(file.getvalue()).decode()


def pictures(path: Path, classes: list[str] | None = None) -> Path:
    """Pictures of several classes: every section of a classification."""
    names = classes or ["top", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "boot"]
    noise = np.random.default_rng(2)
    count = len(names)
    mistaken = noise.poisson(6, (count, count)) * (noise.random((count, count)) < 0.5)
    counts = mistaken + np.diag(noise.integers(70, 100, count) * 8)
    found, there, answered = counts.diagonal(), counts.sum(1), counts.sum(0)
    per_class = [
        {"class": name, "rows": int(there[place]), "precision": found[place] / answered[place],
         "recall": found[place] / there[place], "f1": 2 * found[place] / (there[place] + answered[place])}
        for place, name in enumerate(names)
    ]  # fmt: skip
    rows = int(counts.sum())
    worst = [{"where": f"photos/{names[place % count]}/{4000 + 7 * place}.png", "truth": names[place % count],
              "answer": names[(place + 2) % count], "confidence": 0.998 - 0.01 * place, "cells": {},
              "pictures": [picture(place % 10)]}
             for place in range(16)]  # fmt: skip
    return write_run(
        path, "predict: [class]\ninputs:\n  image: {kind: image, side: 28}\nhidden: {name: convnet}\noutputs: {}\n",
        state=state([("inputs.image", "image", "grid of 1 x 28 x 28", 0),
                     ("hidden", "convnet", "vector of 256", 1_204_992),
                     ("outputs.class", "category", f"{count} classes", 257 * count)],
                    {"inputs.image.side": "the pictures' own size", "hidden": "convolutions, the layers for pictures"}),
        history=history("class.accuracy", 0.62, 0.9312),
        data={
            "sources": ["photos"], "rows": 70_000,
            "columns": [column("image", "image", "files that are pictures"),
                        column("class", "category", "the folders' names", "target", distinct=count)],
            "targets": ["class"],
            "split": {"how": "given", "reason": "folders are called train and test",
                      "train": 54_000, "valid": 6_000, "test": 10_000},
            "findings": [], "profile": {"image": {"kind": "image", "rows": 54_000, "gaps": 0},
                                        "class": {"kind": "category", "rows": 54_000, "gaps": 0, "distinct": count,
                                                  "top": [[name, 54_000 // count] for name in names[:20]]}},
        },
        evaluation={
            "rows": rows, "on": f"On {rows:,} pictures that were set aside by their folder's name, test.",
            "decides": "class.accuracy",
            "metrics": {"class": {"accuracy": measured(0.9304, 0.005), "macro_f1": measured(0.9301, 0.005),
                                  "auc": measured(0.9961, 0.0005), "log_loss": measured(0.1987, 0.01)}},
            "baselines": {
                "logistic regression": {"class": {"accuracy": measured(0.8441, 0.007), "log_loss": measured(0.44)}},
                "always the most frequent": {"class": {"accuracy": measured(0.1, 0.004), "macro_f1": measured(0.0181)}},
            },
            "verdict": "The network is right on 93 % of pictures it has never seen. It is better than logistic "
                       "regression by 8.6 points (7.9 to 9.4): more than chance. Use the network.",
            "confusion": {"class": {"classes": names, "counts": counts.tolist()}},
            "per_class": {"class": per_class},
            "calibration": {"class": [{"confidence": 0.05 + 0.1 * place, "accuracy": 0.02 + 0.105 * place,
                                       "rows": 30 + 12 * 2**place} for place in range(10)]},
            "worst": {"class": worst},
            "timing": {"rows_per_second": 1_810.0, "one_row_ms": 3.2}, "machine": MACHINE | {"gpu": "NVIDIA H100"},
        },
    )  # fmt: skip


def least(path: Path) -> Path:
    """Only what every run has."""
    return write_run(path, "predict: [price]\n", state={"request": {}, "decisions": {}})
