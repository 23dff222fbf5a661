"""The quality benchmark: its splits, its figures, its page, and one row run from end to end."""

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, mean_absolute_error, root_mean_squared_error
from sklearn.metrics import root_mean_squared_log_error as rmsle

from benchmarks.keeping import Busy, alone, fingerprint, machine
from benchmarks.quality import page, results
from benchmarks.quality.classical import class_name, fit_and_score
from benchmarks.quality.figures import METRICS, Scored, figure, samples
from benchmarks.quality.one import plain
from benchmarks.quality.rows import ROWS, Row, sentences, table
from benchmarks.quality.summary import summarise


@pytest.fixture
def people(tmp_path: Path) -> Path:
    """A table whose answer follows from a number and a category; some cells are gaps."""
    generator = np.random.default_rng(0)
    lines = ["id,height,colour,big"]
    for number in range(200):
        height, colour = generator.normal(), generator.choice(["red", "blue"])
        big = "yes" if height + (colour == "red") > 0.5 else "no"
        lines.append(f"{number},{'' if number % 17 == 0 else round(height, 3)},{colour},{big}")
    (tmp_path / "people.csv").write_text("\n".join(lines))
    return tmp_path


PEOPLE = Row(
    "people", "accuracy", table("people.csv", "big", drop=("id",)), "big", at_least="trees", aim="trees", seeds=2
)


def test_a_split_covers_every_row_once_and_can_be_drawn_again(people: Path) -> None:
    train, test = PEOPLE.load(people, people, 3)
    assert sorted([*train.rows, *test.rows]) == list(range(200))
    assert len(test.rows) == 40
    again = PEOPLE.load(people, people, 3)[1]
    assert (again.rows == test.rows).all()
    other = PEOPLE.load(people, people, 4)[1]
    assert set(other.rows) != set(test.rows)
    assert test.files[0].read_text().splitlines()[0] == "height,colour,big"


def test_classical_models_learn_numbers_categories_and_gaps(people: Path) -> None:
    train, test = PEOPLE.load(people, people, 0)
    for model, answers in fit_and_score(PEOPLE, train, test, 0).items():
        assert (answers == test.truth).mean() > 0.85, model


@pytest.mark.parametrize(
    "metric, reference",
    [("mae", mean_absolute_error), ("rmse", root_mean_squared_error), ("rmsle", rmsle)],
)
def test_figures_of_values_are_those_of_scikit_learn(metric, reference) -> None:
    generator = np.random.default_rng(0)
    truth, scores, weights = generator.random((3, 50))
    expected = reference(truth, scores, sample_weight=weights)
    assert METRICS[metric](truth, scores, weights) == pytest.approx(expected)


def test_pooled_splits_are_judged_as_one_set() -> None:
    generator = np.random.default_rng(0)
    truth, scores = generator.random(100) < 0.2, generator.random(100)
    halves = [Scored(np.arange(start, 100, 2), truth[start::2], scores[start::2]) for start in (0, 1)]
    assert samples("average_precision", halves, pooled=True)[0] == average_precision_score(truth, scores)


def test_rows_that_are_drawn_in_blocks_have_wider_intervals() -> None:
    """Ten equal neighbours are worth one row, not ten."""
    values = np.repeat(np.random.default_rng(0).normal(size=40), 10)
    split = Scored(np.arange(400), np.zeros(400), values)
    alone, blocks = figure(samples("mae", [split])), figure(samples("mae", [split], block=10))
    assert alone.value == blocks.value == pytest.approx(np.abs(values).mean())
    assert blocks.high - blocks.low > 2 * (alone.high - alone.low)


@pytest.mark.parametrize("value, name", [(2.0, "2"), ("2", "2"), (" yes", " yes"), (0.5, "0.5"), (True, "True")])
def test_a_class_has_one_name(value, name) -> None:
    assert class_name(value) == name


def made_result(people: Path, right: float) -> dict:
    """The result of two seeds in which Lamina is right on a share of the test rows."""
    lamina, classical = [], []
    for seed in range(2):
        folder = people / f"seed-{seed}"
        folder.mkdir()
        train, test = PEOPLE.load(people, folder, seed)
        opposite = np.where(test.truth == "yes", "no", "yes")
        answers = np.where(np.arange(40) < right * 40, test.truth, opposite).astype(str)
        said = fit_and_score(PEOPLE, train, test, seed)
        truth = test.truth.astype(str)
        np.savez(folder / "lamina.npz", rows=test.rows, truth=truth, lamina=answers)
        np.savez(
            folder / "classical.npz", rows=test.rows, truth=truth, **{name: v.astype(str) for name, v in said.items()}
        )
        evaluation = {"metrics": {"big": {"accuracy": {"value": right, "low": 0, "high": 1}}}}
        (folder / "lamina.json").write_text(
            json.dumps({"rows": {"train": 160, "test": 40}, "seconds": 2, "peak_mib": 512, "evaluation": evaluation})
        )
        lamina.append(folder)
        classical.append(folder)
    result = summarise(PEOPLE, lamina, classical)
    assert result["evaluate_says"] == [right, right]
    return result | {
        "row": "people",
        "code": "now",
        "seeds": [0, 1],
        "date": "2025-01-01",
        "machine": machine(results.LIBRARIES),
    }


def test_sentences_are_counted_and_judged_by_their_own_figures(tmp_path: Path, monkeypatch) -> None:
    (tmp_path / "train.conll").write_text("a\tO\nb\tO\n\t\nc\tO\n\n\nd\tO\n")
    (tmp_path / "test.conll").write_text("a\tO\n")
    row = replace(ROWS["wnut17"], beside=("accuracy",))
    train, test = sentences(tmp_path, tmp_path, 0, ("train.conll",), "test.conll")
    assert (len(train.rows), len(test.rows)) == (3, 1)
    figures = {"span_f1": {"value": 0.2, "low": 0.1, "high": 0.3}, "accuracy": {"value": 0.9, "low": 0.8, "high": 1.0}}
    said = {
        "rows": {"train": 3, "test": 1},
        "seconds": 2,
        "peak_mib": 512,
        "evaluation": {"metrics": {"tags": figures}, "baselines": {"the usual tag": {"tags": figures}}},
    }
    (tmp_path / "lamina.json").write_text(json.dumps(said))
    result = summarise(row, [tmp_path], [])
    assert (result["lamina"]["value"], result["beside"]["accuracy"]["lamina"]["value"]) == (0.2, 0.9)
    assert page.reached(row, result) == "at least"
    result |= {"code": "now", "seeds": [0], "date": "2025-01-01", "machine": machine(results.LIBRARIES)}
    monkeypatch.setattr(page, "ROWS", {"wnut17": row})
    text = page.page({"wnut17": result}, code="now")
    assert "| wnut17 | span F1 | 1 | **0.2000 (0.1000 to 0.3000)** |  |  |" in text
    assert "wnut17: accuracy, %: Lamina 90.00" in text
    assert "wnut17: span F1 of simpler ways: the usual tag 0.2000" in text


@pytest.mark.parametrize("right, verdict", [(1.0, "aim"), (0.5, "no")])
def test_a_result_is_compared_with_the_trees_and_shown(people: Path, right, verdict, monkeypatch) -> None:
    result = made_result(people, right)
    assert result["lamina"]["value"] == right
    difference = result["better_than_trees_by"]
    assert difference["value"] == pytest.approx(right - result["trees"]["value"])
    assert difference["low"] <= difference["value"] <= difference["high"]
    assert page.reached(PEOPLE, result) == verdict

    monkeypatch.setattr(page, "ROWS", {"people": PEOPLE, "titanic": ROWS["titanic"]})
    text = page.page({"people": result}, code="later")
    assert f"| people (older code) | accuracy, % | 2 | **{100 * right:.2f} (" in text
    assert "| titanic | accuracy, % | 5 | not measured yet |" in text
    assert len({line.count("|") for line in text.splitlines() if line.startswith("|")}) == 1


@pytest.mark.parametrize(
    "metric, at_least, aim, value, verdict",
    [
        ("auc", "classical", "classical", 0.86, "aim"),
        ("auc", "classical", "classical", 0.85, "at least"),  # as good as the linear model is not better
        ("auc", "classical", "classical", 0.83, "no"),
        ("auc", "trees", "trees", 0.83, "aim"),
        ("rmse", "trees, 2 %", "trees", 9.9, "aim"),
        ("rmse", "trees, 2 %", "trees", 10.2, "at least"),
        ("rmse", "trees, 2 %", "trees", 10.3, "no"),
        ("mse", 12.0, 8.0, 8.0, "aim"),
        ("mse", 12.0, 8.0, 12.0, "at least"),
        ("mse", None, None, 1.0, ""),
    ],
)
def test_goals_are_figures_or_rivals(metric, at_least, aim, value, verdict) -> None:
    row = replace(PEOPLE, metric=metric, at_least=at_least, aim=aim)
    trees, linear = ((0.82, 0.80, 0.84), (0.85, 0.84, 0.86)) if metric == "auc" else ((10, 9, 11), (20, 18, 22))
    ends = ("value", "low", "high")
    result = {"lamina": {"value": value}, "trees": dict(zip(ends, trees, strict=True)),
              "linear": dict(zip(ends, linear, strict=True))}  # fmt: skip
    assert page.reached(row, result) == verdict


def test_only_one_benchmark_runs_at_a_time(tmp_path: Path) -> None:
    with alone(tmp_path), pytest.raises(Busy, match=f"Process {os.getpid()} "), alone(tmp_path):
        pass
    with alone(tmp_path):
        pass


def test_the_fingerprint_follows_names_and_contents(tmp_path: Path) -> None:
    first, second = tmp_path / "a.py", tmp_path / "b.py"
    first.write_text("1")
    before = fingerprint([first], tmp_path)
    assert fingerprint([first], tmp_path) == before
    first.write_text("2")
    assert fingerprint([first], tmp_path) != before
    first.write_text("1")
    first.rename(second)
    assert fingerprint([second], tmp_path) != before


def test_every_row_can_be_loaded(data_folder: Path, tmp_path: Path) -> None:
    small = [row for row in ROWS.values() if row.name not in {"mnist", "diamonds"}]  # these two only take longer
    for row in small:
        train, test = row.load(data_folder / row.place, tmp_path, row.seeds - 1)
        assert all(path.exists() for path in [*train.files, *test.files])
        assert len(train.rows) == len(train.truth) > len(test.rows) == len(test.truth)
        if row.positive:
            assert row.positive in {class_name(value) for value in test.truth}


def test_one_row_from_training_to_result(data_folder: Path, tmp_path: Path) -> None:
    row = ROWS["breast_cancer_wisconsin"]
    for what in ("classical", "lamina"):
        run_module("benchmarks.quality.one", what, row.name, "0", str(data_folder), str(tmp_path), "10s")
    result = summarise(row, [tmp_path], [tmp_path])
    assert result["rows"] == {"train": 559, "test": 140}
    assert result["lamina"]["value"] == pytest.approx(result["evaluate_says"][0])
    assert result["trees"]["value"] > 0.9
    assert result["peak_mib"][0] > 100


def test_the_command_refuses_a_row_that_is_not_there() -> None:
    with pytest.raises(subprocess.CalledProcessError) as caught:
        run_module("benchmarks.quality", "titanik")
    assert caught.value.returncode == 2
    assert "There is no row 'titanik'" in " ".join(caught.value.stderr.split())


def run_module(module: str, *arguments: str) -> None:
    repository = Path(page.__file__).parents[2]
    path = os.pathsep.join([str(repository), str(repository / "src")])
    subprocess.run([sys.executable, "-m", module, *arguments], cwd=repository, text=True, check=True,
                   env={**os.environ, "PYTHONPATH": path}, capture_output=True)  # fmt: skip


def test_intents_with_questions_out_of_scope_are_kept_as_words() -> None:
    kept = plain(ROWS["clinc150_oos"], np.array(["translate", "oos"]))
    assert kept.tolist() == ["translate", "oos"] and kept.dtype.kind == "U"
