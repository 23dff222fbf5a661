import base64
import io
import json
import shutil
import signal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file

import lamina
from lamina.api import make_to
from lamina.ground import DataError, Interrupted, PlanError, RunError, UsageError
from lamina.training import News


def write_marks(folder: Path, count: int = 48, classes: tuple[str, ...] = ("cross", "dot", "ring")) -> Path:
    """Grey pictures of 12 x 12, a folder for each class: a bright bar, block or frame on dark noise."""
    random = np.random.default_rng(0)
    for name in classes:
        (folder / name).mkdir(parents=True)
        for number in range(count):
            picture = random.integers(0, 60, (12, 12), dtype=np.uint8)
            at = int(random.integers(2, 7))
            if name == "cross":
                picture[:, at : at + 2] = 230
            elif name == "dot":
                picture[at : at + 4, at : at + 4] = 230
            else:
                picture[[1, -2], :] = picture[:, [1, -2]] = 230
            Image.fromarray(picture).save(folder / name / f"{number}.png")
    return folder


def quick(**more: Any) -> dict[str, Any]:
    return {"training.steps": 6, "training.judge_every": 3, "hidden.width": 8, "players.critic.width": 8,
            "training.batch_size": 16} | more  # fmt: skip


def train(data: object, out: Path, **more: Any) -> lamina.Run:
    return lamina.train(data, task="generate", set=more.pop("set", quick()), out=out, quiet=True, **more)


@pytest.fixture(scope="module")
def marks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_marks(tmp_path_factory.mktemp("marks") / "marks")


@pytest.fixture(scope="module")
def run(marks: Path, tmp_path_factory: pytest.TempPathFactory) -> lamina.Run:
    return train(marks, tmp_path_factory.mktemp("run") / "run")


def test_a_run_says_what_its_pictures_are_worth_beside_real_ones_and_none(run: lamina.Run) -> None:
    found = run.evaluation
    figures = {"network": found["metrics"]["image"], **{who: each["image"] for who, each in found["baselines"].items()}}
    assert set(figures) == {"network", "real training pictures", "always the mean picture", "noise"}
    assert all({"frechet", "recognised", "precision", "recall"} <= set(each) for each in figures.values())
    real, noise = figures["real training pictures"], figures["noise"]
    assert real["frechet"]["value"] < noise["frechet"]["value"] and real["recognised"]["value"] > 0.9
    assert real["recall"]["value"] > figures["always the mean picture"]["recall"]["value"]
    assert found["rows"] == found["timing"].get("rows", found["rows"]) == 29
    assert "not comparable with published ones" in found["notes"][0]
    assert "Made pictures lie" in run.verdict and "training pictures are copied" in run.verdict
    with Image.open(io.BytesIO(base64.b64decode(found["pictures"]["made"].partition(",")[2]))) as sheet:
        assert sheet.width == 3 * 36 + 2 * 2  # a column a class: one alone would say nothing of the others


def test_what_was_made_at_each_judgement_is_kept_and_shown(run: lamina.Run) -> None:
    assert sorted(path.name for path in (run.path / "film").iterdir()) == ["0000003.png", "0000006.png"]
    page = (run.path / "report.html").read_text()
    assert "after 3 steps" in page and "after 6 steps" in page and page.count("data:image/png") == 4
    lines = [json.loads(line) for line in (run.path / "history.jsonl").read_text().splitlines()]
    assert all({"critic_loss", "generator_loss", "critic_accuracy", "image.frechet"} <= set(line) for line in lines)


def test_a_run_makes_the_pictures_that_it_is_asked_for(run: lamina.Run) -> None:
    some = run.generate(7)
    assert some.shape == (7, 12, 12, 1) and some.dtype == np.uint8
    assert np.array_equal(run.generate(3), some[:3]), "more pictures begin with the same ones"
    assert not np.array_equal(run.generate(3, seed=1), some[:3])
    assert run.classes == ["cross", "dot", "ring"]
    assert np.array_equal(run.generate(1, asked="cross")[0], some[0])
    assert not np.array_equal(run.generate(1, asked="ring")[0], some[0])
    way = run.generate(5, between=(0, 3))
    assert np.array_equal(way[0], some[0]) and np.array_equal(way[-1], some[3])
    again = lamina.load(run.path)
    assert np.array_equal(again.generate(7), some), "as it was when it was trained"


@pytest.mark.parametrize("asked, problem", [
    ({"asked": "rnig"}, "There is no class 'rnig'. Did you mean 'ring'?"),
    ({"count": 0}, "at least 1 picture"),
    ({"between": (0, -1)}, "counted from 0"),
])  # fmt: skip
def test_what_cannot_be_made_is_refused_in_words(run: lamina.Run, asked: dict[str, Any], problem: str) -> None:
    with pytest.raises(PlanError) as refused:
        run.generate(**{"count": 2, **asked})
    assert problem in str(refused.value)


def test_a_run_that_makes_pictures_answers_no_rows_and_says_what_it_does(run: lamina.Run, marks: Path) -> None:
    with pytest.raises(UsageError, match="makes pictures and answers no rows"):
        run.predict(marks)


def test_a_run_is_judged_beside_other_pictures_by_the_same_eye(run: lamina.Run, marks: Path, tmp_path: Path) -> None:
    found = run.evaluate(marks)
    assert found["rows"] == 144 and found["decides"] == "image.frechet" and "Made pictures lie" in found["verdict"]
    far = {who: each["image"]["frechet"]["value"] for who, each in found["baselines"].items()}
    assert far["real training pictures"] < min(far["always the mean picture"], far["noise"])
    assert {"frechet", "recognised", "precision", "recall"} <= set(found["metrics"]["image"])
    assert lamina.load(run.path).evaluate(marks) == found
    strange = Path(shutil.copytree(marks, tmp_path / "marks"))
    (strange / "ring").rename(strange / "star")
    (strange / "dot" / "0.png").write_bytes(b"no picture")
    other = run.evaluate(strange)
    assert "48 of classes that were not learned are left out" in other["notes"][-1]
    assert other["rows"] == 95 and len(run.problems) == 1 and "0.png" in run.problems[0]
    for kind in ("dot", "cross"):
        shutil.rmtree(strange / kind)
    (strange / "none").mkdir()
    shutil.copy(marks / "dot" / "1.png", strange / "none" / "1.png")
    with pytest.raises(DataError, match="fewer than two pictures"):
        run.evaluate(strange)


def test_an_eye_that_was_put_there_later_is_not_read(run: lamina.Run, tmp_path: Path) -> None:
    copied = Path(shutil.copytree(run.path, tmp_path / "run"))
    (copied / "eye" / "parts" / "more.json").write_text("{}")
    with pytest.raises(RunError, match=r"more.json does not stand in MANIFEST"):
        lamina.load(copied)


def test_pictures_are_written_as_one_sheet_or_one_by_one(run: lamina.Run, tmp_path: Path) -> None:
    make_to(str(run.path), 6, None, 0, None, str(tmp_path / "made.png"))
    with Image.open(tmp_path / "made.png") as sheet:
        assert sheet.size == (3 * 36 + 2 * 2, 2 * 36 + 2)  # a column a class, three times as large, two pixels between
    make_to(str(run.path), 4, "dot", 0, None, str(tmp_path / "made"))
    one = np.asarray(Image.open(tmp_path / "made" / "00003.png"))
    assert np.array_equal(one, run.generate(4, asked="dot")[3, :, :, 0])
    with pytest.raises(UsageError, match="--out made.png"):
        make_to(str(run.path), 4, None, 0, None, str(tmp_path / "made.csv"))


class _Stop:
    """Interrupts a training once the maker has taken so many steps."""

    def __init__(self, step: int):
        self.step: int | None = step

    def __call__(self, news: News) -> None:
        if self.step is not None and news.step >= self.step:
            self.step = None  # a second signal would not wait for the checkpoint
            signal.raise_signal(signal.SIGINT)


def test_a_training_that_was_stopped_goes_on_to_the_same_weights(
    marks: Path, run: lamina.Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from lamina.report import Silent

    with monkeypatch.context() as patch:
        stop = _Stop(3)
        patch.setattr(Silent, "news", lambda self, news: stop(news))
        with pytest.raises(Interrupted, match="Everything is saved"):
            train(marks, tmp_path / "run")
    assert (tmp_path / "run" / "checkpoint" / "maker").is_dir()
    again = train(marks, tmp_path / "run")
    one, other = (load_file(path / "network.safetensors") for path in (run.path, again.path))
    assert one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)
    keys = {"step", "loss", "image.frechet", "critic_accuracy"}
    said = [
        [{key: json.loads(line)[key] for key in keys} for line in (path / "history.jsonl").read_text().splitlines()]
        for path in (run.path, again.path)
    ]
    assert said[0] == said[1]


def test_pictures_without_classes_of_several_sizes_and_colours_are_brought_to_one(tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    random = np.random.default_rng(0)
    for number in range(60):
        side = (10, 14, 16)[number % 3]
        mode, channels = (("RGB", 3), ("RGBA", 4), ("L", 1))[number % 3]
        pixels = random.integers(0, 256, (side, side, channels), dtype=np.uint8)
        Image.fromarray(pixels[:, :, 0] if channels == 1 else pixels, mode).save(tmp_path / "photos" / f"{number}.png")
    (tmp_path / "photos" / "60.png").write_bytes(b"no picture")
    run = train(tmp_path / "photos", tmp_path / "run", set=quick(**{"training.steps": 3}))
    assert run.generate(2).shape == (2, 14, 14, 3) and run.classes == []
    assert "recognised" not in run.evaluation["metrics"]["image"]
    assert run.evaluate(tmp_path / "photos")["rows"] == 60
    assert "edges" in run.evaluation["notes"][0]
    assert json.loads((run.path / "data.json").read_text())["problems"]["rows"] == 1


def test_too_few_pictures_are_refused(tmp_path: Path) -> None:
    few = write_marks(tmp_path / "few", 8)
    with pytest.raises(DataError, match="at least 32 are needed"):
        train(few, tmp_path / "run")
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("given, problem", [
    ({"training.learning_rate": "find"}, "two learn from each other"),
    ({"training.ensemble": 3}, "made by one network"),
    ({"adversarial.loss": "minmax"}, "minimax"),
    ({"players.critic.name": "mlp"}, "it makes a grid, and mlp takes vector"),
    ({"adversarial.penalty_every": 0}, "it is at least 1"),
])  # fmt: skip
def test_settings_that_do_not_do_are_refused_in_words(
    marks: Path, tmp_path: Path, given: dict[str, Any], problem: str
) -> None:
    with pytest.raises(PlanError) as refused:
        train(marks, tmp_path / "run", set=quick(**given))
    assert problem in str(refused.value)


def test_a_plan_of_such_a_training_is_printed_and_taken_back(marks: Path, tmp_path: Path) -> None:
    printed = lamina.make_plan(marks, task="generate", set=quick())
    assert [layer.path for layer in printed.layers][-1] == "players.critic"
    assert "players:\n  critic:" in "\n".join(
        line.split("#")[0].rstrip() for line in printed.yaml.splitlines() if line.split("#")[0].strip()
    )
    (tmp_path / "plan.yaml").write_text(printed.yaml)
    run = lamina.train(marks, plan=tmp_path / "plan.yaml", out=tmp_path / "run", quiet=True)
    assert run.generate(1).shape == (1, 12, 12, 1)


@pytest.mark.parametrize("loss", ["minimax", "wasserstein"])
def test_other_losses_train_too(marks: Path, tmp_path: Path, loss: str) -> None:
    run = train(marks, tmp_path / "run", set=quick(**{"adversarial.loss": loss, "training.steps": 3}))
    assert run.plan.adversarial.loss == loss and run.generate(1).any()
