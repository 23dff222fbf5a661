from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

import lamina
from lamina.api import make_to
from lamina.api.lines import result_lines
from lamina.ground import DataError, PlanError, UsageError


def people(rows: int = 1200, seed: int = 0) -> pl.DataFrame:
    """Age and work decide pay, and pay decides whether a loan is given."""
    random = np.random.default_rng(seed)
    age = random.integers(18, 70, rows)
    work = np.array(["none", "shop", "office"])[(random.random(rows) * 2 + age / 70).astype(int).clip(0, 2)]
    pay = np.round(200 * age * (1 + 0.5 * (work == "office")) * random.lognormal(0, 0.1, rows), 2)
    pay = np.where(work == "none", 0.0, pay)
    loan = np.where(pay + random.normal(0, 500, rows) > 8000, "yes", "no")
    savings = pl.Series(pay * random.random(rows)).set(pl.Series(np.arange(rows) % 12 == 5), None)
    return pl.DataFrame({"age": age, "work": work, "pay": pay, "savings": savings, "loan": loan})


def quick(**more: Any) -> dict[str, Any]:
    return {"training.steps": 40, "training.judge_every": 20, "training.batch_size": 64, "hidden.width": 32,
            "players.critic.width": 32} | more  # fmt: skip


def train(data: object, out: Path, **more: Any) -> lamina.Run:
    return lamina.train(data, task="generate", set=more.pop("set", quick()), out=out, quiet=True, **more)


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("table") / "people.csv"
    people().write_csv(path)
    return path


@pytest.fixture(scope="module")
def run(table: Path, tmp_path_factory: pytest.TempPathFactory) -> lamina.Run:
    return train(table, tmp_path_factory.mktemp("run") / "run")


def test_a_table_without_pictures_is_made_row_by_row(run: lamina.Run) -> None:
    made, given = run.make_rows(300, seed=3), people()
    assert made.columns == given.columns and made.height == 300
    assert made["age"].dtype == pl.Int64 and made["age"].is_between(18, 69).all()
    assert set(made["work"]) <= {"none", "shop", "office"} and set(made["loan"]) <= {"yes", "no"}
    assert made["age"].null_count() == 0 and (made["pay"].round(2) == made["pay"]).all()
    assert made.equals(run.make_rows(400, seed=3).head(300)) and not made.equals(run.make_rows(300))
    assert lamina.load(run.path).make_rows(300, seed=3).equals(made)


def test_made_rows_stand_beside_real_ones_and_columns_by_themselves(run: lamina.Run) -> None:
    found = run.evaluation
    assert list(found["metrics"]) == ["rows"] and found["decides"] == "rows.frechet", (
        "no column of them heads the figures"
    )
    assert result_lines(found, run.plan, run.path)[0][1].startswith("rows: Fréchet distance ")
    figures = found["metrics"]["rows"]
    others = {who: next(iter(each.values())) for who, each in found["baselines"].items()}
    assert set(others) == {"real training rows", "each column by itself"}
    assert set(figures) == {"frechet", "learned_from", "told_apart", "worst_column"}
    real, alone = ({key: figure["value"] for key, figure in each.items()} for each in others.values())
    assert real["learned_from"] > 0.9 > alone["learned_from"] + 0.1
    assert abs(real["told_apart"] - 0.5) < 0.1 and alone["told_apart"] > 0.8
    assert real["frechet"] < alone["frechet"] and max(real["worst_column"], alone["worst_column"]) < 0.12
    assert "What learned loan from made rows reaches" in run.verdict and "training rows are copied" in run.verdict
    page = (run.path / "report.html").read_text()
    assert "--count 1000 --out made.csv" in page and "Making rows like those of people.csv" in page


def test_other_rows_are_compared_too(run: lamina.Run) -> None:
    found = run.evaluate(people(400, seed=1))
    assert found["rows"] == 200 and "the other half passes for training rows" in found["notes"][-1]
    with pytest.raises(DataError, match="at least 20"):
        run.evaluate(people(12))


def test_enough_steps_learn_how_columns_hang_together(table: Path, tmp_path: Path) -> None:
    wanted = quick(**{"training.steps": 500, "training.judge_every": 250})
    found = train(table, tmp_path / "run", set=wanted).evaluation
    (figures,), alone = found["metrics"].values(), next(iter(found["baselines"]["each column by itself"].values()))
    assert figures["frechet"]["value"] < 0.7 * alone["frechet"]["value"]
    assert figures["learned_from"]["value"] > alone["learned_from"]["value"] + 0.05


def test_rows_are_written_as_tables(run: lamina.Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("made.csv", "made.parquet"):
        make_to(str(run.path), 25, None, 0, None, str(tmp_path / name))
    assert pl.read_csv(tmp_path / "made.csv").height == pl.read_parquet(tmp_path / "made.parquet").height == 25
    make_to(str(run.path), 2, None, 0, None, None)
    assert len(capsys.readouterr().out.strip().splitlines()) == 3
    for asked, out in (("yes", "made.csv"), (None, "made.png")):
        with pytest.raises(UsageError, match="rows are (made|written)"):
            make_to(str(run.path), 2, asked, 0, None, str(tmp_path / out))


def test_what_makes_no_sense_of_rows_is_refused(run: lamina.Run, table: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="makes rows and answers none"):
        run.predict(table)
    with pytest.raises(UsageError, match="makes no pictures"):
        run.generate(3)
    with pytest.raises(PlanError, match="at least 1 row"):
        run.make_rows(0)
    pl.DataFrame({"text": [f"a sentence of many words, number {row}, and {row * row} more" for row in range(90)]}
                 ).write_csv(tmp_path / "texts.csv")  # fmt: skip
    with pytest.raises(PlanError, match="Rows are made of numbers and categories"):
        train(tmp_path / "texts.csv", tmp_path / "texts", set={"columns.text.kind": "text"})
    people(30).write_csv(tmp_path / "few.csv")
    with pytest.raises(DataError, match="rows are left to learn from"):
        train(tmp_path / "few.csv", tmp_path / "few")


def test_a_plan_of_such_a_training_is_printed_and_taken_back(table: Path, tmp_path: Path) -> None:
    printed = lamina.make_plan(table, task="generate", set=quick(**{"training.steps": 3}))
    (tmp_path / "plan.yaml").write_text(printed.yaml)
    made = lamina.train(table, plan=tmp_path / "plan.yaml", out=tmp_path / "run", quiet=True)
    assert made.make_rows(4).height == 4
