"""A plain stack of dense layers."""

import pytest
import torch
from torch import Tensor, nn

from lamina.ground.config import from_plain, to_plain
from lamina.ground.errors import PlanError, ShapeError
from lamina.ground.shapes import Shape, vector
from lamina.hidden.mlp import MLPLayer, MLPPlan

SIX = Shape("vector", 6)


def build(shape: Shape = SIX, **settings) -> MLPLayer:
    torch.manual_seed(0)
    return MLPPlan(**{"width": 10} | settings).build(shape)


def rows(*shape: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize(
    "settings, width",
    [({}, 10), ({"width": (12, 7, 4)}, 4), ({"num_layers": 1}, 10), ({"normalisation": "batch", "dropout": 0.1}, 10),
     ({"normalisation": "layer", "activation": "silu"}, 10),
     ({"activation": "sigmoid", "initialisation": "xavier"}, 10)],
)  # fmt: skip
@pytest.mark.parametrize("members", [None, 3])
def test_vectors_become_vectors_and_every_parameter_learns(settings: dict, width: int, members: int | None) -> None:
    layer = build(Shape("vector", 6, members=members), **settings)
    values = rows(5, 6) if members is None else rows(5, members, 6)
    answer = layer(vector(values))
    assert answer.form == "vector" and layer.shape == Shape("vector", width, members=members)
    assert answer.values.shape == (*values.shape[:-1], width)
    (answer.values * rows(*answer.values.shape)).sum().backward()
    for name, parameter in layer.named_parameters():
        assert parameter.grad is not None and parameter.grad.abs().sum() > 0, name


def test_it_computes_what_its_description_says() -> None:
    layer, values = build(width=(8, 4), normalisation="layer", activation="tanh"), rows(5, 6)
    first, second = (part for part in layer.layers if isinstance(part, nn.Linear))
    expected = values
    for dense in (first, second):
        expected = torch.tanh(nn.functional.layer_norm(expected @ dense.weight.T, (dense.out_features,)))
    torch.testing.assert_close(layer(vector(values)).values, expected)


@pytest.mark.parametrize("normalisation", ["none", "batch", "layer"])
def test_one_row_answers_as_it_does_among_many(normalisation: str) -> None:
    layer, values = build(normalisation=normalisation, dropout=0.5), rows(7, 6)
    layer(vector(values))  # batch norm learns its averages
    layer.eval()
    torch.testing.assert_close(layer(vector(values[2:3])).values, layer(vector(values)).values[2:3])


@pytest.mark.parametrize("normalisation, couples", [("none", False), ("layer", False), ("batch", True)])
def test_batch_norm_is_declared(normalisation: str, couples: bool) -> None:
    assert MLPPlan(normalisation=normalisation).couples_rows is couples


@pytest.mark.parametrize("shape", [Shape("grid", 3, (8, 8)), Shape("tokens", 6, (4,))])
def test_other_forms_are_refused(shape: Shape) -> None:
    with pytest.raises(ShapeError, match=f"mlp takes a vector.*{shape.form}"):
        build(shape)


@pytest.mark.parametrize(
    "settings, problem",
    [({}, None), ({"width": [64, 32]}, None), ({"width": 0}, "width is 0"), ({"width": [64, 0]}, "width is"),
     ({"width": []}, "width is"), ({"num_layers": 0}, "num_layers 0"), ({"dropout": 1.0}, "dropout is 1"),
     ({"normalisation": "group"}, "normalisation"), ({"activation": "rely"}, "activation")],
)  # fmt: skip
def test_settings_survive_the_plan_and_wrong_ones_are_refused(settings: dict, problem: str | None) -> None:
    if problem:
        with pytest.raises(PlanError, match=problem):
            from_plain(MLPPlan, settings, "hidden")
    else:
        plan = from_plain(MLPPlan, settings, "hidden")
        assert from_plain(MLPPlan, to_plain(plan), "hidden") == plan


def test_an_exported_program_answers_alike() -> None:
    layer, values = build(normalisation="batch").eval(), rows(5, 6)

    class Values(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = layer

        def forward(self, values: Tensor) -> Tensor:
            return self.layer(vector(values)).values

    program = torch.export.export(Values(), (values,), dynamic_shapes=({0: torch.export.Dim("batch", min=2)},))
    torch.testing.assert_close(program.module()(values[:3]), layer(vector(values[:3])).values)
