"""A large text that is learned from as it is read: what is learned, what is left out, and what is said of it."""

import json
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import pytest

import lamina
from lamina.data import Split
from lamina.ground import DataError
from lamina.network import Plan
from lamina.run import Study, look, prepare

ROWS = 6_000
QUICK = {"training.steps": 30, "training.ensemble": 1, "hidden.name": "mlp", "hidden.width": 8, "hidden.num_layers": 1}


@pytest.fixture(autouse=True)
def small_sizes(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Every text counts as large, and some 2,500 rows of it are drawn."""
    monkeypatch.setattr("lamina.data.slicing.LARGE", 0)
    monkeypatch.setattr("lamina.data.delimited.STRETCH", 8_000)
    monkeypatch.setattr("lamina.data._records.PIECE", 4_000)
    monkeypatch.setattr("lamina.data.drawn.DRAWN_BYTES", 1)
    monkeypatch.setattr("lamina.data.drawn.FEWEST_ROWS", 2_500)
    monkeypatch.setattr("lamina.run.more.PIECE_ROWS", 500)
    monkeypatch.setenv("LAMINA_CACHE", str(tmp_path / "cache"))


def write(path: Path, harm: Mapping[int, str] = MappingProxyType({}), extra: str = "", repeats: int = 1) -> Path:
    """Sizes and colours with an answer that follows from both; some lines otherwise than they would be."""
    random = np.random.default_rng(0)
    sizes, colours = random.normal(size=ROWS).round(9), random.choice(["red", "green", "blue"], ROWS)
    answers = np.where((sizes > 0) ^ (colours == "red"), "yes", "no")
    lines = [f"{size},{colour},{answer}{extra and f',{row % 40}'}"
             for row, (size, colour, answer) in enumerate(zip(sizes, colours, answers, strict=True))]  # fmt: skip
    lines = [harm.get(row, lines[row % (ROWS // repeats)]) for row in range(ROWS)]
    path.write_text(f"size,colour,answer{extra and ',' + extra}\n" + "\n".join(lines) + "\n")
    return path


def seen(path: Path, **given: Any) -> Study:
    return look([path], [], ["answer"], given, 0)


def drawn(path: Path) -> set[int]:
    """Rows of the file that are looked at."""
    rest = seen(path).rest
    assert rest is not None
    return set(rest.drawn.tolist())


def train(path: Path, folder: Path, **more: Any) -> lamina.Run:
    return lamina.train(path, predict="answer", set=QUICK | more, out=folder, quiet=True)


def texts(run: lamina.Run) -> str:
    return " / ".join(finding["text"] for finding in run.folder.read("data.json")["findings"])


def test_all_rows_are_learned_from_but_those_that_are_held_out(tmp_path: Path) -> None:
    run = train(write(tmp_path / "a.csv"), tmp_path / "run")
    said = run.folder.read("data.json")
    assert said["rows"] == ROWS and said["held"]["rest"]
    split = said["split"]
    assert split["train"] + split["valid"] + split["test"] == ROWS
    assert split["valid"] + split["test"] < 1_000
    assert "2,500 rows, drawn from all" in texts(run) and "3,500 are learned from as they are read" in texts(run)
    assert run.evaluation["metrics"]["answer"]["accuracy"]["value"] > 0.4
    assert set(lamina.load(run.path).evaluate(tmp_path / "a.csv")["baselines"]) == set(run.evaluation["baselines"])


def test_the_rest_is_prepared_as_the_drawn_rows_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path / "a.csv")
    study = seen(path)
    plan = plan_of(study)
    found = prepare(plan, study.table, study.columns, study.split, lambda *told: None, study.rest)
    assert found.more == range(2_500, ROWS)
    assert study.rest is not None
    order = [*study.rest.drawn.tolist(), *np.setdiff1d(np.arange(ROWS), study.rest.drawn).tolist()]
    monkeypatch.setattr("lamina.data.slicing.LARGE", 1 << 30)
    whole = seen(path)
    assert whole.rest is None and len(whole.table) == ROWS
    rows = np.searchsorted(order, np.arange(0))  # none: facts must be those of the drawn rows
    split = Split(np.array(order)[study.split.train], rows, rows, "given", "as drawn")
    alike = prepare(plan, whole.table, whole.columns, split, lambda *told: None)
    for name, block in found.blocks.items():
        assert np.array_equal(block.values, alike.blocks[name].values[order]), name
    again = prepare(plan, study.table, study.columns, study.split, lambda *told: pytest.fail("prepared"), study.rest)
    assert {name: block.folder for name, block in again.blocks.items()} == {
        name: block.folder for name, block in found.blocks.items()
    }


def plan_of(study: Study) -> Plan:
    from lamina.api.choice import choose
    from lamina.api.request import read_request

    return choose(study, read_request([], [], "answer", None, QUICK, None, None, None))


def test_rows_without_an_answer_and_classes_never_met_are_left_out_and_told_of(tmp_path: Path) -> None:
    there = drawn(write(tmp_path / "a.csv"))
    first, second, third = [row for row in range(ROWS) if row not in there][100:103]
    write(tmp_path / "a.csv", {first: "1.5,red,", second: "1.5,red,perhaps", third: ",violet,yes"})
    run = train(tmp_path / "a.csv", tmp_path / "run")
    assert run.folder.read("data.json")["split"]["train"] + 2 == ROWS - sum(
        run.folder.read("data.json")["split"][part] for part in ("valid", "test")
    )
    assert "1 of the rows that are only learned from have no answer and are left out" in texts(run)
    assert f"1 of the rows that are only learned from are left out; the first: a.csv, line {second + 2}" in texts(run)


def test_any_number_of_rows_may_be_without_an_answer(tmp_path: Path) -> None:
    write(tmp_path / "a.csv", dict.fromkeys(range(0, ROWS, 3), "1.5,red,"))
    split = train(tmp_path / "a.csv", tmp_path / "run").folder.read("data.json")["split"]
    assert split["train"] + split["valid"] + split["test"] == ROWS - ROWS // 3


def test_too_many_cells_that_cannot_be_used_stop_it(tmp_path: Path) -> None:
    there = drawn(write(tmp_path / "a.csv"))
    bad = [row for row in range(ROWS) if row not in there][::2]
    write(tmp_path / "a.csv", dict.fromkeys(bad, "large,red,yes"))
    with pytest.raises(DataError, match=r"More than 5% of the cells of column 'size'.*a\.csv, line \d+: 'large'"):
        train(tmp_path / "a.csv", tmp_path / "run")
    assert not list((tmp_path / "cache" / "store").glob("*")), "what was begun goes"
    train(tmp_path / "a.csv", tmp_path / "run", **{"checks.unusable": 1})


def test_rows_that_equal_held_out_ones_are_counted(tmp_path: Path) -> None:
    run = train(write(tmp_path / "a.csv", repeats=60), tmp_path / "run")
    assert "rows that are learned from equal one of the" in texts(run)
    assert "rows that are learned from equal" not in texts(train(write(tmp_path / "b.csv"), tmp_path / "other"))


@pytest.mark.parametrize(
    "given, why",
    [
        ({"split": {"by": "group"}, "columns": {"team": {"role": "group"}}}, "they are divided by what they have in"),
        ({"split": {"by": "random"}, "columns": {"team": {"role": "weight"}}}, "a column says what each counts"),
    ],
)
def test_what_needs_all_rows_at_once_is_held_in_memory(tmp_path: Path, given: dict[str, Any], why: str) -> None:
    study = seen(write(tmp_path / "a.csv", extra="team"), **given)
    assert study.rest is None and len(study.table) == ROWS
    assert any(f"all rows are held in memory, for {why}" in finding.text for finding in study.findings)


def test_other_data_is_refused_when_the_training_goes_on(tmp_path: Path) -> None:
    path, there = write(tmp_path / "a.csv"), drawn(write(tmp_path / "a.csv"))
    run = train(path, tmp_path / "run")
    state = json.loads((run.path / "state.json").read_text())
    undrawn = next(row for row in range(ROWS) if row not in there)
    write(path, {undrawn: "9.75,red,yes"})
    found = lamina.load(run.path).evaluate(path)
    assert state["finished"] and any("has changed since" in note for note in found["notes"])
