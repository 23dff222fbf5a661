"""What every output layer must keep, whatever it answers."""

from collections.abc import Sequence

import numpy as np
import polars as pl
import torch
from torch import Tensor, nn

from lamina.data import Chunk
from lamina.ground import Shape, vector
from lamina.outputs import OutputLayer, OutputPlan

WIDTH = 6


def chunk(column: str, cells: Sequence[object]) -> Chunk:
    """A chunk of one column."""
    return Chunk(np.arange(len(cells)), pl.DataFrame({column: cells}), lambda column, reference: b"")


def layer_and_rows(
    plan: OutputPlan, cells: Sequence[object], members: int | None = None
) -> tuple[OutputLayer, Tensor, Tensor]:
    """A layer fitted on these cells, random features for them, and their targets."""
    torch.manual_seed(0)
    rows = chunk(plan.column, cells)
    facts = plan.fit([rows])
    layer = plan.build(facts, Shape("vector", WIDTH, members=members))
    size = (len(cells), WIDTH) if members is None else (len(cells), members, WIDTH)
    return layer, torch.randn(size), torch.from_numpy(plan.prepare(rows, facts).values)


def check_laws(plan: OutputPlan, cells: Sequence[object]) -> None:
    """The laws of losses, members, rows, files and exports."""
    for members in (None, 3):
        layer, features, targets = layer_and_rows(plan, cells, members)
        raw = layer(vector(features))
        assert raw.shape[:2] == (len(cells), members or 1)

        whole = layer.loss(raw, targets)
        whole.total.backward()
        assert all(part.grad is not None and part.grad.abs().sum() > 0 for part in layer.parameters())

        raw = raw.detach()
        half = len(cells) // 3
        parts = [layer.loss(raw[:half], targets[:half]), layer.loss(raw[half:], targets[half:])]
        torch.testing.assert_close(sum(part.total for part in parts), whole.total.detach())
        assert sum(part.count for part in parts) == whole.count

        times = torch.arange(len(cells)) % 3
        repeated = layer.loss(raw.repeat_interleave(times, 0), targets.repeat_interleave(times, 0))
        weighted = layer.loss(raw, targets, times.float())
        torch.testing.assert_close(weighted.total, repeated.total)
        assert float(weighted.count) == repeated.count

        layer.calibrate(raw, targets)
        other = plan.build(plan.fit([chunk(plan.column, cells)]), Shape("vector", WIDTH, members=members))
        other.load_state_dict(layer.state_dict())
        answers, again = (each.decode(each(vector(features)).detach(), {}) for each in (layer, other))
        np.testing.assert_array_equal(answers.scores, again.scores)
        for name, values in answers.columns.items():
            np.testing.assert_array_equal(values, again.columns[name])
        assert next(iter(answers.columns)) == plan.column

        one = layer.decode(layer(vector(features[:1])).detach(), {})
        np.testing.assert_allclose(one.scores, answers.scores[:1], rtol=1e-5)

        exported = torch.export.export(_Plain(layer), (features,)).module()
        torch.testing.assert_close(exported(features), layer(vector(features)))
        assert layer.decides in layer.metrics()
    _check_one_member(plan, cells)


def _check_one_member(plan: OutputPlan, cells: Sequence[object]) -> None:
    """A single network, and one network among several that is alone, answer alike."""
    alone, features, targets = layer_and_rows(plan, cells)
    member, _, _ = layer_and_rows(plan, cells, members=1)
    member.load_state_dict(alone.state_dict())
    raw, raw_of_member = alone(vector(features)), member(vector(features[:, None]))
    torch.testing.assert_close(raw, raw_of_member)
    torch.testing.assert_close(alone.loss(raw, targets).total, member.loss(raw_of_member, targets).total)


class _Plain(nn.Module):
    """A layer as a function of tensors, which is what an export takes."""

    def __init__(self, layer: OutputLayer):
        super().__init__()
        self.layer = layer

    def forward(self, features: Tensor) -> Tensor:
        return self.layer(vector(features))
