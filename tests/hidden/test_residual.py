"""The dense network for tables."""

import pytest
import torch
from torch import Tensor

from lamina.ground.config import from_plain, to_plain
from lamina.ground.errors import PlanError, ShapeError
from lamina.ground.shapes import Shape, vector
from lamina.hidden.residual import ResidualLayer, ResidualPlan

SIX = Shape("vector", 6)


def build(shape: Shape = SIX, **settings) -> ResidualLayer:
    torch.manual_seed(0)
    return ResidualPlan(**{"width": 10, "members": 4} | settings).build(shape)


def rows(*shape: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("settings", [{}, {"num_layers": 1}, {"activation": "silu", "dropout": 0.2}, {"members": 1}])
def test_vectors_become_a_vector_for_each_member_and_every_parameter_learns(settings: dict) -> None:
    layer = build(**settings)
    answer = layer(vector(rows(5, 6)))
    members = settings.get("members", 4)
    assert answer.form == "vector"
    assert answer.values.shape == ((5, 10) if members == 1 else (5, members, 10))
    assert layer.shape == Shape("vector", 10, members=None if members == 1 else members)
    answer.values.sum().backward()
    for name, parameter in layer.named_parameters():
        assert parameter.grad is not None and parameter.grad.abs().sum() > 0, name


def test_members_differ_and_each_is_a_network_of_its_own() -> None:
    layer, values = build(), rows(5, 6)
    answers = layer(vector(values)).values
    assert (answers[:, 0] - answers[:, 1]).abs().max() > 0.01
    # A member is the shared layers behind the features times its signs.
    alone = build(members=1)
    alone.load_state_dict(
        {name: part for name, part in layer.state_dict().items() if name.startswith("layers")}, strict=False
    )
    torch.testing.assert_close(alone(vector(values * layer.signs[2])).values, answers[:, 2])


def test_features_that_come_with_members_keep_theirs() -> None:
    layer = build(Shape("vector", 6, members=3), members=8)
    assert layer.shape.members == 3
    assert layer(vector(rows(5, 3, 6))).values.shape == (5, 3, 10)


def test_a_later_layer_adds_to_what_came_before() -> None:
    layer, values = build(num_layers=2), vector(rows(5, 6))
    shallow = build(num_layers=1)
    shallow.load_state_dict({n: p for n, p in layer.state_dict().items() if not n.startswith("layers.1")})
    with torch.no_grad():
        layer.layers[1].weight.zero_(), layer.layers[1].bias.zero_()
    torch.testing.assert_close(layer(values).values, shallow(values).values)


def test_one_row_answers_as_it_does_among_many() -> None:
    layer, values = build(dropout=0.5).eval(), rows(7, 6)
    torch.testing.assert_close(layer(vector(values[2:3])).values, layer(vector(values)).values[2:3])


def test_dropout_leaves_out_the_same_numbers_of_all_members() -> None:
    layer = build(dropout=0.5, num_layers=1, activation="softplus")  # softplus is never 0 by itself
    dropped = layer(vector(rows(50, 6))).values == 0
    assert 0.4 < dropped.float().mean() < 0.6
    assert torch.equal(dropped.any(1), dropped.all(1))


def test_a_scale_is_no_matrix_and_decays_to_one() -> None:
    # Optimizers that treat matrices between layers apart must not take the members' scales for one.
    layer = build()
    assert layer.scales.dim() == 3 and torch.equal(layer.scales, torch.zeros_like(layer.scales))


def test_same_seed_same_network() -> None:
    first, second = build().state_dict(), build().state_dict()
    assert all(torch.equal(first[name], second[name]) for name in first)


@pytest.mark.parametrize("shape", [Shape("grid", 3, (8, 8)), Shape("tokens", 6, (4,))])
def test_other_forms_are_refused(shape: Shape) -> None:
    with pytest.raises(ShapeError, match=f"residual takes a vector.*{shape.form}"):
        build(shape)


@pytest.mark.parametrize(
    "settings, problem",
    [({}, None), ({"width": 0}, "width is 0"), ({"num_layers": 0}, "num_layers is 0"), ({"members": 0}, "members is 0"),
     ({"dropout": 1.0}, "dropout is 1"), ({"activation": "rely"}, "activation")],
)  # fmt: skip
def test_settings_survive_the_plan_and_wrong_ones_are_refused(settings: dict, problem: str | None) -> None:
    if problem:
        with pytest.raises(PlanError, match=problem):
            from_plain(ResidualPlan, settings, "hidden")
    else:
        assert from_plain(ResidualPlan, to_plain(ResidualPlan(**settings)), "hidden") == ResidualPlan(**settings)


@pytest.mark.parametrize("members", [1, 3])
def test_an_exported_program_answers_alike(members: int) -> None:
    layer, values = build(members=members).eval(), rows(5, 6)

    class Values(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = layer

        def forward(self, values: Tensor) -> Tensor:
            return self.layer(vector(values)).values

    program = torch.export.export(Values(), (values,), dynamic_shapes=({0: torch.export.Dim("batch", min=2)},))
    torch.testing.assert_close(program.module()(values[:3]), layer(vector(values[:3])).values)


def test_a_few_steps_fit_a_curve() -> None:
    layer, inputs = build(Shape("vector", 1), width=32), torch.linspace(-2, 2, 64)[:, None]
    head = torch.nn.Linear(32, 1)
    optimizer = torch.optim.Adam([*layer.parameters(), *head.parameters()], lr=0.01)
    targets = torch.sin(2 * inputs)[:, None].expand(-1, 4, 1)
    for _ in range(300):
        optimizer.zero_grad()
        loss = (head(layer(vector(inputs)).values) - targets).square().mean()
        loss.backward()
        optimizer.step()
    assert loss < 0.05, "always answering the mean would leave about 0.5"
