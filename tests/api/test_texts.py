from pathlib import Path

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
