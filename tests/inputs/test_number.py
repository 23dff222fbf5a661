"""Numbers to features."""

import math

import numpy as np
import polars as pl
import pytest
import torch
from torch import Tensor

from lamina.data.batch import Chunk
from lamina.ground.config import from_plain, to_plain
from lamina.ground.errors import DataError, PlanError
from lamina.inputs.number import NumberInput, NumberLayer

EMBEDDINGS = ("piecewise", "periodic", "none")


def chunks(size: int = 1000, **columns):
    """Chunks of at most `size` rows of these columns."""
    frame = pl.DataFrame(columns, schema=dict.fromkeys(columns, pl.Float64), nan_to_null=True)
    for start in range(0, max(1, len(frame)), size):
        part = frame[start : start + size]
        yield Chunk(np.arange(start, start + len(part)), part, lambda column, reference: b"")


def made(columns: dict, size: int = 1000, **settings) -> tuple[NumberLayer, Tensor]:
    """The layer fitted on these columns, and their prepared values."""
    torch.manual_seed(0)
    plan = NumberInput(columns=tuple(columns), **settings)
    facts = plan.fit(chunks(size=size, **columns))
    values = np.concatenate([plan.prepare(chunk, facts).values for chunk in chunks(size=size, **columns)])
    return plan.build(facts), torch.from_numpy(values)


def normal(rows: int, scale: float = 1.0, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=rows) * scale


@pytest.mark.parametrize("embedding", EMBEDDINGS)
def test_every_column_becomes_features_and_every_parameter_learns(embedding: str) -> None:
    layer, values = made({"a": normal(300), "b": [1.0, None, 2.0] * 100}, embedding=embedding, width=4)
    features = layer(values)
    assert features.form == "vector"
    assert features.values.shape == (300, layer.shape.width) == (300, (2 if embedding == "none" else 8) + 1)
    assert features.values.dtype == torch.float32 and features.values.isfinite().all()
    parameters = dict(layer.named_parameters())
    assert bool(parameters) == (embedding != "none")
    if parameters:
        features.values.square().sum().backward()
    for name, parameter in parameters.items():
        assert parameter.grad is not None and parameter.grad.abs().sum() > 0, name


@pytest.mark.parametrize("embedding", EMBEDDINGS)
def test_one_row_answers_as_it_does_among_many(embedding: str) -> None:
    layer, values = made({"a": normal(50), "b": normal(50, seed=1)}, embedding=embedding)
    torch.testing.assert_close(layer(values[3:4]).values, layer(values).values[3:4])


@pytest.mark.parametrize("embedding", EMBEDDINGS)
@pytest.mark.parametrize("times, plus", [(1e-6, 0.0), (1e9, 0.0), (-3.0, 7.0), (1.0, 1.7e9)])
def test_the_unit_of_a_column_does_not_matter(embedding: str, times: float, plus: float) -> None:
    column = np.round(normal(400), 3)
    layer, values = made({"a": column}, embedding=embedding)
    other, moved = made({"a": column * times + plus}, embedding=embedding)
    if embedding == "none":  # a mirrored column is mirrored, nothing else
        torch.testing.assert_close(
            other(moved).values, layer(values).values * math.copysign(1, times), atol=1e-3, rtol=0
        )
    elif times > 0:
        torch.testing.assert_close(other(moved).values, layer(values).values, atol=1e-3, rtol=0)


@pytest.mark.parametrize(
    "columns, kept",
    [
        ({"a": normal(400)}, torch.float32),
        ({"a": 2000 + np.round(50 * normal(400))}, torch.float32),
        ({"a": normal(400, 1e9), "b": normal(400, 1e-9)}, torch.float32),
        ({"a": [*normal(399), 1e300]}, torch.float32),
        ({"a": 1.7e9 + 3600 * normal(400)}, torch.float64),
        ({"a": normal(400), "b": 1.7e9 + normal(400)}, torch.float64),
        ({"a": normal(400, 1e200)}, torch.float64),
        ({"a": normal(400, 1e-200)}, torch.float64),
    ],
)  # fmt: skip
def test_numbers_are_kept_in_32_bits_where_that_blurs_nothing(columns: dict, kept: torch.dtype) -> None:
    layer, values = made(columns, embedding="none")
    assert values.dtype == kept
    exact = torch.from_numpy(np.stack([np.asarray(cells, dtype=np.float64) for cells in columns.values()], axis=1))
    torch.testing.assert_close(layer(values).values, layer(exact).values, atol=2e-4, rtol=0)


def test_an_outlier_changes_nothing_for_the_others() -> None:
    column = normal(1000)
    layer, values = made({"a": column}, embedding="none")
    other, with_outlier = made({"a": [*column[:-1], 1e12]}, embedding="none")
    torch.testing.assert_close(other(with_outlier).values[:-1], layer(values).values[:-1], atol=0.01, rtol=0)
    assert other(with_outlier).values.abs().max() <= 3


@pytest.mark.parametrize("embedding", EMBEDDINGS)
@pytest.mark.parametrize("cell", [math.inf, -math.inf, 1e300, -1e300, math.nan])
def test_whatever_stands_in_a_cell_features_are_finite(embedding: str, cell: float) -> None:
    layer, _ = made({"a": normal(100)}, embedding=embedding)
    assert layer(torch.tensor([[cell]], dtype=torch.float64)).values.isfinite().all()
    fitted, values = made({"a": [*normal(99), cell]}, embedding=embedding)
    assert fitted(values).values.isfinite().all()


def test_a_gap_is_marked_and_otherwise_stands_at_the_median() -> None:
    layer, values = made({"a": [1.0, 2.0, 3.0, 4.0, 5.0] * 20, "b": [None, 1.0] * 50}, embedding="none")
    features = layer(values).values
    assert features.shape == (100, 3)
    assert features[:, 2].tolist() == [1.0, 0.0] * 50
    unseen = layer(torch.tensor([[math.nan, 1.0], [3.0, 1.0]], dtype=torch.float64)).values
    assert torch.equal(unseen[0], unseen[1]), "a column without gaps in training has no mark for them"


def test_a_piecewise_curve_can_bend_where_the_values_are() -> None:
    # 95 % of the rows are 0: quantiles of rows alone would put no edge among the others.
    column = np.where(np.arange(2000) % 20 == 0, 1 + np.arange(2000) // 20, 0.0)
    layer, _ = made({"a": column}, width=1)
    inside = layer.embedding.starts[layer.embedding.slopes > 0]
    assert len(inside.unique()) >= 10


@pytest.mark.parametrize("bins, rows, pieces", [(None, 300, 8), (None, 3000, 30), (None, 50_000, 128), (5, 3000, 5)])
def test_pieces_grow_with_the_rows(bins: int | None, rows: int, pieces: int) -> None:
    layer, _ = made({"a": normal(rows)}, size=20_000, bins=bins)
    assert layer.embedding.starts.shape[1] == pieces


def test_many_columns_stay_affordable() -> None:
    layer, _ = made({f"c{number}": normal(40, seed=number) for number in range(300)})
    assert layer.shape.width == 600
    assert layer.embedding.starts.numel() <= 4200


def test_the_curve_is_straight_within_a_piece_and_continuous() -> None:
    layer, _ = made({"a": np.arange(101.0)}, bins=2, width=1)
    with torch.no_grad():
        layer.embedding.line.zero_()
        curve = layer(torch.arange(0, 101, dtype=torch.float64)[:, None]).values[:, 0]
    steps = curve.diff()
    torch.testing.assert_close(steps[:50], steps[0].expand(50), atol=1e-5, rtol=1e-3)
    torch.testing.assert_close(steps[50:], steps[-1].expand(50), atol=1e-5, rtol=1e-3)
    assert not torch.isclose(steps[0], steps[-1], rtol=0.01)


def test_chunks_of_any_size_teach_the_same() -> None:
    columns = {"a": normal(70_000), "b": [1.0, None, 3.0, 4.0, 5.0, 6.0, 7.0] * 10_000}
    plan = NumberInput(columns=("a", "b"))
    once, often = (plan.fit(chunks(size=size, **columns)) for size in (70_000, 997))
    assert once.keys() == often.keys()
    for name in once:
        np.testing.assert_array_equal(once[name], often[name])
    assert once["gaps"].tolist() == [0, 10_000]


def test_a_sample_of_a_long_column_keeps_its_quantiles_and_ends() -> None:
    column = np.random.default_rng(1).permutation(200_000).astype(float)
    facts = NumberInput(columns=("a",)).fit(chunks(size=16_384, a=column))
    assert facts["centre"][0] == pytest.approx(100_000, rel=0.02)
    assert facts["scale"][0] == pytest.approx(100_000 / 1.349, rel=0.02)
    assert (facts["edges"].min(), facts["edges"].max()) == (0, 199_999)


def test_neighbouring_large_numbers_stay_apart() -> None:
    # In single precision 1,700,000,000 and 1,700,000,050 are one number.
    layer, values = made({"a": 1.7e9 + np.arange(100.0)}, embedding="none")
    assert (layer(values).values.diff(dim=0) > 0).all()


def test_nothing_is_learned_from_rows_that_are_only_prepared() -> None:
    plan = NumberInput(columns=("a",))
    facts = plan.fit(chunks(a=normal(100)))
    before = {name: np.copy(value) for name, value in facts.items()}
    plan.prepare(next(chunks(a=[1e9] * 10)), facts)
    for name, value in before.items():
        np.testing.assert_array_equal(value, facts[name])


@pytest.mark.parametrize("column", [[None] * 5, [math.inf, -math.inf], []])
def test_columns_without_numbers_are_named(column: list) -> None:
    with pytest.raises(DataError, match=r"No finite number .* --set columns\.area\.role=ignore"):
        NumberInput(columns=("area",)).fit(chunks(area=column))


def test_an_empty_column_beside_a_full_one_is_only_a_gap() -> None:
    layer, values = made({"full": normal(20), "empty": [None] * 20, "same": [4.0] * 20})
    assert layer(values).values.isfinite().all()


@pytest.mark.parametrize(
    "settings, problem",
    [({}, None), ({"width": 0}, "width: 0"), ({"bins": 0}, "bins: 0"), ({"embedding": "periodic", "width": 1}, "2 or"),
     ({"embedding": "wavy"}, "embedding")],
)  # fmt: skip
def test_settings_survive_the_plan_and_wrong_ones_are_refused(settings: dict, problem: str | None) -> None:
    if problem:
        with pytest.raises(PlanError, match=problem):
            from_plain(NumberInput, {"columns": ["a"], **settings}, "inputs.numbers")
    else:
        plan = NumberInput(columns=("a",), **settings)
        assert from_plain(NumberInput, to_plain(plan), "inputs.numbers") == plan


def test_weights_carry_what_was_learned() -> None:
    layer, values = made({"a": normal(200)})
    other, _ = made({"a": normal(200, scale=50, seed=3)})
    other.load_state_dict(layer.state_dict())
    torch.testing.assert_close(other(values).values, layer(values).values)


@pytest.mark.parametrize("embedding", EMBEDDINGS)
def test_an_exported_program_answers_alike(embedding: str) -> None:
    layer, values = made({"a": normal(60), "b": [1.0, None, 2.0] * 20}, embedding=embedding)

    class Values(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = layer

        def forward(self, values: Tensor) -> Tensor:
            return self.layer(values).values

    program = torch.export.export(Values(), (values,), dynamic_shapes=({0: torch.export.Dim("batch", min=2)},))
    torch.testing.assert_close(program.module()(values[:7]), layer(values[:7]).values)
