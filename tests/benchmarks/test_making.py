"""The benchmark of made pictures: its goals, its figures, and one row from end to end on photos made for the test."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from benchmarks.making.__main__ import measure
from benchmarks.making.rows import ROWS, Goal, Row, figures
from benchmarks.making.steps import compare


@pytest.mark.parametrize("goal, value, reached", [
    (Goal(0.95, 0.99), 0.99, "aim"),
    (Goal(0.95, 0.99), 0.96, "at least"),
    (Goal(0.95, 0.99), 0.94, "no"),
    (Goal(10, 4, larger_is_better=False), 3.0, "aim"),
    (Goal(10, 4, larger_is_better=False), 10.0, "at least"),
    (Goal(10, 4, larger_is_better=False), 11.0, "no"),
])  # fmt: skip
def test_a_goal_is_reached_from_its_own_side(goal: Goal, value: float, reached: str) -> None:
    assert goal.reached(value) == reached


def test_the_distance_counts_in_those_of_real_pictures() -> None:
    def figure(value: float) -> dict[str, dict[str, float]]:
        return {"frechet": {"value": value, "low": value, "high": value}}

    evaluation = {
        "metrics": {"image": figure(12.0)},
        "baselines": {"real training pictures": {"image": figure(3.0)}, "noise": {"image": figure(99.0)}},
    }
    assert figures(evaluation) == {"frechet": 12.0, "frechet_over_real": 4.0}


def test_every_row_has_goals_that_its_task_measures() -> None:
    for row in ROWS.values():
        known = {"generate": {"recognised", "frechet_over_real"}, "rows": {"learned_from", "told_apart"},
                 "enlarge": {"psnr"}}[row.task]  # fmt: skip
        assert set(row.goals) == known and (row.scale is not None) == (row.task == "enlarge")


def test_a_row_is_trained_judged_and_kept_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for part, count in (("train", 14), ("test", 3)):
        (tmp_path / "data" / part).mkdir(parents=True)
        for number in range(count):
            pixels = np.random.default_rng(number).integers(0, 256, (24, 30, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(tmp_path / "data" / part / f"{number}.png")
    row = Row("noise_x2", "data", ("train",), ("test",), "enlarge", "6s", {"psnr": Goal(1.0, 99.0)}, scale=2)
    for _ in range(2):
        measure(row, tmp_path / "data", row.time, True, tmp_path / "results", tmp_path / "work")
    (path,) = (tmp_path / "results").glob("*.json")
    kept = json.loads(path.read_text())
    assert kept["goals"]["psnr"]["reached"] == "at least" and set(kept["figures"]) == {"psnr", "ssim"}
    first, second = capsys.readouterr().out.strip().splitlines()
    assert "(at least)" in first and "has a result" in second


def test_steps_are_compared_in_turns() -> None:
    found = compare(seconds=0.01, repeats=2)
    rates = found["steps_a_second"]
    assert set(rates) == {"lamina", "lamina, contiguous", "by hand", "by hand, penalties each step"}
    assert found["over_by_hand"] == pytest.approx(rates[found["layout"]] / rates["by hand"], rel=0.05)
    assert 0 < found["share_of_the_floor"] < 2 and all(low <= high for low, high in found["spread"].values())
