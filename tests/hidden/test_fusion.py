"""Several inputs into one vector."""

import pytest
import torch

from lamina.ground.config import from_plain, to_plain
from lamina.ground.errors import PlanError, ShapeError
from lamina.ground.shapes import Features, Shape, vector
from lamina.hidden.fusion import FusionLayer, FusionPlan

SHAPES = {"photo": Shape("vector", 40), "numbers": Shape("vector", 3), "type": Shape("vector", 1)}


def features(shapes=SHAPES, batch: int = 4) -> dict[str, Features]:
    generator = torch.Generator().manual_seed(0)
    sizes = {n: (shape.members, shape.width) if shape.members else (shape.width,) for n, shape in shapes.items()}
    return {name: vector(torch.randn(batch, *size, generator=generator)) for name, size in sizes.items()}


def build(shapes=SHAPES, **settings) -> FusionLayer:
    torch.manual_seed(0)
    return FusionPlan(**{"width": 16, "dropout": 0.0} | settings).build_many(shapes)


@pytest.mark.parametrize("settings", [{}, {"gated": True}, {"num_layers": 0}, {"input_dropout": 0.3, "dropout": 0.2}])
def test_inputs_become_one_vector_and_every_parameter_learns(settings) -> None:
    layer = build(**settings)
    assert layer.shape == Shape("vector", 16) and layer.names == ("photo", "numbers", "type")
    answer = layer(features())
    assert answer.form == "vector" and answer.values.shape == (4, 16)
    answer.values.square().sum().backward()
    for name, parameter in layer.named_parameters():
        assert parameter.grad is not None and parameter.grad.abs().sum() > 0, name


def test_one_row_answers_as_it_does_among_many() -> None:
    layer, many = build(input_dropout=0.5).eval(), features()
    alone = {name: vector(part.values[1:2]) for name, part in many.items()}
    torch.testing.assert_close(layer(alone).values, layer(many).values[1:2])


def test_the_order_of_the_mapping_does_not_matter_and_further_inputs_are_ignored() -> None:
    layer, given = build().eval(), features()
    turned = {"more": vector(torch.zeros(4, 9)), **dict(reversed(given.items()))}
    assert torch.equal(layer(turned).values, layer(given).values)


def test_a_single_number_keeps_its_size() -> None:
    # Normalising a projection of one number would leave its sign only, were there no constant beside it.
    layer = build({"number": Shape("vector", 1)}, num_layers=0).eval()
    answers = layer({"number": vector(torch.tensor([[0.5], [1.0], [2.0]]))}).values
    assert (answers[0] - answers[1]).norm() > 0.1 * answers[0].norm()
    assert (answers[1] - answers[2]).norm() > 0.1 * answers[1].norm()


def test_wide_and_narrow_inputs_have_a_like_say() -> None:
    shapes = {"wide": Shape("vector", 2048), "narrow": Shape("vector", 2)}
    layer, given = build(shapes, width=64, num_layers=0).eval(), features(shapes, batch=64)
    answer = layer(given).values
    # How far answers move when one input is another row's.
    moved = [
        (layer(given | {name: vector(given[name].values.roll(1, 0))}).values - answer).norm().item() for name in shapes
    ]
    assert moved[0] == pytest.approx(moved[1], rel=0.5)


def test_a_single_input_may_come_without_a_name() -> None:
    layer = FusionPlan(width=8).build(Shape("vector", 5)).eval()
    assert layer(vector(torch.zeros(2, 5))).values.shape == (2, 8)
    assert torch.equal(layer({"features": vector(torch.ones(2, 5))}).values, layer(vector(torch.ones(2, 5))).values)


def test_dropping_inputs_is_off_by_default_and_always_leaves_one() -> None:
    assert FusionPlan().input_dropout == 0.0
    layer = build(input_dropout=0.6)
    kept = layer._kept(torch.zeros(4000, 3, 16)).squeeze(-1)  # (rows, inputs)
    assert set(kept.unique().tolist()) == {0.0, 1.0}
    assert kept.sum(1).min() == 1
    # Each of three inputs goes with chance 0.6, less its third of the rows in which all would have gone.
    assert (1 - kept.mean(0)).tolist() == pytest.approx([0.6 - 0.6**3 / 3] * 3, abs=0.03)


def test_inputs_are_dropped_in_training_only() -> None:
    layer, given = build(input_dropout=0.5), features(batch=64)
    assert not torch.equal(layer(given).values, layer(given).values)
    layer.eval()
    assert torch.equal(layer(given).values, layer(given).values)


def test_members_answer_each_for_themselves() -> None:
    shapes = {"photo": Shape("vector", 6), "numbers": Shape("vector", 3, members=5)}
    layer = build(shapes, gated=True).eval()
    assert layer.shape == Shape("vector", 16, members=5)
    given = features(shapes)
    answer = layer(given).values
    assert answer.shape == (4, 5, 16)
    # Nothing of one member reaches another: only its own slices have a gradient.
    answer[:, 2].square().sum().backward()
    for name, parameter in layer.named_parameters():
        assert parameter.grad is not None, name
        touched = parameter.grad.flatten(1).abs().sum(1) > 0
        assert touched.tolist() == [False, False, True, False, False], name


def test_a_member_is_the_network_that_it_would_be_alone() -> None:
    shapes = {"photo": Shape("vector", 6), "numbers": Shape("vector", 3, members=2)}
    several, given = build(shapes, gated=True).eval(), features(shapes)
    alone = build({"photo": Shape("vector", 6), "numbers": Shape("vector", 3)}, gated=True).eval()
    alone.load_state_dict({name: tensor[1] for name, tensor in several.state_dict().items()})
    single = {"photo": given["photo"], "numbers": vector(given["numbers"].values[:, 1])}
    torch.testing.assert_close(several(given).values[:, 1], alone(single).values)


def test_the_same_seed_builds_the_same_layer() -> None:
    assert torch.equal(build().eval()(features()).values, build().eval()(features()).values)


def test_settings_go_to_plain_data_and_back() -> None:
    plan = FusionPlan(gated=True, input_dropout=0.1)
    assert from_plain(FusionPlan, to_plain(plan), "hidden") == plan


@pytest.mark.parametrize(
    "call, kind, problem",
    [
        (lambda: FusionPlan().build_many({}), ShapeError, "there are none"),
        (lambda: FusionPlan().build(Shape("grid", 3, (4, 4))), ShapeError, r"'features' gives 3 x 4 x 4 \(grid\)"),
        (
            lambda: FusionPlan().build_many({"a": Shape("vector", 1, members=2), "b": Shape("vector", 1, members=3)}),
            ShapeError,
            "a has 2, b has 3",
        ),
        (lambda: build()({"photo": vector(torch.zeros(1, 40))}), ShapeError, "given photo: numbers, type missing"),
        (lambda: build()(vector(torch.zeros(1, 40))), ShapeError, "given one without a name"),
        (lambda: FusionPlan(width=0), PlanError, "width is 0; it must be at least 1"),
        (lambda: FusionPlan(num_layers=-1), PlanError, "num_layers is -1"),
        (lambda: FusionPlan(input_dropout=1.0), PlanError, "input_dropout is 1.0"),
    ],
)
def test_what_cannot_be_is_refused(call, kind: type[Exception], problem: str) -> None:
    with pytest.raises(kind, match=problem):
        call()
