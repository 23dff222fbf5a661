"""What stands between two parts of different forms."""

import pytest
import torch

from lamina.ground.errors import ShapeError
from lamina.ground.shapes import Features, Form, Shape, grid, tokens
from lamina.hidden.adapters import MOST_TOKENS, adapt


@pytest.mark.parametrize(
    "shape, accepts",
    [
        (Shape("vector", 5), ("vector",)),
        (Shape("vector", 5, members=3), ("grid", "vector")),
        (Shape("grid", 3, (4, 4)), ("vector", "grid")),
        (Shape("tokens", 8), ("tokens",)),
    ],
)
def test_what_is_accepted_is_left_alone(shape: Shape, accepts: tuple[Form, ...]) -> None:
    assert adapt(shape, accepts) == (None, shape)


def test_a_grid_becomes_the_average_of_its_positions_and_keeps_scales() -> None:
    shape = Shape("grid", 3, (7, 5), strides=(1,), widths=(3,))
    adapter, after = adapt(shape, ("vector",))
    assert adapter is not None
    assert after == Shape("vector", 3, strides=(1,), widths=(3,))
    values = torch.rand(2, 3, 7, 5)
    answer = adapter(grid(values, scales=(values,)))
    torch.testing.assert_close(answer.values, values.mean((2, 3)))
    assert answer.scales == (values,)
    assert adapter.describe() == "average over 7 x 5 positions -> 3"


def test_tokens_become_the_average_of_the_true_ones() -> None:
    adapter, after = adapt(Shape("tokens", 4), ("vector",))
    assert adapter is not None and after == Shape("vector", 4)
    values = torch.rand(3, 6, 4)
    padded = values.clone()
    padded[0, 2:] = float("nan")  # what stands in padding must not matter
    answer = adapter(tokens(padded, torch.tensor([2, 6, 0]))).values
    torch.testing.assert_close(answer[0], values[0, :2].mean(0))
    torch.testing.assert_close(answer[1], values[1].mean(0))
    assert torch.equal(answer[2], torch.zeros(4))
    torch.testing.assert_close(adapter(tokens(values)).values, values.mean(1))
    assert adapter.describe() == "average of the tokens -> 4"


def test_padding_gets_no_gradient() -> None:
    adapter, _ = adapt(Shape("tokens", 4), ("vector",))
    assert adapter is not None
    values = torch.rand(1, 3, 4, requires_grad=True)
    adapter(tokens(values, torch.tensor([2]))).values.sum().backward()
    assert values.grad is not None
    assert torch.equal(values.grad[0, :, 0], torch.tensor([0.5, 0.5, 0.0]))


@pytest.mark.parametrize(
    "channels, space, side, count",
    [
        (512, (7, 7), 1, 49),
        (3, (28, 28), 2, 196),
        (3, (32, 32), 2, 256),
        (3, (224, 224), 14, 256),
        (1, (33, 20), 2, 170),
        (2, (1000,), 4, 250),
        (1, (8, 8, 8), 2, 64),
    ],
)
def test_a_grid_becomes_few_patches(channels: int, space: tuple[int, ...], side: int, count: int) -> None:
    adapter, after = adapt(Shape("grid", channels, space), ("tokens",))
    assert adapter is not None
    assert after == Shape("tokens", channels * side ** len(space), (count,))
    assert count <= MOST_TOKENS
    values = torch.rand(2, channels, *space)
    answer = adapter(grid(values))
    assert answer.values.shape == (2, count, after.width) and answer.lengths is None
    torch.testing.assert_close(answer.values.sum(), values.sum())  # nothing lost, only zeros added
    assert ("each position" in adapter.describe()) == (side == 1)


def test_a_patch_holds_a_square_of_the_picture_row_by_row() -> None:
    adapter, _ = adapt(Shape("grid", 3, (32, 32)), ("tokens",))
    assert adapter is not None
    values = torch.rand(1, 3, 32, 32)
    answer = adapter(grid(values)).values
    row, column = 5, 9
    square = values[0, :, 2 * row : 2 * row + 2, 2 * column : 2 * column + 2]
    assert torch.equal(answer[0, 16 * row + column], square.flatten())


def test_the_first_form_that_can_be_reached_is_taken() -> None:
    adapter, after = adapt(Shape("tokens", 4), ("grid", "vector"))
    assert adapter is not None and after.form == "vector"


@pytest.mark.parametrize(
    "shape, accepts, problem",
    [
        (Shape("vector", 5), ("tokens",), r"form vector \(5\) cannot become tokens"),
        (Shape("vector", 5), ("grid", "tokens"), "cannot become grid or tokens"),
        (Shape("tokens", 5, (9,)), ("grid",), r"form tokens \(9 tokens x 5\) cannot become grid"),
    ],
)
def test_what_cannot_be_adapted_is_refused(shape: Shape, accepts: tuple[Form, ...], problem: str) -> None:
    with pytest.raises(ShapeError, match=problem):
        adapt(shape, accepts)


def test_adapters_have_nothing_to_learn() -> None:
    for shape, form in ((Shape("grid", 2, (3, 3)), "vector"), (Shape("grid", 2, (3, 3)), "tokens")):
        adapter, _ = adapt(shape, (form,))
        assert adapter is not None and not adapter.state_dict()
        assert isinstance(adapter(grid(torch.rand(1, 2, 3, 3))), Features)
