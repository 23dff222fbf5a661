"""Rows that belong to none of the classes: from the data to answers, figures and files."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from small import quick

import lamina
from lamina.ground import PlanError

ROWS = 400
SETTINGS = quick(steps=60, batch_size=64, learning_rate=0.01) | {"split.valid": 0.3}


def points(outside: str | None = "else") -> pl.DataFrame:
    """Points around two places, and some anywhere between them."""
    random = np.random.default_rng(0)
    side = random.choice(["left", "right", "else"], ROWS, p=[0.45, 0.45, 0.1])
    x = np.select([side == "left", side == "right"], [-2.0, 2.0], 0.0) + 0.3 * random.normal(size=ROWS)
    rows = pl.DataFrame({"x": x.round(3), "y": random.normal(size=ROWS).round(3), "side": side})
    return rows if outside else rows.filter(pl.col("side") != "else")


def test_rows_outside_are_learned_judged_and_answered_by_their_own_word(tmp_path: Path) -> None:
    settings = SETTINGS | {"outputs.side.outside": "else"}
    points().write_csv(tmp_path / "points.csv")
    run = lamina.train(tmp_path / "points.csv", predict="side", set=settings, out=tmp_path / "run", quiet=True)
    figures = run.evaluation["metrics"]["side"]
    assert figures["outside_recall"]["value"] > 0.8
    assert figures["in_scope_accuracy"]["value"] > 0.8
    assert figures["turned_away"]["value"] < 0.2
    again = lamina.load(tmp_path / "run")
    answers = again.predict(pl.DataFrame({"x": [-2.0, 0.0, 2.0], "y": [0.0, 0.0, 0.0]}))
    assert answers["side"].to_list() == ["left", "else", "right"]
    other = again.evaluate(tmp_path / "points.csv")
    assert other["metrics"]["side"]["outside_auc"]["value"] > 0.9
    assert {"outside_recall", "turned_away"} <= other["baselines"]["linear model"]["side"].keys()
    assert "else" in run.report().read_text()


def test_without_such_rows_a_share_is_turned_away(tmp_path: Path) -> None:
    settings = SETTINGS | {"outputs.side.none": 0.1}
    run = lamina.train(points(None), predict="side", set=settings, out=tmp_path / "run", quiet=True)
    figures = run.evaluation["metrics"]["side"]
    assert 0 <= figures["turned_away"]["value"] < 0.3
    assert "outside_recall" not in figures
    assert set(run.predict(points(None))["side"]) == {"left", "right", "none"}


def test_several_networks_turn_rows_away_together(tmp_path: Path) -> None:
    settings = SETTINGS | {"outputs.side.outside": "else", "training.ensemble": 3}
    run = lamina.train(points(), predict="side", set=settings, out=tmp_path / "run", quiet=True)
    assert run.evaluation["metrics"]["side"]["outside_recall"]["value"] > 0.8
    assert run.evaluation["metrics"]["side"]["turned_away"]["value"] < 0.3


def test_a_class_called_none_has_to_be_explained(tmp_path: Path) -> None:
    rows = points().with_columns(side=pl.col("side").replace("else", "none"))
    with pytest.raises(PlanError, match=r"outputs\.side\.outside=none"):
        lamina.train(rows, predict="side", set=SETTINGS | {"outputs.side.none": 0.1}, out=tmp_path / "run", quiet=True)
