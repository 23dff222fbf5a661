import numpy as np
import polars as pl
import pytest
import torch

from lamina.data import Chunk, Facts, Ragged
from lamina.data.vocabulary import END, START
from lamina.ground import DataError, Features, PlanError, Shape, tokens
from lamina.outputs import TextOutput

CELLS = ["ein Hund läuft", "eine Katze", "der Hund schläft", None]
SMALL = {"width": 16, "num_layers": 2, "heads": 2, "most": 300, "dropout": 0.0}


def chunk(cells: list[str | None]) -> Chunk:
    return Chunk(np.arange(len(cells)), pl.DataFrame({"de": cells}), lambda column, reference: b"")


def made(**more: object) -> tuple[TextOutput, Facts, torch.nn.Module, Features, Ragged]:
    torch.manual_seed(0)
    plan = TextOutput(column="de", **(SMALL | more))  # type: ignore[arg-type]
    facts = plan.fit([chunk(CELLS)])
    block = plan.prepare(chunk(CELLS[:3]), facts)
    assert block.offsets is not None
    targets = Ragged(torch.from_numpy(block.values), torch.from_numpy(block.offsets))
    layer = plan.build(facts, Shape("tokens", 8)).eval()
    return plan, facts, layer, tokens(torch.randn(3, 5, 8), torch.tensor([5, 2, 4])), targets


@torch.no_grad()
def test_writing_step_by_step_costs_what_the_whole_does() -> None:
    _, _, layer, features, targets = made()
    whole = layer(features, targets)[:, 0, 1]
    for row in range(3):
        start, end = targets.offsets[row : row + 2].tolist()
        known = [*targets.values[start:end].tolist(), END]
        alone = tokens(features.values[row : row + 1, : features.lengths[row]], features.lengths[row : row + 1])  # type: ignore[index]
        state, last, cost = layer.start(alone), START, 0.0
        for token in known:
            scores, state = layer.decoder.step(state, torch.tensor([last]))
            cost -= float(scores.log_softmax(-1)[0, token])
            last = token
        assert cost == pytest.approx(float(whole[row]), rel=1e-4)


@torch.no_grad()
def test_an_answer_depends_on_its_own_features_and_not_on_their_padding() -> None:
    _, _, layer, features, _ = made()
    padded = tokens(torch.nn.functional.pad(features.values, (0, 0, 0, 3), value=9.0), features.lengths)
    answers, same = (layer.decode(layer(each), {}) for each in (features, padded))
    assert answers.scores.tolist() == same.scores.tolist()
    alone = layer.decode(layer(tokens(features.values[1:2, :2], torch.tensor([2]))), {})
    assert alone.scores[0] == answers.scores[1]
    np.testing.assert_allclose(alone.columns["de_confidence"][0], answers.columns["de_confidence"][1], rtol=1e-4)


def test_a_few_answers_are_learned_and_written_by_one_beam_or_several() -> None:
    _, _, layer, features, targets = made()
    update = torch.optim.Adam(layer.parameters(), 0.01)
    for _ in range(120):
        update.zero_grad()
        layer.loss(layer(features, targets), targets).mean().backward()
        update.step()
    for beams in (1, 4):
        layer.plan = TextOutput(column="de", **(SMALL | {"beams": beams}))  # type: ignore[arg-type]
        with torch.no_grad():
            answers = layer.decode(layer(features), {})
        assert answers.columns["de"].tolist() == CELLS[:3]
        assert answers.columns["de_confidence"].min() > 0.5


def test_a_gap_is_no_answer_and_a_column_of_gaps_nothing_to_learn_from() -> None:
    plan, facts, *_ = made()
    assert list(plan.prepare(chunk(CELLS), facts).problems) == [3]
    with pytest.raises(DataError, match="'de' holds no text"):
        plan.fit([chunk([None, ""])])


@pytest.mark.parametrize("settings", [{"width": 10}, {"beams": 0}, {"dropout": 1.0}, {"smoothing": -0.1}, {"most": 5}])
def test_settings_that_do_not_do_are_refused(settings: dict[str, float]) -> None:
    with pytest.raises(PlanError, match="outputs of text"):
        TextOutput(column="de", **(SMALL | settings))  # type: ignore[arg-type]
