"""kill -9 at random moments, three times in a row, then to the end: the weights must be those of a quiet training."""

import random
import shutil
import tempfile
import time
from functools import partial
from pathlib import Path

import torch
from torch import nn

import lamina
from benchmarks.torture.children import finish, kill_in_a_row
from lamina.ground import sha256

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
    chance, same, wrong = random.Random(seed), 0, list[int]()
    with tempfile.TemporaryDirectory() as place:
        quiet = Path(place) / "quiet"
        begun = time.monotonic()
        assert finish(lambda: train(quiet)), "the training that nobody kills must end"
        seconds = time.monotonic() - begun
        wanted = sha256(quiet / "network.safetensors")
        for number in range(count):
            folder = Path(place) / str(number)
            again = partial(train, folder)
            seconds = kill_in_a_row(again, partial(shutil.rmtree, folder, ignore_errors=True), seconds, chance)
            if finish(again) and sha256(folder / "network.safetensors") == wanted:
                same += 1
            else:
                wrong.append(number)
    return {"tried": count, "survived": same, "failed": wrong}
