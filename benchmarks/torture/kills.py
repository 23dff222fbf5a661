"""kill -9 at random moments, three times in a row, then to the end: the weights must be those of a quiet training."""

import random
import tempfile
import time
from pathlib import Path

import torch
from torch import nn

import lamina
from benchmarks.torture.children import finish, kill_somewhere
from lamina.ground import sha256

CHAIN = 3
"""Kills before a training is left to end."""
STEPS = 40


def train(folder: Path) -> None:
    """A few steps of a network with everything that resuming must keep: dropout, batch norm, average, momentum."""
    generator = torch.Generator().manual_seed(1)
    inputs = torch.randn(240, 6, generator=generator)
    targets = (inputs.sum(1) > 0).long()
    torch.manual_seed(0)
    module = nn.Sequential(nn.Linear(6, 16), nn.BatchNorm1d(16), nn.ReLU(), nn.Dropout(0.2), nn.Linear(16, 2))
    lamina.fit(module, (inputs, targets), out=folder, quiet=True, steps=STEPS, batch_size=24, checkpoint_seconds=0.0,
               average=0.9, device="cpu")  # fmt: skip


def run(count: int, seed: int) -> dict[str, object]:
    """`count` trainings; how many ended with the weights of the one that nobody killed.

    Moments of kills follow from `seed` and from the machine's mood: a kill is at a time, not at a step.
    """
    torch.set_num_threads(1)
    chance, same, kills, wrong = random.Random(seed), 0, 0, list[int]()
    with tempfile.TemporaryDirectory() as place:
        quiet = Path(place) / "quiet"
        begun = time.monotonic()
        assert finish(lambda: train(quiet)), "the training that nobody kills must end"
        seconds = time.monotonic() - begun
        wanted = sha256(quiet / "network.safetensors")
        for number in range(count):
            folder = Path(place) / str(number)
            kills += sum(kill_somewhere(lambda folder=folder: train(folder), seconds, chance) for _ in range(CHAIN))  # type: ignore[misc]
            ended = finish(lambda folder=folder: train(folder))  # type: ignore[misc]
            if ended and sha256(folder / "network.safetensors") == wanted:
                same += 1
            else:
                wrong.append(number)
    return {"tried": count, "survived": same, "kills": kills, "failed": wrong}
