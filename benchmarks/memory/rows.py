"""What is measured: photographs and a table, small, large, and large once more with nothing of it in the page cache."""

import json
import os
import statistics
import sys
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.memory.data import forget, photos, table
from benchmarks.memory.watch import watched

STEPS, LOOK, BATCH_SIZE = 240, 40, 128
"""Updates of a training, those between two looks at the clock, and pictures of each."""
LEARNED_ROWS = 20_000
"""Rows of the table that a run learns from before it answers a large one."""


class Size(NamedTuple):
    """How many photographs, or rows of a table."""

    small: int
    large: int


SIZES = {"photos": Size(7_000, 70_000), "rows": Size(4_000_000, 80_000_000)}
"""The large ones weigh 10 GB each."""
QUICK = {"photos": Size(120, 240), "rows": Size(20_000, 40_000)}

Figures = dict[str, Any]


def measure(row: str, size: Size, work: Path) -> dict[str, Figures]:
    """The figures of a row by case: `small`, `large` and `large, cold`.

    Args:
        row: `photos`: `lamina train` and `lamina predict` on a folder; `rows`: `lamina predict` on a CSV file.
        size: of both cases.
        work: for data, runs and answers.
    """
    case = {"photos": _photos, "rows": _rows}[row]
    found = {}
    for name, count in (("small", size.small), ("large", size.large), ("large, cold", size.large)):
        found[name] = case(work / row, count, name.endswith("cold"))
        print(f"{row:8} {name:12} {json.dumps(found[name])}", flush=True)
    return found


def _photos(work: Path, count: int, cold: bool) -> Figures:
    data, run = work / f"data-{count}", work / f"run-{count}{'-cold' * cold}"
    weight = photos(data, count) if not data.exists() else _weight(data)
    environment = _environment(work / f"cache-{count}{'-cold' * cold}")
    if cold:
        forget(data)
    settings = {
        "training.ensemble": 1, "training.steps": STEPS, "training.judge_every": LOOK,
        "training.batch_size": BATCH_SIZE, "split.valid": 0.005, "split.test": 0.005, "inputs.image.mirror": False,
    }  # fmt: skip
    told = [part for name, value in settings.items() for part in ("--set", f"{name}={json.dumps(value)}")]
    learned = watched(_lamina("train", data, "--out", run, *told), environment)
    state = json.loads((run / "state.json").read_text())
    looks = [json.loads(line) for line in (run / "history.jsonl").read_text().splitlines()]
    spent = statistics.median(after["seconds"] - before["seconds"] for before, after in pairwise(looks))
    if cold:
        forget(data)
    train = {
        "private_mib": round(learned.private_mib), "seconds": round(learned.seconds, 1),
        "prepared_a_second": round(count / state["timing"]["prepare"]),
        "learned_a_second": round(LOOK * BATCH_SIZE / spent),
        "way": {name: state["decisions"][name] for name in ("precision", "layout", "threads")},
    }  # fmt: skip
    return {"count": count, "bytes": weight, "train": train, "predict": _answers(run, data, count, work, environment)}


def _rows(work: Path, count: int, cold: bool) -> Figures:
    data, run, known = work / f"data-{count}.csv", work / "run", work / "known.csv"
    weight = table(data, count) if not data.exists() else data.stat().st_size
    environment = _environment(work / "cache")
    if not run.exists():
        table(known, LEARNED_ROWS)
        settings = ["--set", "training.ensemble=1", "--set", f"training.steps={STEPS}", "--set", "hidden.name=mlp"]
        watched(_lamina("train", known, "--predict", "answer", "--out", run, *settings), environment)
    if cold:
        forget(data)
    return {"count": count, "bytes": weight, "predict": _answers(run, data, count, work, environment)}


def _answers(run: Path, data: Path, count: int, work: Path, environment: Mapping[str, str]) -> Figures:
    """What `lamina predict` takes for all of it, less the time that it takes for one row."""
    if data.is_dir():
        one = next(path for path in sorted(data.rglob("*.jpg")))
    else:
        one = work / "one.csv"
        with data.open() as file:
            one.write_text(file.readline() + file.readline())
    answers = work / "answers.csv"
    start = watched(_lamina("predict", run, one, "--out", answers), environment).seconds
    answers.unlink()
    all_of_it = watched(_lamina("predict", run, data, "--out", answers), environment)
    with answers.open("rb") as file:
        given = sum(1 for line in file) - 1
    answers.unlink()
    if given != count:
        raise RuntimeError(f"{given:,} answers came for {count:,} rows of {data}")
    return {
        "private_mib": round(all_of_it.private_mib), "seconds": round(all_of_it.seconds, 1),
        "answered_a_second": round(count / max(all_of_it.seconds - start, 1e-3)),
    }  # fmt: skip


def _lamina(*words: object) -> list[str]:
    return [sys.executable, "-m", "lamina", *map(str, words)]


def _environment(cache: Path) -> dict[str, str]:
    return {**os.environ, "LAMINA_CACHE": str(cache)}


def _weight(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*.jpg"))
