import numpy as np
import polars as pl
import pytest
import torch

from lamina.data import Chunk, Ragged
from lamina.data.vocabulary import START, UNKNOWN
from lamina.ground import DataError, PlanError
from lamina.inputs import BeforeInput


def chunk(texts: list[str | None]) -> Chunk:
    return Chunk(np.arange(len(texts)), pl.DataFrame({"text": texts}), lambda column, reference: b"")


def test_place_i_of_the_features_has_seen_the_first_i_tokens() -> None:
    plan = BeforeInput(columns=("text",), width=5)
    facts = plan.fit([chunk(["abba", "b"])])
    block = plan.prepare(chunk(["ba", "", None, "x"]), facts)
    assert block.offsets is not None and np.diff(block.offsets).tolist() == [2, 0, 0, 1]
    assert block.values.tolist() == [4, 3, UNKNOWN]
    layer = plan.build(facts)
    found = layer(Ragged(torch.from_numpy(block.values), torch.from_numpy(block.offsets)))
    assert found.lengths is not None and found.lengths.tolist() == [3, 1, 1, 2]
    vectors = layer.vectors.weight
    assert torch.equal(found.values[0], vectors[[START, 4, 3]])
    assert torch.equal(found.values[3, :2], vectors[[START, UNKNOWN]])


def test_what_cannot_be_read_is_refused() -> None:
    with pytest.raises(DataError, match="'text' holds no text"):
        BeforeInput(columns=("text",)).fit([chunk([None, ""])])
    with pytest.raises(PlanError, match="one column"):
        BeforeInput(columns=("a", "b"))
    with pytest.raises(PlanError, match="at least 1 and 300"):
        BeforeInput(columns=("a",), most=10)
