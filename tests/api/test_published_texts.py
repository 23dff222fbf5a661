"""Training on texts that begins with a published encoder, from its folder to the run."""

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import torch
from hidden import tiny_bert
from hidden.tiny_bert import LAYERS, PLACES, WIDTH

import lamina
from lamina.data.vocabulary import FIRST
from lamina.ground import PlanError


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What was said of films: good or bad, some at greater length than the encoder reads at once."""
    random = np.random.default_rng(0)
    rows = [
        (f"The film is {'very ' * int(random.integers(0, 12))}{word}.", "yes" if word in ("good", "kind") else "no")
        for word in random.choice(["good", "bad", "unkind", "very good", "very bad"], 90)
    ]
    path = tmp_path_factory.mktemp("films") / "films.csv"
    pl.DataFrame(rows, schema=["said", "liked"], orient="row").write_csv(path)
    return path


def train(films: Path, encoder: Path, out: Path, **more: Any) -> lamina.Run:
    settings = {"hidden.name": "bert", "hidden.weights": str(encoder), "columns.said.kind": "text",
                "training.precision": "float32", "training.steps": 4, "split.test": 0.2, **more}  # fmt: skip
    return lamina.train(films, predict="liked", set=settings, out=out, quiet=True)


def test_one_folder_settles_tokens_sizes_and_how_it_is_tuned(films: Path, tmp_path: Path) -> None:
    tensors = tiny_bert.write(tmp_path / "encoder")
    run = train(films, tmp_path / "encoder", tmp_path / "run")
    plan = run.plan
    source, layers = plan.inputs["said"], plan.hidden
    assert (source.kind, source.width) == ("tokens", WIDTH)  # type: ignore[attr-defined]
    assert (layers.num_layers, layers.window) == (LAYERS, PLACES)  # type: ignore[attr-defined]
    assert (plan.training.learning_rate, plan.training.ensemble, plan.training.batch_size) == (3e-5, 1, 16)
    hidden = run.network.hidden
    for number in range(LAYERS):  # short steps from the file, not from a random start
        found, given = (
            hidden.blocks[number].query.weight,
            tensors[f"bert.encoder.layer.{number}.attention.self.query.weight"],
        )
        assert not torch.equal(found, given)
        torch.testing.assert_close(found.detach(), given, atol=0.01, rtol=0)
    (tmp_path / "encoder").rename(tmp_path / "gone")  # a run needs neither the folder's tokens nor its weights
    answers = lamina.load(run.path).predict(films)
    assert set(answers["liked"]) <= {"yes", "no"}


def test_a_frozen_encoder_stays_as_it_is_and_what_follows_learns(films: Path, tmp_path: Path) -> None:
    tensors = tiny_bert.write(tmp_path / "encoder", "distilbert")
    run = train(films, tmp_path / "encoder", tmp_path / "run", **{
        "hidden.freeze": "all", "training.steps": 150, "training.learning_rate": 0.05, "training.ensemble": 1,
    })  # fmt: skip
    vectors = run.network.inputs["said"].vectors.weight
    assert torch.equal(vectors[FIRST:], tensors["distilbert.embeddings.word_embeddings.weight"])
    assert torch.equal(
        run.network.hidden.blocks[0].widen.weight, tensors["distilbert.transformer.layer.0.ffn.lin1.weight"]
    )
    assert run.evaluation["metrics"]["liked"]["accuracy"]["value"] > 0.75


def test_a_trunk_reads_a_text_beside_other_columns(films: Path, tmp_path: Path) -> None:
    tiny_bert.write(tmp_path / "encoder", "roberta")
    table = pl.read_csv(films).with_columns(stars=pl.Series(np.arange(90) % 5))
    settings = {"trunks.reader.name": "bert", "trunks.reader.weights": str(tmp_path / "encoder"),
                "inputs.said.trunk": "reader", "columns.said.kind": "text", "training.steps": 2,
                "training.precision": "float32", "split.test": 0.2}  # fmt: skip
    run = lamina.train(table, predict="liked", set=settings, out=tmp_path / "run", quiet=True)
    assert run.plan.inputs["said"].kind == "tokens"
    assert run.plan.trunks["reader"].inner == tiny_bert.INNER  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "settings, said",
    [
        ({"inputs.said.kind": "tokens"}, r"inputs.NAME.kind=tokens --set inputs.NAME.vocabulary="),
        ({"inputs.said.kind": "tokens", "inputs.said.width": 16}, r"inputs.NAME.kind=tokens --set inputs.NAME.vocab"),
        ({"inputs.said.width": 8}, "tokens of 16 numbers, but those that reach it have 8"),
        ({"hidden.inner": 7}, "in other shapes than the plan says"),
        ({"inputs.said.unit": "words"}, "beside a published vocabulary"),
        ({"hidden.freeze": 9}, "there are 3 stages"),
    ],
)
def test_what_does_not_fit_the_folder_is_refused(
    settings: dict[str, Any], said: str, films: Path, tmp_path: Path
) -> None:
    tiny_bert.write(tmp_path / "encoder")
    with pytest.raises(PlanError, match=said):
        train(films, tmp_path / "encoder", tmp_path / "run", **settings)
