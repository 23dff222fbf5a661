import contextlib
import json
import os
import shutil
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from PIL import Image
from safetensors.torch import load_file
from small import houses, quick, write_houses

import lamina
from lamina.api.one_training import Training
from lamina.api.request import read_request
from lamina.api.run import Run
from lamina.data import read
from lamina.network import Scene, choose_plan
from lamina.report import Silent
from lamina.run import Baselines, Prepared, Wishes, fit_plan, prepare, study
from lamina.training import SCHEDULES, News


def train(data: object, out: Path, predict: object = "price", **more: Any) -> Run:
    return lamina.train(data, predict=predict, set=more.pop("set", quick()), out=out, quiet=True, **more)


@pytest.fixture
def brief(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither simpler ways nor a report: for tests that look at the network alone."""
    story = sys.modules[Training.__module__]
    monkeypatch.setattr(
        story, "fit_rivals", lambda prepared, seconds: {name: Baselines([], []) for name in prepared.plan.outputs}
    )
    monkeypatch.setattr(story, "write_report", lambda folder: None)


def files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def weights(folder: Path) -> dict[str, list[float]]:
    return {name: values.tolist() for name, values in load_file(folder / "network.safetensors").items()}


# ---- a run, and the same command again ---------------------------------------------------------------------------------


def test_a_run_holds_all_that_is_needed_to_use_and_judge_it(trained: Path) -> None:
    there = {path.name for path in trained.iterdir()}
    assert {"plan.yaml", "data.json", "network.safetensors", "parts", "history.jsonl", "evaluation.json",
            "golden.json", "report.html", "MANIFEST.json", "state.json"} <= there  # fmt: skip
    assert "checkpoint" not in there, "nothing goes on here, and it is several times as large as the weights"
    evaluation = json.loads((trained / "evaluation.json").read_text())
    assert set(evaluation["metrics"]) == {"price", "level"}
    assert {"linear model", "boosted trees"} <= set(evaluation["baselines"])
    assert evaluation["rows"] == 24


def test_training_a_finished_run_again_shows_it_and_changes_nothing(
    houses: Path, trained: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = files(trained)
    lamina.train(houses, predict=["price", "level"], set=quick(), out=trained)
    assert files(trained) == before
    assert "was trained before; nothing was changed. --fresh trains anew" in capsys.readouterr().err


def test_what_a_command_left_that_was_killed_in_its_last_moment_is_taken_away(
    houses: Path, trained: Path, tmp_path: Path
) -> None:
    copied = Path(shutil.copytree(trained, tmp_path / "run"))
    (copied / "checkpoint" / "saved-000003").mkdir(parents=True)
    train(houses, copied, predict=["price", "level"])
    assert files(copied) == files(trained) and not (copied / "checkpoint").exists()


def test_other_settings_are_refused_with_the_difference(houses: Path, trained: Path) -> None:
    before = files(trained)
    with pytest.raises(lamina.RunError, match=r"training.steps 6 \(was 5\). Give --fresh .* or --out"):
        train(houses, trained, predict=["price", "level"], set=quick(steps=6))
    assert files(trained) == before


@pytest.mark.usefixtures("brief")
def test_fresh_trains_into_the_next_free_number(houses: Path, tmp_path: Path) -> None:
    shutil.copytree(houses.parent, tmp_path / "run")  # anything that is there already
    (tmp_path / "run-2").mkdir()
    assert train(houses, tmp_path / "run", fresh=True).path == tmp_path / "run-3"


def test_a_damaged_run_is_not_shown_as_finished(houses: Path, trained: Path, tmp_path: Path) -> None:
    copied = Path(shutil.copytree(trained, tmp_path / "run"))
    (copied / "evaluation.json").write_text((copied / "evaluation.json").read_text().replace("1", "2"))
    with pytest.raises(lamina.RunError, match="evaluation.json is not the file that was written"):
        train(houses, copied, predict=["price", "level"])


@pytest.mark.usefixtures("brief")
def test_two_runs_of_a_seed_have_the_same_weights_and_another_seed_has_others(houses: Path, tmp_path: Path) -> None:
    one, two = train(houses, tmp_path / "one"), train(houses, tmp_path / "two")
    assert weights(one.path) == weights(two.path)
    assert weights(train(houses, tmp_path / "three", seed=1).path) != weights(one.path)


@pytest.mark.usefixtures("brief")
def test_what_is_said_and_saved_on_the_way_changes_nothing(houses: Path, tmp_path: Path) -> None:
    alone = train(houses, tmp_path / "alone")
    told = lamina.train(houses, predict="price", set=quick(checkpoint_seconds=0), out=tmp_path / "told")
    assert (alone.path / "network.safetensors").read_bytes() == (told.path / "network.safetensors").read_bytes()


@pytest.mark.usefixtures("brief")
def test_a_plan_that_was_printed_trains_the_same_network(houses: Path, tmp_path: Path) -> None:
    plan = tmp_path / "plan.yaml"
    plan.write_text(lamina.make_plan(houses, predict="price", set=quick()).yaml)
    by_plan = lamina.train(houses, plan=plan, out=tmp_path / "plan", quiet=True)
    by_settings = train(houses, tmp_path / "settings")
    assert weights(by_plan.path) == weights(by_settings.path)
    assert by_plan.plan.to_plain() == by_settings.plan.to_plain()


# ---- a slip leaves nothing behind ---------------------------------------------------------------------------------------


def spoiled(**columns: object) -> pl.DataFrame:
    return houses().with_columns(**{name: pl.Series(name, values) for name, values in columns.items()})


@pytest.mark.parametrize(
    "frame, predict, problem",
    [
        (houses(), "prise", "no column 'prise' in houses.csv. Did you mean 'price'"),
        (houses(), "Price", "Did you mean 'price'"),
        (houses().head(0), "price", "houses.csv has a line of column names .* and no row below it"),
        (houses().head(3), "price", "3 rows with an answer in 'price'; at least 10 are needed"),
        (houses().with_columns(level=pl.lit("high")), "level", "all 120 answers are 'high'"),
        (houses().with_columns(price=pl.lit(None)), "price", "none of its 120 cells holds a value"),
        (houses().select("price"), "price", "No column is left to learn from"),
    ],
)
def test_data_that_cannot_be_used_is_named_and_leaves_no_run(
    frame: pl.DataFrame, predict: str, problem: str, tmp_path: Path
) -> None:
    data = write_houses(tmp_path / "houses.csv", frame)
    with pytest.raises(lamina.LaminaError, match=problem):
        train(data, tmp_path / "run", predict=predict)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    "text, problem",
    [
        ("", "houses.csv is empty"),
        ("a,b\n1,2\n3\n", "houses.csv, line 3: 1 cell found, 2 expected"),
        ("a,b\n1,2\n3,4,5\n", "houses.csv, line 3: 3 cells found, 2 expected"),
        ("a,a,b\n1,2,3\n", "columns 1 and 2 are both called 'a'"),
        ("\0\1\2", "NUL byte"),
    ],
)
def test_a_file_that_is_no_table_is_named_with_its_line(text: str, problem: str, tmp_path: Path) -> None:
    (tmp_path / "houses.csv").write_text(text)
    with pytest.raises(lamina.DataError, match=problem):
        train(tmp_path / "houses.csv", tmp_path / "run", predict="b")


@pytest.mark.usefixtures("brief")
def test_after_a_slip_the_corrected_command_works_in_the_same_folder(houses: Path, tmp_path: Path) -> None:
    for settings in ({"hidden.name": "resnet18"}, {"hidden.widht": 3}, {"training.device": "abacus"}):
        with pytest.raises(lamina.LaminaError):
            train(houses, tmp_path / "run", set=settings)
    assert train(houses, tmp_path / "run").folder.finished


@pytest.mark.usefixtures("brief")
def test_answers_that_are_none_cost_only_their_rows(tmp_path: Path) -> None:
    prices = houses()["price"].cast(pl.String).to_list()
    prices[5], prices[6] = "", "12 euros"
    data = write_houses(tmp_path / "houses.csv", spoiled(price=prices))
    found = json.loads((train(data, tmp_path / "run").path / "data.json").read_text())
    assert sum(found["split"][part] for part in ("train", "valid", "test")) == 118
    told = {"where": "houses.csv, line 8", "column": "price", "cell": "12 euros", "reason": "not a number"}
    assert found["problems"] == {"rows": 0, "cells": 1, "first": [told]}


@pytest.mark.parametrize(
    "make, problem",
    [
        (lambda path: path.write_text("mine"), "is a file, and a run is a folder. Choose another place with --out"),
        (lambda path: (path / "photos").mkdir(parents=True), r"holds something that is not a run \(photos\)"),
    ],
)
def test_what_lies_in_the_way_is_left_alone(
    make: Callable[[Path], object], problem: str, houses: Path, tmp_path: Path
) -> None:
    make(tmp_path / "run")
    with pytest.raises(lamina.RunError, match=problem):
        train(houses, tmp_path / "run")
    assert (tmp_path / "run").is_file() or [path.name for path in (tmp_path / "run").iterdir()] == ["photos"]


def test_a_second_training_in_the_same_folder_is_kept_out(houses: Path, tmp_path: Path) -> None:
    holder = Run(tmp_path / "run").folder
    with holder.locked(), pytest.raises(lamina.RunError, match="Another training is at work in"):
        train(houses, tmp_path / "run")


# ---- interruptions ------------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def signalled(monkeypatch: pytest.MonkeyPatch, where: str, number: int) -> Iterator[None]:
    """A signal reaches this process the first time that `where` is told of."""
    sent = []

    def send(self: Silent, *told: object) -> None:
        if not sent:
            sent.append(number)
            os.kill(os.getpid(), number)

    with monkeypatch.context() as patch:
        patch.setattr(Silent, where, send)
        yield
    assert sent


def interrupted_while_training(
    data: Path, out: Path, monkeypatch: pytest.MonkeyPatch, number: int, **training: Any
) -> None:
    with signalled(monkeypatch, "news", number), pytest.raises(lamina.Interrupted) as stop:
        train(data, out, set=quick(**training))
    assert stop.value.signal_number == number
    assert "Everything is saved in" in str(stop.value) and "the same command goes on" in str(stop.value)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.usefixtures("brief")
def test_an_interrupted_training_goes_on_to_the_same_weights(
    number: int, houses: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    interrupted_while_training(houses, tmp_path / "run", monkeypatch, number, steps=12, judge_every=4)
    assert not (tmp_path / "run" / "network.safetensors").exists()
    train(houses, tmp_path / "run", set=quick(steps=12, judge_every=4))
    straight = train(houses, tmp_path / "straight", set=quick(steps=12, judge_every=4))
    assert weights(tmp_path / "run") == weights(straight.path)
    steps = [json.loads(line)["step"] for line in (tmp_path / "run" / "history.jsonl").read_text().splitlines()]
    assert steps == [4, 8, 12]


@pytest.mark.usefixtures("brief")
def test_what_was_learned_is_not_written_over_by_another_request_or_other_data(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = write_houses(tmp_path / "houses.csv")
    interrupted_while_training(data, tmp_path / "run", monkeypatch, signal.SIGINT, steps=12, judge_every=4)
    with pytest.raises(lamina.RunError, match=r"training.steps 13 \(was 12\)"):
        train(data, tmp_path / "run", set=quick(steps=13, judge_every=4))
    write_houses(data, houses().head(100))
    with pytest.raises(lamina.RunError, match=r"was begun with: houses.csv has 100 rows \(had 120\). Bring it back"):
        train(data, tmp_path / "run", set=quick(steps=12, judge_every=4))


def test_an_interruption_before_the_first_step_ends_at_once_and_binds_nothing(
    houses: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with signalled(monkeypatch, "say", signal.SIGINT), pytest.raises(lamina.Interrupted, match="begins again"):
        train(houses, tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_a_second_signal_does_not_wait_for_the_loop(
    houses: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def twice(self: Silent, news: News) -> None:
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGINT)

    monkeypatch.setattr(Silent, "news", twice)
    with pytest.raises(lamina.Interrupted, match="Nothing was learned yet"):
        train(houses, tmp_path / "run", set=quick(judge_every=1))


def test_handlers_are_given_back(houses: Path, trained: Path) -> None:
    before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    with pytest.raises(lamina.LaminaError):
        train(houses, trained / "inside", predict="nothing")
    assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)) == before


# ---- every choice learns ------------------------------------------------------------------------------------------------


def prepared(data: object, predict: str = "price", **settings: Any) -> Prepared:
    asked = read_request([data], [], predict, None, quick() | settings, None, None, None)
    seen = study(read(data), asked.predict, asked.given, 0)
    plan = choose_plan(Scene(seen.columns, seen.targets, len(seen.split.train), 32), asked.given)
    return prepare(plan, seen.table, seen.columns, seen.split, lambda what, done, total: None)


CHOICES: dict[str, list[Any]] = {
    "training.optimizer": ["sgd", "momentum", "nesterov", "rmsprop", "adam", "adamw", "muon"],
    "training.schedule": sorted(SCHEDULES),
    "training.accumulate": [3],
    "training.clip": [0],
    "training.average": [0.9],
    "training.weight_decay": [0.3],
    "training.batch_size": [7],
    "hidden.name": ["mlp", "residual"],
    "hidden.activation": ["gelu", "silu", "tanh", "leaky_relu"],
    "hidden.dropout": [0.5],
    "size": ["small", "large"],
    "outputs.price.loss": ["mse", "sse", "mae", "huber", "quantile"],
}


@pytest.mark.parametrize(
    "name, value", [pytest.param(name, value, id=f"{name}={value}") for name in CHOICES for value in CHOICES[name]]
)
def test_every_choice_of_learning_takes_its_steps(name: str, value: object) -> None:
    fitted = fit_plan(prepared(houses(), **{name: value}), Wishes())
    assert fitted.ended == "all 5 steps made"
    assert np.isfinite(fitted.figure)


@pytest.mark.parametrize(
    "settings, ended",
    [
        ({"training.stop_at": 1000.0}, "price.rmse reached 1000"),
        ({"training.stop_at_loss": 1000.0}, "the training loss fell to"),
        ({"training.patience": 1, "training.judge_every": 1, "training.steps": 200, "training.learning_rate": 0.5},
         "no better price.rmse in 1 judgements"),
    ],
)  # fmt: skip
def test_training_stops_when_it_was_told_to(settings: dict[str, Any], ended: str) -> None:
    assert fit_plan(prepared(houses(), **settings), Wishes()).ended.startswith(ended)


def test_a_rate_that_is_looked_for_is_noted_with_its_reason() -> None:
    # Whole batches: among a few rows chance moves the loss more than the rate does.
    settings = {"training.learning_rate": "find", "training.optimizer": "adamw", "training.batch_size": 96}
    fitted = fit_plan(prepared(houses(), **settings), Wishes())
    assert 1e-5 < fitted.decisions["learning_rate"] < 1
    assert "found by trying" in fitted.decisions["rate_reason"]


@pytest.mark.parametrize(
    "settings",
    [
        {"columns.area.role": "ignore"},
        {"columns.zone.role": "group"},
        {"columns.tax.role": "weight"},
        {"columns.sold.role": "time", "split.by": "time"},
        {"columns.level.kind": "text"},
    ],
    ids=str,
)
def test_every_role_is_taken(settings: dict[str, Any]) -> None:
    sold = pl.date_range(pl.date(2024, 1, 1), pl.date(2024, 4, 29), "1d", eager=True).cast(pl.String)
    frame = houses().with_columns(tax=pl.col("rooms").abs(), sold=sold)
    assert np.isfinite(fit_plan(prepared(frame, **settings), Wishes()).figure)


def test_cells_with_several_labels_are_learned_when_the_output_says_so() -> None:
    tags = ["a;b" if rooms > 0 else "b;c" for rooms in houses()["rooms"]]
    found = prepared(spoiled(level=tags), "level", **{"outputs.level.kind": "labels"})
    fitted = fit_plan(found, Wishes())
    assert fitted.trained.plan.outputs["level"].kind == "labels"
    assert np.isfinite(fitted.figure)


# ---- pictures -----------------------------------------------------------------------------------------------------------


def write_pictures(folder: Path, each: int = 24) -> Path:
    random = np.random.default_rng(0)
    for place, name in ((0, "red"), (2, "blue")):
        (folder / name).mkdir(parents=True)
        for number in range(each):
            picture = random.integers(0, 80, (20, 24, 3), dtype=np.uint8)
            picture[:, :, place] += 120
            Image.fromarray(picture).save(folder / name / f"{number:02}.png")
    return folder


@pytest.mark.parametrize(
    "hidden",
    [{"name": "convnet", "width": 8}, {"name": "lenet"}, {"name": "convnet", "width": 8, "pooling": "max"}],
    ids=str,
)
def test_layers_for_pictures_take_their_steps(hidden: dict[str, Any], tmp_path: Path) -> None:
    settings = {f"hidden.{name}": value for name, value in hidden.items()} | {"training.steps": 2}
    settings |= {} if "width" in hidden else {"hidden": {"name": hidden["name"]}}
    found = prepared(write_pictures(tmp_path / "photos"), "class", **settings)
    assert np.isfinite(fit_plan(found, Wishes()).figure)


@pytest.mark.usefixtures("brief")
def test_unreadable_pictures_are_left_out_and_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    photos = write_pictures(tmp_path / "photos", each=40)
    whole = (photos / "red" / "01.png").read_bytes()
    (photos / "red" / "00.png").write_bytes(b"no picture")
    (photos / "red" / "01.png").write_bytes(whole[: len(whole) // 2])
    Image.new("1", (15_000, 15_000)).save(photos / "red" / "02.png")
    run = lamina.train(photos, set=quick(steps=2) | {"hidden.width": 8}, out=tmp_path / "run")
    told = capsys.readouterr().err
    assert "3 rows cannot be used and are left out" in told and "photos/red/00.png is no picture" in told
    found = json.loads((run.path / "data.json").read_text())["problems"]["first"]
    reasons = " ".join(problem["reason"] for problem in found)
    assert "00.png is no picture" in reasons and "01.png is damaged or cut short" in reasons
    assert "02.png is too large" in reasons
    answers = run.predict(photos / "blue")
    assert len(answers) == 40 and set(answers["class"]) <= {"red", "blue"}


@pytest.mark.usefixtures("brief")
def test_too_many_unreadable_pictures_stop_the_training_unless_they_are_allowed(tmp_path: Path) -> None:
    photos = write_pictures(tmp_path / "photos")
    for number in range(6):
        (photos / "red" / f"{number:02}.png").write_bytes(b"no picture")
    with pytest.raises(
        lamina.DataError, match=r"6 of 48 rows cannot be used, more than 5%: .*and 1 more.*checks.unusable=0.15"
    ):
        lamina.train(photos, set=quick(steps=2) | {"hidden.width": 8}, out=tmp_path / "run", quiet=True)
    settings = quick(steps=2) | {"hidden.width": 8, "checks.unusable": 0.15}
    assert lamina.train(photos, set=settings, out=tmp_path / "run", quiet=True).folder.finished


@pytest.mark.parametrize("make, problem", [
    (lambda folder: (folder / "notes.md").write_text("x"), "holds nothing that can be read: 1 .md"),
    (lambda folder: None, "holds no file"),
    (lambda folder: [write_broken(folder / name) for name in "ab"], "none of the pictures looked at can be read. The first"),
])  # fmt: skip
def test_a_folder_without_usable_pictures_is_refused(
    make: Callable[[Path], object], problem: str, tmp_path: Path
) -> None:
    (tmp_path / "photos").mkdir()
    make(tmp_path / "photos")
    with pytest.raises(lamina.DataError, match=problem):
        lamina.train(tmp_path / "photos", out=tmp_path / "run", quiet=True)
    assert not (tmp_path / "run").exists()


def write_broken(folder: Path) -> None:
    folder.mkdir()
    for number in range(20):
        (folder / f"{number}.png").write_bytes(b"no picture")
