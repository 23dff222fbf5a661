"""Every output keeps the same laws; adding one to `OUTPUTS` puts it under them."""

import json

import numpy as np
import pytest
import torch
from scenes import ROWS, chunks, features

from lamina.data import Facts
from lamina.ground import Shape
from lamina.outputs import OUTPUTS, OutputLayer, OutputPlan

COLUMN = {"number": "other", "category": "category", "labels": "labels", "image": "image"}
MEMBERS = [None, 3]


def plan(kind: str) -> OutputPlan:
    return OUTPUTS[kind](column=COLUMN[kind])


ALONE_OR_NOT = [(kind, members) for kind in OUTPUTS for members in MEMBERS
                if members is None or "vector" in OUTPUTS[kind].accepts]  # fmt: skip
"""A grid belongs to a single network."""


def shape(kind: str, members: int | None) -> Shape:
    return Shape("grid", 12, (10, 12)) if "grid" in OUTPUTS[kind].accepts else Shape("vector", 12, members=members)


def scene(kind: str, members: int | None = None) -> tuple[Facts, OutputLayer, torch.Tensor, list[int]]:
    """Facts, layer, targets of the usable rows and which these are."""
    torch.manual_seed(0)
    facts = plan(kind).fit(chunks(16))
    (chunk,) = chunks(ROWS)
    block = plan(kind).prepare(chunk, facts)
    rows = [row for row in range(ROWS) if row not in block.problems]
    return facts, plan(kind).build(facts, shape(kind, members)), torch.from_numpy(block.values)[rows], rows


@pytest.mark.parametrize("kind, members", ALONE_OR_NOT)
def test_losses_of_parts_add_up_to_that_of_the_whole(kind: str, members: int | None) -> None:
    _, layer, targets, rows = scene(kind, members)
    raw = layer(features(shape(kind, members), len(rows)))
    assert raw.shape[:2] == (len(rows), members or 1)
    whole = layer.loss(raw, targets)
    parts = [layer.loss(raw[start : start + 20], targets[start : start + 20]) for start in range(0, len(rows), 20)]
    torch.testing.assert_close(sum(part.total for part in parts), whole.total)
    assert sum(float(part.count) for part in parts) == pytest.approx(float(whole.count))


@pytest.mark.parametrize("kind", OUTPUTS)
def test_a_weight_counts_as_so_many_rows(kind: str) -> None:
    _, layer, targets, rows = scene(kind)
    raw = layer(features(shape(kind, None), len(rows)))
    weight = torch.ones(len(rows))
    weight[3] = 2
    twice = [*range(len(rows)), 3]
    torch.testing.assert_close(layer.loss(raw, targets, weight).mean(), layer.loss(raw[twice], targets[twice]).mean())


@pytest.mark.parametrize("kind, members", ALONE_OR_NOT)
def test_gradients_reach_every_parameter(kind: str, members: int | None) -> None:
    _, layer, targets, rows = scene(kind, members)
    layer.loss(layer(features(shape(kind, members), len(rows))), targets).mean().backward()
    assert all(parameter.grad is not None for parameter in layer.parameters())


@pytest.mark.parametrize("kind", OUTPUTS)
def test_answers_have_a_row_each_and_can_be_judged(kind: str) -> None:
    _, layer, targets, rows = scene(kind)
    answers = layer.decode(layer(features(shape(kind, None), len(rows))).detach(), {})
    assert len(answers.scores) == len(rows)
    assert next(iter(answers.columns)) == COLUMN[kind]
    assert all(len(column) == len(rows) for column in answers.columns.values())
    metrics = layer.metrics()
    assert layer.decides in metrics
    assert np.isfinite(metrics[layer.decides].measure(answers.scores, targets.numpy()))


@pytest.mark.parametrize("kind", OUTPUTS)
def test_saving_keeps_what_calibration_found(kind: str) -> None:
    facts, layer, targets, rows = scene(kind)
    raw = layer(features(shape(kind, None), len(rows))).detach()
    layer.calibrate(raw, targets)
    torch.manual_seed(1)
    other = plan(kind).build(facts, shape(kind, None))
    other.load_state_dict(layer.state_dict())
    one, two = layer.decode(raw, {}), other.decode(raw, {})
    assert np.array_equal(one.scores, two.scores)
    for name in one.columns:
        assert all(
            np.array_equal(mine, theirs) for mine, theirs in zip(one.columns[name], two.columns[name], strict=True)
        )


@pytest.mark.parametrize("kind", OUTPUTS)
def test_facts_are_plain_and_know_only_the_rows_given(kind: str) -> None:
    facts, again = plan(kind).fit(chunks(16, range(40))), plan(kind).fit(chunks(7, range(40)))
    json.dumps({name: value for name, value in facts.items() if not isinstance(value, np.ndarray)})
    assert facts.keys() == again.keys()
    for name, value in facts.items():
        same = np.array_equal(value, again[name]) if isinstance(value, np.ndarray) else value == again[name]
        assert same or value == pytest.approx(again[name])
