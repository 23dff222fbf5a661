import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from safetensors.torch import load_file

import lamina
from lamina.api import predict_to
from lamina.ground import DataError, Interrupted, PlanError, UsageError


def photo(number: int, height: int = 40, width: int = 52) -> np.ndarray:
    """Coloured stripes and a disc, each photo its own."""
    random = np.random.default_rng(number)
    down, right = np.mgrid[:height, :width]
    waves = np.sin(down * random.uniform(0.2, 0.9) + right * random.uniform(0.2, 0.9) + random.uniform(0, 6))
    disc = (down - height / 2) ** 2 + (right - width / 2) ** 2 < random.uniform(60, 200)
    return np.stack([127 + 100 * waves, 255 * disc, 127 - 60 * waves], axis=2).astype(np.uint8)


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("photos") / "photos"
    folder.mkdir()
    for number in range(24):
        Image.fromarray(photo(number, 36 + number % 3, 50 + number % 5)).save(folder / f"{number:02}.png")
    return folder


def quick(**more: Any) -> dict[str, Any]:
    return {"training.steps": 8, "training.judge_every": 4, "hidden.width": 8, "hidden.blocks": 1,
            "inputs.photo.side": 8, "training.precision": "float32"} | more  # fmt: skip


def train(data: object, out: Path, **more: Any) -> lamina.Run:
    return lamina.train(data, task="enlarge", set=more.pop("set", quick()), out=out, quiet=True, **more)


@pytest.fixture(scope="module")
def run(photos: Path, tmp_path_factory: pytest.TempPathFactory) -> lamina.Run:
    return train(photos, tmp_path_factory.mktemp("run") / "run", scale=3)


def test_a_run_is_judged_beside_plain_enlarging(run: lamina.Run) -> None:
    found = run.evaluation
    assert found["decides"] == "image.psnr" and found["rows"] == 5
    assert set(found["metrics"]["image"]) == set(found["baselines"]["bicubic"]["image"]) == {"psnr", "ssim"}
    assert found["baselines"]["bicubic"]["image"]["psnr"]["low"] < found["metrics"]["image"]["psnr"]["value"]
    assert "bicubic interpolation" in run.verdict and "without 3 pixels at each border" in found["notes"][0]
    page = (run.path / "report.html").read_text()
    assert "Enlarging photos" in page and page.count("data:image/png") == 1


def test_a_run_is_judged_on_other_photos(run: lamina.Run, photos: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(photos, tmp_path / "photos"))
    (folder / "zz.png").write_bytes(b"no picture")
    found = run.evaluate(folder)
    assert (
        found["rows"] == 24 and found["decides"] == "image.psnr" and "24 photos that were given" in found["notes"][-1]
    )
    assert found["metrics"]["image"]["psnr"]["low"] < found["metrics"]["image"]["psnr"]["value"]
    assert "bicubic" in found["baselines"] and "bicubic" in found["verdict"]
    assert len(run.problems) == 1 and "zz.png" in run.problems[0]
    for path in folder.iterdir():
        path.write_bytes(b"no picture")
    with pytest.raises(DataError, match="no photo that could be enlarged"):
        run.evaluate(folder)


def test_enough_steps_beat_plain_enlarging(photos: Path, tmp_path: Path) -> None:
    made = train(photos, tmp_path / "run", scale=2, set=quick(**{"training.steps": 150, "training.judge_every": 75}))
    found = made.evaluation
    assert found["metrics"]["image"]["psnr"]["value"] > found["baselines"]["bicubic"]["image"]["psnr"]["value"] + 0.5


@pytest.mark.parametrize("shape", [(7, 5, 3), (60, 33, 3), (20, 21, 1)])
def test_photos_of_any_size_are_enlarged(run: lamina.Run, shape: tuple[int, int, int]) -> None:
    small = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    large = run.enlarge(small)
    assert large.shape == (3 * shape[0], 3 * shape[1], shape[2]) and large.dtype == np.uint8
    assert np.array_equal(lamina.load(run.path).enlarge(small), large)


def test_photos_are_enlarged_from_files_one_or_a_folder(run: lamina.Run, photos: Path, tmp_path: Path) -> None:
    predict_to(str(run.path), [str(photos / "00.png")], [], str(tmp_path / "large.png"), True, False)
    large = np.asarray(Image.open(tmp_path / "large.png"))
    assert np.array_equal(large, run.enlarge(photos / "00.png")) and large.shape == (108, 150, 3)
    predict_to(str(run.path), [str(photos)], [], str(tmp_path / "large"), True, False)
    assert len(list((tmp_path / "large").iterdir())) == 24
    with pytest.raises(UsageError, match="go into a folder"):
        predict_to(str(run.path), [str(photos)], [], str(tmp_path / "large.png"), True, False)


def test_what_is_no_photo_is_refused_in_words(run: lamina.Run, tmp_path: Path) -> None:
    (tmp_path / "no.png").write_bytes(b"no picture")
    with pytest.raises(DataError, match=r"no.png is no picture"):
        run.enlarge(tmp_path / "no.png")
    with pytest.raises(DataError, match="cannot be read"):
        run.enlarge(tmp_path / "absent.png")
    with pytest.raises(UsageError, match="enlarges photos and answers no rows"):
        run.predict(tmp_path)
    with pytest.raises(UsageError, match="makes no pictures"):
        run.generate(3)


def test_a_training_that_was_stopped_goes_on_to_the_same_weights(
    photos: Path, run: lamina.Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import signal

    from lamina.report import Silent
    from lamina.training import News

    told: list[News] = []

    def stop(self: Silent, news: News) -> None:
        told.append(news)
        if [each.step >= 4 for each in told].count(True) == 1:  # a second signal would not wait for the checkpoint
            signal.raise_signal(signal.SIGINT)

    with monkeypatch.context() as patch:
        patch.setattr(Silent, "news", stop)
        with pytest.raises(Interrupted, match="Everything is saved"):
            train(photos, tmp_path / "run", scale=3)
    again = train(photos, tmp_path / "run", scale=3)
    one, other = (load_file(path / "network.safetensors") for path in (run.path, again.path))
    assert one.keys() == other.keys() and all(one[name].equal(other[name]) for name in one)


def test_pairs_of_small_and_large_photos_are_taken_as_they_are(photos: Path, tmp_path: Path) -> None:
    for name in ("small", "large"):
        (tmp_path / name).mkdir()
    lines = ["low,high"]
    for number in range(24):
        large = Image.fromarray(photo(number))
        large.save(tmp_path / "large" / f"{number}.png")
        large.resize((26, 20), Image.Resampling.BOX).save(tmp_path / "small" / f"{number}.png")
        lines.append(f"small/{number}.png,large/{number}.png")
    (tmp_path / "pairs.csv").write_text("\n".join(lines))
    made = train(tmp_path / "pairs.csv", tmp_path / "run", predict="high", set=quick(**{"training.steps": 3}))
    assert made.plan.inputs["photo"].columns == ("low",) and made.enlarge(np.zeros((9, 9), np.uint8)).shape == (
        18,
        18,
        1,
    )
    with pytest.raises(PlanError, match="not 3 times as large"):
        train(tmp_path / "pairs.csv", tmp_path / "other", predict="high", scale=3)


@pytest.mark.parametrize("given, problem", [
    ({"scale": 5}, "from 2 to 4"),
    ({"set": {"hidden.name": "convnet"}}, "cannot become grid"),
])  # fmt: skip
def test_settings_that_do_not_do_are_refused_in_words(
    photos: Path, tmp_path: Path, given: dict[str, Any], problem: str
) -> None:
    with pytest.raises(lamina.LaminaError) as refused:
        train(photos, tmp_path / "run", **{"scale": 2, **given})
    assert problem in str(refused.value)


def test_a_scale_goes_with_its_task_alone(photos: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="goes with --task enlarge"):
        lamina.train(photos, scale=2, out=tmp_path / "run", quiet=True)
    with pytest.raises(UsageError, match="Did you mean 'enlarge'"):
        lamina.train(photos, task="enlarg", out=tmp_path / "run", quiet=True)


def test_a_broken_photo_is_named_and_left_out(photos: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(photos, tmp_path / "photos"))
    (folder / "zz.png").write_bytes(b"no picture")
    made = train(folder, tmp_path / "run", scale=2, set=quick(**{"training.steps": 3}))
    assert json.loads((made.path / "data.json").read_text())["problems"]["rows"] == 1


def test_a_plan_is_printed_and_taken_back(photos: Path, tmp_path: Path) -> None:
    printed = lamina.make_plan(photos, task="enlarge", scale=3, set=quick(**{"training.steps": 3}))
    (tmp_path / "plan.yaml").write_text(printed.yaml)
    made = lamina.train(photos, plan=tmp_path / "plan.yaml", out=tmp_path / "run", quiet=True)
    assert made.enlarge(np.zeros((4, 4), np.uint8)).shape == (12, 12, 1)


@pytest.fixture(scope="module")
def sharp(tmp_path_factory: pytest.TempPathFactory) -> lamina.Run:
    folder = tmp_path_factory.mktemp("sharp") / "photos"
    folder.mkdir()
    for number in range(16):
        Image.fromarray(photo(number, 100, 132)).save(folder / f"{number:02}.png")
    wanted = quick(**{"training.objective": "adversarial", "players.critic.width": 4, "adversarial.perception": 0.1,
                      "inputs.photo.side": 16})  # fmt: skip
    return train(folder, folder.parent / "run", scale=4, set=wanted)


def test_photos_too_small_to_look_real_are_refused(photos: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="squares of 32 x 32 pixels; at least 16"):
        train(photos, tmp_path / "run", scale=2, set=quick(**{"training.objective": "adversarial"}))


def test_a_critic_asks_for_photos_that_look_real(sharp: lamina.Run) -> None:
    found = sharp.evaluation
    assert found["decides"] == "image.frechet" and set(found["metrics"]["image"]) == {"psnr", "ssim", "frechet"}
    assert "Fréchet distance" in sharp.verdict and "In PSNR" in sharp.verdict
    assert sharp.plan.adversarial.after == 4
    last = json.loads((sharp.path / "history.jsonl").read_text().splitlines()[-1])
    assert last["image.frechet"] >= 0 and 0 <= last["critic_accuracy"] <= 1
    assert "players.critic" in {layer["path"] for layer in sharp.folder.state()["layers"]}
    assert not [name for name in load_file(sharp.path / "network.safetensors") if "critic" in name]
    assert sharp.enlarge(np.zeros((9, 7), np.uint8)).shape == (36, 28, 1)
