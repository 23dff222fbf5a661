import numpy as np
import polars as pl
import pytest
import torch

from lamina.data import Chunk, Facts
from lamina.ground import DataError, PlanError, Shape, vector
from lamina.outputs import ReplyOutput
from lamina.outputs.reply import ReplyLayer

PLAN = ReplyOutput(column="said", question="asked", width=16)
PAIRS = [
    ("Who are you?", "A bot."), ("who  are you?", "Nobody."), ("how old", "New."), ("how old", "New."),
    ("what now", "Tea?"), ("is it late", "Yes"),
]  # fmt: skip


def chunk(pairs: list[tuple[str, str | None]]) -> Chunk:
    frame = pl.DataFrame(pairs, schema={"asked": pl.String, "said": pl.String}, orient="row")
    return Chunk(np.arange(len(pairs)), frame, lambda column, reference: b"")


def built(plan: ReplyOutput = PLAN) -> tuple[ReplyLayer, Facts]:
    torch.manual_seed(0)
    facts = plan.fit([chunk(PAIRS[:2]), chunk(PAIRS[2:])])  # type: ignore[arg-type]
    return plan.build(facts, Shape("vector", 8)), facts


def test_different_answers_are_known_and_any_right_one_will_do() -> None:
    _, facts = built()
    assert facts["answers"] == ["A bot.", "New.", "Nobody.", "Tea?", "Yes"]
    assert facts["counts"].tolist() == [1, 2, 1, 1, 1]  # type: ignore[attr-defined]
    block = PLAN.prepare(chunk([*PAIRS, ("WHO are you?", "never met"), ("how old", "never met"), ("x", None)]), facts)
    right = [[number for number in row if number >= 0] for row in block.values.tolist()]
    assert right == [[0, 2], [2, 0], [1], [1], [3], [4], [0, 2], [1], []]
    assert set(block.problems) == {8} and "gap" in block.problems[8]


def test_the_loss_is_that_of_all_right_answers_together() -> None:
    layer, _ = built()
    raw = torch.randn(2, 3, 5)
    chances = raw.softmax(-1)
    expected = -(chances[0, :, 0] + chances[0, :, 2]).log().mean() - chances[1, :, 1].log().mean()
    found = layer.loss(raw, torch.tensor([[0, 2], [1, -1]]))
    torch.testing.assert_close(found.total, expected)
    assert found.count == 2


def test_right_pairs_move_together() -> None:
    layer, facts = built()
    questions = torch.eye(8)[: len(PAIRS)]
    targets = torch.from_numpy(PLAN.prepare(chunk(PAIRS), facts).values)  # type: ignore[arg-type]
    optimizer = torch.optim.Adam(layer.parameters(), lr=0.05)
    for _ in range(60):
        optimizer.zero_grad()
        layer.loss(layer(vector(questions)), targets).mean().backward()
        optimizer.step()
    answers = layer.decode(layer(vector(questions)).detach(), {})
    said = answers.columns["said"].tolist()
    assert said[0] in ("A bot.", "Nobody.") and said[2:] == ["New.", "New.", "Tea?", "Yes"]
    assert layer.metrics()["recall_at_1"].measure(answers.scores, targets.numpy()) == 1


def test_what_is_sure_enough_is_answered_and_nothing_else() -> None:
    layer, _ = built()
    generator = torch.Generator().manual_seed(0)
    targets = torch.randint(5, (999, 1), generator=generator)
    raw = torch.randn(999, 1, 5, generator=generator) + 3 * torch.eye(5)[targets[:, 0]][:, None]
    unknown = torch.full((100, 1), -1)
    layer.calibrate(torch.cat([raw, torch.zeros(100, 1, 5)]), torch.cat([targets, unknown]))
    answers = layer.decode(raw, {})
    away = answers.columns["said"] == PLAN.unknown
    assert away.mean() == pytest.approx(PLAN.none, abs=0.002)
    assert layer.decode(torch.zeros(1, 1, 5), {}).columns["said"][0] == PLAN.unknown
    sure = answers.columns["said_confidence"][~away]
    right = (answers.scores.argmax(1) == targets[:, 0].numpy())[~away]
    assert sure.mean() == pytest.approx(right.mean(), abs=0.03)


@pytest.mark.parametrize(
    "pairs, problem",
    [
        ([("a", "b"), ("c", "b")], "1 different answers in 2 training rows"),
        ([("a", None)], "0 different answers"),
    ],
)
def test_too_few_answers_are_refused(pairs: list[tuple[str, str | None]], problem: str) -> None:
    with pytest.raises(DataError, match=problem):
        PLAN.fit([chunk(pairs)])


@pytest.mark.parametrize("setting", [{"none": 0.5}, {"none": -0.1}, {"width": 0}])
def test_settings_that_do_not_do_are_refused(setting: dict[str, float]) -> None:
    with pytest.raises(PlanError, match=next(iter(setting))):
        ReplyOutput(column="said", question="asked", **setting)  # type: ignore[arg-type]


def test_right_answers_that_share_a_question_are_as_sure_as_one() -> None:
    """Two right answers of a half each, and one wrong answer of a little more: asked is whether any of them is right."""
    layer, facts = built()
    number = {answer: place for place, answer in enumerate(facts["answers"])}  # type: ignore[arg-type]
    chances = torch.full((3, 1, 5), 1e-6)
    chances[0, 0, [number["A bot."], number["Nobody."]]] = torch.tensor([0.5, 0.49])
    chances[1, 0, [number["A bot."], number["New."]]] = torch.tensor([0.5, 0.49])
    chances[2, 0, number["Tea?"]] = 1.0
    raw = chances.log()
    layer.line.fill_(0.9)
    answers = layer.decode(raw, {})
    assert answers.columns["said"].tolist() == ["A bot.", PLAN.unknown, "Tea?"]
    np.testing.assert_allclose(answers.columns["said_confidence"], [0.99, 0.5, 1.0], atol=0.02)
    assert answers.scores.argmax(1).tolist() == [number["A bot."], 5, number["Tea?"]]
    np.testing.assert_allclose(answers.scores.sum(1), 1, rtol=1e-5)
