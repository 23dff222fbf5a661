import numpy as np
import polars as pl
import pytest
import torch
from torch.nn import functional

from lamina.data import Chunk, Ragged
from lamina.data.vocabulary import FIRST, UNSEEN
from lamina.ground import DataError, Shape, tokens
from lamina.outputs import NextOutput


def chunk(texts: list[str | None]) -> Chunk:
    return Chunk(np.arange(len(texts)), pl.DataFrame({"text": texts}), lambda column, reference: b"")


def made() -> tuple[NextOutput, dict[str, object], torch.nn.Module]:
    torch.manual_seed(0)
    plan = NextOutput(column="text")
    facts = plan.fit([chunk(["abba", "abc"])])
    return plan, facts, plan.build(facts, Shape("tokens", 6))


def test_a_row_costs_the_log_of_each_true_token_given_the_place_before_it() -> None:
    plan, facts, layer = made()
    block = plan.prepare(chunk(["ab", "cab"]), facts)
    assert block.offsets is not None
    targets = Ragged(torch.from_numpy(block.values), torch.from_numpy(block.offsets))
    features = tokens(torch.randn(2, 4, 6), torch.tensor([3, 4]))
    raw = layer(features, targets)
    expected = functional.cross_entropy(layer.head(features.values[1, :3]), targets.values[2:].long(), reduction="sum")
    torch.testing.assert_close(raw[1, 0, 0], expected)
    assert raw[:, 0, 1:].tolist() == [[2, 2, 0], [3, 3, 0]]
    assert float(layer.loss(raw, targets).count) == 5


def test_an_unseen_character_is_charged_for_all_that_it_might_be() -> None:
    plan, facts, layer = made()
    block = plan.prepare(chunk(["a✓"]), facts)
    assert block.offsets is not None
    targets = Ragged(torch.from_numpy(block.values), torch.from_numpy(block.offsets))
    raw = layer(tokens(torch.randn(1, 3, 6), torch.tensor([3])), targets).detach()
    assert layer.decode(raw, {}).scores[0].tolist() == pytest.approx([float(raw[0, 0, 0]) + UNSEEN, 2, 2])


def test_what_follows_a_row_is_told_with_its_probability_and_is_never_unknown() -> None:
    _, _, layer = made()
    with torch.no_grad():
        layer.head.bias[:FIRST] = 100.0
    answers = layer.decode(layer(tokens(torch.randn(3, 4, 6), torch.tensor([1, 2, 4]))).detach(), {})
    assert set(answers.columns["text"]) <= set("abc")
    assert answers.scores.sum(1) == pytest.approx(np.ones(3)) and answers.scores[:, :FIRST].max() == 0


def test_a_network_begins_with_how_often_each_character_occurs() -> None:
    plan, facts, layer = made()
    assert np.asarray(facts["counts"])[FIRST:].tolist() == [3, 3, 1]
    chances = layer.head.bias.detach().softmax(0)
    assert float(chances[FIRST]) == pytest.approx(4 / 13) and float(chances[FIRST + 2]) == pytest.approx(2 / 13)
    assert list(plan.prepare(chunk(["a", None, ""]), facts).problems) == [1, 2]
    with pytest.raises(DataError, match="holds no text"):
        plan.fit([chunk([""])])
