"""What is measured: photographs and a table, small, large, and large once more with nothing of it in the page cache."""

import json
import os
import statistics
import sys
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.memory.data import forget, photos, table
from benchmarks.memory.watch import watched

STEPS, LOOK, BATCH_SIZE = 240, 40, 128
"""Updates of a training, those between two looks at the clock, and pictures of each."""
ROW_STEPS, ROW_LOOK, ROW_BATCH_SIZE = 4_000, 800, 256
"""The same for rows of a table, of which a step takes a hundredth of the time."""


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
        row: `lamina train` and `lamina predict` on `photos`: a folder, or on `rows`: a CSV file.
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
    data = work / f"data-{count}"
    weight = photos(data, count) if not data.exists() else _weight(data)
    settings = {"training.steps": STEPS, "training.judge_every": LOOK, "training.batch_size": BATCH_SIZE,
                "inputs.image.mirror": False}  # fmt: skip
    return _case(work, data, count, weight, cold, settings, [])


def _rows(work: Path, count: int, cold: bool) -> Figures:
    data = work / f"data-{count}.csv"
    weight = table(data, count) if not data.exists() else data.stat().st_size
    settings = {"training.steps": ROW_STEPS, "training.judge_every": ROW_LOOK, "training.batch_size": ROW_BATCH_SIZE,
                "hidden.name": "mlp"}  # fmt: skip
    return _case(work, data, count, weight, cold, settings, ["--predict", "answer"])


def _case(work: Path, data: Path, count: int, weight: int, cold: bool, settings: Mapping[str, Any],
          words: Sequence[str]) -> Figures:  # fmt: skip
    """What `lamina train` and then `lamina predict` take for the same data."""
    run = work / f"run-{count}{'-cold' * cold}"
    environment = _environment(work / f"cache-{count}{'-cold' * cold}")
    if cold:
        forget(data)
    settings = {"training.ensemble": 1, "split.valid": 0.005, "split.test": 0.005, **settings}
    told = [part for name, value in settings.items() for part in ("--set", f"{name}={json.dumps(value)}")]
    learned = watched(_lamina("train", data, *words, "--out", run, *told), environment)
    state = json.loads((run / "state.json").read_text())
    looks = [json.loads(line) for line in (run / "history.jsonl").read_text().splitlines()]
    spent = statistics.median(after["seconds"] - before["seconds"] for before, after in pairwise(looks))
    if cold:
        forget(data)
    train = {
        "private_mib": round(learned.private_mib), "seconds": round(learned.seconds, 1),
        "prepared_a_second": round(count / (state["timing"]["read"] + state["timing"]["prepare"])),
        "learned_a_second": round(settings["training.judge_every"] * settings["training.batch_size"] / spent),
        "way": {name: state["decisions"][name] for name in ("precision", "layout", "threads")},
    }  # fmt: skip
    return {"count": count, "bytes": weight, "train": train, "predict": _answers(run, data, count, work, environment)}


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
