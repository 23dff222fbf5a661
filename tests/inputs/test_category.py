"""Categories to features."""

import numpy as np
import polars as pl
import pytest
import torch
from torch import Tensor

from lamina.data.batch import Chunk, Facts
from lamina.ground.config import from_plain, to_plain
from lamina.ground.errors import DataError, PlanError
from lamina.inputs.category import GAP, OTHER, CategoryInput, CategoryLayer


def chunks(columns: dict[str, list[str | None]], size: int = 1000):
    """Chunks of at most `size` rows of these columns."""
    frame = pl.DataFrame(columns, schema=dict.fromkeys(columns, pl.String))
    for start in range(0, max(1, len(frame)), size):
        part = frame[start : start + size]
        yield Chunk(np.arange(start, start + len(part)), part, lambda column, reference: b"")


def made(columns: dict[str, list[str | None]], **settings) -> tuple[CategoryInput, Facts, CategoryLayer]:
    torch.manual_seed(0)
    plan = CategoryInput(columns=tuple(columns), **settings)
    facts = plan.fit(chunks(columns))
    return plan, facts, plan.build(facts)


def codes(plan: CategoryInput, facts: Facts, **columns: list[str | None]) -> Tensor:
    block = plan.prepare(next(chunks(columns)), facts)
    assert not block.problems and block.offsets is None and block.values.dtype == np.int32
    return torch.from_numpy(block.values)


MANY = [f"v{number % 30}" for number in range(300)]


def test_values_are_numbered_by_how_often_they_occur() -> None:
    plan, facts, _ = made({"a": ["x"] * 3 + ["y"] * 5 + ["z"] * 3})
    assert facts["values"] == [["y", "x", "z"]]
    assert codes(plan, facts, a=["y", "x", "z", None, "new"])[:, 0].tolist() == [2, 3, 4, GAP, OTHER]


@pytest.mark.parametrize(
    "column, width",
    [(["a", "b", "c"] * 9, 3), (["a", "b"] * 9, 1), (["a", "b", None] * 9, 3), (["a", None] * 9, 1),
     (["a"] * 9, 1), (["a", "b"] * 9 + ["once"], 3), (MANY, 6)],
)  # fmt: skip
def test_features_are_as_many_as_the_data_needs(column: list[str | None], width: int) -> None:
    plan, facts, layer = made({"c": column})
    answer = layer(codes(plan, facts, c=column))
    assert answer.form == "vector"
    assert answer.values.shape == (len(column), width) and layer.shape.width == width


def test_one_hot_has_a_one_where_the_value_is_and_two_places_are_one_feature() -> None:
    columns = {"colour": ["red"] * 5 + ["green"] * 4 + ["blue"] * 3, "sold": ["yes", "yes", "no"] * 4}
    plan, facts, layer = made(columns)
    answer = layer(codes(plan, facts, colour=["red", "blue", "pink"], sold=["yes", "no", "maybe"])).values
    assert answer.tolist() == [[1, 0, 0, 1], [0, 0, 1, -1], [0, 0, 0, 0]]


def test_rare_values_share_a_place_with_unknown_ones() -> None:
    plan, facts, layer = made({"a": ["x"] * 8 + ["y"] * 8 + ["once", "too"]})
    assert facts["values"] == [["x", "y"]] and facts["others"] == [2]
    rare, unknown, known = layer(codes(plan, facts, a=["once", "never seen", "x"])).values
    assert torch.equal(rare, unknown) and not torch.equal(rare, known)


@pytest.mark.parametrize("rows, least", [(100, 2), (1500, 3), (10_000, 5)])
def test_more_rows_ask_for_more_evidence(rows: int, least: int) -> None:
    column = ["often"] * (rows - 2 * least + 1) + ["just"] * least + ["less"] * (least - 1)
    _, facts, _ = made({"a": column})
    assert facts["values"] == [["often", "just"]]


def test_an_embedding_learns_for_the_values_that_occur_and_is_silent_for_others() -> None:
    plan, facts, layer = made({"a": MANY})
    layer(codes(plan, facts, a=MANY)).values.square().sum().backward()
    (weight,) = layer.parameters()
    assert (weight.grad[2:].abs().sum(1) > 0).all()
    assert torch.equal(layer(codes(plan, facts, a=["new", None])).values, torch.zeros(2, 6)), "never met in training"


def test_one_row_answers_as_it_does_among_many() -> None:
    plan, facts, layer = made({"a": MANY, "b": ["x", "y", None] * 100})
    all_rows = codes(plan, facts, a=MANY, b=["x", "y", None] * 100)
    torch.testing.assert_close(layer(all_rows[7:8]).values, layer(all_rows).values[7:8])


def test_chunks_of_any_size_teach_the_same() -> None:
    columns: dict[str, list[str | None]] = {"a": MANY, "b": ["x", None, "y"] * 100}
    plan = CategoryInput(columns=("a", "b"))
    assert plan.fit(chunks(columns, 7)) == plan.fit(chunks(columns, 300))


def test_a_column_of_ever_new_values_is_counted_in_bounded_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lamina.inputs.category.MOST_COUNTED", 50)
    column = [value for number in range(400) for value in (f"id{number}", "often")]
    facts = CategoryInput(columns=("a",)).fit(chunks({"a": column}, 40))
    assert facts["values"] == [["often"]] and facts["others"] == [400]


@pytest.mark.parametrize("column", [[None] * 4, []])
def test_columns_of_gaps_are_named(column: list[None]) -> None:
    with pytest.raises(DataError, match=r"Every cell of colour is a gap .* --set columns\.colour\.role=ignore"):
        CategoryInput(columns=("colour",)).fit(chunks({"colour": column}))


@pytest.mark.parametrize(
    "settings, problem",
    [({}, None), ({"one_hot": 0, "width": 3}, None), ({"least": 0}, "least: 0"), ({"width": 0}, "width: 0"),
     ({"one_hot": -1}, "one_hot: -1")],
)  # fmt: skip
def test_settings_survive_the_plan_and_wrong_ones_are_refused(settings: dict, problem: str | None) -> None:
    if problem:
        with pytest.raises(PlanError, match=problem):
            from_plain(CategoryInput, {"columns": ["a"], **settings}, "inputs.categories")
    else:
        plan = CategoryInput(columns=("a",), **settings)
        assert from_plain(CategoryInput, to_plain(plan), "inputs.categories") == plan


def test_an_exported_program_answers_alike() -> None:
    plan, facts, layer = made({"a": MANY, "b": ["x", "y", None] * 100, "c": ["p", "q"] * 150})
    values = codes(plan, facts, a=MANY, b=["x", "y", None] * 100, c=["p", "q"] * 150)

    class Values(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = layer

        def forward(self, values: Tensor) -> Tensor:
            return self.layer(values).values

    program = torch.export.export(Values(), (values,), dynamic_shapes=({0: torch.export.Dim("batch", min=2)},))
    torch.testing.assert_close(program.module()(values[:7]), layer(values[:7]).values)
