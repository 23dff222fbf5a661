import json
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from small import quick

import lamina

WANTED, ELSE = "please close this and open that", "please open this and close that"
"""The same words; only their order tells them apart."""


def orders(rows: int = 160) -> pl.DataFrame:
    random = np.random.default_rng(0)
    wanted = random.random(rows) < 0.5
    names = random.choice(["ann", "bob", "cleo", "dan"], rows)
    texts = [f"{name} {WANTED if each else ELSE}" for name, each in zip(names, wanted, strict=True)]
    return pl.DataFrame({"message": texts, "kind": np.where(wanted, "first", "second")})


@pytest.mark.parametrize("layers", ["gru", "textconv", "transformer"])
def test_layers_for_sequences_tell_texts_apart_that_hold_the_same_words(tmp_path: Path, layers: str) -> None:
    settings = quick(steps=60, optimizer="adamw", learning_rate=0.01, batch_size=32) | {
        "columns.message.kind": "text", "inputs.message.kind": "tokens", "hidden.name": layers, "hidden.width": 16,
    }  # fmt: skip
    run = lamina.train(orders(), predict="kind", set=settings, out=tmp_path / "run", quiet=True)
    again = lamina.load(tmp_path / "run")  # verified by its golden answers
    unseen = pl.DataFrame({"message": [f"eve {WANTED}", f"eve {ELSE}", "", None]})
    answers = again.predict(unseen)
    assert answers["kind"].to_list()[:2] == ["first", "second"]
    assert answers.equals(run.predict(unseen))


def test_texts_in_their_order_stand_beside_other_columns(tmp_path: Path) -> None:
    rows = orders().with_columns(age=pl.int_range(pl.len()) % 60)
    settings = quick() | {
        "columns.message.kind": "text", "inputs.message.kind": "tokens", "inputs.message.trunk": "read",
        "trunks.read.name": "gru", "trunks.read.width": 8,
    }  # fmt: skip
    run = lamina.train(rows, predict="kind", set=settings, out=tmp_path / "run", quiet=True)
    assert len(run.predict(rows)) == len(rows)


def test_a_bag_and_layers_that_read_in_order_answer_side_by_side(tmp_path: Path) -> None:
    """A bag of single words cannot tell these texts apart, so the answer is that of the other member."""
    settings = {name: value for name, value in quick().items() if not name.startswith("hidden.")} | {
        "training.steps": 60, "training.learning_rate": 0.01, "training.batch_size": 32, "training.ensemble": 1,
        "columns.message.kind": "text", "inputs.message.words": 1, "inputs.message.letters": None,
        "inputs.read.kind": "words", "inputs.read.columns": ["message"], "inputs.read.trunk": "order",
        "trunks.order.name": "textconv", "trunks.order.width": 16, "hidden.name": "apart",
    }  # fmt: skip
    lamina.train(orders(), predict="kind", set=settings, out=tmp_path / "run", quiet=True)
    run = lamina.load(tmp_path / "run")
    assert run.network.hidden.shape.members == 2
    assert run.predict(pl.DataFrame({"message": [f"eve {WANTED}", f"eve {ELSE}"]}))["kind"].to_list() == [
        "first", "second"
    ]  # fmt: skip


def distant(rows: int = 2_100) -> pl.DataFrame:
    """Short texts of many words, of which two count: which of these comes first, a word or two before the other."""
    random = np.random.default_rng(0)
    first = random.random(rows) < 0.5
    others = np.array([f"{start}{end}" for start in ("ba", "du", "fi", "ko") for end in ("lm", "rst", "nd", "sk")])
    texts = []
    for swap in first:
        one, other = ("north", "south") if swap else ("south", "north")
        before, between, after = (list(random.choice(others, count)) for count in (2, random.integers(1, 3), 2))
        texts.append(" ".join([*before, one, *between, other, *after]))
    return pl.DataFrame({"message": texts, "kind": np.where(first, "up", "down")})


def test_words_are_read_in_their_order_as_well_where_that_tells_texts_apart(tmp_path: Path) -> None:
    settings = {"training.ensemble": 1, "training.epochs": 4, "training.precision": "float32"}
    run = lamina.train(distant(), predict="kind", set=settings, out=tmp_path / "run", quiet=True, time=600)
    assert "words in their order are tried too" in dict(lamina.make_plan(distant(), predict="kind").lines())["beside"]
    plan = run.plan
    assert [part.kind for part in plan.inputs.values()] == ["text", "words", "words"]
    assert [trunk.name for trunk in plan.trunks.values()] == ["textconv", "gru"]
    assert plan.hidden.name == "apart"
    assert run.folder.state()["reasons"]["inputs"].startswith("words in their order are kept")
    assert run.evaluate()["metrics"]["kind"]["accuracy"]["value"] > 0.9
    steps = [line["step"] for line in map(json.loads, run.folder.text("history.jsonl").splitlines())]
    assert steps == sorted(set(steps)), "the history is that of one candidate"


@pytest.mark.parametrize(
    "why, more, rows, tail",
    [
        ("the time is short", {"time": 60}, 2_100, ""),
        ("somebody chose the inputs", {"set": {"inputs.message.words": 1}}, 2_100, ""),
        ("rows are few", {"test": distant(100)}, 700, ""),
        ("folds judge", {}, 1_400, ""),
        ("a text is a book", {}, 2_100, " and so on" * 30),
    ],
)
def test_nothing_is_tried_beside_a_bag_where(why: str, more: dict[str, Any], rows: int, tail: str) -> None:
    table = distant(rows).with_columns(pl.col("message") + tail)
    settings = {"columns.message.kind": "text", "training.ensemble": 1} | more.get("set", {})
    assert lamina.make_plan(table, predict="kind", **more | {"set": settings}).other is None, why
