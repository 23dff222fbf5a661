"""Words with tags, from the file to the answer."""

import json
import os
import signal
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import torch
from safetensors.torch import load_file

import lamina
from lamina.api import predict_to
from lamina.ground import DataError, PlanError
from lamina.report import Silent

PEOPLE, PLACES = ["Anna", "Ben", "Clara", "David", "Emma"], ["Paris", "Rome", "Oslo", "New York", "Lima"]


def sentences(count: int, seed: int = 0) -> list[tuple[list[str], list[str]]]:
    """Who is where; nobody is a person or a place by name alone, for places are called like people at times."""
    random = np.random.default_rng(seed)
    made = []
    for _ in range(count):
        person, place = random.choice([*PEOPLE, "Paris"]), random.choice([*PLACES, "Anna"]).split()
        where = ["B-place", *["I-place"] * (len(place) - 1)]
        if random.random() < 0.5:
            made.append(([person, "lives", "in", *place], ["B-person", "O", "O", *where]))
        else:
            made.append((["in", *place, "we", "met", person, "."], ["O", *where, "O", "O", "B-person", "O"]))
    return made


def write(path: Path, rows: list[tuple[list[str], list[str]]]) -> Path:
    lines = ("".join(f"{word}\t{tag}\n" for word, tag in zip(*row, strict=True)) for row in rows)
    path.write_text("\n".join(lines))
    return path


def quick(**more: Any) -> dict[str, Any]:
    return {
        "training.steps": 120, "training.batch_size": 16, "training.precision": "float32", "split.test": 0.2,
        "training.learning_rate": 0.01,
    } | {f"training.{name}": value for name, value in more.items()}  # fmt: skip


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tags")
    write(folder / "notes.conll", sentences(150))
    settings = {**quick(), "inputs.tokens.width": 16, "hidden.width": 16}
    lamina.train(folder / "notes.conll", set=settings, out=folder / "run", quiet=True)
    return folder / "run"


def test_names_are_found_where_words_alone_would_not_tell(run: Path) -> None:
    evaluation = lamina.load(run).evaluation
    assert evaluation["decides"] == "tags.span_f1"
    found, usual = (
        each["tags"]["span_f1"]
        for each in (evaluation["metrics"], evaluation["baselines"]["most frequent tag of each word"])
    )
    assert found["value"] > 0.95 > usual["value"]
    assert found["low"] <= found["value"] <= found["high"]
    assert "better than the most frequent tag of each word" in evaluation["verdict"]
    assert {row["class"] for row in evaluation["per_class"]["tags"]} == {"person", "place"}
    assert "span F1" in (run / "report.html").read_text()


def test_spans_are_found_in_running_text(run: Path) -> None:
    found = lamina.load(run).predict({"tokens": "Emma lives in New York"})
    assert found["tags"].to_list() == [["B-person", "O", "O", "B-place", "I-place"]]
    spans = found["tags_spans"].to_list()[0]
    assert [(span["type"], span["text"], span["start"], span["end"]) for span in spans] == [
        ("person", "Emma", 0, 4), ("place", "New York", 14, 22),
    ]  # fmt: skip
    assert all(0 < span["confidence"] <= 1 for span in spans)
    assert 0 < found["tags_confidence"][0] <= 1


def test_answers_are_the_same_from_python_and_the_command_line(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = sentences(5, seed=1)
    path = write(tmp_path / "new.conll", rows)
    found = lamina.load(run).predict(path)
    as_lists = pl.DataFrame({"tokens": [words for words, _ in rows]})
    assert found.equals(lamina.load(run).predict(as_lists))
    predict_to(str(run), [str(path)], [], None, confidence=True, as_json=True)
    printed = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [row["tags"] for row in printed] == found["tags"].to_list()
    for name in ("a.csv", "a.jsonl", "a.parquet"):
        predict_to(str(run), [str(path)], [], str(tmp_path / name), confidence=True, as_json=False)
    assert pl.read_parquet(tmp_path / "a.parquet").equals(found)
    cells = pl.read_csv(tmp_path / "a.csv")["tags"].to_list()
    assert [json.loads(cell) for cell in cells] == found["tags"].to_list()


def test_other_rows_are_judged_as_conlleval_would(run: Path, tmp_path: Path) -> None:
    found = lamina.load(run).evaluate(write(tmp_path / "new.conll", sentences(40, seed=2)))
    assert found["rows"] == 40
    assert found["metrics"]["tags"]["span_f1"]["value"] > 0.9
    assert "most frequent tag of each word" in found["baselines"]


def test_an_empty_text_has_no_tags(run: Path) -> None:
    found = lamina.load(run).predict({"tokens": ["Ben lives in Rome", None]})
    assert found["tags"].to_list()[1] == []
    assert found["tags_spans"].to_list()[1] == []


def test_texts_of_a_folder_are_read_as_the_words_that_were_learned_from(run: Path, tmp_path: Path) -> None:
    for number, text in enumerate(["Emma lives in Oslo", "in Lima we met Ben ."]):
        (tmp_path / f"{number}.txt").write_text(text)
    found = lamina.load(run).predict(tmp_path)["tags_spans"].to_list()
    assert [[span["text"] for span in row] for row in found] == [["Emma", "Oslo"], ["Lima", "Ben"]]


def test_words_and_tags_can_be_lists_of_python(run: Path) -> None:
    words, tags = zip(*sentences(20, seed=3), strict=True)
    held = lamina.load(run)
    assert held.evaluate({"tokens": list(words), "tags": list(tags)})["rows"] == 20
    assert held.predict({"tokens": [["Ben", "lives", "in", "Lima"], None]})["tags"].to_list()[1] == []


def test_mistakes_are_told_as_spans(run: Path) -> None:
    evaluation = lamina.load(run).evaluation
    for mistake in evaluation["worst"]["tags"]:
        assert mistake["answer"] != mistake["truth"]
        assert "(" in mistake["truth"] and "[" not in mistake["cells"]["tokens"]
        assert mistake["where"].startswith("notes.conll, line ")


def test_tags_that_are_judged_but_not_learned_are_said(tmp_path: Path) -> None:
    rows = sentences(40)
    write(tmp_path / "train.conll", rows)
    words, tags = rows[0]
    write(tmp_path / "test.conll", [*rows[:12], ([*words, "Monday"], [*tags, "B-day"])])
    settings = {**quick(steps=2), "split.test": None}
    run = lamina.train(
        [tmp_path / "train.conll", tmp_path / "test.conll"], set=settings, out=tmp_path / "run", quiet=True
    )
    findings = json.loads((run.path / "data.json").read_text())["findings"]
    assert any("'B-day'" in each["text"] and "never learned" in each["text"] for each in findings)
    assert run.evaluation["rows"] == 13


def test_rows_whose_tags_do_not_fit_are_named_and_left_out(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = sentences(100)
    rows[7][1].pop()
    path = tmp_path / "a.jsonl"
    path.write_text("\n".join(json.dumps({"tokens": words, "tags": tags}) for words, tags in rows))
    settings = quick(steps=2)
    run = lamina.train(path, predict="tags", set=settings, out=tmp_path / "run", quiet=True)
    data = json.loads((run.path / "data.json").read_text())
    assert data["problems"]["rows"] == 1
    assert "a.jsonl, line 8" in data["problems"]["first"][0]["where"]
    assert "tags for the" in data["problems"]["first"][0]["reason"]
    for row in rows[:20]:
        row[1].append("O")
    path.write_text("\n".join(json.dumps({"tokens": words, "tags": tags}) for words, tags in rows))
    with pytest.raises(DataError, match="rows cannot be used"):
        lamina.train(path, predict="tags", set=settings, out=tmp_path / "other", quiet=True)


def test_a_class_and_tags_are_learned_from_one_text(tmp_path: Path) -> None:
    rows = sentences(150)
    frame = pl.DataFrame({
        "text": [" ".join(words) for words, _ in rows], "slots": [tags for _, tags in rows],
        "intent": ["meet" if words[0] == "in" else "live" for words, _ in rows],
    })  # fmt: skip
    run = lamina.train(frame, predict=["intent", "slots"], set=quick(steps=60), out=tmp_path / "run", quiet=True)
    assert run.evaluation["decides"] == "skill"
    assert run.evaluation["metrics"]["intent"]["accuracy"]["value"] > 0.9
    found = run.predict({"text": "in Rome we met Clara"})
    assert found["intent"][0] == "meet"
    assert [span["text"] for span in found["slots_spans"].to_list()[0]] == ["Rome", "Clara"]


def test_several_networks_tag_together_though_the_rows_that_each_holds_out_differ_in_length(tmp_path: Path) -> None:
    rows = sentences(149)
    rows.append(([word for words, _ in rows[:9] for word in words], [tag for _, tags in rows[:9] for tag in tags]))
    settings = {**quick(steps=60, ensemble=3), "inputs.tokens.width": 16, "hidden.width": 16}
    run = lamina.train(write(tmp_path / "notes.conll", rows), set=settings, out=tmp_path / "run", quiet=True)
    assert run.evaluation["metrics"]["tags"]["span_f1"]["value"] > 0.8
    found = lamina.load(tmp_path / "run").predict({"tokens": "Emma lives in New York"})
    assert found["tags"].to_list() == [["B-person", "O", "O", "B-place", "I-place"]]
    assert 0 < found["tags_confidence"][0] <= 1


def test_an_interrupted_training_becomes_what_a_straight_one_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(tmp_path / "notes.conll", sentences(60))
    wanted = {**quick(steps=12, judge_every=4), "inputs.tokens.width": 8, "hidden.width": 8}
    told = []

    def stop(self: Silent, *news: object) -> None:
        if not told:
            told.append(news)
            os.kill(os.getpid(), signal.SIGINT)

    with monkeypatch.context() as patch, pytest.raises(lamina.Interrupted):
        patch.setattr(Silent, "news", stop)
        lamina.train(path, set=wanted, out=tmp_path / "run", quiet=True)
    lamina.train(path, set=wanted, out=tmp_path / "run", quiet=True)
    straight = lamina.train(path, set=wanted, out=tmp_path / "straight", quiet=True)
    one, other = (load_file(folder / "network.safetensors") for folder in (tmp_path / "run", straight.path))
    assert all(torch.equal(one[name], other[name]) for name in other)


def test_tags_stand_beside_a_number_that_other_columns_tell(tmp_path: Path) -> None:
    rows = sentences(80)
    frame = pl.DataFrame({
        "text": [" ".join(words) for words, _ in rows], "slots": [tags for _, tags in rows],
        "age": np.arange(80) * 0.37 % 7, "length": [2.5 * len(words) for words, _ in rows],
    })  # fmt: skip
    run = lamina.train(frame, predict=["length", "slots"], set=quick(steps=3), out=tmp_path / "run", quiet=True)
    assert run.plan.outputs["slots"].from_ == run.plan.inputs["text"].trunk
    assert set(run.predict(frame).columns) >= {"length", "slots", "slots_spans"}
    alone = lamina.train(frame, predict="slots", set=quick(steps=3), out=tmp_path / "alone", quiet=True)
    assert list(alone.plan.inputs) == ["text"]  # a column beside the words belongs to no single one


def test_tags_without_the_words_are_refused(tmp_path: Path) -> None:
    rows = sentences(60)
    frame = pl.DataFrame({"tags": [tags for _, tags in rows], "other": [float(row) for row in range(60)]})
    with pytest.raises((DataError, PlanError), match="no other column has as many words"):
        lamina.train(frame, predict="tags", set=quick(steps=2), out=tmp_path / "run", quiet=True)
