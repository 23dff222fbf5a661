"""The benchmark of precision: a training computes in the way that is asked for; what is kept, and its page."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks.keeping import code_fingerprint, newest
from benchmarks.precision import __main__ as command
from benchmarks.precision.one import only, trained
from benchmarks.precision.page import page
from benchmarks.precision.rows import ROWS, WAYS, Compared
from benchmarks.quality.rows import Row, table
from lamina.training import precision

PEOPLE = Row("people", "accuracy", table("people.csv", "tall"), "tall")


@pytest.fixture
def people(tmp_path: Path) -> Path:
    """A table whose answer follows from a number."""
    heights = np.random.default_rng(0).normal(size=200).round(3)
    lines = ["height,tall", *(f"{height},{'yes' if height > 0.3 else 'no'}" for height in heights)]
    (tmp_path / "people").mkdir()
    (tmp_path / "people" / "people.csv").write_text("\n".join(lines))
    return tmp_path


@pytest.mark.parametrize("way", ["float32", "bfloat16"])
def test_a_training_computes_in_the_way_that_is_asked_for(
    way: str, people: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(precision, "possible_ways", precision.possible_ways)  # given back as it was
    only(WAYS[way])
    said = trained(Compared(PEOPLE, settings={"training.steps": 30, "training.ensemble": 1}), 0, people, people)
    assert said["decided"]["precision"] == way  # type: ignore[index]
    assert said["steps"] == 30
    assert said["figure"]["value"] > 0.7  # type: ignore[index]


def test_rows_learn_in_the_plain_way_and_in_others() -> None:
    for compared in ROWS.values():
        assert compared.ways[0] == "float32" and len(compared.ways) > 1
        assert set(compared.ways) <= set(WAYS)


def test_a_row_is_trained_in_turns_kept_once_and_shown(
    people: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked: list[tuple[str, int]] = []
    values = {"float32": 0.8, "bfloat16": 0.79, "winograd": 0.7}

    def one(name: str, way: str, seed: int, data: Path, folder: Path) -> dict[str, Any]:
        asked.append((way, seed))
        figure = {"value": values[way] + seed / 100, "low": 0.78, "high": 0.82}
        return {"figure": figure, "seconds": 2.0 if way == "float32" else 3.0, "steps": 9, "decided": {}}

    monkeypatch.setattr(command, "one", one)
    code = code_fingerprint()
    for _ in range(2):
        command.keep(Compared(PEOPLE, tuple(values)), people, code, people / "results", people / "work")
    assert asked == [(way, seed) for seed in (0, 1) for way in values]
    assert capsys.readouterr().out.splitlines()[-1].endswith("has a result for this code and data")
    kept = newest(people / "results", code)
    shown = page(kept, {"people": PEOPLE}, code).splitlines()
    small, large = (next(line for line in shown if f"| {way} |" in line) for way in ("bfloat16", "winograd"))
    assert "80.50 (78.00 to 82.00)" in small and "79.50" in small and small.endswith("| yes | 1.50 |")
    assert large.endswith("| **no** | 1.50 |")
    assert "older code" in page(kept, {"people": PEOPLE}, "4567") and "older code" not in "".join(shown)
