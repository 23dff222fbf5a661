"""Dates and times to features."""

from collections.abc import Iterable
from datetime import datetime, timedelta

import numpy as np
import polars as pl
import pytest
import torch
from torch import Tensor

from lamina.data.batch import Chunk
from lamina.ground.config import from_plain, to_plain
from lamina.ground.errors import DataError, PlanError
from lamina.inputs.moment import CYCLES, MomentInput, MomentLayer

Moments = list[datetime | None]


def chunks(columns: dict[str, Moments], size: int = 1000) -> Iterable[Chunk]:
    frame = pl.DataFrame(columns, schema=dict.fromkeys(columns, pl.Datetime("us")))
    for start in range(0, max(1, len(frame)), size):
        part = frame[start : start + size]
        yield Chunk(np.arange(start, start + len(part)), part, lambda column, reference: b"")


def prepared(**columns: Moments) -> Tensor:
    plan = MomentInput(columns=tuple(columns))
    return torch.from_numpy(np.concatenate([plan.prepare(chunk, {}).values for chunk in chunks(columns)]))


def made(columns: dict[str, Moments], **settings: int) -> MomentLayer:
    torch.manual_seed(0)
    plan = MomentInput(columns=tuple(columns), **{"width": 4} | settings)
    return plan.build(plan.fit(chunks(columns)))


def every(count: int, start: str = "2024-01-01", **step: int) -> Moments:
    return [datetime.fromisoformat(start) + number * timedelta(**step) for number in range(count)]


@pytest.mark.parametrize("moment", ["2024-02-29 23:59:58", "1969-07-20 20:17:40", "2100-12-31", "2023-01-02 12:30:00"])
def test_the_calendar_is_read_as_python_reads_it(moment: str) -> None:
    expected = datetime.fromisoformat(moment)
    ((parts,),) = prepared(at=[expected]).tolist()
    at = dict(zip(CYCLES, parts, strict=True))
    assert at["elapsed"] == pytest.approx((expected - datetime(1970, 1, 1)) / timedelta(days=1))
    assert at["season"] == pytest.approx(expected.month - 1 + (expected.day - 1) / 31)
    assert (at["day"], at["weekday"], at["minute"]) == (expected.day - 1, expected.weekday(), expected.minute)
    assert at["hour"] == pytest.approx(expected.hour + expected.minute / 60 + expected.second / 3600)


@pytest.mark.parametrize(
    "moments, curves, cycles",
    [(every(800, days=1), 4, 3),  # elapsed, season, day, weekday; the last three go round
     (every(800, hours=1), 5, 3),  # a month of hours: the season has only begun, day, weekday and hour have gone round
     (every(6, days=365), 4, 0),
     (every(30, minutes=1), 3, 0),  # elapsed, hour, minute
     (every(10, days=0), 0, 0)],
)  # fmt: skip
def test_only_what_varies_is_told_and_only_whole_cycles_go_round(moments: Moments, curves: int, cycles: int) -> None:
    layer = made({"at": moments})
    answer = layer(prepared(at=moments))
    assert answer.form == "vector" and answer.values.dtype == torch.float32
    assert answer.values.shape == (len(moments), layer.shape.width)
    assert (layer.curves.line.shape[0] if layer.curves else 0, layer.shape.width) == (curves, 4 * curves + 2 * cycles)


def test_the_end_of_a_cycle_lies_beside_its_start() -> None:
    layer = made({"at": every(24 * 400, hours=1)})
    layer.curves = None  # leaves the cycles
    eve, new_year, summer = layer(
        prepared(at=[datetime(2024, 12, 31, 23), datetime(2025, 1, 1, 0), datetime(2024, 6, 30, 12)])
    ).values
    season, hour = [0, 4], [3, 7]  # season, day, weekday and hour: four sines, then four cosines
    for cycle in (season, hour):
        assert (eve[cycle] - new_year[cycle]).norm() < 0.3 < 1.8 < (eve[cycle] - summer[cycle]).norm()


def test_time_goes_on_after_the_training_rows_without_end_but_within_bounds() -> None:
    layer = made({"at": every(1000, days=1)})
    answers = layer(prepared(at=[datetime(2027, 1, 1), datetime(2029, 1, 1), datetime(9000, 1, 1)])).values
    assert answers.isfinite().all() and answers.abs().max() < 10
    assert not torch.equal(answers[0, :4], answers[1, :4])


def test_a_gap_is_marked() -> None:
    moments: Moments = [*every(20, days=1), None]
    layer = made({"at": moments, "whole": every(21, days=2)})
    answers = layer(prepared(at=moments, whole=every(21, days=2))).values
    assert answers[:, -1].tolist() == [0.0] * 20 + [1.0]
    assert answers.isfinite().all()


def test_every_parameter_learns_and_one_row_answers_as_among_many() -> None:
    columns = {"from": every(500, hours=7), "to": every(500, days=3)}
    layer, values = made(columns), prepared(**columns)
    answers = layer(values).values
    torch.testing.assert_close(layer(values[9:10]).values, answers[9:10])
    answers.square().sum().backward()
    for name, parameter in layer.named_parameters():
        assert parameter.grad is not None and parameter.grad.abs().sum() > 0, name


def test_chunks_of_any_size_teach_the_same() -> None:
    columns: dict[str, Moments] = {"at": [*every(700, hours=5), None]}
    plan = MomentInput(columns=("at",))
    once, often = plan.fit(chunks(columns, 1000)), plan.fit(chunks(columns, 13))
    for name in once:
        np.testing.assert_array_equal(once[name], often[name])


@pytest.mark.parametrize("moments", [[None] * 3, []])
def test_columns_without_dates_are_named(moments: Moments) -> None:
    with pytest.raises(DataError, match=r"No date stands in sold .* --set columns\.sold\.role=ignore"):
        MomentInput(columns=("sold",)).fit(chunks({"sold": moments}))


@pytest.mark.parametrize("settings, problem", [({}, None), ({"width": 3}, None), ({"width": 0}, "width: 0")])
def test_settings_survive_the_plan_and_wrong_ones_are_refused(settings: dict, problem: str | None) -> None:
    if problem:
        with pytest.raises(PlanError, match=problem):
            from_plain(MomentInput, {"columns": ["a"], **settings}, "inputs.moments")
    else:
        plan = MomentInput(columns=("a",), **settings)
        assert from_plain(MomentInput, to_plain(plan), "inputs.moments") == plan


def test_an_exported_program_answers_alike() -> None:
    columns: dict[str, Moments] = {"at": [*every(60, hours=31), None]}
    layer, values = made(columns), prepared(**columns)

    class Values(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = layer

        def forward(self, values: Tensor) -> Tensor:
            return self.layer(values).values

    program = torch.export.export(Values(), (values,), dynamic_shapes=({0: torch.export.Dim("batch", min=2)},))
    torch.testing.assert_close(program.module()(values[-7:]), layer(values[-7:]).values)
