import numpy as np
import polars as pl
import pytest
import torch

from lamina.data import Block, Chunk, Table
from lamina.ground import DataError, PlanError, Shape, vector
from lamina.outputs import RowAnswer, RowOutput
from lamina.outputs.row import KNOTS

ROWS = 3000


def table() -> Table:
    random = np.random.default_rng(0)
    hours = np.where(random.random(ROWS) < 0.6, 40, random.integers(1, 99, ROWS))  # a spike among whole numbers
    price = np.round(random.lognormal(3, 1.5, ROWS), 2)  # a heavy tail, with decimals
    return Table(pl.DataFrame({
        "hours": hours,
        "price": pl.Series(price).set(pl.Series(np.arange(ROWS) % 10 == 3), None),
        "noise": random.normal(size=ROWS),
        "work": [None if row % 50 == 0 else ("state", "own", "none")[row % 3] for row in range(ROWS)],
    }))  # fmt: skip


def plan() -> RowOutput:
    return RowOutput(column="hours", numbers=("hours", "price", "noise"), categories=("work",))


def chunk(rows: int = ROWS) -> Chunk:
    (only,) = table().chunks(np.arange(rows), size=ROWS)
    return only


def built() -> tuple[RowAnswer, Block]:
    facts = plan().fit([chunk()])
    torch.manual_seed(0)
    return plan().build(facts, Shape("vector", 8)), plan().prepare(chunk(), facts)


def test_numbers_are_learned_as_places_of_a_normal_distribution() -> None:
    _, block = built()
    places = block.values[:, :3]
    assert np.abs(places.mean(0)).max() < 0.05 and np.abs(places.std(0) - 1).max() < 0.05
    for at in range(3):
        assert abs(np.mean(places[:, at] < -1) - 0.159) < 0.02 and abs(np.mean(places[:, at] < 1) - 0.841) < 0.02


def test_what_is_learned_comes_back_as_it_was() -> None:
    layer, block = built()
    layer.eval()
    targets = torch.from_numpy(np.asarray(block.values))
    shown = layer.shows(targets, torch.empty(0))
    answers = layer.decode(shown[:, None], {}).columns
    given = table().frame
    assert answers["hours"].dtype == np.int64 and np.array_equal(answers["hours"], given["hours"].to_numpy())
    assert answers["work"].tolist() == given["work"].to_list()
    gaps = given["price"].is_null().to_numpy()
    assert [cell is None for cell in answers["price"]] == gaps.tolist()
    made = np.array([cell for cell in answers["price"] if cell is not None], dtype=float)
    real = given["price"].drop_nulls().to_numpy()
    assert len(np.unique(real)) > KNOTS and np.array_equal(np.round(made, 2), made)
    # Between two knots values are spread evenly; the last ones of a heavy tail lie far apart.
    assert np.quantile(np.abs(made - real) / real, 0.95) < 0.02
    assert np.abs(answers["noise"] - given["noise"].to_numpy()).max() < 0.5


def test_made_rows_keep_to_what_was_seen() -> None:
    layer, _ = built()
    layer.eval()
    raw = layer(vector(5 * torch.randn(500, 8)))
    answers, given = layer.decode(raw, {}).columns, table().frame
    assert set(answers["work"]) <= {"state", "own", "none", None}
    assert given["hours"].min() <= answers["hours"].min() and answers["hours"].max() <= given["hours"].max()  # type: ignore[operator]


def test_in_training_classes_are_handed_on_whole_and_all_of_them_learn() -> None:
    layer, _ = built()
    raw = layer(vector(torch.randn(50, 8)))
    classes = raw[:, 0, 3:].detach()
    assert set(classes.unique().tolist()) <= {0.0, 1.0} or torch.allclose(classes, classes.round(), atol=1e-6)
    assert torch.allclose(classes.sum(1), torch.tensor(2.0))  # one of gap or not, one of work
    (raw[:, 0, 3:] * torch.randn(50, classes.shape[1])).sum().backward()
    gradient = layer.head.weight.grad
    assert gradient is not None and bool((gradient[0, :, 3:].abs().sum(0) > 0).all())


def test_columns_of_gaps_and_rows_of_nothing_are_refused() -> None:
    empty = pl.DataFrame({"hours": pl.Series([None, None], dtype=pl.Float64)})
    with pytest.raises(DataError, match="nothing but gaps"):
        RowOutput(column="hours", numbers=("hours",)).fit(Table(empty).chunks(np.arange(2)))
    with pytest.raises(PlanError, match="made of columns"):
        RowOutput(column="hours")
