"""A small chatbot: pairs in, known answers out, and a word for what it does not know."""

import io
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import lamina
from lamina.api import chat_to, make_plan
from lamina.data import sample
from lamina.ground import UsageError

QUICK = {"training.steps": 150, "training.precision": "float32", "split.test": 0.2, "outputs.answer.kind": "reply"}


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> lamina.Run:
    place = tmp_path_factory.mktemp("chat")
    sample("library").frame.write_csv(place / "library.csv")
    return lamina.train(place / "library.csv", predict="answer", set=QUICK, out=place / "run", quiet=True)


def test_a_known_answer_is_found_and_a_strange_question_gets_none(run: lamina.Run) -> None:
    figures = run.evaluation["metrics"]["answer"]
    assert run.evaluation["decides"] == "answer.accuracy"
    assert figures["recall_at_1"]["value"] > 0.8
    assert figures["recall_at_5"]["value"] >= figures["recall_at_1"]["value"]
    assert list(run.evaluation["baselines"]) == ["always the commonest answer", "answer to the likest question"]
    rows = pl.DataFrame({"question": ["Hello, where can I park?", "xylophone quarks"]})
    answers = lamina.load(run.path).predict(rows)
    assert answers.equals(run.predict(rows)) and answers.columns == ["answer", "answer_confidence"]
    assert answers["answer"][0].startswith("You may park")
    assert answers["answer"][1] == "I do not know."
    assert (run.path / "report.html").stat().st_size > 1000


def test_other_pairs_are_judged_and_what_no_row_answered_is_outside(run: lamina.Run, tmp_path: Path) -> None:
    frame = sample("library").frame.head(40)
    path = tmp_path / "more.jsonl"
    pl.concat([frame, frame.head(10).with_columns(answer=pl.lit("never said"))]).write_ndjson(path)
    found = run.evaluate(path)["metrics"]["answer"]
    assert found["recall_at_1"]["value"] > 0.5 and "outside_recall" in found


def test_every_line_is_answered(
    run: lamina.Run, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("Where can I park?\n\nIs there wifi?\n"))
    chat_to(str(run.path))
    first, second = capsys.readouterr().out.splitlines()
    assert first.startswith("You may park") and "wireless" in second


def test_runs_that_read_more_than_a_text_cannot_be_talked_to(trained: Path) -> None:
    with pytest.raises(UsageError, match="cannot be talked to: it reads"):
        chat_to(str(trained))


def test_the_data_says_whether_answers_are_looked_up_or_written(tmp_path: Path) -> None:
    draw = np.random.default_rng(0)
    asked = [" ".join(draw.choice(["who", "when", "where", "why", "how"], draw.integers(4, 12))) for _ in range(300)]
    said = [" ".join(draw.choice(["here", "there", "now", "never"], draw.integers(4, 12))) for _ in range(300)]
    kinds = {"columns.q.kind": "text", "columns.a.kind": "text"}
    asked, said = ([*texts[:200], *texts[:100]] for texts in (asked, said))
    for answers, kind in ((said, "reply"), ([text[::-1] for text in asked], "text")):
        rows = pl.DataFrame({"q": asked, "a": answers})
        assert make_plan(rows, predict="a", set=kinds).plan.outputs["a"].kind == kind
        other = {"reply": "text", "text": "reply"}[kind]
        chosen = make_plan(rows, predict="a", set=kinds | {"outputs.a.kind": other}).plan
        assert chosen.outputs["a"].kind == other
