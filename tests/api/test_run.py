import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pytest
import torch
from polars.testing import assert_frame_equal
from small import houses, quick, write_houses
from torch import nn

import lamina
from lamina.ground import Features, Shape, vector
from lamina.hidden import HiddenLayer


def new_rows() -> pl.DataFrame:
    return houses().select("rooms", "area", "zone").head(4)


@pytest.fixture(scope="module")
def run(trained: Path) -> lamina.Run:
    return lamina.load(trained)


def test_answers_come_in_order_with_their_confidence(run: lamina.Run) -> None:
    answers = run.predict(houses())
    assert answers.columns == ["price", "price_low", "price_high", "level", "level_confidence"]
    assert len(answers) == len(houses())
    backwards = run.predict(houses().reverse())
    assert np.allclose(answers["price"], backwards["price"].reverse(), atol=1e-5)
    assert run.predict(houses(), confidence=False).columns == ["price", "level"]


def test_whatever_holds_the_rows_gets_the_same_answers(run: lamina.Run, tmp_path: Path) -> None:
    rows = new_rows()
    rows.write_parquet(tmp_path / "new.parquet")
    rows.write_ndjson(tmp_path / "new.jsonl")
    expected = run.predict(rows)
    sources = [
        write_houses(tmp_path / "new.csv", rows), tmp_path / "new.parquet", tmp_path / "new.jsonl",
        rows.to_pandas(), rows.to_dict(as_series=False), {name: values.to_numpy() for name, values in rows.to_dict().items()},
    ]  # fmt: skip
    for source in sources:
        assert run.predict(source).equals(expected)
    # A product of matrices with one row may round otherwise than one with four.
    assert_frame_equal(run.predict(rows.row(0, named=True)), expected.head(1), rel_tol=1e-5)


@pytest.fixture(scope="module")
def of_numbers(tmp_path_factory: pytest.TempPathFactory) -> lamina.Run:
    """A run that reads nothing but numbers."""
    folder = tmp_path_factory.mktemp("runs") / "numbers"
    lamina.train(houses().drop("zone"), predict=["price", "level"], set=quick(), out=folder, quiet=True)
    return lamina.load(folder)


@pytest.mark.parametrize("area", [0.25, np.float64(0.25), np.float32(0.25), -1, 10**20, "0.25", "NA", None, np.nan])
def test_one_row_is_answered_like_a_table_of_that_row(area: object, of_numbers: lamina.Run) -> None:
    row = {"area": area, "rooms": 1.5, "colour": "red"}
    expected = of_numbers.predict({name: [cell] for name, cell in row.items()})
    assert of_numbers.predict(row).equals(expected)
    assert of_numbers.problems == []


@pytest.mark.parametrize("cell", [np.inf, True, "many"])
def test_one_row_is_refused_like_a_table_of_that_row(cell: object, of_numbers: lamina.Run) -> None:
    with pytest.raises(lamina.DataError, match="Column 'area' is a number, but 1 of 1 cells are not .*data, row 1"):
        of_numbers.predict({"area": cell, "rooms": 1.5})
    with pytest.raises(lamina.DataError, match="data has no column 'area'"):
        of_numbers.predict({"rooms": 1.5})


def test_columns_that_the_network_does_not_read_may_be_there_or_not(run: lamina.Run) -> None:
    more = new_rows().with_columns(colour=pl.lit("red"), price=pl.lit("unknown"))
    assert run.predict(more).equals(run.predict(new_rows()))


def test_what_was_never_seen_and_what_is_missing_is_answered_all_the_same(run: lamina.Run) -> None:
    rows = pl.DataFrame({"rooms": ["1", "", "1"], "area": ["2", "2", "NA"], "zone": ["north", "the moon", ""]})
    assert run.predict(rows)["price"].is_finite().all()


@pytest.mark.parametrize(
    "rows, problem",
    [
        ({"rooms": [1.0], "area": [2.0]}, "data has no column 'zone', which the network reads"),
        ({"rooms": [1.0], "area": [2.0], "Zone": ["x"]}, "Did you mean 'Zone'"),
        ({"colour": ["red"], "taste": ["sweet"]},
         "data has none of 'rooms', 'area', 'zone', .* it has 'colour', 'taste'. Is it the right table"),
        ({"rooms": ["many"], "area": ["2"], "zone": ["x"]},
         "Column 'rooms' is a number, but 1 of 1 cells are not .*data, row 1, 'many'.* Correct them; .* leave the cell empty"),
    ],
)  # fmt: skip
def test_another_table_is_refused_with_what_is_missing(rows: dict[str, list], problem: str, run: lamina.Run) -> None:
    with pytest.raises(lamina.DataError, match=problem):
        run.predict(rows)


def test_a_few_stray_cells_among_many_are_gaps_and_named(run: lamina.Run) -> None:
    rooms = houses()["rooms"].cast(pl.String).to_list()
    rooms[7] = "many"
    assert len(run.predict(houses().with_columns(rooms=pl.Series(rooms)))) == len(houses())
    assert run.problems == ["data, row 8, column 'rooms': 'many' is not a number"]


def test_a_long_table_is_answered_a_piece_at_a_time(run: lamina.Run) -> None:
    rows = pl.concat([new_rows()] * 10_000)
    pieces = list(run.predictions(rows))
    assert len(pieces) > 1
    assert sum(len(piece) for piece in pieces) == len(rows)
    assert pl.concat(pieces).equals(run.predict(rows))


def test_a_large_file_is_read_as_it_is_answered(
    run: lamina.Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = pl.concat([houses()] * 50).with_columns(pl.col("rooms").cast(pl.String))
    rooms = rows["rooms"].to_list()
    rooms[3] = rooms[-2] = "many"
    path = write_houses(tmp_path / "many.csv", rows.with_columns(rooms=pl.Series(rooms)))
    expected, problems = run.predict(path), run.problems
    assert problems == [f"many.csv, line {line}, column 'rooms': 'many' is not a number" for line in (5, len(rows))]
    monkeypatch.setattr("lamina.data.slicing.LARGE", 0)
    monkeypatch.setattr("lamina.data.delimited.STRETCH", path.stat().st_size // 4)
    monkeypatch.setattr("lamina.data._records.PIECE", 1_000)
    pieces = list(run.predictions(path))
    assert len(pieces) >= 4
    assert_frame_equal(pl.concat(pieces), expected, rel_tol=1e-5)
    assert run.problems == problems


def test_evaluating_gives_every_figure_with_its_interval(run: lamina.Run) -> None:
    found = run.evaluate(houses())
    assert found["rows"] == len(houses())
    for figures in found["metrics"].values():
        assert all(figure["low"] <= figure["value"] <= figure["high"] for figure in figures.values())
    assert run.evaluate()["rows"] == 24
    assert set(run.evaluate()) == {"rows", "decides", "metrics", "baselines", "verdict", "notes"}


CLASSICAL = {"linear model", "boosted trees"}
NAIVE = {"always the mean", "always the most frequent class"}


def test_new_rows_are_judged_beside_the_models_that_training_was_compared_with(run: lamina.Run) -> None:
    found = run.evaluate(houses())
    assert set(found["baselines"]) == CLASSICAL | NAIVE
    for name, by_column in found["baselines"].items():
        assert all(set(figures) == set(found["metrics"][column]) for column, figures in by_column.items()), name
    assert "on only" not in found["verdict"] and found["verdict"].startswith("price: The network")
    assert "level: The network" in found["verdict"] and found["notes"] == []


def test_models_learned_again_are_those_of_the_training(houses: Path, tmp_path: Path) -> None:
    frame = pl.read_csv(houses)
    test = write_houses(tmp_path / "test.csv", frame.tail(30))
    train = write_houses(tmp_path / "train.csv", frame.head(90))
    settings = {name: value for name, value in quick().items() if name != "split.test"}
    more = write_houses(tmp_path / "more.csv", frame.tail(50).head(20))
    run = lamina.train(train, predict="price", test=[test, more], set=settings, out=tmp_path / "run", quiet=True)
    assert run.evaluation["rows"] == 50
    again = run.evaluate(test, more)
    assert again["baselines"] == run.evaluate()["baselines"]
    assert again["verdict"] == run.evaluate()["verdict"]


@pytest.mark.parametrize(
    "harm, why",
    [
        (lambda data: data.unlink(), "houses.csv is not there any more"),
        (lambda data: data.write_text(data.read_text().replace("north", "east", 1)), "houses.csv has changed since"),
        (lambda data: data.write_text(""), "cannot be read any more"),
    ],
)
def test_without_the_training_data_only_the_naive_way_is_measured_and_it_is_said_why(
    harm: Callable[[Path], object], why: str, trained: Path, houses: Path, tmp_path: Path
) -> None:
    (tmp_path / "data").mkdir()
    shutil.copytree(trained, tmp_path / "runs" / "houses")
    data = Path(shutil.copy(houses, tmp_path / "data"))
    state = json.loads((trained / "state.json").read_text())
    assert not Path(state["places"][0]).is_absolute()  # seen from the run, so that both may move together
    state["places"] = ["../../data/houses.csv"]
    (tmp_path / "runs" / "houses" / "state.json").write_text(json.dumps(state))
    run = lamina.Run(tmp_path / "runs" / "houses")
    run.folder.write_manifest()
    assert set(run.evaluate(houses)["baselines"]) == CLASSICAL | NAIVE
    harm(data)
    found = lamina.load(run.path).evaluate(houses)
    assert set(found["baselines"]) == NAIVE
    (note,) = found["notes"]
    assert note.startswith("Only the naive way was measured") and why in note
    assert "No classical model was measured." in found["verdict"]


def test_data_in_memory_cannot_be_learned_from_again(tmp_path: Path) -> None:
    run = lamina.train(houses(), predict="price", set=quick(), out=tmp_path / "run", quiet=True)
    found = run.evaluate(houses())
    assert set(found["baselines"]) == {"always the mean"} and "lay in memory" in found["notes"][0]


@pytest.mark.parametrize(
    "rows, problem",
    [
        (houses().drop("price", "level"), "has none of 'price', 'level'"),
        (houses().with_columns(price=pl.lit(None)), "No row can be judged. The first, data, row 1: price is a gap"),
        (houses().head(0), "5 columns and 0 rows"),
    ],
)
def test_rows_that_cannot_be_judged_are_refused(rows: pl.DataFrame, problem: str, run: lamina.Run) -> None:
    with pytest.raises(lamina.DataError, match=problem):
        run.evaluate(rows)


def test_the_network_is_an_ordinary_module(run: lamina.Run) -> None:
    assert isinstance(run.network, nn.Module) and not run.network.training
    assert run.plan.predict == ("price", "level")
    assert run.verdict.startswith("price: The network")


# ---- damage -------------------------------------------------------------------------------------------------------------


def flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[-5] ^= 1
    path.write_bytes(data)


@pytest.mark.parametrize(
    "harm, problem",
    [
        (lambda run: flip(run / "network.safetensors"), "network.safetensors is not the file that was written"),
        (lambda run: (run / "golden.json").unlink(), "golden.json is missing"),
        (lambda run: (run / "plan.yaml").write_text("{}"), "plan.yaml is not the file that was written"),
        (lambda run: (run / "MANIFEST.json").write_text('{"a":'), "MANIFEST.json cannot be read"),
        (lambda run: (run / "MANIFEST.json").write_text("[1]"), "MANIFEST.json holds no names and values"),
        (lambda run: (run / "MANIFEST.json").unlink(), "no MANIFEST.json. Run the same `lamina train` again"),
        (lambda run: shutil.rmtree(run), "is not there. A run is the folder that `lamina train` names"),
    ],
)
def test_damage_is_found_on_loading_and_named(
    harm: Callable[[Path], object], problem: str, trained: Path, tmp_path: Path
) -> None:
    copied = Path(shutil.copytree(trained, tmp_path / "run"))
    harm(copied)
    with pytest.raises(lamina.RunError, match=problem):
        lamina.load(copied)


def test_what_is_no_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(lamina.RunError, match="It is not a run of Lamina"):
        lamina.load(tmp_path)
    with pytest.raises(lamina.RunError, match=r"houses.csv is a file. A run is the folder"):
        lamina.load(write_houses(tmp_path / "houses.csv"))


def test_a_report_that_is_written_anew_leaves_the_run_whole(trained: Path, tmp_path: Path) -> None:
    copied = lamina.load(shutil.copytree(trained, tmp_path / "run"))
    (copied.path / "report.html").unlink()
    assert copied.report().read_text().startswith("<!")
    assert lamina.load(copied.path).predict(new_rows()).height == 4


# ---- from Python --------------------------------------------------------------------------------------------------------


class Doubled(HiddenLayer):
    """Someone's own layers: one matrix, used twice."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.shape = Shape("vector", width)
        self.matrix = nn.LazyLinear(width)
        self.again = nn.Linear(width, width)

    def forward(self, features: Features) -> Features:
        return vector(torch.relu(self.again(torch.relu(self.matrix(features.values)))))


def own_layers() -> Doubled:
    torch.manual_seed(0)
    layers = Doubled(8)
    layers(vector(torch.zeros(1, 2)))  # a lazy layer learns its width from what reaches it: rooms and area
    return layers


def test_a_module_of_ones_own_stands_in_for_the_hidden_layers(tmp_path: Path) -> None:
    settings = {name: value for name, value in quick().items() if name != "hidden.width"}
    settings |= {"inputs.numbers.embedding": "none", "columns.zone.role": "ignore", "columns.level.role": "ignore"}
    run = lamina.train(houses(), predict="price", set=settings, hidden=own_layers(), out=tmp_path / "run", quiet=True)
    expected = run.predict(new_rows())
    with pytest.raises(lamina.RunError, match=r"hidden layers of one's own \(Doubled\).*hidden=module"):
        lamina.load(run.path)
    assert lamina.load(run.path, hidden=own_layers()).predict(new_rows()).equals(expected)


@pytest.mark.parametrize(
    "rows",
    [
        pytest.param(houses().to_pandas(), id="pandas"),
        pytest.param(houses(), id="polars"),
        pytest.param({name: values.to_numpy() for name, values in houses().to_dict().items()}, id="numpy"),
        pytest.param(
            (torch.tensor(houses()["rooms", "area"].to_numpy()), torch.tensor(houses()["price"].to_numpy())), id="torch"
        ),
    ],
)
def test_a_plan_is_made_from_whatever_is_in_memory(rows: object) -> None:
    predict = None if isinstance(rows, tuple) else "price"
    found = lamina.make_plan(rows, predict=predict, set=quick())
    assert [part.kind for part in found.plan.outputs.values()] == ["number"]
    assert "numbers" in found.plan.inputs


def test_pandas_in_gives_the_answers_of_the_same_rows_on_disk(run: lamina.Run) -> None:
    frame = pd.DataFrame({"rooms": [1.0, np.nan], "area": [2.0, 0.5], "zone": ["north", None]})
    same = pl.DataFrame({"rooms": ["1.0", ""], "area": ["2.0", "0.5"], "zone": ["north", ""]})
    assert run.predict(frame).equals(run.predict(same))
