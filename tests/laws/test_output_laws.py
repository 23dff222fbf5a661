"""Every output keeps the same laws; adding one to `OUTPUTS` puts it under them."""

import json

import numpy as np
import pytest
import torch
from scenes import ROWS, chunks, features, rows_of, values

from lamina.data import Block, Ragged, Values
from lamina.ground import Features, Shape, tokens
from lamina.outputs import OUTPUTS, OutputPlan

COLUMN = {"number": "other", "category": "category", "labels": "labels", "image": "image", "next": "text",
          "reply": "category", "tags": "tags", "photo": "image", "text": "text", "row": "other"}  # fmt: skip
MORE = {"reply": {"question": "text"}, "tags": {"words": "text"},
        "row": {"numbers": ("other", "number"), "categories": ("category",)}}  # fmt: skip
"""Settings that have no default."""
MEMBERS = [None, 3]


def plan(kind: str) -> OutputPlan:
    return OUTPUTS[kind](column=COLUMN[kind], **MORE.get(kind, {}))


def shape(kind: str, members: int | None) -> Shape:
    if kind == "photo":  # it goes on from the small photo, which it is handed beside the features
        return Shape("grid", 12, (12, 12), strides=(1,), widths=(1,))
    form = plan(kind).accepts[0]
    return Shape(form, 12, (10, 12) if form == "grid" else (), members=members)


def sides(*kinds: str) -> list[tuple[str, int | None]]:
    """Each kind alone and, where it takes vectors, as several members side by side."""
    return [
        (kind, members) for kind in kinds for members in MEMBERS if not members or plan(kind).accepts == ("vector",)
    ]


class Scene:
    """A layer with the usable rows of the scene: features, targets, raw scores."""

    def __init__(self, kind: str, members: int | None = None):
        torch.manual_seed(0)
        self.facts = plan(kind).fit(chunks(16))
        (chunk,) = chunks(ROWS)
        block = plan(kind).prepare(chunk, self.facts)
        self.rows = [row for row in range(ROWS) if row not in block.problems]
        self.layer = plan(kind).build(self.facts, shape(kind, members))
        self.targets = rows_of(values(block), self.rows)
        self.features = self._features(shape(kind, members), int(plan(kind).looks_back))

    def _features(self, form: Shape, start: int) -> Features:
        if form.form == "grid" or not isinstance(self.targets, Ragged):
            return features(form, len(self.rows))
        lengths = self.targets.lengths + start  # place i has seen the first i tokens where these are learned
        return tokens(torch.randn(len(lengths), int(lengths.max()), form.width), lengths)

    def raw(self) -> torch.Tensor:
        """Raw scores as they are learned and judged by."""
        return self.layer(self.features, self.targets)

    def of(self, rows: list[int]) -> Values:
        """The targets of some rows."""
        return rows_of(self.targets, rows)


@pytest.mark.parametrize("kind, members", sides(*OUTPUTS))
def test_losses_of_parts_add_up_to_that_of_the_whole(kind: str, members: int | None) -> None:
    scene = Scene(kind, members)
    raw, every = scene.raw(), list(range(len(scene.rows)))
    assert raw.shape[:2] == (len(every), members or 1)
    whole = scene.layer.loss(raw, scene.targets)
    parts = [scene.layer.loss(raw[start : start + 20], scene.of(every[start : start + 20]))
             for start in range(0, len(every), 20)]  # fmt: skip
    torch.testing.assert_close(sum(part.total for part in parts), whole.total)
    assert sum(float(part.count) for part in parts) == pytest.approx(float(whole.count))


@pytest.mark.parametrize("kind", OUTPUTS)
def test_a_weight_counts_as_so_many_rows(kind: str) -> None:
    scene = Scene(kind)
    raw = scene.raw()
    weight = torch.ones(len(raw))
    weight[3] = 2
    twice = [*range(len(raw)), 3]
    weighted = scene.layer.loss(raw, scene.targets, weight).mean()
    torch.testing.assert_close(weighted, scene.layer.loss(raw[twice], scene.of(twice)).mean())


@pytest.mark.parametrize("kind, members", sides(*OUTPUTS))
def test_gradients_reach_every_parameter(kind: str, members: int | None) -> None:
    scene = Scene(kind, members)
    scene.layer.loss(scene.raw(), scene.targets).mean().backward()
    assert all(parameter.grad is not None for parameter in scene.layer.parameters())


@pytest.mark.parametrize("kind", OUTPUTS)
def test_answers_have_a_row_each_and_can_be_judged(kind: str) -> None:
    scene = Scene(kind)
    layer = scene.layer
    judged, answers = (layer.decode(raw.detach(), {}) for raw in (scene.raw(), layer(scene.features)))
    assert len(judged.scores) == len(answers.scores) == len(scene.rows)
    assert next(iter(answers.columns)) == COLUMN[kind]
    assert all(len(column) == len(scene.rows) for column in answers.columns.values())
    metrics = layer.metrics()
    assert layer.decides in metrics
    truth = Block(*(part.numpy() for part in scene.targets)) if isinstance(scene.targets, Ragged) else None
    known = scene.targets.numpy() if truth is None else truth.by_row()
    assert np.isfinite(metrics[layer.chooses or layer.decides].measure(judged.scores, known))
    if layer.writes:
        assert np.isfinite(metrics[layer.decides].measure(answers.scores, known))


@pytest.mark.parametrize("kind", OUTPUTS)
def test_a_row_alone_is_answered_as_among_others(kind: str) -> None:
    scene = Scene(kind)
    layer, given = scene.layer.eval(), scene.features
    answers = layer.decode(layer(given).detach(), {})
    for row in range(0, len(scene.rows), 9):
        lengths = None if given.lengths is None else given.lengths[row : row + 1]
        alone = given.values[row : row + 1] if lengths is None else given.values[row : row + 1, : int(lengths)]
        one = layer.decode(
            layer(Features(given.form, alone, lengths, tuple(scale[row : row + 1] for scale in given.scales))).detach(),
            {},
        )
        if layer.writes:
            assert one.scores[0] == answers.scores[row]
        else:
            np.testing.assert_allclose(one.scores[0], answers.scores[row], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("kind", OUTPUTS)
def test_saving_keeps_what_calibration_found(kind: str) -> None:
    scene = Scene(kind)
    scene.layer.calibrate(scene.raw().detach(), scene.targets)
    torch.manual_seed(1)
    other = plan(kind).build(scene.facts, shape(kind, None))
    other.load_state_dict(scene.layer.state_dict())
    raw = scene.layer(scene.features).detach()
    one, two = scene.layer.decode(raw, {}), other.decode(raw, {})
    for mine, theirs in zip(one.scores, two.scores, strict=True):
        assert np.array_equal(mine, theirs)
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
