"""The speed benchmark: its tables, its results, who takes part, and one measurement from end to end."""

import json
import os
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from benchmarks.keeping import machine
from benchmarks.speed import page, results
from benchmarks.speed.contenders import CONTENDERS
from benchmarks.speed.data import photos, save_weights, shakespeare
from benchmarks.speed.environments import REQUIREMENTS, python_of
from benchmarks.speed.floor import floor, work
from benchmarks.speed.measure import Failed, measure
from benchmarks.speed.networks import make
from benchmarks.speed.peers.job import Contender, Job, channels_first, judged, scaled
from benchmarks.speed.workloads import TEXTS, WORKLOADS

PEERS = Path(page.__file__).parent / "peers"


def one(value: float, accuracy: float = 0.9) -> dict:
    return {"value": value, "seconds": 1.0, "first_seconds": 2.0, "loss": 0.5, "accuracy": accuracy, "peak_mib": 500,
            "versions": {"torch": "2.13.0"}}  # fmt: skip


def made_result(**rates: tuple[float, ...]) -> dict:
    """The result of training the convnet, with these rates; `skorch` learned something else."""
    measured = {
        name: [one(value, 0.5 if name == "skorch" else 0.9) for value in values] for name, values in rates.items()
    }
    return results.summarise(WORKLOADS["convnet"], measured) | {
        "workload": "convnet", "code": "now", "data": "same", "date": "2025-01-01", "repeats": 3, "failed": {},
        "machine": machine(results.LIBRARIES),
    }  # fmt: skip


RATES = {"lamina": (900.0, 1100.0, 1000.0), "by_hand": (250.0, 240.0, 300.0), "tuned": (800.0,), "skorch": (2000.0,)}


def test_a_result_holds_median_spread_ratio_and_agreement() -> None:
    found = made_result(**RATES)["contenders"]
    assert (found["by_hand"]["median"], found["by_hand"]["low"], found["by_hand"]["high"]) == (250, 240, 300)
    assert found["by_hand"]["ratio"] == 4 and found["lamina"]["ratio"] == 1
    assert [name for name, row in found.items() if not row["agrees"]] == ["skorch"]


def test_the_ratio_of_a_time_is_turned_round() -> None:
    found = results.summarise(WORKLOADS["row"], {"lamina": [one(2.0)], "by_hand": [one(4.0)]})["contenders"]
    assert found["by_hand"]["ratio"] == 2
    assert "agrees" not in found["by_hand"]


def test_the_fastest_of_what_people_use_is_neither_tuned_nor_of_other_work() -> None:
    assert results.fastest_untuned(made_result(**RATES)) == "by_hand"
    assert results.fastest_untuned(made_result(lamina=(1.0,), tuned=(2.0,))) is None


def test_the_page_shows_what_was_measured_and_what_was_not() -> None:
    found = made_result(**RATES)
    found["failed"] = {"fastai": "no result after 1800 s"}
    text = page.page({"convnet": found}, code="later", picture="speed.svg")
    assert "| **Lamina** | 1,000 | 900 to 1,100 | 1.00x | 2.00 s | 500 MiB | 0.500 | 90.0 % | yes |" in text
    assert "| skorch | 2,000 | 2,000 to 2,000 | 0.50x | 2.00 s | 500 MiB | 0.500 | 50.0 % | **no** |" in text
    assert "Fastest of what people use instead: PyTorch by hand; Lamina is 4.00 times as fast." in text
    assert "fastai has no result: no result after 1800 s." in text and "Measured with older code." in text
    assert text.count("Not measured yet.") == len(WORKLOADS) - 1
    assert "](speed.svg)" in text and "torch 2.13.0" in text


def test_the_floor_stands_below_the_contenders() -> None:
    found = made_result(**RATES) | {"floor": {"operations": 150e9, "bytes": 1e10, "value": 2500.0}}
    text = page.page({"convnet": found}, code="now", picture="speed.svg")
    assert "| *floor of the machine* | *2,500* | | | | | | | |" in text
    assert "The floor follows from 150 billion operations and 10.0 billion bytes a second" in text


@pytest.mark.parametrize(
    "name, operations",
    [
        ("mlp", 2 * (14 * 256 + 2 * 256 * 256 + 256 * 2)),
        ("lenet", 833_040),
        ("lstm", 256 * 2 * (4 * 256 * (64 + 256) + 256 * 68)),
        ("transformer", 256 * 2 * (64 * 128 + 2 * 12 * 128 * 128 + 128 * 68)),
    ],
)
def test_the_floor_counts_what_layers_multiply(name: str, operations: int) -> None:
    assert sum(done for done, _ in work(name, 3)) == 3 * operations


def test_the_floor_grows_with_the_work() -> None:
    small, large = floor("mlp", 64), floor("lenet", 64)
    assert 0 < small["answer_seconds"] < large["answer_seconds"] < large["train_seconds"]


def test_the_page_without_a_result_has_no_chart(tmp_path: Path) -> None:
    page.write(tmp_path / "speed.md", {}, "now")
    assert [path.name for path in tmp_path.iterdir()] == ["speed.md"]


def test_the_chart_is_drawn_with_every_contender(tmp_path: Path) -> None:
    page.write(tmp_path / "speed.md", {"convnet": made_result(**RATES)}, "now")
    drawn = (tmp_path / "speed.svg").read_text()
    assert drawn.startswith("<svg") and all(CONTENDERS[name].title in drawn for name in RATES)


def test_the_newest_result_of_the_present_code_is_taken(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(results, "RESULTS", tmp_path)
    for code, date in (("old", "2025-03-01"), ("now", "2025-02-01")):
        path = results.kept("row", code, "data")
        path.write_text(json.dumps({"workload": "row", "code": code, "date": date}))
    assert results.newest("row", "now")["code"] == "now"
    assert results.newest("row", "third")["code"] == "old"
    assert results.newest("rows", "now") is None


def test_loss_and_accuracy_are_the_same_from_logits_and_from_logarithms() -> None:
    logits, targets = np.random.default_rng(0).normal(size=(50, 3)), np.arange(50) % 3
    probabilities = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    loss, accuracy = judged(logits, targets)
    assert loss == pytest.approx(-np.log(probabilities[np.arange(50), targets]).mean())
    assert accuracy == (logits.argmax(1) == targets).mean()
    assert judged(np.log(probabilities), targets) == (pytest.approx(loss), accuracy)


class Learner(Contender):
    """After so many epochs right on so large a share of whatever rows; of few held-out rows on all from the first."""

    libraries = ()

    def __init__(self, job: Job):
        self.job, self.epochs = job, 0

    def train(self, inputs: np.ndarray, targets: np.ndarray, batch_size: int, epochs: int) -> None:
        self.epochs += epochs

    def scores(self, inputs: np.ndarray) -> np.ndarray:
        right = np.arange(len(inputs)) < len(inputs) * (1 if len(inputs) < 100 else (0.5, 0.7, 0.89)[self.epochs - 1])
        if len(inputs) >= 100:
            time.sleep(0.3)  # answering test rows
        return np.eye(2)[right.astype(int)]  # the class is always 1


def test_who_was_lucky_with_the_held_out_rows_goes_on_until_test_rows_agree(tmp_path: Path) -> None:
    for name, rows in (("", 200), ("test-", 1000)):
        np.save(tmp_path / f"{name}inputs.npy", np.zeros((rows, 3), np.float32))
        np.save(tmp_path / f"{name}targets.npy", np.ones(rows, np.int64))
    job = Job("reach", "example", str(tmp_path), "", 200, 0, 64, 1, 0.9, "", time.time())
    learner = Learner(job)
    seconds, accuracy = learner.reach(job)
    assert learner.epochs == 3 and accuracy == 0.89, "two standard errors of 90 % on 1,000 rows are 1.9 points"
    assert seconds < 0.6, "answers to test rows, 0.3 s each, are not timed"
    assert job.is_there(0.882, 1000) and not job.is_there(0.88, 2000)


def test_pictures_are_scaled_and_turned_and_tables_are_not() -> None:
    pictures, numbers = np.full((2, 4, 5, 3), 255, np.uint8), np.full((2, 14), 7, np.float32)
    assert channels_first(scaled(pictures)).shape == (2, 3, 4, 5) and scaled(pictures).max() == 1
    assert (channels_first(scaled(numbers)) == 7).all()


@pytest.mark.parametrize("name", CONTENDERS)
def test_every_contender_has_a_script_and_only_lamina_imports_lamina(name: str) -> None:
    text = (PEERS / f"{name}.py").read_text()
    assert 'if __name__ == "__main__":' in text
    assert ("import lamina" in text) == (name == "lamina")


@pytest.mark.parametrize("name", [contender.requirements for contender in CONTENDERS.values()])
def test_requirements_are_exact_and_those_of_the_tested_set_where_both_name_a_package(name: str) -> None:
    if not name:
        return
    tested = pinned(PEERS.parents[2] / "constraints.txt")
    mine = pinned(REQUIREMENTS / f"{name}.txt")
    assert {package: tested[package] for package in mine if package in tested} == {
        package: version for package, version in mine.items() if package in tested
    }
    assert mine.get("torch", "2.13.0") == "2.13.0"


def pinned(path: Path) -> dict[str, str]:
    lines = [line for line in path.read_text().splitlines() if line and not line.startswith("#")]
    return dict(line.split("==") for line in lines)  # type: ignore[misc]  # anything else than name==version fails here


def test_who_takes_part() -> None:
    def taking_part(name: str) -> set[str]:
        return {contender.name for contender in CONTENDERS.values() if contender.takes_part(WORKLOADS[name])}

    assert taking_part("help") == {"lamina"}
    assert taking_part("convnet") == set(CONTENDERS) - {"scikit_learn", "onnxruntime"}
    assert taking_part("mlp") == set(CONTENDERS) - {"onnxruntime"}
    assert taking_part("adult_income") == set(CONTENDERS) - {"onnxruntime", "tuned"}
    assert taking_part("photos") == taking_part("mnist")
    assert taking_part("mnist") == set(CONTENDERS) - {"onnxruntime", "tuned", "scikit_learn"}
    assert taking_part("rows") == set(CONTENDERS)
    assert "tuned" not in taking_part("import")
    texts = {"lamina", "by_hand", "tuned", "keras_tensorflow", "keras_jax", "keras_torch"}
    assert taking_part("text_lstm") == taking_part("write_transformer") == texts
    assert taking_part("padding") == {"lamina"}


def test_photos_are_written_into_folders_and_the_first_are_judged_by(tmp_path: Path) -> None:
    small, targets = photos(tmp_path / "files", 12, tmp_path)
    assert small.shape == (12, 64, 64, 3) and targets.tolist() == [*range(10), 0, 1]
    files = sorted((tmp_path / "files").glob("*/*.jpg"))
    with Image.open(files[0]) as first:
        assert len(files) == 12 and first.size == (256, 256)
    across, down = (np.abs(np.diff(small[3].astype(float).mean(2), axis=axis)).sum() for axis in (1, 0))
    assert across > down  # the first five classes are upright


def test_lamina_learns_a_folder_and_says_what_each_epoch_took(tmp_path: Path) -> None:
    folder = tmp_path / "data" / "few_photos"
    small, targets = photos(folder / "files", 40, tmp_path)
    np.save(folder / "inputs.npy", small)
    np.save(folder / "targets.npy", targets)
    workload = replace(WORKLOADS["photos"].quick(), rows=40, batch_size=20, epochs=2)
    found = measure(workload, CONTENDERS["lamina"], Path(sys.executable), tmp_path)
    assert found["value"] > 0 and found["first_rate"] > 0 and 0 <= found["accuracy"] <= 1


def test_one_measurement_from_end_to_end(tmp_path: Path) -> None:
    folder = tmp_path / "data" / "table"
    folder.mkdir(parents=True)
    inputs = np.random.default_rng(0).normal(size=(64, 14)).astype(np.float32)
    np.save(folder / "inputs.npy", inputs)
    np.save(folder / "targets.npy", (inputs[:, 0] > 0).astype(np.int64))
    workload = replace(WORKLOADS["mlp"], rows=64, warmup_rows=32, batch_size=16, epochs=40)
    found = measure(workload, CONTENDERS["by_hand"], Path(sys.executable), tmp_path)
    assert found["accuracy"] > 0.9 and found["value"] > 0 and found["peak_mib"] > 50
    with pytest.raises(Failed, match="has 64 rows, not 65"):
        measure(replace(workload, rows=65), CONTENDERS["by_hand"], Path(sys.executable), tmp_path)


@pytest.mark.parametrize("network", TEXTS)
def test_texts_are_learned_and_written_alike(network: str, tmp_path: Path) -> None:
    folder = tmp_path / "data" / "shakespeare"
    folder.mkdir(parents=True)
    targets = np.tile(np.arange(3, 19), (48, 2))  # sixteen characters in their order, again and again
    np.save(folder / "inputs.npy", np.pad(targets, ((0, 0), (1, 0)))[:, :-1])
    np.save(folder / "targets.npy", targets)
    save_weights(tmp_path / "data" / f"{network}.npz", make(network))
    learning = replace(WORKLOADS[f"text_{network}"], rows=48, warmup_rows=8, batch_size=8, epochs=3)
    found = {
        name: measure(learning, CONTENDERS[name], Path(sys.executable), tmp_path) for name in ("lamina", "by_hand")
    }
    assert found["lamina"]["loss"] == pytest.approx(found["by_hand"]["loss"], rel=0.1, abs=0.05)
    assert found["by_hand"]["loss"] < 4
    save_weights(tmp_path / "data" / f"{network}-learned.npz", make(network))
    writing = replace(WORKLOADS[f"write_{network}"], rows=2, warmup_rows=1)
    for name in ("lamina", "by_hand"):
        found = measure(writing, CONTENDERS[name], Path(sys.executable), tmp_path)
        assert found["value"] > 0 and 2 < found["loss"] < 5


def test_a_text_in_numbers_begins_with_the_start(tmp_path: Path) -> None:
    (tmp_path / "tiny_shakespeare").mkdir()
    (tmp_path / "tiny_shakespeare" / "input.txt").write_text("ba\n" * 200)
    inputs, targets = shakespeare(tmp_path)
    assert targets.shape == (2, 256) and targets[0, :4].tolist() == [5, 4, 3, 5]
    assert (inputs[:, 0] == 0).all() and (inputs[:, 1:] == targets[:, :-1]).all()


def test_the_page_shows_padding_by_data_set() -> None:
    found = {"value": 2.0, "shares": {"little": 0.01, "much": 0.03}, "versions": {"torch": "2.13.0"}}
    result = results.summarise(WORKLOADS["padding"], {"lamina": [found]}) | {
        "workload": "padding", "code": "now", "date": "2025-01-01", "repeats": 1, "failed": {},
        "machine": machine(results.LIBRARIES),
    }  # fmt: skip
    text = page.page({"padding": result}, code="now", picture="speed.svg")
    assert text.index("| much | 3.0 % |") < text.index("| little | 1.0 % |")


def test_lamina_runs_in_the_environment_that_started_the_benchmark(tmp_path: Path) -> None:
    assert python_of(CONTENDERS["lamina"], tmp_path) == Path(sys.executable)
    assert os.listdir(tmp_path) == []


def test_a_part_of_a_workload_has_whole_batches_and_is_told_of() -> None:
    whole = WORKLOADS["mlp"]
    few, half = whole.part(0.05), whole.part(0.5)
    assert (few.rows, few.epochs) == (156 * 256, 1) and few.rows % few.batch_size == 0
    assert (half.rows, half.epochs) == (whole.rows, 4)
    assert whole.part(1.0) == whole and WORKLOADS["help"].part(0.1) == WORKLOADS["help"]
    found = made_result(**RATES) | {"rows": 512, "epochs": 1, "busy": 9.5}
    text = page.page({"convnet": found}, code="now", picture="speed.svg")
    assert "Shortened: 512 rows, 1 times." in text and "not quiet: 9.5 processes" in text
