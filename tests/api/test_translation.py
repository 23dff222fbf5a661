from pathlib import Path

import numpy as np
import polars as pl
import pytest

import lamina
from lamina.ground import PlanError

WORDS = {"red": "rot", "blue": "blau", "dog": "hund", "cat": "katze", "bird": "vogel"}
QUICK = {
    "training.steps": 150, "training.learning_rate": 0.004, "training.precision": "float32", "hidden.width": 32,
    "columns.en.kind": "text", "columns.de.kind": "text", "hidden.num_layers": 1, "inputs.en.width": 32, "outputs.de.kind": "text", "outputs.de.width": 32, "outputs.de.num_layers": 1,
}  # fmt: skip


def sentences(rows: int = 300) -> tuple[list[str], list[str]]:
    random = np.random.default_rng(0)
    said = [(random.choice(["red", "blue"]), random.choice(["dog", "cat", "bird"])) for _ in range(2 * rows)]
    pairs = [(*one, *other) for one, other in zip(said[:rows], said[rows:], strict=True)]
    english = [f"the {a} {b} and the {c} {d} ." for a, b, c, d in pairs]
    german = [f"{WORDS[b]} {WORDS[a]} und {WORDS[d]} {WORDS[c]} ." for a, b, c, d in pairs]
    return english, german


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> lamina.Run:
    pytest.importorskip("sacrebleu")
    place = tmp_path_factory.mktemp("pairs")
    english, german = sentences()
    for part, rows in (("train", slice(0, 260)), ("val", slice(260, 280)), ("test", slice(280, 300))):
        (place / f"{part}.en").write_text("\n".join(english[rows]) + "\n", "utf-8")
        (place / f"{part}.de").write_text("\n".join(german[rows]) + "\n", "utf-8")
    return lamina.train(place, predict="de", set=QUICK, out=tmp_path_factory.mktemp("runs") / "run", quiet=True)


def test_a_column_of_texts_is_translated_and_measured_by_bleu(run: lamina.Run) -> None:
    found = run.evaluation
    assert found["decides"] == "de.bleu" and found["rows"] == 20
    assert list(found["baselines"]) == ["always the commonest answer", "copy", "answer to the likest text"]
    assert found["metrics"]["de"]["bleu"]["value"] > found["baselines"]["copy"]["de"]["bleu"]["value"]
    assert {"where", "truth", "answer", "cells"} <= set(found["worst"]["de"][0])
    assert any("nrefs:1|case:mixed" in note for note in found["notes"])
    assert (run.path / "report.html").stat().st_size > 1000


def test_a_loaded_run_writes_the_same_and_answers_with_a_confidence(run: lamina.Run) -> None:
    rows = pl.DataFrame({"en": ["the red dog and the blue cat .", "", None, "✓ never seen"]})
    answers = lamina.load(run.path).predict(rows)
    assert answers.equals(run.predict(rows)) and answers.columns == ["de", "de_confidence"]
    assert answers["de"].dtype == pl.String and "hund" in answers["de"][0]
    assert answers["de_confidence"].is_between(0, 1).all()


def test_other_rows_are_judged_beside_simpler_ways(run: lamina.Run, tmp_path: Path) -> None:
    english, german = sentences(30)
    path = tmp_path / "more.csv"
    pl.DataFrame({"en": english, "de": german}).write_csv(path)
    found = run.evaluate(path)
    assert found["rows"] == 30 and 0 <= found["metrics"]["de"]["bleu"]["value"] <= 100.001
    assert "copy" in found["baselines"]


@pytest.mark.parametrize(
    "settings, words",
    [({"training.ensemble": 3}, "a single network"), ({"outputs.de.heads": 5}, "multiple of")],
)
def test_plans_that_do_not_do_are_refused(tmp_path: Path, settings: dict[str, object], words: str) -> None:
    english, german = sentences(60)
    rows = pl.DataFrame({"en": english, "de": german})
    with pytest.raises(PlanError, match=words):
        lamina.train(rows, predict="de", set=settings | {"columns.de.kind": "text", "columns.en.kind": "text"},
                     out=tmp_path / "run", quiet=True)  # fmt: skip
