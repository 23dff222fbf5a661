import numpy as np
import pytest
import torch

from lamina.api import module_training
from lamina.api.module_training import Rows

ELSEWHERE = torch.device("meta")
"""A device that every machine has: tensors on it have a shape and no values."""


def rows() -> Rows:
    inputs, targets = torch.randn(40, 4), torch.zeros(40, dtype=torch.long)
    return Rows(inputs, targets, np.arange(30), (inputs[30:], targets[30:]))


@pytest.mark.parametrize("memory, is_there", [(4 * 40 * (4 * 4 + 8), True), (4 * 40 * (4 * 4 + 8) - 4, False)])
def test_rows_lie_on_the_device_where_they_take_a_quarter_of_its_memory_or_less(
    memory: int, is_there: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module_training, "device_memory", lambda device: memory)
    held = rows()
    near = held.near(ELSEWHERE)
    assert (near.inputs.device == near.targets.device == ELSEWHERE) is is_there
    assert near.judged[0].device.type == "cpu" and near.learned is held.learned
    if is_there:
        assert near.inputs.shape == held.inputs.shape and near.targets.dtype == torch.long


def test_on_the_processor_nothing_is_copied() -> None:
    held = rows()
    assert held.near(torch.device("cpu")) is held
