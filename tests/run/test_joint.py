import pickle
from typing import Any

import pytest
import torch
from mixed_rows import mixed, scenery
from torch import nn

from lamina.network import TrainingPlan
from lamina.run import divides
from lamina.run.joint import FILLED


@pytest.mark.parametrize("optimizer, each", [("sgd", 4), ("nesterov", 5), ("rmsprop", 6), ("adamw", 6), ("muon", 6)])
@pytest.mark.parametrize("off", [-1, 1])
def test_weights_are_divided_where_training_them_would_not_fit(
    monkeypatch: pytest.MonkeyPatch, optimizer: Any, each: int, off: int
) -> None:
    # Weights, gradients and their sum on the way, the average, and what the optimizer remembers: numbers of 4 bytes.
    network = nn.Linear(999, 1000)
    needed = 1000 * 1000 * 4 * each
    monkeypatch.setattr("lamina.run.joint.device_memory", lambda device: int((needed + off * 1000) / FILLED))
    shares, text = divides(network, TrainingPlan(optimizer=optimizer), torch.device("cpu"), 2, False)
    assert shares == (off < 0)
    assert text.startswith("2 processes, which divide" if shares else "2 processes, each with a copy")


@pytest.mark.parametrize("asked", [True, False])
def test_a_person_may_settle_it_and_is_told_of_batch_norm(asked: bool) -> None:
    plan = TrainingPlan(shard=asked)
    shares, text = divides(nn.Linear(2, 2), plan, torch.device("cpu"), 3, True)
    assert shares == asked
    assert text.endswith("normalising by the batch goes by the rows of each process")


def test_blocks_go_to_another_process_as_their_place_on_the_disk() -> None:
    blocks = scenery(mixed(400, pictures=True)).prepared.blocks
    sent = pickle.dumps(blocks)
    assert len(sent) < 5_000 < sum(block.values.nbytes for block in blocks.values())
    again = pickle.loads(sent)  # noqa: S301  # its own bytes
    assert all(again[name].values.tobytes() == block.values.tobytes() for name, block in blocks.items())
