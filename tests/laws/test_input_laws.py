"""Every input keeps the same laws; adding one to `INPUTS` puts it under them."""

import json

import numpy as np
import pytest
import torch
from scenes import COLUMNS, ROWS, batch, chunks, rows_of, table, values

from lamina.data import Block, Chunk, Facts, Values
from lamina.ground import to_plain, torch_generator
from lamina.inputs import INPUTS, InputLayer, InputPlan


def plan(kind: str) -> InputPlan:
    return INPUTS[kind](columns=COLUMNS[kind])


def fitted(kind: str, size: int = 16) -> Facts:
    return plan(kind).fit(chunks(size))


def prepared(kind: str, facts: Facts) -> Block:
    (chunk,) = chunks(ROWS)
    return plan(kind).prepare(chunk, facts)


def layer(kind: str, facts: Facts) -> InputLayer:
    torch.manual_seed(0)
    return plan(kind).build(facts)


def same(one: object, other: object) -> bool:
    if isinstance(one, np.ndarray):
        return isinstance(other, np.ndarray) and np.array_equal(one, other, equal_nan=one.dtype.kind == "f")
    return one == other


@pytest.mark.parametrize("kind", INPUTS)
def test_facts_are_plain_values_and_arrays(kind: str) -> None:
    facts = fitted(kind)
    plain = {name: value for name, value in facts.items() if not isinstance(value, np.ndarray)}
    assert json.loads(json.dumps(plain)) == plain
    assert all(value.dtype.kind in "biuf" for value in facts.values() if isinstance(value, np.ndarray))


@pytest.mark.parametrize("kind", INPUTS)
def test_facts_do_not_depend_on_how_rows_are_cut_into_chunks(kind: str) -> None:
    one, other = fitted(kind, 7), fitted(kind, ROWS)
    assert one.keys() == other.keys()
    assert all(same(one[name], other[name]) for name in one)


@pytest.mark.parametrize("kind", INPUTS)
def test_rows_that_were_not_given_leave_no_trace(kind: str) -> None:
    seen = table().take(range(40))
    other = table()
    spoiled = other.with_frame(other.frame[list(range(40)) + [0] * 20])
    one = plan(kind).fit(seen.chunks(size=16))
    two = plan(kind).fit(spoiled.chunks(np.arange(40), size=16))
    assert all(same(one[name], two[name]) for name in one)


@pytest.mark.parametrize("kind", INPUTS)
def test_prepared_cells_become_features_of_the_shape_it_says(kind: str) -> None:
    facts = fitted(kind)
    block = prepared(kind, facts)
    assert len(block) == ROWS
    made = layer(kind, facts).eval()
    found = made(values(block))
    assert found.form == made.shape.form
    if found.form == "tokens":
        assert found.lengths is not None
        expected = (ROWS, int(found.lengths.max()), made.shape.width)
    else:
        expected = (ROWS, made.shape.width, *(made.shape.space if made.shape.form == "grid" else ()))
    assert tuple(found.values.shape) == expected
    assert torch.isfinite(found.values).all()


@pytest.mark.parametrize("kind", INPUTS)
def test_a_row_alone_gives_what_it_gives_among_others(kind: str) -> None:
    facts = fitted(kind)
    made, all_values = layer(kind, facts).eval(), values(prepared(kind, facts))
    with torch.no_grad():
        many = made(all_values)
        for row in range(0, ROWS, 7):
            one = made(rows_of(all_values, [row])).values[0]
            theirs = many.values[row] if many.lengths is None else many.values[row, : many.lengths[row]]
            torch.testing.assert_close(one, theirs, rtol=1e-4, atol=1e-5)
    for start in (0, 30):
        (chunk,) = chunks(ROWS, range(start, start + 30))
        part = plan(kind).prepare(chunk, facts)
        whole = values(prepared(kind, facts))
        again = rows_of(whole, list(range(start, start + 30)))
        for mine, theirs in zip(_parts(values(part)), _parts(again), strict=True):
            assert torch.equal(torch.nan_to_num(mine.float()), torch.nan_to_num(theirs.float()))


def _parts(each: Values) -> tuple[torch.Tensor, ...]:
    return (each,) if isinstance(each, torch.Tensor) else tuple(each)


@pytest.mark.parametrize("kind", INPUTS)
def test_gradients_reach_every_parameter(kind: str) -> None:
    facts = fitted(kind)
    made = layer(kind, facts).train()
    found = made(values(prepared(kind, facts))).values
    if found.requires_grad:
        (found * torch.randn_like(found)).sum().backward()
    assert all(parameter.grad is not None for parameter in made.parameters())


@pytest.mark.parametrize("kind", INPUTS)
def test_saving_keeps_the_layer_and_the_same_seed_builds_it_again(kind: str) -> None:
    facts = fitted(kind)
    one, other = layer(kind, facts).eval(), layer(kind, facts).eval()
    given = values(prepared(kind, facts))
    assert torch.equal(one(given).values, other(given).values)
    other.load_state_dict(one.state_dict())
    assert torch.equal(one(given).values, other(given).values)


@pytest.mark.parametrize("kind", INPUTS)
def test_augmenting_draws_from_its_generator_alone_and_keeps_shapes(kind: str) -> None:
    facts = fitted(kind)
    made, given = layer(kind, facts).train(), values(prepared(kind, facts))
    one, _ = made.augment(given, torch_generator("laws", 1))
    torch.rand(5)
    two, _ = made.augment(given, torch_generator("laws", 1))
    for mine, theirs in zip(_parts(one), _parts(two), strict=True):
        assert torch.equal(torch.nan_to_num(mine.float()), torch.nan_to_num(theirs.float()))
    assert made(one).values.shape == made(given).values.shape


@pytest.mark.parametrize("kind", INPUTS)
def test_what_the_store_depends_on_is_plain(kind: str) -> None:
    json.dumps(plan(kind).depends_on(fitted(kind)))
    assert to_plain(plan(kind))["columns"] == list(COLUMNS[kind])


@pytest.mark.parametrize("kind", INPUTS)
def test_a_column_of_nothing_but_gaps_is_survived_or_refused_in_words(kind: str) -> None:
    from lamina.ground import DataError

    frame = table().frame
    empty = frame.with_columns(**{name: frame[name].clear(ROWS) for name in COLUMNS[kind]})
    try:
        facts = plan(kind).fit(Chunk(np.arange(ROWS), empty, table().open) for _ in range(1))
    except DataError as error:
        assert COLUMNS[kind][0] in str(error)
        return
    block = plan(kind).prepare(Chunk(np.arange(ROWS), empty, table().open), facts)
    assert torch.isfinite(layer(kind, facts).eval()(batch({"x": values(block)}).inputs["x"]).values).all()
